//! What was done about which signal or time, for the report: bounded, with nothing uncounted.

use std::time::Duration;

use super::{Action, Cause, HandlerResult};

/// How many entries are kept.
const MOST: usize = 1000;

/// Something that was done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How long after our start.
    pub at: Duration,
    /// Why.
    pub cause: Cause,
    /// What.
    pub action: Action,
    /// How often, one directly after the other.
    pub count: u64,
    /// How often it came to nothing, since something else stands before it.
    pub refused: u64,
    /// How its last handler ended.
    pub result: Option<HandlerResult>,
}

/// The first entries, and how many times more something was done.
#[derive(Debug, Default)]
pub struct Log {
    /// In the order of time.
    pub entries: Vec<Entry>,
    /// Those for which there was no place.
    pub more: u64,
}

impl Log {
    /// Notes an action; answers the place of its entry, where it has one.
    pub fn note(&mut self, cause: &Cause, action: &Action, at: Duration) -> Option<usize> {
        if let Some(last) = self.entries.last_mut()
            && last.cause == *cause
            && last.action == *action
        {
            last.count += 1;
        } else if self.entries.len() < MOST {
            let (cause, action) = (cause.clone(), action.clone());
            self.entries.push(Entry { at, cause, action, count: 1, refused: 0, result: None });
        } else {
            self.more += 1;
            return None;
        }
        Some(self.entries.len() - 1)
    }

    /// Notes that an action has come to nothing.
    pub fn set_refused(&mut self, entry: Option<usize>) {
        if let Some(entry) = entry.and_then(|at| self.entries.get_mut(at)) {
            entry.refused += 1;
        }
    }

    /// Notes how the handler of an entry has ended.
    pub fn set_result(&mut self, entry: Option<usize>, result: &HandlerResult) {
        if let Some(entry) = entry.and_then(|at| self.entries.get_mut(at)) {
            entry.result = Some(result.clone());
        }
    }
}
