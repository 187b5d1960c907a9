//! Asks whether a service is ready: a program that says so by its exit status.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::Ready;
use super::output::Output;
use crate::error::{Exit, Failure};
use crate::process::{Ends, Group, Program, Status};
use crate::signal::{self, Number};
use crate::supervise::{Event, Supervisor};

/// Ourselves, also when our file has been replaced or moved (proc_pid_exe(5)).
const SELF: &str = "/proc/self/exe";
/// Between two runs of a command that was not successful.
const AGAIN: Duration = Duration::from_millis(100);

/// A question that is being asked.
pub struct Probe {
    pid: i32,
    output: Output,
    status: Option<Status>,
    /// We were stopped meanwhile: its time went on, and ours did not.
    was_stopped: bool,
}

/// What the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is ready.
    Yes,
    /// It was not; ask again then.
    NotYet(Instant),
    /// It is not, and asking again is of no use: the time is up.
    No,
    /// None yet.
    None,
}

impl Probe {
    /// Starts to ask; `left` is the time that an address has to answer.
    pub fn start(ready: &Ready, left: Duration, supervisor: &mut Supervisor) -> Result<Probe, Failure> {
        let cannot = |why| Failure::new(Exit(125), "cannot ask whether a service is ready", why);
        let argv = match ready {
            Ready::Command(argv) => argv.clone(),
            Ready::Address(address) => wait(left, &[], address),
            Ready::Http { address, host, path } => {
                let request =
                    format!("GET {path} HTTP/1.0\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n");
                wait(left, &["--send", &request, "--expect", r"^HTTP/1\.[01] [23]"], address)
            }
            Ready::Line(_) => return Err(Failure::new(Exit(125), "a line is not asked for", "")),
        };
        let (output, into) = Output::new(None, None).map_err(cannot)?;
        let null = OpenOptions::new().read(true).open("/dev/null").map(OwnedFd::from).map_err(cannot)?;
        let copy = rustix::io::fcntl_dupfd_cloexec(&into, 3).map_err(|why| cannot(why.into()))?;
        let ends = Ends::inherited().stdin(null).stdout(copy).stderr(into);
        let program = Program { group: Group::New, ..Program::new(argv) };
        let started = supervisor.spawn(&program, ends)?;
        Ok(Probe { pid: started.pid, output, status: None, was_stopped: false })
    }

    /// What to wait for.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        self.output.waits(fds);
    }

    /// Takes note of its end.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Ended(pid, status, _) if *pid == self.pid => self.status = Some(*status),
            Event::Resumed(_) => self.was_stopped = true,
            _ => {}
        }
    }

    /// What is known now.
    pub fn answer(&mut self, ready: &Ready, now: Instant) -> Answer {
        self.output.advance(now);
        match (self.status.map(Status::code), ready) {
            (None, _) => Answer::None,
            (Some(Some(0)), _) => Answer::Yes,
            (Some(_), Ready::Command(_)) => Answer::NotYet(now + AGAIN),
            (Some(_), _) if self.was_stopped => Answer::NotYet(now + AGAIN),
            (Some(_), _) => Answer::No,
        }
    }

    /// Asks no more; what it has said.
    pub fn stop(mut self) -> String {
        if self.status.is_none() {
            let _ = signal::send(-self.pid, Number::KILL);
        }
        self.output.last_words()
    }
}

/// `spile wait` for one address.
fn wait(left: Duration, more: &[&str], address: &str) -> Vec<OsString> {
    let time = format!("{}ms", left.as_millis());
    let words = [SELF, "wait", "-t", &time].into_iter().chain(more.iter().copied()).chain([address]);
    words.map(OsString::from).collect()
}
