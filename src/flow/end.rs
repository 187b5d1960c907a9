//! One end of a flow: a descriptor that is used without ever blocking, and without O_NONBLOCK on what is shared.
//!
//! An inherited descriptor is shared with whoever started us. Pipes and terminals are opened again through
//! /proc for a description of our own, sockets are used with MSG_DONTWAIT, files are always ready, and what
//! is left over is asked by poll(2) before each call.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::pipe::{LARGE, grow, is_ready};

/// What poll(2) vouches for when it says that a descriptor is writable (POSIX: PIPE_BUF, here 4096).
const SURE: usize = 4096;

/// What a descriptor is; it decides how a call on it is kept from blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A pipe, in a description of our own.
    Pipe,
    /// A terminal or other device, in a description of our own.
    Device,
    /// A socket.
    Socket,
    /// A regular file or block device.
    File,
    /// A description that is shared and cannot be had again.
    Shared,
}

/// Which way a descriptor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Bytes come from it.
    In,
    /// Bytes go to it.
    Out,
}

/// A descriptor of ours and how it is used.
#[derive(Debug)]
pub struct End {
    fd: OwnedFd,
    kind: Kind,
}

impl End {
    /// Takes a descriptor that nobody else has: an end of a pipe we made, a file we opened, a pty's master.
    pub fn own(fd: OwnedFd) -> io::Result<End> {
        let kind = match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
            FileType::Socket => Kind::Socket,
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory => Kind::File,
            other => {
                let flags = rustix::fs::fcntl_getfl(&fd)?;
                rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
                if other == FileType::Fifo { Kind::Pipe } else { Kind::Device }
            }
        };
        Ok(End { fd, kind })
    }

    /// Makes an end of our own out of a descriptor that is shared with others. A pipe is grown.
    pub fn inherited(fd: BorrowedFd<'_>, way: Way) -> io::Result<End> {
        let end = End::beside(fd, way)?;
        if end.kind == Kind::Pipe {
            grow(&end.fd, LARGE);
        }
        Ok(end)
    }

    /// The same, for a few words now and then: a pipe stays as large as it is.
    pub fn beside(fd: BorrowedFd<'_>, way: Way) -> io::Result<End> {
        let kind = match FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) {
            FileType::Socket => Kind::Socket,
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory => Kind::File,
            other => {
                if let Ok(own) = open_again(fd, way) {
                    let kind = if other == FileType::Fifo { Kind::Pipe } else { Kind::Device };
                    return Ok(End { fd: own, kind });
                }
                Kind::Shared
            }
        };
        Ok(End { fd: rustix::io::fcntl_dupfd_cloexec(fd, 3)?, kind })
    }

    /// The same description once more.
    pub fn another(&self) -> io::Result<End> {
        Ok(End { fd: rustix::io::fcntl_dupfd_cloexec(&self.fd, 3)?, kind: self.kind })
    }

    /// True for a pipe, which tee(2) and both ends of splice(2) take.
    pub fn is_pipe(&self) -> bool {
        self.kind == Kind::Pipe
    }

    /// True for what splice(2) can write to without ever blocking: a blocking socket could.
    pub fn takes_splice(&self) -> bool {
        matches!(self.kind, Kind::Pipe | Kind::File)
    }

    /// True for a terminal.
    pub fn is_terminal(&self) -> bool {
        rustix::termios::isatty(&self.fd)
    }

    /// Reads what is there; `None` when that is nothing yet, 0 at the end.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if self.kind == Kind::Shared && !is_ready(&self.fd, PollFlags::IN) {
            return Ok(None);
        }
        let read = rustix::io::retry_on_intr(|| match self.kind {
            Kind::Socket => rustix::net::recv(&self.fd, &mut *buffer, RecvFlags::DONTWAIT).map(|(n, _)| n),
            _ => rustix::io::read(&self.fd, &mut *buffer),
        });
        match read {
            // A pty's master says so when the last process has closed the terminal.
            Err(Errno::IO) if self.kind == Kind::Device => Ok(Some(0)),
            other => unless_blocked(other),
        }
    }

    /// Writes what fits; `None` when that is nothing yet.
    pub fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let bytes = match self.kind {
            Kind::Shared if !is_ready(&self.fd, PollFlags::OUT) => return Ok(None),
            Kind::Shared => &bytes[..bytes.len().min(SURE)],
            _ => bytes,
        };
        unless_blocked(rustix::io::retry_on_intr(|| match self.kind {
            Kind::Socket => rustix::net::send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            _ => rustix::io::write(&self.fd, bytes),
        }))
    }

    /// True when nobody reads any more what is written to this pipe or socket.
    pub fn has_lost_its_reader(&self) -> bool {
        matches!(self.kind, Kind::Pipe | Kind::Socket) && is_ready(&self.fd, PollFlags::empty())
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn unless_blocked(result: Result<usize, Errno>) -> io::Result<Option<usize>> {
    match result {
        Ok(n) => Ok(Some(n)),
        Err(Errno::AGAIN) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// A non-blocking description of our own for the same pipe, terminal or device, if ours was opened for this way, too.
fn open_again(fd: BorrowedFd<'_>, way: Way) -> io::Result<OwnedFd> {
    let (access, contrary) = match way {
        Way::In => (OFlags::RDONLY, OFlags::WRONLY),
        Way::Out => (OFlags::WRONLY, OFlags::RDONLY),
    };
    if rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE == contrary {
        return Err(Errno::BADF.into());
    }
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(rustix::fs::open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::super::pipe::pipe;
    use super::*;

    #[test]
    fn a_shared_pipe_stays_blocking_for_the_others() {
        let (out, into) = pipe().unwrap();
        let end = End::inherited(out.as_fd(), Way::In).unwrap();
        assert_eq!(end.read(&mut [0; 8]).unwrap(), None);
        rustix::io::write(&into, b"abc").unwrap();
        assert_eq!(end.read(&mut [0; 8]).unwrap(), Some(3));
        assert!(!rustix::fs::fcntl_getfl(&out).unwrap().contains(OFlags::NONBLOCK));
    }

    #[test]
    fn what_was_opened_for_reading_is_not_written_to() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let end = End::inherited(null.as_fd(), Way::Out).unwrap();
        let why = end.write(b"x").unwrap_err();
        assert_eq!(why.raw_os_error(), Some(Errno::BADF.raw_os_error()));
    }

    #[test]
    fn a_full_pipe_takes_nothing_and_does_not_block() {
        let (_out, into) = pipe().unwrap();
        let end = End::own(into).unwrap();
        let block = vec![0; LARGE];
        while end.write(&block).unwrap().is_some() {}
        assert!(!end.has_lost_its_reader());
    }

    #[test]
    fn a_writer_learns_that_its_reader_has_gone() {
        let (out, into) = pipe().unwrap();
        let end = End::own(into).unwrap();
        drop(out);
        assert!(end.has_lost_its_reader());
        assert!(end.write(b"x").is_err());
    }

    #[test]
    fn a_descriptor_that_cannot_be_had_again_is_asked_first() {
        let (out, into) = pipe().unwrap();
        let end = End { fd: out, kind: Kind::Shared };
        assert_eq!(end.read(&mut [0; 8]).unwrap(), None);
        drop(into);
        assert_eq!(end.read(&mut [0; 8]).unwrap(), Some(0));
    }
}
