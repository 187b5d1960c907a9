//! `trap --send`: a signal to a process, a group, or a tree.

use std::str::FromStr;

use nix::errno::Errno;

use crate::commands::log::say;
use crate::error::{Exit, Failure};
use crate::process::tree::{self, Reach};
use crate::signal::{self, Number};

/// Whom a signal is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The process with this id.
    Process(i32),
    /// Every process of this group.
    Group(i32),
    /// This process and all below it.
    Tree(i32),
}

impl FromStr for Target {
    type Err = String;

    /// Reads `PID`, `group:PGID`, `tree:PID`.
    fn from_str(text: &str) -> Result<Target, String> {
        let (kind, number) = text.split_once(':').unwrap_or(("", text));
        let number: i32 = number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("'{text}' is not PID, group:PGID or tree:PID"))?;
        match kind {
            "" => Ok(Target::Process(number)),
            // kill(2) takes -1 for everybody.
            "group" if number == 1 => {
                Err("group 1 cannot be signalled: kill(2) would reach everybody".into())
            }
            "group" => Ok(Target::Group(number)),
            "tree" => Ok(Target::Tree(number)),
            _ => Err(format!("'{kind}' is neither group nor tree")),
        }
    }
}

/// Sends to all; goes on after a failure, and tells the first.
pub fn send(signal: Option<Number>, value: Option<i32>, to: &[Target]) -> Result<Exit, Failure> {
    let results: Vec<_> = to.iter().map(|target| target.send(signal, value)).collect();
    results.into_iter().collect::<Result<Vec<()>, _>>().map(|_| Exit::OK)
}

impl Target {
    fn send(self, signal: Option<Number>, value: Option<i32>) -> Result<(), Failure> {
        let sent = match self {
            Target::Process(pid) => tree::handle(pid).and_then(|it| signal::send_to(&it, signal, value)),
            Target::Group(_) if value.is_some() => {
                return Err(Failure::misuse("--value", "reaches processes and trees, not groups"));
            }
            Target::Group(group) => signal::send(-group, signal),
            Target::Tree(root) => tree::send(root, signal, value).map(|reach| say_reach(root, reach)),
        };
        sent.map_err(|why| self.failure(signal, why))
    }

    fn failure(self, signal: Option<Number>, why: Errno) -> Failure {
        let name = signal.map_or_else(|| "0".to_owned(), |signal| signal.to_string());
        let (whom, missing) = match self {
            Target::Process(pid) => (format!("process {pid}"), "there is no such process"),
            Target::Group(group) => (format!("group {group}"), "there is no such group"),
            Target::Tree(root) => (format!("the tree of process {root}"), "there is no such process"),
        };
        let what = format!("cannot send {name} to {whom}");
        match why {
            Errno::ESRCH => Failure::other(what, missing),
            Errno::EPERM => Failure::other(what, "it belongs to another user"),
            Errno::EAGAIN => Failure::other(what, "its user's queue of signals is full")
                .hint("'spile trap --show PID' tells how many are queued; ulimit -i how many may be"),
            _ => Failure::other(what, why.desc()),
        }
    }
}

/// Says whom a signal to a tree has not reached.
fn say_reach(root: i32, reach: Reach) {
    match reach {
        Reach::All => {}
        Reach::AllButUs => {
            say("spile trap: spile is in that tree itself, and has left itself out: it would be stopped");
        }
        Reach::Root => say(&format!(
            "spile trap: process {root} alone was signalled: /proc does not show what is below it"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_nobody_reaches_everybody() {
        assert_eq!("7".parse(), Ok(Target::Process(7)));
        assert_eq!("group:7".parse(), Ok(Target::Group(7)));
        assert_eq!("tree:1".parse(), Ok(Target::Tree(1)));
        for bad in ["", "0", "-1", "group:1", "group:0", "group:-7", "tree:", "x:7", "7x", "99999999999"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
