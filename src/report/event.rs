//! Events of a running listener or client, one line each. Never one per packet.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::Failure;

/// Where events go; cheap to clone.
pub type Events = Arc<dyn Fn(&Event) + Send + Sync>;

/// Something worth a line in a log.
#[derive(Clone, Debug)]
pub enum Event {
    /// Peers can connect from now on: `tcp 127.0.0.1:8080`.
    Listening(String),
    /// What a person must know to use it, such as the name of a terminal.
    Note(String),
    /// A peer has connected.
    Accepted {
        /// Number of the connection, from 1.
        id: u64,
        /// Who it is.
        peer: String,
    },
    /// A peer was turned away.
    Rejected {
        /// Who it is.
        peer: String,
        /// Why.
        why: &'static str,
    },
    /// We have connected.
    Connected {
        /// To what.
        address: String,
        /// How long that took.
        took: Duration,
    },
    /// An address did not answer as it should.
    Unreachable {
        /// Which one.
        address: String,
        /// What failed, why.
        why: String,
    },
    /// A connection is over.
    Closed {
        /// Number of the connection.
        id: u64,
        /// One line that says how it ended and what it moved.
        text: String,
        /// The same as JSON.
        report: Value,
    },
    /// A digest of what a connection moved.
    Digest {
        /// Number of the connection.
        id: u64,
        /// `sha256 sent: …`.
        text: String,
    },
    /// A connection could not be served.
    Failed {
        /// Number of the connection.
        id: u64,
        /// What failed, why.
        why: String,
    },
    /// A connection came to nothing before it could be served: its handshake has failed.
    Unestablished {
        /// Number of the connection.
        id: u64,
        /// What failed, why.
        failure: Failure,
    },
    /// accept(2) failed; it is tried again after a pause.
    AcceptPaused(String),
    /// No more peers; those that are connected may finish.
    Draining {
        /// How many there are.
        connections: usize,
    },
    /// The access rules, or certificates, were read again.
    Reloaded(String),
    /// They could not be, and everything stays as it was.
    NotReloaded(String),
}

impl Event {
    /// True for what is said without `-v`.
    pub fn is_important(&self) -> bool {
        self.is_failure() || matches!(self, Event::Listening(_) | Event::Note(_) | Event::Digest { .. })
    }

    /// True for what is said even by `--quiet`.
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Event::Failed { .. }
                | Event::Unestablished { .. }
                | Event::AcceptPaused(_)
                | Event::NotReloaded(_)
        )
    }

    /// The line for a person.
    pub fn text(&self) -> String {
        match self {
            Event::Listening(name) => format!("listening {name}"),
            Event::Note(note) => note.clone(),
            Event::Accepted { id, peer } => format!("[{id}] connection from {peer}"),
            Event::Rejected { peer, why } => format!("connection from {peer} refused: {why}"),
            Event::Connected { address, took } => format!("connected to {address} in {took:.1?}"),
            Event::Unreachable { why, .. } => why.clone(),
            Event::Closed { id, text, .. } => format!("[{id}] {text}"),
            Event::Digest { id, text } => format!("[{id}] {text}"),
            Event::Failed { id, why } => format!("[{id}] {why}"),
            Event::Unestablished { id, failure } => format!("[{id}] {failure}"),
            Event::AcceptPaused(why) => format!("cannot accept, trying again: {why}"),
            Event::Draining { connections } => format!("stopping; {connections} connections may finish"),
            Event::Reloaded(what) => format!("read again: {what}"),
            Event::NotReloaded(why) => format!("not read again, all stays as it was: {why}"),
        }
    }

    /// The line for a program.
    pub fn json(&self) -> Value {
        match self {
            Event::Listening(name) => json!({"event": "listening", "address": name}),
            Event::Note(note) => json!({"event": "note", "text": note}),
            Event::Accepted { id, peer } => json!({"event": "accepted", "id": id, "peer": peer}),
            Event::Rejected { peer, why } => json!({"event": "rejected", "peer": peer, "why": why}),
            Event::Connected { address, took } => {
                json!({"event": "connected", "address": address, "ms": took.as_secs_f64() * 1e3})
            }
            Event::Unreachable { address, why } => {
                json!({"event": "unreachable", "address": address, "why": why})
            }
            Event::Closed { id, report, .. } => json!({"event": "closed", "id": id, "report": report}),
            Event::Digest { id, text } => json!({"event": "digest", "id": id, "text": text}),
            Event::Failed { id, why } => json!({"event": "failed", "id": id, "why": why}),
            Event::Unestablished { id, failure } => {
                json!({"event": "failed", "id": id, "why": failure.to_string()})
            }
            Event::AcceptPaused(why) => json!({"event": "accept-paused", "why": why}),
            Event::Draining { connections } => json!({"event": "drain", "connections": connections}),
            Event::Reloaded(what) => json!({"event": "reloaded", "what": what}),
            Event::NotReloaded(why) => json!({"event": "reload-failed", "why": why}),
        }
    }
}

/// The failure that ended a command, as the last event of its log.
pub fn failure_json(failure: &Failure) -> Value {
    json!({
        "event": "failed",
        "why": failure.to_string(),
        "hint": failure.hint,
        "status": failure.exit.0,
    })
}

/// Lines of a log that were not kept, since nobody had read those before them.
pub fn losses_json(lines: u64) -> Value {
    json!({"event": "lost", "lines": lines})
}
