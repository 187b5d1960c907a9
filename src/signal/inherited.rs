//! The signal state that spile was started with, seen before Rust's start-up code changes it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use nix::libc;

use super::{Number, Set};

static PIPE_IGNORED: AtomicBool = AtomicBool::new(false);
static CHILD_IGNORED: AtomicBool = AtomicBool::new(false);
static BLOCKED: AtomicU64 = AtomicU64::new(0);

/// Rust's start-up code ignores SIGPIPE before `main` runs (rust#97889), so only a constructor always sees what we got.
#[used]
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn() = remember;

/// Notes what we inherited. An ignored SIGCHLD is set to its default at once: with it, the kernel would take
/// the status of every child away from us (sigaction(2)).
extern "C" fn remember() {
    // SAFETY: plain system calls on local, initialised memory; nothing else runs yet.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action);
        PIPE_IGNORED.store(action.sa_sigaction == libc::SIG_IGN, Relaxed);
        libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action);
        if action.sa_sigaction == libc::SIG_IGN {
            CHILD_IGNORED.store(true, Relaxed);
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        }
        let mut blocked = 0u64;
        let size = size_of::<u64>();
        let nothing = std::ptr::null::<u64>();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, nothing, &raw mut blocked, size);
        BLOCKED.store(blocked, Relaxed);
    }
}

/// A write into a broken pipe is to fail, not to kill us.
pub fn ignore_broken_pipes() {
    // SAFETY: no handler is set, the signal is only ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// The signals that were ignored when we started and are not now: PIPE, CHLD, both or none.
pub fn ignored_at_start() -> Set {
    let ours = [(Number::PIPE, &PIPE_IGNORED), (Number::CHLD, &CHILD_IGNORED)];
    ours.into_iter().filter(|(_, ignored)| ignored.load(Relaxed)).map(|(signal, _)| signal).collect()
}

/// The signals that were blocked when we started.
pub fn blocked_at_start() -> Set {
    Set::from_bits(BLOCKED.load(Relaxed))
}
