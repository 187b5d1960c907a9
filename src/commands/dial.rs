//! Reaching a peer: one opener, read once, and the patience and the time that its flags grant each connection.

use std::time::Duration;

use crate::address::Address;
use crate::endpoint::{Connection, Endpoint, Journey, Opener, Patience, Stage, persist};
use crate::error::{Exit, Failure};
use crate::event_loop::timeout;
use crate::report::{Event, Events};

/// A peer that can be reached, as often as it is wanted.
pub struct Dial {
    opener: Opener,
    patience: Patience,
    name: String,
    deadline: Option<Duration>,
}

impl Dial {
    /// Reads what the address names; what is wrong with that comes before anything is opened. Warnings are told to
    /// `events`. `deadline` is that of a whole session.
    pub fn new(address: &Address, deadline: Option<Duration>, events: &Events) -> Result<Dial, Failure> {
        let opener = Opener::new(address, crate::endpoint::Use::Output)?;
        for warning in opener.warnings() {
            events(&Event::Note(warning));
        }
        Ok(Dial { opener, patience: Patience::of(address), name: address.describe(), deadline })
    }

    /// How messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names that a TLS server must have and is told; none where there is no TLS.
    pub fn names(&self) -> Option<(String, Option<String>)> {
        self.opener.tls()?.names().ok()
    }

    /// Reaches it; `journey` tells how far the last try got.
    pub async fn open(&self, journey: &Journey) -> Result<Endpoint, Failure> {
        let connection = Connection::default();
        let attempts = persist(self.patience, &self.name, || self.opener.open_along(&connection, journey));
        let result = match self.deadline {
            None => attempts.await,
            Some(limit) => timeout(limit, attempts).await.unwrap_or_else(|_| {
                Err(Failure::timeout(self.cannot_connect(), "time limit --deadline ran out"))
            }),
        };
        result.map_err(|failure| self.at_its_stage(failure, journey.stage()))
    }

    fn cannot_connect(&self) -> String {
        format!("cannot connect to {}", self.name)
    }

    /// A limit on all tries cuts one of them short wherever it is: that is what is to be told.
    fn at_its_stage(&self, failure: Failure, stage: Stage) -> Failure {
        let step = match stage {
            Stage::Starttls => "before TLS",
            Stage::Handshake => "in the handshake",
            _ => return failure,
        };
        match failure.exit == Exit::TIMEOUT && failure.what == self.cannot_connect() {
            true => Failure { what: format!("cannot speak TLS with {}, {step}", self.name), ..failure },
            false => failure,
        }
    }
}
