//! Flags for running a program again when it has failed.

use std::fmt;
use std::time::Duration;

use regex::bytes::Regex;
use serde_json::{Value, json};

use super::Verdict;
use super::results::Accepted;
use crate::commands::flags::duration;
use crate::error::{Exit, Failure};
use crate::process::words;
use crate::signal::Number;
use crate::streams;

/// Again, after which time, and after what.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Again")]
pub struct RetryArgs {
    /// Run it again up to this many times while it fails; -t is for each attempt, and what an attempt has left
    /// running is ended before the next
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    retries: u32,
    /// The pause before the next attempt; from the first it doubles up to the second
    #[arg(long, value_name = "TIME[..TIME]", value_parser = backoff, default_value = "1s..30s")]
    backoff: Backoff,
    /// Which failures to try again: 1,75,timeout,signal,spawn,match:REGEX (the output; it ends a list)
    /// [default: all but spawn]
    #[arg(long, value_name = "WHAT", value_parser = conditions)]
    retry_on: Vec<Conditions>,
    /// Run this before each new attempt; it is split into words
    #[arg(long, value_name = "CMD", value_parser = command_line)]
    retry_clean: Option<CommandLine>,
}

/// A command in one word.
#[derive(Clone, Debug)]
pub struct CommandLine(pub Vec<std::ffi::OsString>);

/// Splits a word into words without a shell.
pub fn command_line(text: &str) -> Result<CommandLine, String> {
    let words = words::split(text.as_ref())?;
    if words.is_empty() { Err("an empty command".to_owned()) } else { Ok(CommandLine(words)) }
}

/// A pause that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Backoff {
    first: Duration,
    most: Duration,
}

fn backoff(text: &str) -> Result<Backoff, String> {
    let (first, most) = text.split_once("..").unwrap_or((text, text));
    let backoff = Backoff { first: duration(first)?, most: duration(most)? };
    if backoff.first > backoff.most { Err(format!("'{first}' is more than '{most}'")) } else { Ok(backoff) }
}

/// A failure that is worth another attempt.
#[derive(Clone, Debug)]
enum Condition {
    /// This status or signal.
    Status(Accepted),
    /// A time limit.
    Timeout,
    /// A death by signal.
    Signal,
    /// It could not be started.
    Spawn,
    /// Its output has this.
    Match(Regex),
}

/// Several, separated by commas.
#[derive(Clone, Debug)]
struct Conditions(Vec<Condition>);

fn conditions(text: &str) -> Result<Conditions, String> {
    let mut all = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        if let Some(pattern) = text.strip_prefix("match:") {
            all.push(Condition::Match(Regex::new(pattern).map_err(|why| why.to_string())?));
            break;
        }
        let (word, more) = text.split_once(',').map_or((text, None), |(word, more)| (word, Some(more)));
        rest = more;
        all.push(match word {
            "timeout" => Condition::Timeout,
            "signal" => Condition::Signal,
            "spawn" => Condition::Spawn,
            _ => Condition::Status(word.parse()?),
        });
    }
    Ok(Conditions(all))
}

/// How an attempt has failed.
pub struct Failed<'a> {
    /// What it would mean for us.
    pub verdict: &'a Verdict,
    /// It could not be started.
    pub is_refused: bool,
    /// A limit has ended it.
    pub is_late: bool,
    /// The signal that it died of.
    pub signal: Option<Number>,
    /// What it has said.
    pub told: &'a streams::Told,
}

impl RetryArgs {
    /// True when -t is for each attempt.
    pub fn is_asked_for(&self) -> bool {
        self.retries > 0
    }

    /// True when the output must be kept for a look at it.
    pub fn looks_at_output(&self) -> bool {
        self.is_asked_for() && self.conditions().any(|condition| matches!(condition, Condition::Match(_)))
    }

    /// What runs before a new attempt.
    pub fn clean(&self) -> Option<&CommandLine> {
        self.retry_clean.as_ref()
    }

    /// The pause after attempt `n`, the first being 1; none when there is no other.
    pub fn again(&self, n: u32, failed: &Failed<'_>) -> Option<Duration> {
        let is_worth_it = match self.retry_on.is_empty() {
            true => !failed.is_refused,
            false => self.conditions().any(|condition| condition.holds(failed)),
        };
        let is_failure = !matches!(failed.verdict, Verdict::Exit(Exit::OK));
        (n <= self.retries && is_failure && is_worth_it).then(|| self.pause(n))
    }

    /// For `--dry-run`.
    pub fn plan_json(&self) -> Value {
        json!({
            "most": self.retries,
            "backoff": [self.backoff.first.as_secs_f64(), self.backoff.most.as_secs_f64()],
            "on": self.conditions().map(ToString::to_string).collect::<Vec<_>>(),
            "clean": self.retry_clean.as_ref().map(|CommandLine(argv)| {
                argv.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>()
            }),
        })
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.retry_on.iter().flat_map(|conditions| &conditions.0)
    }

    fn pause(&self, n: u32) -> Duration {
        let doubled = 2_u32.checked_pow(n - 1).and_then(|factor| self.backoff.first.checked_mul(factor));
        doubled.unwrap_or(self.backoff.most).min(self.backoff.most)
    }
}

/// As it is typed.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Status(Accepted::Codes(first, last)) if first == last => write!(f, "{first}"),
            Condition::Status(Accepted::Codes(first, last)) => write!(f, "{first}-{last}"),
            Condition::Status(Accepted::Signal(signal)) => write!(f, "{signal}"),
            Condition::Timeout => f.write_str("timeout"),
            Condition::Signal => f.write_str("signal"),
            Condition::Spawn => f.write_str("spawn"),
            Condition::Match(pattern) => write!(f, "match:{pattern}"),
        }
    }
}

impl Condition {
    fn holds(&self, failed: &Failed<'_>) -> bool {
        match self {
            Condition::Timeout => failed.is_late,
            Condition::Spawn => failed.is_refused,
            Condition::Signal => failed.signal.is_some() && !failed.is_late,
            Condition::Status(Accepted::Signal(signal)) => failed.signal == Some(*signal) && !failed.is_late,
            Condition::Status(Accepted::Codes(first, last)) => {
                matches!(failed.verdict, Verdict::Exit(exit) if (*first..=*last).contains(&exit.0))
            }
            Condition::Match(pattern) => {
                let kept = failed.told.streams.iter().flatten().filter_map(|stream| stream.captured.as_ref());
                kept.into_iter().any(|captured| pattern.is_match(&captured.bytes))
            }
        }
    }
}

/// What a failed `--retry-clean` means: another attempt would start from the same mess.
pub fn not_clean(exit: Exit) -> Failure {
    Failure::new(Exit(125), "--retry-clean failed", format!("status {}", exit.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_ends_the_list_and_may_hold_commas() {
        let Conditions(all) = conditions("1,70-75,timeout,TERM,match:a{1,2}").unwrap();
        assert_eq!(all.len(), 5);
        assert!(matches!(&all[4], Condition::Match(pattern) if pattern.as_str() == "a{1,2}"));
        assert!(conditions("sometimes").is_err());
        assert!(conditions("match:(").is_err());
    }

    #[test]
    fn pauses_double_up_to_the_limit() {
        let backoff = backoff("1s..5s").unwrap();
        let args = RetryArgs { retries: 9, backoff, retry_on: vec![], retry_clean: None };
        assert_eq!([1, 2, 3, 4, 99].map(|n| args.pause(n).as_secs()), [1, 2, 4, 5, 5]);
        assert!(super::backoff("5s..1s").is_err());
    }
}
