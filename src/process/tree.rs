//! The descendants of a process, as /proc tells them (proc_pid_task_children(5)).

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{SysconfVar, sysconf};
use rustix::process::{Pid, PidfdFlags};

use super::proc;
use crate::signal::{self, Effect, Number, State, send_to, undisturbed};

/// A process that was seen below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Its id.
    pub pid: i32,
    /// Who its parent was.
    pub parent: i32,
}

/// What one line of /proc/PID/stat says, as far as we need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// One letter: `R`, `S`, `T`, `Z`…
    pub state: u8,
    /// Parent.
    pub parent: i32,
    /// Process group.
    pub group: i32,
    /// Session.
    pub session: i32,
    /// CPU time of the process and of its reaped children in their own code, in clock ticks.
    pub user_ticks: u64,
    /// The same in the kernel.
    pub system_ticks: u64,
}

/// What counts as CPU time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuClock {
    /// All of it, as ITIMER_PROF counts.
    All,
    /// That in programs and not in the kernel, as ITIMER_VIRTUAL counts.
    User,
}

/// Ourselves.
pub fn me() -> i32 {
    std::process::id() as i32
}

/// Whether anything can be told of processes but that they are our children.
pub fn is_visible() -> bool {
    proc::is_there()
}

/// Why not, where nothing can.
pub fn why_unseen() -> &'static str {
    match proc::is_mounted() {
        true => "/proc shows another PID namespace",
        false => "/proc is not mounted",
    }
}

/// The children of a process, of all its threads; none where /proc cannot tell.
pub fn children(pid: i32) -> Vec<Seen> {
    let tasks = proc::list(&format!("{pid}/task")).unwrap_or_default();
    let list = |task: OsString| proc::read(&format!("{pid}/task/{}/children", task.display())).ok();
    let lists = tasks.into_iter().filter_map(list);
    let numbers = |list: Vec<u8>| {
        let text = String::from_utf8_lossy(&list);
        text.split_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<i32>>()
    };
    lists.flat_map(numbers).map(|child| Seen { pid: child, parent: pid }).collect()
}

/// The processes below `roots`, the roots first, parents before their children.
pub fn below(roots: Vec<Seen>) -> Vec<Seen> {
    let mut found = roots;
    let mut at = 0;
    while at < found.len() {
        let more = children(found[at].pid);
        found.extend(more);
        at += 1;
    }
    found
}

/// Our descendants that are in this process group.
pub fn in_group(group: i32) -> Vec<Seen> {
    let mut found = below(children(me()));
    found.retain(|seen| stat(seen.pid).is_some_and(|stat| stat.group == group));
    found
}

/// Reads /proc/PID/stat; none when the process is gone, or where /proc cannot tell.
pub fn stat(pid: i32) -> Option<Stat> {
    let text = proc::read(&format!("{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, also parentheses.
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = String::from_utf8_lossy(&text[end + 1..]).into_owned();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        user_ticks: ticks(11) + ticks(13),
        system_ticks: ticks(12) + ticks(14),
    })
}

/// What a process does about signals.
pub fn signal_state(pid: i32) -> io::Result<State> {
    proc::read(&format!("{pid}/status")).map(|text| State::read(&String::from_utf8_lossy(&text)))
}

/// CPU time of processes and of the children that they have reaped.
pub fn cpu_time(processes: &[Seen], clock: CpuClock) -> Duration {
    let ticks = |stat: Stat| match clock {
        CpuClock::All => stat.user_ticks + stat.system_ticks,
        CpuClock::User => stat.user_ticks,
    };
    let ticks: u64 = processes.iter().filter_map(|seen| stat(seen.pid)).map(ticks).sum();
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|n| u32::try_from(n).ok());
    Duration::from_secs(ticks) / per_second.filter(|n| *n > 0).unwrap_or(100)
}

/// When to look next at CPU time of which this much is left: several processors can use it up sooner than one.
pub fn cpu_check(left: Duration) -> Duration {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
    (left / processors).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

/// The first word of its command line; its short name where it has none left.
pub fn name(pid: i32) -> String {
    let line = proc::read(&format!("{pid}/cmdline")).unwrap_or_default();
    let word = line.split(|byte| *byte == 0).next().unwrap_or_default();
    match word {
        [] => {
            let name = proc::read(&format!("{pid}/comm")).unwrap_or_default();
            String::from_utf8_lossy(&name).trim_end().to_owned()
        }
        _ => String::from_utf8_lossy(word).into_owned(),
    }
}

/// What its open descriptors are: paths, and names of pipes and sockets that only they have.
pub fn open_files(pid: i32) -> Vec<OsString> {
    proc::links(&format!("{pid}/fd")).unwrap_or_default()
}

/// Signals a process that was seen, unless it is gone: its number may belong to somebody else by now, so it must
/// still have the parent it was seen with, or be an orphan that has come to us. True when it was signalled.
pub fn signal(seen: Seen, number: Number) -> bool {
    if seen == Seen::EVERYBODY {
        return signal::send(seen.pid, number).is_ok();
    }
    let Ok(handle) = handle(seen.pid) else { return false };
    seen.is_same() && send_to(&handle, number, None).is_ok()
}

/// Whom a signal to a tree has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every process of the tree.
    All,
    /// Every one but us, who would be stopped by it, with nobody to wait for that.
    AllButUs,
    /// Its root: what is below it, /proc cannot tell.
    Root,
}

/// Signals a process and all below it. Every one is opened before the first is signalled: then it does not matter
/// who becomes whose child because of it. We ourselves, if we are below it, are the last. The error is that of `root`;
/// others may have ended meanwhile.
pub fn send(root: i32, signal: Option<Number>, value: Option<i32>) -> Result<Reach, Errno> {
    let first = handle(root)?;
    let all = below(vec![Seen { pid: root, parent: me() }]);
    let open = |seen: &Seen| handle(seen.pid).ok().filter(|_| seen.is_same());
    let others: Vec<OwnedFd> = all[1..].iter().filter(|seen| seen.pid != me()).filter_map(open).collect();
    // The end of others may send us something, too, such as the HUP of a terminal whose session is over.
    undisturbed(|| {
        let sent = if root == me() { Ok(()) } else { send_to(&first, signal, value) };
        for other in others {
            let _ = send_to(&other, signal, value);
        }
        let stops = signal.is_some_and(|signal| signal.effect() == Effect::Stops);
        let has_us = all.iter().any(|seen| seen.pid == me());
        if has_us && stops {
            return sent.and(Ok(Reach::AllButUs));
        }
        let sent = if has_us { sent.and(send_to(handle(me())?, signal, value)) } else { sent };
        sent.and(Ok(if is_visible() { Reach::All } else { Reach::Root }))
    })
}

/// pidfd_open(2): a handle for a process that stays its own.
pub fn handle(pid: i32) -> Result<OwnedFd, Errno> {
    let pid = Pid::from_raw(pid).ok_or(Errno::ESRCH)?;
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    handle.map_err(|why| match why {
        // The id of a thread that leads no process.
        rustix::io::Errno::INVAL => Errno::ESRCH,
        _ => Errno::from_raw(why.raw_os_error()),
    })
}

impl Seen {
    /// All whom kill(2) reaches in one go, ourselves left out: for process 1, all others of its namespace.
    pub const EVERYBODY: Seen = Seen { pid: -1, parent: 1 };

    /// True while its number can only be its own: it has the parent it was seen with, or has come to us.
    fn is_same(self) -> bool {
        self.parent == me()
            || stat(self.pid).is_some_and(|now| now.parent == self.parent || now.parent == me())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_line_of_stat_is_read() {
        let ours = stat(me()).unwrap();
        assert_eq!(ours.parent, std::os::unix::process::parent_id() as i32);
        assert!(matches!(ours.state, b'R' | b'S'));
        assert_eq!(ours.group, nix::unistd::getpgrp().as_raw());
        assert!(stat(i32::MAX).is_none());
    }
}
