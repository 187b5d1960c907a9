//! What a service says: its last words are kept, a line may be waited for, and it may be shown.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use regex::bytes::Regex;
use rustix::event::PollFlags;

use crate::flow::{self, Capture, End, Keep, Label, Lines, Outlet, Unfinished, Way};

/// Kept of what it says.
const KEPT: usize = 64 * 1024;
/// Told of it in a message.
const LAST_WORDS: usize = 300;
/// The longest line that is looked at as a whole.
const LONGEST: usize = 64 * 1024;

/// The output of one service.
pub struct Output {
    /// `None` at its end.
    end: Option<End>,
    tail: Capture,
    line: Vec<u8>,
    wanted: Option<Regex>,
    seen: bool,
    shown: Option<(Lines, Outlet)>,
}

impl Output {
    /// An output, and the end for the service. `shown_as` is put before each line on stderr.
    pub fn new(wanted: Option<Regex>, shown_as: Option<&str>) -> io::Result<(Output, OwnedFd)> {
        let (out, into) = flow::pipe()?;
        let shown = match shown_as {
            Some(name) => {
                let label = Label::Text(format!("{name}| ").into_bytes());
                let end = End::inherited(rustix::stdio::stderr(), Way::Out)?;
                Some((Lines::new(label, Unfinished::Wait, Instant::now()), Outlet::new(end, "stderr")))
            }
            None => None,
        };
        let tail = Capture::new(KEPT, Keep::Tail);
        Ok((Output { end: Some(End::own(out)?), tail, line: Vec::new(), wanted, seen: false, shown }, into))
    }

    /// True once the line that is waited for was there.
    pub fn was_seen(&self) -> bool {
        self.seen
    }

    /// What to wait for.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        fds.extend(self.end.as_ref().map(|end| (end.as_fd(), PollFlags::IN)));
        if let Some((_, outlet)) = self.shown.as_ref().filter(|(_, outlet)| outlet.waiting() > 0) {
            fds.push((outlet.end.as_fd(), PollFlags::OUT));
        }
    }

    /// Takes what there is. A service is never held up, whoever reads or does not read our stderr.
    pub fn advance(&mut self, now: Instant) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..64 {
            match self.end.as_ref().map(|end| end.read(&mut buffer)) {
                Some(Ok(Some(0)) | Err(_)) => self.end = None,
                Some(Ok(Some(n))) => self.take(&buffer[..n], now),
                Some(Ok(None)) | None => break,
            }
        }
        if let Some((_, outlet)) = &mut self.shown {
            let is_lost = outlet.flush().is_err() || outlet.waiting() > flow::LARGE;
            if is_lost {
                self.shown = None;
            }
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant) {
        let _ = self.tail.push(bytes);
        self.look(bytes);
        if let Some((lines, outlet)) = &mut self.shown {
            let mut out = Vec::new();
            lines.pass(bytes, now, &mut out);
            if outlet.put(&out).is_err() {
                self.shown = None;
            }
        }
    }

    /// Looks for the line, also before its end has come: a prompt has none.
    fn look(&mut self, bytes: &[u8]) {
        let Some(wanted) = self.wanted.as_ref().filter(|_| !self.seen) else { return };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            self.seen |= wanted.is_match(self.line.trim_ascii_end());
            if part.ends_with(b"\n") || self.line.len() > LONGEST {
                self.line.clear();
            }
        }
    }

    /// The end of what it said, for a message.
    pub fn last_words(&mut self) -> String {
        let said = std::mem::replace(&mut self.tail, Capture::new(KEPT, Keep::Tail)).finish().bytes;
        let _ = self.tail.push(&said);
        let said = said.trim_ascii();
        let last = &said[said.len().saturating_sub(LAST_WORDS)..];
        match last {
            [] => "it has said nothing".to_owned(),
            _ => format!("its last words: {}", String::from_utf8_lossy(last).escape_debug()),
        }
    }
}
