//! What holds before the first step, as flags say it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::address;
use crate::chat::{Op, Patterns, Script, Settings, Terminator};
use crate::commands::flags::duration;

/// What holds before the first step.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Before the first step")]
pub struct RuleArgs {
    /// What > adds, as .eol has it: \r\n to sockets, \n to programs, \r to those on a terminal
    #[arg(long, value_name = "TEXT", value_parser = eol)]
    eol: Option<Eol>,
    /// What ends a unit, as .term has it: TEXT, a number of bytes, line or none (line)
    #[arg(long, value_name = "TEXT", value_parser = terminator)]
    term: Option<Terminator>,
    /// How long each step may take, as .timeout has it
    #[arg(long, value_name = "TIME", value_parser = step_limit, default_value = "10s")]
    step_timeout: Duration,
    /// Most that is kept of what was heard, for a step to decide; more is a failure
    #[arg(long, value_name = "SIZE", value_parser = buffer_size, default_value = "1MiB")]
    max_buffer: usize,
    /// Whatever is left unread at the end is a failure
    #[arg(long)]
    strict: bool,
}

impl RuleArgs {
    /// What holds; `eol` is what the target wants.
    pub fn settings(&self, eol: &[u8], variables: BTreeMap<String, Vec<u8>>) -> Settings {
        Settings {
            eol: self.eol.as_ref().map_or(eol, |given| &given.0).to_vec(),
            terminator: self.term.clone().unwrap_or(Terminator::Line),
            timeout: self.step_timeout,
            most_kept: self.max_buffer,
            variables,
            is_strict: self.strict,
            patterns: Patterns::default(),
        }
    }
}

/// What a step of that text does; flags that are steps are read as such.
fn step(text: String) -> Result<Op, String> {
    let script = Script::of_steps(&[text.into()], &std::collections::BTreeSet::new())
        .map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.what).next().unwrap_or_default())?;
    script.steps.into_iter().map(|step| step.op).next().ok_or_else(|| "it says nothing".to_owned())
}

/// What `>` adds.
#[derive(Clone, Debug)]
struct Eol(Vec<u8>);

fn eol(text: &str) -> Result<Eol, String> {
    match step(format!(".eol {text}"))? {
        Op::Eol(template) => {
            template.render(&BTreeMap::new()).map(Eol).map_err(|_| "it has a variable in it".to_owned())
        }
        _ => Err("it is more than one line".to_owned()),
    }
}

fn terminator(text: &str) -> Result<Terminator, String> {
    match step(format!(".term {text}"))? {
        Op::Term(terminator) => Ok(terminator),
        _ => Err("it is more than one line".to_owned()),
    }
}

fn step_limit(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a step without time could hear nothing".to_owned()),
        limit => Ok(limit),
    }
}

fn buffer_size(text: &str) -> Result<usize, String> {
    match address::size(text)? {
        0 => Err("nothing could be heard".to_owned()),
        size => usize::try_from(size).map_err(|why| why.to_string()),
    }
}
