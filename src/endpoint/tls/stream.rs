//! A TLS session over a stream socket: the reading and the writing side share one of these.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustix::net::Shutdown;

use super::super::descriptor::Descriptor;
use super::super::source::Input;
use super::Inspection;
use crate::event_loop::{timeout, yield_now};
use crate::pool::{Buffer, LARGE, SMALL};
use crate::tls::{HEADROOM, Session};

/// Most ciphertext for one read(2), and most plaintext for one write(2): as much as a large buffer holds. Each read and
/// write wakes somebody, which costs more than what leaves the cache meanwhile.
pub const BATCH: usize = LARGE - 2 * HEADROOM;
/// Room for the ciphertext of a batch: 64 bytes for each of its records, and some that were queued before.
const SEALED: usize = BATCH + LARGE / HEADROOM * 64 + 1024;
/// Least room for a read; a buffer with less is not read into directly.
const LEAST: usize = 8 * 1024;
/// Reads in a row that may bring no plaintext before others get a turn: a server can send
/// tickets for ever.
const ROUNDS: u32 = 8;

/// How a session ends, as its address asks.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// An end without close_notify is taken for an end.
    pub ignore_unexpected_eof: bool,
    /// Our close_notify waits for the peer's.
    pub holds_close_notify: bool,
    /// How long to read on before the close.
    pub linger: Duration,
}

/// What a peer that was listened to has said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A ticket, which a server gives to whom it takes.
    Ticket,
    /// Data.
    Data,
    /// Its end.
    End,
    /// Nothing, in the time it had.
    Nothing,
}

/// An established session.
pub struct Stream {
    fd: Arc<Descriptor>,
    state: RefCell<State>,
    ending: Ending,
    inspection: Inspection,
}

struct State {
    session: Session,
    /// Plaintext that did not fit where it was read for.
    spare: Vec<u8>,
    /// Ciphertext that the socket has not taken yet.
    sending: Option<Sending>,
    /// Plaintext that `sending` stands for, and that is not yet reported as written.
    taken: usize,
    stalled: bool,
    /// The last read filled all the room there was.
    filled: bool,
    our_end: OurEnd,
    /// The connection ended without the peer's close_notify.
    cut: bool,
}

struct Sending {
    buffer: Buffer,
    at: usize,
    end: usize,
}

/// Our close_notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OurEnd {
    /// Not yet.
    Open,
    /// It is to be said once the peer has said its own.
    Held,
    Said,
}

impl Stream {
    /// A session whose handshake is done.
    pub fn new(fd: Arc<Descriptor>, mut session: Session, ending: Ending, inspection: Inspection) -> Stream {
        let spare = session.take_early();
        let state = State {
            session,
            spare,
            sending: None,
            taken: 0,
            stalled: false,
            filled: false,
            our_end: OurEnd::Open,
            cut: false,
        };
        Stream { fd, state: RefCell::new(state), ending, inspection }
    }

    /// The socket.
    pub fn fd(&self) -> &Arc<Descriptor> {
        &self.fd
    }

    /// How long to read on before the close.
    pub fn linger(&self) -> Duration {
        self.ending.linger
    }

    /// True when the last read brought all that it had room for.
    pub fn was_filled(&self) -> bool {
        self.state.borrow().filled
    }

    /// Ready when reading is worth a try.
    pub fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        let state = self.state.borrow();
        match state.spare.is_empty() && !state.is_over() {
            true => self.fd.poll_readable(cx),
            false => Poll::Ready(()),
        }
    }

    /// Reads plaintext. What was received before a failure or a cut is handed on before that is told.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        let mut state = self.state.borrow_mut();
        if !state.session.queued().is_empty() {
            // What the session has to say must not wait for somebody who writes.
            let _ = state.poll_flush(cx, &self.fd);
        }
        for _ in 0..ROUNDS {
            if !state.spare.is_empty() {
                return Poll::Ready(Ok(Input::Bytes(state.take_spare(buffer))));
            }
            if let Some(why) = state.session.failure() {
                return Poll::Ready(Err(io::Error::other(self.inspection.broken(why))));
            }
            if state.session.peer_ended() || (state.cut && self.ending.ignore_unexpected_eof) {
                if state.our_end == OurEnd::Held {
                    state.say_end();
                    let _ = state.poll_flush(cx, &self.fd);
                }
                return Poll::Ready(Ok(Input::End));
            }
            if state.cut {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let n = ready!(state.poll_fill(cx, &self.fd, buffer))?;
            if n > 0 {
                return Poll::Ready(Ok(Input::Bytes(n)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes plaintext. Ready once the socket has taken all that stands for it: a caller that was told to wait
    /// offers the same bytes again.
    pub fn poll_write(&self, cx: &mut Context<'_>, plain: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state.borrow_mut();
        loop {
            if state.poll_flush(cx, &self.fd)?.is_pending() {
                state.shrink_when_scarce();
                return Poll::Pending;
            }
            if state.taken > 0 || plain.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut state.taken)));
            }
            state.seal(plain).map_err(|why| io::Error::other(self.inspection.broken(&why)))?;
        }
    }

    /// Says our end, or lets it wait for the peer's where that was asked for. Ready when it is sent.
    pub fn poll_half_close(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        if self.ending.holds_close_notify && !state.is_over() && state.our_end == OurEnd::Open {
            state.our_end = OurEnd::Held;
        }
        if state.our_end == OurEnd::Held {
            return Poll::Ready(());
        }
        drop(state);
        self.poll_end(cx)
    }

    /// Says our end now. Ready when it is sent.
    pub fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        state.say_end();
        state.poll_flush(cx, &self.fd).map(|_| ())
    }

    /// True when nothing waits to be sent.
    pub fn is_flushed(&self) -> bool {
        let state = self.state.borrow();
        state.sending.is_none() && state.session.queued().is_empty()
    }

    /// Says our end as far as that can be done at once, and shuts the connection down for writing.
    pub fn leave(&self) {
        let mut state = self.state.borrow_mut();
        state.say_end();
        let mut nobody = Context::from_waker(Waker::noop());
        if state.poll_flush(&mut nobody, &self.fd).is_ready() {
            // ENOTCONN: the peer is gone already.
            let _ = rustix::net::shutdown(&*self.fd, Shutdown::Write);
        }
    }

    /// Listens, for so long at most, until it is plain whether the peer takes us as we are; data is thrown away. Fails
    /// as a read does: with what an alert says (RFC 8446: that of a refused certificate comes after the handshake).
    pub async fn hear(&self, limit: Duration) -> io::Result<Heard> {
        let heard = poll_fn(|cx| {
            let mut scrap = Buffer::lend(false);
            let read = self.poll_read(cx, &mut scrap)?;
            Poll::Ready(Ok(match read {
                _ if self.tickets() > 0 => Heard::Ticket,
                Poll::Ready(Input::End) => Heard::End,
                Poll::Ready(_) => Heard::Data,
                Poll::Pending => return Poll::Pending,
            }))
        });
        timeout(limit, heard).await.unwrap_or(Ok(Heard::Nothing))
    }

    /// Says our end, and throws away what the peer still says until it has said its own; for so long at most.
    pub async fn part(&self, limit: Duration) {
        self.leave();
        let ended = async {
            while let Ok(Input::Bytes(_)) = poll_fn(|cx| self.poll_read(cx, &mut Buffer::lend(false))).await {
                yield_now().await;
            }
        };
        let _ = timeout(limit, ended).await;
    }

    /// Tickets that the server has given us.
    pub fn tickets(&self) -> u32 {
        self.state.borrow().session.tickets()
    }

    /// True once the peer has said its end.
    pub fn peer_has_ended(&self) -> bool {
        self.state.borrow().session.peer_ended()
    }

    /// True once the connection has ended without that.
    pub fn was_cut(&self) -> bool {
        self.state.borrow().cut
    }

    /// True once we have said our end.
    pub fn has_said_end(&self) -> bool {
        self.state.borrow().our_end == OurEnd::Said
    }

    /// What the session has negotiated and who the peer is.
    pub fn facts(&self) -> super::Facts {
        self.inspection.facts(self.state.borrow().session.common())
    }
}

impl State {
    /// True when nothing more can be read.
    fn is_over(&self) -> bool {
        self.cut || self.session.peer_ended() || self.session.failure().is_some()
    }

    fn take_spare(&mut self, buffer: &mut [u8]) -> usize {
        let n = buffer.len().min(self.spare.len());
        buffer[..n].copy_from_slice(&self.spare[..n]);
        match n == self.spare.len() {
            true => self.spare = Vec::new(),
            false => drop(self.spare.drain(..n)),
        }
        n
    }

    /// Receives once and decrypts that in place; 0 where it brought no plaintext, or more than fits (it is in
    /// `spare` then).
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        fd: &Descriptor,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.session.begin(buffer, LEAST).is_some() {
            return self.poll_open(cx, fd, buffer);
        }
        let mut wide = Buffer::lend(false);
        if self.session.begin(&mut wide, LEAST).is_none() {
            wide = Buffer::own(vec![0; 4 * SMALL]);
        }
        let n = ready!(self.poll_open(cx, fd, &mut wide))?;
        self.spare.extend_from_slice(&wide[..n]);
        Poll::Ready(Ok(0))
    }

    fn poll_open(
        &mut self,
        cx: &mut Context<'_>,
        fd: &Descriptor,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some(at) = self.session.begin(buffer, 1) else {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        };
        let end = buffer.len().min(HEADROOM + BATCH).max(at + 1);
        let n = ready!(fd.poll_read(cx, &mut buffer[at..end]))?;
        self.filled = at + n == end;
        self.cut = n == 0;
        let len = self.session.open(buffer, at + n);
        if !self.session.queued().is_empty() {
            let _ = self.poll_flush(cx, fd);
        }
        Poll::Ready(Ok(len))
    }

    fn seal(&mut self, plain: &[u8]) -> Result<(), rustls::Error> {
        let mut buffer = Buffer::lend(plain.len() > SMALL / 2);
        let room = buffer.len().min(SEALED);
        let (taken, end) = self.session.seal(plain, &mut buffer[..room])?;
        self.taken = taken;
        self.sending = Some(Sending { buffer, at: 0, end });
        Ok(())
    }

    fn say_end(&mut self) {
        if self.our_end != OurEnd::Said {
            self.our_end = OurEnd::Said;
            self.session.end();
        }
    }

    /// Sends what is to be sent: what was sealed first, then what the session has queued.
    fn poll_flush(&mut self, cx: &mut Context<'_>, fd: &Descriptor) -> Poll<io::Result<()>> {
        while let Some(sending) = &mut self.sending {
            let bytes = &sending.buffer[sending.at..sending.end];
            sending.at += ready!(fd.poll_write(cx, bytes, &mut self.stalled))?;
            if sending.at == sending.end {
                self.sending = None;
            }
        }
        while !self.session.queued().is_empty() {
            let n = ready!(fd.poll_write(cx, self.session.queued(), &mut self.stalled))?;
            self.session.sent(n);
        }
        Poll::Ready(Ok(()))
    }

    /// A stalled peer may hold its buffer for hours: when buffers run short, keep just what is in it.
    fn shrink_when_scarce(&mut self) {
        if let Some(Sending { buffer, at, end }) = &mut self.sending
            && buffer.len() >= SMALL
            && Buffer::are_scarce()
        {
            let rest = Buffer::exact(&buffer[*at..*end]);
            (*at, *end) = (0, rest.len());
            *buffer = rest;
        }
    }
}
