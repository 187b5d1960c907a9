//! What spile itself inherited: descriptors and limits, kept from or given back to its children.

use std::os::fd::BorrowedFd;
use std::sync::OnceLock;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

static ORIGINAL: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// Keeps every descriptor above 2 that we inherited from our children: a server's child gets 0, 1 and 2 alone.
pub fn seal_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    for fd in open.filter(|fd| *fd > 2).collect::<Vec<_>>() {
        // SAFETY: the number was just listed as open; at worst (it was the listing's own) the call answers EBADF.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// Raises the soft limit on open files to the hard one; a server needs a descriptor or two per peer.
pub fn raise_open_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok()
    {
        let _ = ORIGINAL.set((soft, hard));
    }
}

/// Runs `spawn` under the limit that we were started with, so that a child sees the same:
/// programs that use select(2) break on descriptors above 1023.
pub fn with_original_open_files<T>(spawn: impl FnOnce() -> T) -> T {
    let Some(&(soft, hard)) = ORIGINAL.get() else { return spawn() };
    let _ = setrlimit(Resource::RLIMIT_NOFILE, soft, hard);
    let result = spawn();
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    result
}
