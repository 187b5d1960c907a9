//! The writing side of an endpoint.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown};

use super::descriptor::Descriptor;
use super::session::SessionSink;
use super::socket::make_room;
use super::tap::{Finding, Tap, Tapped};
use super::{pty, tls};

/// How the end of the stream is told to whoever reads this sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HalfClose {
    /// shutdown(SHUT_WR).
    Shutdown,
    /// Close the descriptor, which is ours alone.
    Close,
    /// Put /dev/null in place of our stdout, so that its reader sees the end.
    Stdout,
    /// Type ^D, as a person would, until it is heard.
    Terminal,
    /// On a raw terminal ^D is a byte like others: only its close is an end.
    HangUp,
    /// Say nothing: others will write after us.
    Nothing,
}

/// What a broken sink (EPIPE) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenBroken {
    /// The peer is gone: what could not be sent is lost, and the session says so.
    Cut,
    /// The reader does not want more; what it says itself still matters (a child that closed its stdin).
    Discard,
    /// Nobody reads our output any more: stop quietly.
    Stop,
    /// As much as was wanted has been written.
    Enough,
}

/// Where bytes go.
pub enum Sink {
    /// A stream of bytes.
    Stream {
        /// The descriptor.
        fd: Arc<Descriptor>,
        /// The last write did not fit; wait before the next one.
        stalled: bool,
        /// How to say the end.
        half_close: HalfClose,
        /// What EPIPE means here.
        when_broken: WhenBroken,
    },
    /// What a TLS session is told.
    Tls(Rc<tls::Stream>),
    /// A connected datagram or seqpacket socket: one write, one message.
    Messages {
        /// The socket.
        fd: Arc<Descriptor>,
        /// The last write did not fit; wait before the next one.
        stalled: bool,
        /// Most bytes of a stream to put in one message.
        mtu: u32,
        /// A seqpacket socket, which can say the end; a datagram socket cannot.
        ends: bool,
    },
    /// Replies to one peer of a shared socket.
    Session(Box<SessionSink>),
    /// Takes so many bytes and is then closed.
    AtMost(Box<Sink>, u64),
    /// A sink with a tap on it.
    Tapped(Box<Tapped>),
    /// Takes everything.
    Discard,
    /// Takes everything; the end closes the write end that it holds, which ends the source beside it.
    DiscardUntilEnd {
        /// Never written.
        _source_of_end: OwnedFd,
    },
    /// The end is being said on a terminal, which is kept open for who reads it.
    Ending {
        /// Its master.
        _master: Arc<Descriptor>,
    },
    /// The end was said to a child; this read end of its pipe tells how much it has not read.
    Unread(OwnedFd),
    /// The end was said.
    Closed,
}

impl Sink {
    /// A stream socket.
    pub fn socket(fd: Arc<Descriptor>) -> Sink {
        Sink::Stream { fd, stalled: false, half_close: HalfClose::Shutdown, when_broken: WhenBroken::Cut }
    }

    /// Writes what fits now; a message sink takes all or nothing.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            // The kernel would take it, for nobody.
            Sink::Stream { fd, half_close: HalfClose::Terminal | HalfClose::HangUp, .. }
                if pty::is_hung_up(fd.as_fd()) =>
            {
                Poll::Ready(Err(Errno::PIPE.into()))
            }
            Sink::Stream { fd, stalled, .. } => fd.poll_write(cx, bytes, stalled),
            Sink::Tls(stream) => stream.poll_write(cx, bytes),
            Sink::Messages { fd, stalled, .. } => fd.poll_output(cx, stalled, |fd, _| {
                let send = || rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
                match send() {
                    Ok(n) => Ok((n, false)),
                    // The queue is full.
                    Err(Errno::NOBUFS) => Err(Errno::AGAIN),
                    Err(Errno::MSGSIZE) if make_room(fd, bytes.len()) => send().map(|n| (n, false)),
                    Err(errno) => Err(errno),
                }
            }),
            Sink::Session(session) => session.poll_write(cx, bytes),
            Sink::AtMost(inner, left) => {
                if *left == 0 {
                    return Poll::Ready(Err(Errno::PIPE.into()));
                }
                let fits = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let n = ready!(inner.poll_write(cx, &bytes[..fits]))?;
                *left -= n as u64;
                Poll::Ready(Ok(n))
            }
            Sink::Tapped(tapped) => tapped.poll_write(cx, bytes),
            Sink::Discard | Sink::DiscardUntilEnd { .. } => Poll::Ready(Ok(bytes.len())),
            Sink::Closed | Sink::Ending { .. } | Sink::Unread(_) => Poll::Ready(Err(Errno::PIPE.into())),
        }
    }

    /// The same sink, closed after `limit` bytes.
    pub fn at_most(self, limit: u64) -> Sink {
        Sink::AtMost(Box::new(self), limit)
    }

    /// The same sink with a tap on it.
    pub fn tapped(self, tap: Tap) -> Sink {
        Sink::Tapped(Box::new(Tapped { sink: self, tap }))
    }

    /// What the outermost tap has found.
    pub fn finding(&self) -> Option<Finding> {
        match self {
            Sink::Tapped(tapped) => Some(tapped.tap.finding()),
            _ => None,
        }
    }

    /// The sink below all taps.
    fn untapped(&self) -> &Sink {
        match self {
            Sink::Tapped(tapped) => tapped.sink.untapped(),
            sink => sink,
        }
    }

    /// The sink below all taps.
    fn untapped_mut(&mut self) -> &mut Sink {
        match self {
            Sink::Tapped(tapped) => tapped.sink.untapped_mut(),
            sink => sink,
        }
    }

    /// From now on nobody reads what goes in; taps still see it.
    pub fn discard_rest(&mut self) {
        *self.untapped_mut() = Sink::Discard;
    }

    /// True when nobody reads what goes in.
    pub fn is_discard(&self) -> bool {
        matches!(self.untapped(), Sink::Discard)
    }

    /// The read end that tells how much a child has not read, once the end was said to it.
    pub fn take_unread(&mut self) -> Option<OwnedFd> {
        match std::mem::replace(self.untapped_mut(), Sink::Closed) {
            Sink::Unread(fd) => Some(fd),
            _ => None,
        }
    }

    /// True when each write is a message of its own, so that even an empty one counts.
    pub fn has_messages(&self) -> bool {
        match self.untapped() {
            Sink::Messages { .. } | Sink::Session(_) => true,
            Sink::AtMost(inner, _) => inner.has_messages(),
            _ => false,
        }
    }

    /// Most bytes to read from a stream for one write here.
    pub fn largest_write(&self) -> usize {
        match self.untapped() {
            Sink::Tls(_) => tls::BATCH,
            Sink::Messages { mtu, .. } => *mtu as usize,
            Sink::Session(session) => session.mtu(),
            Sink::AtMost(inner, _) => inner.largest_write(),
            _ => usize::MAX,
        }
    }

    /// The descriptor behind a plain stream, for splice(2).
    pub fn stream(&mut self) -> Option<(&Arc<Descriptor>, &mut bool)> {
        match self {
            Sink::Stream { fd, stalled, .. } => Some((fd, stalled)),
            _ => None,
        }
    }

    /// The socket behind this sink, if the peer can be told the end or a reset through it.
    pub fn socket_fd(&self) -> Option<&Arc<Descriptor>> {
        match self.untapped() {
            Sink::Stream { fd, half_close: HalfClose::Shutdown, .. } => Some(fd),
            Sink::Tls(stream) => Some(stream.fd()),
            _ => None,
        }
    }

    /// The TLS session behind it.
    pub fn tls(&self) -> Option<&tls::Stream> {
        match self.untapped() {
            Sink::Tls(stream) => Some(stream),
            Sink::AtMost(inner, _) => inner.tls(),
            _ => None,
        }
    }

    /// Told once a flow has proven to be bulk.
    pub fn expect_bulk(&self) {
        if let Some(fd) = self.socket_fd() {
            super::socket::stop_pacing(fd);
        }
    }

    /// Ready when whoever reads our output has gone.
    pub fn poll_abandoned(&self, cx: &Context<'_>) -> Poll<()> {
        match self.untapped() {
            Sink::Stream { fd, when_broken: WhenBroken::Stop, .. } => fd.poll_failed(cx),
            _ => Poll::Pending,
        }
    }

    /// What EPIPE means here.
    pub fn when_broken(&self) -> WhenBroken {
        match self.untapped() {
            Sink::Stream { when_broken, .. } => *when_broken,
            Sink::AtMost(_, 0) => WhenBroken::Enough,
            Sink::AtMost(inner, _) => inner.when_broken(),
            _ => WhenBroken::Cut,
        }
    }

    /// False where `half_close` tells the reader nothing, and only the close does.
    pub fn tells_its_end(&self) -> bool {
        !matches!(self.untapped(), Sink::Stream { half_close: HalfClose::HangUp, .. })
    }

    /// As `half_close`; ready once the end is on its way. Only a TLS session may have to wait for that.
    pub fn poll_half_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(stream) = self.tls() {
            ready!(stream.poll_half_close(cx));
        }
        self.half_close();
        Poll::Ready(())
    }

    /// Tells the reader that nothing more comes. Datagrams have no way to say so.
    pub fn half_close(&mut self) {
        match self {
            Sink::Stream { fd, half_close: HalfClose::Shutdown, .. }
            | Sink::Messages { fd, ends: true, .. } => {
                // ENOTCONN: the peer is gone already, which its own direction reports.
                let _ = rustix::net::shutdown(fd.as_fd(), Shutdown::Write);
            }
            Sink::Stream { fd, half_close: HalfClose::Close, when_broken: WhenBroken::Discard, .. } => {
                *self = read_end(fd).map_or(Sink::Closed, Sink::Unread);
            }
            Sink::Stream { half_close: HalfClose::Close, .. }
            | Sink::Discard
            | Sink::DiscardUntilEnd { .. } => {
                *self = Sink::Closed;
            }
            Sink::Stream { half_close: HalfClose::Stdout, .. } => {
                *self = Sink::Closed;
                super::stdio::close_stdout();
            }
            Sink::Stream { fd, half_close: HalfClose::Terminal, .. } => {
                pty::say_end(fd);
                *self = Sink::Ending { _master: fd.clone() };
            }
            Sink::Stream { half_close: HalfClose::Nothing | HalfClose::HangUp, .. } => {}
            Sink::AtMost(inner, _) => inner.half_close(),
            Sink::Tapped(tapped) => tapped.half_close(),
            // Said by `poll_half_close`, or at the close.
            Sink::Tls(_) => {}
            Sink::Messages { .. }
            | Sink::Session(_)
            | Sink::Ending { .. }
            | Sink::Unread(_)
            | Sink::Closed => {}
        }
    }
}

/// Another read end of the pipe that `write_end` belongs to; it does not keep the pipe open for its reader.
fn read_end(write_end: &Descriptor) -> Option<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let path = format!("/proc/self/fd/{}", write_end.as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()
}
