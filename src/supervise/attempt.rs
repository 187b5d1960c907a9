//! One program from its start to its end, with the signals and the terminal of spile.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::PollFlags;

use super::forward::{Act, Forwarding, Handled};
use super::{AT_ONCE, Event, Foreground, Job, Keys, Limits, Manner, Member, Reason, Supervisor};
use crate::error::{Exit, Failure};
use crate::process::{Ends, Group, Program, SpawnError};
use crate::signal::{Arrival, Number, queue_limit};

/// How many signals an outcome lists.
const MOST_SIGNALS: usize = 1000;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Order {
    /// What to run.
    pub program: Program,
    /// The process group asked for, if one was.
    pub group: Option<Group>,
    /// How long and how much.
    pub limits: Limits,
    /// How it is ended.
    pub manner: Manner,
    /// Which signals it gets.
    pub forwarding: Forwarding,
    /// Whose the terminal's keys are.
    pub keys: Keys,
    /// How long its company may go on after it.
    pub linger: Duration,
}

/// A step in the life of a program.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// It runs.
    Started(&'a Member),
    /// A signal was sent to spile.
    Signal(&'a Handled),
    /// It uses the terminal, whose keys were ours until now and reach it alone from now on.
    KeysLost,
    /// It is being ended.
    Ending(Reason),
    /// It has ended.
    Ended(&'a Member),
}

/// What goes on beside the program: flows of its bytes, services, those who are told.
pub trait Company {
    /// Adds the descriptors to wait for; answers when to go on even if none is ready.
    fn waits<'a>(&'a self, _fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        None
    }

    /// Does what can be done now; true when the program has put something out.
    fn advance(&mut self, _now: Instant) -> bool {
        false
    }

    /// True when nothing more is to come.
    fn is_over(&self) -> bool {
        true
    }

    /// True while children of its own run, or are to: nobody leaves them behind.
    fn has_children(&self) -> bool {
        false
    }

    /// Waits for nothing more than what is there already: its time after the program is over.
    fn hang_up(&mut self) {}

    /// Has the first word about a signal that was sent to spile; `None`: it is passed on as usual.
    fn decide(&mut self, _arrival: &Arrival, _now: Instant) -> Option<Act> {
        None
    }

    /// Acts on the program, and starts what belongs to it: after each signal, and whenever something has happened.
    fn act(&mut self, _now: Instant, _supervisor: &mut Supervisor, _job: &mut Job) {}

    /// Hears of every event, also those of other children.
    fn note(&mut self, _event: &Event) {}

    /// Is told about the program.
    fn told(&mut self, _happening: Happening<'_>) {}
}

/// How it went.
pub struct Outcome {
    /// Its children: one that has ended, or none where it could not be started.
    pub job: Job,
    /// Why it could not be started.
    pub refused: Option<SpawnError>,
    /// When.
    pub began: SystemTime,
    /// From the spawn to the end.
    pub wall: Duration,
    /// When the clock of `signals` began.
    pub start: Instant,
    /// Signals that were sent to spile meanwhile: the first ones.
    pub signals: Vec<Handled>,
    /// How many more there were.
    pub more_signals: u64,
    /// Somebody insisted on an end, with this signal.
    pub interrupted: Option<Number>,
}

/// Runs a program to its end. Fails only where spile itself cannot go on.
pub fn attempt(
    supervisor: &mut Supervisor,
    mut order: Order,
    ends: Ends,
    company: &mut dyn Company,
) -> Result<Outcome, Failure> {
    let keys = order.keys.max(order.forwarding.keys());
    let group = order.group.or(order.forwarding.group());
    let foreground = Foreground::arrange(&mut order.program, group, keys);
    let mut attempt = Attempt {
        outcome: Outcome {
            job: Job::new(order.limits, order.manner).hears(order.forwarding.to()),
            refused: None,
            began: SystemTime::now(),
            wall: Duration::ZERO,
            start: Instant::now(),
            signals: Vec::new(),
            more_signals: 0,
            interrupted: None,
        },
        forwarding: order.forwarding,
        foreground,
        halted: None,
        company,
    };
    match supervisor.spawn(&order.program, ends) {
        Ok(started) => {
            attempt.foreground.started(&order.program, started.pid);
            attempt.outcome.job.add(started);
        }
        Err(refused) => {
            attempt.outcome.refused = Some(refused);
            // They may be of an earlier run.
            if attempt.company.has_children() {
                attempt.live(supervisor, order.linger)?;
            }
            return Ok(attempt.finish());
        }
    }
    attempt.company.told(Happening::Started(&attempt.outcome.job.members()[0]));
    attempt.live(supervisor, order.linger)?;
    Ok(attempt.finish())
}

/// How long the company of a program may go on after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// The program runs.
    Unneeded,
    /// Until then.
    Until(Instant),
    /// It was told to stop.
    Over,
}

impl Patience {
    fn due(self) -> Option<Instant> {
        match self {
            Patience::Until(end) => Some(end),
            _ => None,
        }
    }
}

struct Attempt<'a> {
    outcome: Outcome,
    forwarding: Forwarding,
    foreground: Foreground,
    /// The program was stopped, by this signal, and not continued since.
    halted: Option<(i32, Number)>,
    company: &'a mut dyn Company,
}

impl Attempt<'_> {
    fn live(&mut self, supervisor: &mut Supervisor, linger: Duration) -> Result<(), Failure> {
        let mut patience = Patience::Unneeded;
        loop {
            let events = {
                let mut fds = Vec::new();
                let due = self.company.waits(&mut fds);
                let until = [due, self.outcome.job.due(), patience.due()].into_iter().flatten().min();
                supervisor.wait(&fds, until)
            };
            let cannot = |why| Failure::new(Exit(125), "cannot wait for the program", why);
            let has_run = self.outcome.runs();
            let events = events.map_err(cannot)?;
            // All of them are reaped by now: because of one that has ended, no other one is to be signalled.
            events.iter().for_each(|event| self.company.note(event));
            events.iter().for_each(|event| self.hear(event, supervisor));
            if has_run && !self.outcome.runs() {
                self.hear_what_came_before(supervisor).map_err(cannot)?;
            }
            // Only now: what has come meanwhile may be that we are to go on.
            if let Some((pid, by)) = self.halted.take() {
                let keys = self.foreground.keys();
                self.foreground.stopped(pid, by);
                if self.foreground.keys() != keys {
                    self.company.told(Happening::KeysLost);
                }
            }
            let now = supervisor.now();
            if self.company.advance(now) {
                self.outcome.job.is_active(now);
            }
            self.company.act(now, supervisor, &mut self.outcome.job);
            let was_ending = self.outcome.job.is_ending();
            self.outcome.job.tick(now, supervisor);
            if self.outcome.job.is_ending() && !was_ending && self.outcome.job.reason() != Reason::Ended {
                self.company.told(Happening::Ending(self.outcome.job.reason()));
            }
            if self.outcome.job.is_over() {
                patience = match patience {
                    Patience::Unneeded => Patience::Until(Instant::now() + linger),
                    Patience::Until(end) if now >= end => {
                        self.company.hang_up();
                        Patience::Over
                    }
                    same => same,
                };
                // What is on its way is delivered, however slow its reader; but a limit is a limit.
                let is_cut = self.outcome.passed_a_limit() || self.outcome.interrupted.is_some();
                let is_cut = is_cut && patience == Patience::Over && !self.company.has_children();
                if self.company.is_over() || is_cut {
                    return Ok(());
                }
            }
        }
    }

    fn hear(&mut self, event: &Event, supervisor: &mut Supervisor) {
        let is_about_it = self.outcome.job.note(event);
        match event {
            Event::Ended(..) if is_about_it => {
                self.outcome.wall = self.outcome.start.elapsed();
                self.company.told(Happening::Ended(&self.outcome.job.members()[0]));
            }
            Event::Stopped(pid, by) if is_about_it => self.halted = Some((*pid, *by)),
            Event::Continued(_) if is_about_it => self.halted = None,
            Event::Signal(arrival) => self.signal(arrival, supervisor),
            _ => {}
        }
    }

    /// The program has just been seen to have ended: real-time signals that wait by now came before that, since CHLD,
    /// as all others, is read before them. In a storm no more are heard than can have waited.
    fn hear_what_came_before(&mut self, supervisor: &mut Supervisor) -> io::Result<()> {
        for _ in 0..=queue_limit() / AT_ONCE {
            let signals = supervisor.real_time_signals()?;
            signals.iter().for_each(|arrival| self.signal(arrival, supervisor));
            if signals.len() < AT_ONCE {
                break;
            }
        }
        Ok(())
    }

    fn signal(&mut self, arrival: &Arrival, supervisor: &mut Supervisor) {
        let now = Instant::now();
        let together = self.foreground.together();
        let wanted = self.company.decide(arrival, now);
        let act = wanted.unwrap_or_else(|| self.forwarding.decide(arrival, together, now));
        let job = &mut self.outcome.job;
        if arrival.signal == Number::CONT
            && let Some(stopped) = job.members().iter().find(|member| member.stopped)
        {
            self.foreground.continued(stopped.started.pid);
            self.halted = None;
        }
        match act {
            Act::Forward(signal) => {
                if signal.asks_to_stop() {
                    self.foreground.asked_to_stop(*arrival);
                }
                job.send(signal, arrival.value);
                // Whoever sends TERM asks for an end, as whatever it is passed on.
                job.was_sent(arrival.signal, supervisor);
                job.was_sent(signal, supervisor);
            }
            Act::Shared => job.was_sent(arrival.signal, supervisor),
            Act::Taken | Act::Ignore => {}
            Act::End => job.end(Reason::Told, supervisor),
            Act::Kill => job.kill(),
        }
        // What an action was asked for is its company's affair, also after the program.
        let is_gone = job.is_over() && arrival.signal.asks_to_end() && act != Act::Taken;
        if is_gone || matches!(act, Act::End | Act::Kill) {
            self.outcome.interrupted = Some(arrival.signal);
        }
        let handled = Handled { at: now, arrival: *arrival, act };
        self.company.told(Happening::Signal(&handled));
        match self.outcome.signals.len() < MOST_SIGNALS {
            true => self.outcome.signals.push(handled),
            false => self.outcome.more_signals += 1,
        }
        if act == Act::Taken {
            self.company.act(now, supervisor, &mut self.outcome.job);
        }
    }

    fn finish(self) -> Outcome {
        let end = self.outcome.job.members().first().and_then(|member| member.end);
        self.foreground.over(end.is_some_and(|(status, ..)| status.signal().is_some()));
        self.outcome
    }
}

impl Outcome {
    /// The program, where it was started.
    pub fn member(&self) -> Option<&Member> {
        self.job.members().first()
    }

    /// True while the program has not ended.
    fn runs(&self) -> bool {
        self.member().is_some_and(|member| member.end.is_none())
    }

    /// True when somebody wants an end, of this and of whatever would be next.
    pub fn is_the_last(&self) -> bool {
        self.interrupted.is_some() || self.job.was_asked_to_end()
    }

    /// True when it was stopped by us and not by its own end.
    pub fn passed_a_limit(&self) -> bool {
        matches!(self.job.reason(), Reason::Timeout | Reason::IdleTimeout | Reason::CpuTimeout)
    }
}
