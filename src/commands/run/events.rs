//! `--events`: a line for each step, as it happens, for a reader who may not read them.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::results::inherited;
use crate::commands::log::say;
use crate::error::{Exit, Failure};
use crate::flow::{End, Way};
use crate::report::{PATIENCE, Writer};

/// Where events are written.
pub struct EventLog(Writer);

impl EventLog {
    /// Opens `FILE` anew, `fd:N` or `-`; times are counted from `start`.
    pub fn open(path: &Path, start: Instant) -> Result<EventLog, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::new(Exit(125), format!("cannot write --events {}", path.display()), why)
        };
        let note = move |lines: u64| {
            let at = start.elapsed().as_secs_f64();
            format!("{}\n", json!({"at": at, "ev": "lost", "lines": lines}))
        };
        let writer = match inherited(path).map_err(|why| cannot(&why))? {
            Some(fd) => End::beside(fd, Way::Out).map(|end| Writer::new(end, note)),
            None => Writer::create(path, note),
        };
        writer.map(EventLog).map_err(|why| cannot(&why))
    }

    /// Writes one line, or keeps it for later.
    pub fn tell(&self, event: &Value) -> Result<(), Failure> {
        self.0.write(format!("{event}\n")).map_err(cannot_write)
    }

    /// Gives the reader a moment for what it has not read yet, and says in the name of a subcommand what it has missed.
    pub fn end(&self, name: &str) -> Result<(), Failure> {
        let lost = self.0.finish(PATIENCE).map_err(cannot_write)?;
        if lost > 0 {
            say(&format!("spile {name}: --events is not read: {lost} lines were lost"));
        }
        Ok(())
    }
}

fn cannot_write(why: std::io::Error) -> Failure {
    Failure::other("cannot write --events", why)
}
