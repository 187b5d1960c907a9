//! Moving bytes between our own descriptors, driven by poll(2): for `pipe` and `run`, which have no event loop.
//!
//! A `Flow` takes bytes from one end through its steps to another. It never blocks, holds a bounded amount of
//! memory, and stops reading while somebody after it is slow. The owner of the poll loop asks `waits` what to
//! wait for and calls `advance` afterwards.

mod capture;
mod end;
mod lines;
mod moving;
mod outlet;
mod pipe;
mod rate;
mod splice;
mod step;
mod typing;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

pub use capture::{Capture, Captured, Keep};
pub use end::{End, Way};
pub use lines::{Label, Lines, Unfinished};
pub use outlet::{Existing, Outlet};
pub use pipe::{LARGE, View, grow, has_writers, is_ready, pipe};
pub use rate::Rate;
pub use step::{Extent, Step};
pub use typing::Typing;

use crate::error::Failure;
use splice::Splice;
use step::Findings;

/// Bytes after which a flow lets others have their turn.
const TURN: usize = 4 * 1024 * 1024;

/// How a flow came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All there was has been passed on.
    EndOfData,
    /// A `head` had its share; the writer was told to stop.
    Enough,
    /// Whoever reads what we write has gone; the writer was told so.
    ReaderGone,
    /// Reading or writing failed.
    Failed(Failure),
}

/// How bytes are moved.
#[derive(Debug)]
enum Path {
    /// Within the kernel.
    Splice(Splice),
    /// Through a buffer of ours.
    Copy(Vec<u8>),
}

/// What must happen before a flow can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocked {
    /// More bytes must come.
    Inlet,
    /// There must be room in the sink or in a copy.
    Outlet,
    /// Time must pass.
    Until(Instant),
}

/// What a spliced flow waits for while it is blocked by an outlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    Copy,
    Sink,
}

/// Bytes on their way from one end to another.
#[derive(Debug)]
pub struct Flow {
    /// `None` once nothing more is to be read; dropping it tells the writer.
    inlet: Option<End>,
    /// `None` where bytes end here, and at the end.
    sink: Option<Outlet>,
    steps: Vec<Step>,
    path: Path,
    /// Bytes that may wait for the sink while more are read.
    buffer: usize,
    blocked: Blocked,
    received: u64,
    sent: u64,
    findings: Findings,
    stall: Stall,
    ending: Option<Ending>,
    over: bool,
}

/// How long bytes could not be passed on, though there may have been some.
#[derive(Debug, Default)]
struct Stall {
    before: Duration,
    since: Option<Instant>,
}

impl Flow {
    /// From `inlet` through `steps` to `sink`, or nowhere. `buffer` bytes may wait for a slow reader.
    pub fn new(inlet: End, sink: Option<Outlet>, steps: Vec<Step>, buffer: usize) -> Flow {
        let path = match &sink {
            Some(sink) if buffer == 0 && inlet.is_pipe() && sink.end.takes_splice() && can_splice(&steps) => {
                Path::Splice(Splice::default())
            }
            _ => Path::Copy(Vec::new()),
        };
        Flow {
            inlet: Some(inlet),
            sink,
            steps,
            path,
            buffer,
            blocked: Blocked::Inlet,
            received: 0,
            sent: 0,
            findings: Findings::default(),
            stall: Stall::default(),
            ending: None,
            over: false,
        }
    }

    /// Where it reads, while it does.
    pub fn inlet(&self) -> Option<&End> {
        self.inlet.as_ref()
    }

    /// Bytes that were read.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that were passed on to the sink, though it may still wait for some.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How long whoever writes to it has been held up: by a slow reader or copy, or by a limit.
    pub fn stalled(&self) -> Duration {
        self.stall.before
    }

    /// True once everything that was to be written is written, and all ends are closed.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// How it ended, known as soon as nothing more is read.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// True while it has nothing to do before more bytes come.
    pub fn is_waiting_for_bytes(&self) -> bool {
        self.inlet.is_some() && self.blocked == Blocked::Inlet
    }

    /// What could not be written since the last call, and was given up while the rest went on.
    pub fn failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.findings.failures)
    }

    /// What its `Keep` steps have kept, in their order.
    pub fn captured(self) -> Vec<Captured> {
        let keep = |step| match step {
            Step::Keep(capture) => Some(capture.finish()),
            _ => None,
        };
        self.steps.into_iter().filter_map(keep).collect()
    }

    /// Reads no more, whatever comes; what was read still reaches the sink.
    pub fn stop_reading(&mut self) {
        self.end(Ending::EndOfData);
    }

    /// Adds the descriptors to wait for, and answers when to go on even if none is ready.
    #[must_use]
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        let wait_out = |outlet: &'a Outlet, fds: &mut Vec<_>, wanted: bool| {
            let flags = if wanted { PollFlags::OUT } else { PollFlags::empty() };
            fds.push((outlet.end.as_fd(), flags));
        };
        if let (Some(inlet), true) = (&self.inlet, self.blocked == Blocked::Inlet) {
            fds.push((inlet.as_fd(), PollFlags::IN));
        }
        let full = self.full();
        for outlet in self.copies() {
            if outlet.waiting() > 0 || (full == Some(Full::Copy) && outlet.end.is_pipe()) {
                wait_out(outlet, fds, true);
            }
        }
        if let Some(outlet) = &self.sink {
            // Even with nothing to write we want to know that the reader has gone.
            wait_out(outlet, fds, outlet.waiting() > 0 || full == Some(Full::Sink));
        }
        self.due()
    }

    /// What has no room for bytes that are still in the inlet, where the kernel moves them: a copy has its turn
    /// first. To wait for the other one, which has room, would be to spin.
    fn full(&self) -> Option<Full> {
        let (Path::Splice(splice), Blocked::Outlet) = (&self.path, self.blocked) else { return None };
        let copy_is_next = splice.owed() == 0 && self.copies().any(|copy| copy.end.is_pipe());
        Some(if copy_is_next { Full::Copy } else { Full::Sink })
    }

    fn copies(&self) -> impl Iterator<Item = &Outlet> {
        self.steps.iter().filter_map(|step| match step {
            Step::Tee(copy) => copy.as_ref(),
            _ => None,
        })
    }

    fn due(&self) -> Option<Instant> {
        let due = self.steps.iter().filter_map(|step| match step {
            Step::Label(lines) => lines.due(),
            _ => None,
        });
        let until = match self.blocked {
            Blocked::Until(time) => Some(time),
            _ => None,
        };
        due.chain(until).min()
    }

    /// Moves what can be moved now.
    pub fn advance(&mut self, now: Instant) {
        let mut left = TURN;
        while !self.over && left > 0 {
            match self.go_on(now, left.min(LARGE)) {
                Ok(0) => break,
                Ok(n) => left = left.saturating_sub(n),
                Err(ending) => {
                    self.sink = None;
                    self.end(ending);
                }
            }
        }
        if left == 0 {
            // What it waited for last is past; the owner is to come back at once.
            self.blocked = Blocked::Until(now);
        }
        self.note_stall(now, left);
        let gone = |outlet: &Outlet| outlet.end.has_lost_its_reader();
        if self.inlet.is_some() && left == TURN && self.sink.as_ref().is_some_and(gone) {
            self.sink = None;
            self.end(Ending::ReaderGone);
        }
        if self.inlet.is_none() && !self.over {
            self.finish();
        }
    }

    /// After a turn of which `left` bytes are left: does it go on, or is it held up?
    fn note_stall(&mut self, now: Instant, left: usize) {
        if let Some(since) = self.stall.since.take() {
            self.stall.before += now.saturating_duration_since(since);
        }
        let is_held_up = left > 0 && self.inlet.is_some() && self.blocked != Blocked::Inlet;
        self.stall.since = is_held_up.then_some(now);
    }
}

/// True where the bytes need not be seen, and are copied to one place at most: after what shortens them.
fn can_splice(steps: &[Step]) -> bool {
    let tees = steps.iter().filter(|step| matches!(step, Step::Tee(_))).count();
    let unseen = |step: &Step| matches!(step, Step::Tee(_) | Step::Limit(_) | Step::Head(Extent::Bytes(_)));
    tees <= 1 && steps.iter().all(unseen)
}

#[cfg(test)]
mod tests;
