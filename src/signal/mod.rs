//! Signals: names and numbers, what we inherited, sending, and reading what arrives. There are no handlers but
//! signalfds, so that children inherit defaults.

mod arrivals;
mod code;
mod inherited;
mod meaning;
mod number;
mod send;
mod state;

pub use arrivals::{Arrival, Arrivals, Sender, queue_limit};
pub use code::Code;
pub use inherited::{blocked_at_start, ignore_broken_pipes, ignored_at_start};
pub use meaning::Effect;
pub use number::{Number, Set};
pub use send::{Stop, die_of, queue, send, send_to, stop_of, undisturbed};
pub use state::State;

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::event_loop::Watched;

/// Some signals, read by the event loop instead of being delivered.
pub struct Signals {
    fd: Watched<SignalFd>,
}

impl Signals {
    /// Blocks `signals` and reads them from now on. Call it before any thread is started.
    pub fn take(signals: &[Signal]) -> io::Result<Signals> {
        let mask: SigSet = signals.iter().copied().collect();
        mask.thread_block()?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Signals { fd: Watched::new(fd).map_err(|(_, why)| why)? })
    }

    /// As `take`, leaving alone what we were started with ignored: nohup(1), or a shell's `&` without job control.
    pub fn take_unless_ignored(signals: &[Signal]) -> io::Result<Signals> {
        let ignored = State::of_ourselves().map(|state| state.ignored).unwrap_or_default();
        let is_wanted = |signal: &Signal| ignored.bits() & (1 << (*signal as u32 - 1)) == 0;
        Signals::take(&signals.iter().copied().filter(is_wanted).collect::<Vec<_>>())
    }

    /// The next signal that arrives.
    pub async fn next(&self) -> io::Result<Signal> {
        loop {
            self.fd.readable().await;
            match self.fd.get_ref().read_signal()? {
                Some(info) => return Ok(Signal::try_from(info.ssi_signo as i32)?),
                None => self.fd.clear_readable(),
            }
        }
    }
}
