//! One file descriptor and how it is waited on: by readiness where epoll takes it, else always ready.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;

use crate::watch::watch;

/// What the descriptor is; it decides the system call and what a short read means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A TCP or Unix stream socket: a short read means that the queue is empty.
    Stream,
    /// Any other stream socket (vsock).
    OtherStream,
    /// A datagram or seqpacket socket: one call, one message.
    Message,
    /// A pipe or fifo.
    Pipe,
    /// A terminal: reads return a line at a time; EIO from a pty master is its end.
    Terminal,
    /// A regular file or a device that is always ready (epoll answers EPERM).
    File,
}

impl Kind {
    /// True for every kind of socket.
    pub fn is_socket(self) -> bool {
        matches!(self, Kind::Stream | Kind::OtherStream | Kind::Message)
    }

    fn short_read_empties(self) -> bool {
        matches!(self, Kind::Stream | Kind::Pipe)
    }
}

/// How the event loop learns that the descriptor is ready.
enum Wait {
    Readiness(AsyncFd<OwnedFd>),
    Always(OwnedFd),
}

/// An open descriptor inside the event loop.
pub struct Descriptor {
    wait: Wait,
    kind: Kind,
}

impl Descriptor {
    /// Takes a descriptor into the event loop; what epoll refuses counts as always ready.
    /// Except for sockets (MSG_DONTWAIT) it must be non-blocking already, or always ready.
    pub fn new(fd: OwnedFd, kind: Kind) -> io::Result<Descriptor> {
        if kind == Kind::File {
            return Ok(Descriptor { wait: Wait::Always(fd), kind });
        }
        match watch(fd) {
            Ok(fd) => Ok(Descriptor { wait: Wait::Readiness(fd), kind }),
            Err((fd, why)) if Errno::from_io_error(&why) == Some(Errno::PERM) => {
                Ok(Descriptor { wait: Wait::Always(fd), kind: Kind::File })
            }
            Err((_, why)) => Err(why),
        }
    }

    /// What this descriptor is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Reads once something is there; 0 is the end of the stream.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let capacity = buffer.len();
        self.poll_input(cx, |fd, kind| {
            let read = match kind.is_socket() {
                true => rustix::net::recv(fd, &mut *buffer, RecvFlags::DONTWAIT).map(|(n, _)| n),
                false => rustix::io::read(fd, &mut *buffer),
            };
            match read {
                Err(Errno::IO) if kind == Kind::Terminal => Ok((0, false)),
                other => other.map(|n| (n, n < capacity && kind.short_read_empties())),
            }
        })
    }

    /// Runs `input` when the descriptor is readable until it does not answer EAGAIN.
    /// `input` also says whether it emptied the descriptor, which saves the call that would find that out.
    pub fn poll_input<T>(
        &self,
        cx: &mut Context<'_>,
        mut input: impl FnMut(BorrowedFd<'_>, Kind) -> Result<(T, bool), Errno>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut guard = match &self.wait {
                Wait::Readiness(fd) => match fd.poll_read_ready(cx)? {
                    Poll::Ready(guard) => Some(guard),
                    Poll::Pending if self.kind == Kind::Message && has_error(fd, cx) => None,
                    Poll::Pending => return Poll::Pending,
                },
                Wait::Always(_) => None,
            };
            match (input(self.as_fd(), self.kind), &mut guard) {
                (Ok((value, emptied)), guard) => {
                    if let (true, Some(guard)) = (emptied, guard) {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(value));
                }
                (Err(Errno::AGAIN), Some(guard)) => guard.clear_ready(),
                (Err(Errno::AGAIN), None) => return Poll::Pending,
                (Err(Errno::INTR), _) => {}
                (Err(errno), _) => return Poll::Ready(Err(errno.into())),
            }
        }
    }

    /// Writes what fits; `stalled` is the writer's own memory that the last write did not fit.
    pub fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        stalled: &mut bool,
    ) -> Poll<io::Result<usize>> {
        self.poll_output(cx, stalled, |fd, kind| {
            let written = match kind.is_socket() {
                true => rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?,
                false => rustix::io::write(fd, bytes)?,
            };
            Ok((written, written < bytes.len()))
        })
    }

    /// Runs `output` at once, and after EAGAIN when the descriptor is writable again.
    /// A socket is nearly always writable: trying first saves asking. `output` says whether it filled the queue.
    pub fn poll_output<T>(
        &self,
        cx: &mut Context<'_>,
        stalled: &mut bool,
        mut output: impl FnMut(BorrowedFd<'_>, Kind) -> Result<(T, bool), Errno>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut guard = match (&self.wait, *stalled) {
                (Wait::Readiness(fd), true) => Some(ready!(fd.poll_write_ready(cx))?),
                _ => None,
            };
            match output(self.as_fd(), self.kind) {
                Ok((value, filled)) => {
                    if let (true, Some(guard)) = (filled, &mut guard) {
                        guard.clear_ready();
                    }
                    *stalled = filled && matches!(self.wait, Wait::Readiness(_));
                    return Poll::Ready(Ok(value));
                }
                Err(Errno::AGAIN) => {
                    if let Some(guard) = &mut guard {
                        guard.clear_ready();
                    }
                    *stalled = true;
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }

    /// Waits until the descriptor can be written (a connection attempt has ended).
    pub async fn writable(&self) -> io::Result<()> {
        match &self.wait {
            Wait::Readiness(fd) => fd.writable().await.map(|mut guard| guard.retain_ready()),
            Wait::Always(_) => Ok(()),
        }
    }

    /// Waits, after EAGAIN, until the descriptor can be written again; any number of tasks may wait.
    pub async fn writable_again(&self) -> io::Result<()> {
        match &self.wait {
            Wait::Readiness(fd) => {
                fd.writable().await?.clear_ready();
                fd.writable().await.map(|mut guard| guard.retain_ready())
            }
            Wait::Always(_) => Ok(()),
        }
    }
}

/// An ICMP error on a datagram socket is told as EPOLLOUT|EPOLLERR alone, which wakes only those who wait to
/// write. So wait for that too; a socket that is merely writable says so once and is then forgotten.
fn has_error(fd: &AsyncFd<OwnedFd>, cx: &mut Context<'_>) -> bool {
    for _ in 0..2 {
        match fd.poll_write_ready(cx) {
            Poll::Ready(Ok(guard)) if guard.ready().is_write_closed() => return true,
            Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
            Poll::Ready(Err(_)) => return true,
            Poll::Pending => return false,
        }
    }
    false
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.wait {
            Wait::Readiness(fd) => fd.get_ref().as_fd(),
            Wait::Always(fd) => fd.as_fd(),
        }
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }
}
