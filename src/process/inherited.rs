//! What spile itself inherited: descriptors by their numbers, and limits; kept from or given back to its children.

use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::OnceLock;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use rustix::fs::{Mode, OFlags};

static ORIGINAL: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// The descriptors that `seal_inherited` has sealed.
static SEALED: OnceLock<Vec<i32>> = OnceLock::new();

/// Opens /dev/null for those of 0, 1 and 2 that are closed: what we open next must not be taken for one of them.
/// In the place of stdout it can only be read: who writes there is told EBADF, as by a descriptor that is closed, and
/// no data disappears unnoticed.
pub fn fill_standard_streams() {
    for number in 0..=2 {
        // SAFETY: borrowed for one question that a closed number answers, too.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if rustix::io::fcntl_getfd(fd).is_err() {
            // The lowest free number is taken; without close-on-exec, as our children need it as well.
            let access = if number == 1 { OFlags::RDONLY } else { OFlags::RDWR };
            let null = rustix::fs::open("/dev/null", access, Mode::empty());
            let _ = null.map(IntoRawFd::into_raw_fd);
        }
    }
}

/// A descriptor that we inherited and that is named by its number; `None` when there is none.
pub fn descriptor(number: i32) -> Option<BorrowedFd<'static>> {
    let fd = existing(number)?;
    (is_inheritable(fd) || SEALED.get().is_some_and(|sealed| sealed.contains(&number))).then_some(fd)
}

/// The same, to be closed by us; only for what was passed to this very process and is taken once.
pub fn take_descriptor(number: i32) -> Option<OwnedFd> {
    // SAFETY: it is open, and not one that some owner in this process has opened.
    descriptor(number).map(|_| unsafe { OwnedFd::from_raw_fd(number) })
}

fn existing(number: i32) -> Option<BorrowedFd<'static>> {
    let is_open = number >= 0 && rustix::fs::stat(format!("/proc/self/fd/{number}")).is_ok();
    // SAFETY: it is open, and who finds it to be no inherited one makes no further use of it.
    is_open.then(|| unsafe { BorrowedFd::borrow_raw(number) })
}

/// What came through an exec is not close-on-exec, and all that we open is.
fn is_inheritable(fd: BorrowedFd<'_>) -> bool {
    fcntl(fd, FcntlArg::F_GETFD).is_ok_and(|flags| flags & FdFlag::FD_CLOEXEC.bits() == 0)
}

/// Keeps every descriptor above 2 that we inherited from our children: a server's child gets 0, 1 and 2 alone.
pub fn seal_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let inherited = numbers.filter(|number| *number > 2).filter(|number| descriptor(*number).is_some());
    let inherited: Vec<i32> = inherited.collect();
    for fd in inherited.iter().filter_map(|number| existing(*number)) {
        let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
    let _ = SEALED.set(inherited);
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

/// The soft and hard limit that we were started with, where we have raised it. A child should see the same:
/// programs that use select(2) break on descriptors above 1023.
pub fn original_open_files() -> Option<(rlim_t, rlim_t)> {
    ORIGINAL.get().copied()
}
