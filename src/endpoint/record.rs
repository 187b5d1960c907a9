//! Records of a seqpacket socket, each told from the end.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::sys::socket::{MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeVal;
use rustix::io::Errno;

/// Has records told from the end: recv(2) answers 0 both to an empty one and to the end, and Linux sets MSG_EOR for
/// neither on a Unix socket, but only a record has a time stamp.
pub fn mark(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(setsockopt(&fd, sockopt::ReceiveTimestamp, &true)?)
}

/// Takes a record off the queue; answers its true length, and whether it is none but the end.
pub fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, bool), Errno> {
    let mut room = nix::cmsg_space!(TimeVal);
    // MSG_TRUNC makes recvmsg answer the record's true length, so that a cut never goes unseen.
    let (mut slices, flags) = ([IoSliceMut::new(buffer)], MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC);
    let received = recvmsg::<()>(fd.as_raw_fd(), &mut slices, Some(&mut room), flags)
        .map_err(|why| Errno::from_raw_os_error(why as i32))?;
    let is_stamped = received.cmsgs().is_ok_and(|mut all| all.next().is_some());
    Ok((received.bytes, received.bytes == 0 && !is_stamped))
}
