//! What is told of conversations: on stderr their transcripts and what went wrong, as text or JSON; in a document all
//! that happened.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::client_command::Output;
use super::report::Report;
use crate::certificate::escaped;
use crate::chat::{News, Outcome, Script, Secrecy, Verdict};
use crate::commands::log::{Form, LogArgs, say};
use crate::commands::speaker;
use crate::error::{Exit, Failure};
use crate::report::chat::{
    Account, Direction, End, Minutes, ProgramEnd, Record, failure_json as account_json, failure_text,
    hidden_json, hidden_text, lost_json, lost_text, step_json, step_text, transcript_json, transcript_text,
};
use crate::report::failure_json;

/// Where it is told.
#[derive(Clone)]
pub struct Telling {
    is_talkative: bool,
    form: Form,
    report: Option<Rc<Report>>,
}

impl Telling {
    /// As the flags ask for it.
    pub fn new(log: &LogArgs, report: Option<Report>) -> Telling {
        Telling { is_talkative: log.is_talkative(), form: log.log, report: report.map(Rc::new) }
    }

    /// A conversation could not even begin. Who called it says so on stderr.
    pub fn not_begun(&self, script: &Rc<Script>, peer: &str, id: Option<u64>, failure: &Failure) {
        if let Some(report) = &self.report {
            let minutes = Minutes::new(script.clone(), id, peer);
            report.conversation(&Record { minutes: &minutes, end: End::NotBegun(failure) });
        }
    }

    /// Says on stderr that one of several could not begin.
    pub fn refused(&self, script: &Script, failure: &Failure) {
        match self.form {
            Form::Json => say(&failure_json(failure).to_string()),
            Form::Text => {
                say(&format!("spile {}: {}: {failure}", speaker(super::NAME), escaped(&script.name)));
            }
        }
    }

    /// Something beside the conversations was looked at; `why` tells what is wrong with it.
    pub fn checked(&self, name: impl Into<String>, why: Option<String>) {
        if let Some(report) = &self.report {
            report.checked(name.into(), why);
        }
    }

    /// A signal ends all of it.
    pub fn interrupted(&self) {
        if let Some(report) = &self.report {
            report.interrupted();
        }
    }

    /// Where the stdout of others may go.
    pub fn output(&self) -> Output {
        self.report.as_ref().map_or(Output::Stdout, |report| report.output())
    }

    /// All is over, and this came of it, which is handed on.
    pub fn end(&self, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        match &self.report {
            Some(report) => report.end(result),
            None => result,
        }
    }

    /// These bytes pass that way, in what began at `begun`.
    pub fn passed(&self, id: Option<u64>, begun: Instant, direction: Direction, bytes: &[u8]) {
        if !self.is_talkative || bytes.is_empty() {
            return;
        }
        let at = begun.elapsed();
        match self.form {
            Form::Json => say(&transcript_json(id, at, direction, bytes).to_string()),
            Form::Text => say(&transcript_text(id, at, direction, bytes)),
        }
    }

    /// So many bytes pass that way, which may not be told.
    fn hidden(&self, id: Option<u64>, at: Duration, direction: Direction, count: usize) {
        match (self.is_talkative, self.form) {
            (false, _) => {}
            (true, Form::Json) => say(&hidden_json(id, at, direction, count).to_string()),
            (true, Form::Text) => say(&hidden_text(id, at, direction, count)),
        }
    }

    /// The transcript of a conversation that begins now; `id` is its number, where there are several at once.
    pub fn transcript(&self, script: &Rc<Script>, peer: &str, id: Option<u64>) -> Transcript {
        let minutes = Minutes::new(script.clone(), id, peer);
        Transcript { telling: self.clone(), minutes, is_over: false }
    }
}

/// The transcript of one conversation. Where it is dropped before that is over, the conversation was interrupted.
pub struct Transcript {
    telling: Telling,
    minutes: Minutes,
    is_over: bool,
}

impl Transcript {
    /// These bytes pass that way.
    pub fn passed(&mut self, direction: Direction, bytes: &[u8], secrecy: Secrecy) {
        if direction == Direction::Heard {
            self.minutes.received += bytes.len() as u64;
        }
        let (id, begun) = (self.minutes.id, self.minutes.begun);
        match secrecy {
            Secrecy::Open => self.telling.passed(id, begun, direction, bytes),
            Secrecy::Hidden => self.telling.hidden(id, begun.elapsed(), direction, bytes.len()),
        }
    }

    /// Nobody takes what was said last.
    pub fn lost(&mut self) {
        let (id, at) = (self.minutes.id, self.minutes.begun.elapsed());
        match (self.telling.is_talkative, self.telling.form) {
            (false, _) => {}
            (true, Form::Json) => say(&lost_json(id, at).to_string()),
            (true, Form::Text) => say(&lost_text(id, at)),
        }
    }

    /// So many bytes were taken from us.
    pub fn sent(&mut self, count: usize) {
        self.minutes.sent += count as u64;
    }

    /// These steps are over.
    pub fn steps(&mut self, news: impl Iterator<Item = News>) {
        for news in news {
            if let Some(step) = self.minutes.script.steps.get(news.step).filter(|_| self.telling.is_talkative)
            {
                let (id, at) = (self.minutes.id, self.minutes.at(&news));
                match self.telling.form {
                    Form::Json => say(&step_json(id, at, step, &news).to_string()),
                    Form::Text => say(&step_text(id, at, step, &news)),
                }
            }
            if self.telling.report.is_some() {
                self.minutes.add(news);
            }
        }
    }

    /// The conversation is over; tells how it ended.
    pub fn over(&mut self, verdict: &Verdict, exit: Exit, program: Option<ProgramEnd>) {
        self.is_over = true;
        self.minutes.wall = self.minutes.begun.elapsed();
        let account = Account { minutes: &self.minutes, verdict, exit, program };
        if !matches!(verdict.outcome, Outcome::Pass(_)) {
            match self.telling.form {
                Form::Json => say(&account_json(&account).to_string()),
                Form::Text => say(&format!("spile {}: {}", speaker(super::NAME), failure_text(&account))),
            }
        }
        self.report(End::Over(account));
    }

    fn report(&self, end: End<'_>) {
        if let Some(report) = &self.telling.report {
            report.conversation(&Record { minutes: &self.minutes, end });
        }
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        if !self.is_over {
            self.minutes.wall = self.minutes.begun.elapsed();
            self.report(End::Interrupted);
        }
    }
}
