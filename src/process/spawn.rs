//! From a program and its ends to a running process. Never a plain fork, whose cost grows with our memory (sys.rs).

use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use super::failure::SpawnError;
use super::plan;
use super::program::{Base, Change, Ends, Environment, Program};
use super::sys::{self, Order, Refusal};

/// The shell that execvp(3) gives a script without `#!` to.
const SHELL: &CStr = c"/bin/sh";
/// Where programs are when PATH is unset, as the C library has it (confstr(3)).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A process that was started and not yet reaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its process id.
    pub pid: i32,
    /// The file that it runs.
    pub path: OsString,
}

/// Starts `program` and closes our copies of `ends`. When it returns, the program runs or has been refused; there
/// is no time in between in which a signal to it could be lost. The error tells the step and the cause.
pub fn spawn(program: &Program, ends: Ends) -> Result<Started, SpawnError> {
    let prepared = Prepared::new(program, ends)?;
    match prepared.launch(&prepared.paths, &prepared.argv) {
        Err(Refusal::Exec(at, Errno::ENOEXEC)) if !is_binary(&prepared.paths[at]) => {
            prepared.launch_script(&prepared.paths[at])
        }
        result => result,
    }
    .map_err(|refusal| SpawnError::explain(program, &prepared.steps, &prepared.paths, refusal))
}

/// The files that `program` could be, in the order in which they are tried: one for a path, one for each
/// directory of PATH for a name.
pub fn candidates(program: &Program) -> Result<Vec<CString>, SpawnError> {
    let name = program.argv.first().map(OsString::as_os_str).unwrap_or_default();
    if name.is_empty() {
        return Err(SpawnError::no_program());
    }
    let file = |path: &[u8]| CString::new(path).map_err(|_| SpawnError::null_byte());
    if name.as_bytes().contains(&b'/') {
        let path = Path::new(name);
        // The program is meant from where we are, also when it starts elsewhere.
        return match (&program.dir, std::env::current_dir()) {
            (Some(_), Ok(here)) if path.is_relative() => {
                Ok(vec![file(here.join(path).as_os_str().as_bytes())?])
            }
            _ => Ok(vec![file(name.as_bytes())?]),
        };
    }
    let path = variable(&program.environment, "PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    path.as_bytes()
        .split(|byte| *byte == b':')
        .map(|dir| match dir {
            [] => file(name.as_bytes()),
            _ => file(&[dir, b"/", name.as_bytes()].concat()),
        })
        .collect()
}

/// What a variable is in an environment.
fn variable(environment: &Environment, wanted: &str) -> Option<OsString> {
    for change in environment.changes.iter().rev() {
        match change {
            Change::Set(name, value) if name == wanted => return Some(value.clone()),
            Change::Unset(name) if name == wanted => return None,
            _ => {}
        }
    }
    match environment.base {
        Base::Inherited => std::env::var_os(wanted),
        Base::Empty => None,
    }
}

/// Everything in the form that the child needs.
struct Prepared {
    steps: Vec<sys::Step>,
    paths: Vec<CString>,
    argv: Vec<CString>,
    /// `None`: ours as it is.
    environment: Option<Vec<CString>>,
    /// Kept open until the child has its copies.
    _ends: Vec<OwnedFd>,
}

impl Prepared {
    fn new(program: &Program, ends: Ends) -> Result<Prepared, SpawnError> {
        let paths = candidates(program)?;
        let mut argv: Vec<CString> =
            program.argv.iter().map(|arg| c_string(arg)).collect::<Result<_, _>>()?;
        if let Some(name) = &program.argv0 {
            argv[0] = c_string(name)?;
        }
        let environment = match &program.environment {
            Environment { base: Base::Inherited, changes } if changes.is_empty() => None,
            changed => Some(entries(changed)?),
        };
        let (given, terminal) = (distinct(ends.given)?, ends.terminal);
        let numbers: Vec<(RawFd, RawFd)> =
            given.iter().map(|(fd, target)| (fd.as_raw_fd(), *target)).collect();
        let steps = plan::steps(program, &numbers, terminal.as_ref().map(AsRawFd::as_raw_fd))?;
        let kept = given.into_iter().map(|(fd, _)| fd).chain(terminal).collect();
        Ok(Prepared { steps, paths, argv, environment, _ends: kept })
    }

    fn launch(&self, paths: &[CString], argv: &[CString]) -> Result<Started, Refusal> {
        let argv = pointers(argv);
        let entries = self.environment.as_deref().map(pointers);
        let envp = entries.as_ref().map_or_else(sys::environ, Vec::as_ptr);
        let launched = Order::new(&self.steps, paths, &argv, envp).launch()?;
        let path = OsStr::from_bytes(paths[launched.path].to_bytes()).to_owned();
        Ok(Started { pid: launched.pid, path })
    }

    /// A script without `#!`: by the shell, as execvp(3) has it.
    fn launch_script(&self, script: &CString) -> Result<Started, Refusal> {
        let mut argv = vec![SHELL.to_owned(), script.clone()];
        argv.extend(self.argv.iter().skip(1).cloned());
        self.launch(&[SHELL.to_owned()], &argv)
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

fn c_string(text: &OsStr) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| SpawnError::null_byte())
}

/// Our environment with the changes; entries that are no `NAME=VALUE` and doubled ones stay as they are.
fn entries(environment: &Environment) -> Result<Vec<CString>, SpawnError> {
    let mut entries: Vec<CString> = match environment.base {
        Base::Inherited => sys::environment().into_iter().map(CStr::to_owned).collect(),
        Base::Empty => Vec::new(),
    };
    for change in &environment.changes {
        let (Change::Set(name, _) | Change::Unset(name)) = change;
        let is_it = |entry: &CString| {
            entry.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
        };
        entries.retain(|entry| !is_it(entry));
        if let Change::Set(name, value) = change {
            entries.push(c_string(OsStr::from_bytes(&[name.as_bytes(), b"=", value.as_bytes()].concat()))?);
        }
    }
    Ok(entries)
}

/// Moves descriptors out of the way of each other's targets, so that the child can take them in any order.
fn distinct(given: Vec<(OwnedFd, RawFd)>) -> Result<Vec<(OwnedFd, RawFd)>, SpawnError> {
    let Some(highest) = given.iter().map(|(_, target)| *target).max() else { return Ok(given) };
    let aside = |(fd, target): (OwnedFd, RawFd)| match fd.as_raw_fd() > highest || fd.as_raw_fd() == target {
        true => Ok((fd, target)),
        false => rustix::io::fcntl_dupfd_cloexec(&fd, highest + 1)
            .map(|moved| (moved, target))
            .map_err(|why| SpawnError::redirect(target, Errno::from_raw(why.raw_os_error()))),
    };
    given.into_iter().map(aside).collect()
}

/// True for what is made for a machine, though not for this one: no shell should read it.
fn is_binary(path: &CString) -> bool {
    super::failure::head_of(Path::new(OsStr::from_bytes(path.to_bytes()))).starts_with(b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use nix::sys::resource::{UsageWho, getrusage};

    use super::*;

    #[test]
    fn a_large_heap_is_not_copied() {
        let mut heap = vec![1u8; 64 << 20];
        let faults = || getrusage(UsageWho::RUSAGE_THREAD).unwrap().minor_page_faults();
        let started = spawn(&Program::new(vec!["true".into()]), Ends::inherited()).unwrap();
        let before = faults();
        heap.iter_mut().step_by(4096).for_each(|byte| *byte += 1);
        // A fork, also a finished one, would leave every page to be copied on the first write.
        assert!(faults() - before < 16, "{} page faults", faults() - before);
        assert_eq!(std::hint::black_box(heap)[4096], 2);
        nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(started.pid), None).unwrap();
    }
}
