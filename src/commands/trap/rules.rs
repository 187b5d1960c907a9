//! Flags for what is done about signals, and when.

use std::time::Duration;

use super::ask::catchable;
use crate::commands::flags::duration;
use crate::process::tree::CpuClock;
use crate::reaction::{Action, Clock, Double, Rules, Timer};
use crate::signal::Number;

/// How soon a second signal counts as a double.
const SOON: Duration = Duration::from_secs(2);

/// Reactions.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Reactions")]
pub struct RuleArgs {
    /// What a signal does, instead of being passed on: run:'CMD' for /bin/sh, both:'CMD' (it is passed on
    /// afterwards), send:SIGNAL, forward, ignore, exit:N, stop[:GRACE], restart, report; several in their order. Keys of
    /// the terminal (INT, QUIT, TSTP) come to spile alone then, until the program reads the terminal (that is said)
    #[arg(long, value_name = "SIGNALS=ACTION", value_parser = on)]
    on: Vec<On>,
    /// What a second signal does that comes soon after the first; keys come to spile alone here, too, unless the
    /// second one is to stop or exit
    #[arg(long, value_name = "SIGNAL=ACTION[@2s]", value_parser = double)]
    double: Vec<Double>,
    /// Do something once the program has run this long; cpu:TIME counts the CPU time of it and all below it,
    /// user:TIME that outside of the kernel
    #[arg(long, value_name = "TIME=ACTION", value_parser = after)]
    after: Vec<Timer>,
    /// The same again and again
    #[arg(long, value_name = "TIME=ACTION", value_parser = every)]
    every: Vec<Timer>,
    /// How long a handler may run before it is ended (0: for ever)
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m")]
    handler_timeout: Duration,
}

/// `--on`.
#[derive(Clone, Debug)]
struct On {
    signals: Vec<Number>,
    action: Action,
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once('=').ok_or_else(|| format!("'{text}' is not {form}"))
}

/// A signal that spile hears of: not those of its own children.
fn heard(text: &str) -> Result<Number, String> {
    match catchable(text)? {
        Number::CHLD => Err("CHLD tells spile of its own children, and goes nowhere else".to_owned()),
        signal => Ok(signal),
    }
}

fn on(text: &str) -> Result<On, String> {
    let (signals, action) = pair(text, "SIGNALS=ACTION")?;
    let signals = signals.split(',').map(heard).collect::<Result<_, _>>()?;
    Ok(On { signals, action: action.parse()? })
}

fn double(text: &str) -> Result<Double, String> {
    let (signal, action) = pair(text, "SIGNAL=ACTION[@2s]")?;
    let timed = action.rsplit_once('@').and_then(|(action, time)| Some((action, duration(time).ok()?)));
    let (action, within) = timed.unwrap_or((action, SOON));
    Ok(Double { signal: heard(signal)?, action: action.parse()?, within })
}

fn after(text: &str) -> Result<Timer, String> {
    timer(text, false)
}

fn every(text: &str) -> Result<Timer, String> {
    timer(text, true)
}

fn timer(text: &str, repeats: bool) -> Result<Timer, String> {
    let (time, action) = pair(text, "TIME=ACTION")?;
    let (clock, period) = match time.split_once(':') {
        Some(("cpu", time)) => (Clock::Cpu(CpuClock::All), time),
        Some(("user", time)) => (Clock::Cpu(CpuClock::User), time),
        Some((other, _)) => return Err(format!("'{other}' is neither cpu nor user")),
        None => (Clock::Real, time),
    };
    let period = duration(period)?;
    if period.is_zero() {
        return Err("the time must be more than 0".to_owned());
    }
    let action: Action = action.parse()?;
    if action.passes_on() {
        return Err(format!("'{action}' passes a signal on, and a time brings none; send:SIGNAL sends one"));
    }
    Ok(Timer { text: time.to_owned(), clock, period, repeats, action })
}

impl RuleArgs {
    /// What is done about what. A handler that is ended has `grace` for it.
    pub fn rules(&self, grace: Duration) -> Rules {
        let mut rules = Rules {
            doubles: self.double.clone(),
            timers: self.after.iter().chain(&self.every).cloned().collect(),
            patience: (!self.handler_timeout.is_zero()).then_some(self.handler_timeout),
            grace,
            ..Rules::default()
        };
        for on in &self.on {
            for signal in &on.signals {
                rules.on.entry(*signal).or_default().push(on.action.clone());
            }
        }
        rules
    }

    /// True when something depends on a key of the terminal: then it must come to us alone. A second one that ends
    /// everything may reach the program, too: so it is heard also while the program reads the terminal.
    pub fn want_keys(&self) -> bool {
        let ends = |action: &Action| matches!(action, Action::Stop(_) | Action::Exit(_));
        self.on.iter().any(|on| on.signals.iter().any(|signal| signal.is_key()))
            || self.double.iter().any(|double| double.signal.is_key() && !ends(&double.action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read() {
        let rule = on("INT,TERM=run:a=b@c").unwrap();
        assert_eq!(
            (rule.signals, rule.action),
            (vec![Number::INT, Number::TERM], Action::Run("a=b@c".to_owned()))
        );
        let rule = double("INT=stop:1s@500ms").unwrap();
        assert_eq!((rule.within, rule.action), (SOON / 4, Action::Stop(Some(SOON / 2))));
        assert_eq!(double("INT=run:mail a@b").unwrap().action, Action::Run("mail a@b".to_owned()));
        let timer = every("cpu:2s=send:XCPU").unwrap();
        assert_eq!((timer.clock, timer.period), (Clock::Cpu(CpuClock::All), SOON));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["INT", "=run:x", "KILL=run:x", "CHLD=run:x", "INT=", "33=ignore", "INT,=ignore"] {
            assert!(on(bad).is_err(), "{bad}");
        }
        for bad in ["0=stop", "x=stop", "wall:1s=stop", "1s=both:x", "1s=forward", "1s"] {
            assert!(after(bad).is_err(), "{bad}");
        }
    }
}
