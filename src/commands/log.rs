//! Where events go: stderr, as text or JSON. stdout is for data alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::{ArgMatches, ValueEnum};

use super::speaker;
use crate::flow::{End, Way};
use crate::report::{Event, Events, PATIENCE, Writer, losses_json};
use crate::signal::blocked_at_start;

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
        IS_JSON.store(log == Form::Json, Ordering::Relaxed);
        Arc::new(move |event: &Event| {
            let wanted = match (quiet, log) {
                (true, _) => event.is_failure(),
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

/// Writes a line to stderr; neither a closed stderr nor a reader who does not read is a reason to do nothing else.
pub fn say(line: &str) {
    put(format!("{line}\n"));
}

/// The same, of any text: lines, or one that will be written over.
pub fn put(text: String) {
    let open = || End::beside(rustix::stdio::stderr(), Way::Out).ok().map(|end| Writer::new(end, losses));
    if let Some(stderr) = STDERR.get_or_init(open) {
        let _ = stderr.write(text);
    }
}

/// Gives who reads stderr a moment for what was said and not read yet: we are about to end.
pub fn finish() {
    finish_within(PATIENCE);
}

/// The same for as long as that takes, where a person may still be reading and nothing waits for our end. A signal ends
/// us then as it ends programs that do nothing about it.
pub fn finish_patiently() {
    let _ = blocked_at_start().to_sigset().thread_set_mask();
    finish_within(Duration::MAX);
}

fn finish_within(patience: Duration) {
    if let Some(Some(stderr)) = STDERR.get() {
        let _ = stderr.finish(patience);
    }
}

/// Made by the first word that is said.
static STDERR: OnceLock<Option<Writer>> = OnceLock::new();

/// Events are objects, and what is said of lost ones is, too.
static IS_JSON: AtomicBool = AtomicBool::new(false);

fn losses(lines: u64) -> String {
    match IS_JSON.load(Ordering::Relaxed) {
        true => format!("{}\n", losses_json(lines)),
        false => format!("spile: {lines} lines were lost: nobody had read those before them\n"),
    }
}
