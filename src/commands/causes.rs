//! Handshakes that fail, told once for each cause and counted: anybody can make any number of them fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Failure;
use crate::report::{Event, Events};

/// Most causes that are told apart: clients must not fill our memory.
const MOST_CAUSES: usize = 32;

/// Failed handshakes by cause.
#[derive(Default)]
pub struct Causes {
    counts: Mutex<BTreeMap<String, u64>>,
    tells_all: bool,
}

impl Causes {
    /// None yet; each of them is told, too, where `tells_all`.
    pub fn new(tells_all: bool) -> Arc<Causes> {
        Arc::new(Causes { tells_all, ..Causes::default() })
    }

    /// The same place for events, which does not hear of the same cause twice.
    pub fn thin_out(self: &Arc<Self>, events: Events) -> Events {
        let own = self.clone();
        Arc::new(move |event: &Event| match event {
            Event::Unestablished { failure, .. } if !own.count(failure) => {}
            event => events(event),
        })
    }

    /// Tells at the end what was not told while it happened.
    pub fn tell(&self, events: &Events) {
        if let Some(line) = self.line() {
            events(&Event::Note(line));
        }
    }

    /// True for one that is to be told: the first of its cause, or every one.
    fn count(&self, failure: &Failure) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = counts.contains_key(&failure.why);
        let has_room = counts.len() < MOST_CAUSES;
        let cause = if is_known || has_room { failure.why.as_str() } else { "other causes" };
        *counts.entry(cause.to_owned()).or_default() += 1;
        self.tells_all || (!is_known && has_room)
    }

    /// All of them in a line, the most frequent first; `None` where everything was told as it happened.
    fn line(&self) -> Option<String> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let total: u64 = counts.values().sum();
        let was_told = if self.tells_all { total <= 1 } else { counts.values().all(|count| *count == 1) };
        if was_told {
            return None;
        }
        let mut causes: Vec<_> = counts.iter().collect();
        causes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let causes: Vec<_> = causes.iter().map(|(cause, count)| format!("{count} x {cause}")).collect();
        Some(format!("{total} handshakes have failed: {}", causes.join("; ")))
    }
}
