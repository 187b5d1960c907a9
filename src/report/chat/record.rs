//! One conversation of a document, in the terms that all forms share: points that were met or not, and a complaint.

use std::time::Duration;

use super::bytes::escaped;
use super::failure::{Account, facts, first_line, one_line};
use super::minutes::{Minutes, expects};
use crate::chat::{Outcome, Trouble};
use crate::error::{Exit, Failure};

/// One conversation.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What happened in it.
    pub minutes: &'a Minutes,
    /// How it ended.
    pub end: End<'a>,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// With its script, or with what went wrong.
    Over(Account<'a>),
    /// Before it could begin.
    NotBegun(&'a Failure),
    /// By a signal to us.
    Interrupted,
}

/// Something that was to happen.
pub struct Point {
    /// What, fit for a terminal.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it did.
    pub is_good: bool,
}

/// What is wrong with a conversation, fit for a terminal.
pub struct Complaint {
    /// In one line.
    pub line: String,
    /// What else is known, a line each.
    pub facts: Vec<String>,
}

impl<'a> Record<'a> {
    /// What it is called: its script, and its number where there are several.
    pub fn name(&self) -> String {
        let id = self.minutes.id.map(|id| format!(" (client {id})")).unwrap_or_default();
        format!("{}{id}", one_line(&self.minutes.script.name))
    }

    /// Its status; none where a signal came first.
    pub fn exit(&self) -> Option<Exit> {
        match self.end {
            End::Over(account) => Some(account.exit),
            End::NotBegun(failure) => Some(failure.exit),
            End::Interrupted => None,
        }
    }

    /// Whether it is a success. A status that the script chose is none, nor is that of a program that failed.
    pub fn is_good(&self) -> bool {
        self.exit() == Some(Exit::OK)
    }

    /// Whether an expectation was not met; what else went wrong is an error.
    pub fn is_unmet(&self) -> bool {
        match self.end {
            End::Over(account) => !matches!(account.verdict.outcome, Outcome::Cut | Outcome::Failed),
            End::NotBegun(_) | End::Interrupted => false,
        }
    }

    /// Its result in one word.
    pub fn result(&self) -> &'static str {
        let End::Over(account) = self.end else {
            return if self.exit().is_some() { "connect-failed" } else { "interrupted" };
        };
        match account.verdict.outcome {
            Outcome::Pass(_) if self.is_good() => "pass",
            Outcome::Pass(_) => "exit",
            Outcome::Mismatch => "mismatch",
            Outcome::Forbidden => "forbidden",
            Outcome::Timeout => "timeout",
            Outcome::Early => "eof",
            Outcome::Overflow => "overflow",
            Outcome::Unread => "unread-data",
            Outcome::Cut => "cut",
            Outcome::Failed => "failed",
        }
    }

    /// What went wrong at a step.
    pub fn trouble(&self) -> Option<&'a Trouble> {
        match self.end {
            End::Over(account) => account.verdict.trouble.as_deref(),
            End::NotBegun(_) | End::Interrupted => None,
        }
    }

    /// What is wrong with it, unless it is good.
    pub fn complaint(&self) -> Option<Complaint> {
        if self.is_good() {
            return None;
        }
        Some(match self.end {
            End::Over(account) => {
                let line = match account.verdict.outcome {
                    Outcome::Pass(_) => {
                        format!("{}: it has ended with status {}", self.name(), account.exit.0)
                    }
                    _ => first_line(&account),
                };
                Complaint { line, facts: facts(&account) }
            }
            End::NotBegun(failure) => {
                let hint = failure.hint.iter().map(|hint| format!("hint: {}", one_line(hint))).collect();
                Complaint {
                    line: format!("{}: {}", self.name(), one_line(&failure.to_string())),
                    facts: hint,
                }
            }
            End::Interrupted => {
                let line = format!("{}: it was interrupted", self.name());
                Complaint { line, facts: vec![format!("peer: {}", escaped(self.minutes.peer.as_bytes()))] }
            }
        })
    }

    /// Its expectations, and the step that failed. There is always one, and a bad one unless it is good.
    pub fn points(&self) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        for note in self.minutes.notes() {
            let Some(step) = self.minutes.step(note) else { continue };
            if expects(step) || !note.news.is_good {
                let is_own = step.place.file == self.minutes.script.name;
                let file = if is_own { String::new() } else { format!("{}:", step.place.file) };
                let name = one_line(&format!("{file}{}: {}", step.place.line, step.told(note.news.secrecy)));
                points.push(Point { name, took: note.news.took, is_good: note.news.is_good });
            }
        }
        let is_told = self.is_good() || points.iter().any(|point| !point.is_good);
        if points.is_empty() || !is_told {
            let took = self.trouble().map_or(Duration::ZERO, |trouble| trouble.waited);
            points.push(Point { name: self.whole(), took, is_good: self.is_good() });
        }
        points
    }

    /// What failed where it was no step.
    fn whole(&self) -> String {
        match self.end {
            End::NotBegun(_) => "the connection".to_owned(),
            End::Over(_) if self.trouble().is_some() => "the end of the script".to_owned(),
            End::Over(_) | End::Interrupted => "the whole conversation".to_owned(),
        }
    }
}
