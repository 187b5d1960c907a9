//! Flags for limits, and for how what has passed one is ended.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::commands::flags::duration;
use crate::error::Failure;
use crate::signal::Number;
use crate::supervise::{Clock, Limits, Manner, Orphans, Reason, Scope};

/// How long and how much, and what then.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// End everything after this long, with status 124 (0: never)
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// What the time limit counts: not the time in which spile itself was stopped (^Z), or all of it
    #[arg(long, value_name = "CLOCK", value_enum, default_value = "running", hide_possible_values = true)]
    timeout_clock: ClockName,
    /// End everything when nothing has been written for this long; what `run` starts then writes through spile
    #[arg(long, value_name = "TIME", value_parser = duration)]
    idle_timeout: Option<Duration>,
    /// End everything after this much CPU time, all processes together
    #[arg(long, value_name = "TIME", value_parser = duration)]
    cpu_timeout: Option<Duration>,
    /// The signal that asks to end
    #[arg(long, value_name = "SIGNAL", default_value = "TERM")]
    signal: Number,
    /// Who has not ended after this long is killed; the last process counts, not the first
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    grace: Duration,
    /// Whom ending reaches: the child, its process group, or the whole tree, whatever its sessions; what a daemon starts
    /// for it (systemd-run, docker, at) is nobody's descendant, and out of reach
    #[arg(long, value_name = "SCOPE", value_parser = ScopeParser, default_value = "tree", hide_possible_values = true)]
    scope: Scope,
    /// What happens to processes that outlive the program: leave, wait, term or kill; usually they are left, but
    /// when TERM, INT, HUP or QUIT was sent to spile, they end as well: TERM, and KILL after the grace
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    orphans: Option<OrphansName>,
}

/// `--timeout-clock`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClockName {
    Running,
    Wall,
}

/// Reads a scope, knows what completions may offer, and has more to say of what else is typed than clap.
#[derive(Clone, Copy)]
struct ScopeParser;

impl TypedValueParser for ScopeParser {
    type Value = Scope;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Scope, clap::Error> {
        StringValueParser::new().try_map(|text| scope(&text)).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(["child", "group", "tree"].into_iter().map(PossibleValue::new)))
    }
}

/// Reads `child`, `group` or `tree`.
fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "child" => Ok(Scope::Child),
        "group" => Ok(Scope::Group),
        "tree" => Ok(Scope::Tree),
        "cgroup" => {
            Err("spile makes no control groups, and 'tree' finds what a session cannot hide; what another \
                         daemon starts is the one thing to need 'systemd-run --scope'"
                .into())
        }
        _ => Err("it is child, group or tree".into()),
    }
}

/// `--orphans`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrphansName {
    Leave,
    Wait,
    Term,
    Kill,
}

impl LimitArgs {
    /// The limits; 0 is none.
    pub fn limits(&self) -> Limits {
        let some = |limit: Option<Duration>| limit.filter(|limit| !limit.is_zero());
        let clock = match self.timeout_clock {
            ClockName::Running => Clock::Running,
            ClockName::Wall => Clock::Wall,
        };
        Limits {
            total: some(self.timeout),
            clock,
            idle: some(self.idle_timeout),
            cpu: some(self.cpu_timeout),
        }
    }

    /// Names the limit that ran out, and what it took to end.
    pub fn failure(&self, reason: Reason, was_killed: bool) -> Failure {
        let (flag, limit) = match reason {
            Reason::CpuTimeout => ("--cpu-timeout", self.cpu_timeout),
            Reason::IdleTimeout => ("--idle-timeout", self.idle_timeout),
            _ => ("--timeout", self.timeout),
        };
        Failure::timeout(format!("time limit {flag} ran out"), self.after(limit, was_killed))
    }

    /// How long a limit was, and whether the grace ran out, too.
    pub fn after(&self, limit: Option<Duration>, was_killed: bool) -> String {
        let after = limit.map(|limit| format!("after {limit:?}")).unwrap_or_default();
        match was_killed {
            true => format!("{after}, and --grace {:?} later what was left was killed", self.grace),
            false => after,
        }
    }

    /// The way to the end.
    pub fn manner(&self) -> Manner {
        let orphans = match self.orphans {
            None => Orphans::Usual,
            Some(OrphansName::Leave) => Orphans::Leave,
            Some(OrphansName::Wait) => Orphans::Wait,
            Some(OrphansName::Term) => Orphans::Term,
            Some(OrphansName::Kill) => Orphans::Kill,
        };
        Manner { signal: self.signal, grace: self.grace, scope: self.scope, orphans }
    }
}
