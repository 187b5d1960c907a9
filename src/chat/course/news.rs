//! What is told of the steps while they go on.

use std::time::{Duration, Instant};

use super::Course;
use crate::chat::script::Secrecy;

/// What happened to a step, for transcripts and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Which step (a place in `Script::steps`).
    pub step: usize,
    /// When it was over.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    /// What it read (the unit, the match), cut to a few hundred bytes; empty where it reads nothing.
    pub got: Vec<u8>,
    /// Variables that it set.
    pub set: Vec<Capture>,
    /// Whether it went well.
    pub is_good: bool,
    /// Whether what it is about may be told; what it read and set is not in here where it may not.
    pub secrecy: Secrecy,
}

/// A variable that a step has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its name.
    pub name: String,
    /// The beginning of its value, `MOST_CAPTURED` bytes at most.
    pub value: Vec<u8>,
    /// How many bytes the value has.
    pub length: usize,
}

/// Most bytes of a variable that are told; the variable itself has them all.
const MOST_CAPTURED: usize = 4096;

impl Capture {
    pub(super) fn of((name, value): &(String, Vec<u8>)) -> Capture {
        let told = &value[..value.len().min(MOST_CAPTURED)];
        Capture { name: name.clone(), value: told.to_vec(), length: value.len() }
    }
}

impl Course {
    /// Takes down how the step at hand went.
    pub(super) fn tell(&mut self, got: Vec<u8>, set: Vec<Capture>, is_good: bool) {
        if self.at < self.script.steps.len() {
            let took = self.now.saturating_duration_since(self.begun);
            let secrecy = self.secrecy();
            let (got, set) = match secrecy {
                Secrecy::Open => (got, set),
                Secrecy::Hidden => Default::default(),
            };
            self.news.push(News { step: self.at, at: self.now, took, got, set, is_good, secrecy });
        }
    }
}
