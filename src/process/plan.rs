//! What a child does before it becomes the program, as a list of steps: pure, nothing is done here.

use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::libc;

use super::failure::SpawnError;
use super::inherited::{descriptor, original_open_files};
use super::program::{Group, Identity, Inherits, Program, SignalBase, Signals};
use super::secret::original_core_limit;
use super::sys::Step;
use crate::signal::{Number, Set, blocked_at_start, ignored_at_start};

/// The steps for `program`. `given` pairs our descriptors with their numbers in the program.
pub fn steps(
    program: &Program,
    given: &[(RawFd, RawFd)],
    terminal: Option<RawFd>,
) -> Result<Vec<Step>, SpawnError> {
    let mut steps = group(program, terminal);
    steps.extend(program.umask.map(Step::Umask));
    if program.nice != 0 {
        steps.push(Step::Priority(nice_now().saturating_add(program.nice).clamp(-20, 19)));
    }
    limits(program, &mut steps);
    if let Some(dir) = &program.dir {
        let dir = CString::new(dir.as_os_str().as_bytes()).map_err(|_| SpawnError::null_byte())?;
        steps.push(Step::Directory(dir));
    }
    descriptors(program, given, terminal, &mut steps)?;
    identity(&program.identity, &mut steps);
    // A change of user clears it, prctl(2).
    let parent = std::process::id() as i32;
    steps.extend(program.parent_death.map(|signal| Step::ParentDeath(signal.raw(), parent)));
    signals(&program.signals, &mut steps);
    Ok(steps)
}

fn group(program: &Program, terminal: Option<RawFd>) -> Vec<Step> {
    let mut steps = match (terminal, program.group) {
        (Some(terminal), _) => vec![Step::Session, Step::Terminal(terminal)],
        (None, Group::Same) => vec![],
        (None, Group::New) => vec![Step::Group(0)],
        (None, Group::Join(leader)) => vec![Step::Group(leader)],
        (None, Group::Session) => vec![Step::Session],
    };
    steps.extend(program.foreground.map(Step::Foreground));
    steps
}

fn nice_now() -> i32 {
    rustix::process::getpriority_process(None).unwrap_or(0)
}

fn limits(program: &Program, steps: &mut Vec<Step>) {
    let open_files = original_open_files()
        .filter(|_| program.limits.iter().all(|limit| limit.resource != libc::RLIMIT_NOFILE));
    steps.extend(open_files.map(|(soft, hard)| Step::Limit(libc::RLIMIT_NOFILE, soft, hard)));
    let core = original_core_limit()
        .filter(|_| program.limits.iter().all(|limit| limit.resource != libc::RLIMIT_CORE));
    steps.extend(core.map(|(soft, hard)| Step::Limit(libc::RLIMIT_CORE, soft, hard)));
    steps.extend(program.limits.iter().map(|limit| Step::Limit(limit.resource, limit.soft, limit.hard)));
}

fn descriptors(
    program: &Program,
    given: &[(RawFd, RawFd)],
    terminal: Option<RawFd>,
    steps: &mut Vec<Step>,
) -> Result<(), SpawnError> {
    if let Inherits::Only(kept) = &program.inherits {
        steps.push(Step::Seal(3, u32::MAX));
        for number in kept {
            // One of ours may have the number by now; it is not for the program.
            descriptor(*number).ok_or_else(|| SpawnError::redirect(*number, Errno::EBADF))?;
            steps.push(Step::Descriptor(*number, *number));
        }
    }
    let on_terminal = terminal.into_iter().flat_map(|fd| [0, 1, 2].map(|target| (fd, target)));
    let free = on_terminal.filter(|(_, target)| given.iter().all(|(_, taken)| taken != target));
    steps.extend(given.iter().copied().chain(free).map(|(from, to)| Step::Descriptor(from, to)));
    Ok(())
}

/// Groups first: who has given up root may not change them any more (setuid(2)).
fn identity(identity: &Identity, steps: &mut Vec<Step>) {
    steps.extend(identity.groups.clone().map(Step::Groups));
    steps.extend(identity.group.map(Step::GroupId));
    steps.extend(identity.user.map(Step::UserId));
}

/// Rust ignores PIPE in us, and we block what we read from a signalfd: neither is for the program.
fn signals(signals: &Signals, steps: &mut Vec<Step>) {
    let (mut blocked, mut ignored) = (Set::default(), Set::default());
    match signals.base {
        SignalBase::Usual => steps.push(Step::Disposition(libc::SIGPIPE, libc::SIG_DFL)),
        SignalBase::Inherited => {
            steps.push(Step::Disposition(libc::SIGPIPE, libc::SIG_DFL));
            (blocked, ignored) = (blocked_at_start(), ignored_at_start());
        }
        SignalBase::Default => {
            let all = Number::all().filter(|signal| signal.is_settable());
            steps.extend(all.map(|signal| Step::Disposition(signal.raw(), libc::SIG_DFL)));
        }
    }
    let set = |set: Set, what| set.iter().map(move |signal| Step::Disposition(signal.raw(), what));
    steps.extend(set(ignored, libc::SIG_IGN));
    steps.extend(set(signals.default, libc::SIG_DFL));
    steps.extend(set(signals.ignore, libc::SIG_IGN));
    let mask = (blocked.bits() & !signals.default.bits()) | signals.block.bits();
    steps.push(Step::PutOff);
    steps.push(Step::Mask(mask));
}

impl Step {
    /// The step's name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Session => "setsid",
            Step::Group(_) => "setpgid",
            Step::Terminal(_) | Step::Foreground(_) => "terminal",
            Step::Umask(_) => "umask",
            Step::Priority(_) => "nice",
            Step::Limit(..) => "rlimit",
            Step::Groups(_) => "setgroups",
            Step::GroupId(_) => "setgid",
            Step::UserId(_) => "setuid",
            Step::Directory(_) => "chdir",
            Step::Descriptor(..) | Step::Seal(..) => "redirect",
            Step::ParentDeath(..) => "pdeath",
            Step::Disposition(..) | Step::PutOff | Step::Mask(_) => "signals",
        }
    }
}
