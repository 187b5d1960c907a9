//! What a process does about signals, as /proc/PID/status tells it (proc_pid_status(5)).

use std::io;

use super::{Set, ignored_at_start};

/// The masks of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Its short name.
    pub name: String,
    /// Signals that are queued for its user, and how many may be.
    pub queued: (u64, u64),
    /// Sent to its main thread or to the whole of it, and blocked.
    pub pending: Set,
    /// Blocked in its main thread.
    pub blocked: Set,
    /// Ignored.
    pub ignored: Set,
    /// With a handler.
    pub caught: Set,
}

impl State {
    /// Asks about ourselves, whatever our number in the namespace that /proc shows.
    pub fn of_ourselves() -> io::Result<State> {
        std::fs::read("/proc/self/status").map(|text| State::read(&String::from_utf8_lossy(&text)))
    }

    /// What we were started with, as a program would find it that was started in our place.
    pub fn at_start() -> io::Result<State> {
        State::of_ourselves().map(State::before_us)
    }

    /// The same of what we are now.
    pub fn before_us(self) -> State {
        let now = self;
        let ours = [super::Number::PIPE, super::Number::CHLD];
        let kept = now.ignored.iter().filter(|signal| !ours.contains(signal));
        let ignored = kept.chain(ignored_at_start().iter()).collect();
        State { ignored, ..now }
    }

    /// Reads a file `status`. The C library ignores 32 and 33 in what posix_spawn(3) starts, of which nobody can make
    /// any use: they are left out.
    pub fn read(text: &str) -> State {
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.unwrap_or_default().trim()
        };
        let bits = |name: &str| u64::from_str_radix(field(name), 16).unwrap_or(0);
        let (queued, most) = field("SigQ").split_once('/').unwrap_or_default();
        let settable = |bits| Set::from_bits(bits).iter().filter(|signal| !signal.is_reserved()).collect();
        State {
            name: field("Name").to_owned(),
            queued: (queued.parse().unwrap_or(0), most.parse().unwrap_or(0)),
            pending: Set::from_bits(bits("SigPnd") | bits("ShdPnd")),
            blocked: Set::from_bits(bits("SigBlk")),
            ignored: settable(bits("SigIgn")),
            caught: Set::from_bits(bits("SigCgt")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Number;

    #[test]
    fn masks_are_read_and_those_of_the_c_library_left_out() {
        let text = "Name:\tsh\nSigQ:\t3/100\nSigPnd:\t0000000000000001\nShdPnd:\t0000000000000200\n\
                    SigBlk:\t8000000000000000\nSigIgn:\t0000000180001000\nSigCgt:\t0000000000004000\n";
        let state = State::read(text);
        assert_eq!((state.name.as_str(), state.queued), ("sh", (3, 100)));
        assert_eq!(state.pending.iter().map(Number::raw).collect::<Vec<_>>(), [1, 10]);
        assert_eq!(state.blocked.iter().map(Number::raw).collect::<Vec<_>>(), [64]);
        assert_eq!(state.ignored.iter().collect::<Vec<_>>(), [Number::PIPE]);
        assert_eq!(state.caught.iter().collect::<Vec<_>>(), [Number::TERM]);
    }
}
