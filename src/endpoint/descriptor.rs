//! One file descriptor and how it is waited on: by readiness where epoll takes it, else always ready.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use super::record;
use crate::event_loop::{Watched, yield_now};
use crate::pool::Buffer;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

/// What the descriptor is; it decides the system call and what a short read means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A TCP socket: a short read means that the queue is empty, or that urgent data comes next.
    Tcp,
    /// A Unix stream socket: a read also stops where descriptors were sent along, unix(7).
    Local,
    /// Any other stream socket: vsock, or one that we have inherited and that may block.
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
        matches!(self, Kind::Tcp | Kind::Local | Kind::OtherStream | Kind::Message)
    }

    /// Not a pipe: in packet mode (pipe2(2), O_DIRECT) a read stops after each packet.
    fn short_read_empties(self) -> bool {
        self == Kind::Tcp
    }
}

/// How the event loop learns that the descriptor is ready.
enum Wait {
    Readiness(Watched<OwnedFd>),
    Always(OwnedFd),
}

/// An open descriptor inside the event loop.
pub struct Descriptor {
    wait: Wait,
    kind: Kind,
    /// How the connection was reset, where the socket has told that already: reading will look like a clean end.
    reset: Option<Errno>,
}

impl Descriptor {
    /// Takes a descriptor into the event loop; what epoll refuses counts as always ready.
    /// It must be non-blocking already, or always ready; sockets of the kinds `OtherStream` and `Message` may block,
    /// since they are only used with MSG_DONTWAIT.
    pub fn new(fd: OwnedFd, kind: Kind) -> io::Result<Descriptor> {
        if kind == Kind::File {
            return Ok(Descriptor { wait: Wait::Always(fd), kind, reset: None });
        }
        match Watched::new(fd) {
            Ok(fd) => Ok(Descriptor { wait: Wait::Readiness(fd), kind, reset: None }),
            Err((fd, why)) if Errno::from_io_error(&why) == Some(Errno::PERM) => {
                Ok(Descriptor { wait: Wait::Always(fd), kind: Kind::File, reset: None })
            }
            Err((_, why)) => Err(why),
        }
    }

    /// What this descriptor is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Told when something else than a read was answered by ECONNRESET, or by EPIPE after the peer's end: an error is
    /// told once (SO_ERROR, socket(7)), and who reads must hear of it after the last byte.
    pub fn remember_reset(&mut self, errno: Errno) {
        self.reset = Some(errno);
    }

    /// True for what splice(2) moves without copying, and with its true end.
    pub fn can_splice(&self) -> bool {
        matches!(self.kind, Kind::Tcp | Kind::Local) && self.reset.is_none()
    }

    /// Receives from a stream socket; 0 is its end, and no reset.
    fn receive(&self, buffer: &mut [u8], flags: RecvFlags) -> Result<usize, Errno> {
        let wanted = buffer.len();
        match rustix::net::recv(self, buffer, flags | RecvFlags::DONTWAIT) {
            // After EPIPE it is the end that the peer has said.
            Ok((_, 0)) if self.reset == Some(Errno::CONNRESET) && wanted > 0 => Err(Errno::CONNRESET),
            other => other.map(|(n, _)| n),
        }
    }

    /// Looks at what there is, as soon as something is, and leaves it there; 0 is the end of the stream.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_input(cx, |_, _| self.receive(&mut *buffer, RecvFlags::PEEK).map(|n| (n, false)))
    }

    /// Reads once something is there; 0 is the end of the stream.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let capacity = buffer.len();
        self.poll_input(cx, |fd, kind| {
            let read = match kind.is_socket() {
                true => self.receive(&mut *buffer, RecvFlags::empty()),
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
            let watched = self.watched();
            if let Some(watched) = watched {
                ready!(watched.poll_readable(cx));
            }
            match (input(self.as_fd(), self.kind), watched) {
                (Ok((value, emptied)), watched) => {
                    if let (true, Some(watched)) = (emptied, watched) {
                        watched.clear_emptied();
                    }
                    return Poll::Ready(Ok(value));
                }
                (Err(Errno::AGAIN), Some(watched)) => watched.clear_readable(),
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
            let watched = self.watched();
            if let (Some(watched), true) = (watched, *stalled) {
                ready!(watched.poll_writable(cx));
            }
            match (output(self.as_fd(), self.kind), watched) {
                (Ok((value, filled)), watched) => {
                    *stalled = filled && watched.is_some();
                    if let (true, Some(watched)) = (filled, watched) {
                        watched.clear_writable();
                    }
                    return Poll::Ready(Ok(value));
                }
                (Err(Errno::AGAIN), Some(watched)) => {
                    watched.clear_writable();
                    *stalled = true;
                }
                (Err(Errno::INTR), _) => {}
                (Err(errno), _) => return Poll::Ready(Err(errno.into())),
            }
        }
    }

    /// Ready when reading is worth a try.
    pub fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.watched().map_or(Poll::Ready(()), |watched| watched.poll_readable(cx))
    }

    /// Ready when the connection has failed by itself, without a read or a write that says so.
    pub fn poll_failed(&self, cx: &Context<'_>) -> Poll<()> {
        match self.reset {
            Some(_) => Poll::Ready(()),
            None => self.watched().map_or(Poll::Pending, |watched| watched.poll_failed(cx)),
        }
    }

    /// Throws away what comes, up to the end. A peer that never stops sending leaves the others and every time limit
    /// their turn.
    pub async fn drain(&self) -> io::Result<()> {
        let mut scrap = Buffer::lend(false);
        while !poll_fn(|cx| self.poll_scrap(cx, &mut scrap)).await? {
            yield_now().await;
        }
        Ok(())
    }

    /// Throws away what is read next; true at the end, which is something else than an empty record.
    pub fn poll_scrap(&self, cx: &mut Context<'_>, scrap: &mut [u8]) -> Poll<io::Result<bool>> {
        match self.kind {
            Kind::Message => {
                self.poll_input(cx, |fd, _| record::receive(fd, scrap).map(|(_, is_end)| (is_end, false)))
            }
            _ => self.poll_read(cx, scrap).map_ok(|n| n == 0),
        }
    }

    /// Waits until the peer is gone altogether, as far as it tells: a peer that closes a TCP connection does not.
    pub async fn hung_up(&self) {
        poll_fn(|cx| self.watched().map_or(Poll::Pending, |watched| watched.poll_hung_up(cx))).await;
    }

    /// Waits until the descriptor can be written (a connection attempt has ended).
    pub async fn writable(&self) {
        if let Some(watched) = self.watched() {
            watched.writable().await;
        }
    }

    /// `None` for what is always ready.
    fn watched(&self) -> Option<&Watched<OwnedFd>> {
        match &self.wait {
            Wait::Readiness(watched) => Some(watched),
            Wait::Always(_) => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::event_loop::{run, timeout};

    #[test]
    fn a_time_limit_holds_though_there_is_always_more_to_throw_away() {
        let endless = std::fs::File::open("/dev/zero").unwrap();
        let endless = Descriptor::new(endless.into(), Kind::File).unwrap();
        let drained = run(timeout(Duration::from_millis(20), endless.drain())).unwrap();
        assert!(drained.is_err());
    }

    #[test]
    fn empty_records_are_thrown_away_too_and_end_nothing() {
        let (ours, peers) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::NONBLOCK, None).unwrap();
        record::mark(ours.as_fd()).unwrap();
        for record in [&b""[..], b"one", b"", b"", b"two", b""] {
            rustix::net::send(&peers, record, SendFlags::empty()).unwrap();
        }
        rustix::net::shutdown(&peers, Shutdown::Write).unwrap();
        let ours = Descriptor::new(ours, Kind::Message).unwrap();
        run(async { ours.drain().await.unwrap() }).unwrap();
        // Nothing but the end is left.
        let left = record::receive(ours.as_fd(), &mut [0; 9]);
        assert_eq!(left, Ok((0, true)));
    }
}
