//! What was heard and not yet read: a bounded window on the stream, and the units in it.

use std::collections::VecDeque;

use memchr::memmem::Finder;

use super::script::Terminator;

/// What ends a unit, ready to be looked for.
#[derive(Clone, Debug)]
pub enum Ends {
    /// LF, with or without CR before it.
    Line,
    /// These bytes.
    Text(Box<Finder<'static>>),
    /// So many bytes are a unit.
    Length(usize),
    /// Only the peer's end.
    Never,
}

impl Ends {
    /// Of a terminator and the bytes of its text. An error says why it ends nothing.
    pub fn new(terminator: &Terminator, text: &[u8]) -> Result<Ends, String> {
        match terminator {
            Terminator::Line => Ok(Ends::Line),
            Terminator::Text(_) if text.is_empty() => Err("an empty terminator ends nothing".to_owned()),
            Terminator::Text(_) => Ok(Ends::Text(Box::new(Finder::new(text).into_owned()))),
            Terminator::Length(0) => Err("units of 0 bytes do not end".to_owned()),
            Terminator::Length(length) => Ok(Ends::Length(*length)),
            Terminator::None => Ok(Ends::Never),
        }
    }

    /// The units of a text, what is left at its end included.
    pub fn split<'a>(&self, mut text: &'a [u8]) -> Vec<&'a [u8]> {
        let mut units = Vec::new();
        while let Some((length, end)) = find(text, 0, self) {
            units.push(&text[..length]);
            text = &text[end..];
        }
        units.push(text);
        units
    }
}

/// The unit that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// It is there: so many bytes without its terminator, and with it.
    Whole {
        /// Without.
        length: usize,
        /// With.
        end: usize,
    },
    /// It has not ended yet.
    Open,
    /// It is longer than what is kept.
    TooLong,
}

/// Bytes in the order in which they came. A *place* counts bytes from the start of the stream.
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// The place of the first of `bytes`.
    start: u64,
    /// What of `bytes` was read.
    head: usize,
    /// Bytes after `head` in which no unit ends.
    scanned: usize,
    behind: usize,
    most_kept: usize,
    /// The places where messages end, and units with them.
    messages: VecDeque<u64>,
    /// Where empty messages stand that were not read, once for each.
    empty: VecDeque<u64>,
}

impl Inbox {
    /// An inbox that holds `most_kept` unread bytes.
    pub fn new(most_kept: usize) -> Inbox {
        Inbox {
            bytes: Vec::new(),
            start: 0,
            head: 0,
            scanned: 0,
            behind: 0,
            most_kept,
            messages: VecDeque::new(),
            empty: VecDeque::new(),
        }
    }

    /// Adds what was heard.
    pub fn push(&mut self, bytes: &[u8]) {
        let spare = self.head.saturating_sub(self.behind);
        // Whatever is moved is no more than what is given up: linear in all.
        if spare > 0 && spare >= self.bytes.len() - spare {
            self.bytes.drain(..spare);
            self.start += spare as u64;
            self.head -= spare;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a message: its end is that of a unit.
    pub fn push_message(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.empty.push_back(self.end());
        }
        self.push(bytes);
        while self.messages.front().is_some_and(|place| *place <= self.start) {
            self.messages.pop_front();
        }
        self.messages.push_back(self.end());
    }

    /// Whether an empty message comes next; it is read by `read(0)`.
    pub fn has_empty(&self) -> bool {
        self.empty.front() == Some(&self.head())
    }

    /// How many of the unread bytes are of the message that comes next, where it ends.
    fn message(&self, ends: &Ends) -> Option<usize> {
        let head = self.head();
        let next = self.messages.partition_point(|place| *place <= head);
        let place = self.messages.get(next).filter(|_| !matches!(ends, Ends::Never))?;
        Some((place - head) as usize).filter(|length| *length <= self.most_kept)
    }

    /// How many more bytes it takes. An empty message counts as one: it is kept, too.
    pub fn room(&self) -> usize {
        self.most_kept.saturating_sub(self.unread().len() + self.empty.len())
    }

    /// How many bytes it takes in all.
    pub fn most_kept(&self) -> usize {
        self.most_kept
    }

    /// How many bytes it holds, those included that were read.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps so many bytes that were read.
    pub fn keep_behind(&mut self, count: usize) {
        self.behind = count;
    }

    /// What was not read yet.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// What was not read yet, without what goes beyond what is kept: no verdict depends on how large a read was.
    pub fn kept(&self) -> &[u8] {
        let unread = self.unread();
        &unread[..unread.len().min(self.most_kept)]
    }

    /// The place where what was not read begins.
    pub fn head(&self) -> u64 {
        self.start + self.head as u64
    }

    /// The place up to which was heard.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes between two places, as far as they are kept.
    pub fn slice(&self, from: u64, to: u64) -> &[u8] {
        let index = |place: u64| (place.saturating_sub(self.start) as usize).min(self.bytes.len());
        &self.bytes[index(from)..index(to).max(index(from))]
    }

    /// Reads on, or goes back to a place that is kept. Where it stays, an empty message is all that is read.
    pub fn go_to(&mut self, place: u64) {
        if self.has_empty() && place == self.head() {
            self.empty.pop_front();
        }
        while self.empty.front().is_some_and(|at| *at < place) {
            self.empty.pop_front();
        }
        self.head = (place.saturating_sub(self.start) as usize).min(self.bytes.len());
        self.scanned = 0;
    }

    /// Reads the next `count` bytes.
    pub fn read(&mut self, count: usize) {
        self.go_to(self.head() + count as u64);
    }

    /// Forgets all that was not read.
    pub fn forget(&mut self) {
        self.go_to(self.end());
        self.empty.clear();
    }

    /// Something else ends units from here on.
    pub fn end_units_anew(&mut self) {
        self.scanned = 0;
    }

    /// The next unit. It looks at no byte twice, however often it is asked.
    pub fn unit(&mut self, ends: &Ends) -> Unit {
        if self.has_empty() && !matches!(ends, Ends::Never) {
            return Unit::Whole { length: 0, end: 0 };
        }
        let (kept, message) = (self.kept(), self.message(ends));
        let looked_at = message.map_or(kept, |length| &kept[..length]);
        if let Some((length, end)) = find(looked_at, self.scanned, ends) {
            return Unit::Whole { length, end };
        }
        if let Some(length) = message {
            return Unit::Whole { length, end: length };
        }
        let length = kept.len();
        self.scanned = length;
        if length < self.most_kept && self.room() > 0 { Unit::Open } else { Unit::TooLong }
    }

    /// How many unread bytes surely belong to a unit that is open: all but what may turn out to end it.
    pub fn certain(&self, ends: &Ends) -> usize {
        let unread = self.kept();
        let doubtful = match ends {
            Ends::Line => usize::from(unread.last() == Some(&b'\r')),
            Ends::Text(finder) => {
                let most = unread.len().min(finder.needle().len() - 1);
                (1..=most).rev().find(|count| unread.ends_with(&finder.needle()[..*count])).unwrap_or(0)
            }
            Ends::Length(_) | Ends::Never => 0,
        };
        unread.len() - doubtful
    }
}

/// Where the first unit of `bytes` ends, without and with its terminator; none ends in the first `scanned`.
fn find(bytes: &[u8], scanned: usize, ends: &Ends) -> Option<(usize, usize)> {
    match ends {
        Ends::Line => {
            let at = memchr::memchr(b'\n', &bytes[scanned..])? + scanned;
            let length = if bytes[..at].ends_with(b"\r") { at - 1 } else { at };
            Some((length, at + 1))
        }
        Ends::Text(finder) => {
            let size = finder.needle().len();
            let from = scanned.saturating_sub(size - 1);
            let at = finder.find(&bytes[from..])? + from;
            Some((at, at + size))
        }
        Ends::Length(length) => (bytes.len() >= *length).then_some((*length, *length)),
        Ends::Never => None,
    }
}
