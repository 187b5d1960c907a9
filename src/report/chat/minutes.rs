//! What happened in one conversation, for a report: bounded, however long it goes on.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::chat::{News, Op, Script, Step};

/// Of a long conversation so many steps are told from its beginning, and as many from its end.
const MOST_TOLD: usize = 500;

/// What happened in one conversation.
#[derive(Clone, Debug)]
pub struct Minutes {
    /// Its script.
    pub script: Rc<Script>,
    /// Its number, where there are several at once.
    pub id: Option<u64>,
    /// Whom it was held with.
    pub peer: String,
    /// When it began, by the clock on the wall.
    pub start: SystemTime,
    /// The same by the clock that is never set.
    pub begun: Instant,
    /// How long it took.
    pub wall: Duration,
    /// Bytes that the peer was told.
    pub sent: u64,
    /// Bytes that it told.
    pub received: u64,
    first: Vec<Note>,
    last: VecDeque<Note>,
    count: u64,
}

/// A step that is over.
#[derive(Clone, Debug)]
pub struct Note {
    /// Which one it was, from 1; a loop makes several of one step.
    pub number: u64,
    /// What is known of it.
    pub news: News,
}

impl Minutes {
    /// Of a conversation that begins now.
    pub fn new(script: Rc<Script>, id: Option<u64>, peer: impl Into<String>) -> Minutes {
        Minutes {
            script,
            id,
            peer: peer.into(),
            start: SystemTime::now(),
            begun: Instant::now(),
            wall: Duration::ZERO,
            sent: 0,
            received: 0,
            first: Vec::new(),
            last: VecDeque::new(),
            count: 0,
        }
    }

    /// Takes a step down; one out of the middle goes where there are too many.
    pub fn add(&mut self, news: News) {
        self.count += 1;
        let note = Note { number: self.count, news };
        if self.first.len() < MOST_TOLD {
            return self.first.push(note);
        }
        if self.last.len() == MOST_TOLD {
            self.last.pop_front();
        }
        self.last.push_back(note);
    }

    /// The steps in their order, but for those that were left out.
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.first.iter().chain(&self.last)
    }

    /// How many steps were left out.
    pub fn left_out(&self) -> u64 {
        self.count - (self.first.len() + self.last.len()) as u64
    }

    /// The step that a note is about.
    pub fn step(&self, note: &Note) -> Option<&Step> {
        self.script.steps.get(note.news.step)
    }

    /// When a step was over, counted from the beginning.
    pub fn at(&self, news: &News) -> Duration {
        news.at.saturating_duration_since(self.begun)
    }
}

/// Whether a step waits for something of the peer; others only fail where they cannot be done.
pub fn expects(step: &Step) -> bool {
    matches!(step.op, Op::Expect(_) | Op::Choose(_) | Op::RestEmpty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Secrecy;

    #[test]
    fn a_million_steps_need_no_more_than_a_thousand() {
        let script = Script { name: "x".into(), steps: Vec::new() };
        let mut minutes = Minutes::new(Rc::new(script), None, "peer");
        let at = minutes.begun;
        for step in 0..1_000_000 {
            let (got, set) = (Vec::new(), Vec::new());
            let (took, secrecy) = (Duration::ZERO, Secrecy::Open);
            minutes.add(News { step, at, took, got, set, is_good: true, secrecy });
        }
        let numbers: Vec<u64> = minutes.notes().map(|note| note.number).collect();
        assert_eq!((numbers.len(), minutes.left_out()), (1000, 999_000));
        assert_eq!((numbers[499], numbers[500], numbers[999]), (500, 999_501, 1_000_000));
    }
}
