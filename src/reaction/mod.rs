//! What is done about signals and times while a program runs: actions, handlers one at a time, timers.
//!
//! `Reactions` stands beside a program as its company (see `supervise`): it has the first word about every signal,
//! and acts on the program.

mod action;
mod handlers;
mod log;
mod sequel;
mod timers;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

pub use action::Action;
pub use handlers::Result as HandlerResult;
pub use log::{Entry, Log};
pub use sequel::Sequel;
pub use timers::{Clock, Timer};

use crate::signal::{Arrival, Number};
use crate::supervise::{Act, Company, Event, Handled, Happening, Job, Reason, Supervisor};
use handlers::{Afterwards, Handlers};
use sequel::{Stop, Wishes};
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
    /// How long programs and handlers have between TERM and KILL.
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

/// Something to tell.
#[derive(Clone, Debug)]
pub enum News {
    /// Something is done.
    Acted(Cause, Action),
    /// `report`: the cause, and the program that runs, for how long.
    Report(Cause, Option<i32>, Duration),
    /// A handler has ended.
    Handled(Cause, HandlerResult),
    /// `restart`, which comes to nothing: an end was asked for.
    NoRestart(Cause),
}

/// The rules at work.
pub struct Reactions {
    rules: Rules,
    handlers: Handlers,
    timers: Timers,
    /// When the last signal of each double came.
    last: Vec<Option<Instant>>,
    decided: VecDeque<(Cause, Action)>,
    wishes: Wishes,
    news: Vec<News>,
    log: Log,
    began: Instant,
    /// When the program was started.
    started: Instant,
    /// The program has been started, and has ended.
    has_ended: bool,
    /// Handlers are to end, too.
    hung_up: Option<Stop>,
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
            wishes: Wishes::new(rules.grace),
            news: Vec::new(),
            log: Log::default(),
            began: now,
            started: now,
            has_ended: false,
            hung_up: None,
            rules,
        }
    }

    /// Takes away how it goes on.
    pub fn take_sequel(&mut self) -> Option<Sequel> {
        self.wishes.take()
    }

    /// For how many signals and times no handler has run, since the program's time was over.
    pub fn unhandled(&self) -> u64 {
        self.handlers.unhandled()
    }

    /// How many signals could not be passed on after their handlers: there was no place to keep them meanwhile.
    pub fn lost_signals(&self) -> u64 {
        self.handlers.lost()
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
        self.news.push(News::Acted(cause.clone(), action.clone()));
        match action {
            // Handlers that are there have the grace after the program; none begins for what comes only then.
            Action::Run(_) if job.is_over() => self.handlers.refuse(),
            Action::Run(line) => self.handlers.put(cause, line, Afterwards::Nothing, entry),
            Action::Both(line) => {
                // Now and not only when the handler is over: nobody is to restart meanwhile what is to end.
                self.asked_by(&cause, None, now, job);
                match job.is_over() {
                    true => self.handlers.refuse(),
                    false => self.handlers.put(cause, line, Afterwards::PassOn, entry),
                }
            }
            Action::Send(signal) => {
                self.asked_by(&cause, Some(signal), now, job);
                job.send(signal, None);
                was_sent(&cause, Some(signal), supervisor, job);
            }
            Action::Forward => {
                self.asked_by(&cause, None, now, job);
                self.pass_on(&cause, &[], now, supervisor, job);
            }
            Action::Ignore => {}
            Action::Exit(status) => {
                let stop = self.wishes.exit(status);
                self.stop(stop, None, supervisor, job);
            }
            Action::Stop(grace) => {
                let stop = self.wishes.stop();
                self.stop(stop, grace, supervisor, job);
            }
            Action::Restart if self.wishes.restart(&cause, now) => job.end(Reason::Told, supervisor),
            Action::Restart => {
                self.log.set_refused(entry);
                self.news.push(News::NoRestart(cause));
            }
            Action::Report => {
                let pid = running(job);
                self.news.push(News::Report(cause, pid, now.saturating_duration_since(self.started)));
            }
        }
    }

    /// Asks the whole tree to end; who asks again does not want to wait. Handlers have the grace after the program,
    /// unless nothing else is left to end.
    fn stop(&mut self, stop: Stop, grace: Option<Duration>, supervisor: &Supervisor, job: &mut Job) {
        if job.is_over() {
            self.hung_up = self.hung_up.max(Some(stop));
        }
        if stop == Stop::Again {
            return job.kill();
        }
        if let Some(grace) = grace {
            job.set_grace(grace);
        }
        job.end(Reason::Told, supervisor);
    }

    /// What was sent to us or to the program may ask for an end.
    fn reached_by(&mut self, cause: &Cause, sent: Option<Number>, now: Instant) {
        signals(cause, sent).for_each(|signal| self.wishes.reached_by(signal, now));
    }

    /// The same of what has come just now: where nothing is left of the program, handlers alone can hear it.
    fn asked_by(&mut self, cause: &Cause, sent: Option<Number>, now: Instant, job: &Job) {
        self.reached_by(cause, sent, now);
        if job.is_over() && signals(cause, sent).any(Number::asks_to_end) {
            let stop = if self.handlers.are_over() { Stop::Again } else { Stop::First };
            self.hung_up = self.hung_up.max(Some(stop));
        }
    }

    /// Sends the signal that has come to the program, as it came; after it those that were merged with it, each with
    /// its value.
    fn pass_on(
        &mut self,
        cause: &Cause,
        merged: &[Option<i32>],
        now: Instant,
        supervisor: &Supervisor,
        job: &mut Job,
    ) {
        let Cause::Signal(arrival) = cause else { return };
        self.reached_by(cause, None, now);
        for value in [&arrival.value].into_iter().chain(merged) {
            job.send(arrival.signal, *value);
        }
        was_sent(cause, None, supervisor, job);
    }
}

/// The program, while it runs.
fn running(job: &Job) -> Option<i32> {
    job.members().iter().find(|member| member.end.is_none()).map(|member| member.started.pid)
}

/// A signal has reached the program because of another one: whichever of the two asks to end, it is asked.
fn was_sent(cause: &Cause, sent: Option<Number>, supervisor: &Supervisor, job: &mut Job) {
    signals(cause, sent).for_each(|signal| job.was_sent(signal, supervisor));
}

/// The signal that came, and what was sent for it.
fn signals(cause: &Cause, sent: Option<Number>) -> impl Iterator<Item = Number> {
    let came = match cause {
        Cause::Signal(arrival) => Some(arrival.signal),
        Cause::Timer(_) => None,
    };
    came.into_iter().chain(sent)
}

impl Company for Reactions {
    fn waits<'a>(&'a self, _fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        let at_once = self.hung_up.map(|_| Instant::now());
        [at_once, self.handlers.due(), self.timers.due()].into_iter().flatten().min()
    }

    fn is_over(&self) -> bool {
        self.wishes.sequel() == Some(Sequel::Restart) || self.handlers.are_idle()
    }

    fn has_children(&self) -> bool {
        !self.handlers.are_idle()
    }

    fn hang_up(&mut self) {
        self.hung_up = self.hung_up.max(Some(Stop::First));
    }

    fn decide(&mut self, arrival: &Arrival, now: Instant) -> Option<Act> {
        let actions = self.actions(arrival.signal, now);
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
        if let Some(stop) = self.hung_up.take() {
            self.handlers.end(stop, supervisor);
        }
        for done in self.handlers.go_on(now, program, supervisor) {
            self.log.set_result(done.entry, &done.result);
            if done.afterwards == Afterwards::PassOn {
                self.pass_on(&done.cause, &done.merged, now, supervisor, job);
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
                self.wishes.started();
                self.handlers.begin();
                (self.has_ended, self.hung_up) = (false, None);
                self.timers.arm(self.started);
            }
            Happening::Ended(_) => {
                self.has_ended = true;
                self.timers.disarm();
            }
            Happening::Signal(Handled { at, arrival, act }) => {
                let sent = match act {
                    Act::Forward(signal) => *signal,
                    Act::Shared => arrival.signal,
                    _ => return,
                };
                self.reached_by(&Cause::Signal(*arrival), Some(sent), *at);
                // Only handlers are left to hear it.
                if self.has_ended && (arrival.signal.asks_to_end() || sent.asks_to_end()) {
                    let is_first = self.hung_up.is_none() && !self.handlers.are_over();
                    self.hung_up = Some(if is_first { Stop::First } else { Stop::Again });
                }
            }
            _ => {}
        }
    }
}
