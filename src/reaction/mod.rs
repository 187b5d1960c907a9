//! What is done about signals and times while a program runs: actions, handlers one at a time, timers.
//!
//! `Reactions` stands beside a program as its company (see `supervise`): it has the first word about every signal,
//! and acts on the program.

mod action;
mod handlers;
mod log;
mod timers;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

pub use action::Action;
pub use handlers::Result as HandlerResult;
pub use log::{Entry, Log};
pub use timers::{Clock, Timer};

use crate::signal::{Arrival, Number};
use crate::supervise::{Act, Company, Event, Happening, Job, Reason, Supervisor};
use handlers::{Afterwards, Handlers};
use timers::Timers;

/// A second signal soon after the first has a meaning of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Double {
    /// Which.
    pub signal: Number,
    /// What the second does.
    pub action: Action,
    /// How soon.
    pub within: Duration,
}

/// What is done about what.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Signals with their actions, in the order in which they are taken.
    pub on: BTreeMap<Number, Vec<Action>>,
    /// What a second one means.
    pub doubles: Vec<Double>,
    /// What happens when.
    pub timers: Vec<Timer>,
    /// How long a handler may run.
    pub patience: Option<Duration>,
    /// How long a handler has between TERM and KILL.
    pub grace: Duration,
}

/// Why something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A signal was sent to spile.
    Signal(Arrival),
    /// It is time: the timer as it was typed.
    Timer(String),
}

/// How it goes on after the program, where that is not its own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequel {
    /// We end with this status.
    Exit(u8),
    /// The program runs again.
    Restart,
}

/// Something to tell.
#[derive(Clone, Debug)]
pub enum News {
    /// `report`: the cause, and the program that runs, for how long.
    Report(Cause, Option<i32>, Duration),
    /// A handler has ended.
    Handled(Cause, HandlerResult),
    /// Handlers that were still to run when the program's time was over.
    Dropped(u64),
}

/// The rules at work.
pub struct Reactions {
    rules: Rules,
    handlers: Handlers,
    timers: Timers,
    /// When the last signal of each double came.
    last: Vec<Option<Instant>>,
    decided: VecDeque<(Cause, Action)>,
    sequel: Option<Sequel>,
    news: Vec<News>,
    log: Log,
    began: Instant,
    /// When the program was started.
    started: Instant,
    is_hung_up: bool,
    /// TERM was passed on to the program that runs.
    is_to_end: bool,
}

impl Reactions {
    /// Nothing has happened yet.
    pub fn new(rules: Rules) -> Reactions {
        let now = Instant::now();
        Reactions {
            handlers: Handlers::new(rules.patience, rules.grace),
            timers: Timers::new(rules.timers.clone()),
            last: vec![None; rules.doubles.len()],
            decided: VecDeque::new(),
            sequel: None,
            news: Vec::new(),
            log: Log::default(),
            began: now,
            started: now,
            is_hung_up: false,
            is_to_end: false,
            rules,
        }
    }

    /// Takes away how it goes on.
    pub fn take_sequel(&mut self) -> Option<Sequel> {
        self.sequel.take()
    }

    /// Takes away what is new.
    pub fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// What was done, for the report.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What a signal leads to; empty where it is passed on as usual.
    fn actions(&mut self, signal: Number, now: Instant) -> Vec<Action> {
        for (double, last) in self.rules.doubles.iter().zip(&mut self.last) {
            if double.signal == signal
                && last.replace(now).is_some_and(|last| now.saturating_duration_since(last) <= double.within)
            {
                return vec![double.action.clone()];
            }
        }
        self.rules.on.get(&signal).cloned().unwrap_or_default()
    }

    fn perform(
        &mut self,
        cause: Cause,
        action: Action,
        now: Instant,
        supervisor: &Supervisor,
        job: &mut Job,
    ) {
        let entry = self.log.note(&cause, &action, now.saturating_duration_since(self.began));
        match action {
            Action::Run(line) => self.handlers.put(cause, line, Afterwards::Nothing, entry),
            Action::Both(line) => self.handlers.put(cause, line, Afterwards::PassOn, entry),
            Action::Send(signal) => {
                job.send(signal, None);
                job.was_sent(signal, supervisor);
            }
            Action::Forward => pass_on(&cause, supervisor, job),
            Action::Ignore => {}
            Action::Exit(status) => {
                self.sequel = Some(Sequel::Exit(status));
                stop(None, supervisor, job);
            }
            Action::Stop(grace) => stop(grace, supervisor, job),
            // No timer brings back what was told to end.
            Action::Restart if self.is_to_end && matches!(cause, Cause::Timer(_)) => {}
            Action::Restart => {
                self.sequel = Some(Sequel::Restart);
                job.end(Reason::Told, supervisor);
            }
            Action::Report => {
                let pid = running(job);
                self.news.push(News::Report(cause, pid, now.saturating_duration_since(self.started)));
            }
        }
    }
}

/// The program, while it runs.
fn running(job: &Job) -> Option<i32> {
    job.members().iter().find(|member| member.end.is_none()).map(|member| member.started.pid)
}

/// Sends the signal that has come to the program, as it came.
fn pass_on(cause: &Cause, supervisor: &Supervisor, job: &mut Job) {
    if let Cause::Signal(arrival) = cause {
        job.send(arrival.signal, arrival.value);
        job.was_sent(arrival.signal, supervisor);
    }
}

/// Asks the whole tree to end; who asks again does not want to wait.
fn stop(grace: Option<Duration>, supervisor: &Supervisor, job: &mut Job) {
    if job.is_ending() {
        return job.kill();
    }
    if let Some(grace) = grace {
        job.set_grace(grace);
    }
    job.end(Reason::Told, supervisor);
}

impl Company for Reactions {
    fn waits<'a>(&'a self, _fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        let at_once = self.is_hung_up.then(Instant::now);
        [at_once, self.handlers.due(), self.timers.due()].into_iter().flatten().min()
    }

    fn is_over(&self) -> bool {
        self.sequel == Some(Sequel::Restart) || self.handlers.are_idle()
    }

    fn hang_up(&mut self) {
        self.is_hung_up = true;
    }

    fn decide(&mut self, arrival: &Arrival, now: Instant) -> Option<Act> {
        let actions = self.actions(arrival.signal, now);
        if actions.is_empty() && arrival.signal.asks_to_end() {
            // Whoever asks for an end while we restart means us, too.
            self.sequel = self.sequel.filter(|sequel| *sequel != Sequel::Restart);
            self.is_to_end |= arrival.signal == Number::TERM;
        }
        let act = (!actions.is_empty()).then_some(Act::Taken);
        self.decided.extend(actions.into_iter().map(|action| (Cause::Signal(*arrival), action)));
        act
    }

    fn act(&mut self, now: Instant, supervisor: &mut Supervisor, job: &mut Job) {
        let program = running(job);
        self.decided.extend(self.timers.fire(now, |clock| job.cpu_time(clock, supervisor)));
        while let Some((cause, action)) = self.decided.pop_front() {
            self.perform(cause, action, now, supervisor, job);
        }
        if std::mem::take(&mut self.is_hung_up) {
            let dropped = self.handlers.end(supervisor);
            self.news.extend((dropped > 0).then_some(News::Dropped(dropped)));
        }
        for done in self.handlers.go_on(now, program, supervisor) {
            self.log.set_result(done.entry, &done.result);
            if done.afterwards == Afterwards::PassOn {
                pass_on(&done.cause, supervisor, job);
            }
            self.news.push(News::Handled(done.cause, done.result));
        }
    }

    fn note(&mut self, event: &Event) {
        self.handlers.note(event);
    }

    fn told(&mut self, happening: Happening<'_>) {
        match happening {
            Happening::Started(_) => {
                self.started = Instant::now();
                self.is_to_end = false;
                self.timers.arm(self.started);
            }
            Happening::Ended(_) => self.timers.disarm(),
            _ => {}
        }
    }
}
