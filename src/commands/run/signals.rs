//! Flags for signals: how the program finds them, and which it is sent.

use clap::ValueEnum;

use crate::process::{SignalBase, Signals};
use crate::signal::{Number, Set};
use crate::supervise::{Addressee, Forwarding};

/// Dispositions, mask and forwarding.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Signals (names, numbers or RTMIN+1, several with commas)")]
pub struct SignalArgs {
    /// What a program begins with: exactly what spile was started with (inherit), or everything at its default;
    /// usually PIPE is at its default and what was ignored stays so
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    signals: Option<BaseName>,
    /// Ignored by the program, as nohup does with HUP
    #[arg(long, value_name = "SIGNAL", value_delimiter = ',', value_parser = |text: &str| settable(text, "ignore"))]
    ignore: Vec<Number>,
    /// Blocked in the program
    #[arg(long, value_name = "SIGNAL", value_delimiter = ',', value_parser = |text: &str| settable(text, "block"))]
    block: Vec<Number>,
    /// At their defaults and not blocked
    #[arg(long, value_name = "SIGNAL", value_delimiter = ',', value_parser = |text: &str| settable(text, "reset"))]
    default: Vec<Number>,
    /// Pass one signal on as another, or not at all: TERM:QUIT,HUP:none; keys as well: ^C is INT, ^\ QUIT, ^Z TSTP. They
    /// come to spile alone then, until the program reads the terminal (that is said)
    #[arg(long, value_name = "FROM:TO", value_delimiter = ',', value_parser = rewrite)]
    rewrite: Vec<(Number, Option<Number>)>,
    /// Do not pass these on: spile ignores them as well, however often they come; without a value, none at all. Keys as
    /// with --rewrite.
    /// With run and pipe, whoever insists is still heard: a second INT within 2 s ends everything, a third kills it
    #[arg(long, value_name = "SIGNAL", value_delimiter = ',', num_args = 0..=1, require_equals = true,
          default_missing_value = "all", value_parser = kept)]
    no_forward: Vec<Set>,
    /// Pass every signal on to the program's whole process group, which is a new one then, as 'tini -g' and dumb-init
    /// do; usually that is so with what a terminal sends (INT, QUIT, TSTP, HUP, WINCH), TERM and CONT alone. A value
    /// (sigqueue(3)) reaches the program; others in the group get the signal without it
    #[arg(long)]
    to_group: bool,
}

/// `--signals`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum BaseName {
    Inherit,
    Default,
}

/// Reads a signal about which somebody can say something: KILL and STOP do what they do (signal(7)), and two are none of
/// a program's business (nptl(7)). `what` is what is to be done.
pub fn settable(text: &str, what: &str) -> Result<Number, String> {
    match text.parse()? {
        signal @ (Number::KILL | Number::STOP) => Err(format!("nobody can {what} {signal}")),
        signal if signal.is_reserved() => Err(format!("{signal} belongs to the C library")),
        signal => Ok(signal),
    }
}

/// Reads `TERM:QUIT` or `HUP:none`.
fn rewrite(text: &str) -> Result<(Number, Option<Number>), String> {
    let (from, to) = text.split_once(':').ok_or_else(|| format!("'{text}' is not FROM:TO"))?;
    let to = match to {
        "none" | "0" => None,
        _ => Some(to.parse()?),
    };
    Ok((settable(from, "catch")?, to))
}

fn kept(text: &str) -> Result<Set, String> {
    match text {
        "all" => Ok(Number::all().collect()),
        _ => Ok([settable(text, "catch")?].into_iter().collect()),
    }
}

impl SignalArgs {
    /// What the program finds.
    pub fn signals(&self) -> Signals {
        let base = match self.signals {
            None => SignalBase::Usual,
            Some(BaseName::Inherit) => SignalBase::Inherited,
            Some(BaseName::Default) => SignalBase::Default,
        };
        let set = |signals: &[Number]| signals.iter().copied().collect();
        Signals { base, default: set(&self.default), ignore: set(&self.ignore), block: set(&self.block) }
    }

    /// What it is sent.
    pub fn forwarding(&self) -> Forwarding {
        let kept = self.no_forward.iter().flat_map(|set| set.iter()).collect();
        let addressee = if self.to_group { Addressee::Group } else { Addressee::Program };
        Forwarding::new(self.rewrite.clone(), kept).addressee(addressee)
    }
}
