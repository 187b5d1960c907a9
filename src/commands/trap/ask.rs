//! `trap` without a command: what is asked about signals, waited for, sent.

use std::time::{Duration, Instant};

use clap::{Arg, ArgGroup};
use serde_json::{Value, json};

use super::send::{self, Target};
use crate::commands::flags::duration;
use crate::commands::run::signals::settable;
use crate::commands::stdout::print;
use crate::error::{Exit, Failure};
use crate::process::{self, tree};
use crate::report::{arrival_json, arrival_text, number_json, state_json, state_text};
use crate::signal::{Arrival, Arrivals, Effect, Number, Set, State, blocked_at_start};

/// The heading of these flags in the help.
const HEADING: &str = "Without a command";

/// The flags that ask something.
const QUESTIONS: [&str; 6] = ["wait", "pause", "list", "describe", "show", "send"];

/// One question.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = HEADING)]
#[command(group = ArgGroup::new("question").args(QUESTIONS).multiple(false))]
pub struct AskArgs {
    /// Wait for one of these, and say which came, from whom, with which value
    #[arg(long, value_name = "SIGNALS", value_delimiter = ',', value_parser = catchable)]
    wait: Vec<Number>,
    /// Wait for any signal that would end a process, and say which
    #[arg(long)]
    pause: bool,
    /// With --wait and --pause: give up after this long, with status 124
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration, requires = "question")]
    timeout: Option<Duration>,
    /// Print every signal: number, name, what it does by default, meaning
    #[arg(long)]
    list: bool,
    /// Say what signals are: names, numbers, or statuses such as 139
    #[arg(long, value_name = "SIGNALS", value_delimiter = ',')]
    describe: Vec<Number>,
    /// Print what a process has pending, blocks, ignores and catches; without PID, what spile was started with
    #[arg(long, value_name = "PID", num_args = 0..=1, default_missing_value = "0", value_parser = clap::value_parser!(i32).range(0..))]
    show: Option<i32>,
    /// Send a signal; 0 only asks whether it could be sent
    #[arg(long, value_name = "SIGNAL", value_parser = sendable, requires = "to")]
    send: Option<Sent>,
    /// Whom --send reaches: a process, group:PGID, or tree:PID with all its descendants (spile itself, if it is one, is
    /// the last, and left out of what would stop it); several with commas
    #[arg(long, value_name = "PID|group:PGID|tree:PID", value_delimiter = ',', requires = "send")]
    to: Vec<Target>,
    /// What comes along with the signal, as by sigqueue(3); what is sent so is counted and not merged, if its
    /// signal is a real-time one
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "send")]
    value: Option<i32>,
    /// Print one JSON object
    #[arg(long, requires = "question")]
    json: bool,
}

/// What `--send` sends: nothing for 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent(Option<Number>);

fn sendable(text: &str) -> Result<Sent, String> {
    match text {
        "0" => Ok(Sent(None)),
        _ => text.parse().map(|signal| Sent(Some(signal))),
    }
}

/// A clap value parser for signals that somebody can wait for or handle.
pub fn catchable(text: &str) -> Result<Number, String> {
    settable(text, "catch")
}

/// Refuses a flag that is about a command where something is asked and no command run.
pub fn conflicts_with_questions(flag: Arg) -> Arg {
    match flag.get_help_heading() == Some(HEADING) || flag.is_positional() {
        true => flag,
        false => flag.conflicts_with_all(QUESTIONS),
    }
}

impl AskArgs {
    /// True when there is a question, so that no command is run.
    pub fn is_asked(&self) -> bool {
        self.list
            || self.pause
            || !self.wait.is_empty()
            || !self.describe.is_empty()
            || self.show.is_some()
            || self.send.is_some()
    }

    /// Answers the question.
    pub fn answer(&self) -> Result<Exit, Failure> {
        match (self.show, self.send) {
            _ if self.list => self.tell_all(),
            _ if self.pause => self.wait_for(pausing()),
            _ if !self.wait.is_empty() => self.wait_for(self.wait.iter().copied().collect()),
            (Some(pid), _) => self.show(pid),
            (_, Some(Sent(signal))) => send::send(signal, self.value, &self.to),
            _ => self.describe(),
        }
    }

    fn tell_all(&self) -> Result<Exit, Failure> {
        if self.json {
            let all: Vec<_> = Number::all().map(number_json).collect();
            return print(&format!("{:#}\n", json!({"schema": "spile.signals/1", "signals": all})));
        }
        let line = |signal: Number| {
            let (name, word) = (signal.to_string(), signal.effect().word());
            format!("{:>2} {name:<8} {word:<4} {}\n", signal.raw(), signal.description())
        };
        print(&Number::all().map(line).collect::<String>())
    }

    fn describe(&self) -> Result<Exit, Failure> {
        if self.json {
            let all: Vec<_> = self.describe.iter().copied().map(number_json).collect();
            return print(&format!("{:#}\n", json!({"schema": "spile.signals/1", "signals": all})));
        }
        let line = |signal: &Number| {
            let whether = match signal.is_settable() {
                true => "",
                false => ", and no program can change that",
            };
            let (number, status) = (signal.raw(), 128 + signal.raw());
            format!(
                "{signal} ({number}): {}; by default it {}{whether}; status {status}\n",
                signal.description(),
                signal.effect()
            )
        };
        print(&self.describe.iter().map(line).collect::<String>())
    }

    fn show(&self, pid: i32) -> Result<Exit, Failure> {
        let (pid, state) = match pid {
            0 => {
                let me = tree::me();
                // Of ourselves, another namespace's /proc tells, too.
                let state = State::of_ourselves().or_else(|_| tree::signal_state(me));
                (me, state.map(State::into_started))
            }
            pid => (pid, tree::signal_state(pid)),
        };
        let state = state.map_err(|why| {
            let what = format!("cannot look at process {pid}");
            if !tree::is_visible() {
                return Failure::other(what, tree::why_unseen())
                    .hint("mount the /proc of this PID namespace, as 'unshare -pf --mount-proc' does");
            }
            let why = match why.kind() {
                std::io::ErrorKind::NotFound => "there is no such process".to_owned(),
                _ => why.to_string(),
            };
            Failure::other(what, why)
        })?;
        match self.json {
            true => print(&format!("{:#}\n", with_schema("spile.signal-state/1", state_json(pid, &state)))),
            false => print(&state_text(pid, &state)),
        }
    }

    fn wait_for(&self, signals: Set) -> Result<Exit, Failure> {
        let until = self.timeout.filter(|limit| !limit.is_zero()).map(|limit| Instant::now() + limit);
        // The first process of a namespace has to reap for all others.
        let reaps = std::process::id() == 1;
        let ends = if reaps { withheld() } else { Set::default() };
        let watched = signals.iter().chain(ends.iter()).chain(reaps.then_some(Number::CHLD)).collect();
        let cannot = |why: std::io::Error| Failure::new(Exit(125), "cannot wait for signals", why);
        let arrivals = Arrivals::take_only(watched).map_err(|why| cannot(why.into()))?;
        loop {
            let arrival = arrivals.wait(until).map_err(cannot)?;
            if reaps {
                while let Ok(process::Waited::Changed(..)) = process::wait_any() {}
            }
            match arrival {
                None => return Err(self.late(signals)),
                Some(arrival) if signals.contains(arrival.signal) => return self.tell(&arrival),
                Some(arrival) if ends.contains(arrival.signal) => {
                    return Ok(Exit::from_signal(arrival.signal.raw()));
                }
                Some(_) => {}
            }
        }
    }

    fn tell(&self, arrival: &Arrival) -> Result<Exit, Failure> {
        match self.json {
            true => print(&format!("{}\n", with_schema("spile.signal/1", arrival_json(arrival)))),
            false => print(&format!("{}\n", arrival_text(arrival))),
        }
    }

    fn late(&self, signals: Set) -> Failure {
        let names: Vec<String> = signals.iter().map(|signal| signal.to_string()).collect();
        let awaited = if self.pause { "signal".to_owned() } else { names.join(" or ") };
        let limit = self.timeout.unwrap_or_default();
        Failure::timeout(format!("no {awaited} came"), format!("time limit --timeout {limit:?}"))
    }
}

fn with_schema(name: &str, mut object: Value) -> Value {
    object["schema"] = name.into();
    object
}

/// What ends a process that says nothing about it.
fn pausing() -> Set {
    let ends = |signal: &Number| matches!(signal.effect(), Effect::Ends | Effect::DumpsCore);
    Number::all().filter(|signal| signal.is_settable()).filter(ends).collect()
}

/// What would end us, but that the kernel withholds it from the first process of a namespace, which it ends by no
/// default (pid_namespaces(7)).
fn withheld() -> Set {
    let (ignored, blocked) = (State::at_start().unwrap_or_default().ignored, blocked_at_start());
    pausing().iter().filter(|signal| !ignored.contains(*signal) && !blocked.contains(*signal)).collect()
}
