//! How far a connection got on its way to TLS, step by step, and what was seen there: known also when it fails.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::tls::{Negotiated, Seen, Terms};

/// A step of the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Files were being read.
    #[default]
    Setup,
    /// The name was being resolved.
    #[serde(rename = "dns")]
    Resolve,
    /// The connection was being made.
    #[serde(rename = "tcp")]
    Connect,
    /// The plain dialogue before TLS was going on.
    Starttls,
    /// The handshake was going on.
    Handshake,
    /// The peer was being judged.
    Verify,
    /// Data was going over it.
    Transfer,
    /// It has ended.
    Closed,
}

/// How long the steps took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Resolving the name.
    pub dns: Option<Duration>,
    /// Connecting.
    pub tcp: Option<Duration>,
    /// The plain dialogue before TLS.
    pub starttls: Option<Duration>,
    /// The handshake.
    pub handshake: Option<Duration>,
}

/// The way of one connection, as far as it got.
#[derive(Debug)]
pub struct Journey {
    stage: Cell<Stage>,
    since: Cell<Instant>,
    times: Cell<Times>,
    address: RefCell<Option<String>>,
    sights: Option<RefCell<Sights>>,
}

/// What was seen on the way.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    /// What the handshake has shown, and what it was judged by.
    pub handshake: Option<(Seen, Terms)>,
    /// What both ends have agreed on.
    pub negotiated: Option<Negotiated>,
}

impl Journey {
    /// One of which nothing is kept but how far it got.
    pub fn new() -> Journey {
        Journey {
            stage: Cell::default(),
            since: Cell::new(Instant::now()),
            times: Cell::default(),
            address: RefCell::default(),
            sights: None,
        }
    }

    /// One of which everything is kept, for a report.
    pub fn remembered() -> Journey {
        Journey { sights: Some(RefCell::default()), ..Journey::new() }
    }

    /// Forgets everything: another try begins.
    pub fn begin(&self) {
        self.stage.set(Stage::Resolve);
        self.since.set(Instant::now());
        self.times.take();
        self.address.take();
        if let Some(sights) = &self.sights {
            sights.take();
        }
    }

    /// The step before `stage` is done.
    pub fn reaches(&self, stage: Stage) {
        let took = Some(self.since.replace(Instant::now()).elapsed());
        let mut times = self.times.get();
        match self.stage.replace(stage) {
            Stage::Resolve => times.dns = took,
            Stage::Connect => times.tcp = took,
            Stage::Starttls => times.starttls = took,
            Stage::Handshake => times.handshake = took,
            Stage::Setup | Stage::Verify | Stage::Transfer | Stage::Closed => {}
        }
        self.times.set(times);
    }

    /// The address that answered.
    pub fn answered_by(&self, address: impl FnOnce() -> Option<String>) {
        if self.sights.is_some() {
            self.address.replace(address());
        }
    }

    /// What the handshake has shown, where somebody wants to know.
    pub fn sees(&self, sights: impl FnOnce() -> Sights) {
        if let Some(kept) = &self.sights {
            kept.replace(sights());
        }
    }

    /// How far it got.
    pub fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// How long the steps took that were done.
    pub fn times(&self) -> Times {
        self.times.get()
    }

    /// The address that answered.
    pub fn address(&self) -> Option<String> {
        self.address.borrow().clone()
    }

    /// What was seen on it; nothing where it was not to be remembered.
    pub fn sights(&self) -> Sights {
        self.sights.as_ref().map(|sights| sights.borrow().clone()).unwrap_or_default()
    }
}

impl Default for Journey {
    fn default() -> Journey {
        Journey::new()
    }
}
