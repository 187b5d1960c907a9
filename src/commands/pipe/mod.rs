//! `spile pipe`: a pipeline without a shell, with every stage's status.

mod dry_run;
mod meter;
mod told;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::Subcommand;
use super::flags::duration;
use super::log::{finish, say};
use super::run::events::EventLog;
use super::run::limits::LimitArgs;
use super::run::results::{Place, say_missed};
use super::run::signals::SignalArgs;
use crate::address::size;
use crate::error::{Exit, Failure};
use crate::pipeline::{
    self, Choice, Common, Decision, Errors, Judgement, OnFailure, Order, Outcome, Stage, Strictness,
};
use crate::process::words;
use crate::report::pipe_json;
use crate::signal;
use crate::supervise::{Reason, Supervisor};
use meter::Meter;
use serde_json::json;
use told::Told;

/// What follows `spile pipe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    stages: StageArgs,
    /// Where the stages' stderr goes: pass, label (each line with the stage's name), capture (into the report), null,
    /// a file, or append:FILE
    #[arg(long, value_name = "WHERE", default_value = "pass")]
    err: OsString,
    /// Make the pipes this large (256K by itself, where a user's share of memory for pipes allows it; 1M where
    /// spile moves the data)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pipe_size: Option<u64>,
    /// Show on stderr, if it is a terminal, how much each stage has written, and whom the others wait for; the
    /// data is not touched (--meter=always: also where there is no terminal)
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    meter: Option<When>,
    /// Write one JSON object at the end, to a file, a descriptor, or stdout (-)
    #[arg(long, value_name = "FILE|fd:N|-")]
    report: Option<PathBuf>,
    /// Write events as they happen, one JSON object a line. A reader who does not keep up holds nothing up, and is
    /// told how many lines were lost
    #[arg(long, value_name = "FILE|fd:N|-")]
    events: Option<PathBuf>,
    /// Say as JSON what would be run, with the ends of each stage, and run nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    statuses: StatusArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// When all stages have ended but something that one has left behind holds a pipe open, wait for more of it
    /// this long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    linger: Duration,
    #[command(flatten)]
    signals: SignalArgs,
}

/// The stages, in one of three forms.
#[derive(Debug, clap::Args)]
struct StageArgs {
    /// The word between stages
    #[arg(long, value_name = "WORD", default_value = "::")]
    sep: OsString,
    /// A stage as one word, split as a shell does it, quotes and all, but without a shell; may be repeated
    #[arg(short = 's', long = "stage", value_name = "STAGE", conflicts_with = "words")]
    lines: Vec<OsString>,
    /// Read the stages from a file, one a line, split likewise; empty lines and # comments are skipped
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with_all = ["words", "lines"])]
    file: Option<PathBuf>,
    /// Programs with their arguments, '::' between them; modifiers (@tee=FILE, @timeout=5s...) before each
    #[arg(value_name = "STAGE", trailing_var_arg = true)]
    words: Vec<OsString>,
}

/// What becomes of the statuses.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Status")]
struct StatusArgs {
    /// Whose status is the pipeline's: of the stages that failed the rightmost or the first, the last stage's, or
    /// 1 if any failed
    #[arg(long, value_name = "WHOSE", value_enum, default_value = "rightmost", hide_possible_values = true)]
    status: Whose,
    /// A stage that dies of a broken pipe has failed, as with bash's pipefail, even if its reader was content
    #[arg(long)]
    strict_pipe: bool,
    /// What the first failure does: drain (the others go on to their end) or stop (they are ended)
    #[arg(long, value_name = "WHAT", value_enum, default_value = "drain", hide_possible_values = true)]
    on_fail: WhatThen,
    /// Exit 128 + N when the deciding stage dies of signal N; else spile dies of it, too
    #[arg(long)]
    exit_128: bool,
}

/// `--status`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whose {
    Rightmost,
    First,
    Last,
    Any,
}

/// `--on-fail`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhatThen {
    Drain,
    Stop,
}

/// `--meter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
}

impl Subcommand for Args {
    const NAME: &'static str = "pipe";
    const ABOUT: &'static str = "Run a pipeline without a shell, and mind the status of every stage";
    const USAGE: Exit = Exit(125);
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile pipe yes :: head -1                              exit 0, not 141
  spile pipe curl -sf $URL :: @meter gunzip :: @tee=raw.sql psql -q db
  spile pipe --report p.json gen :: @ok=0,1 grep -c ERR :: cat
  spile pipe --err label -t 1m ./a :: @timeout=10s ./b :: @name=load ./c
  spile pipe tcp:127.0.0.1:9000 :: cut -d : -f1 :: @ts file:out.log
  spile pipe -s 'sort -t : -k3n /etc/passwd' -s 'tail -1'

Before a stage may stand, about the stage:
  @name=NAME  @ok=0,1  @optional  @timeout=TIME  @idle=TIME  @cwd=DIR  @env=NAME=VALUE  @pty
  @err=label|pass|null|merge|capture|FILE     @sh 'LINE'  the rest of the stage is a line for /bin/sh
and about its input:
  @tee=FILE|ADDR  @meter[=NAME]  @limit=RATE  @buffer=SIZE  @ts[=clock|elapsed|delta]  @head=LINES|SIZE
A FILE is emptied first, append:FILE is not. A stage of these alone passes bytes on. An address (tcp:HOST:PORT,
file:PATH...) may be the first or last stage.

No stage starts unless every program is there (127). A stage that dies of a broken pipe has not failed if its reader
had ended, and well; the last stage always counts. A copy that cannot be written is told and makes the status 1; the
data goes on.
";

    fn run(self) -> Result<Exit, Failure> {
        let order = self.order()?;
        if self.dry_run {
            return dry_run::tell(&order);
        }
        let start = Instant::now();
        let report = self.report.as_deref().map(|path| Place::open("--report", path)).transpose()?;
        let events = self.events.as_deref().map(|path| EventLog::open(path, start)).transpose()?;
        let mut supervisor = Supervisor::new()?;
        if report.is_some() || self.meter.is_some() {
            supervisor.count_transfers();
        }
        let names = order.stages.iter().map(|stage| stage.name.clone()).collect();
        let mut told = Told::new(Meter::new(&order.stages, self.meter), events, names, start);
        let outcome = pipeline::run(&order, &mut supervisor, &mut told).inspect_err(|_| told.end())?;
        let judgement = outcome.judge(&order);
        let whole = pipe_json(&order, &outcome, &judgement);
        told.event(json!({"ev": "exit", "exit": whole["exit"], "reason": whole["reason"]}));
        told.end();
        let unreported = report.and_then(|mut place| place.tell(&whole).err());
        self.end(&order, &outcome, &judgement, told.failure.or(unreported))
    }
}

impl Args {
    fn order(&self) -> Result<Order, Failure> {
        let pipe_size = self.pipe_size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        let errors = pipeline::errors(&self.err);
        if errors == Errors::Merge {
            return Err(Failure::usage("--err merge", "is for single stages: @err=merge"));
        }
        Ok(Order {
            stages: self.stages.stages()?,
            common: Common { errors, pipe_size },
            limits: self.limits.limits(),
            manner: self.limits.manner(),
            signals: self.signals.signals(),
            forwarding: self.signals.forwarding(),
            strictness: if self.statuses.strict_pipe { Strictness::Strict } else { Strictness::Tolerant },
            choice: match self.statuses.status {
                Whose::Rightmost => Choice::Rightmost,
                Whose::First => Choice::First,
                Whose::Last => Choice::Last,
                Whose::Any => Choice::Any,
            },
            on_failure: match self.statuses.on_fail {
                WhatThen::Drain => OnFailure::Drain,
                WhatThen::Stop => OnFailure::Stop,
            },
            linger: self.linger,
        })
    }

    /// Says what only we know, and ends as the stage that decides.
    fn end(
        &self,
        order: &Order,
        outcome: &Outcome,
        judgement: &Judgement,
        untold: Option<Failure>,
    ) -> Result<Exit, Failure> {
        if outcome.has_missed {
            say_missed(Args::NAME);
        }
        match untold {
            // What spile could not do must not look like a success.
            Some(failure) if judgement.decision == Decision::Exit(Exit::OK) => return Err(failure),
            Some(failure) => say(&format!("spile pipe: {failure}")),
            None => {}
        }
        for (seat, stage) in outcome.seats.iter().zip(&order.stages) {
            if let Some(refused) = &seat.refused {
                return Err(refused.failure.as_ref().clone());
            }
            if let Some(limit) = seat.limit() {
                let (word, time) = match limit {
                    Reason::IdleTimeout => ("@idle", stage.idle),
                    _ => ("@timeout", stage.timeout),
                };
                let after = self.limits.after(time, seat.was_killed());
                say(&format!("spile pipe: {}: time limit {word} ran out: {after}", stage.name));
            }
        }
        match judgement.decision {
            Decision::Exit(Exit::TIMEOUT) if judgement.decided_by.is_none() => {
                Err(self.limits.failure(outcome.reason, outcome.was_killed))
            }
            Decision::Exit(exit) => Ok(exit),
            Decision::Signal(signal) => {
                if !self.statuses.exit_128 && std::process::id() != 1 {
                    finish();
                    signal::die_of(signal);
                }
                Ok(Exit::from_signal(signal.raw()))
            }
        }
    }
}

impl StageArgs {
    fn stages(&self) -> Result<Vec<Stage>, Failure> {
        let lines = match &self.file {
            Some(path) => read(path)?,
            None => self.lines.clone(),
        };
        if lines.is_empty() && self.file.is_none() {
            if self.words.is_empty() {
                let hint = "spile pipe [OPTIONS] CMD ARG... :: CMD ARG... [:: ...]";
                return Err(Failure::usage("no stage is given", "").hint(hint));
            }
            return pipeline::grammar::split(&self.words, &self.sep);
        }
        let split = |line: &OsString| {
            words::split(line).map_err(|why| Failure::usage(format!("stage '{}':", line.display()), why))
        };
        let parts = lines.iter().map(split).collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = self.file.as_ref().filter(|_| parts.is_empty()) {
            return Err(Failure::usage(format!("{}", path.display()), "has no stages"));
        }
        pipeline::grammar::stages(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

fn read(path: &PathBuf) -> Result<Vec<OsString>, Failure> {
    let text = std::fs::read(path)
        .map_err(|why| Failure::new(Exit(125), format!("cannot read {}", path.display()), why))?;
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    Ok(lines.map(|line| std::ffi::OsStr::from_bytes(line).to_owned()).collect())
}
