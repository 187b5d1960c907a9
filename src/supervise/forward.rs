//! What a signal sent to spile does to the program: which are passed on, as what, and what insisting means.

use std::time::{Duration, Instant};

use super::Keys;
use crate::process::Group;
use crate::signal::{Arrival, Number, Sender, Set};

/// A second interrupt within this time insists.
const INSISTS: Duration = Duration::from_secs(2);

/// Which signals are passed on to the program.
#[derive(Clone, Debug, Default)]
pub struct Forwarding {
    rewrites: Vec<(Number, Option<Number>)>,
    kept: Set,
    insistence: Insistence,
    addressee: Addressee,
    interrupts: u8,
    last: Option<Instant>,
}

/// What the second INT in a row means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Insistence {
    /// An end to everything; the third kills.
    #[default]
    Ends,
    /// What the first means: the program may want many, as an interactive shell does.
    Nothing,
}

/// Whom signals are passed on to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressee {
    /// The program; but its whole group where a terminal would send them there, too.
    #[default]
    Program,
    /// The whole group of the program.
    Group,
}

/// What to do about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Pass it on as this one.
    Forward(Number),
    /// Nothing: it has reached the program already.
    Shared,
    /// Nothing: it is none of the program's business.
    Ignore,
    /// Somebody else sees to it: an action was asked for.
    Taken,
    /// Somebody insists: end everything.
    End,
    /// Somebody insists again: kill everything.
    Kill,
}

/// A signal and what was done about it, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handled {
    /// When.
    pub at: Instant,
    /// What came.
    pub arrival: Arrival,
    /// What was done.
    pub act: Act,
}

/// Whether the program is in our process group, and so gets what the terminal sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Togetherness {
    /// In ours.
    SameGroup,
    /// In ours, and we lead the session: when the terminal hangs up, the kernel tells its leader alone.
    LedGroup,
    /// In one of its own.
    OwnGroup,
    /// In a session of its own: its group is an orphaned one, to which the kernel delivers no stop but STOP.
    OwnSession,
}

impl Togetherness {
    /// True for a group of the program that is ours.
    pub fn is_one_group(self) -> bool {
        matches!(self, Togetherness::SameGroup | Togetherness::LedGroup)
    }

    /// True where the terminal's signal has reached the program, too: keys and the size go to the group in the
    /// foreground, a hang-up (HUP, then CONT) only to the leader of the session, and to the group once that has ended.
    fn shares(self, signal: Number) -> bool {
        match self {
            Togetherness::SameGroup => true,
            Togetherness::LedGroup => !matches!(signal, Number::HUP | Number::CONT),
            Togetherness::OwnGroup | Togetherness::OwnSession => false,
        }
    }
}

impl Forwarding {
    /// Passes everything on but what is in `kept`; `rewrites` go as another signal, or not at all.
    pub fn new(rewrites: Vec<(Number, Option<Number>)>, kept: Set) -> Forwarding {
        Forwarding { rewrites, kept, ..Forwarding::default() }
    }

    /// The same with another meaning of the second INT.
    pub fn insistence(self, insistence: Insistence) -> Forwarding {
        Forwarding { insistence, ..self }
    }

    /// The same to somebody else.
    pub fn addressee(self, addressee: Addressee) -> Forwarding {
        Forwarding { addressee, ..self }
    }

    /// Whom they are passed on to.
    pub fn to(&self) -> Addressee {
        self.addressee
    }

    /// The process group that is needed for it, if one is: signals to our own would come back to us.
    pub fn group(&self) -> Option<Group> {
        (self.addressee == Addressee::Group).then_some(Group::New)
    }

    /// Whose the terminal's keys must be: ours, if one of them is not to reach the program as it is.
    pub fn keys(&self) -> Keys {
        let changes = |signal: Number| {
            self.kept.contains(signal) || self.rewrites.iter().any(|(from, _)| *from == signal)
        };
        if Number::all().any(|signal| signal.is_key() && changes(signal)) {
            Keys::Ours
        } else {
            Keys::Programs
        }
    }

    /// Decides about one signal.
    pub fn decide(&mut self, arrival: &Arrival, together: Togetherness, now: Instant) -> Act {
        let signal = arrival.signal;
        if signal == Number::INT
            && self.insistence == Insistence::Ends
            && let Some(act) = self.insisting(now)
        {
            return act;
        }
        let is_kernels = arrival.sender == Sender::Kernel;
        // The kernel's own ones to us are about us, but for the keys and the hang-up of a terminal.
        if is_kernels && !signal.is_from_terminals() {
            return Act::Ignore;
        }
        if is_kernels && together.shares(signal) {
            return Act::Shared;
        }
        if self.kept.contains(signal) {
            return Act::Ignore;
        }
        match self.rewrites.iter().find(|(from, _)| *from == signal).map_or(Some(signal), |(_, to)| *to) {
            Some(to) if to.asks_to_stop() && together == Togetherness::OwnSession => {
                Act::Forward(Number::STOP)
            }
            Some(to) => Act::Forward(to),
            None => Act::Ignore,
        }
    }

    /// The second INT in a row ends, the third kills.
    fn insisting(&mut self, now: Instant) -> Option<Act> {
        let in_a_row = self.last.is_some_and(|last| now.saturating_duration_since(last) < INSISTS);
        self.interrupts = if in_a_row { self.interrupts.saturating_add(1) } else { 1 };
        self.last = Some(now);
        match self.interrupts {
            1 => None,
            2 => Some(Act::End),
            _ => Some(Act::Kill),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Code;

    fn sent(signal: Number, sender: Sender) -> Arrival {
        Arrival { signal, sender, code: Code::USER, value: None }
    }

    const SOMEBODY: Sender = Sender::Process { pid: 7, uid: 0 };

    #[test]
    fn what_the_terminal_sends_to_both_is_not_sent_twice() {
        let now = Instant::now();
        let cases = [
            (Number::INT, Sender::Kernel, Togetherness::SameGroup, Act::Shared),
            (Number::HUP, Sender::Kernel, Togetherness::SameGroup, Act::Shared),
            (Number::INT, Sender::Kernel, Togetherness::LedGroup, Act::Shared),
            (Number::WINCH, Sender::Kernel, Togetherness::LedGroup, Act::Shared),
            (Number::HUP, Sender::Kernel, Togetherness::LedGroup, Act::Forward(Number::HUP)),
            (Number::CONT, Sender::Kernel, Togetherness::LedGroup, Act::Forward(Number::CONT)),
            (Number::INT, Sender::Kernel, Togetherness::OwnGroup, Act::Forward(Number::INT)),
            (Number::INT, SOMEBODY, Togetherness::SameGroup, Act::Forward(Number::INT)),
            (Number::TSTP, SOMEBODY, Togetherness::OwnGroup, Act::Forward(Number::TSTP)),
            (Number::TSTP, SOMEBODY, Togetherness::OwnSession, Act::Forward(Number::STOP)),
            (Number::TTIN, SOMEBODY, Togetherness::OwnSession, Act::Forward(Number::STOP)),
            (Number::CHLD, Sender::Kernel, Togetherness::OwnGroup, Act::Ignore),
            (Number::PIPE, Sender::Kernel, Togetherness::OwnGroup, Act::Ignore),
            (Number::PIPE, SOMEBODY, Togetherness::OwnGroup, Act::Forward(Number::PIPE)),
        ];
        for (signal, sender, together, act) in cases {
            assert_eq!(Forwarding::default().decide(&sent(signal, sender), together, now), act);
        }
    }

    #[test]
    fn a_key_that_is_not_passed_on_as_it_is_must_come_to_us_alone() {
        let keys = |from, kept: &[Number]| {
            Forwarding::new(vec![(from, Some(Number::TERM))], kept.iter().copied().collect()).keys()
        };
        assert_eq!(keys(Number::INT, &[]), Keys::Ours);
        assert_eq!(keys(Number::HUP, &[Number::TSTP]), Keys::Ours);
        assert_eq!(keys(Number::HUP, &[Number::TERM]), Keys::Programs);
    }

    #[test]
    fn the_second_interrupt_in_a_row_ends_and_the_third_kills() {
        let (mut forwarding, start) = (Forwarding::default(), Instant::now());
        let mut at = |seconds| {
            let now = start + Duration::from_secs(seconds);
            forwarding.decide(&sent(Number::INT, SOMEBODY), Togetherness::OwnGroup, now)
        };
        let acts = [0, 5, 6, 7].map(&mut at);
        assert_eq!(acts, [Act::Forward(Number::INT), Act::Forward(Number::INT), Act::End, Act::Kill]);
    }
}
