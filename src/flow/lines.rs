//! A label or a time before each line. Bytes are never changed, lines never broken.

use std::time::{Duration, Instant, SystemTime};

/// The longest line that is kept back until it is whole.
const LONGEST: usize = 64 * 1024;
/// How long a terminal waits for the rest of a line.
const PATIENCE: Duration = Duration::from_millis(100);

/// What stands before a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// Always the same words.
    Text(Vec<u8>),
    /// The time of day in UTC, RFC 3339 with milliseconds.
    Clock,
    /// The same without a blank after it.
    Moment,
    /// Seconds since the flow began.
    Elapsed,
    /// Seconds since the line before.
    Delta,
}

/// What becomes of a line whose end has not come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It passes at once.
    Pass,
    /// It waits for its end, up to 64 KiB, since others write to the same place.
    Wait,
    /// It waits for its end, but no longer than 100 ms, since a person looks at it.
    WaitShortly,
}

/// Labels the lines of one stream.
#[derive(Debug)]
pub struct Lines {
    label: Label,
    unfinished: Unfinished,
    begun: Instant,
    previous: Instant,
    at_start: bool,
    kept: Vec<u8>,
    kept_since: Option<Instant>,
}

impl Lines {
    /// Labels lines from now on.
    pub fn new(label: Label, unfinished: Unfinished, now: Instant) -> Lines {
        Lines {
            label,
            unfinished,
            begun: now,
            previous: now,
            at_start: true,
            kept: Vec::new(),
            kept_since: None,
        }
    }

    /// Takes bytes and adds what may pass to `out`.
    pub fn pass(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<u8>) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let whole = part.ends_with(b"\n");
            if whole || self.unfinished == Unfinished::Pass {
                let kept = std::mem::take(&mut self.kept);
                self.kept_since = None;
                self.put(&[&kept, part], whole, now, out);
            } else {
                self.keep(part, now, out);
            }
        }
    }

    /// Adds what was kept back: at the end, or when `due` has come.
    pub fn flush(&mut self, now: Instant, out: &mut Vec<u8>) {
        let kept = std::mem::take(&mut self.kept);
        self.kept_since = None;
        if !kept.is_empty() {
            self.put(&[&kept], false, now, out);
        }
    }

    /// When `flush` is to be called, if bytes are kept back only for a while.
    pub fn due(&self) -> Option<Instant> {
        self.kept_since.filter(|_| self.unfinished == Unfinished::WaitShortly).map(|since| since + PATIENCE)
    }

    /// A line that is too long to be kept passes in parts that end between two characters.
    fn keep(&mut self, part: &[u8], now: Instant, out: &mut Vec<u8>) {
        self.kept.extend_from_slice(part);
        self.kept_since.get_or_insert(now);
        if self.kept.len() > LONGEST {
            let rest = self.kept.split_off(self.kept.len() - unfinished_character(&self.kept));
            self.flush(now, out);
            self.kept = rest;
        }
    }

    fn put(&mut self, parts: &[&[u8]], whole: bool, now: Instant, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.at_start, whole) {
            self.write_label(now, out);
        }
        for part in parts {
            out.extend_from_slice(part);
        }
    }

    fn write_label(&mut self, now: Instant, out: &mut Vec<u8>) {
        let seconds = |time: Duration| format!("{:10.3} ", time.as_secs_f64()).into_bytes();
        match &self.label {
            Label::Text(text) => out.extend_from_slice(text),
            Label::Moment => out.extend_from_slice(clock(SystemTime::now()).as_bytes()),
            Label::Clock => {
                out.extend_from_slice(format!("{} ", clock(SystemTime::now())).as_bytes());
            }
            Label::Elapsed => out.extend(seconds(now.saturating_duration_since(self.begun))),
            Label::Delta => out.extend(seconds(now.saturating_duration_since(self.previous))),
        }
        self.previous = now;
    }
}

/// A moment in UTC as RFC 3339 writes it, with milliseconds.
pub fn clock(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Bytes at the end that begin a UTF-8 character without finishing it.
fn unfinished_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if back < length { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(unfinished: Unfinished, parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let now = Instant::now();
        let mut lines = Lines::new(Label::Text(b"a: ".to_vec()), unfinished, now);
        let mut steps = Vec::new();
        for part in parts {
            let mut out = Vec::new();
            lines.pass(part, now, &mut out);
            steps.push(out);
        }
        let mut out = Vec::new();
        lines.flush(now, &mut out);
        steps.push(out);
        steps
    }

    #[test]
    fn each_line_has_its_label_wherever_the_reads_were_cut() {
        let steps = label(Unfinished::Wait, &[b"on", b"e\ntwo\nth", b"ree"]);
        assert_eq!(steps, [&b""[..], b"a: one\na: two\n", b"", b"a: three"]);
    }

    #[test]
    fn a_stream_of_its_own_is_not_kept_back() {
        let steps = label(Unfinished::Pass, &[b"on", b"e\n\nt", b"\n"]);
        assert_eq!(steps, [&b"a: on"[..], b"e\na: \na: t", b"\n", b""]);
    }

    #[test]
    fn a_long_line_is_labelled_once_and_characters_stay_whole() {
        let text = "é".repeat(LONGEST).into_bytes();
        let odd = [b"x", &text[..]].concat();
        let steps = label(Unfinished::Wait, &[&odd[..LONGEST + 1], &odd[LONGEST + 1..], b"\n"]);
        for step in &steps {
            assert!(std::str::from_utf8(step).is_ok());
        }
        assert_eq!(steps.concat(), [b"a: ", &odd[..], b"\n"].concat());
    }

    #[test]
    fn a_person_waits_a_tenth_of_a_second_for_a_prompt() {
        let now = Instant::now();
        let mut lines = Lines::new(Label::Text(b"a: ".to_vec()), Unfinished::WaitShortly, now);
        let mut out = Vec::new();
        lines.pass(b"Name? ", now, &mut out);
        assert_eq!(lines.due(), Some(now + PATIENCE));
        lines.flush(now + PATIENCE, &mut out);
        lines.pass(b"yes\n", now, &mut out);
        assert_eq!(out, b"a: Name? yes\n");
        assert_eq!(lines.due(), None);
    }

    #[test]
    fn times_have_a_fixed_width() {
        assert_eq!(clock(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500)), "1970-01-01T00:00:01.500Z");
        let now = Instant::now();
        let mut lines = Lines::new(Label::Delta, Unfinished::Pass, now);
        let mut out = Vec::new();
        lines.pass(b"x\n", now + Duration::from_millis(1250), &mut out);
        lines.pass(b"y\n", now + Duration::from_millis(1300), &mut out);
        assert_eq!(out, b"     1.250 x\n     0.050 y\n");
    }
}
