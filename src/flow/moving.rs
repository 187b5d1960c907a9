//! How a flow goes on: by splice(2) where it can, through a buffer where it must.

use std::io;
use std::time::Instant;

use super::splice::{Copied, Moved};
use super::step::{self, Extent, Kept, Step};
use super::{Blocked, Ending, Flow, Outlet, Path};
use crate::error::Failure;

/// Bytes of one read on the copying path: most of the gain of a large buffer, and still in the cache.
pub const CHUNK: usize = 256 * 1024;
/// Bytes of one read where lines are labelled, which may make many times as much of them.
const LINES_CHUNK: usize = 32 * 1024;

impl Flow {
    /// One step of progress; 0 when nothing can be done now.
    pub(super) fn go_on(&mut self, now: Instant, most: usize) -> Result<usize, Ending> {
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
    pub(super) fn end(&mut self, ending: Ending) {
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
    pub(super) fn finish(&mut self) {
        if let Err(ending) = self.flush_outlets() {
            self.sink = None;
            if self.ending == Some(Ending::EndOfData) {
                self.ending = Some(ending);
            }
        }
        if self.copies().chain(&self.sink).all(|outlet| outlet.waiting() == 0) {
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
