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

    /// Hears up to the first `end`, and not a byte more; `most` bytes, when there is none in them.
    pub async fn hear_through(&self, end: &[u8], most: usize) -> io::Result<Vec<u8>> {
        let mut heard = Vec::new();
        let mut buffer = vec![0; most];
        loop {
            let there = self.peek(&mut buffer[..most - heard.len()]).await?;
            if there == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let before = heard.len();
            heard.extend(&buffer[..there]);
            // The end may have begun in what came before.
            let from = before.saturating_sub(end.len() - 1);
            let found = heard[from..].windows(end.len()).position(|window| window == end);
            heard.truncate(found.map_or(heard.len(), |at| from + at + end.len()));
            self.hear_exactly(&mut buffer[..heard.len() - before]).await?;
            if found.is_some() || heard.len() == most {
                return Ok(heard);
            }
        }
    }

    /// Looks at what there is and leaves it there; 0 is the end.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.fd.poll_peek(cx, buffer)).await
    }

    /// What is there already, without waiting for it and without taking it.
    pub fn peek_at_once(&self, buffer: &mut [u8]) -> usize {
        rustix::net::recv(self.fd, buffer, RecvFlags::PEEK | RecvFlags::DONTWAIT).map_or(0, |(n, _)| n)
    }
}
