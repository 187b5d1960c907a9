//! Moving bytes between our own descriptors, driven by poll(2): for `pipe` and `run`, which have no event loop.
//!
//! A `Flow` takes bytes from one end through its steps to another. It never blocks, holds a bounded amount of
//! memory, and stops reading while somebody after it is slow. The owner of the poll loop asks `waits` what to
//! wait for and calls `advance` afterwards.

mod capture;
mod end;
mod lines;
mod outlet;
mod pipe;
mod rate;
mod splice;
mod step;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use rustix::event::PollFlags;

pub use capture::{Capture, Captured, Keep};
pub use end::{End, Way};
pub use lines::{Label, Lines, Unfinished};
pub use outlet::{Existing, Outlet};
pub use pipe::{LARGE, View, grow, pipe};
pub use rate::Rate;
pub use step::{Extent, Step};

use crate::error::Failure;
use splice::{Copied, Moved, Splice};
use step::{Findings, Kept};

/// Bytes of one read on the copying path: most of the gain of a large buffer, and still in the cache.
const CHUNK: usize = 256 * 1024;
/// Bytes of one read where lines are labelled, which may make many times as much of them.
const LINES_CHUNK: usize = 32 * 1024;
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
    ending: Option<Ending>,
    over: bool,
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
            ending: None,
            over: false,
        }
    }

    /// Bytes that were read.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that were passed on to the sink, though it may still wait for some.
    pub fn sent(&self) -> u64 {
        self.sent
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

    /// Adds the descriptors to wait for.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        let wait_out = |outlet: &'a Outlet, fds: &mut Vec<_>, wanted: bool| {
            let flags = if wanted { PollFlags::OUT } else { PollFlags::empty() };
            fds.push((outlet.end.as_fd(), flags));
        };
        if let (Some(inlet), true) = (&self.inlet, self.blocked == Blocked::Inlet) {
            fds.push((inlet.as_fd(), PollFlags::IN));
        }
        let spliced = matches!(self.path, Path::Splice(_)) && self.blocked == Blocked::Outlet;
        for step in &self.steps {
            if let Step::Tee(Some(outlet)) = step
                && (outlet.waiting() > 0 || (spliced && outlet.end.is_pipe()))
            {
                wait_out(outlet, fds, true);
            }
        }
        if let Some(outlet) = &self.sink {
            // Even with nothing to write we want to know that the reader has gone.
            wait_out(outlet, fds, outlet.waiting() > 0 || spliced);
        }
    }

    /// When to go on even if no descriptor is ready.
    pub fn due(&self) -> Option<Instant> {
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
        let gone = |outlet: &Outlet| outlet.end.has_lost_its_reader();
        if self.inlet.is_some() && left == TURN && self.sink.as_ref().is_some_and(gone) {
            self.sink = None;
            self.end(Ending::ReaderGone);
        }
        if self.inlet.is_none() && !self.over {
            self.finish();
        }
    }

    /// One step of progress; 0 when nothing can be done now.
    fn go_on(&mut self, now: Instant, most: usize) -> Result<usize, Ending> {
        self.flush_due(now);
        let free = self.flush_outlets()?;
        if self.inlet.is_none() {
            return Ok(0);
        }
        if !free {
            self.blocked = Blocked::Outlet;
            return Ok(0);
        }
        let allowed = self.allowed(now).min(most);
        if allowed == 0 {
            return Ok(0);
        }
        let n = match self.path {
            Path::Splice(_) => self.splice(allowed)?,
            Path::Copy(_) => self.copy(now, allowed)?,
        };
        for step in &mut self.steps {
            if let Step::Limit(rate) = step {
                rate.pays(n);
            }
        }
        Ok(n)
    }

    /// Writes what waits; true when there is room for more.
    fn flush_outlets(&mut self) -> Result<bool, Ending> {
        let mut free = true;
        for step in &mut self.steps {
            let Step::Tee(copy) = step else { continue };
            let Some(outlet) = copy else { continue };
            match outlet.flush() {
                Ok(done) => free &= done,
                Err(why) => {
                    self.findings.failures.push(outlet.failure(&why));
                    *copy = None;
                }
            }
        }
        if let Some(outlet) = &mut self.sink {
            outlet.flush().map_err(|why| ending_of(outlet, &why))?;
            free &= outlet.waiting() == 0 || outlet.waiting() < self.buffer;
        }
        Ok(free)
    }

    /// How many bytes the limits allow now, and for a head that counts bytes how many it still wants.
    fn allowed(&mut self, now: Instant) -> usize {
        let mut allowed = usize::MAX;
        for step in &mut self.steps {
            match step {
                Step::Limit(rate) => {
                    let n = rate.allows(now);
                    if n == 0 {
                        self.blocked = Blocked::Until(rate.next(now));
                    }
                    allowed = allowed.min(n);
                }
                Step::Head(Extent::Bytes(left)) => {
                    allowed = allowed.min(usize::try_from(*left).unwrap_or(usize::MAX));
                }
                _ => {}
            }
        }
        allowed
    }

    fn splice(&mut self, most: usize) -> Result<usize, Ending> {
        let Flow { inlet: Some(inlet), sink: Some(sink), path: Path::Splice(splice), steps, .. } = self
        else {
            return Ok(0);
        };
        let reading = |why: io::Error| Ending::Failed(Failure::other("cannot read", why));
        let copy = steps.iter_mut().find_map(|step| match step {
            Step::Tee(copy) if copy.is_some() => Some(copy),
            _ => None,
        });
        if let (Some(copy), 0) = (copy, splice.owed())
            && let Some(outlet) = copy.as_mut()
        {
            let (moved, copied) = splice.copy(inlet, outlet, most).map_err(reading)?;
            if let Copied::Failed(why) = copied {
                self.findings.failures.push(outlet.failure(&why));
                *copy = None;
            } else if !matches!(moved, Moved::Bytes(_)) {
                return self.moved(moved);
            }
        }
        let moved = splice.step(inlet, &sink.end, most).map_err(|why| ending_of(sink, &why))?;
        self.moved(moved)
    }

    /// Accounts for what the fast path has done.
    fn moved(&mut self, moved: Moved) -> Result<usize, Ending> {
        match moved {
            Moved::Bytes(n) => {
                self.received += n as u64;
                self.sent += n as u64;
                for step in &mut self.steps {
                    if let Step::Head(Extent::Bytes(left)) = step {
                        *left -= n as u64;
                        self.findings.enough |= *left == 0;
                    }
                }
                if self.findings.enough {
                    self.end(Ending::Enough);
                }
                return Ok(n);
            }
            Moved::Empty => self.blocked = Blocked::Inlet,
            Moved::Full => self.blocked = Blocked::Outlet,
            Moved::End => self.end(Ending::EndOfData),
            Moved::Refused => return self.leave_fast_path(),
        }
        Ok(0)
    }

    /// Goes on by copying. What a copy has already must still reach the sink, and the sink alone.
    fn leave_fast_path(&mut self) -> Result<usize, Ending> {
        let Path::Splice(splice) = &self.path else { return Ok(0) };
        let mut owed = splice.owed();
        self.path = Path::Copy(Vec::new());
        let (Some(inlet), Some(sink)) = (&self.inlet, &mut self.sink) else { return Ok(0) };
        let mut moved = 0;
        let mut buffer = vec![0; owed.min(CHUNK)];
        while owed > 0 {
            let most = owed.min(CHUNK);
            let n = match inlet.read(&mut buffer[..most]) {
                Ok(n) => n.unwrap_or(0),
                Err(why) => return Err(Ending::Failed(Failure::other("cannot read", why))),
            };
            sink.put(&buffer[..n]).map_err(|why| ending_of(sink, &why))?;
            moved += n;
            owed = if n == 0 { 0 } else { owed - n };
        }
        self.received += moved as u64;
        self.sent += moved as u64;
        // Not nothing: the copying path is to be tried at once.
        Ok(moved.max(1))
    }

    fn copy(&mut self, now: Instant, most: usize) -> Result<usize, Ending> {
        let chunk = if self.steps.iter().any(is_label) { LINES_CHUNK } else { CHUNK };
        let (Some(inlet), Path::Copy(buffer)) = (&self.inlet, &mut self.path) else { return Ok(0) };
        buffer.resize(chunk, 0);
        let most = most.min(chunk);
        let n = match inlet.read(&mut buffer[..most]) {
            Ok(Some(0)) => {
                self.end(Ending::EndOfData);
                return Ok(0);
            }
            Ok(Some(n)) => n,
            Ok(None) => {
                self.blocked = Blocked::Inlet;
                return Ok(0);
            }
            Err(why) => return Err(Ending::Failed(Failure::other("cannot read", why))),
        };
        self.received += n as u64;
        let mut failed = Ok(());
        let (sink, sent) = (&mut self.sink, &mut self.sent);
        step::take(&mut self.steps, &buffer[..n], now, &mut self.findings, |bytes| {
            failed = put(sink, sent, bytes);
        });
        failed?;
        if self.findings.enough {
            self.end(Ending::Enough);
        }
        Ok(n)
    }

    fn flush_due(&mut self, now: Instant) {
        let (sink, sent) = (&mut self.sink, &mut self.sent);
        // A sink that fails here fails again, and is noticed, at the next write.
        step::flush(&mut self.steps, now, Kept::Due, &mut self.findings, |bytes| {
            let _ = put(sink, sent, bytes);
        });
    }

    /// Nothing more is read. The writer learns it at once, the reader once it has everything.
    fn end(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        self.inlet = None;
        let (sink, sent) = (&mut self.sink, &mut self.sent);
        step::flush(&mut self.steps, Instant::now(), Kept::All, &mut self.findings, |bytes| {
            let _ = put(sink, sent, bytes);
        });
    }

    /// After the end: writes what waits, then closes.
    fn finish(&mut self) {
        if let Err(ending) = self.flush_outlets() {
            self.sink = None;
            if self.ending == Some(Ending::EndOfData) {
                self.ending = Some(ending);
            }
        }
        let copies = self.steps.iter().filter_map(|step| match step {
            Step::Tee(copy) => copy.as_ref(),
            _ => None,
        });
        if copies.chain(&self.sink).all(|outlet| outlet.waiting() == 0) {
            self.sink = None;
            self.steps.retain(|step| !matches!(step, Step::Tee(_)));
            self.over = true;
        }
    }
}

fn put(sink: &mut Option<Outlet>, sent: &mut u64, bytes: &[u8]) -> Result<(), Ending> {
    *sent += bytes.len() as u64;
    match sink {
        Some(outlet) => outlet.put(bytes).map_err(|why| ending_of(outlet, &why)),
        None => Ok(()),
    }
}

fn ending_of(outlet: &Outlet, why: &io::Error) -> Ending {
    match why.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ending::ReaderGone,
        _ => Ending::Failed(outlet.failure(why)),
    }
}

fn is_label(step: &Step) -> bool {
    matches!(step, Step::Label(_))
}

/// True where the bytes need not be seen, and are copied to one place at most: after what shortens them.
fn can_splice(steps: &[Step]) -> bool {
    let tees = steps.iter().filter(|step| matches!(step, Step::Tee(_))).count();
    let unseen = |step: &Step| matches!(step, Step::Tee(_) | Step::Limit(_) | Step::Head(Extent::Bytes(_)));
    tees <= 1 && steps.iter().all(unseen)
}

#[cfg(test)]
mod tests;
