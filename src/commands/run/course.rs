//! From the first spawn to the report: services, batches, attempts.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use serde_json::{Value, json};

use super::results::{Telling, say_keys_are_lost, say_missed, tell_time};
use super::retries::{Failed, not_clean};
use super::{Args, Verdict};
use crate::commands::log::say;
use crate::error::{Exit, Failure};
use crate::process::{Ends, Group, Program};
use crate::report::{attempt_json, run_json, service_json, streams_json, tree_json, unready_json};
use crate::services::{News, Services, Unready};
use crate::signal::{self, Number};
use crate::streams::{Streams, Told, Tty};
use crate::supervise::{
    Companions, Company, Event, Happening, Keys, Order, Outcome, Scope, Supervisor, attempt, pause, sweep,
};

/// Everything that is alive while `run` runs.
pub struct Course<'a> {
    args: &'a Args,
    supervisor: Supervisor,
    telling: Telling,
    services: Services,
    has_run: bool,
    reports: Vec<Value>,
}

/// One attempt and what it means.
struct Attempted {
    verdict: Verdict,
    outcome: Outcome,
    told: Told,
}

fn cannot_wait(why: std::io::Error) -> Failure {
    Failure::new(Exit(125), "cannot wait for children", why)
}

impl<'a> Course<'a> {
    /// Nothing runs yet.
    pub fn new(args: &'a Args) -> Result<Course<'a>, Failure> {
        let start = Instant::now();
        // A fifo of the report is waited for as a shell does: we can be interrupted meanwhile.
        let telling = args.results.open(start)?;
        let supervisor = Supervisor::new()?;
        let services = Services::new(args.limits.manner());
        Ok(Course { args, supervisor, telling, services, has_run: false, reports: Vec::new() })
    }

    /// Starts the services, runs everything, ends the services whatever has happened, tells about it.
    pub fn run(mut self, runs: Vec<Vec<OsString>>) -> Result<(Verdict, Option<Failure>), Failure> {
        let verdict = self.go(runs);
        self.telling.end("run");
        Ok((verdict?, self.telling.failure.take()))
    }

    fn go(&mut self, runs: Vec<Vec<OsString>>) -> Result<Verdict, Failure> {
        let result = match self.start_services() {
            Ok(()) => self.run_all(runs),
            Err(Unready::Failed(failure)) => Ok(Verdict::Fail(failure)),
            Err(Unready::Interrupted(signal)) => Ok(Verdict::Die(signal)),
        };
        let services = self.services.stop(&mut self.supervisor)?;
        let verdict = result?;
        if !self.has_run {
            self.reports.push(unready_json(verdict.exit()));
        }
        if let Some(place) = &mut self.telling.report {
            for mut report in std::mem::take(&mut self.reports) {
                report["services"] = services.iter().map(service_json).collect();
                place.tell(&report)?;
            }
        }
        Ok(verdict)
    }

    fn start_services(&mut self) -> Result<(), Unready> {
        let wanted = &self.args.services;
        for service in &wanted.wanted {
            let result = self.services.start(service, wanted.patience, wanted.show, &mut self.supervisor);
            Beside { services: &mut self.services, telling: &mut self.telling }.tell_news();
            result?;
        }
        Ok(())
    }

    fn run_all(&mut self, runs: Vec<Vec<OsString>>) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::Exit(Exit::OK);
        for argv in runs {
            let is_interrupted;
            (verdict, is_interrupted) = self.attempts(&argv)?;
            if is_interrupted || !matches!(verdict, Verdict::Exit(Exit::OK)) {
                break;
            }
        }
        Ok(verdict)
    }

    /// One program, as often as it takes; true when somebody has asked us to end.
    fn attempts(&mut self, argv: &[OsString]) -> Result<(Verdict, bool), Failure> {
        let mut past = Vec::new();
        let mut slept = Duration::ZERO;
        loop {
            let n = past.len() as u32 + 1;
            let Attempted { verdict, outcome, mut told } = self.attempt(argv)?;
            past.push(attempt_json(n, &outcome, verdict.exit(), slept));
            let failed = Failed {
                verdict: &verdict,
                is_refused: outcome.refused.is_some(),
                is_late: outcome.passed_a_limit(),
                signal: outcome
                    .member()
                    .and_then(|member| member.end)
                    .and_then(|(status, ..)| status.signal()),
                told: &told,
            };
            let again = self.args.retries.again(n, &failed).filter(|_| !outcome.is_the_last());
            if let Some(time) = again {
                self.telling.event(json!({"ev": "retry", "attempt": n, "exit": verdict.exit().0, "pause": time.as_secs_f64()}));
                match self.between(time)? {
                    None => slept = time,
                    Some(signal) => return Ok((Verdict::Die(signal), true)),
                }
                continue;
            }
            told.end(!matches!(verdict, Verdict::Exit(Exit::OK)));
            self.finish(argv, &verdict, &outcome, told, past);
            return Ok((verdict, outcome.is_the_last()));
        }
    }

    /// Ends what the last attempt has left, waits, and cleans up. Answers a signal that asks us to end.
    fn between(&mut self, time: Duration) -> Result<Option<Number>, Failure> {
        let until = Instant::now() + time;
        sweep(&mut self.supervisor, &mut self.services, self.args.limits.manner()).map_err(cannot_wait)?;
        if let Some(signal) = pause(&mut self.supervisor, &mut self.services, until).map_err(cannot_wait)? {
            return Ok(Some(signal));
        }
        let Some(clean) = self.args.retries.clean() else { return Ok(None) };
        let program = self.args.surroundings.program(clean.0.clone())?;
        let order = self.order(program, Duration::ZERO);
        let outcome = attempt(&mut self.supervisor, order, Ends::inherited(), &mut self.services)?;
        match self.args.verdict(&outcome) {
            Verdict::Exit(Exit::OK) => Ok(None),
            Verdict::Die(signal) if outcome.interrupted.is_some() => Ok(Some(signal)),
            Verdict::Fail(failure) => Err(failure),
            verdict => Err(not_clean(verdict.exit())),
        }
    }

    fn order(&self, program: Program, linger: Duration) -> Order {
        let args = self.args;
        let mut limits = args.limits.limits();
        if !args.retries.is_asked_for() {
            // One limit for all batches together.
            let spent = self.supervisor.elapsed(limits.clock);
            limits.total = limits.total.map(|total| total.saturating_sub(spent));
        }
        let manner = args.limits.manner();
        // A group of processes that is to be ended must not be ours.
        let own_group = (manner.scope == Scope::Group).then_some(Group::New);
        Order {
            program: Program { signals: args.signals.signals(), ..program },
            group: args.surroundings.group().or(own_group),
            limits,
            manner,
            forwarding: args.signals.forwarding(),
            keys: Keys::Programs,
            linger,
        }
    }

    /// Runs one program once.
    fn attempt(&mut self, argv: &[OsString]) -> Result<Attempted, Failure> {
        let plan = self.args.plan(argv);
        let program = self.args.surroundings.program(argv.to_vec())?;
        let mut order = self.order(program, self.args.io.linger());
        if matches!(plan.tty, Tty::All(_)) {
            order.group = Some(Group::Session);
        }
        let (mut streams, ends) = Streams::open(&plan, &mut self.supervisor)?;
        let mut beside = Beside { services: &mut self.services, telling: &mut self.telling };
        let mut company = Companions(vec![&mut beside, &mut streams]);
        let outcome = attempt(&mut self.supervisor, order, ends, &mut company)?;
        for pid in streams.helpers() {
            let _ = signal::send(pid, Number::TERM);
        }
        let verdict = self.args.verdict(&outcome);
        self.has_run = true;
        Ok(Attempted { verdict, outcome, told: streams.finish() })
    }

    /// Tells how the last attempt went.
    fn finish(
        &mut self,
        argv: &[OsString],
        verdict: &Verdict,
        outcome: &Outcome,
        told: Told,
        past: Vec<Value>,
    ) {
        if self.args.results.time {
            tell_time("run", outcome);
        }
        if outcome.job.has_missed(&self.supervisor) {
            say_missed("run");
        }
        if self.telling.report.is_some() {
            let (given, manner) = (self.args.limits.limits(), self.args.limits.manner());
            // What spile could not do must not look like a success.
            let own =
                told.failures.first().map(|failure| failure.exit).filter(|_| verdict.exit() == Exit::OK);
            let mut report = run_json(argv, &given, &manner, outcome, own.unwrap_or(verdict.exit()));
            let left = outcome.job.left(&self.supervisor);
            let ended = outcome.job.members().iter().filter(|member| member.end.is_some()).count() as u64;
            report["tree"] = tree_json(self.supervisor.orphans() + ended, outcome.job.killed(), &left);
            streams_json(&mut report, &told, self.args.io.order());
            report["attempts"] = past.into();
            self.reports.push(report);
        }
        self.telling.failure = self.telling.failure.take().or(told.failures.into_iter().next());
    }
}

/// The services and those who are told about them.
struct Beside<'a> {
    services: &'a mut Services,
    telling: &'a mut Telling,
}

impl Beside<'_> {
    /// Tells what services have done meanwhile.
    fn tell_news(&mut self) {
        for news in self.services.news() {
            match news {
                News::Ready(name, after) => {
                    self.telling.event(json!({"ev": "ready", "service": name, "after": after.as_secs_f64()}));
                }
                News::Gone(name, status) => {
                    let exit = status.exit().0;
                    self.telling.event(json!({"ev": "service-exit", "service": name, "exit": exit}));
                    say(&format!("spile run: service {name} has ended by itself with status {exit}"));
                }
            }
        }
    }
}

impl Company for Beside<'_> {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        self.services.waits(fds)
    }

    fn advance(&mut self, now: Instant) -> bool {
        self.services.advance(now)
    }

    fn note(&mut self, event: &Event) {
        self.services.note(event);
        self.tell_news();
    }

    fn told(&mut self, happening: Happening<'_>) {
        if matches!(happening, Happening::KeysLost) {
            say_keys_are_lost("run");
        }
        self.telling.told(happening);
    }
}
