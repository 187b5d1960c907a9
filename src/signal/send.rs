//! Sending signals, real-time ones with their value.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::libc;

use super::{Number, Set};

/// kill(2): to the process `pid`, or to the process group `-pid`.
pub fn send(pid: i32, signal: Number) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::kill(pid, signal.raw()) }).map(drop)
}

/// sigqueue(3): to a process, with a value; what is queued is counted, not merged.
pub fn queue(pid: i32, signal: Number, value: i32) -> Result<(), Errno> {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value as usize) };
    // SAFETY: the value is an integer in the shape of a pointer; the kernel does not follow it.
    Errno::result(unsafe { libc::sigqueue(pid, signal.raw(), value) }).map(drop)
}

/// pidfd_send_signal(2): to the very process that was opened, never to a later one with its number.
pub fn send_to(pidfd: impl AsFd, signal: Number) -> Result<(), Errno> {
    let fd = pidfd.as_fd().as_raw_fd();
    let information = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo means "as kill(2) does".
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal.raw(), information, 0) };
    Errno::result(sent).map(drop)
}

/// Dies of `signal` as its default says, without leaving a core file; returns where that cannot be done.
pub fn die_of(signal: Number) {
    let nothing = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a plain system call; the limit is local.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const nothing) };
    take(signal);
}

/// What came of a wish to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// We were stopped, and are continued.
    Over,
    /// The kernel has ignored it, as it does in an orphaned process group (setpgid(2)) with all but STOP.
    Ignored,
}

/// Stops as `signal` says, until we are continued. CONT must be blocked: that it waits is how we know.
pub fn stop_of(signal: Number) -> Stop {
    take(signal);
    let mut pending = 0u64;
    // SAFETY: the set is local, and as long as the kernel's.
    unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut pending, size_of::<u64>()) };
    match Set::from_bits(pending).contains(Number::CONT) {
        true => Stop::Over,
        false => Stop::Ignored,
    }
}

/// Sends us `signal` with its default disposition, and lets it through.
fn take(signal: Number) {
    let mask = 1u64 << (signal.raw() - 1);
    let size = size_of::<u64>();
    let mut before = 0u64;
    // SAFETY: plain system calls; the sets are local. No handler is ever set.
    unsafe {
        libc::signal(signal.raw(), libc::SIG_DFL);
        libc::raise(signal.raw());
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_UNBLOCK, &raw const mask, &raw mut before, size);
        let nothing = std::ptr::null_mut::<u64>();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const before, nothing, size);
    }
}
