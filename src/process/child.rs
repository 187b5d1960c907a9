//! One child: a pidfd that becomes readable when it ends.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::PidfdFlags;

use super::program::{Ends, Program};
use super::spawn::spawn;
use crate::error::{Exit, Failure};
use crate::event_loop::{Watched, sleep, timeout};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildStatus {
    /// By exit(3) with this status.
    Exited(u8),
    /// By this signal.
    Killed(i32),
    /// Somebody else took its status.
    Unknown,
}

impl ChildStatus {
    /// As a shell sees it: the child's own status, or 128 + the signal that killed it.
    pub fn exit(self) -> Exit {
        match self {
            ChildStatus::Exited(code) => Exit(code),
            ChildStatus::Killed(signal) => Exit::from_signal(signal),
            ChildStatus::Unknown => Exit::FAILURE,
        }
    }
}

/// A running child, leader of its own process group.
pub struct Child {
    pid: Pid,
    pidfd: Watched<OwnedFd>,
    status: Option<ChildStatus>,
}

impl Child {
    /// Starts `program`, which must lead a group of its own; see `spawn` for how it can fail.
    pub fn spawn(program: &Program, ends: Ends) -> Result<Child, Failure> {
        let pid = Pid::from_raw(spawn(program, ends)?.pid);
        Child::watched(pid).map_err(|why| {
            let _ = killpg(pid, Signal::SIGKILL);
            let _ = waitpid(pid, None);
            Failure::new(Exit(125), format!("cannot watch {}", program.name()), why)
        })
    }

    /// A child of ours that is not reaped.
    fn watched(pid: Pid) -> std::io::Result<Child> {
        let pidfd = rustix::process::Pid::from_raw(pid.as_raw())
            .ok_or(rustix::io::Errno::SRCH)
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK))?;
        let pidfd = Watched::new(pidfd).map_err(|(_, why)| why)?;
        Ok(Child { pid, pidfd, status: None })
    }

    /// Ready when the child has ended. It is reaped then, and never signalled after.
    pub fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.status.is_none() {
            ready!(self.pidfd.poll_readable(cx));
            self.reap(Some(WaitPidFlag::WNOHANG));
        }
        Poll::Ready(())
    }

    fn reap(&mut self, flags: Option<WaitPidFlag>) {
        self.status = match waitpid(self.pid, flags) {
            Ok(WaitStatus::Exited(_, code)) => Some(ChildStatus::Exited(code as u8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(ChildStatus::Killed(signal as i32)),
            Ok(_) => None,
            Err(_) => Some(ChildStatus::Unknown),
        };
    }

    /// Waits for the child to end.
    pub async fn exited(&mut self) {
        std::future::poll_fn(|cx| self.poll_exit(cx)).await;
    }

    /// The status of a child that has ended.
    pub fn status(&self) -> ChildStatus {
        self.status.unwrap_or(ChildStatus::Unknown)
    }

    /// Tells the child's process group that its peer is gone: HUP and TERM, and CONT so that it can act.
    pub fn hang_up(&self) {
        for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGCONT] {
            self.signal_group(signal);
        }
    }

    /// Tells the child that its peer is gone, and kills it when it has not ended within `grace`.
    pub async fn end(&mut self, grace: Duration) {
        self.hang_up();
        if timeout(grace, self.exited()).await.is_err() {
            self.kill();
            self.exited().await;
        }
    }

    /// Kills the child's process group.
    pub fn kill(&self) {
        self.signal_group(Signal::SIGKILL);
    }

    fn signal_group(&self, signal: Signal) {
        // A reaped leader's group id may belong to somebody else by now.
        if self.status.is_none() {
            let _ = killpg(self.pid, signal);
        }
    }
}

thread_local! {
    /// Children that were told that their peer is gone, and that nobody waits for.
    static LEFT_BEHIND: RefCell<Vec<Pid>> = RefCell::default();
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.reap(Some(WaitPidFlag::WNOHANG));
        }
        if self.status.is_none() {
            self.hang_up();
            let still_runs =
                |pid: &Pid| waitpid(*pid, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive);
            LEFT_BEHIND.with_borrow_mut(|left| {
                left.retain(still_runs);
                left.push(self.pid);
            });
        }
    }
}

/// Waits for the children that were left behind, and kills those that have not ended within `grace`, or once `enough`
/// resolves.
pub async fn end_left_behind(grace: Duration, enough: impl Future<Output = ()>) {
    let left = LEFT_BEHIND.take();
    let mut left: Vec<Child> = left.into_iter().filter_map(|pid| Child::watched(pid).ok()).collect();
    tokio::select! {
        () = all_exited(&mut left) => return,
        () = sleep(grace) => {}
        () = enough => {}
    }
    left.iter().for_each(Child::kill);
    all_exited(&mut left).await;
}

async fn all_exited(children: &mut [Child]) {
    for child in children {
        child.exited().await;
    }
}
