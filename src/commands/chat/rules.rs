//! What holds before the first step, as flags say it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::address;
use crate::chat::{Op, Patterns, Place, Script, Settings, Step, Template, Terminator};
use crate::commands::flags::duration;

/// What holds before the first step.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Before the first step")]
pub struct RuleArgs {
    /// What > adds, as .eol has it: \r\n to sockets, \n to programs, \r to those on a terminal
    #[arg(long, value_name = "TEXT", value_parser = eol)]
    eol: Option<Template>,
    /// What ends a unit, as .term has it: TEXT, a number of bytes, line or none (line)
    #[arg(long, value_name = "TEXT", value_parser = terminator)]
    term: Option<Terminator>,
    /// How long each step may wait, as .timeout has it: to hear what it wants, or for the peer to take more of what it
    /// says; a whole step that says something may take longer, and pauses do not count
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
    /// The flags that are steps before the first one, as such; they hold no more by themselves.
    pub fn take_steps(&mut self) -> Vec<Step> {
        let step = |flag: &str, op: Op| {
            let place = Place { file: flag.into(), line: 1 };
            Step { place, text: op.typed(&[]).into(), op }
        };
        let eol = self.eol.take().map(|text| step("--eol", Op::Eol(text)));
        let term = self.term.take().map(|terminator| step("--term", Op::Term(terminator)));
        eol.into_iter().chain(term).collect()
    }

    /// What ends a unit.
    pub fn terminator(&self) -> Terminator {
        self.term.clone().unwrap_or(Terminator::Line)
    }

    /// What holds; `usual` is what the target wants at the end of a line.
    pub fn settings(&self, usual: &[u8], variables: BTreeMap<String, Vec<u8>>) -> Settings {
        let eol = self.eol.as_ref().and_then(Template::as_plain);
        Settings {
            eol: eol.unwrap_or(usual).to_vec(),
            terminator: self.terminator(),
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

fn eol(text: &str) -> Result<Template, String> {
    match step(format!(".eol {text}"))? {
        Op::Eol(template) if template.as_plain().is_none() => Err("it has a variable in it".to_owned()),
        Op::Eol(template) => Ok(template),
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
