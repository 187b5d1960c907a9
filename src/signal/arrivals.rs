//! Signals sent to spile, read one after the other from a signalfd(2) instead of being delivered.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nix::libc;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, getrlimit};

use super::{Code, Number, Set};

/// As many signals as are taken to be queued at most where that has no limit.
const MOST_QUEUED: usize = 1 << 20;

/// How many signals can wait for us at once: those of which each one is queued (RLIMIT_SIGPENDING, getrlimit(2)), and
/// one of every other.
pub fn queue_limit() -> usize {
    let queued = getrlimit(Resource::Sigpending).current.and_then(|most| usize::try_from(most).ok());
    queued.map_or(MOST_QUEUED, |queued| queued.min(MOST_QUEUED)) + libc::SIGRTMIN() as usize
}

/// Signals that are blocked, and read here.
pub struct Arrivals {
    fd: SignalFd,
    signals: SigSet,
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
    /// In which way.
    pub code: Code,
    /// What came along by sigqueue(3).
    pub value: Option<i32>,
}

impl Arrivals {
    /// Blocks and reads all signals from now on. Call it before any thread is started.
    pub fn take() -> nix::Result<Arrivals> {
        Arrivals::of(SigSet::all())
    }

    /// Blocks and reads these signals from now on; others do what they did.
    pub fn take_only(signals: Set) -> nix::Result<Arrivals> {
        Arrivals::of(signals.to_sigset())
    }

    fn of(signals: SigSet) -> nix::Result<Arrivals> {
        signals.thread_block()?;
        let fd = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Arrivals { fd, signals })
    }

    /// Waits for the next signal, as sigtimedwait(2) does; `None` when the time has come without one.
    pub fn wait(&self, until: Option<Instant>) -> io::Result<Option<Arrival>> {
        loop {
            if let Some(arrival) = self.next()? {
                return Ok(Some(arrival));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            let left = left.map(Timespec::try_from).transpose().unwrap_or_default();
            match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], left.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// The next signal that has arrived, if any.
    pub fn next(&self) -> nix::Result<Option<Arrival>> {
        let Some(info) = self.fd.read_signal()? else { return Ok(None) };
        let Some(signal) = Number::new(info.ssi_signo as i32) else { return Ok(None) };
        let code = Code(info.ssi_code);
        let sender = match code.is_of_a_process() {
            false => Sender::Kernel,
            true => Sender::Process { pid: info.ssi_pid as i32, uid: info.ssi_uid },
        };
        let value = (info.ssi_code == libc::SI_QUEUE).then_some(info.ssi_int);
        Ok(Some(Arrival { signal, sender, code, value }))
    }

    /// The real-time signals that have arrived, up to `most`, past all others, which have lower numbers and so are read
    /// before them.
    pub fn next_real_time(&mut self, most: usize) -> nix::Result<Vec<Arrival>> {
        let real_time: Set = Number::all().filter(|signal| signal.is_real_time()).collect();
        self.fd.set_mask(&real_time.to_sigset())?;
        let arrived = std::iter::from_fn(|| self.next().transpose()).take(most).collect();
        self.fd.set_mask(&self.signals)?;
        arrived
    }
}

impl AsFd for Arrivals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
