//! Whether a TCP peer that has ended its side is gone altogether, or still waits for an answer.
//!
//! Both look the same on the wire: a FIN. A reset tells, or, for a peer on this host, the kernel's own table:
//! a socket that its program has closed belongs to nobody there.

use std::cell::RefCell;
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::descriptor::Descriptor;
use crate::event_loop::{sleep, timeout};

/// Pauses between two looks: at first short, since most peers close at once or wait for long.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LATER_LOOKS: Duration = Duration::from_secs(2);

/// How long what was read of this host's sockets holds, and how often it is read at most.
const STALE: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(200);

/// How long a child that has not read a byte of its input may still begin.
const BEGIN: Duration = Duration::from_millis(500);
/// Pause between two looks at what a child has read.
const LOOK: Duration = Duration::from_millis(100);

/// Resolves when a child need not be waited for: its peer is gone, and it either never began to read what it
/// was sent, or has read it all and then had `grace` to finish. A child that is still reading is left alone.
pub async fn forsaken(peer: Arc<Descriptor>, unread: Option<OwnedFd>, written: u64, grace: Duration) {
    departed(peer).await;
    let since = Instant::now();
    loop {
        let left = unread.as_ref().and_then(|fd| rustix::io::ioctl_fionread(fd).ok()).unwrap_or(0);
        let limit = match left {
            0 => Some(grace),
            left if left == written => Some(BEGIN),
            _ => None,
        };
        if limit.is_some_and(|limit| since.elapsed() >= limit) {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Resolves when the peer of a half-closed connection is known to be gone; for ever pending otherwise.
async fn departed(fd: Arc<Descriptor>) {
    let since = Instant::now();
    let mut pause = FIRST_LOOK;
    while timeout(pause, fd.hung_up()).await.is_err() {
        if is_closed_here(&fd, since) {
            return;
        }
        pause = (pause * 2).min(LATER_LOOKS);
    }
}

/// Looks for the peer's own socket among those of this host: its local address is our remote one.
fn is_closed_here(fd: &Descriptor, since: Instant) -> bool {
    let socket = SockRef::from(fd);
    let (Ok(local), Ok(peer)) = (socket.local_addr(), socket.peer_addr()) else { return false };
    let (Some(local), Some(peer)) = (local.as_socket(), peer.as_socket()) else { return false };
    let ends = (peer.port(), local.port());
    peer.ip().to_canonical().is_loopback()
        && OPEN.with_borrow_mut(|open| open.read_since(since).is_some_and(|all| !all.contains(&ends)))
}

/// The ports, local and remote, of the TCP sockets of this host that some program has open. Ports are enough: a
/// pair that two pairs of loopback addresses use only delays the answer.
#[derive(Default)]
struct OpenSockets {
    ends: HashSet<(u16, u16)>,
    read_at: Option<Instant>,
}

thread_local! {
    static OPEN: RefCell<OpenSockets> = RefCell::default();
}

impl OpenSockets {
    /// What is open, as seen at some time after `since`; `None` where it is too early to read it again. Reading
    /// takes milliseconds where there are many, so all sessions share it.
    fn read_since(&mut self, since: Instant) -> Option<&HashSet<(u16, u16)>> {
        let now = Instant::now();
        let is_old = |at: Instant| at < since || now - at > STALE;
        if self.read_at.is_none_or(|at| is_old(at) && now - at >= SHORTEST) {
            let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
            self.ends =
                tables.iter().flatten().flat_map(|table| table.lines()).filter_map(open_ends).collect();
            self.read_at = Some(Instant::now());
        }
        self.read_at.filter(|at| *at >= since).map(|_| &self.ends)
    }
}

/// The ports of a socket that some program has open: its inode is not 0.
fn open_ends(line: &str) -> Option<(u16, u16)> {
    let mut fields = line.split_whitespace();
    let port = |field: Option<&str>| u16::from_str_radix(field?.rsplit_once(':')?.1, 16).ok();
    let ends = (port(fields.nth(1))?, port(fields.next())?);
    fields.nth(6).filter(|inode| *inode != "0").map(|_| ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN_USE: &str = "  0: 0100007F:C350 0100007F:1F90 05 00000000:00000000 00:00000000 00000000  0  0 4711 1 0 20 4 30 10 -1";
    const CLOSED: &str =
        "  0: 0100007F:C350 0100007F:1F90 05 00000000:00000000 03:00001234 00000000  0  0 0 3 0";

    #[test]
    fn a_socket_without_an_owner_is_closed() {
        assert_eq!(open_ends(IN_USE), Some((50000, 8080)));
        assert_eq!(open_ends(CLOSED), None);
        assert_eq!(open_ends("  sl  local_address rem_address   st"), None);
    }
}
