//! Bytes of ours as a program's stdin.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;

use crate::flow::{self, End, Outlet};

/// Writes a text into a pipe. That the program does not read it is no error, only a number in the report.
#[derive(Debug)]
pub struct Feed {
    /// `None` once everything is written: the program then sees the end.
    outlet: Option<Outlet>,
    /// Kept to count at the end what lies unread in the pipe; who reads nothing does not disturb us.
    pipe: OwnedFd,
}

impl Feed {
    /// A feed, and what the program gets as its stdin.
    pub fn new(text: &[u8]) -> io::Result<(Feed, OwnedFd)> {
        let (out, into) = flow::pipe()?;
        let mut outlet = Outlet::new(End::own(into)?, "stdin");
        outlet.put(text)?;
        let stdin = rustix::io::fcntl_dupfd_cloexec(&out, 3)?;
        let mut feed = Feed { outlet: Some(outlet), pipe: out };
        feed.advance();
        Ok((feed, stdin))
    }

    /// What to wait for.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        fds.extend(self.outlet.as_ref().map(|outlet| (outlet.end.as_fd(), PollFlags::OUT)));
    }

    /// Writes what fits.
    pub fn advance(&mut self) {
        let goes_on = self.outlet.as_mut().is_some_and(|outlet| matches!(outlet.flush(), Ok(false)));
        if !goes_on {
            self.outlet = None;
        }
    }

    /// Bytes that nobody has read.
    pub fn unread(&self) -> u64 {
        let waiting = self.outlet.as_ref().map_or(0, Outlet::waiting) as u64;
        waiting + rustix::io::ioctl_fionread(&self.pipe).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_counted() {
        let (feed, stdin) = Feed::new(&[b'x'; 1_000_000]).unwrap();
        assert_eq!(feed.unread(), 1_000_000);
        assert_eq!(rustix::io::read(&stdin, &mut [0; 1000][..]), Ok(1000));
        assert_eq!(feed.unread(), 999_000);
    }
}
