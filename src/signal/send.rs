//! Sending signals, real-time ones with their value.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow};

use super::{Number, Set};

/// kill(2): to the process `pid`, or to the process group `-pid`. Without a signal it only asks whether that could be.
pub fn send(pid: i32, signal: impl Into<Option<Number>>) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::kill(pid, signal.into().map_or(0, Number::raw)) }).map(drop)
}

/// sigqueue(3): to a process, with a value; what is queued is counted, not merged.
pub fn queue(pid: i32, signal: Number, value: i32) -> Result<(), Errno> {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value as usize) };
    // SAFETY: the value is an integer in the shape of a pointer; the kernel does not follow it.
    Errno::result(unsafe { libc::sigqueue(pid, signal.raw(), value) }).map(drop)
}

/// What pidfd_send_signal(2) takes, the beginning of siginfo_t: the fields of a signal with a value.
#[repr(C)]
struct Queued {
    signo: i32,
    errno: i32,
    code: i32,
    fields: Fields,
    rest: [u8; 128],
}

/// Aligned as the kernel's union is: by its pointers.
#[repr(C)]
struct Fields {
    pid: i32,
    uid: u32,
    value: *mut libc::c_void,
}

/// pidfd_send_signal(2): to the very process that was opened, never to a later one with its number; with a value as
/// sigqueue(3) sends it. Without a signal it only asks whether that could be.
pub fn send_to(pidfd: impl AsFd, signal: impl Into<Option<Number>>, value: Option<i32>) -> Result<(), Errno> {
    let (fd, number) = (pidfd.as_fd().as_raw_fd(), signal.into().map_or(0, Number::raw));
    let queued = value.map(|value| Queued {
        signo: number,
        errno: 0,
        code: libc::SI_QUEUE,
        fields: Fields {
            pid: std::process::id() as i32,
            uid: nix::unistd::getuid().as_raw(),
            value: std::ptr::without_provenance_mut(value as usize),
        },
        rest: [0; 128],
    });
    let information = queued.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: null means "as kill(2) does"; else the kernel reads a siginfo_t of 128 bytes, and `Queued` is longer.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, number, information, 0) };
    Errno::result(sent).map(drop)
}

/// Does something with all signals blocked: what comes meanwhile is delivered after it.
pub fn undisturbed<T>(act: impl FnOnce() -> T) -> T {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let done = act();
    let _ = before.and_then(|before| before.thread_set_mask());
    done
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
