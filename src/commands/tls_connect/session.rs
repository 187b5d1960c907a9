//! A session of bytes, and the report at its end.

use std::cell::RefCell;
use std::rc::Rc;

use super::call::{Call, Course};
use super::{Args, Subcommand};
use crate::address::Address;
use crate::commands::connect::{Client, Observer};
use crate::commands::words::ConnectsTls;
use crate::endpoint::{Endpoint, Journey, Stream};
use crate::error::{Exit, Failure};
use crate::relay::{Outcome, Report, Side};
use crate::report::tls::PeerClose;

/// Runs it.
pub async fn run(call: &Call, client: &Client<ConnectsTls>, address: &Address) -> Result<Exit, Failure> {
    let watch = Watch { call, course: Course::new(), stream: RefCell::default() };
    client.session(Args::NAME, address, call.dial(), &watch).await
}

/// What is kept of a session for its report.
struct Watch<'a> {
    call: &'a Call,
    course: Course,
    stream: RefCell<Option<Rc<Stream>>>,
}

impl Observer for Watch<'_> {
    fn journey(&self) -> &Journey {
        &self.course.journey
    }

    fn opened(&self, peer: &Endpoint) {
        self.stream.replace(peer.source.shared_tls());
    }

    fn ended(&self, moved: Option<&Report>, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let result = result.map_err(|failure| self.call.with_pin(failure, &self.course));
        let mut has_spoken = false;
        if let (Some(report), Some(stream)) = (moved, self.stream.take()) {
            self.course.moves(report.received, report.sent);
            self.course.ends(&stream, end_of(&report.outcome));
            has_spoken = report.received > 0 || stream.tickets() > 0;
        }
        self.course.judges_acceptance(has_spoken, result.as_ref().err());
        let told = self.call.tell(&self.course, result.as_ref().copied());
        result.and_then(|exit| told.map(|_| exit))
    }
}

/// How the peer has ended a session, as far as its outcome tells.
fn end_of(outcome: &Outcome) -> Option<PeerClose> {
    match outcome {
        Outcome::Reset(Side::Right) => Some(PeerClose::Reset),
        Outcome::Vanished(Side::Right) | Outcome::Limit(_) => Some(PeerClose::Timeout),
        _ => None,
    }
}
