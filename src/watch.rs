//! The one place where a descriptor enters the event loop.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use tokio::io::unix::AsyncFd;

/// Types that own one descriptor for all their life and always name the same one.
pub trait OwnsDescriptor: AsRawFd {}

impl OwnsDescriptor for OwnedFd {}
impl OwnsDescriptor for socket2::Socket {}
impl OwnsDescriptor for nix::sys::signalfd::SignalFd {}

/// Watches `owner` for readiness. On failure it is handed back beside the reason; epoll answers EPERM for
/// what is always ready (regular files, /dev/null).
pub fn watch<T: OwnsDescriptor>(owner: T) -> Result<AsyncFd<T>, (T, io::Error)> {
    // SAFETY: `OwnsDescriptor` says that the descriptor stays open and the same as long as its owner lives.
    unsafe { AsyncFd::register(owner) }.map_err(tokio::io::unix::AsyncFdRegisterError::into_parts)
}
