//! What is told of connections: reports, what clients offer, and handshakes that fail.

use std::rc::Rc;
use std::sync::Arc;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::commands::causes::Causes;
use crate::commands::log::LogArgs;
use crate::commands::tls_report::{Outlet, Place};
use crate::endpoint::{Handshake, Incoming, Observer, Stream};
use crate::error::{Exit, Failure};
use crate::relay::{Outcome, Report, Side};
use crate::report::tls::{Account, Close, End, PeerClose, Pem, Stage, Times, hello_lines, tls_json};
use crate::report::{Event, Events};
use crate::tls::Verdict;

/// What is told of connections.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is told of connections")]
pub struct TellingArgs {
    /// Write a report of each connection as JSON, one a line, also of those whose handshake fails: to stderr, or
    /// into FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-",
          value_parser = OsStringValueParser::new().try_map(Place::parse))]
    json: Option<Place>,
    /// Show what each client offers: host, application protocols, groups, cipher suites, signatures. With --once the
    /// first client is the one, even if its handshake fails
    #[arg(long)]
    show_hello: bool,
}

/// Where it is told.
pub struct Telling {
    events: Events,
    reports: Option<Outlet>,
    shows_hello: bool,
    causes: Arc<Causes>,
}

impl Telling {
    /// Opens the file for reports.
    pub fn new(args: &TellingArgs, log: &LogArgs, name: &'static str) -> Result<Telling, Failure> {
        let reports = args.json.as_ref().map(|place| place.open(Outlet::Stderr)).transpose()?;
        let causes = Causes::new(log.is_talkative());
        let events = causes.thin_out(log.events(name));
        Ok(Telling { events, reports, shows_hello: args.show_hello, causes })
    }

    /// True where what clients offer is shown.
    pub fn shows_hello(&self) -> bool {
        self.shows_hello
    }

    /// Where events go.
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Tells what was not told while it happened.
    pub fn end(&self) {
        self.causes.tell(&self.events);
    }

    /// Who looks at handshakes; nobody, where nobody asks.
    pub fn observer(own: &Rc<Telling>) -> Option<Observer> {
        let telling = own.clone();
        (own.shows_hello || own.reports.is_some()).then(|| {
            let observer: Observer = Rc::new(move |handshake| telling.shaken(handshake));
            observer
        })
    }

    fn shaken(&self, handshake: &Handshake) {
        // A report has it, too.
        if self.shows_hello
            && self.reports.is_none()
            && let Some(hello) = &handshake.seen.hello
        {
            for line in hello_lines(&handshake.peer, hello) {
                (self.events)(&Event::Note(line));
            }
        }
        if let Some(failure) = &handshake.failure {
            let stage = match handshake.seen.verdict {
                Verdict::Refused(_) => Stage::Verify,
                _ => Stage::Handshake,
            };
            self.report(handshake, stage, Some(failure), Close::default());
        }
    }

    /// Tells of a client for which there was nothing to be served with.
    pub fn unopened(&self, session: &Session, failure: &Failure) {
        if let Some(handshake) = &session.handshake {
            self.report(handshake, Stage::Transfer, Some(failure), Close::default());
        }
    }

    /// Tells of a connection that is over.
    pub fn ended(&self, session: &Session, report: &Report, result: &Result<Exit, Failure>) {
        let Some(handshake) = &session.handshake else { return };
        let close = session.close(report);
        let stage = if result.is_ok() { Stage::Closed } else { Stage::Transfer };
        self.report(handshake, stage, result.as_ref().err(), close);
    }

    fn report(&self, handshake: &Handshake, stage: Stage, failure: Option<&Failure>, close: Close) {
        let account = Account {
            end: End::Server { peer: handshake.peer.clone() },
            stage,
            failure,
            times: Times { handshake: Some(handshake.took), ..Times::default() },
            negotiated: handshake.negotiated.clone(),
            tickets: 0,
            handshake: Some((&handshake.seen, &handshake.terms)),
            close,
            pem: Pem::Omitted,
        };
        let told = self.reports.as_ref().map(|outlet| outlet.line(&tls_json(&account).to_string()));
        if let Some(Err(why)) = told {
            (self.events)(&Event::Failed { id: 0, why: why.to_string() });
        }
    }
}

/// What is kept of a connection for its report.
pub struct Session {
    handshake: Option<Box<Handshake>>,
    stream: Option<Rc<Stream>>,
}

impl Session {
    /// Takes it from a connection; nothing, where nobody asks for reports.
    pub fn of(incoming: &mut Incoming) -> Session {
        let extras = incoming.endpoint.extras.as_mut();
        let handshake = extras.and_then(|extras| extras.handshake.take());
        let stream = handshake.as_ref().and_then(|_| incoming.endpoint.source.tls().cloned());
        Session { handshake, stream }
    }

    fn close(&self, report: &Report) -> Close {
        let stream = self.stream.as_ref();
        let is = |of: fn(&Stream) -> bool| stream.is_some_and(|stream| of(stream));
        let peer = match report.outcome {
            Outcome::Reset(Side::Right) => Some(PeerClose::Reset),
            _ if is(Stream::peer_has_ended) => Some(PeerClose::CloseNotify),
            _ if is(Stream::was_cut) => Some(PeerClose::Eof),
            Outcome::Limit(_) => Some(PeerClose::Timeout),
            _ => None,
        };
        Close {
            peer,
            sent_close_notify: is(Stream::has_said_end),
            bytes_in: report.received,
            bytes_out: report.sent,
        }
    }
}
