//! Handlers: lines for the shell, run one after the other, never two at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Cause;
use super::sequel::Stop;
use crate::error::{Exit, Failure};
use crate::process::{Ends, Group, Program, Status};
use crate::signal::Sender;
use crate::supervise::{Event, Job, Limits, Manner, Orphans, Reason, Scope, Supervisor};

/// How many runs may wait; beyond it real-time signals are counted in the last run as others are.
const MOST_WAITING: usize = 1000;
/// How many of those that are so counted can be passed on afterwards: twice what a user's queue commonly holds.
const MOST_MERGED: usize = 65_536;

/// What happens after a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Nothing.
    Nothing,
    /// The signal is passed on, however the handler has ended.
    PassOn,
}

/// How a handler has ended.
#[derive(Clone, Debug)]
pub enum Result {
    /// It ran, for so long.
    Ended(Status, Duration),
    /// It ran for too long, and was ended.
    Late(Duration),
    /// It was ended after this long, since the program's time was over, or somebody wanted an end after it.
    Cut(Duration),
    /// It could not be started.
    Refused(Failure),
}

/// A run that waits or goes on.
#[derive(Clone, Debug)]
struct Run {
    cause: Cause,
    line: String,
    afterwards: Afterwards,
    /// How many signals it is for.
    count: u64,
    /// The values of those real-time signals that were merged with the first, and are to be passed on.
    merged: Vec<Option<i32>>,
    /// Its place in the log.
    entry: Option<usize>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Done {
    /// Why it ran.
    pub cause: Cause,
    /// What is still to do.
    pub afterwards: Afterwards,
    /// The values of those that are passed on after the first.
    pub merged: Vec<Option<i32>>,
    /// How it ended.
    pub result: Result,
    /// Its place in the log.
    pub entry: Option<usize>,
}

/// The queue and the one that runs.
pub struct Handlers {
    waiting: VecDeque<Run>,
    current: Option<(Run, Job, Instant)>,
    is_over: bool,
    /// How many values the runs that wait keep.
    merged: usize,
    lost: u64,
    dropped: u64,
    limits: Limits,
    manner: Manner,
}

impl Handlers {
    /// None yet. Each may run for `patience`, and has `grace` to end then.
    pub fn new(patience: Option<Duration>, grace: Duration) -> Handlers {
        let limits = Limits { total: patience, ..Limits::default() };
        // Its group and not its tree: orphans of the program, which come to us as well, are none of its own.
        let manner = Manner { grace, scope: Scope::Group, orphans: Orphans::Leave, ..Manner::default() };
        Handlers {
            waiting: VecDeque::new(),
            current: None,
            is_over: false,
            merged: 0,
            lost: 0,
            dropped: 0,
            limits,
            manner,
        }
    }

    /// The time of a program begins, and with it theirs.
    pub fn begin(&mut self) {
        self.is_over = false;
    }

    /// Puts a run into the queue. Signals of the same kind for which one waits already are merged with it and
    /// counted, as the kernel does without counting; of real-time signals each has its own while there is room, and
    /// is passed on by itself in any case.
    pub fn put(&mut self, cause: Cause, line: String, afterwards: Afterwards, entry: Option<usize>) {
        if self.is_over {
            return self.refuse();
        }
        let run = Run { cause, line, afterwards, count: 1, merged: Vec::new(), entry };
        let is_full = self.waiting.len() >= MOST_WAITING;
        let Some(same) = self.waiting.iter_mut().rev().find(|waiting| waiting.takes(&run, is_full)) else {
            return self.waiting.push_back(run);
        };
        same.count += 1;
        if let (Some(value), Afterwards::PassOn) = (run.real_time_value(), afterwards) {
            match self.merged < MOST_MERGED {
                true => {
                    same.merged.push(value);
                    self.merged += 1;
                }
                false => self.lost += 1,
            }
        }
    }

    /// Counts one for which none begins.
    pub fn refuse(&mut self) {
        self.dropped += 1;
    }

    /// For how many signals and times there was no run: it was too late, or there is none any more.
    pub fn unhandled(&self) -> u64 {
        self.dropped + self.waiting.iter().map(|run| run.count).sum::<u64>()
    }

    /// How many signals cannot be passed on, since there was no place for them.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// True when none runs and none waits.
    pub fn are_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// When the one that runs must be looked after.
    pub fn due(&self) -> Option<Instant> {
        self.current.as_ref().and_then(|(_, job, _)| job.due())
    }

    /// Takes note of what happened to the one that runs.
    pub fn note(&mut self, event: &Event) {
        if let Some((_, job, _)) = &mut self.current {
            job.note(event);
        }
    }

    /// True when their time is over.
    pub fn are_over(&self) -> bool {
        self.is_over
    }

    /// Their time is over: drops those that wait and all that would follow, and ends the one that runs; whoever wants
    /// that again gets it killed.
    pub fn end(&mut self, stop: Stop, supervisor: &Supervisor) {
        self.is_over = true;
        self.dropped = self.unhandled();
        self.waiting.clear();
        self.merged = 0;
        if let Some((_, job, _)) = &mut self.current {
            job.end(Reason::Told, supervisor);
            if stop == Stop::Again {
                job.kill();
            }
        }
    }

    /// Looks after the one that runs, and starts the next; answers those that are over. `program` is the process
    /// that they are told of.
    pub fn go_on(&mut self, now: Instant, program: Option<i32>, supervisor: &mut Supervisor) -> Vec<Done> {
        let mut over = Vec::new();
        loop {
            if let Some((_, job, _)) = &mut self.current {
                job.tick(now, supervisor);
                if !job.is_over() {
                    return over;
                }
            }
            over.extend(self.current.take().map(|(run, job, began)| run.done(result(&job, began))));
            let Some(run) = self.waiting.pop_front() else { return over };
            self.merged -= run.merged.len();
            let mut job = Job::new(self.limits, self.manner);
            match start(&run, program, supervisor) {
                Ok(started) => {
                    job.add(started);
                    self.current = Some((run, job, Instant::now()));
                }
                Err(failure) => over.push(run.done(Result::Refused(failure))),
            }
        }
    }
}

fn result(job: &Job, began: Instant) -> Result {
    let end = job.members().first().and_then(|member| member.end);
    match (end, job.reason()) {
        (Some((status, _, at)), Reason::Ended) => Result::Ended(status, at.saturating_duration_since(began)),
        (_, Reason::Told) => Result::Cut(began.elapsed()),
        _ => Result::Late(began.elapsed()),
    }
}

impl Run {
    fn done(self, result: Result) -> Done {
        let Run { cause, afterwards, merged, entry, .. } = self;
        Done { cause, afterwards, merged, result, entry }
    }

    /// What came along with a signal of which the kernel, too, would keep each one; that may be no value.
    fn real_time_value(&self) -> Option<Option<i32>> {
        match &self.cause {
            Cause::Signal(arrival) if arrival.signal.is_real_time() => Some(arrival.value),
            _ => None,
        }
    }

    /// True when it can stand for another one, too.
    fn takes(&self, other: &Run, is_full: bool) -> bool {
        let is_alike = match (&self.cause, &other.cause) {
            (Cause::Signal(one), Cause::Signal(two)) => {
                one.signal == two.signal && (is_full || !one.signal.is_real_time())
            }
            (one, two) => one == two,
        };
        is_alike && self.line == other.line && self.afterwards == other.afterwards
    }
}

fn start(
    run: &Run,
    program: Option<i32>,
    supervisor: &mut Supervisor,
) -> std::result::Result<crate::process::Started, Failure> {
    let mut handler = Program::new(vec!["/bin/sh".into(), "-c".into(), run.line.clone().into(), "sh".into()]);
    handler.group = Group::New;
    let variables = &mut handler.environment;
    variables.set("SPILE_COUNT", run.count.to_string());
    variables.set("SPILE_PID", program.map(|pid| pid.to_string()).unwrap_or_default());
    match &run.cause {
        Cause::Signal(arrival) => {
            variables.set("SPILE_SIGNAL", arrival.signal.to_string());
            variables.set("SPILE_VALUE", arrival.value.map(|value| value.to_string()).unwrap_or_default());
            if let Sender::Process { pid, uid } = arrival.sender {
                variables.set("SPILE_SENDER_PID", pid.to_string());
                variables.set("SPILE_SENDER_UID", uid.to_string());
            }
        }
        Cause::Timer(timer) => variables.set("SPILE_TIMER", timer.clone()),
    }
    let null = std::fs::File::open("/dev/null")
        .map_err(|why| Failure::new(Exit(125), "cannot open /dev/null", why))?;
    Ok(supervisor.spawn(&handler, Ends::inherited().stdin(null.into()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Arrival, Code, Number};

    fn put(handlers: &mut Handlers, signal: Number, value: Option<i32>, afterwards: Afterwards) {
        let arrival = Arrival { signal, sender: Sender::Kernel, code: Code::USER, value };
        handlers.put(Cause::Signal(arrival), "x".to_owned(), afterwards, None);
    }

    #[test]
    fn a_storm_is_counted_and_takes_a_bounded_place() {
        let mut handlers = Handlers::new(None, Duration::ZERO);
        let real_time = Number::new(40).unwrap();
        for n in 0..100_000 {
            put(&mut handlers, Number::HUP, None, Afterwards::Nothing);
            put(&mut handlers, real_time, Some(n), Afterwards::Nothing);
        }
        assert!(handlers.waiting.len() <= MOST_WAITING);
        let count = |signal| {
            let is_it = |run: &&Run| matches!(&run.cause, Cause::Signal(arrival) if arrival.signal == signal);
            handlers.waiting.iter().filter(is_it).map(|run| run.count).sum::<u64>()
        };
        assert_eq!((count(Number::HUP), count(real_time)), (100_000, 100_000));
        assert_eq!((handlers.lost(), handlers.merged), (0, 0), "nothing is to be passed on");
    }

    #[test]
    fn what_is_to_be_passed_on_keeps_its_values_in_order_or_is_counted_as_lost() {
        let mut handlers = Handlers::new(None, Duration::ZERO);
        let real_time = Number::new(40).unwrap();
        let all = 100_000;
        for n in 0..all {
            put(&mut handlers, real_time, Some(n), Afterwards::PassOn);
            put(&mut handlers, Number::HUP, None, Afterwards::PassOn);
        }
        let values = handlers.waiting.iter().flat_map(|run| {
            let first = run.real_time_value();
            first.into_iter().chain(run.merged.iter().copied())
        });
        let values: Vec<_> = values.flatten().collect();
        assert!(values.iter().copied().eq(0..values.len() as i32), "in order");
        assert_eq!(values.len() as u64 + handlers.lost(), all as u64);
        // One place is that of HUP, which is merged as the kernel does.
        assert_eq!(values.len(), MOST_WAITING - 1 + MOST_MERGED);
    }
}
