//! A TLS session without I/O, in either role: ciphertext in, plaintext out, and the other way round.
//!
//! It stands on the unbuffered interface of rustls: whole batches of records are decrypted in the buffer that they
//! were read into, and encrypted into the buffer that they are sent from. Both belong to the caller; a session keeps
//! no more than part of a record, and when nothing is under way not even that.

mod step;
#[cfg(test)]
mod tests;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::{CommonState, Error};

use step::{Step, Task};

/// Most bytes of plaintext in one record (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;
/// More than what any cipher adds to a record: header, nonce, content type, padding, tag.
const OVERHEAD: usize = 64;
/// Room that `open` needs before the ciphertext: plaintext is never further on than that.
pub const HEADROOM: usize = RECORD;
/// Most ciphertext to hold for one handshake message. rustls takes messages of 64 KiB; the rest is for the headers
/// of a peer that cuts them small.
const LONGEST_FLIGHT: usize = 128 * 1024;

/// Which side of a session we are.
enum Role {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

impl Role {
    fn common(&self) -> &CommonState {
        match self {
            Role::Client(client) => client,
            Role::Server(server) => server,
        }
    }
}

/// How far a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The peer must say more.
    Wanting,
    /// It is done: bytes may pass.
    Done,
}

/// One session.
pub struct Session {
    role: Role,
    /// What was received and is not a whole message yet.
    partial: Vec<u8>,
    /// Records that must be sent before any other.
    queued: Vec<u8>,
    /// Plaintext that came with the end of the handshake.
    early: Vec<u8>,
    peer_ended: bool,
    failed: Option<Error>,
}

impl From<UnbufferedClientConnection> for Session {
    fn from(client: UnbufferedClientConnection) -> Session {
        Session::new(Role::Client(Box::new(client)))
    }
}

impl From<UnbufferedServerConnection> for Session {
    fn from(server: UnbufferedServerConnection) -> Session {
        Session::new(Role::Server(Box::new(server)))
    }
}

impl Session {
    fn new(role: Role) -> Session {
        Session {
            role,
            partial: Vec::new(),
            queued: Vec::new(),
            early: Vec::new(),
            peer_ended: false,
            failed: None,
        }
    }

    /// What was negotiated.
    pub fn common(&self) -> &CommonState {
        self.role.common()
    }

    /// Tickets of TLS 1.3 that the server has given us.
    pub fn tickets(&self) -> u32 {
        match &self.role {
            Role::Client(client) => client.tls13_tickets_received(),
            Role::Server(_) => 0,
        }
    }

    /// Records to send before any other; `sent` says how much of them was.
    pub fn queued(&self) -> &[u8] {
        &self.queued
    }

    /// So many of the queued bytes were sent.
    pub fn sent(&mut self, n: usize) {
        self.queued.drain(..n);
        if self.queued.is_empty() {
            self.queued = Vec::new();
        }
    }

    /// True once the peer has said its end (close_notify): nothing more will come.
    pub fn peer_ended(&self) -> bool {
        self.peer_ended
    }

    /// Why the session is broken, where it is; an alert that tells the peer is queued then.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// Takes in what was received and goes on with the handshake. Plaintext that came right after its end is kept
    /// for `take_early`.
    pub fn shake_hands(&mut self, received: &[u8]) -> Result<Progress, Error> {
        // rustls must not be asked to go on after an error: it would say its alert again.
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut incoming = std::mem::take(&mut self.partial);
        incoming.extend_from_slice(received);
        let mut used = 0;
        let result = loop {
            let mut keep = |payload: &[u8]| self.early.extend_from_slice(payload);
            let task = &mut Task::Open(&mut keep);
            let (n, step) = step::of(&mut self.role, &mut incoming[used..], &mut self.queued, task);
            used += n;
            match step {
                Ok(Step::Moved) => {}
                Ok(Step::Idle) if self.common().is_handshaking() => break Ok(Progress::Wanting),
                Ok(Step::Idle) => break Ok(Progress::Done),
                Ok(Step::PeerEnded) => {
                    self.peer_ended = true;
                    break Ok(Progress::Done);
                }
                Err(error) => {
                    let is_early = self.common().is_handshaking();
                    let error = self.fail(error, &mut incoming[used..]);
                    // What is wrong after the handshake is told to whoever reads.
                    break if is_early { Err(error) } else { Ok(Progress::Done) };
                }
            }
        };
        self.keep(&incoming[used..]);
        match self.failed.clone().filter(|_| self.common().is_handshaking()) {
            Some(error) => Err(error),
            None => result,
        }
    }

    /// Plaintext that came together with the end of the handshake.
    pub fn take_early(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.early)
    }

    /// Keeps what is no whole message yet. An idle session holds no memory for it.
    fn keep(&mut self, rest: &[u8]) {
        self.partial.clear();
        self.partial.extend_from_slice(rest);
        if rest.is_empty() {
            self.partial = Vec::new();
        } else if rest.len() > LONGEST_FLIGHT {
            self.refuse(rustls::InvalidMessage::HandshakePayloadTooLarge.into());
        }
    }

    /// Puts what is left over of a record where `open` needs it, and says where what is received next must go.
    /// `None` where that leaves less than `least` bytes of room.
    pub fn begin(&self, buffer: &mut [u8], least: usize) -> Option<usize> {
        let at = HEADROOM + self.partial.len();
        if buffer.len() < at + least {
            return None;
        }
        buffer[HEADROOM..at].copy_from_slice(&self.partial);
        Some(at)
    }

    /// Decrypts what was received up to `end`, in the place that `begin` told. Answers how many bytes of plaintext
    /// are at the start of `buffer` now; `peer_ended` and `failure` tell whether more can come after them.
    pub fn open(&mut self, buffer: &mut [u8], end: usize) -> usize {
        let (mut at, mut len) = (HEADROOM, 0);
        while self.failed.is_none() && !self.peer_ended {
            let (plain, incoming) = buffer.split_at_mut(at);
            let incoming = &mut incoming[..end - at];
            let mut take = |payload: &[u8]| {
                plain[len..len + payload.len()].copy_from_slice(payload);
                len += payload.len();
            };
            let (n, step) = step::of(&mut self.role, incoming, &mut self.queued, &mut Task::Open(&mut take));
            at += n;
            match step {
                Ok(Step::Moved) => {}
                Ok(Step::Idle) => break,
                Ok(Step::PeerEnded) => self.peer_ended = true,
                Err(error) => {
                    self.fail(error, &mut incoming[n..]);
                }
            }
        }
        // What comes after close_notify is ignored (RFC 8446, section 6.1).
        let rest = if self.peer_ended { &[] } else { &buffer[at..end] };
        self.keep(rest);
        len
    }

    /// Encrypts as much of `plain` as fits into `out`. Answers how much of `plain` that is and how much of `out` is
    /// to be sent; what was queued goes first.
    pub fn seal(&mut self, plain: &[u8], out: &mut [u8]) -> Result<(usize, usize), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut incoming = std::mem::take(&mut self.partial);
        let result = loop {
            let first = self.queued.len();
            let room = out.len().saturating_sub(first + OVERHEAD) / (RECORD + OVERHEAD) * RECORD;
            let taken = plain.len().min(room);
            let mut sealed = None;
            let mut task = Task::Seal { plain: &plain[..taken], out: &mut out[first..], sealed: &mut sealed };
            let (_, step) = step::of(&mut self.role, &mut incoming, &mut self.queued, &mut task);
            match (step, sealed) {
                (Ok(_), Some(written)) => break Ok((taken, first + written)),
                (Ok(Step::Moved), None) => {}
                (Ok(Step::PeerEnded), None) if !self.peer_ended => self.peer_ended = true,
                (Ok(_), None) => break Err(Error::General("nothing can be sent now".to_owned())),
                (Err(error), _) => break Err(error),
            }
        };
        self.partial = incoming;
        let (taken, len) = result?;
        let first = self.queued.len();
        out[..first].copy_from_slice(&self.queued);
        self.queued = Vec::new();
        Ok((taken, len))
    }

    /// Queues our end, close_notify; nothing can be sealed after it. A broken session has said an alert instead.
    pub fn end(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let mut incoming = std::mem::take(&mut self.partial);
        while let (_, Ok(step)) = step::of(&mut self.role, &mut incoming, &mut self.queued, &mut Task::End) {
            match step {
                Step::Moved => {}
                Step::PeerEnded if !self.peer_ended => self.peer_ended = true,
                Step::PeerEnded | Step::Idle => break,
            }
        }
        self.partial = incoming;
    }

    /// Ends a session that we want no part of, without an alert of rustls' own.
    fn refuse(&mut self, error: Error) -> Error {
        self.failed = Some(error.clone());
        error
    }

    /// The session is broken; rustls has an alert for the peer.
    fn fail(&mut self, error: Error, incoming: &mut [u8]) -> Error {
        self.queue_all(incoming);
        self.refuse(error)
    }

    /// Queues every record that rustls has made. It does that before it looks at what was received, so the same
    /// bytes are never looked at twice.
    fn queue_all(&mut self, incoming: &mut [u8]) {
        while self.common().wants_write() {
            let (_, step) = step::of(&mut self.role, incoming, &mut self.queued, &mut Task::Wait);
            if step.is_err() {
                return;
            }
        }
    }
}
