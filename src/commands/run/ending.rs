//! Flags for how programs are ended, and what becomes of those that outlive them.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::commands::flags::duration;
use crate::signal::Number;
use crate::supervise::{Manner, Orphans, Scope};

/// The way to the end.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct EndingArgs {
    /// The signal that asks to end
    #[arg(long, value_name = "SIGNAL", default_value = "TERM")]
    signal: Number,
    /// Who has not ended after this long is killed; the last process counts, not the first
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub grace: Duration,
    /// Whom ending reaches: the child, its process group, or the whole tree, whatever its sessions; what a daemon starts
    /// for it (systemd-run, docker, at) is nobody's descendant, and out of reach
    #[arg(long, value_name = "SCOPE", value_parser = ScopeParser, default_value = "tree", hide_possible_values = true)]
    scope: Scope,
    /// What happens to processes that outlive the program: leave, wait, term or kill; usually they are left, but
    /// when TERM, INT, HUP or QUIT was sent to spile, they end as well: TERM, and KILL after the grace
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    orphans: Option<OrphansName>,
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

impl EndingArgs {
    /// The way to the end.
    pub fn manner(&self) -> Manner {
        self.manner_or(Orphans::Usual)
    }

    /// The same, with another answer for orphans where none was typed.
    pub fn manner_or(&self, usual: Orphans) -> Manner {
        let orphans = match self.orphans {
            None => usual,
            Some(OrphansName::Leave) => Orphans::Leave,
            Some(OrphansName::Wait) => Orphans::Wait,
            Some(OrphansName::Term) => Orphans::Term,
            Some(OrphansName::Kill) => Orphans::Kill,
        };
        Manner { signal: self.signal, grace: self.grace, scope: self.scope, orphans }
    }
}
