//! A process that holds private keys leaves no image of its memory behind.

use std::sync::OnceLock;

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

static ORIGINAL: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// No core dumps from now on, and no reading of our memory by other processes of the same user (ptrace(2),
/// /proc/PID/mem). Our own /proc/self stays usable. Not protected against: root, swap, copies within libraries.
pub fn keep_memory_secret() {
    ORIGINAL.get_or_init(|| {
        let original = getrlimit(Resource::RLIMIT_CORE).unwrap_or((0, 0));
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, original.1);
        let _ = prctl::set_dumpable(false);
        original
    });
}

/// The limit on core dumps that we were started with, where we have lowered it; a child's memory is its own affair.
/// Whether it may be dumped at all starts anew with its exec.
pub fn original_core_limit() -> Option<(rlim_t, rlim_t)> {
    ORIGINAL.get().copied()
}
