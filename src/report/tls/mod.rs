//! The report of a TLS connection: what goes into it; as JSON (`spile.tls/1`) and as a line.

mod json;
#[cfg(test)]
mod tests;
mod text;

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::certificate::{Facts, escaped};
use crate::error::Failure;
use crate::tls::{Negotiated, Seen, Terms};

pub use crate::endpoint::{Stage, Times};
pub use json::{tls_json, verify_json};
pub use text::{hello_lines, tls_text};

/// What a client connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The host as typed.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The address that answered.
    pub addr: Option<String>,
    /// The name that is verified.
    pub name: Option<String>,
    /// The name that was sent.
    pub sni: Option<String>,
    /// The protocol that was spoken before TLS.
    pub starttls: Option<String>,
}

/// What a server has made of our certificate: TLS 1.3 tells only after the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepted {
    /// It went on.
    Yes,
    /// It refused it.
    No,
    /// It has not said anything yet.
    #[default]
    Unknown,
}

/// How the peer ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerClose {
    /// As TLS has it.
    CloseNotify,
    /// By closing the connection under it: what came may be cut.
    Eof,
    /// By a reset.
    Reset,
    /// Not at all, within the time it was given.
    Timeout,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Close {
    /// What the peer did.
    pub peer: Option<PeerClose>,
    /// Whether we have said that we are done.
    pub sent_close_notify: bool,
    /// Bytes of data that came.
    pub bytes_in: u64,
    /// Bytes of data that went.
    pub bytes_out: u64,
}

/// Which end the report is of, with what only that end knows.
#[derive(Clone, Debug)]
pub enum End {
    /// A client.
    Client {
        /// What it connected to.
        target: Target,
        /// What the server made of its certificate.
        accepted: Accepted,
    },
    /// A server.
    Server {
        /// The client's address.
        peer: String,
    },
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    /// Which end it is of.
    pub end: End,
    /// How far it got.
    pub stage: Stage,
    /// How it failed, if it did.
    pub failure: Option<&'a Failure>,
    /// How long the steps took.
    pub times: Times,
    /// What was agreed on, once it was.
    pub negotiated: Option<Negotiated>,
    /// Tickets that came.
    pub tickets: u32,
    /// What the handshake has shown, and what it was judged by.
    pub handshake: Option<(&'a Seen, &'a Terms)>,
    /// How it ended.
    pub close: Close,
    /// Whether certificates go into the report in full.
    pub pem: Pem,
}

/// Whether certificates go into a report in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pem {
    /// They do not.
    #[default]
    Omitted,
    /// They do.
    Included,
}

impl Account<'_> {
    /// The peer's certificates, decoded; those that cannot be are left out.
    fn chain(&self) -> Vec<Facts> {
        let Some((seen, terms)) = self.handshake else { return Vec::new() };
        let now = terms.at.unwrap_or_else(SystemTime::now);
        let decoded = seen.chain.iter().enumerate().filter_map(|(depth, der)| {
            let facts = Facts::of(der, depth, now).ok()?;
            Some(match self.pem {
                Pem::Omitted => facts,
                Pem::Included => facts.with_pem(der),
            })
        });
        decoded.collect()
    }
}

fn bytes_text(bytes: &[u8]) -> String {
    escaped(&String::from_utf8_lossy(bytes))
}

/// To a tenth: what is finer is noise.
fn milliseconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| (time.as_secs_f64() * 1e4).round() / 10.0)
}
