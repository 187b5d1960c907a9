//! What happens to bytes on their way; steps are taken in the order given.

use std::time::Instant;

use super::capture::Capture;
use super::lines::Lines;
use super::outlet::Outlet;
use super::rate::Rate;
use super::typing::Typing;
use crate::error::Failure;

/// One thing that happens to bytes on their way.
#[derive(Debug)]
pub enum Step {
    /// They are copied to one more place; `None` once it has failed and is given up. The rest goes on.
    Tee(Option<Outlet>),
    /// They are kept in memory.
    Keep(Capture),
    /// Each line gets a label.
    Label(Lines),
    /// CR LF becomes LF; the state is a CR whose next byte has not come yet.
    Newlines(Option<u8>),
    /// They are typed into a terminal.
    Type(Typing),
    /// No more than so many pass in a second.
    Limit(Rate),
    /// No more than these pass; then the writer is told to stop.
    Head(Extent),
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many bytes.
    Bytes(u64),
    /// So many lines.
    Lines(u64),
}

impl Extent {
    /// True when nothing is left.
    pub fn is_used_up(self) -> bool {
        matches!(self, Extent::Bytes(0) | Extent::Lines(0))
    }

    /// How many of these bytes belong to it; they are counted off.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Extent::Bytes(left) => {
                let n = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= n as u64;
                n
            }
            Extent::Lines(left) => {
                let mut taken = 0;
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    if *left == 0 {
                        break;
                    }
                    taken += line.len();
                    *left -= u64::from(line.ends_with(b"\n"));
                }
                taken
            }
        }
    }
}

/// What steps came across besides the bytes.
#[derive(Debug, Default)]
pub struct Findings {
    /// What could not be written and is given up.
    pub failures: Vec<Failure>,
    /// A head has had its share: nothing more is to be read.
    pub enough: bool,
}

/// Takes bytes through `steps` and hands what comes out to `sink`.
pub fn take(
    steps: &mut [Step],
    bytes: &[u8],
    now: Instant,
    findings: &mut Findings,
    sink: impl FnOnce(&[u8]),
) {
    let mut labelled;
    let mut bytes = bytes;
    for step in steps {
        match step {
            Step::Tee(copy) => {
                if let Some(outlet) = copy
                    && let Err(why) = outlet.put(bytes)
                {
                    findings.failures.push(outlet.failure(&why));
                    *copy = None;
                }
            }
            Step::Keep(capture) => findings.failures.extend(capture.push(bytes).err()),
            Step::Label(lines) => {
                let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 4);
                lines.pass(bytes, now, &mut out);
                labelled = out;
                bytes = &labelled;
            }
            Step::Newlines(kept) => {
                labelled = unix_lines(bytes, kept);
                bytes = &labelled;
            }
            Step::Type(typing) => {
                labelled = typing.pass(bytes);
                bytes = &labelled;
            }
            Step::Limit(_) => {}
            Step::Head(extent) => {
                bytes = &bytes[..extent.take(bytes)];
                findings.enough |= extent.is_used_up();
            }
        }
    }
    sink(bytes);
}

/// CR LF as LF; a CR alone stays. A CR at the end is kept until the next byte is known.
fn unix_lines(bytes: &[u8], kept: &mut Option<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    for byte in bytes {
        if *byte != b'\n' || kept.is_none() {
            out.extend(kept.take());
        }
        *kept = None;
        match byte {
            b'\r' => *kept = Some(b'\r'),
            _ => out.push(*byte),
        }
    }
    out
}

/// Hands out what steps keep back, all of it or what has become due, through the steps after them.
pub fn flush(
    steps: &mut [Step],
    now: Instant,
    which: Kept,
    findings: &mut Findings,
    mut sink: impl FnMut(&[u8]),
) {
    for at in 0..steps.len() {
        let (before, after) = steps.split_at_mut(at + 1);
        let mut out = Vec::new();
        match before.last_mut() {
            Some(Step::Label(lines)) if which == Kept::All || lines.due().is_some_and(|due| due <= now) => {
                lines.flush(now, &mut out);
            }
            Some(Step::Newlines(kept)) if which == Kept::All => out.extend(kept.take()),
            _ => continue,
        }
        take(after, &out, now, findings, &mut sink);
    }
}

/// Which unfinished lines are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Every one: the end has come.
    All,
    /// Those that have waited long enough.
    Due,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_changed_wherever_the_reads_were_cut() {
        let mut kept = None;
        let parts =
            ["a\r", "\nb\r\r\nc\rd", "\r", "e\n\r"].map(|part| unix_lines(part.as_bytes(), &mut kept));
        assert_eq!(parts.concat(), b"a\nb\r\nc\rd\re\n");
        assert_eq!(kept, Some(b'\r'));
    }

    #[test]
    fn a_head_takes_lines_or_bytes_and_then_no_more() {
        let mut lines = Extent::Lines(2);
        assert_eq!(lines.take(b"a\nb"), 3);
        assert!(!lines.is_used_up());
        assert_eq!(lines.take(b"c\nd\ne"), 2);
        assert!(lines.is_used_up());
        let mut bytes = Extent::Bytes(5);
        assert_eq!(bytes.take(b"abc"), 3);
        assert_eq!(bytes.take(b"defg"), 2);
        assert!(bytes.is_used_up());
        assert_eq!(bytes.take(b"h"), 0);
    }
}
