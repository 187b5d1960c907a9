//! One child: a pidfd that becomes readable when it ends.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::task::{Context, Poll, ready};

use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::unix::AsyncFd;

use super::inherited::with_original_open_files;
use crate::error::{Exit, Failure};
use crate::watch::watch;

/// What to run and in which surroundings.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Program and arguments; never empty.
    pub argv: Vec<OsString>,
    /// Variables to add to the environment.
    pub env: Vec<(String, String)>,
    /// Working directory.
    pub dir: Option<PathBuf>,
}

/// The three standard descriptors of a child; `None` inherits ours.
#[derive(Default)]
pub struct Stdio3 {
    /// stdin.
    pub stdin: Option<OwnedFd>,
    /// stdout.
    pub stdout: Option<OwnedFd>,
    /// stderr.
    pub stderr: Option<OwnedFd>,
}

/// Whether the child's stdin becomes its controlling terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// No: a process group of its own in our session.
    No,
    /// Yes: a session of its own, led by the child.
    Controlling,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildStatus(ExitStatus);

impl ChildStatus {
    /// As a shell sees it: the child's own status, or 128 + the signal that killed it.
    pub fn exit(self) -> Exit {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => Exit(u8::try_from(code).unwrap_or(u8::MAX)),
            (None, Some(signal)) => Exit::from_signal(signal),
            (None, None) => Exit::FAILURE,
        }
    }
}

/// A running child, leader of its own process group.
pub struct Child {
    inner: std::process::Child,
    pidfd: AsyncFd<OwnedFd>,
    status: Option<ExitStatus>,
}

impl Child {
    /// Starts `program` in a process group of its own, its signals at their defaults.
    /// Fails with 127 (no such program), 126 (cannot be run) or 125 (could not even try).
    pub fn spawn(program: &Program, stdio: Stdio3, terminal: Terminal) -> Result<Child, Failure> {
        let mut command = command(program, stdio, terminal);
        let mut inner = with_original_open_files(|| command.spawn()).map_err(|why| explain(program, &why))?;
        match pidfd(&inner).and_then(|fd| watch(fd).map_err(|(_, why)| why)) {
            Ok(pidfd) => Ok(Child { inner, pidfd, status: None }),
            Err(why) => {
                let _ = inner.kill();
                let _ = inner.wait();
                Err(Failure::new(Exit(125), format!("cannot watch {}", name(program)), why))
            }
        }
    }

    /// Ready when the child has ended. It is reaped then, and never signalled after.
    pub fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.status.is_none() {
            let Ok(mut guard) = ready!(self.pidfd.poll_read_ready(cx)) else { return Poll::Ready(()) };
            guard.retain_ready();
            self.status = self.inner.try_wait().ok().flatten();
        }
        Poll::Ready(())
    }

    /// Waits for the child to end.
    pub async fn exited(&mut self) {
        std::future::poll_fn(|cx| self.poll_exit(cx)).await;
    }

    /// The status of a child that has ended.
    pub fn wait(&mut self) -> ChildStatus {
        let status = self.status.take().map_or_else(|| self.inner.wait(), Ok);
        ChildStatus(status.unwrap_or_else(|_| ExitStatus::from_raw(0)))
    }

    /// Tells the child's process group that its peer is gone: HUP and TERM, and CONT so that it can act.
    pub fn hang_up(&self) {
        for signal in [Signal::HUP, Signal::TERM, Signal::CONT] {
            self.signal_group(signal);
        }
    }

    /// Kills the child's process group.
    pub fn kill(&self) {
        self.signal_group(Signal::KILL);
    }

    fn signal_group(&self, signal: Signal) {
        // A reaped leader's group id may belong to somebody else by now.
        if let (None, Some(pid)) = (self.status, i32::try_from(self.inner.id()).ok().and_then(Pid::from_raw))
        {
            let _ = rustix::process::kill_process_group(pid, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() && matches!(self.inner.try_wait(), Ok(None)) {
            self.hang_up();
        }
    }
}

fn command(program: &Program, stdio: Stdio3, terminal: Terminal) -> Command {
    let mut command = Command::new(&program.argv[0]);
    command.args(&program.argv[1..]).envs(program.env.iter().map(|(key, value)| (key, value)));
    if let Some(dir) = &program.dir {
        command.current_dir(dir);
    }
    let Stdio3 { stdin, stdout, stderr } = stdio;
    if let Some(fd) = stdin {
        command.stdin(fd);
    }
    if let Some(fd) = stdout {
        command.stdout(fd);
    }
    if let Some(fd) = stderr {
        command.stderr(fd);
    }
    match terminal {
        Terminal::No => {
            command.process_group(0);
        }
        Terminal::Controlling => lead_session(&mut command),
    }
    command
}

fn lead_session(command: &mut Command) {
    let enter = || {
        rustix::process::setsid()?;
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        Ok(())
    };
    // SAFETY: between fork and exec this makes two system calls and neither allocates nor takes a lock.
    unsafe { command.pre_exec(enter) };
}

fn pidfd(child: &std::process::Child) -> io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH)?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

fn name(program: &Program) -> String {
    program.argv[0].to_string_lossy().into_owned()
}

fn explain(program: &Program, why: &io::Error) -> Failure {
    let what = format!("cannot run {}", name(program));
    if let Some(dir) = program.dir.as_ref().filter(|dir| !dir.is_dir()) {
        return Failure::new(Exit(125), what, format!("no such directory: {}", dir.display()));
    }
    match why.kind() {
        io::ErrorKind::NotFound if std::path::Path::new(&program.argv[0]).exists() => {
            Failure::new(Exit::NOT_FOUND, what, "the interpreter in its first line does not exist")
        }
        io::ErrorKind::NotFound => Failure::new(Exit::NOT_FOUND, what, "no such program"),
        io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => Failure::new(Exit(125), what, why),
        _ => Failure::new(Exit::CANNOT_RUN, what, why),
    }
}
