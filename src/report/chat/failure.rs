//! What went wrong in a conversation: one line that a person sees at once, and further facts below it.

use std::time::Duration;

use serde_json::{Value, json};

use super::bytes::{escaped, hex_lines, is_plain, quoted};
use super::minutes::Minutes;
use crate::chat::{MOST_SHOWN, Outcome, Secrecy, Trouble, Verdict};
use crate::error::Exit;
use crate::process::ChildStatus;

/// What may follow what was shown already, without being worth a line of its own.
const LONGEST_EOL: usize = 2;

/// All that is known of a conversation that is over.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// What happened in it.
    pub minutes: &'a Minutes,
    /// How it ended.
    pub verdict: &'a Verdict,
    /// The status that stands for it.
    pub exit: Exit,
    /// How the program it was held with has ended.
    pub program: Option<ProgramEnd>,
}

/// The end of a program that a conversation was held with.
#[derive(Clone, Copy, Debug)]
pub struct ProgramEnd {
    /// How it ended.
    pub status: ChildStatus,
    /// Whether it did so before the conversation was over; otherwise the end of its input, or we, have ended it.
    pub ended_first: bool,
}

/// `FILE:LINE: STEP: wanted …: got …`, then a fact a line, indented.
pub fn failure_text(account: &Account<'_>) -> String {
    let mut lines = vec![first_line(account)];
    lines.extend(facts(account).into_iter().map(|fact| format!("  {fact}")));
    lines.join("\n")
}

/// The same as an event of a log.
pub fn failure_json(account: &Account<'_>) -> Value {
    json!({
        "event": "failed",
        "id": account.minutes.id,
        "script": &*account.minutes.script.name,
        "peer": account.minutes.peer,
        "why": first_line(account),
        "facts": facts(account),
        "status": account.exit.0,
    })
}

pub(super) fn first_line(account: &Account<'_>) -> String {
    let Verdict { outcome, trouble, unread } = account.verdict;
    let Some(trouble) = trouble else {
        let what = match outcome {
            Outcome::Unread => {
                format!("wanted nothing left unread: got {}", tail(unread, unread.len() as u64))
            }
            other => words(other).to_owned(),
        };
        return format!("{}: {what}", one_line(&account.minutes.script.name));
    };
    let Trouble { place, step, wanted, .. } = &**trouble;
    let step = one_line(&format!("{}:{}: {step}", place.file, place.line));
    if trouble.secrecy == Secrecy::Hidden {
        return format!("{step}: {} (more is hidden by .hide)", words(outcome));
    }
    match &trouble.why {
        Some(why) if says_why(outcome, trouble) => format!("{step}: {}", one_line(why)),
        _ => format!("{step}: wanted {}: got {}", one_line(wanted), got(outcome, trouble)),
    }
}

/// Whether the reason is all that there is to say: the step was to do something, not to hear.
fn says_why(outcome: &Outcome, trouble: &Trouble) -> bool {
    *outcome == Outcome::Failed || trouble.wanted.is_empty()
}

/// What there was instead, and how that ended.
fn got(outcome: &Outcome, trouble: &Trouble) -> String {
    let nothing = trouble.got.is_empty();
    let bytes = match outcome {
        // What differs is shown with what is around it.
        Outcome::Mismatch | Outcome::Unread if trouble.got.len() == MOST_SHOWN => {
            format!("{}…", quoted(&trouble.got))
        }
        _ => tail(&trouble.got, trouble.looked_at),
    };
    match (outcome, nothing) {
        (Outcome::Early, true) => "the end".to_owned(),
        (Outcome::Early, false) => format!("{bytes} and then the end"),
        (Outcome::Cut, true) => "a cut connection".to_owned(),
        (Outcome::Cut, false) => format!("{bytes} and then a cut connection"),
        (Outcome::Timeout, _) => {
            format!("{} within {}", if nothing { "nothing" } else { &bytes }, seconds(trouble.waited))
        }
        (Outcome::Overflow, _) => format!("{bytes}, more than is kept"),
        (_, true) => "nothing".to_owned(),
        (_, false) => bytes,
    }
}

/// An end that no step is about.
fn words(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass(_) => "it went well",
        Outcome::Mismatch => "something else was heard",
        Outcome::Forbidden => "something forbidden was heard",
        Outcome::Timeout => "it took too long",
        Outcome::Early => "the peer ended too early",
        Outcome::Overflow => "more was heard than is kept",
        Outcome::Unread => "something was left unread",
        Outcome::Cut => "the connection was cut",
        Outcome::Failed => "a step could not be done",
    }
}

pub(super) fn facts(account: &Account<'_>) -> Vec<String> {
    let Verdict { outcome, trouble, unread } = account.verdict;
    let mut facts = Vec::new();
    if let Some(trouble) = trouble {
        if let Some(why) = trouble.why.as_ref().filter(|_| !says_why(outcome, trouble)) {
            facts.push(format!("why: {}", one_line(why)));
        }
        if let Some(nearest) = &trouble.nearest {
            facts.push(format!("nearest: {}", one_line(nearest)));
        }
        if !is_plain(&trouble.got) {
            facts.extend(hex_lines(&trouble.got).map(|line| format!("hex: {line}")));
        }
        if let Some(place) = &trouble.lost {
            facts.push(format!(
                "lost: what {} says, as the program took no more input",
                one_line(&place.to_string())
            ));
        }
        if *outcome != Outcome::Timeout || trouble.secrecy == Secrecy::Hidden {
            facts.push(format!("waited: {}", seconds(trouble.waited)));
        }
        // Of a step that says something the reason alone is told above.
        let got = if says_why(outcome, trouble) { &[][..] } else { &trouble.got };
        if !is_shown(unread, got) {
            facts.push(format!("unread: {}", head(unread)));
        }
    }
    if let Some(program) = account.program.filter(|program| program.ended_first) {
        facts.push(format!("program: {}", ended(program.status)));
    }
    let id = account.minutes.id.map(|id| format!(" (client {id})")).unwrap_or_default();
    facts.push(format!("peer: {}{id}", escaped(account.minutes.peer.as_bytes())));
    facts
}

/// Whether what is unread says nothing new beside what the step got.
fn is_shown(unread: &[u8], got: &[u8]) -> bool {
    match unread.strip_prefix(got) {
        Some(rest) if !got.is_empty() => rest.len() <= LONGEST_EOL,
        _ => unread.is_empty(),
    }
}

/// How a program has ended, in words.
pub fn ended(status: ChildStatus) -> String {
    match status {
        ChildStatus::Exited(code) => format!("it has exited with status {code}"),
        ChildStatus::Killed(signal) => match crate::signal::Number::new(signal) {
            Some(number) => format!("signal {number} has killed it"),
            None => format!("signal {signal} has killed it"),
        },
        ChildStatus::Unknown => "it has ended".to_owned(),
    }
}

/// The last bytes of so many.
fn tail(bytes: &[u8], in_all: u64) -> String {
    let shown = &bytes[bytes.len().saturating_sub(MOST_SHOWN)..];
    match shown.len() == MOST_SHOWN && in_all > MOST_SHOWN as u64 {
        true => format!("{in_all} bytes that end in {}", quoted(shown)),
        false => quoted(shown),
    }
}

/// The first bytes of those that were not looked at.
fn head(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MOST_SHOWN)];
    match bytes.len() - shown.len() {
        0 => quoted(shown),
        more => format!("{} and {more} bytes more", quoted(shown)),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// Words of ours with something foreign in them, on one line.
pub(super) fn one_line(text: &str) -> String {
    crate::certificate::escaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unread_is_told_unless_it_was_shown() {
        for (unread, got, shown) in [
            (&b""[..], &b""[..], true),
            (b"x", b"", false),
            (b"22\r\n", b"22", true),
            (b"22\r\n250", b"22", false),
            (b"x", b"22", false),
        ] {
            assert_eq!(is_shown(unread, got), shown, "{unread:?} {got:?}");
        }
    }
}
