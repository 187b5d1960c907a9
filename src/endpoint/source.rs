//! The reading side of an endpoint.

use std::io::{self, Cursor, Read as _};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::answer::Gate;
use super::delay::Delayed;
use super::descriptor::Descriptor;
use super::kept::Kept;
use super::known::Known;
use super::message::MessageSource;
use super::overheard::Overheard;
use super::pace::Paced;
use super::session::SessionSource;
use super::tls;

/// What one read brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// So many bytes of a stream; never 0.
    Bytes(usize),
    /// One whole message, which may be empty.
    Message {
        /// Bytes of it that are in the buffer.
        len: usize,
        /// Its true length, larger than `len` when it was cut.
        full: usize,
    },
    /// One whole message that did not fit into the buffer, in memory of its own.
    Long {
        /// All that was read of it.
        bytes: Vec<u8>,
        /// Its true length.
        full: usize,
    },
    /// The end of the stream.
    End,
}

/// Where bytes come from.
pub enum Source {
    /// A stream of bytes.
    Stream(Arc<Descriptor>),
    /// What a TLS session says.
    Tls(Rc<tls::Stream>),
    /// Messages of a connected datagram or seqpacket socket.
    Messages(MessageSource),
    /// Datagrams of one peer of a shared socket.
    Session(Box<SessionSource>),
    /// Bytes known beforehand, then the end.
    Fixed(Box<Cursor<Vec<u8>>>),
    /// The same in memory that is shared, once or for ever.
    Known(Box<Known>),
    /// Messages known beforehand, then the end.
    Kept(Box<Kept>),
    /// Two sources, one after the other.
    Chain(Box<(Source, Source)>),
    /// A source whose line ends are turned into CR LF.
    Crlf(Box<CrLf>),
    /// A source that ends at a certain byte (the escape key of a raw terminal).
    UntilByte(Box<Source>, u8),
    /// A source that says no more than so many bytes a second.
    Paced(Box<Paced>),
    /// A source that is heard late.
    Delayed(Box<Delayed>),
    /// A source of which somebody hears all that it says.
    Overheard(Box<Overheard>),
    /// A source that says so many bytes of a stream at a time at most.
    InPieces(Box<Source>, usize),
    /// A source that waits until it was spoken to.
    Gated(Box<(Gate, Source)>),
    /// Never says anything and never ends.
    Silent,
    /// At its end.
    Ended,
}

impl Source {
    /// Reads once something is there.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        match self {
            Source::Stream(fd) => fd.poll_read(cx, buffer).map_ok(bytes),
            Source::Tls(stream) => stream.poll_read(cx, buffer),
            Source::Messages(messages) => messages.poll_read(cx, buffer),
            Source::Session(session) => session.poll_read(cx, buffer).map(Ok),
            Source::Fixed(cursor) => Poll::Ready(cursor.read(buffer).map(bytes)),
            Source::Known(known) => Poll::Ready(Ok(bytes(known.read(buffer)))),
            Source::Kept(kept) => Poll::Ready(Ok(kept.read(buffer))),
            Source::Chain(both) => match ready!(both.0.poll_read(cx, buffer))? {
                Input::End => {
                    let second = std::mem::replace(&mut both.1, Source::Ended);
                    *self = second;
                    self.poll_read(cx, buffer)
                }
                input => Poll::Ready(Ok(input)),
            },
            Source::Crlf(crlf) => crlf.poll_read(cx, buffer),
            Source::UntilByte(inner, last) => {
                let last = *last;
                match ready!(inner.poll_read(cx, buffer))? {
                    Input::Bytes(n) => match buffer[..n].iter().position(|byte| *byte == last) {
                        Some(at) => {
                            *self = Source::Ended;
                            Poll::Ready(Ok(bytes(at)))
                        }
                        None => Poll::Ready(Ok(Input::Bytes(n))),
                    },
                    input => Poll::Ready(Ok(input)),
                }
            }
            Source::Paced(paced) => paced.poll_read(cx, buffer),
            Source::Delayed(delayed) => delayed.poll_read(cx, buffer),
            Source::Overheard(overheard) => overheard.poll_read(cx, buffer),
            Source::InPieces(inner, piece) => {
                let room = (*piece).min(buffer.len());
                inner.poll_read(cx, &mut buffer[..room])
            }
            Source::Gated(gated) => {
                ready!(gated.0.poll(cx));
                let source = std::mem::replace(&mut gated.1, Source::Ended);
                *self = source;
                self.poll_read(cx, buffer)
            }
            Source::Silent => Poll::Pending,
            Source::Ended => Poll::Ready(Ok(Input::End)),
        }
    }

    /// Ready when reading is worth a try. One that cannot tell says so, too.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Source::Stream(fd) => fd.poll_readable(cx),
            Source::Tls(stream) => stream.poll_readable(cx),
            Source::Messages(messages) => messages.poll_readable(cx),
            Source::InPieces(inner, _) => inner.poll_ready(cx),
            Source::Overheard(overheard) => overheard.source.poll_ready(cx),
            _ => Poll::Ready(()),
        }
    }

    /// The same source in pieces of `piece` bytes at most; messages stay whole.
    pub fn in_pieces(self, piece: usize) -> Source {
        match self.has_messages() {
            true => self,
            false => Source::InPieces(Box::new(self), piece.max(1)),
        }
    }

    /// The same source, ending before the first `last` byte.
    pub fn until_byte(self, last: u8) -> Source {
        Source::UntilByte(Box::new(self), last)
    }

    /// True when what is read has boundaries that must be kept.
    pub fn has_messages(&self) -> bool {
        matches!(self.innermost(), Source::Messages(_) | Source::Session(_) | Source::Kept(_))
    }

    /// True while something was said that is not yet handed on.
    pub fn holds_back(&self) -> bool {
        match self {
            Source::Paced(paced) => paced.holds_back(),
            Source::Delayed(delayed) => delayed.holds_back(),
            Source::InPieces(inner, _) => inner.holds_back(),
            Source::Overheard(overheard) => overheard.source.holds_back(),
            _ => false,
        }
    }

    /// The descriptor of a stream whose bytes come unchanged and at once, for splice(2).
    pub fn plain_stream(&self) -> Option<&Arc<Descriptor>> {
        match self {
            Source::Stream(fd) => Some(fd),
            _ => None,
        }
    }

    /// The descriptor behind a stream, whatever is done with its bytes.
    pub fn stream(&self) -> Option<&Arc<Descriptor>> {
        match self.innermost() {
            Source::Tls(stream) => Some(stream.fd()),
            source => source.plain_stream(),
        }
    }

    /// The socket of this peer alone: that of a stream, or one that takes records.
    pub fn own_socket(&self) -> Option<&Arc<Descriptor>> {
        match self.innermost() {
            Source::Messages(messages) => Some(messages.fd()),
            _ => self.stream(),
        }
    }

    /// The TLS session behind it.
    pub fn tls(&self) -> Option<&Rc<tls::Stream>> {
        match self.innermost() {
            Source::Tls(stream) => Some(stream),
            _ => None,
        }
    }

    /// The same for those who want to know how it ended.
    pub fn shared_tls(&self) -> Option<Rc<tls::Stream>> {
        match self.innermost() {
            Source::Tls(stream) => Some(stream.clone()),
            _ => None,
        }
    }

    /// True when it is known that there is more to come: it waits to be read, or is held back.
    pub fn has_more(&self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        let waits = match self.innermost() {
            Source::Fixed(_) | Source::Known(_) | Source::Kept(_) | Source::Chain(_) => true,
            source @ (Source::Stream(_) | Source::Tls(_)) => source.poll_ready(&mut nobody).is_ready(),
            _ => false,
        };
        waits || self.holds_back()
    }

    /// True when a read that brought `n` bytes and had room for `room` may have left more behind: ciphertext is
    /// read in larger pieces than plaintext comes of it.
    pub fn was_filled(&self, n: usize, room: usize) -> bool {
        match self {
            Source::Tls(stream) => stream.was_filled(),
            Source::Overheard(overheard) => overheard.source.was_filled(n, room),
            _ => n == room,
        }
    }

    /// The source that others were put around.
    pub fn innermost(&self) -> &Source {
        match self {
            Source::Crlf(crlf) => crlf.inner.innermost(),
            Source::UntilByte(inner, _) => inner.innermost(),
            Source::Paced(paced) => paced.source.innermost(),
            Source::Delayed(delayed) => delayed.source.innermost(),
            Source::InPieces(inner, _) => inner.innermost(),
            Source::Overheard(overheard) => overheard.source.innermost(),
            source => source,
        }
    }
}

fn bytes(n: usize) -> Input {
    match n {
        0 => Input::End,
        n => Input::Bytes(n),
    }
}

/// Turns LF into CR LF (`-C`); a CR LF that is already there stays as it is.
pub struct CrLf {
    inner: Source,
    after_cr: bool,
}

impl CrLf {
    /// Wraps a byte source.
    pub fn around(inner: Source) -> Source {
        Source::Crlf(Box::new(CrLf { inner, after_cr: false }))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        let half = buffer.len() / 2;
        let mut raw = vec![0; half.min(32 * 1024)];
        let n = match ready!(self.inner.poll_read(cx, &mut raw))? {
            Input::Bytes(n) => n,
            other => return Poll::Ready(Ok(other)),
        };
        let mut filled = 0;
        for &byte in &raw[..n] {
            if byte == b'\n' && !self.after_cr {
                buffer[filled] = b'\r';
                filled += 1;
            }
            buffer[filled] = byte;
            filled += 1;
            self.after_cr = byte == b'\r';
        }
        Poll::Ready(Ok(Input::Bytes(filled)))
    }
}
