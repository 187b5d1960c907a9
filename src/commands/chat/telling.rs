//! What a conversation tells on stderr: its transcript, and what went wrong; text or JSON.

use std::time::Instant;

use crate::certificate::escaped;
use crate::chat::{News, Script};
use crate::commands::log::{Form, LogArgs, say};
use crate::commands::speaker;
use crate::error::Failure;
use crate::report::chat::{
    Account, Direction, failure_json as account_json, failure_text, step_json, transcript_json,
    transcript_text,
};
use crate::report::failure_json;

/// Where it is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    is_talkative: bool,
    form: Form,
}

impl Telling {
    /// As the flags ask for it.
    pub fn new(log: &LogArgs) -> Telling {
        Telling { is_talkative: log.is_talkative(), form: log.log }
    }

    /// A conversation did not go well.
    pub fn failed(&self, account: &Account<'_>) {
        match self.form {
            Form::Json => say(&account_json(account).to_string()),
            Form::Text => say(&format!("spile {}: {}", speaker(super::NAME), failure_text(account))),
        }
    }

    /// One of several could not even begin.
    pub fn not_begun(&self, script: &str, failure: &Failure) {
        match self.form {
            Form::Json => say(&failure_json(failure).to_string()),
            Form::Text => say(&format!("spile {}: {}: {failure}", speaker(super::NAME), escaped(script))),
        }
    }

    /// The transcript of a conversation that begins now; `id` is its number, where there are several at once.
    pub fn transcript(&self, id: Option<u64>) -> Transcript {
        Transcript { telling: *self, id, begun: Instant::now() }
    }
}

/// The transcript of one conversation.
#[derive(Clone, Copy, Debug)]
pub struct Transcript {
    telling: Telling,
    id: Option<u64>,
    begun: Instant,
}

impl Transcript {
    /// These bytes passed that way.
    pub fn passed(&self, direction: Direction, bytes: &[u8]) {
        if !self.telling.is_talkative || bytes.is_empty() {
            return;
        }
        let at = self.begun.elapsed();
        match self.telling.form {
            Form::Json => say(&transcript_json(self.id, at, direction, bytes).to_string()),
            Form::Text => say(&transcript_text(self.id, at, direction, bytes)),
        }
    }

    /// These steps are over: for programs, which cannot tell it from what passed.
    pub fn steps(&self, script: &Script, news: Vec<News>) {
        if self.telling.is_talkative && self.telling.form == Form::Json {
            for step in news {
                say(&step_json(self.id, self.begun, script, &step).to_string());
            }
        }
    }

    /// Its number.
    pub fn id(&self) -> Option<u64> {
        self.id
    }
}
