//! One document about all conversations of a run, written while they end: it needs the memory of one of them.

use super::record::Record;
use crate::error::Exit;

/// A form of the document. Each part is lines without the last end of line.
pub trait Form {
    /// What it begins with.
    fn head(&mut self) -> String;
    /// One conversation that is over.
    fn conversation(&mut self, record: &Record<'_>) -> String;
    /// What it ends with.
    fn end(&mut self, whole: &Whole<'_>) -> String;
}

/// What is known once all conversations are over.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// What had to be right beside the conversations.
    pub checks: &'a [Check],
    /// The status of it all.
    pub exit: Exit,
    /// Whether a signal has ended it.
    pub is_interrupted: bool,
}

/// Something that has to be right beside the conversations: the command of a mock server, enough clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: String,
    /// What is wrong with it; nothing where it is right.
    pub why: Option<String>,
}
