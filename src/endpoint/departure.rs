//! Whether a TCP peer that has ended its side is gone altogether, or still waits for an answer.
//!
//! Both look the same on the wire: a FIN. A reset tells, or, for a peer on this host, the kernel's own table:
//! a socket that its program has closed belongs to nobody there.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::descriptor::Descriptor;
use crate::event_loop::{sleep, timeout};

/// Pauses between two looks: at first short, since most peers close at once or wait for long.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LATER_LOOKS: Duration = Duration::from_secs(2);

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
    let mut pause = FIRST_LOOK;
    while timeout(pause, fd.hung_up()).await.is_err() {
        if is_closed_here(&fd) {
            return;
        }
        pause = (pause * 2).min(LATER_LOOKS);
    }
}

/// Looks for the peer's own socket in /proc/net/tcp: its local address is our remote one.
fn is_closed_here(fd: &Descriptor) -> bool {
    let socket = SockRef::from(fd);
    let (Ok(local), Ok(peer)) = (socket.local_addr(), socket.peer_addr()) else { return false };
    let (Some(local), Some(peer)) = (local.as_socket(), peer.as_socket()) else { return false };
    if !peer.ip().to_canonical().is_loopback() {
        return false;
    }
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let ends = (local.port(), peer.port());
    !tables.iter().flatten().flat_map(|table| table.lines()).any(|line| is_open_peer(line, ends))
}

/// True for the line of a socket from `peer` to `local` that some program still has open (its inode is not 0).
/// Ports are enough: a pair of loopback ports that is taken twice only delays the answer.
fn is_open_peer(line: &str, (local, peer): (u16, u16)) -> bool {
    let mut fields = line.split_whitespace();
    let port = |field: Option<&str>| u16::from_str_radix(field?.rsplit_once(':')?.1, 16).ok();
    let from = port(fields.nth(1));
    let to = port(fields.next());
    let inode = fields.nth(6);
    from == Some(peer) && to == Some(local) && inode.is_some_and(|inode| inode != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "  0: 0100007F:C350 0100007F:1F90 05 00000000:00000000 00:00000000 00000000  0  0 4711 1 0 20 4 30 10 -1";
    const CLOSED: &str =
        "  0: 0100007F:C350 0100007F:1F90 05 00000000:00000000 03:00001234 00000000  0  0 0 3 0";

    #[test]
    fn a_socket_without_an_owner_is_closed() {
        assert!(is_open_peer(OPEN, (8080, 50000)));
        assert!(!is_open_peer(CLOSED, (8080, 50000)));
        assert!(!is_open_peer(OPEN, (8081, 50000)));
        assert!(!is_open_peer("  sl  local_address rem_address   st", (8080, 50000)));
    }
}
