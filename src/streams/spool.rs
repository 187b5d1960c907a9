//! Output that is kept until it is known whether anybody wants to see it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, Mode, OFlags};

use crate::flow::{End, Outlet};

/// A file without a name that holds two streams in their order.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// Which stream, and how many bytes of it, one after the other.
    segments: Vec<(usize, u64)>,
}

impl Spool {
    /// An empty one: on disk, or in memory where the directory for temporary files takes none.
    pub fn new() -> io::Result<Spool> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = rustix::fs::open(std::env::temp_dir(), flags, Mode::RUSR | Mode::WUSR)
            .or_else(|_| rustix::fs::memfd_create("spile", MemfdFlags::CLOEXEC))?;
        Ok(Spool { file: File::from(fd), segments: Vec::new() })
    }

    /// Where a stream is written to.
    pub fn outlet(&self) -> io::Result<Outlet> {
        Ok(Outlet::new(End::own(OwnedFd::from(self.file.try_clone()?))?, "a temporary file"))
    }

    /// Notes that `bytes` of a stream were written.
    pub fn wrote(&mut self, stream: usize, bytes: u64) {
        match self.segments.last_mut() {
            Some((last, length)) if *last == stream => *length += bytes,
            _ if bytes > 0 => self.segments.push((stream, bytes)),
            _ => {}
        }
    }

    /// Writes everything to where it was meant to go.
    pub fn play(mut self, to: [BorrowedFd<'_>; 2]) -> io::Result<()> {
        self.file.rewind()?;
        for (stream, length) in self.segments {
            let mut out = File::from(rustix::io::fcntl_dupfd_cloexec(to[stream], 3)?);
            io::copy(&mut (&self.file).take(length), &mut out)?;
            out.flush()?;
        }
        Ok(())
    }
}
