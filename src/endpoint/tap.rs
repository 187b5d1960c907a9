//! Taps: what a sink has taken is counted, digested and kept, and goes on unchanged.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use sha2::{Digest, Sha256};

use super::answer::Gate;
use super::sink::Sink;
use crate::error::{Failure, plain};

/// What is done with the bytes that go into a sink. By default nothing.
#[derive(Default)]
pub struct Tap {
    /// Grows by every byte; shared with whoever shows it.
    pub counter: Option<Arc<AtomicU64>>,
    /// SHA-256 (FIPS 180-4) of all of them.
    pub sha256: Option<Sha256>,
    /// A file that gets them.
    pub capture: Option<Capture>,
    /// Opened by the first byte, or by the end.
    pub gate: Option<Gate>,
}

/// What a tap found, once the session is over.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The digest in hexadecimal, where one was asked for.
    pub sha256: Option<String>,
    /// Why the file does not hold everything.
    pub capture_failed: Option<String>,
}

/// A file that gets what passes, each piece at once, so that others can follow it.
pub struct Capture {
    file: File,
    path: PathBuf,
    failed: Option<io::Error>,
}

impl Capture {
    /// Makes the file, or empties it.
    pub fn create(path: &Path) -> Result<Capture, Failure> {
        let file = File::create(path)
            .map_err(|why| Failure::other(format!("cannot capture to {}", path.display()), why))?;
        Ok(Capture { file, path: path.to_owned(), failed: None })
    }

    /// A full disk ends the capture and not the session; it is told at the end.
    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(bytes).err();
        }
    }
}

impl Tap {
    fn saw(&mut self, bytes: &[u8]) {
        if let Some(counter) = &self.counter {
            counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        if let Some(capture) = &mut self.capture {
            capture.write(bytes);
        }
        if let Some(gate) = self.gate.take() {
            gate.open();
        }
    }

    /// What was found so far.
    pub fn finding(&self) -> Finding {
        let failure = |capture: &Capture| {
            let why = plain(&capture.failed.as_ref()?.to_string());
            Some(format!("{}: {why}", capture.path.display()))
        };
        Finding {
            sha256: self.sha256.as_ref().map(|digest| hexadecimal(&digest.clone().finalize())),
            capture_failed: self.capture.as_ref().and_then(failure),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A sink with a tap: it sees what the sink has taken, not what was only offered.
pub struct Tapped {
    /// Where the bytes go.
    pub sink: Sink,
    /// What else is done with them.
    pub tap: Tap,
}

impl Tapped {
    /// As `Sink::poll_write`.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let n = ready!(self.sink.poll_write(cx, bytes))?;
        self.tap.saw(&bytes[..n]);
        Poll::Ready(Ok(n))
    }

    /// As `Sink::half_close`.
    pub fn half_close(&mut self) {
        self.sink.half_close();
        if let Some(gate) = self.tap.gate.take() {
            gate.open();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(sink: &mut Sink, bytes: &[u8]) -> Poll<io::Result<usize>> {
        sink.poll_write(&mut Context::from_waker(std::task::Waker::noop()), bytes)
    }

    #[test]
    fn a_tap_sees_what_was_taken_and_not_what_was_offered() {
        let counter = Arc::new(AtomicU64::new(0));
        let tap = Tap { counter: Some(counter.clone()), sha256: Some(Sha256::new()), ..Tap::default() };
        let mut sink = Sink::Discard.at_most(3).tapped(tap);
        assert!(matches!(write(&mut sink, b"abcdef"), Poll::Ready(Ok(3))));
        assert!(matches!(write(&mut sink, b"def"), Poll::Ready(Err(_))));
        assert_eq!(counter.load(Ordering::Relaxed), 3);
        let finding = sink.finding().unwrap();
        // FIPS 180-4's own example.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(finding.sha256.as_deref(), Some(abc));
    }

    #[test]
    fn a_full_disk_is_told_and_stops_nothing() {
        let tap = Tap { capture: Some(Capture::create(Path::new("/dev/full")).unwrap()), ..Tap::default() };
        let mut sink = Sink::Discard.tapped(tap);
        assert!(matches!(write(&mut sink, b"abc"), Poll::Ready(Ok(3))));
        let why = sink.finding().unwrap().capture_failed.unwrap();
        assert_eq!(why, "/dev/full: No space left on device");
    }
}
