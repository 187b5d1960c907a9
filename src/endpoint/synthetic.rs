//! Endpoints that are no file and no peer: null, echo, discard, zero, text.

use std::fs::File;
use std::io::Cursor;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

use super::descriptor::{Descriptor, Kind};
use super::message::{MessageSource, Messages};
use super::{Endpoint, Sink, Source};
use crate::error::Failure;

/// As much as a direction reads at once.
const LARGEST_RECORD: u32 = 64 * 1024;

/// Ends at once, takes everything.
pub fn null() -> Result<Endpoint, Failure> {
    Ok(Endpoint::new(Source::Ended, Sink::Discard))
}

/// Says `text`, takes everything.
pub fn text(text: &[u8]) -> Endpoint {
    Endpoint::new(Source::Fixed(Box::new(Cursor::new(text.to_vec()))), Sink::Discard)
}

/// NUL bytes for ever, takes everything.
pub fn zero() -> Result<Endpoint, Failure> {
    let file = File::open("/dev/zero").map_err(|why| Failure::other("cannot open /dev/zero", why))?;
    let fd = Arc::new(descriptor(file.into(), Kind::File)?);
    Ok(Endpoint::new(Source::Stream(fd), Sink::Discard))
}

/// Takes everything, and ends when its input ends (RFC 863).
pub fn discard() -> Result<Endpoint, Failure> {
    let (out, into) = pipe()?;
    let source = Source::Stream(Arc::new(descriptor(out, Kind::Pipe)?));
    Ok(Endpoint::new(source, Sink::DiscardUntilEnd { _source_of_end: into }))
}

/// What goes in comes out (RFC 862): a pair of sockets with both ends here. Records, so that datagrams that
/// are echoed stay apart; a stream does not notice.
pub fn echo() -> Result<Endpoint, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (out, into) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|why| Failure::other("cannot make a socket pair", why))?;
    let out = Arc::new(descriptor(out, Kind::Message)?);
    let source = Source::Messages(MessageSource::new(out, Messages::SeqPacket, false));
    let fd = Arc::new(descriptor(into, Kind::Message)?);
    Ok(Endpoint::new(source, Sink::Messages { fd, stalled: false, mtu: LARGEST_RECORD, ends: true }))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
        .map_err(|why| Failure::other("cannot make a pipe", why))
}

fn descriptor(fd: OwnedFd, kind: Kind) -> Result<Descriptor, Failure> {
    Descriptor::new(fd, kind).map_err(|why| Failure::other("cannot watch a descriptor", why))
}
