//! Signals with a value for which a child's queue had no place yet (sigqueue(3): EAGAIN). They wait here, in order.

use std::collections::VecDeque;

use nix::errno::Errno;

use crate::signal::{self, Number};

/// How many wait at most: twice what a user's queue commonly holds.
const MOST: usize = 65_536;

/// Those that wait.
#[derive(Default)]
pub struct Unsent {
    waiting: VecDeque<(i32, Number, i32)>,
    lost: u64,
}

impl Unsent {
    /// Sends a signal, or keeps it: behind those that came before it.
    pub fn send(&mut self, pid: i32, signal: Number, value: i32) {
        let is_full = || signal::queue(pid, signal, value) == Err(Errno::EAGAIN);
        if self.is_empty() && !is_full() {
            return;
        }
        match self.waiting.len() < MOST {
            true => self.waiting.push_back((pid, signal, value)),
            false => self.lost += 1,
        }
    }

    /// True when none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many found no place even here.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Forgets those to a process that has ended.
    pub fn forget(&mut self, pid: i32) {
        self.waiting.retain(|(to, ..)| *to != pid);
    }

    /// Tries again, until one is refused.
    pub fn flush(&mut self) {
        while let Some((pid, signal, value)) = self.waiting.front() {
            if signal::queue(*pid, *signal, *value) == Err(Errno::EAGAIN) {
                return;
            }
            self.waiting.pop_front();
        }
    }
}
