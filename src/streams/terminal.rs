//! A terminal for the program, and ours in raw mode meanwhile: its keys belong to the program.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcsetattr};

use crate::flow::{End, Flow, Outlet, Step, Typing, Way};
use crate::process::EndOfInput;
use crate::process::pty::{self, Typist};
use crate::process::terminal::is_foreground;
use crate::signal::Number;
use crate::supervise::Event;

/// What is typed into the program's terminal.
#[derive(Debug)]
pub struct Keyboard {
    master: OwnedFd,
    /// `None` where nothing is to be typed, or once all is.
    flow: Option<Flow>,
    /// What is typed is data, whose end must be told.
    end: Option<EndOfInput>,
    /// When that is to be said next.
    due: Option<Instant>,
    /// Our terminal's modes, where its keys go to the program.
    raw: Option<Raw>,
    /// It follows ours in size.
    follows: bool,
}

/// Our own terminal as the source of keys.
pub fn has_our_keys() -> bool {
    let stdin = rustix::stdio::stdin();
    rustix::termios::isatty(stdin) && is_foreground(stdin)
}

/// A terminal: the keyboard, the end that output comes from, and the program's side.
/// `typed` is what goes in; `None` is our own stdin.
pub fn open(size: Option<Winsize>, typed: Option<End>) -> io::Result<(Keyboard, End, OwnedFd)> {
    let person = typed.is_none() && has_our_keys();
    let typist = if person { Typist::Person } else { Typist::Program };
    let (master, slave) = pty::open(size, typist)?;
    let typed = match typed {
        Some(end) => Some(end),
        // In the background, reading the terminal would stop us.
        None if rustix::termios::isatty(rustix::stdio::stdin()) && !person => None,
        None => Some(End::inherited(rustix::stdio::stdin(), Way::In)?),
    };
    let copy = || rustix::io::fcntl_dupfd_cloexec(&master, 3).map_err(io::Error::from);
    let into = Outlet::new(End::own(copy()?)?, "the program's terminal");
    // A person's keys go as they are: their terminal has made lines of them, or the program wants none.
    let steps = if person { vec![] } else { vec![Step::Type(Typing::new(copy()?))] };
    let flow = typed.map(|end| Flow::new(end, Some(into), steps, 0));
    let out = End::own(copy()?)?;
    let raw = if person { Some(Raw::enter()?) } else { None };
    let end = if person { None } else { flow.as_ref().map(|_| EndOfInput::new()) };
    Ok((Keyboard { master, flow, end, due: None, raw, follows: size.is_none() }, out, slave))
}

impl Keyboard {
    /// What to wait for, and until when at most.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        self.flow.as_ref().map_or(self.due, |flow| flow.waits(fds))
    }

    /// Types what there is.
    pub fn advance(&mut self, now: Instant) {
        if let Some(flow) = &mut self.flow {
            flow.advance(now);
            if flow.is_over() {
                self.flow = None;
                self.due = Some(now);
            }
        }
        if self.due.is_some_and(|due| due <= now) {
            let pause = self.end.as_mut().and_then(|end| end.say(&self.master));
            self.due = pause.map(|pause| now + pause);
        }
    }

    /// Follows our terminal: its size, and its modes after a stop.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Signal(arrival) if arrival.signal == Number::WINCH && self.follows => {
                pty::follow_ours(&self.master);
            }
            Event::Signal(arrival) if arrival.signal == Number::CONT => {
                if let Some(raw) = &self.raw {
                    raw.set();
                }
            }
            _ => {}
        }
    }
}

/// Our terminal in raw mode, until dropped.
#[derive(Debug)]
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> io::Result<Raw> {
        let raw = Raw { before: tcgetattr(rustix::stdio::stdin())? };
        raw.set();
        Ok(raw)
    }

    fn set(&self) {
        let mut modes = self.before.clone();
        modes.make_raw();
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &modes);
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(rustix::stdio::stdin().as_fd(), OptionalActions::Now, &self.before);
    }
}
