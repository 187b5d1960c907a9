//! The transcript of a conversation: a line for each line of what was said and heard.

use std::time::Duration;

use serde_json::{Value, json};

use super::bytes::escaped;

/// Most bytes of a line that are shown.
const MOST_SHOWN: usize = 400;

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Our side.
    Said,
    /// The peer.
    Heard,
}

/// Lines of a transcript, without the last end of line. `at` is counted from the beginning of the conversation, `id` is
/// its number where there are several.
pub fn transcript_text(id: Option<u64>, at: Duration, direction: Direction, bytes: &[u8]) -> String {
    let mark = if direction == Direction::Said { '>' } else { '<' };
    let id = prefix(id);
    let line = |line: &[u8]| {
        let cut = &line[..line.len().min(MOST_SHOWN)];
        let more = match line.len() - cut.len() {
            0 => String::new(),
            more => format!("… and {more} bytes more"),
        };
        format!("{id}{:8.3} {mark} {}{more}", at.as_secs_f64(), escaped(cut))
    };
    bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The line of what may not be told.
pub fn hidden_text(id: Option<u64>, at: Duration, direction: Direction, count: usize) -> String {
    let mark = if direction == Direction::Said { '>' } else { '<' };
    format!("{}{:8.3} {mark} *** {count} bytes, hidden", prefix(id), at.as_secs_f64())
}

/// The same for a program.
pub fn hidden_json(id: Option<u64>, at: Duration, direction: Direction, count: usize) -> Value {
    json!({"event": event(direction), "id": id, "at": at.as_secs_f64(), "bytes": count, "text": null})
}

/// A comment about what was said last: nobody takes it.
pub fn lost_text(id: Option<u64>, at: Duration) -> String {
    format!("{}{:8.3} # nobody takes that: the program reads no more", prefix(id), at.as_secs_f64())
}

/// The same for a program.
pub fn lost_json(id: Option<u64>, at: Duration) -> Value {
    json!({"event": "lost", "id": id, "at": at.as_secs_f64()})
}

/// What was said and heard, for a program.
pub fn transcript_json(id: Option<u64>, at: Duration, direction: Direction, bytes: &[u8]) -> Value {
    json!({"event": event(direction), "id": id, "at": at.as_secs_f64(), "bytes": bytes.len(), "text": escaped(bytes)})
}

fn event(direction: Direction) -> &'static str {
    if direction == Direction::Said { "said" } else { "heard" }
}

/// What a line of several conversations begins with.
pub(super) fn prefix(id: Option<u64>) -> String {
    id.map(|id| format!("[{id}] ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_time_and_its_direction() {
        let at = Duration::from_millis(1234);
        let text = transcript_text(None, at, Direction::Heard, b"250-a\r\n250 b\r\n$ ");
        assert_eq!(text, "   1.234 < 250-a\\r\\n\n   1.234 < 250 b\\r\\n\n   1.234 < $ ");
        let text = transcript_text(Some(3), at, Direction::Said, &[b'x'; 500]);
        assert!(text.starts_with("[3]    1.234 > xxx") && text.ends_with("… and 100 bytes more"), "{text}");
    }
}
