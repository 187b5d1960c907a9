//! The reading side of sockets that keep the boundaries of messages: datagrams, and the records of seqpacket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::descriptor::Descriptor;
use super::{Endpoint, Input, Sink, Source, record};
use crate::address::{Key, Options};

/// What decides how long a message can be, and whether the peer can say the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// UDP: at most 65,535 bytes, and no end.
    Udp,
    /// A Unix datagram socket: as long as the sender's buffer, and no end.
    UnixDatagram,
    /// A seqpacket socket: as long as the sender's buffer, and an end.
    SeqPacket,
}

impl Messages {
    /// What an open socket has.
    pub fn of(fd: BorrowedFd<'_>) -> io::Result<Messages> {
        use rustix::net::sockopt::{socket_domain, socket_type};
        Ok(match (socket_domain(fd)?, socket_type(fd)?) {
            (_, rustix::net::SocketType::SEQPACKET) => Messages::SeqPacket,
            (rustix::net::AddressFamily::UNIX, _) => Messages::UnixDatagram,
            _ => Messages::Udp,
        })
    }

    /// True where the peer can say the end.
    pub fn can_end(self) -> bool {
        self == Messages::SeqPacket
    }
}

/// Bytes of a stream that go into one message when nothing else is said; socat's block size.
pub const DEFAULT_MTU: u32 = 8192;
/// Most payload of a UDP datagram over IPv4: 65,535 less IP and UDP headers.
const LARGEST_DATAGRAM: u64 = 65_507;

/// The most bytes of a stream to put in one message.
pub fn mtu(options: &Options, messages: Messages) -> u32 {
    let longest = if messages == Messages::Udp { LARGEST_DATAGRAM } else { u32::MAX.into() };
    options.size(Key::Mtu).map_or(DEFAULT_MTU, |size| size.clamp(1, longest) as u32)
}

/// A connected socket as both directions of an endpoint.
pub fn connected(fd: Arc<Descriptor>, messages: Messages, options: &Options) -> Endpoint {
    let eof_on_empty = options.flag(Key::EofOnEmpty).unwrap_or(false);
    let source = Source::Messages(MessageSource::new(fd.clone(), messages, eof_on_empty));
    let (mtu, ends) = (mtu(options, messages), messages.can_end());
    // A close that leaves records unread would be a reset.
    Endpoint { lingers: ends, ..Endpoint::new(source, Sink::Messages { fd, stalled: false, mtu, ends }) }
}

/// A connected socket that is read message by message.
pub struct MessageSource {
    fd: Arc<Descriptor>,
    messages: Messages,
    /// An empty message ends the stream (`eof-on-empty`).
    eof_on_empty: bool,
}

impl MessageSource {
    /// Reads `fd`.
    pub fn new(fd: Arc<Descriptor>, messages: Messages, eof_on_empty: bool) -> MessageSource {
        if messages.can_end() {
            let _ = record::mark(fd.as_fd());
        }
        MessageSource { fd, messages, eof_on_empty }
    }

    /// The socket.
    pub fn fd(&self) -> &Arc<Descriptor> {
        &self.fd
    }

    /// True where the peer can say the end.
    pub fn can_end(&self) -> bool {
        self.messages.can_end()
    }

    /// Ready when reading is worth a try.
    pub fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.fd.poll_readable(cx)
    }

    /// Reads one message once there is one.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        self.fd.poll_input(cx, |fd, _| self.read(fd, buffer).map(|input| (input, false)))
    }

    fn read(&self, fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Input, Errno> {
        let next = if self.messages == Messages::Udp { 0 } else { next_length(fd)? };
        if next > buffer.len() {
            let mut long = vec![0; next];
            let (full, _) = self.receive(fd, &mut long)?;
            long.truncate(full);
            return Ok(Input::Long { bytes: long, full });
        }
        let capacity = buffer.len();
        let (full, is_end) = self.receive(fd, buffer)?;
        Ok(match is_end || (full == 0 && self.eof_on_empty) {
            true => Input::End,
            false => Input::Message { len: full.min(capacity), full },
        })
    }

    /// Takes a message off the queue; answers its true length, and whether it is none but the end.
    fn receive(&self, fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, bool), Errno> {
        if self.can_end() {
            return record::receive(fd, buffer);
        }
        // MSG_TRUNC makes recv answer the message's true length, so that a cut never goes unseen.
        let (_, full) = rustix::net::recv(fd, buffer, RecvFlags::DONTWAIT | RecvFlags::TRUNC)?;
        Ok((full, false))
    }
}

/// The length of the message that is read next.
pub fn next_length(fd: BorrowedFd<'_>) -> Result<usize, Errno> {
    let nothing: &mut [u8] = &mut [];
    let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK | RecvFlags::TRUNC;
    rustix::net::recv(fd, nothing, flags).map(|(_, full)| full)
}
