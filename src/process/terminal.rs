//! The controlling terminal: handing it to a process group and taking it back (tcsetpgrp(3), termios(3)).

use std::cell::Cell;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg, pthread_sigmask};
use nix::unistd::{Pid, getpgrp, getpid, getsid, tcgetpgrp, tcsetpgrp};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// True where our process group is in the foreground of this terminal. A group outside of our pid namespace reads
/// as 0 (pid_namespaces(7)): that is nobody's.
pub fn is_foreground(terminal: impl AsFd) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group.as_raw() > 0 && group == getpgrp())
}

/// True where we lead our session, as the first process on a terminal does: that of a container, or of `ssh -t`.
pub fn leads_session() -> bool {
    getsid(None) == Ok(getpid())
}

/// Our controlling terminal with its modes as they were; dropped, it is ours again if we had given it away.
pub struct Terminal {
    fd: OwnedFd,
    before: Option<Termios>,
    was_ours: bool,
    /// The group that has it from us.
    holder: Cell<Option<Pid>>,
}

impl Terminal {
    /// The terminal that we belong to; none for a daemon.
    pub fn controlling() -> Option<Terminal> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
        let mut terminal = Terminal { fd, before: None, was_ours: false, holder: Cell::new(None) };
        terminal.was_ours = terminal.is_ours();
        terminal.before = tcgetattr(&terminal.fd).ok();
        Some(terminal)
    }

    /// True while our process group is in the foreground.
    pub fn is_ours(&self) -> bool {
        is_foreground(&self.fd)
    }

    /// True when we were in the foreground at the start.
    pub fn was_ours(&self) -> bool {
        self.was_ours
    }

    /// Its descriptor, for `Program::foreground`.
    pub fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Puts a process group in the foreground. Never called while another job has the terminal.
    pub fn give_to(&self, group: i32) {
        self.is_held_by(group);
        without_ttou(|| _ = tcsetpgrp(&self.fd, Pid::from_raw(group)));
    }

    /// Takes note of a group that has put itself in the foreground on our behalf.
    pub fn is_held_by(&self, group: i32) {
        self.holder.set(Some(Pid::from_raw(group)));
    }

    /// Puts us in the foreground again, if it is held by whom we gave it to, or by a group that is no more: never
    /// while another job of the shell has it.
    pub fn take_back(&self) {
        let Ok(holder) = tcgetpgrp(&self.fd) else { return };
        let is_deserted = || self.was_ours && killpg(holder, None) == Err(Errno::ESRCH);
        if self.holder.get() == Some(holder) || (holder != getpgrp() && is_deserted()) {
            without_ttou(|| _ = tcsetpgrp(&self.fd, getpgrp()));
        }
    }

    /// Its modes now.
    pub fn modes(&self) -> Option<Termios> {
        tcgetattr(&self.fd).ok()
    }

    /// Sets modes that `modes` has answered.
    pub fn set(&self, modes: &Termios) {
        without_ttou(|| _ = tcsetattr(&self.fd, OptionalActions::Drain, modes));
    }

    /// Sets the modes of the start again, for a program that could not do so itself.
    pub fn reset(&self) {
        if let (true, Some(before)) = (self.is_ours(), &self.before) {
            self.set(before);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.take_back();
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// In the background, both calls would stop us with TTOU unless it is blocked.
fn without_ttou(act: impl FnOnce()) {
    let mask = SigSet::from(Signal::SIGTTOU);
    let mut before = SigSet::empty();
    let blocked = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut before));
    act();
    if blocked.is_ok() {
        let _ = before.thread_set_mask();
    }
}
