//! `--print`: what the server shows of itself, trusted or not.

use std::time::{Duration, SystemTime};

use clap::ValueEnum;

use super::call::{Call, Course};
use super::expiry;
use crate::certificate::{Der, Facts, limits, pem, pin_text, spki_pin};
use crate::commands::cert::certificate_text;
use crate::commands::runtime::Interrupts;
use crate::commands::stdout;
use crate::error::{Exit, Failure};
use crate::report::tls::PeerClose;

/// How long a server may take to answer our end with its own.
const FAREWELL: Duration = Duration::from_millis(500);

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Its certificate, PEM
    Cert,
    /// All certificates as it sends them, PEM
    Chain,
    /// What they say
    Text,
    /// The pin of its key
    Pin,
}

/// Shakes hands and prints; a verdict on the server stands all the same.
pub async fn run(call: &Call, part: Part, expires_in: Option<Duration>) -> Result<Exit, Failure> {
    let (mut interrupts, course) = (Interrupts::new()?, Course::new());
    let result = tokio::select! {
        result = look(call, &course, expires_in) => result,
        () = interrupts.ended() => return Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
    };
    call.tell(&course, result.as_ref().map(|()| Exit::OK))?;
    let sights = course.journey.sights();
    let chain = sights.handshake.map(|(seen, _)| seen.chain).unwrap_or_default();
    let printed = match (text(part, &chain, call.name()), result.is_ok()) {
        (Ok(text), _) => stdout::print(&text)?,
        (Err(failure), true) => return Err(failure),
        (Err(_), false) => Exit::OK,
    };
    result.map(|()| printed)
}

async fn look(call: &Call, course: &Course, expires_in: Option<Duration>) -> Result<(), Failure> {
    let endpoint = call.open(course).await?;
    if let Some(stream) = endpoint.source.shared_tls() {
        stream.part(FAREWELL).await;
        course.ends(&stream, Some(PeerClose::Timeout));
    }
    match expires_in {
        Some(within) => expiry::check(course, within, call.name()),
        None => Ok(()),
    }
}

fn text(part: Part, chain: &[Der], name: &str) -> Result<String, Failure> {
    let fail = |why: &str| Failure::new(Exit::HANDSHAKE, format!("certificate of {name}"), why);
    let [leaf, ..] = chain else { return Err(fail("the server has shown none")) };
    match part {
        Part::Cert => Ok(pem("CERTIFICATE", leaf).to_string()),
        Part::Chain => Ok(chain.iter().map(|der| pem("CERTIFICATE", der).to_string()).collect()),
        Part::Pin => spki_pin(leaf)
            .map(|pin| format!("{}\n", pin_text(&pin)))
            .ok_or_else(|| fail("it cannot be decoded")),
        Part::Text => {
            let told = |(depth, der): (usize, &Der)| match Facts::of(der, depth, SystemTime::now()) {
                Ok(facts) => certificate_text(&facts, &limits(der)),
                Err(_) => format!("certificate {depth}\n  it cannot be decoded\n"),
            };
            Ok(chain.iter().enumerate().map(told).collect::<Vec<_>>().join("\n"))
        }
    }
}
