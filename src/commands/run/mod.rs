//! `spile run`: one program, with its surroundings, limits, signals, and an honest end.

mod command;
mod course;
pub mod dry_run;
pub mod ending;
pub mod events;
mod io;
pub mod limits;
pub mod results;
mod retries;
mod services;
pub mod signals;
pub mod surroundings;
mod users;
pub mod verdict;

use std::ffi::OsString;

use super::Subcommand;
use crate::error::{Exit, Failure};
use crate::streams::Plan;
use crate::supervise::{Outcome, Reason};
use command::CommandArgs;
use course::Course;
use io::{IoArgs, Watched};
use limits::LimitArgs;
use results::ResultArgs;
use retries::RetryArgs;
use services::ServiceArgs;
use signals::SignalArgs;
use surroundings::SurroundingArgs;
use verdict::Verdict;

/// What follows `spile run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    io: IoArgs,
    #[command(flatten)]
    retries: RetryArgs,
    #[command(flatten)]
    services: ServiceArgs,
    #[command(flatten)]
    surroundings: SurroundingArgs,
    #[command(flatten)]
    signals: SignalArgs,
    #[command(flatten)]
    results: ResultArgs,
    #[command(flatten)]
    command: CommandArgs,
}

impl Subcommand for Args {
    const NAME: &'static str = "run";
    const ABOUT: &'static str =
        "Run one program: limits, the whole tree's end, signals, surroundings, a report";
    const USAGE: Exit = Exit(125);
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile run -t 30s -- make test                 everything it started is ended at 30 s: status 124
  spile run -t 5m --grace 10s -- cargo build    TERM first, KILL for whoever is left 10 s later
  spile run -t 5m --idle-timeout 60s -- ./job   a limit for silence, too: no output for a minute
  spile run --quiet-ok --tee log.txt -- ./noisy.sh             prints only if it fails
  spile run --retries 4 --retry-on 28,timeout -t 20s -- curl -f $URL
  spile run --with 'db=postgres -D d' --ready tcp:5432 --with 'api=./server' \\
      --ready http://127.0.0.1:8080/health -- npm test          services first, ended afterwards
  spile run --prefix '{name} {stream}| ' --ts --order exact -- ./build.sh
  x=$(spile run --relay --linger 100ms -- sh -c 'daemon & echo ready')   back at once, the daemon lives on
  spile run --pty=120x40 -- npm test >out.ansi  colours and line buffering kept
  spile run --stdin text:abc --stdout capture --max-capture 64K:both --report r.json -- ./filter
  spile run -C sub -e RUST_LOG=debug -u LANG --umask 027 -- ./tool arg
  spile run --ok 0,1 -- grep -r TODO src        1 is not an error
  spile run --args-from files.txt -- rustfmt    in batches that fit
  spile run --user app --rlimit nofile=4096 --close-fds --pass-fd 3 -- ./srv 3<cfg
  spile run --orphans term --report r.json --time -- ./build.sh
";

    fn run(self) -> Result<Exit, Failure> {
        let runs = self.command.runs()?;
        if self.results.dry_run {
            return self.tell_plan(&runs);
        }
        let (verdict, failure) = Course::new(&self)?.run(runs)?;
        verdict.end("run", self.results.exit_128, failure)
    }
}

impl Args {
    /// What happens to the standard streams of a program.
    fn plan(&self, argv: &[OsString]) -> Plan {
        let name = argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let watched = match self.limits.limits().idle {
            _ if self.retries.looks_at_output() => Watched::ForWords,
            Some(_) => Watched::ForSilence,
            None => Watched::No,
        };
        self.io.plan(name, watched)
    }

    /// What an outcome means for our own end.
    fn verdict(&self, outcome: &Outcome) -> Verdict {
        if let Some(refused) = &outcome.refused {
            return Verdict::Fail((*refused.failure).clone());
        }
        let status = outcome.member().and_then(|member| member.end).map(|(status, ..)| status);
        match (outcome.job.reason(), status) {
            (reason @ (Reason::Timeout | Reason::IdleTimeout | Reason::CpuTimeout), _) => {
                Verdict::Fail(self.limits.failure(reason, outcome.job.was_killed()))
            }
            (_, None) => Verdict::Fail(Failure::new(Exit(125), "the program could not be killed", "")),
            (_, Some(status)) => Verdict::of(status, &self.results),
        }
    }
}
