//! Where events go: stderr, as text or JSON. stdout is for data alone.

use std::io::Write;
use std::sync::Arc;

use clap::{ArgMatches, ValueEnum};

use super::speaker;
use crate::report::{Event, Events};

/// How much is said on stderr, and in which form.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Say more on stderr: connections as they come and go
    #[arg(short, long)]
    pub verbose: bool,
    /// Say nothing on stderr but failures
    #[arg(long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Write events to stderr as text or JSON, one a line (json implies --verbose; failures are
    /// events, too)
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text, hide_default_value = true)]
    pub log: Form,
}

/// The form of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

impl LogArgs {
    /// True when connections are to be told one by one.
    pub fn is_talkative(&self) -> bool {
        !self.quiet && (self.verbose || self.log == Form::Json)
    }

    /// The place for events that these flags ask for.
    pub fn events(&self, name: &'static str) -> Events {
        let LogArgs { verbose, quiet, log } = *self;
        Arc::new(move |event: &Event| {
            let wanted = match (quiet, log) {
                (true, _) => false,
                (false, Form::Json) => true,
                (false, Form::Text) => verbose || event.is_important(),
            };
            if wanted {
                match log {
                    Form::Json => say(&event.json().to_string()),
                    Form::Text if matches!(event, Event::Listening(_)) => say(&event.text()),
                    Form::Text => say(&format!("spile {}: {}", speaker(name), event.text())),
                }
            }
        })
    }
}

/// True when a command writes its events as JSON: then stderr is objects alone, the last failure too.
pub fn is_json(matches: &ArgMatches) -> bool {
    matches!(matches.try_get_one::<Form>("log"), Ok(Some(Form::Json)))
}

/// Writes a line to stderr in one call; a closed stderr is no reason to die.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
