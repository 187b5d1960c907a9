//! What can be done about a signal or at a time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::address::duration;
use crate::signal::Number;
use crate::suggest::nearest;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A line for the shell, in the place of the program's own signal.
    Run(String),
    /// The same; afterwards the signal is passed on.
    Both(String),
    /// This signal is sent to the program.
    Send(Number),
    /// The signal is passed on.
    Forward,
    /// Nothing.
    Ignore,
    /// The program and all below it are ended, and we with this status.
    Exit(u8),
    /// They are ended, killed after the grace, and the status is theirs.
    Stop(Option<Duration>),
    /// They are ended and the program runs again.
    Restart,
    /// It is told.
    Report,
}

/// The words that open an action.
const WORDS: [&str; 9] = ["run", "both", "send", "forward", "ignore", "exit", "stop", "restart", "report"];

impl Action {
    /// True where there must be a signal to pass on.
    pub fn passes_on(&self) -> bool {
        matches!(self, Action::Both(_) | Action::Forward)
    }
}

impl FromStr for Action {
    type Err = String;

    /// Reads `run:CMD`, `both:CMD`, `send:SIGNAL`, `exit:N`, `stop`, `stop:GRACE`, and single words.
    fn from_str(text: &str) -> Result<Action, String> {
        let (word, rest) = match text.split_once(':') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text, None),
        };
        let line = |what: &str| match rest {
            Some(rest) if !rest.trim().is_empty() => Ok(rest.to_owned()),
            _ => Err(format!("'{text}' lacks {what}, as in {word}:{what}")),
        };
        let action = match word {
            "run" => return line("CMD").map(Action::Run),
            "both" => return line("CMD").map(Action::Both),
            "send" => return Ok(Action::Send(line("SIGNAL")?.parse()?)),
            "exit" => {
                let status = line("N")?;
                return status.parse().map(Action::Exit).map_err(|_| format!("'{status}' is no status"));
            }
            "stop" => return Ok(Action::Stop(rest.map(duration).transpose()?)),
            "forward" => Action::Forward,
            "ignore" => Action::Ignore,
            "restart" => Action::Restart,
            "report" => Action::Report,
            _ => {
                return Err(match nearest(word, WORDS) {
                    Some(known) => format!("'{word}' is no action; did you mean {known}?"),
                    None => format!("'{word}' is no action; there are {}", WORDS.join(", ")),
                });
            }
        };
        match rest {
            None => Ok(action),
            Some(_) => Err(format!("'{word}' stands alone, without ':'")),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Run(line) => write!(f, "run:{line}"),
            Action::Both(line) => write!(f, "both:{line}"),
            Action::Send(signal) => write!(f, "send:{signal}"),
            Action::Forward => f.write_str("forward"),
            Action::Ignore => f.write_str("ignore"),
            Action::Exit(status) => write!(f, "exit:{status}"),
            Action::Stop(None) => f.write_str("stop"),
            Action::Stop(Some(grace)) => write!(f, "stop:{grace:?}"),
            Action::Restart => f.write_str("restart"),
            Action::Report => f.write_str("report"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_read_back() {
        for text in ["run:echo a:b", "both:x", "send:TERM", "forward", "ignore", "exit:3", "stop", "stop:2s"]
        {
            assert_eq!(text.parse::<Action>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_action_is_refused_with_the_nearest() {
        for (bad, why) in [
            ("", "there are run"),
            ("rnu:x", "did you mean run?"),
            ("run", "lacks CMD"),
            ("run: ", "lacks CMD"),
            ("send:TREM", "did you mean TERM?"),
            ("exit:256", "'256'"),
            ("stop:x", "no duration"),
            ("ignore:1", "stands alone"),
        ] {
            let told = bad.parse::<Action>().unwrap_err();
            assert!(told.contains(why), "{bad}: {told}");
        }
    }
}
