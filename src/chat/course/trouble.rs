//! What went wrong, in words.

use super::Course;
use super::forbidden::Forbidden;
use super::hearing::{Bad, Branch, Hearing, MOST_HISTORY, Sign, Wish};
use crate::chat::inbox::Ends;
use crate::chat::pattern::{Compiled, nearest};
use crate::chat::script::{Place, Secrecy, Step, escape};
use crate::chat::verdict::{Outcome, Trouble};

/// Of what fitted best, this much is shown.
const MOST_QUOTED: usize = 60;

impl Course {
    /// Everything that is known about what went wrong at the step at hand.
    pub(super) fn trouble(&self, bad: &Bad, hearing: Option<&Hearing>, why: Option<String>) -> Trouble {
        let is_forbidden_by = |forbidden: &&Forbidden| Some(forbidden.step) == bad.forbidden;
        let secrecy = match self.forbidden.iter().find(is_forbidden_by) {
            Some(Forbidden { secrecy: Secrecy::Hidden, .. }) => Secrecy::Hidden,
            _ => self.secrecy(),
        };
        let (place, step) = self.place_and_step(secrecy);
        let waited = self.now.saturating_duration_since(self.begun);
        let lost = self.lost.and_then(|(step, _)| self.script.steps.get(step)).map(|step| step.place.clone());
        if secrecy == Secrecy::Hidden {
            let (wanted, got) = Default::default();
            let (looked_at, nearest, why) = Default::default();
            return Trouble { place, step, wanted, got, looked_at, nearest, waited, why, lost, secrecy };
        }
        let forbidden = bad.forbidden.and_then(|step| self.script.steps.get(step));
        let why = match forbidden {
            Some(by) => Some(format!("line {} of {} forbids it", by.place.line, by.place.file)),
            None => why,
        };
        let wanted = match (forbidden, hearing) {
            (Some(by), _) => format!("nothing that fits {}", pattern_of(by)),
            (None, Some(hearing)) => wanted(&hearing.wish, &self.ends),
            (None, None) => String::new(),
        };
        let nearest = match (&bad.outcome, hearing) {
            (Outcome::Forbidden | Outcome::Unread, _) | (_, None) => None,
            (outcome, Some(hearing)) => self.nearest(outcome, hearing),
        };
        Trouble {
            place,
            step,
            wanted,
            got: self.inbox.slice(bad.shown.0, bad.shown.1).to_vec(),
            looked_at: hearing.map_or(0, |hearing| self.inbox.end() - hearing.from),
            nearest,
            waited,
            why,
            lost,
            secrecy,
        }
    }

    /// The step at hand; after the last, the end of the script.
    fn place_and_step(&self, secrecy: Secrecy) -> (Place, String) {
        match (self.script.steps.get(self.at), self.script.steps.last()) {
            (Some(step), _) => (step.place.clone(), step.told(secrecy).into_owned()),
            (None, Some(last)) => (last.place.clone(), "the end of the script".to_owned()),
            (None, None) => {
                (Place { file: self.script.name.clone(), line: 1 }, "the end of the script".to_owned())
            }
        }
    }

    fn nearest(&self, outcome: &Outcome, hearing: &Hearing) -> Option<String> {
        match &hearing.wish {
            Wish::Unit { text, .. } | Wish::Raw(text) => {
                let fitted = quoted(text.get(..hearing.compared).filter(|fitted| !fitted.is_empty())?);
                Some(match (hearing.compared == text.len(), outcome) {
                    (true, Outcome::Mismatch) => format!("{fitted} is all of it, and more follows"),
                    (true, _) => format!("{fitted} is there, {}", no_end(&self.ends, "<<")),
                    (false, _) => {
                        format!("{fitted} fits the first {} of {} bytes", hearing.compared, text.len())
                    }
                })
            }
            Wish::Next(pattern) => self.nearest_of(&[(pattern, false)], hearing),
            Wish::Any(branches) => {
                self.nearest_of(&branches.iter().filter_map(pattern).collect::<Vec<_>>(), hearing)
            }
            Wish::Exactly(..) | Wish::End(_) | Wish::Nothing => None,
        }
    }

    fn nearest_of(&self, patterns: &[(&Compiled, bool)], hearing: &Hearing) -> Option<String> {
        let end = self.inbox.end();
        let text = self.inbox.slice(hearing.from.max(end.saturating_sub(MOST_HISTORY as u64)), end);
        let units = self.ends.split(text);
        let near = patterns.iter().filter_map(|(pattern, is_raw)| {
            let source = pattern.regex.as_str();
            let near = if *is_raw { nearest(source, &[text]) } else { nearest(source, &units) };
            near.map(|near| (near, source))
        });
        let (near, source) = near.max_by_key(|(near, _)| near.pattern.len())?;
        let (text, pattern) = (quoted(&near.text), near.pattern);
        Some(match pattern == source {
            true => format!("{text} fits, {}", no_end(&self.ends, "~~")),
            false => format!("{text} fits {pattern}, the beginning of {source}"),
        })
    }
}

/// A unit that fits was read, unless it is not over: so it is with a prompt. `sign` begins a step that takes one.
fn no_end(ends: &Ends, sign: &str) -> String {
    format!("but its {} has not ended; {sign} waits for no end", unit_of(ends))
}

/// What a unit is called.
fn unit_of(ends: &Ends) -> &'static str {
    if matches!(ends, Ends::Line) { "line" } else { "unit" }
}

/// What a step waited for, in words.
fn wanted(wish: &Wish, ends: &Ends) -> String {
    let unit = unit_of(ends);
    match wish {
        Wish::Unit { text, is_all: false } => format!("a {unit} that starts with {}", quoted(text)),
        Wish::Unit { text, is_all: true } => format!("the {unit} {}", quoted(text)),
        Wish::Raw(text) if text.is_empty() => "an empty message".to_owned(),
        Wish::Raw(text) => format!("the bytes {}", quoted(text)),
        Wish::Next(pattern) => format!("a {unit} that fits {}", pattern.regex),
        Wish::Any(branches) => wanted_of(branches, unit),
        Wish::Exactly(count, _) => format!("{count} bytes"),
        Wish::End(_) => "the peer's end".to_owned(),
        Wish::Nothing => "nothing more".to_owned(),
    }
}

fn wanted_of(branches: &[Branch], unit: &str) -> String {
    let signs = branches.iter().filter_map(|branch| match &branch.when {
        Sign::Unit(pattern) => Some(format!("a {unit} that fits {}", pattern.regex)),
        Sign::Raw(pattern, _) => Some(format!("bytes that fit {}", pattern.regex)),
        Sign::End => Some("the peer's end".to_owned()),
        Sign::Timeout => None,
    });
    signs.collect::<Vec<_>>().join(", or ")
}

/// The pattern of a branch, and whether it is one over raw bytes.
fn pattern(branch: &Branch) -> Option<(&Compiled, bool)> {
    match &branch.when {
        Sign::Unit(pattern) => Some((pattern, false)),
        Sign::Raw(pattern, _) => Some((pattern, true)),
        Sign::End | Sign::Timeout => None,
    }
}

/// The pattern of a `!` step as it was typed.
fn pattern_of(step: &Step) -> &str {
    step.text.trim_start().trim_start_matches('!').trim_start()
}

/// Bytes between quotes, as a script would have them, cut to what one reads at a glance.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MOST_QUOTED)];
    let mut text = String::from("\"");
    escape(shown, &mut text);
    text.push_str(if shown.len() < bytes.len() { "\"…" } else { "\"" });
    text
}
