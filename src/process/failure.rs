//! Why a program could not be started: the step, the cause, and what was missing.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::program::Program;
use super::sys::{Refusal, Step};
use crate::error::{Exit, Failure};

/// The longest single argument that Linux takes, with its final null (execve(2), MAX_ARG_STRLEN).
const LONGEST_ARGUMENT: usize = 128 * 1024;
/// spile itself failed before the program ran.
const OURS: Exit = Exit(125);

/// What a spawn stumbled on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnError {
    /// `lookup`, `exec`, `chdir`, `redirect`, `setuid`…
    pub step: &'static str,
    /// The system's own word.
    pub errno: Errno,
    /// What it is about: `program`, `interpreter`, `directory`, `argument`, `descriptor`…
    pub subject: &'static str,
    /// Its path, where it has one.
    pub path: Option<PathBuf>,
    /// 127: there is no such program; 126: it cannot be run; 125: we did not get that far.
    pub failure: Box<Failure>,
}

impl From<SpawnError> for Failure {
    fn from(error: SpawnError) -> Failure {
        *error.failure
    }
}

impl SpawnError {
    /// A failure of our own preparations (125).
    pub fn new(step: &'static str, subject: &'static str, errno: Errno, failure: Failure) -> SpawnError {
        SpawnError { step, errno, subject, path: None, failure: Box::new(failure) }
    }

    fn at(mut self, path: &Path) -> SpawnError {
        self.path = Some(path.to_owned());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> SpawnError {
        self.failure.hint = Some(hint.into());
        self
    }

    /// There are no words to run.
    pub fn no_program() -> SpawnError {
        let failure = Failure::new(Exit::NOT_FOUND, "cannot run ''", "an empty word names no program");
        SpawnError::new("lookup", "program", Errno::ENOENT, failure)
    }

    /// A word with a null byte in it, which no program can receive.
    pub fn null_byte() -> SpawnError {
        let why = "an argument or a variable has a null byte in it";
        SpawnError::new(
            "exec",
            "argument",
            Errno::EINVAL,
            Failure::new(OURS, "cannot start the program", why),
        )
    }

    /// A descriptor that cannot be given to the program.
    pub fn redirect(number: RawFd, errno: Errno) -> SpawnError {
        let why = match errno {
            Errno::EBADF => "it is not open",
            _ => errno.desc(),
        };
        let failure = Failure::new(OURS, format!("cannot pass descriptor {number}"), why);
        SpawnError::new("redirect", "descriptor", errno, failure)
    }

    /// Puts what the kernel said into words.
    pub fn explain(program: &Program, steps: &[Step], paths: &[CString], refusal: Refusal) -> SpawnError {
        match refusal {
            Refusal::Clone(errno) => {
                let failure = Failure::new(OURS, format!("cannot start {}", program.name()), errno.desc());
                SpawnError::new("clone", "process", errno, failure)
            }
            Refusal::Step(at, errno) => of_step(&steps[at], errno),
            Refusal::Exec(_, Errno::ENOENT) if !program.name().contains('/') => not_in_path(program, paths),
            Refusal::Exec(at, errno) => of_exec(program, &path_of(&paths[at.min(paths.len() - 1)]), errno),
        }
    }
}

/// True for a file whose interpreter is not there or cannot be run.
pub fn lacks_interpreter(path: &Path) -> bool {
    interpreter(path).is_some_and(|interpreter| !is_executable(&interpreter))
}

/// A path from the kernel's form of it.
pub fn path_of(path: &CString) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.to_bytes()))
}

fn of_step(step: &Step, errno: Errno) -> SpawnError {
    let ours = |subject, what: String, why: &str| {
        SpawnError::new(step.name(), subject, errno, Failure::new(OURS, what, why))
    };
    let may = |what: String| {
        let error = ours("user", what, errno.desc());
        if errno == Errno::EPERM { error.hint("only root may do that") } else { error }
    };
    match step {
        Step::Directory(path) => {
            let path = path_of(path);
            let why = match errno {
                Errno::ENOENT => "there is no such directory",
                _ => errno.desc(),
            };
            ours("directory", format!("cannot start in {}", path.display()), why).at(&path)
        }
        Step::Descriptor(_, number) => SpawnError::redirect(*number, errno),
        Step::Groups(_) => may("cannot set the supplementary groups".to_owned()),
        Step::GroupId(id) => may(format!("cannot become group {id}")),
        Step::UserId(id) => may(format!("cannot become user {id}")),
        Step::Priority(value) => may(format!("cannot set the nice value {value}")),
        Step::Limit(resource, ..) => may(format!("cannot set the limit {}", super::limit::name(*resource))),
        Step::Disposition(signal, _) => {
            let name =
                crate::signal::Number::new(*signal).map(|signal| signal.to_string()).unwrap_or_default();
            ours("signal", format!("cannot set what signal {name} does"), errno.desc())
        }
        Step::ParentDeath(..) if errno == Errno::ESRCH => {
            ours("process", "cannot start the program".to_owned(), "spile itself was ended meanwhile")
        }
        Step::Terminal(_) | Step::Foreground(_) => {
            ours("terminal", "cannot give the program its terminal".to_owned(), errno.desc())
        }
        _ => ours("process", format!("cannot start the program ({})", step.name()), errno.desc()),
    }
}

fn not_in_path(program: &Program, paths: &[CString]) -> SpawnError {
    let name = program.argv.first().map(OsString::as_os_str).unwrap_or_default();
    // A file that is there, but whose interpreter is not, was found all the same.
    if let Some(found) = paths.iter().map(path_of).find(|path| path.is_file()) {
        return of_exec(program, &found, Errno::ENOENT);
    }
    let searched: Vec<String> = paths.iter().map(|path| directory(&path_of(path))).collect();
    let failure = Failure::new(Exit::NOT_FOUND, format!("cannot run {}", program.name()), "no such program")
        .hint(format!("searched {}", searched.join(":")));
    SpawnError::new("lookup", "program", Errno::ENOENT, failure).at(Path::new(name))
}

fn directory(path: &Path) -> String {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_string_lossy().into_owned(),
        _ => ".".to_owned(),
    }
}

fn of_exec(program: &Program, path: &Path, errno: Errno) -> SpawnError {
    let what = format!("cannot run {}", program.name());
    let error = |exit, subject, why: String| {
        SpawnError::new("exec", subject, errno, Failure::new(exit, what.clone(), why)).at(path)
    };
    match errno {
        Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP if path.is_file() => {
            match interpreter(path).filter(|interpreter| !is_executable(interpreter)) {
                Some(missing) if !missing.exists() => {
                    let why = format!("its interpreter {} does not exist", missing.display());
                    SpawnError { path: Some(missing), ..error(Exit::NOT_FOUND, "interpreter", why) }
                }
                Some(missing) => {
                    let why = format!("its interpreter {} is not executable", missing.display());
                    SpawnError { path: Some(missing), ..error(Exit::CANNOT_RUN, "interpreter", why) }
                }
                None if errno == Errno::EACCES && !is_executable(path) => {
                    error(Exit::CANNOT_RUN, "program", "it is not executable".to_owned())
                        .hint(format!("chmod +x {}", path.display()))
                }
                None => error(Exit::CANNOT_RUN, "program", errno.desc().to_owned()),
            }
        }
        Errno::ENOENT | Errno::ENOTDIR => {
            let error = error(Exit::NOT_FOUND, "program", "no such program".to_owned());
            match program.argv.len() == 1 && program.name().contains(' ') {
                true => error.hint("program and arguments are words of their own; or use --shell"),
                false => error,
            }
        }
        Errno::EACCES | Errno::EISDIR if path.is_dir() => {
            error(Exit::CANNOT_RUN, "program", "it is a directory".to_owned())
        }
        Errno::ENOEXEC => error(Exit::CANNOT_RUN, "program", "it is made for another machine".to_owned()),
        Errno::E2BIG => too_big(program, error(Exit::CANNOT_RUN, "argument", String::new())),
        Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE => {
            error(OURS, "process", errno.desc().to_owned())
        }
        _ => error(Exit::CANNOT_RUN, "program", errno.desc().to_owned()),
    }
}

/// Which argument is too long, or that all together are.
fn too_big(program: &Program, mut error: SpawnError) -> SpawnError {
    let longest = program.argv.iter().enumerate().max_by_key(|(_, arg)| arg.len());
    error.failure.why = match longest {
        Some((at, arg)) if arg.len() >= LONGEST_ARGUMENT => format!(
            "argument {at} has {} bytes, and {} is the most that Linux takes",
            arg.len(),
            LONGEST_ARGUMENT - 1
        ),
        _ => {
            let total: usize = program.argv.iter().map(|arg| arg.len() + 1).sum();
            format!("{} arguments with {total} bytes are more than Linux takes", program.argv.len() - 1)
        }
    };
    error.hint("--args-from FILE runs it in batches; or feed it through stdin")
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The first bytes of a file; none where it cannot be read.
pub fn head_of(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    let _ = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    head
}

/// Who runs this file: the word after `#!`, or an ELF's PT_INTERP (elf(5)).
fn interpreter(path: &Path) -> Option<PathBuf> {
    let head = head_of(path);
    let bytes = match head.strip_prefix(b"#!") {
        Some(line) => {
            let line = line.split(|byte| *byte == b'\n').next()?;
            line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?
        }
        None => elf_interpreter(&head)?,
    };
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

/// PT_INTERP of a 64-bit little-endian ELF whose headers are in the first page, as linkers put them.
fn elf_interpreter(head: &[u8]) -> Option<&[u8]> {
    let is_known = head.starts_with(b"\x7fELF\x02\x01");
    let number = |at: usize, size: usize| {
        let bytes = head.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0usize, |value, byte| value << 8 | usize::from(*byte)))
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let is_interpreter = |at: &usize| number(*at, 4) == Some(3);
    let at = (0..count).map(|n| table.saturating_add(n * size)).find(is_interpreter).filter(|_| is_known)?;
    let (from, length) = (number(at + 8, 8)?, number(at + 32, 8)?);
    head.get(from..from.checked_add(length)?)?.strip_suffix(b"\0")
}
