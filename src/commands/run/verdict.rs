//! How spile ends because of how a program has ended.

use super::results::ResultArgs;
use crate::commands::log::{finish, say};
use crate::error::{Exit, Failure};
use crate::process::Status;
use crate::signal::{self, Number};

/// How spile itself ends.
pub enum Verdict {
    /// With this status.
    Exit(Exit),
    /// By the signal that the program died of.
    Die(Number),
    /// With a line about what went wrong.
    Fail(Failure),
}

impl Verdict {
    /// As the program, unless its status is one that was said to be a success.
    pub fn of(status: Status, results: &ResultArgs) -> Verdict {
        match status.signal() {
            _ if results.accepts(status) => Verdict::Exit(Exit::OK),
            Some(signal) => Verdict::Die(signal),
            None => Verdict::Exit(status.exit()),
        }
    }

    /// As a shell sees it.
    pub fn exit(&self) -> Exit {
        match self {
            Verdict::Exit(exit) => *exit,
            Verdict::Die(signal) => Exit::from_signal(signal.raw()),
            Verdict::Fail(failure) => failure.exit,
        }
    }

    /// Ends as the program did; `exit_128`: by no signal. The terminal is ours again and all files are written by
    /// now. `failure` is what spile could not do beside it.
    pub fn end(self, name: &str, exit_128: bool, failure: Option<Failure>) -> Result<Exit, Failure> {
        let exit = self.exit();
        match self {
            Verdict::Fail(failure) => return Err(failure),
            Verdict::Die(signal) if !exit_128 && std::process::id() != 1 => {
                if let Some(failure) = &failure {
                    say(&format!("spile {name}: {failure}"));
                }
                finish();
                signal::die_of(signal);
            }
            _ => {}
        }
        // What spile could not do must not look like a success.
        match failure {
            Some(failure) if exit == Exit::OK => Err(failure),
            Some(failure) => {
                say(&format!("spile {name}: {failure}"));
                Ok(exit)
            }
            None => Ok(exit),
        }
    }
}
