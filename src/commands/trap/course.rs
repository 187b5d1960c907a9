//! `trap -- CMD`: from the first start of the program to the end and the report.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use serde_json::{Value, json};

use super::Args;
use super::notify::Notify;
use crate::commands::log::say;
use crate::commands::run::results::{Telling, say_keys_are_lost, say_missed, tell_time};
use crate::commands::run::verdict::Verdict;
use crate::error::{Exit, Failure};
use crate::process::{self, Ends, Program};
use crate::reaction::{Cause, HandlerResult, News, Reactions, Sequel};
use crate::report::{arrival_text, cause_json, result_json, run_json, trap_json, tree_json};
use crate::signal::Arrival;
use crate::supervise::{
    Act, Company, Event, Forwarding, Happening, Insistence, Job, Keys, Limits, Order, Outcome, Supervisor,
    attempt,
};

/// After this long we are to take little memory.
const SETTLING: Duration = Duration::from_millis(200);

/// Everything that is alive while `trap` runs.
pub struct Course<'a> {
    args: &'a Args,
    supervisor: Supervisor,
    watch: Watch,
    restarts: u64,
    /// Signals that could not be passed on to runs that are over.
    lost_signals: u64,
}

impl<'a> Course<'a> {
    /// Nothing runs yet.
    pub fn new(args: &'a Args) -> Result<Course<'a>, Failure> {
        // A fifo of the report is waited for as a shell does: we can be interrupted meanwhile.
        let telling = args.results.open(Instant::now())?;
        let supervisor = Supervisor::new()?;
        let manner = args.manner();
        let watch = Watch {
            reactions: Reactions::new(args.rules.rules(manner.grace)),
            telling,
            notify: args.notify.as_deref().map(Notify::open).transpose()?,
            settles: None,
            has_refused: false,
            failure: None,
        };
        Ok(Course { args, supervisor, watch, restarts: 0, lost_signals: 0 })
    }

    /// Runs the program, as often as it is to be restarted; answers how to end, and what could not be told.
    pub fn run(mut self) -> Result<(Verdict, Option<Failure>), Failure> {
        let verdict = self.go();
        self.watch.telling.end("trap");
        let failure = self.watch.failure.or(self.watch.telling.failure);
        let unread = self.watch.notify.as_ref().and_then(Notify::failure);
        Ok((verdict?, failure.or(unread)))
    }

    fn go(&mut self) -> Result<Verdict, Failure> {
        loop {
            let program = self.args.program()?;
            let order = self.order(program);
            let outcome = attempt(&mut self.supervisor, order, Ends::inherited(), &mut self.watch)?;
            self.lost_signals += outcome.job.lost_signals();
            let sequel = self.watch.reactions.take_sequel();
            if sequel == Some(Sequel::Restart) && is_gone(&outcome) {
                self.restarts += 1;
                let restarts = self.restarts;
                self.watch.telling.event(json!({"ev": "restart", "n": restarts}));
                continue;
            }
            let verdict = match sequel {
                Some(Sequel::Exit(status)) => Verdict::Exit(Exit(status)),
                _ => self.args.verdict(&outcome),
            };
            let lost = self.lost_signals + self.watch.reactions.lost_signals();
            self.tell_losses(lost);
            self.report(&outcome, &verdict, lost)?;
            return Ok(verdict);
        }
    }

    fn order(&self, program: Program) -> Order {
        let forwarding: Forwarding = self.args.signals.forwarding();
        let manner = self.args.manner();
        Order {
            program: Program { signals: self.args.signals.signals(), ..program },
            group: self.args.surroundings.group(),
            limits: Limits::default(),
            manner,
            forwarding: forwarding.insistence(Insistence::Nothing),
            keys: if self.args.rules.want_keys() { Keys::Ours } else { Keys::Programs },
            linger: manner.grace,
        }
    }

    fn tell_losses(&self, lost: u64) {
        let count = self.watch.reactions.unhandled();
        if count > 0 {
            say(&format!("spile trap: the program has ended, and handlers did not run for {count} signals"));
        }
        if lost > 0 {
            say(&format!(
                "spile trap: {lost} signals were not passed on: more waited for the program than are kept"
            ));
        }
    }

    fn report(&mut self, outcome: &Outcome, verdict: &Verdict, lost: u64) -> Result<(), Failure> {
        if self.args.results.time {
            tell_time("trap", outcome);
        }
        if outcome.job.has_missed(&self.supervisor) {
            say_missed("trap");
        }
        let Some(place) = &mut self.watch.telling.report else { return Ok(()) };
        let (argv, exit) = (&self.args.command, verdict.exit());
        let mut child = run_json(argv, &Limits::default(), &self.args.manner(), outcome, exit);
        let ended = outcome.job.members().iter().filter(|member| member.end.is_some()).count() as u64;
        let left = outcome.job.left(&self.supervisor);
        child["tree"] = tree_json(self.supervisor.orphans() + ended, outcome.job.killed(), &left);
        child["lost_signals"] = lost.into();
        place.tell(&trap_json(exit, &self.watch.reactions, self.restarts, child))
    }
}

/// True where nothing is left of a program that stands in the way of its next run.
fn is_gone(outcome: &Outcome) -> bool {
    outcome.member().is_none_or(|member| member.end.is_some())
}

impl Args {
    /// The program in its surroundings.
    pub(super) fn program(&self) -> Result<Program, Failure> {
        let argv: Vec<OsString> = self.command.clone();
        self.surroundings.program(argv)
    }

    fn verdict(&self, outcome: &Outcome) -> Verdict {
        if let Some(refused) = &outcome.refused {
            return Verdict::Fail((*refused.failure).clone());
        }
        match outcome.member().and_then(|member| member.end) {
            Some((status, ..)) => Verdict::of(status, &self.results),
            None => Verdict::Fail(Failure::new(Exit(125), "the program could not be killed", "")),
        }
    }
}

/// The reactions, and those who are told about them.
struct Watch {
    reactions: Reactions,
    telling: Telling,
    notify: Option<Notify>,
    /// When the program has run for so long that we are likely to wait for long.
    settles: Option<Instant>,
    /// That no signal restarts the program any more was said; once is enough.
    has_refused: bool,
    /// What went wrong with `notify`, which is given up then.
    failure: Option<Failure>,
}

impl Watch {
    fn notified(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.notify = None;
            self.failure = self.failure.take().or(Some(failure));
        }
    }

    fn tell_news(&mut self) {
        for news in self.reactions.news() {
            match news {
                News::Acted(cause, action) if self.telling.has_events() => {
                    let action = action.to_string();
                    let event = json!({"ev": "action", "cause": cause_json(&cause), "action": action});
                    self.telling.event(event);
                }
                News::Acted(..) => {}
                News::Report(cause, program, running) => say_report(&cause, program, running),
                News::Handled(cause, result) => {
                    if let Some(why) = complaint(&result) {
                        say(&format!("spile trap: the handler for {} {why}", name(&cause)));
                    }
                    let event =
                        json!({"ev": "handler", "cause": cause_json(&cause), "result": result_json(&result)});
                    self.telling.event(event);
                }
                News::NoRestart(cause) => {
                    self.say_refused(&cause);
                    self.telling.event(json!({"ev": "no-restart", "cause": cause_json(&cause)}));
                }
            }
        }
    }

    /// Says that a restart comes to nothing; a timer knows nothing of the end, and nobody waits for what it does.
    fn say_refused(&mut self, cause: &Cause) {
        if let Cause::Signal(arrival) = cause
            && !std::mem::replace(&mut self.has_refused, true)
        {
            let signal = arrival.signal;
            say(&format!("spile trap: no restart for {signal}: an end was asked for, and stands before it"));
        }
    }
}

fn name(cause: &Cause) -> String {
    match cause {
        Cause::Signal(arrival) => arrival.signal.to_string(),
        Cause::Timer(time) => time.clone(),
    }
}

/// Why a handler is no success.
fn complaint(result: &HandlerResult) -> Option<String> {
    match result {
        HandlerResult::Ended(status, _) if status.code() == Some(0) => None,
        HandlerResult::Ended(status, _) => Some(match status.signal() {
            Some(signal) => format!("has died of {signal}"),
            None => format!("has failed with status {}", status.exit().0),
        }),
        HandlerResult::Late(time) => Some(format!("was ended after {time:.1?}: --handler-timeout")),
        HandlerResult::Cut(time) => Some(format!(
            "was ended after {time:.1?}, because the program has ended, and --grace is over or it was to stop"
        )),
        HandlerResult::Refused(failure) => Some(format!("could not be started: {failure}")),
    }
}

fn say_report(cause: &Cause, program: Option<i32>, running: Duration) {
    let cause = match cause {
        Cause::Signal(arrival) => arrival_text(arrival),
        Cause::Timer(time) => format!("after {time}"),
    };
    let state = match program {
        Some(pid) => format!("process {pid} has run for {running:.1?}"),
        None => "the program has ended".to_owned(),
    };
    say(&format!("spile trap: {cause}; {state}"));
}

impl Company for Watch {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        if let Some(notify) = &self.notify {
            notify.waits(fds);
        }
        [self.settles, self.reactions.waits(fds)].into_iter().flatten().min()
    }

    fn advance(&mut self, now: Instant) -> bool {
        if self.settles.take_if(|settles| now >= *settles).is_some() {
            process::release_start();
        }
        if let Some(notify) = &mut self.notify {
            let flushed = notify.flush();
            self.notified(flushed);
        }
        false
    }

    fn is_over(&self) -> bool {
        self.reactions.is_over()
    }

    fn has_children(&self) -> bool {
        self.reactions.has_children()
    }

    fn hang_up(&mut self) {
        self.reactions.hang_up();
    }

    fn decide(&mut self, arrival: &Arrival, now: Instant) -> Option<Act> {
        if let Some(notify) = &mut self.notify {
            let put = notify.put(arrival);
            self.notified(put);
        }
        self.reactions.decide(arrival, now)
    }

    fn act(&mut self, now: Instant, supervisor: &mut Supervisor, job: &mut Job) {
        self.reactions.act(now, supervisor, job);
        self.tell_news();
    }

    fn note(&mut self, event: &Event) {
        self.reactions.note(event);
    }

    fn told(&mut self, happening: Happening<'_>) {
        if let Happening::Started(_) = happening {
            self.settles = Some(Instant::now() + SETTLING);
            self.has_refused = false;
        }
        if let Happening::KeysLost = happening {
            say_keys_are_lost("trap");
        }
        self.reactions.told(happening);
        self.telling.told(happening);
    }
}

/// What would be run, and what is done about what.
pub fn plan_json(args: &Args, found: Option<&str>) -> Value {
    let rules = args.rules.rules(args.manner().grace);
    let on = rules.on.iter().flat_map(|(signal, actions)| {
        actions.iter().map(move |action| json!({"signal": signal.to_string(), "action": action.to_string()}))
    });
    let doubles = rules.doubles.iter().map(|double| {
        let within = double.within.as_secs_f64();
        json!({"signal": double.signal.to_string(), "action": double.action.to_string(), "within": within})
    });
    let timers = rules.timers.iter().map(
        |timer| json!({"time": timer.text, "repeats": timer.repeats, "action": timer.action.to_string()}),
    );
    json!({
        "schema": "spile.plan/1",
        "kind": "trap",
        "argv": args.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "path": found,
        "on": on.collect::<Vec<_>>(),
        "doubles": doubles.collect::<Vec<_>>(),
        "timers": timers.collect::<Vec<_>>(),
        "handler_timeout": rules.patience.as_ref().map(Duration::as_secs_f64),
        "limits": crate::commands::run::dry_run::limits_json(&Limits::default(), &args.manner()),
    })
}
