//! The course of one conversation: which step it is at, and what that needs. It does no I/O and has no clock.

mod branches;
mod doing;
mod forbidden;
mod hearing;
mod hidden;
mod news;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::inbox::{Ends, Inbox};
use super::pattern::Patterns;
use super::script::{Op, Pace, Script, Secrecy, Terminator};
use super::verdict::{MOST_SHOWN, Outcome, Status, Verdict};
use forbidden::Forbidden;
use hearing::{Bad, Good, Hearing, Judgement, Scene, Wish};
use hidden::Hidden;
pub use news::{Capture, News};

/// What holds before the first step.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `>` adds.
    pub eol: Vec<u8>,
    /// What ends a unit.
    pub terminator: Terminator,
    /// How long each step may wait.
    pub timeout: Duration,
    /// How much of what was heard is kept for a step to decide; more is a failure.
    pub most_kept: usize,
    /// Variables and their values.
    pub variables: BTreeMap<String, Vec<u8>>,
    /// Whether something unread at the end is a failure.
    pub is_strict: bool,
    /// Compiled patterns; conversations that clone these settings share them.
    pub patterns: Patterns,
}

/// What has to be done before the course can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Say these bytes, at this pace; then ask again.
    Say(Vec<u8>, Option<Pace>),
    /// Say what is in this file; then ask again.
    SayFile(PathBuf, Option<Pace>),
    /// Hear something (`Course::hear`, `Course::ended`), or ask again at this time.
    Hear(Instant),
    /// Wait until then; what need not be heard is not: then ask again. A time that is over only asks for a breath.
    Pause(Instant),
    /// Begin TLS; then ask again.
    StartTls,
    /// Say our end.
    HalfClose,
    /// Say our end and take nothing more.
    Close,
    /// Reset the connection.
    Reset,
    /// It is over.
    Over(Box<Verdict>),
}

/// How a peer has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has said its end.
    Said,
    /// It was reset, or cut: why.
    Cut(String),
}

/// One conversation on its way through a script.
pub struct Course {
    script: Rc<Script>,
    settings: Settings,
    ends: Ends,
    pace: Option<Pace>,
    forbidden: Vec<Forbidden>,
    /// How often each loop still goes round: by the place of its `.loop`; none for ever.
    rounds: BTreeMap<usize, Option<u64>>,
    inbox: Inbox,
    ending: Option<Ending>,
    /// What a driver could not do, until it asks how that ends.
    failure: Option<(Outcome, String)>,
    voice: Voice,
    /// The step that it is at, and since when.
    at: usize,
    begun: Instant,
    now: Instant,
    state: State,
    /// With which status it leaves once nothing more comes.
    leaving: Option<Status>,
    /// Steps since something was last said, heard or waited for.
    idle: u32,
    /// The first step that said something which nobody took, and whether it may be told; none where something was heard
    /// since.
    lost: Option<(usize, Secrecy)>,
    secrecy: Secrecy,
    hidden: Hidden,
    news: Vec<News>,
}

/// What the step at hand is doing.
enum State {
    /// It has not begun.
    Ready,
    /// What it needs is done when one asks again.
    Doing,
    /// It waits.
    Pausing(Instant),
    /// It hears, until then.
    Hearing(Box<Hearing>, Instant),
    /// There is none: it is over.
    Over(Box<Verdict>),
}

/// What of our side is still open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// All.
    Open,
    /// We hear only.
    HalfClosed,
    /// Nothing.
    Closed,
}

/// Steps in one go; then others may have a turn.
const MOST_STEPS: u32 = 1000;

/// Steps after which a script that neither says nor hears anything goes round in circles.
const MOST_IDLE: u32 = 100_000;

impl Course {
    /// Begins at the first step.
    pub fn new(script: Rc<Script>, settings: Settings, now: Instant) -> Course {
        let mut course = Course {
            ends: Ends::Line,
            inbox: Inbox::new(settings.most_kept),
            script,
            settings,
            pace: None,
            forbidden: Vec::new(),
            rounds: BTreeMap::new(),
            ending: None,
            failure: None,
            voice: Voice::Open,
            at: 0,
            begun: now,
            now,
            state: State::Ready,
            leaving: None,
            idle: 0,
            lost: None,
            secrecy: Secrecy::Open,
            hidden: Hidden::default(),
            news: Vec::new(),
        };
        let terminator = course.settings.terminator.clone();
        if let Err(why) = course.end_units_with(terminator) {
            course.fail(Outcome::Failed, why);
        }
        course
    }

    /// What has to be done next. Must be called again after each need was met, and when its time has come.
    pub fn next(&mut self, now: Instant) -> Need {
        self.now = now;
        if let Some((outcome, why)) = self.failure.take() {
            self.fail(outcome, why);
        }
        for _ in 0..MOST_STEPS {
            if let Some(need) = self.turn() {
                let is_nothing = match &need {
                    Need::Over(_) => true,
                    Need::Say(bytes, _) => bytes.is_empty() && !self.says_empty_message(),
                    _ => false,
                };
                if !is_nothing {
                    self.idle = 0;
                }
                return need;
            }
        }
        Need::Pause(now)
    }

    /// True at `>>` alone, which is no step of a stream.
    fn says_empty_message(&self) -> bool {
        let step = self.script.steps.get(self.at);
        step.is_some_and(|step| matches!(&step.op, Op::Send { text, has_eol: false } if text.is_empty()))
    }

    /// Takes what was heard: no more than `room` allows is ever needed.
    pub fn hear(&mut self, bytes: &[u8]) {
        if self.takes_more() {
            self.inbox.push(bytes);
        }
    }

    fn takes_more(&self) -> bool {
        self.ending.is_none() && !matches!(self.state, State::Over(_))
    }

    /// The same for a whole message: its end is that of a unit, unless only the peer's end is.
    pub fn hear_message(&mut self, bytes: &[u8]) {
        if self.takes_more() {
            self.inbox.push_message(bytes);
        }
    }

    /// Nobody takes what the step at hand says: the program has ended, or closed its input. That is its right where it
    /// has answered already, so that whatever is heard after this step makes good for it; otherwise it is what goes wrong
    /// in the end.
    pub fn nobody_takes_it(&mut self) {
        self.lost.get_or_insert((self.at, self.secrecy()));
    }

    /// How long the step at hand may take; also one that says something to a peer that takes nothing.
    pub fn patience(&self) -> Duration {
        self.settings.timeout
    }

    /// How much may be heard before something is read.
    pub fn room(&self) -> usize {
        self.inbox.room()
    }

    /// The peer has ended; what it said before still counts.
    pub fn ended(&mut self, how: Ending) {
        self.ending.get_or_insert(how);
    }

    /// Why the peer was cut off, if it was.
    pub fn cut(&self) -> Option<&str> {
        match &self.ending {
            Some(Ending::Cut(why)) => Some(why),
            _ => None,
        }
    }

    /// A need could not be met: why. What is needed next is `Over`, with this outcome.
    pub fn failed(&mut self, outcome: Outcome, why: impl Into<String>) {
        self.failure.get_or_insert((outcome, why.into()));
    }

    /// The limit of the whole conversation is over.
    pub fn out_of_time(&mut self, why: &str) {
        self.failed(Outcome::Timeout, why);
    }

    /// What has happened since it was last asked for.
    pub fn take_news(&mut self) -> impl Iterator<Item = News> + '_ {
        self.news.drain(..)
    }

    /// The step at hand cannot be done: why.
    fn fail(&mut self, outcome: Outcome, why: impl Into<String>) {
        if matches!(self.state, State::Over(_)) {
            return;
        }
        let recent = match &self.state {
            State::Hearing(hearing, _) => hearing.recent(&self.inbox),
            _ => {
                let head = self.inbox.head();
                (head, self.inbox.end().min(head + MOST_SHOWN as u64))
            }
        };
        let bad = Bad { outcome, shown: recent, forbidden: None };
        let hearing = match std::mem::replace(&mut self.state, State::Ready) {
            State::Hearing(hearing, _) => Some(hearing),
            _ => None,
        };
        self.over(bad, hearing.as_deref(), Some(why.into()));
    }

    /// One turn: what is needed, or nothing where the next turn can follow at once.
    fn turn(&mut self) -> Option<Need> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Over(verdict) => {
                self.state = State::Over(verdict.clone());
                Some(Need::Over(verdict))
            }
            State::Doing => {
                self.done(Good::default());
                None
            }
            State::Pausing(until) if self.now >= until => {
                self.done(Good::default());
                None
            }
            State::Pausing(until) => {
                self.state = State::Pausing(until);
                Some(Need::Pause(until))
            }
            State::Hearing(hearing, until) => self.listen(hearing, until),
            State::Ready => {
                self.begun = self.now;
                self.idle += 1;
                if self.idle > MOST_IDLE {
                    self.fail(Outcome::Failed, "the script goes round without saying or hearing anything");
                    return None;
                }
                self.begin().unwrap_or_else(|why| {
                    self.fail(Outcome::Failed, why);
                    None
                })
            }
        }
    }

    fn listen(&mut self, mut hearing: Box<Hearing>, until: Instant) -> Option<Need> {
        let head = self.inbox.head();
        let mut scene =
            Scene { inbox: &mut self.inbox, ends: &self.ends, ending: self.ending.as_ref(), is_rest: false };
        let mut judgement = hearing.judge(&mut scene);
        if matches!(judgement, Judgement::Good(_)) && !matches!(hearing.wish, Wish::Nothing) {
            self.lost = None;
        }
        if matches!(judgement, Judgement::Wait) && self.now >= until {
            judgement = hearing.give_up(&self.inbox);
        }
        if self.inbox.head() != head {
            self.idle = 0;
        }
        match judgement {
            Judgement::Wait => {
                self.state = State::Hearing(hearing, until);
                return Some(Need::Hear(until));
            }
            Judgement::Good(good) => match self.leaving {
                Some(status) => self.leave(status),
                None => self.done(good),
            },
            Judgement::Bad(bad) => {
                let why = match (&bad.outcome, &self.ending) {
                    (Outcome::Cut, Some(Ending::Cut(why))) => Some(why.clone()),
                    _ => None,
                };
                self.over(bad, Some(&hearing), why);
            }
        }
        None
    }

    /// The step went well; the next follows.
    fn done(&mut self, good: Good) {
        self.hidden.set(good.set.iter().map(|(name, _)| name), self.secrecy());
        self.tell(good.got, good.set.iter().map(Capture::of).collect(), true);
        self.hidden.is_read = false;
        self.settings.variables.extend(good.set);
        self.at = good.to.unwrap_or(self.at + 1);
    }

    /// Ends well, if nothing is left that may not be and nothing was said in vain.
    fn leave(&mut self, status: Status) {
        if let Some((step, secrecy)) = self.lost.take() {
            self.at = step;
            self.tell_from_here(secrecy);
            return self.fail(Outcome::Cut, "the program took no more input");
        }
        let verdict = Verdict { outcome: Outcome::Pass(status), trouble: None, unread: self.unread() };
        self.tell(Vec::new(), Vec::new(), true);
        self.state = State::Over(Box::new(verdict));
    }

    /// Ends badly.
    fn over(&mut self, bad: Bad, hearing: Option<&Hearing>, why: Option<String>) {
        let trouble = self.trouble(&bad, hearing, why);
        self.tell(trouble.got.clone(), Vec::new(), false);
        let unread = if trouble.secrecy == Secrecy::Hidden { Vec::new() } else { self.unread() };
        let verdict = Verdict { outcome: bad.outcome, trouble: Some(Box::new(trouble)), unread };
        self.state = State::Over(Box::new(verdict));
    }

    fn unread(&self) -> Vec<u8> {
        match self.secrecy {
            Secrecy::Open if self.inbox.head() >= self.hidden.before => self.inbox.unread().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Hears until `timeout` is over.
    fn hear_for(&mut self, wish: Wish, timeout: Duration) -> Result<(), String> {
        self.hidden.is_read = self.inbox.head() < self.hidden.before;
        let watch = self.watch(&wish)?;
        let hearing = Hearing::new(wish, watch, &mut self.inbox);
        // A limit beyond the end of time is none that anybody lives to see.
        let until = self.begun.checked_add(timeout).unwrap_or(self.begun + Duration::from_secs(1 << 32));
        self.state = State::Hearing(Box::new(hearing), until);
        Ok(())
    }
}
