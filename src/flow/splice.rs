//! The fast path: from a pipe by splice(2), copied for a tee by tee(2), so that no byte passes through us.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, splice, tee};

use super::end::End;
use super::outlet::Outlet;
use super::pipe::{LARGE, grow, pipe};

/// What a call has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// So many bytes reached the sink.
    Bytes(usize),
    /// Nothing: there is nothing to read yet.
    Empty,
    /// Nothing: the sink or the copy is full.
    Full,
    /// Nothing: the end of the data.
    End,
    /// Nothing: this sink takes bytes by write(2) alone (a file opened to append, a terminal).
    Refused,
}

/// The state between calls.
#[derive(Debug, Default)]
pub struct Splice {
    /// Bytes that the copy has already and the sink has not.
    owed: usize,
    /// A pipe before a copy that is a file: tee(2) needs pipes.
    side: Option<(OwnedFd, OwnedFd)>,
}

/// How the copy fared.
pub enum Copied {
    /// It has the bytes.
    Yes,
    /// It could not be written; it must be given up.
    Failed(io::Error),
}

impl Splice {
    /// Bytes that the copy has already and the sink has not.
    pub fn owed(&self) -> usize {
        self.owed
    }

    /// Moves at most `most` bytes.
    pub fn step(&mut self, inlet: &End, sink: &End, most: usize) -> io::Result<Moved> {
        let most = if self.owed > 0 { self.owed } else { most };
        match splice(inlet, None, sink, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE) {
            Ok(0) => Ok(Moved::End),
            Ok(n) => {
                self.owed = self.owed.saturating_sub(n);
                Ok(Moved::Bytes(n))
            }
            Err(Errno::AGAIN | Errno::INTR) => match rustix::io::ioctl_fionread(inlet) {
                // EAGAIN does not tell which end it means.
                Ok(n) if n > 0 => Ok(Moved::Full),
                _ => Ok(Moved::Empty),
            },
            Err(Errno::INVAL) => Ok(Moved::Refused),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Copies at most `most` bytes of the inlet to `copy`; they are owed to the sink then.
    pub fn copy(&mut self, inlet: &End, copy: &mut Outlet, most: usize) -> io::Result<(Moved, Copied)> {
        if copy.end.is_pipe() {
            let moved = self.tee(inlet, &copy.end, most);
            return Ok(match moved {
                // The copy's reader has gone: that is no failure of the inlet.
                Err(why) if why.raw_os_error() == Some(Errno::PIPE.raw_os_error()) => {
                    (Moved::Bytes(0), Copied::Failed(why))
                }
                other => (other?, Copied::Yes),
            });
        }
        let (out, into) = match self.side.take() {
            Some(side) => side,
            None => {
                let side = pipe()?;
                grow(&side.1, LARGE);
                side
            }
        };
        let moved = self.tee(inlet, &into, most)?;
        let Moved::Bytes(n) = moved else {
            self.side = Some((out, into));
            return Ok((moved, Copied::Yes));
        };
        match drain(&out, copy, n) {
            Ok(()) => {
                self.side = Some((out, into));
                Ok((moved, Copied::Yes))
            }
            Err(why) => Ok((moved, Copied::Failed(why))),
        }
    }

    fn tee(&mut self, inlet: &End, copy: impl std::os::fd::AsFd, most: usize) -> io::Result<Moved> {
        match tee(inlet, copy, most, SpliceFlags::NONBLOCK) {
            Ok(0) => Ok(Moved::End),
            Ok(n) => {
                self.owed = n;
                Ok(Moved::Bytes(n))
            }
            Err(Errno::AGAIN | Errno::INTR) => match rustix::io::ioctl_fionread(inlet) {
                Ok(n) if n > 0 => Ok(Moved::Full),
                _ => Ok(Moved::Empty),
            },
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Empties the side pipe into a file.
fn drain(out: &OwnedFd, copy: &mut Outlet, mut left: usize) -> io::Result<()> {
    while left > 0 && copy.waiting() == 0 {
        match splice(out, None, &copy.end, None, left, SpliceFlags::MOVE) {
            Ok(0) | Err(Errno::INVAL | Errno::AGAIN) => break,
            Ok(n) => left -= n,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // What does not take splice(2) takes write(2).
    let mut buffer = vec![0; left.min(64 * 1024)];
    while left > 0 {
        let n = rustix::io::retry_on_intr(|| rustix::io::read(out, &mut buffer[..]))?;
        copy.put(&buffer[..n])?;
        left -= n;
    }
    Ok(())
}
