//! Pipes: made, grown, and looked at from outside.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

/// Bytes that a pipe which we move data through is grown to.
pub const LARGE: usize = 1024 * 1024;

/// A pipe: its read end and its write end, neither of which a child inherits by itself.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?)
}

/// Makes a pipe hold more. EPERM beyond a user's share (pipe-user-pages-soft, pipe(7)) is no failure, and
/// neither is a descriptor that is no pipe: the size it has will do.
pub fn grow(fd: impl AsFd, size: usize) {
    let _ = rustix::pipe::fcntl_setpipe_size(fd, size);
}

/// True while somebody could still write what is read from this read end.
pub fn has_writers(out: impl AsFd) -> bool {
    // Once all write ends are closed, a read end answers POLLHUP, poll(2).
    !is_ready(out, PollFlags::empty())
}

/// True for a descriptor that is ready now for any of these, or of which poll(2) has something to say unasked: an error,
/// a hang-up.
pub fn is_ready(fd: impl AsFd, events: PollFlags) -> bool {
    let mut fds = [PollFd::new(&fd, events)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut fds, Some(&now)), Ok(n) if n > 0)
}

/// A pipe seen from outside: not counted as a reader or writer, so that its ends see each other go.
pub struct View(OwnedFd);

impl View {
    /// Looks at the pipe behind either of its ends.
    pub fn of(end: impl AsFd) -> io::Result<View> {
        let path = format!("/proc/self/fd/{}", end.as_fd().as_raw_fd());
        Ok(View(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// A write end for a moment. A reader may see the end of the data that much later, and loses nothing.
    fn touch(&self) -> io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        Ok(rustix::fs::open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Bytes written and not yet read; `None` once the pipe is gone.
    pub fn fill(&self) -> Option<u64> {
        rustix::io::ioctl_fionread(self.touch().ok()?).ok()
    }

    /// True while somebody, anybody, could still read what is written.
    pub fn has_readers(&self) -> bool {
        let Ok(end) = self.touch() else { return false };
        // A write end whose readers have all gone answers POLLERR, poll(2).
        !is_ready(end, PollFlags::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_sees_bytes_and_readers_and_is_neither_end() {
        let (out, into) = pipe().unwrap();
        let view = View::of(&into).unwrap();
        assert_eq!(view.fill(), Some(0));
        rustix::io::write(&into, b"abc").unwrap();
        assert_eq!(view.fill(), Some(3));
        assert!(view.has_readers() && has_writers(&out));
        drop(out);
        assert!(!view.has_readers());
        assert_eq!(rustix::io::write(&into, b"x"), Err(rustix::io::Errno::PIPE));
    }

    #[test]
    fn a_reader_sees_the_end_although_somebody_looks() {
        let (out, into) = pipe().unwrap();
        let view = View::of(&out).unwrap();
        drop(into);
        assert!(view.has_readers() && !has_writers(&out));
        assert_eq!(rustix::io::read(&out, &mut [0; 4][..]), Ok(0));
        drop(out);
        assert!(!view.has_readers());
    }

    #[test]
    fn growing_what_is_no_pipe_does_nothing() {
        grow(io::stdin(), LARGE);
        let (_out, into) = pipe().unwrap();
        grow(&into, LARGE);
        assert!(rustix::pipe::fcntl_getpipe_size(&into).unwrap() >= 65536);
    }
}
