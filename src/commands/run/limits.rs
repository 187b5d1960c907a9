//! Flags for limits.

use std::time::Duration;

use clap::ValueEnum;

use super::ending::EndingArgs;
use crate::commands::flags::duration;
use crate::error::Failure;
use crate::supervise::{Clock, Limits, Manner, Reason};

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
    #[command(flatten)]
    ending: EndingArgs,
}

/// `--timeout-clock`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClockName {
    Running,
    Wall,
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
            true => format!("{after}, and --grace {:?} later what was left was killed", self.ending.grace),
            false => after,
        }
    }

    /// The way to the end.
    pub fn manner(&self) -> Manner {
        self.ending.manner()
    }
}
