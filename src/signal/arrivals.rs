//! Signals sent to spile, read one after the other from a signalfd(2) instead of being delivered.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::Number;

/// Every signal that can be blocked is blocked and read here.
pub struct Arrivals {
    fd: SignalFd,
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel: a key on the terminal, a hang-up, a timer.
    Kernel,
    /// A process, by kill(2) and its kin.
    Process {
        /// Its process id; 0 when it is outside our namespace.
        pid: i32,
        /// Its user id.
        uid: u32,
    },
}

/// A signal that was sent to spile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub signal: Number,
    /// From whom.
    pub sender: Sender,
    /// What came along by sigqueue(3).
    pub value: Option<i32>,
}

impl Arrivals {
    /// Blocks and reads all signals from now on. Call it before any thread is started.
    pub fn take() -> nix::Result<Arrivals> {
        let all = SigSet::all();
        all.thread_block()?;
        let fd = SignalFd::with_flags(&all, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Arrivals { fd })
    }

    /// The next signal that has arrived, if any.
    pub fn next(&self) -> nix::Result<Option<Arrival>> {
        let Some(info) = self.fd.read_signal()? else { return Ok(None) };
        let Some(signal) = Number::new(info.ssi_signo as i32) else { return Ok(None) };
        // si_code <= 0: sent by a process (sigaction(2)); SI_QUEUE is -1.
        let sender = match info.ssi_code > 0 {
            true => Sender::Kernel,
            false => Sender::Process { pid: info.ssi_pid as i32, uid: info.ssi_uid },
        };
        let value = (info.ssi_code == nix::libc::SI_QUEUE).then_some(info.ssi_int);
        Ok(Some(Arrival { signal, sender, value }))
    }
}

impl AsFd for Arrivals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
