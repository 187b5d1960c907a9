//! Job control: the program has the terminal while it runs, and when it is stopped, so are we.

use std::time::{Duration, Instant};

use rustix::termios::Termios;

use super::forward::Togetherness;
use crate::process::terminal::{self, Terminal};
use crate::process::{Group, Program};
use crate::signal::{self, Arrival, Number, Sender, Stop};

/// A program that is to stop has done so after this long, or has thought better of it.
const HEEDED: Duration = Duration::from_secs(2);

/// Whose the keys of the terminal are while the program runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keys {
    /// The program's, or of both where it is in our group.
    #[default]
    Programs,
    /// Ours alone, and what is made of them is up to us, until the program reads the terminal.
    Ours,
}

/// Who has the terminal, between us and one program.
///
/// In the foreground a program stays in our process group unless it is told otherwise: then the terminal's keys
/// reach both of us once, and whoever else the shell has put into our group, such as a pager after us, keeps the
/// terminal, too. A program with a group of its own gets the terminal for as long as it runs.
pub struct Foreground {
    terminal: Option<Terminal>,
    together: Togetherness,
    keys: Keys,
    /// The program's modes while it is stopped.
    modes: Option<Termios>,
    /// A stop that was sent to us, and that we have passed on, and until when it counts.
    asked: Option<(Arrival, Instant)>,
}

impl Foreground {
    /// Decides in which group `program` runs, if it does not say so itself, and whether it gets the terminal.
    pub fn arrange(program: &mut Program, wanted: Option<Group>, keys: Keys) -> Foreground {
        let terminal = Terminal::controlling();
        let has_terminal = terminal.as_ref().is_some_and(Terminal::was_ours);
        let shares = has_terminal && keys == Keys::Programs;
        program.group = wanted.unwrap_or(if shares { Group::Same } else { Group::New });
        program.foreground = match (&terminal, program.group) {
            (Some(terminal), Group::New) if shares => Some(terminal.raw_fd()),
            _ => None,
        };
        let together = match program.group {
            Group::Same if terminal::leads_session() => Togetherness::LedGroup,
            Group::Same => Togetherness::SameGroup,
            Group::Session => Togetherness::OwnSession,
            _ => Togetherness::OwnGroup,
        };
        Foreground { terminal, together, keys, modes: None, asked: None }
    }

    /// The program runs, with this id, and has the terminal if it was to have it.
    pub fn started(&self, program: &Program, pid: i32) {
        if let (Some(terminal), Some(_)) = (&self.terminal, program.foreground) {
            terminal.is_held_by(pid);
        }
    }

    /// Whether the program is in our group.
    pub fn together(&self) -> Togetherness {
        self.together
    }

    /// Whose the keys are now.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// A signal to stop was sent to us and passed on: once the program is stopped by it, so are we. It may ignore it, or
    /// see to its affairs first: a stop much later has nothing to do with it any more.
    pub fn asked_to_stop(&mut self, arrival: Arrival) {
        self.asked = Some((arrival, Instant::now() + HEEDED));
    }

    /// The program, leader of its group if it has one of its own, was stopped by `by`.
    pub fn stopped(&mut self, pid: i32, by: Number) {
        let asked =
            self.asked.take().filter(|(_, until)| Instant::now() < *until).map(|(arrival, _)| arrival);
        let wants_terminal = matches!(by, Number::TTIN | Number::TTOU);
        let own_group = self.together == Togetherness::OwnGroup;
        if let Some(terminal) = &self.terminal {
            if wants_terminal && own_group && asked.is_none() && terminal.is_ours() {
                self.keys = Keys::Programs;
                terminal.give_to(pid);
                let _ = signal::send(-pid, Number::CONT);
                return;
            }
            if wants_terminal || by == Number::TSTP || asked.is_some() {
                self.modes = terminal.modes();
                terminal.take_back();
                terminal.reset();
            }
        }
        let (signal, sender) = match asked {
            Some(arrival) => (arrival.signal, arrival.sender),
            None if self.terminal.is_some() && (wants_terminal || by == Number::TSTP) => (by, Sender::Kernel),
            None => return,
        };
        match (signal::stop_of(signal), sender) {
            (Stop::Over, _) => {}
            // Somebody means us, not the keys of a terminal.
            (Stop::Ignored, Sender::Process { .. }) => _ = signal::stop_of(Number::STOP),
            // Nobody could continue us, so the program goes on; but one that wants the terminal would stop again.
            (Stop::Ignored, Sender::Kernel) if !wants_terminal => self.continued(pid),
            (Stop::Ignored, Sender::Kernel) => {}
        }
    }

    /// We were continued: so is the program, with the terminal if it is ours to give.
    pub fn continued(&mut self, pid: i32) {
        self.asked = None;
        if let Some(terminal) = self.terminal.as_ref().filter(|terminal| terminal.is_ours()) {
            if let Some(modes) = self.modes.take() {
                terminal.set(&modes);
            }
            if self.together == Togetherness::OwnGroup && self.keys == Keys::Programs {
                terminal.give_to(pid);
            }
        }
        let to = if self.together.is_one_group() { pid } else { -pid };
        let _ = signal::send(to, Number::CONT);
    }

    /// The program has ended. After a death by signal the modes are as before it, too: it had no chance to see
    /// to that.
    pub fn over(self, died: bool) {
        let Some(terminal) = self.terminal else { return };
        terminal.take_back();
        if died {
            terminal.reset();
        }
    }
}
