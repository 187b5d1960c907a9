//! `--check`: connections that carry nothing, each told in a line.

use std::io;
use std::time::Duration;

use rustls::HandshakeKind;

use super::LookArgs;
use super::call::{Call, Course};
use super::expiry;
use crate::commands::runtime::Interrupts;
use crate::commands::stdout::print;
use crate::endpoint::{Heard, Stream};
use crate::error::{Exit, Failure, plain};
use crate::report::tls::{PeerClose, Pem, tls_text};

/// How long a server may take to answer our end with its own.
const FAREWELL: Duration = Duration::from_millis(500);

/// Runs the first connection and those that are to resume it; the first that is not as it should be is the last.
pub async fn run(call: &Call, look: &LookArgs) -> Result<Exit, Failure> {
    let mut interrupts = Interrupts::new()?;
    for nth in 0..=look.reconnect.unwrap_or(0) {
        let course = Course::new();
        let (told, failure) = tokio::select! {
            biased;
            done = one(call, look, &course, nth) => done?,
            () = interrupts.ended() => {
                let exit = interrupts.exit().unwrap_or(Exit::FAILURE);
                let failure = Failure::new(exit, format!("TLS with {}", call.name()), "a signal has ended the check");
                call.tell(&course, Err(&failure))?;
                return Ok(exit);
            }
        };
        match failure {
            Some(failure) => return Err(failure),
            None if told != Exit::OK => return Ok(told),
            None => {}
        }
    }
    Ok(Exit::OK)
}

/// One connection, told. The answer is what became of the telling, and how the check has failed, if it has.
async fn one(
    call: &Call,
    look: &LookArgs,
    course: &Course,
    nth: u32,
) -> Result<(Exit, Option<Failure>), Failure> {
    let failure = examine(call, look, course, nth).await.err();
    let mut told = call.tell(course, failure.as_ref().map_or(Ok(Exit::OK), Err))?;
    let is_established = failure.as_ref().is_none_or(|failure| is_about_expectations(failure.exit));
    if is_established && !call.reports_to_stdout() {
        let line = course.account(call.target(), None, Pem::Omitted, tls_text);
        told = print(&format!("{}: {line}\n", call.name()))?;
    }
    Ok((told, failure))
}

/// True where a server was spoken with, and trusted.
fn is_about_expectations(exit: Exit) -> bool {
    matches!(exit, Exit::EXPIRING | Exit::UNEXPECTED)
}

async fn examine(call: &Call, look: &LookArgs, course: &Course, nth: u32) -> Result<(), Failure> {
    let opened = call.open(course).await;
    let endpoint = opened.inspect_err(|failure| course.judges_acceptance(false, Some(failure)))?;
    let Some(stream) = endpoint.source.shared_tls() else {
        return Err(Failure::usage(call.name(), "is no TLS"));
    };
    let heard = settle(call, &stream, look.settle, course).await;
    course.judges_acceptance(matches!(heard, Ok(Heard::Ticket | Heard::Data)), heard.as_ref().err());
    stream.part(FAREWELL).await;
    course.ends(&stream, Some(PeerClose::Timeout));
    heard?;
    if let Some(within) = look.expires_in {
        expiry::check(course, within, call.name())?;
    }
    match look.expect_resumed && nth > 0 {
        true => expect_resumed(call, course, nth),
        false => Ok(()),
    }
}

/// A server of TLS 1.2 has said all by the end of the handshake, one of 1.3 says after it what it makes of us.
async fn settle(call: &Call, stream: &Stream, limit: Duration, course: &Course) -> Result<Heard, Failure> {
    let negotiated = course.journey.sights().negotiated;
    if negotiated.is_some_and(|negotiated| negotiated.version == "1.2") {
        return Ok(Heard::Nothing);
    }
    stream.hear(limit).await.map_err(|why| refused(call.name(), &why))
}

/// What a server has done in the place of taking us.
fn refused(name: &str, why: &io::Error) -> Failure {
    if let Some(failure) = why.get_ref().and_then(|why| why.downcast_ref::<Failure>()) {
        return failure.clone();
    }
    let how = match why.kind() {
        io::ErrorKind::UnexpectedEof => "it closed the connection after the handshake".to_owned(),
        io::ErrorKind::ConnectionReset => "it reset the connection after the handshake".to_owned(),
        _ => plain(&why.to_string()),
    };
    Failure::new(Exit::TRUNCATED, format!("TLS with {name}"), how)
        .hint("a server that wants another client certificate, or none of ours, may do so without a word")
}

fn expect_resumed(call: &Call, course: &Course, nth: u32) -> Result<(), Failure> {
    let negotiated = course.journey.sights().negotiated;
    match negotiated.is_some_and(|negotiated| negotiated.handshake == HandshakeKind::Resumed) {
        true => Ok(()),
        false => {
            let what = format!("TLS with {} is not resumed", call.name());
            Err(Failure::new(Exit::UNEXPECTED, what, format!("connection {} had a full handshake", nth + 1))
                .hint("the server gives no tickets, or does not take back those that it gave"))
        }
    }
}
