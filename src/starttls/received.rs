//! What a server has said and nobody has understood yet, and the shapes in which it is understood.

use super::Step;
use super::trouble::Trouble;

/// Bytes in the order in which they came.
#[derive(Default)]
pub struct Received {
    bytes: Vec<u8>,
}

/// A reply of the kind that SMTP and FTP have: a number of three digits, and lines of text.
pub struct Reply {
    /// The number.
    pub code: u16,
    /// All lines, numbers included.
    pub lines: Vec<String>,
}

impl Reply {
    /// The whole reply refuses.
    pub fn refuses(&self) -> Step {
        Step::Failed(Trouble::refused(self.lines.join("\n")))
    }
}

impl Received {
    /// Adds what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// All that is not yet understood.
    pub fn rest(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes `count` bytes, once they are there.
    pub fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        (self.bytes.len() >= count).then(|| self.bytes.drain(..count).collect())
    }

    /// Takes a line without its end, once it is whole.
    pub fn line(&mut self) -> Option<String> {
        self.lines_to(|_, _| true)?.pop()
    }

    /// Takes lines up to the first that is the last, once all are there. `is_last` sees the first line, too.
    pub fn lines_to(&mut self, is_last: impl Fn(&str, &str) -> bool) -> Option<Vec<String>> {
        let mut lines: Vec<String> = Vec::new();
        let mut used = 0;
        for raw in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = raw.strip_suffix(b"\n")?;
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            used += raw.len();
            let last = is_last(lines.first().map_or(&line, |first| first), &line);
            lines.push(line);
            if last {
                self.bytes.drain(..used);
                return Some(lines);
            }
        }
        None
    }

    /// Takes lines up to one with a single dot, which is not among them.
    pub fn lines_to_dot(&mut self) -> Option<Vec<String>> {
        let mut lines = self.lines_to(|_, line| line == ".")?;
        lines.pop();
        Some(lines)
    }

    /// Takes a numbered reply, which ends at its number with a space after it (RFC 959, section 4.2; RFC 5321).
    pub fn reply(&mut self) -> Result<Reply, Step> {
        if !may_be_reply(&self.bytes) {
            return Err(Step::Failed(Trouble::garbled(&self.bytes)));
        }
        let ends = |first: &str, line: &str| {
            number(line).is_some() && line.get(..3) == first.get(..3) && line.as_bytes().get(3) != Some(&b'-')
        };
        let lines = self.lines_to(ends).ok_or(Step::More)?;
        match lines.first().and_then(|first| number(first)) {
            Some(code) => Ok(Reply { code, lines }),
            None => Err(Step::Failed(Trouble::garbled(lines.join("\n")))),
        }
    }
}

/// The number at the start of a line, followed by a space, a hyphen, or nothing.
pub fn number(line: &str) -> Option<u16> {
    let digits = line.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let ended = matches!(line.as_bytes().get(3), None | Some(b' ' | b'-'));
    digits.parse().ok().filter(|_| ended)
}

/// False as soon as `bytes` cannot become a numbered reply.
fn may_be_reply(bytes: &[u8]) -> bool {
    let starts = bytes.iter().take(3).all(u8::is_ascii_digit);
    starts && matches!(bytes.get(3), None | Some(b' ' | b'-' | b'\r' | b'\n'))
}

/// True when one of `lines` has this word, whatever its case.
pub fn has_word(lines: &[String], word: &str) -> bool {
    let mut words = lines.iter().flat_map(|line| line.split([' ', '-', '"', '\t']));
    words.any(|found| found.eq_ignore_ascii_case(word))
}
