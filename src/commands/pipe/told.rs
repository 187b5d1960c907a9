//! Who hears about a pipeline: the meter, and the events as they happen.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::meter::Meter;
use crate::commands::run::events::EventLog;
use crate::commands::run::results::say_keys_are_lost;
use crate::error::Failure;
use crate::pipeline::{Audience, Happening, Progress, Trouble};
use crate::report::{limit_name, signal_json, status_json};

/// Those who hear.
pub struct Told {
    meter: Meter,
    /// `--events`.
    events: Option<EventLog>,
    names: Vec<String>,
    start: Instant,
    /// What could not be told.
    pub failure: Option<Failure>,
}

impl Told {
    /// `names` are those of the stages; times are counted from `start`.
    pub fn new(meter: Meter, events: Option<EventLog>, names: Vec<String>, start: Instant) -> Told {
        Told { meter, events, names, start, failure: None }
    }

    /// Tells one more event; its time is added.
    pub fn event(&mut self, mut event: Value) {
        let Some(events) = &self.events else { return };
        event["at"] = self.start.elapsed().as_secs_f64().into();
        let told = events.tell(&event);
        self.failure = self.failure.take().or(told.err());
    }

    /// No more events.
    pub fn end(&mut self) {
        let ended = self.events.take().map_or(Ok(()), |events| events.end("pipe"));
        self.failure = self.failure.take().or(ended.err());
    }
}

impl Audience for Told {
    fn interval(&self) -> Option<Duration> {
        self.meter.interval()
    }

    fn progress(&mut self, stages: &[Progress]) {
        self.meter.progress(stages);
    }

    fn trouble(&mut self, trouble: &Trouble<'_>) {
        self.meter.trouble(trouble);
    }

    fn told(&mut self, happening: Happening<'_>) {
        if matches!(happening, Happening::KeysLost) {
            say_keys_are_lost("pipe");
        }
        if self.events.is_none() {
            return;
        }
        let name = |n: usize| &self.names[n];
        self.event(match happening {
            Happening::Started(n, started) => {
                let path = started.path.to_string_lossy();
                json!({"ev": "stage-start", "n": n, "name": name(n), "pid": started.pid, "path": path})
            }
            Happening::Ended(n, pid, status) => {
                json!({"ev": "stage-exit", "n": n, "name": name(n), "pid": pid, "status": status_json(status)})
            }
            Happening::OutOfTime(n, reason) => {
                json!({"ev": limit_name(reason), "n": n, "name": n.map(name)})
            }
            Happening::KeysLost => json!({"ev": "keys-lost"}),
            Happening::Killed(n) => json!({"ev": "kill", "n": n, "name": n.map(name)}),
            Happening::Signal(handled) => {
                json!({"ev": "signal", "signal": signal_json(handled, self.start)})
            }
        });
    }

    fn end(&mut self, stages: &[Progress]) {
        self.meter.end(stages);
    }
}
