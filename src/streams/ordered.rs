//! stdout and stderr in the order in which they were written, and still told apart.
//!
//! Two pipes cannot say which was written first. Two datagram sockets connected to one receiver can: it gets the
//! datagrams of both in their order, each with its sender (unix(7)). The price: a program can neither open
//! /dev/stderr nor write more than some 200 KiB at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect, getsockname, recvfrom,
    socket_with,
};

use crate::flow::{End, Flow};

/// Above the largest datagram that the usual send buffer takes.
const LARGEST: usize = 256 * 1024;

/// Hands datagrams to the flow of their sender.
#[derive(Debug)]
pub struct Ordered {
    receiver: OwnedFd,
    senders: [SocketAddrUnix; 2],
    /// Where each flow reads from.
    taps: [End; 2],
    buffer: Vec<u8>,
    /// What has not found room in a tap: whose, and how much of the buffer.
    pending: Option<(usize, usize, usize)>,
}

impl Ordered {
    /// A receiver and the two ends for the program: stdout, stderr. `taps` lead to their flows.
    pub fn new(taps: [End; 2]) -> io::Result<(Ordered, [OwnedFd; 2])> {
        let receiver = bound()?;
        let ends = [bound()?, bound()?];
        let name = name_of(&receiver)?;
        for end in &ends {
            connect(end, &name)?;
        }
        let senders = [name_of(&ends[0])?, name_of(&ends[1])?];
        let buffer = vec![0; LARGEST];
        Ok((Ordered { receiver, senders, taps, buffer, pending: None }, ends))
    }

    /// What to wait for.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        match self.pending {
            Some((whose, ..)) => fds.push((self.taps[whose].as_fd(), PollFlags::OUT)),
            None => fds.push((self.receiver.as_fd(), PollFlags::IN)),
        }
    }

    /// Hands on what has come, each datagram before the next is looked at. True when nothing is left.
    pub fn advance(
        &mut self,
        now: Instant,
        flows: [&mut Flow; 2],
        mut passed: impl FnMut(usize, &Flow),
    ) -> bool {
        loop {
            while let Some((whose, from, to)) = self.pending {
                // A flow that has ended takes no more, and the program is not to be held up.
                let written = self.taps[whose].write(&self.buffer[from..to]).unwrap_or(Some(to - from));
                flows[whose].advance(now);
                passed(whose, flows[whose]);
                match written {
                    Some(n) if from + n < to => self.pending = Some((whose, from + n, to)),
                    Some(_) => self.pending = None,
                    None => return false,
                }
            }
            match recvfrom(&self.receiver, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Ok((n, _, from)) => {
                    let from = from.and_then(|from| SocketAddrUnix::try_from(from).ok());
                    let whose = self.senders.iter().position(|sender| Some(sender) == from.as_ref());
                    self.pending = whose.map(|whose| (whose, 0, n));
                }
                Err(Errno::INTR) => {}
                Err(_) => return true,
            }
        }
    }
}

/// A datagram socket with a name that the kernel has chosen.
fn bound() -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrUnix::new_unnamed())?;
    Ok(socket)
}

fn name_of(socket: &OwnedFd) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::try_from(getsockname(socket)?)?)
}
