//! `spile trap`: a program whose signals are handled, or signals waited for, sent, explained.

mod ask;
mod course;
mod notify;
mod rules;
mod send;

use std::ffi::OsString;
use std::path::PathBuf;

use super::Subcommand;
use super::run::dry_run::found;
use super::run::ending::EndingArgs;
use super::run::results::ResultArgs;
use super::run::signals::SignalArgs;
use super::run::surroundings::SurroundingArgs;
use super::stdout;
use crate::error::{Exit, Failure};
use crate::process;
use crate::supervise::{Manner, Orphans};
use ask::AskArgs;
use course::Course;
use rules::RuleArgs;

/// What follows `spile trap`.
#[derive(Debug, clap::Args)]
#[command(mut_args(ask::conflicts_with_questions))]
pub struct Args {
    /// Be the first process of a container: what the program leaves behind is ended, too, with TERM and after
    /// --grace KILL, unless --orphans says otherwise; as process 1 that goes without saying
    #[arg(long)]
    init: bool,
    /// Write a line for each signal, as read(1) takes it: NAME NUMBER PID UID VALUE, with - for what there is not
    #[arg(long, value_name = "FILE|fd:N")]
    notify: Option<PathBuf>,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    signals: SignalArgs,
    #[command(flatten)]
    ending: EndingArgs,
    #[command(flatten)]
    surroundings: SurroundingArgs,
    #[command(flatten)]
    results: ResultArgs,
    /// Program and arguments
    #[arg(value_name = "CMD", trailing_var_arg = true)]
    command: Vec<OsString>,
}

impl Subcommand for Args {
    const NAME: &'static str = "trap";
    const ABOUT: &'static str = "Handle, forward, rewrite, wait for, send and explain signals";
    const USAGE: Exit = Exit(125);
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile trap --on TERM=send:QUIT --on HUP='run:./reload.sh' --double INT=stop -- nginx -g 'daemon off;'
  spile trap --init --orphans wait --grace 20s -- ./entrypoint.sh   process 1 that waits for all
  spile trap --rewrite TERM:QUIT,HUP:none -- ./server       a signal as another one, or not at all
  spile trap --on TERM='both:./drain.sh' --handler-timeout 20s -- ./server      first drained, then told
  spile trap --after 30s=send:ALRM --every 1h=restart -- ./worker
  spile trap --after cpu:10s=report --on USR1=report -- ./job       on stderr: which signal, from whom
  spile trap --on HUP=restart --notify fd:3 --report r.json -- ./job 3>signals
  spile trap --wait USR1 -t 30s && echo 'peer is ready'     who sent it is told on stdout; 124 after 30 s
  spile trap --list                                 every signal: number, name, default, meaning
  spile trap --describe 139                         what a status of 139 means
  spile trap --show 1234                            what process 1234 blocks, ignores and catches
  spile trap --send TERM --to tree:1234             a process and all below it
  spile trap --send RTMIN+3 --value 7 --to 1234     with a value, as sigqueue(3) does

A handler (run: and both:) runs with /bin/sh, one at a time, in the order of the signals, without input, as
spile's own user, and writes where spile does. It finds SPILE_SIGNAL or SPILE_TIMER, SPILE_PID (the program),
SPILE_COUNT (how many signals it is for) and, of the first of them, SPILE_VALUE, SPILE_SENDER_PID and SPILE_SENDER_UID.
When the program has ended, handlers have the grace to end, too, and those whose signal came before; what comes later
starts none. Whoever asks for an end then means them, and who asks again kills them. A second 'stop' kills.

An end stands before a restart, whichever is asked for first: 'stop', 'exit' and a TERM that reaches the program, also
after a handler or as another signal. HUP, INT and QUIT that reach it only call off a restart that is under way, and
hold up those of timers for the grace. A signal that restarts nothing any more is told on stderr, the first time.
";

    fn run(self) -> Result<Exit, Failure> {
        match (self.ask.is_asked(), self.command.is_empty()) {
            (true, true) => return self.ask.answer(),
            (true, false) => {
                let command = format!("'{}'", self.command[0].to_string_lossy());
                return Err(Failure::usage(command, "is a command, and what is asked runs none"));
            }
            (false, true) => {
                return Err(
                    Failure::usage("no command is given", "").hint("spile trap [OPTIONS] -- CMD ARG...")
                );
            }
            (false, false) => {}
        }
        if self.results.dry_run {
            let found = found(&process::candidates(&self.program()?)?);
            let plan = course::plan_json(&self, found.as_deref());
            let told = stdout::print(&format!("{plan:#}\n"))?;
            return Ok(if told == Exit::OK && found.is_none() { Exit::NOT_FOUND } else { told });
        }
        let (verdict, failure) = Course::new(&self)?.run()?;
        verdict.end("trap", self.results.exit_128, failure)
    }
}

impl Args {
    /// How everything is ended.
    fn manner(&self) -> Manner {
        let is_init = self.init || std::process::id() == 1;
        self.ending.manner_or(if is_init { Orphans::Term } else { Orphans::Usual })
    }
}
