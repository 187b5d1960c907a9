//! Whether a program could be started, asked before anything is.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::failure::{SpawnError, lacks_interpreter, path_of};
use super::program::Program;
use super::spawn::candidates;
use super::sys::{Refusal, Step};

/// Looks the program and its directory up as `spawn` would, and starts nothing. That it passes is no promise: what
/// is there now may be gone a moment later.
pub fn lookup(program: &Program) -> Result<(), SpawnError> {
    if let Some(dir) = &program.dir {
        let dir = CString::new(dir.as_os_str().as_bytes()).map_err(|_| SpawnError::null_byte())?;
        let errno = match access(path_of(&dir).as_path(), AccessFlags::X_OK) {
            Ok(()) if path_of(&dir).is_dir() => None,
            Ok(()) => Some(Errno::ENOTDIR),
            Err(errno) => Some(errno),
        };
        if let Some(errno) = errno {
            return Err(SpawnError::explain(program, &[Step::Directory(dir)], &[], Refusal::Step(0, errno)));
        }
    }
    let paths = candidates(program)?;
    let mut refusal = Refusal::Exec(paths.len().saturating_sub(1), Errno::ENOENT);
    for (at, path) in paths.iter().enumerate() {
        match check(&path_of(path)) {
            Ok(()) => return Ok(()),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => refusal = Refusal::Exec(at, errno),
        }
    }
    Err(SpawnError::explain(program, &[], &paths, refusal))
}

fn check(path: &Path) -> Result<(), Errno> {
    access(path, AccessFlags::X_OK)?;
    match path.is_dir() {
        true => Err(Errno::EACCES),
        false if lacks_interpreter(path) => Err(Errno::ENOENT),
        false => Ok(()),
    }
}
