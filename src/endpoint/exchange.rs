//! A few words with a peer before the session: said whole, and heard to the byte, so that none is lost to it.

use std::future::poll_fn;
use std::io;

use rustix::net::RecvFlags;

use super::descriptor::Descriptor;

/// A stream socket on which we talk before it is handed on.
pub struct Exchange<'a> {
    fd: &'a Descriptor,
    stalled: bool,
}

impl<'a> Exchange<'a> {
    /// Begins to talk.
    pub fn new(fd: &'a Descriptor) -> Exchange<'a> {
        Exchange { fd, stalled: false }
    }

    /// Says all of `bytes`.
    pub async fn say(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let said = poll_fn(|cx| self.fd.poll_write(cx, bytes, &mut self.stalled)).await?;
            bytes = &bytes[said..];
        }
        Ok(())
    }

    /// Hears what there is; 0 is the end.
    pub async fn hear(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.fd.poll_read(cx, buffer)).await
    }

    /// Hears exactly as many bytes as `buffer` has room for.
    pub async fn hear_exactly(&self, buffer: &mut [u8]) -> io::Result<()> {
        let mut heard = 0;
        while heard < buffer.len() {
            match self.hear(&mut buffer[heard..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => heard += more,
            }
        }
        Ok(())
    }

    /// Looks at what there is and leaves it there; 0 is the end.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            self.fd.poll_input(cx, |fd, _| {
                let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
                rustix::net::recv(fd, &mut *buffer, flags).map(|(n, _)| (n, false))
            })
        })
        .await
    }

    /// What is there already, without waiting for it and without taking it.
    pub fn peek_at_once(&self, buffer: &mut [u8]) -> usize {
        rustix::net::recv(self.fd, buffer, RecvFlags::PEEK | RecvFlags::DONTWAIT).map_or(0, |(n, _)| n)
    }
}
