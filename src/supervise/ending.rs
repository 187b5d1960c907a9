//! How a job is ended: who is signalled, and in which order.

use std::time::Duration;

use nix::unistd::Pid;

use super::Supervisor;
use crate::process::tree::{self, Seen};
use crate::signal::Number;

/// How to end a job.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Asks it to end.
    pub signal: Number,
    /// Time between the asking and the killing, for the last process of it, not only for the first.
    pub grace: Duration,
    /// Whom it reaches.
    pub scope: Scope,
    /// What happens to processes that outlive the program.
    pub orphans: Orphans,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner {
            signal: Number::TERM,
            grace: Duration::from_secs(5),
            scope: Scope::default(),
            orphans: Orphans::default(),
        }
    }
}

/// Who belongs to a job when it is ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The program alone.
    Child,
    /// Its process group.
    Group,
    /// All its descendants, whatever session they have moved to.
    #[default]
    Tree,
}

/// What happens to descendants that are left when the program ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orphans {
    /// They go on without us, unless somebody has asked us to end: then they are asked to end as well.
    #[default]
    Usual,
    /// They go on without us.
    Leave,
    /// We wait for them; once somebody has asked us to end, they are asked as well.
    Wait,
    /// They are asked to end, and killed after the grace.
    Term,
    /// They are killed.
    Kill,
}

/// A process that was signalled to end a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    /// Its id.
    pub pid: i32,
    /// The first word of its command line.
    pub name: String,
    /// The last signal it was sent.
    pub signal: Number,
    /// It had left our session.
    pub left_session: bool,
}

/// Whom an end reaches now: of children, those that run are the `roots`, and all of them lead or have led `groups`.
pub fn reach(scope: Scope, roots: &[i32], groups: &[i32], supervisor: &Supervisor) -> Vec<Seen> {
    match scope {
        Scope::Tree => match supervisor.everybody(roots) {
            Some(everybody) => vec![everybody],
            None => supervisor.tree_of(roots),
        },
        Scope::Child => roots.iter().map(|pid| Seen { pid: *pid, parent: tree::me() }).collect(),
        Scope::Group => {
            let is_in = |seen: &Seen| {
                roots.contains(&seen.pid)
                    || tree::stat(seen.pid).is_some_and(|stat| groups.contains(&stat.group))
            };
            supervisor.tree_of(roots).into_iter().filter(is_in).collect()
        }
    }
}

/// Signals everybody in `processes`, and notes it in `told`.
pub fn signal_all(processes: &[Seen], signal: Number, told: &mut Vec<Killed>) {
    for seen in processes {
        // What a process is called cannot be read any more once it is dead.
        let at = told.iter().position(|known| known.pid == seen.pid).unwrap_or_else(|| {
            told.push(describe(*seen, signal));
            told.len() - 1
        });
        match tree::signal(*seen, signal) {
            true => told[at].signal = signal,
            false if told[at].signal == signal => _ = told.swap_remove(at),
            false => {}
        }
    }
}

/// Stops everybody, so that nobody forks meanwhile.
pub fn stop_all(processes: &[Seen]) {
    for seen in processes {
        tree::signal(*seen, Number::STOP);
    }
}

/// Asks everybody to end; who is stopped must go on to be able to.
pub fn ask(processes: &[Seen], signal: Number, told: &mut Vec<Killed>) {
    signal_all(processes, signal, told);
    if signal != Number::STOP {
        for seen in processes {
            tree::signal(*seen, Number::CONT);
        }
    }
}

fn describe(seen: Seen, signal: Number) -> Killed {
    // 0, here and in /proc, for a session whose leader is outside of our pid namespace.
    let own = nix::unistd::getsid(None).map_or(0, Pid::as_raw);
    let left_session = tree::stat(seen.pid).is_some_and(|stat| stat.session != own);
    Killed { pid: seen.pid, name: tree::name(seen.pid), signal, left_session }
}
