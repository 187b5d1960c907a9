//! How a process ended and what it used.

use std::time::Duration;

use nix::libc;

use super::tree::CpuClock;
use crate::error::Exit;
use crate::signal::Number;

/// The status word of wait(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(i32);

/// What a status word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It called exit(3) with this.
    Exited(u8),
    /// It died of this signal.
    Killed(Number),
    /// Job control stopped it.
    Stopped(Number),
    /// It goes on.
    Continued,
}

impl Status {
    /// From the raw word.
    pub fn from_raw(word: i32) -> Status {
        Status(word)
    }

    /// The raw word, as popen2's poll() told it.
    pub fn raw(self) -> i32 {
        self.0
    }

    /// What has happened.
    pub fn change(self) -> Change {
        let signal = |number| Number::new(number).unwrap_or(Number::KILL);
        if libc::WIFSIGNALED(self.0) {
            Change::Killed(signal(libc::WTERMSIG(self.0)))
        } else if libc::WIFSTOPPED(self.0) {
            Change::Stopped(signal(libc::WSTOPSIG(self.0)))
        } else if libc::WIFCONTINUED(self.0) {
            Change::Continued
        } else {
            Change::Exited(libc::WEXITSTATUS(self.0) as u8)
        }
    }

    /// The exit status; none for a death by signal.
    pub fn code(self) -> Option<u8> {
        match self.change() {
            Change::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal that killed it.
    pub fn signal(self) -> Option<Number> {
        match self.change() {
            Change::Killed(signal) => Some(signal),
            _ => None,
        }
    }

    /// True when it left a core file.
    pub fn dumped_core(self) -> bool {
        libc::WIFSIGNALED(self.0) && libc::WCOREDUMP(self.0)
    }

    /// As a shell sees it: the exit status, or 128 + the signal.
    pub fn exit(self) -> Exit {
        match self.change() {
            Change::Exited(code) => Exit(code),
            Change::Killed(signal) | Change::Stopped(signal) => Exit::from_signal(signal.raw()),
            Change::Continued => Exit::FAILURE,
        }
    }
}

/// What a process and its reaped descendants used, getrusage(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in the program.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// Largest resident set, in bytes.
    pub max_resident: u64,
    /// Page faults without input.
    pub minor_faults: u64,
    /// Page faults with input.
    pub major_faults: u64,
    /// It gave the CPU up by itself.
    pub voluntary_switches: u64,
    /// The CPU was taken from it.
    pub involuntary_switches: u64,
}

impl Usage {
    /// CPU time.
    pub fn cpu(&self, clock: CpuClock) -> Duration {
        match clock {
            CpuClock::All => self.user + self.system,
            CpuClock::User => self.user,
        }
    }

    /// Adds the CPU time of another process.
    pub fn add_cpu(&mut self, other: &Usage) {
        self.user += other.user;
        self.system += other.system;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_word_is_read_as_wait_2_says() {
        assert_eq!(Status::from_raw(7 << 8).change(), Change::Exited(7));
        assert_eq!(Status::from_raw(15).signal(), Some(Number::TERM));
        assert!(Status::from_raw(11 | 0x80).dumped_core());
        assert_eq!(Status::from_raw(0x137f).change(), Change::Stopped(Number::STOP));
        assert_eq!(Status::from_raw(15).exit(), Exit(143));
    }
}
