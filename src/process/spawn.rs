//! posix_spawn(3): a child with given ends, its own process group, default signals and an empty mask.
//! Never a plain fork, whose cost grows with our memory.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::SigSet;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, fchdir};

use super::inherited::with_original_open_files;
use crate::error::{Exit, Failure};

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

/// What a child has as stdin, stdout and stderr.
pub enum Stdio3 {
    /// Descriptors; stderr is inherited where none is given.
    Ends {
        /// stdin.
        stdin: OwnedFd,
        /// stdout.
        stdout: OwnedFd,
        /// stderr.
        stderr: Option<OwnedFd>,
    },
    /// A terminal, which becomes the child's controlling one, in a session of its own.
    Terminal(PathBuf),
}

/// glibc's POSIX_SPAWN_SETSID (2.26), which nix has no name for.
const SETSID: PosixSpawnFlags = PosixSpawnFlags::from_bits_retain(0x80);

/// Starts `program`. Fails with 127 (no such program), 126 (cannot be run) or 125 (could not even try).
pub fn spawn(program: &Program, stdio: &Stdio3) -> Result<Pid, Failure> {
    let start = || -> Result<Pid, Errno> {
        let argv: Vec<CString> =
            program.argv.iter().map(|arg| c_string(arg.as_bytes())).collect::<Result<_, _>>()?;
        let env = environment(program)?;
        let (actions, attributes) = (actions(stdio)?, attributes(stdio)?);
        let _back = program.dir.as_ref().map(Directory::enter).transpose()?;
        with_original_open_files(|| posix_spawnp(&argv[0], &actions, &attributes, &argv, &env))
    };
    start().map_err(|why| explain(program, why))
}

fn attributes(stdio: &Stdio3) -> Result<PosixSpawnAttr, Errno> {
    let mut attributes = PosixSpawnAttr::init()?;
    let group = match stdio {
        Stdio3::Ends { .. } => PosixSpawnFlags::POSIX_SPAWN_SETPGROUP,
        Stdio3::Terminal(_) => SETSID,
    };
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    attributes.set_flags(group | signals)?;
    attributes.set_pgroup(Pid::from_raw(0))?;
    attributes.set_sigdefault(&SigSet::all())?;
    attributes.set_sigmask(&SigSet::empty())?;
    Ok(attributes)
}

fn actions(stdio: &Stdio3) -> Result<PosixSpawnFileActions, Errno> {
    let mut actions = PosixSpawnFileActions::init()?;
    match stdio {
        Stdio3::Ends { stdin, stdout, stderr } => {
            actions.add_dup2(stdin.as_raw_fd(), libc::STDIN_FILENO)?;
            actions.add_dup2(stdout.as_raw_fd(), libc::STDOUT_FILENO)?;
            if let Some(stderr) = stderr {
                actions.add_dup2(stderr.as_raw_fd(), libc::STDERR_FILENO)?;
            }
        }
        Stdio3::Terminal(name) => {
            // The first terminal that a session leader opens becomes its controlling one, tty_ioctl(4).
            actions.add_open(libc::STDIN_FILENO, name.as_path(), OFlag::O_RDWR, Mode::empty())?;
            actions.add_dup2(libc::STDIN_FILENO, libc::STDOUT_FILENO)?;
            actions.add_dup2(libc::STDIN_FILENO, libc::STDERR_FILENO)?;
        }
    }
    Ok(actions)
}

/// What a service manager told us and means nobody else (sd_notify(3), sd_listen_fds(3)).
const FOR_US: &[&str] = &["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

fn environment(program: &Program) -> Result<Vec<CString>, Errno> {
    let added = |key: &OsString| program.env.iter().any(|(name, _)| key.as_bytes() == name.as_bytes());
    let is_for_us = |key: &OsString| FOR_US.iter().any(|name| key.as_bytes() == name.as_bytes());
    let inherited = std::env::vars_os().filter(|(key, _)| !added(key) && !is_for_us(key));
    let own = program.env.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    inherited
        .chain(own)
        .map(|(mut entry, value)| {
            entry.push("=");
            entry.push(value);
            c_string(&entry.into_vec())
        })
        .collect()
}

fn c_string(bytes: &[u8]) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// Our working directory while a child starts in another one; back at the end.
struct Directory(File);

impl Directory {
    fn enter(dir: &PathBuf) -> Result<Directory, Errno> {
        let errno = |why: std::io::Error| Errno::from_raw(why.raw_os_error().unwrap_or(libc::EIO));
        let back = File::open(".").map_err(errno)?;
        std::env::set_current_dir(dir).map_err(errno)?;
        Ok(Directory(back))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fchdir(&self.0);
    }
}

fn explain(program: &Program, why: Errno) -> Failure {
    let name = program.argv[0].to_string_lossy();
    let what = format!("cannot run {name}");
    if let Some(dir) = program.dir.as_ref().filter(|dir| !dir.is_dir()) {
        return Failure::new(Exit(125), what, format!("no such directory: {}", dir.display()));
    }
    match why {
        Errno::ENOENT if name.contains('/') && std::path::Path::new(&program.argv[0]).exists() => {
            Failure::new(Exit::NOT_FOUND, what, "the interpreter in its first line does not exist")
        }
        Errno::ENOENT => Failure::new(Exit::NOT_FOUND, what, "no such program"),
        Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::EINVAL => {
            Failure::new(Exit(125), what, why.desc())
        }
        Errno::ENOEXEC => Failure::new(Exit::CANNOT_RUN, what, "it is neither a program nor opens with #!"),
        _ => Failure::new(Exit::CANNOT_RUN, what, why.desc()),
    }
}
