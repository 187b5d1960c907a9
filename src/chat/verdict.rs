//! How a conversation ended, and everything that is known about why.

use std::time::Duration;

use super::script::{Place, Secrecy};
use crate::error::Exit;

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How.
    pub outcome: Outcome,
    /// At which step, and what was there instead; none where it went well.
    pub trouble: Option<Box<Trouble>>,
    /// Bytes that were heard and never read by a step.
    pub unread: Vec<u8>,
}

/// The kinds of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step went well; `.exit N` chose another status than 0, `.exit` that of the child.
    Pass(Status),
    /// Something else was heard than was to be.
    Mismatch,
    /// Something was heard that was forbidden.
    Forbidden,
    /// A step, or all of it, took too long.
    Timeout,
    /// The peer ended before it had said what was to be heard.
    Early,
    /// More was heard than is kept (`--max-buffer`) before a step could be decided.
    Overflow,
    /// Something was left unread at the end where nothing may be.
    Unread,
    /// The peer reset the connection, or TLS was cut without close_notify.
    Cut,
    /// A step could not be done (a file to send that cannot be read, a pattern with a bad value in it).
    Failed,
}

/// The status that a script chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// This one.
    Number(u8),
    /// That of the child.
    Child,
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where the step stands.
    pub place: Place,
    /// The step as it was typed.
    pub step: String,
    /// What was wanted, in words: `a unit that starts with "220"`.
    pub wanted: String,
    /// What there was instead: the last bytes that the step looked at, `MOST_SHOWN` at most.
    pub got: Vec<u8>,
    /// How many bytes the step looked at in all.
    pub looked_at: u64,
    /// The part that fitted best, in words: `"22" fits the first 2 of 3 bytes`; none where nothing did.
    pub nearest: Option<String>,
    /// How long the step waited.
    pub waited: Duration,
    /// Why, where there is more to say (an error, a limit).
    pub why: Option<String>,
    /// Where something was said before that nobody has taken.
    pub lost: Option<Place>,
    /// Hidden where the step was: nothing that was typed or heard is in here then.
    pub secrecy: Secrecy,
}

/// Most bytes that are shown of what a step looked at.
pub const MOST_SHOWN: usize = 400;

impl Outcome {
    /// Its exit status (README, "Exit status").
    pub fn exit(&self) -> Exit {
        match self {
            Outcome::Pass(Status::Number(status)) => Exit(*status),
            Outcome::Pass(Status::Child) => Exit::OK,
            Outcome::Timeout => Exit::TIMEOUT,
            Outcome::Cut => Exit::TRUNCATED,
            Outcome::Failed => Exit::FAILURE,
            Outcome::Mismatch | Outcome::Forbidden | Outcome::Early | Outcome::Overflow | Outcome::Unread => {
                Exit::UNEXPECTED
            }
        }
    }
}
