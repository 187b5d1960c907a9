//! The event loop of the networking subcommands, and the signals that end them.

use std::io;
use std::pin::Pin;

use nix::sys::signal::Signal;

use crate::error::{Exit, Failure};
use crate::event_loop::{self, Stop};
use crate::signal::Signals;

/// Runs `work` on one thread. Threads that wait in the resolver or in open(2) are left behind.
pub fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    event_loop::run(work).map_err(|why| Failure::other("cannot run the event loop", why))?
}

/// What ends the program, and what tells that the size of our terminal has changed.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGWINCH];

/// INT and TERM, and HUP where it means "read your files again".
pub struct Interrupts {
    signals: Signals,
    on_hangup: Option<Box<dyn Fn()>>,
    on_user_signal: Option<Box<dyn Fn()>>,
    on_drain: Option<Box<dyn Fn(Option<Signal>)>>,
    /// The signal that came last.
    pub last: Option<Signal>,
}

impl Interrupts {
    /// Signals end the program; those that it was started with ignored stay so.
    pub fn new() -> Result<Interrupts, Failure> {
        Interrupts::of(Signals::take_unless_ignored(&ENDING), None)
    }

    /// Signals end the program, and those of job control leave the terminal as it was found.
    pub fn with_raw_terminal() -> Result<Interrupts, Failure> {
        let all = [&ENDING[..], &[Signal::SIGQUIT, Signal::SIGTSTP]].concat();
        Interrupts::of(Signals::take_unless_ignored(&all), None)
    }

    /// HUP calls `reload`, the others end the program.
    pub fn with_reload(reload: impl Fn() + 'static) -> Result<Interrupts, Failure> {
        Interrupts::of(Signals::take_unless_ignored(&ENDING), Some(Box::new(reload)))
    }

    /// The same, and USR1 calls `report`.
    pub fn on_user_signal(self, report: impl Fn() + 'static) -> Result<Interrupts, Failure> {
        let all = [&ENDING[..], &[Signal::SIGUSR1]].concat();
        let interrupts = Interrupts::of(Signals::take_unless_ignored(&all), self.on_hangup)?;
        Ok(Interrupts { on_user_signal: Some(Box::new(report)), on_drain: self.on_drain, ..interrupts })
    }

    /// The same, and `tell` is called once nobody new is served: with the signal that ended it, if one did.
    pub fn on_drain(self, tell: impl Fn(Option<Signal>) + 'static) -> Interrupts {
        Interrupts { on_drain: Some(Box::new(tell)), ..self }
    }

    fn of(signals: io::Result<Signals>, on_hangup: Option<Box<dyn Fn()>>) -> Result<Interrupts, Failure> {
        let signals = signals.map_err(|why| Failure::other("cannot read signals", why))?;
        Ok(Interrupts { signals, on_hangup, on_user_signal: None, on_drain: None, last: None })
    }

    /// Waits for a signal that ends the program.
    pub async fn ended(&mut self) {
        loop {
            match (self.signals.next().await, &self.on_hangup) {
                (Ok(Signal::SIGHUP), Some(reload)) => reload(),
                (Ok(Signal::SIGUSR1), _) => self.on_user_signal.iter().for_each(|report| report()),
                (Ok(Signal::SIGTSTP), _) => stop_until_continued(),
                (Ok(Signal::SIGWINCH), _) => crate::endpoint::follow_our_terminal(),
                (Ok(signal), _) => {
                    self.last = Some(signal);
                    return;
                }
                (Err(_), _) => std::future::pending().await,
            }
        }
    }

    /// The exit status of a program that the last signal ended.
    pub fn exit(&self) -> Option<Exit> {
        self.last.map(|signal| Exit::from_signal(signal as i32))
    }
}

/// Stops as TSTP asks, with the terminal as the shell expects it; raw again once continued.
fn stop_until_continued() {
    use crossterm::terminal::{disable_raw_mode, enable_raw_mode, is_raw_mode_enabled};
    let raw = is_raw_mode_enabled().unwrap_or(false);
    if raw {
        let _ = disable_raw_mode();
    }
    let _ = nix::sys::signal::raise(Signal::SIGSTOP);
    if raw {
        let _ = enable_raw_mode();
    }
}

impl Stop for Interrupts {
    fn requested(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(self.ended())
    }

    fn draining(&mut self) {
        self.on_drain.iter().for_each(|tell| tell(self.last));
    }

    /// Whoever presses ^C does not want to wait.
    fn is_urgent(&self) -> bool {
        self.last == Some(Signal::SIGINT)
    }
}
