//! What is told of a server: events as they come, and the counters when asked for and at the end.

use std::sync::Arc;
use std::time::Instant;

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::Args;
use crate::commands::Subcommand;
use crate::commands::causes::Causes;
use crate::commands::log::{Form, LogArgs, say};
use crate::commands::tls_report::{Outlet, Place};
use crate::echo::Counters;
use crate::endpoint::Peer;
use crate::error::Failure;
use crate::report::{Event, Events, counters_json, counters_text};

/// What is told of the server.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Counters (USR1 shows them at any time)")]
pub struct TellingArgs {
    /// Say at the end what was served (-v does, too)
    #[arg(long)]
    stats: bool,
    /// Write the counters as JSON, one object a line: to stderr, where events are JSON then, too, or into FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-",
          value_parser = OsStringValueParser::new().try_map(Place::parse))]
    json: Option<Place>,
}

/// Where it is told.
pub struct Telling {
    events: Events,
    is_talkative: bool,
    at_end: bool,
    json: Option<Outlet>,
    mode: &'static str,
    counters: Arc<Counters>,
    causes: Arc<Causes>,
    started: Instant,
}

impl Telling {
    /// Opens the file for counters.
    pub fn new(
        args: &TellingArgs,
        log: &LogArgs,
        mode: &'static str,
        counters: Arc<Counters>,
    ) -> Result<Telling, Failure> {
        let json = args.json.as_ref().map(|place| place.open(Outlet::Stderr)).transpose()?;
        let mut log = log.clone();
        if args.json == Some(Place::Usual) {
            log.log = Form::Json;
        }
        let causes = Causes::new(log.is_talkative());
        let (inner, counting) = (causes.thin_out(log.events(Args::NAME)), counters.clone());
        let events: Events = Arc::new(move |event: &Event| {
            if matches!(event, Event::Unestablished { .. }) {
                counting.count_unestablished();
            }
            inner(event);
        });
        Ok(Telling {
            events,
            is_talkative: log.is_talkative(),
            at_end: args.stats || log.is_talkative() || json.is_some(),
            json,
            mode,
            counters,
            causes,
            started: Instant::now(),
        })
    }

    /// Where events go.
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// True where peers are told of one by one.
    pub fn is_talkative(&self) -> bool {
        self.is_talkative
    }

    /// Tells of a datagram peer that is not answered; only where peers are told of at all, for anybody can send any
    /// number of these.
    pub fn refused(&self, peer: &Peer) {
        if self.is_talkative {
            let why = "its port is that of a service that would answer the answer";
            (self.events)(&Event::Rejected { peer: peer.to_string(), why });
        }
    }

    /// Tells what was served so far.
    pub fn counters(&self) {
        let (totals, elapsed) = (self.counters.totals(), self.started.elapsed());
        match &self.json {
            Some(outlet) => {
                if let Err(why) = outlet.line(&counters_json(self.mode, &totals, elapsed).to_string()) {
                    say(&format!("spile {}: {why}", Args::NAME));
                }
            }
            None => say(&format!("spile {}: {}", Args::NAME, counters_text(self.mode, &totals, elapsed))),
        }
    }

    /// Tells at the end what was asked for.
    pub fn end(&self) {
        self.causes.tell(&self.events);
        if self.at_end {
            self.counters();
        }
    }
}
