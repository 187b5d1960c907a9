//! The script language: one step a line, reading like a transcript. Pure: text in, steps or errors out.

mod directive;
mod escape;
mod flow;
mod jumps;
mod language;
mod mistake;
mod operator;
mod parse;
mod pattern;
mod print;
mod swap;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod variables;

pub use escape::escape;
pub use language::LANGUAGE;
pub use mistake::Mistake;
pub use template::{Missing, is_name};

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// Most bytes of a script: what is longer is something else.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A script that was read and found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// How messages call it: its file as it was typed.
    pub name: Rc<str>,
    /// Its steps, in order; jumps name places in this list (its length is the end).
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// As it was typed, for messages.
    pub text: Rc<str>,
    /// What it does.
    pub op: Op,
}

impl Step {
    /// As it is told: of a hidden one the operator alone.
    pub fn told(&self, secrecy: Secrecy) -> Cow<'_, str> {
        match (secrecy, self.text.split_once(' ')) {
            (Secrecy::Hidden, Some((operator, _))) => format!("{operator} ***").into(),
            _ => (*self.text).into(),
        }
    }
}

/// Whether what is said and heard may be told to others than the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// It may.
    Open,
    /// No transcript and no report has it.
    Hidden,
}

/// A line of a file; of `-e` steps the file is `-e` and the line tells the how-manieth it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was typed.
    pub file: Rc<str>,
    /// From 1.
    pub line: usize,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `> TEXT` with the end of line, `>> TEXT` without; `>>` alone is an empty message.
    Send {
        /// What.
        text: Template,
        /// Whether the end of line follows.
        has_eol: bool,
    },
    /// `>@ FILE`: a file as it is.
    SendFile(Template),
    /// Something that must be heard.
    Expect(Expect),
    /// Lines of `?` in a row: the first thing heard that fits one decides where it goes on.
    Choose(Vec<Alternative>),
    /// `! REGEX`: from here on fail as soon as a step reads it. `!` alone forgets all of them.
    Forbid(Option<Pattern>),
    /// `.term`
    Term(Terminator),
    /// `.eol`: what `>` adds.
    Eol(Template),
    /// `.timeout`: of every step from here on.
    Timeout(Duration),
    /// `.pace SIZE/TIME` from here on; `.pace none` ends it.
    Pace(Option<Pace>),
    /// `.sleep`
    Sleep(Duration),
    /// `.set NAME TEXT`
    Set(String, Template),
    /// `.default NAME TEXT`: the same where the variable has no value yet.
    Default(String, Template),
    /// `.starttls`
    StartTls,
    /// `.half-close`: says our end and goes on hearing.
    HalfClose,
    /// `.close`: says our end and takes nothing more.
    Close,
    /// `.reset`
    Reset,
    /// `.drop-input`: what was heard and not yet read is forgotten (asynchat's discard_buffers).
    DropInput,
    /// `.rest-empty`: nothing may be left unread here; the end of the script checks again.
    RestEmpty,
    /// `.hide` and `.show`: whether what follows is told in transcripts and reports.
    Tell(Secrecy),
    /// `.exit`: the end here, with this status; without one, with that of the child.
    Exit(Option<u8>),
    /// `.goto LABEL`: the place where it goes on.
    Goto(usize),
    /// `.loop N` (for ever without N); `end` is the place after its `.end`.
    Loop {
        /// How often.
        times: Option<u64>,
        /// The place after `.end`.
        end: usize,
    },
    /// `.end`: the place of its `.loop`.
    End(usize),
    /// `:LABEL`, which only marks a place.
    Label(String),
}

/// What must be heard. A *unit* is what ends at the terminator, which is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// `< TEXT`: the next unit starts with it.
    Start(Template),
    /// `<< TEXT`: exactly these bytes come next, whatever follows; units do not matter. `<<` alone is an empty message.
    RawStart(Template),
    /// `= TEXT`: the next unit equals it.
    Equal(Template),
    /// `~ REGEX`: units are skipped until one fits.
    Skip(Pattern),
    /// `~1 REGEX`: the next unit fits.
    Next(Pattern),
    /// `~~ REGEX`: bytes are skipped until it fits, at the shortest prefix of what is heard where it does: as if bytes
    /// came one at a time. Units do not matter, so it also finds prompts.
    RawSkip(Pattern),
    /// `<# N [NAME]`: exactly N bytes, which become a variable.
    Exactly(Count, Option<String>),
    /// `<$ [NAME]`: everything to the peer's end.
    End(Option<String>),
}

/// A number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// This one, 1 at least.
    Number(usize),
    /// `${NAME}`: what the peer has said that it will be, in decimal digits; 0 is fine.
    Variable(String),
}

/// One of several things that may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Where it stands.
    pub place: Place,
    /// What comes.
    pub when: When,
    /// The place where it goes on.
    pub to: usize,
}

/// What an alternative waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// `? REGEX -> LABEL`: a unit that fits; others are skipped.
    Unit(Pattern),
    /// `?? REGEX -> LABEL`: the same as `~~` looks for it.
    Raw(Pattern),
    /// `?$ -> LABEL`: the peer's end.
    End,
    /// `?timeout -> LABEL`: nothing of all that within the limit of a step.
    Timeout,
}

/// Text with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes as they are; escapes are resolved.
    Bytes(Vec<u8>),
    /// `${NAME}`, or `${env:NAME}`; with `base64:` before it, its value in base64.
    Variable(String),
}

/// A regular expression over bytes (crate `regex`, `(?-u)` allowed); a variable in it stands for its text, not for a
/// pattern. It was checked while it was read, so that it is known to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its source.
    pub source: Template,
}

/// What ends a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// LF, with or without CR before it. The default.
    Line,
    /// These bytes exactly, wherever reads split them.
    Text(Template),
    /// Every so many bytes are a unit.
    Length(usize),
    /// Nothing does: a unit is everything to the peer's end.
    None,
}

/// How slowly something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many bytes,
    pub size: usize,
    /// then a pause of this length.
    pub pause: Duration,
}
