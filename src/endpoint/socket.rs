//! Socket options: from the words of an address to setsockopt(2).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use super::descriptor::Descriptor;
use crate::address::{Key, Options};
use crate::error::Failure;

/// Accept queue when not said otherwise.
const BACKLOG: i32 = 1024;

/// Makes a non-blocking, close-on-exec socket.
pub fn open(domain: Domain, kind: Type) -> io::Result<Socket> {
    Socket::new_raw(domain, kind.nonblocking().cloexec(), None)
}

/// The backlog asked for, or ours.
pub fn backlog(options: &Options) -> i32 {
    options.number(Key::Backlog).and_then(|n| i32::try_from(n).ok()).unwrap_or(BACKLOG)
}

/// Sets what concerns every socket, before bind(2) and connect(2).
pub fn apply(socket: &Socket, options: &Options) -> Result<(), Failure> {
    if options.is_empty() {
        return Ok(());
    }
    let set = |key: &str, result: io::Result<()>| {
        result.map_err(|why| Failure::connect(format!("cannot set socket option {key}"), why))
    };
    if let Some(size) = options.size(Key::Sndbuf) {
        set("sndbuf", socket.set_send_buffer_size(size as usize))?;
    }
    if let Some(size) = options.size(Key::Rcvbuf) {
        set("rcvbuf", socket.set_recv_buffer_size(size as usize))?;
    }
    if let Some(true) = options.flag(Key::Reuseport) {
        set("reuseport", socket.set_reuse_port(true))?;
    }
    if let Some(mark) = options.number(Key::Mark) {
        set("mark", socket.set_mark(mark as u32))?;
    }
    if let Some(device) = options.text(Key::Device) {
        set("device", socket.bind_device(Some(device.as_bytes())))?;
    }
    if let Some(true) = options.flag(Key::Broadcast) {
        set("broadcast", socket.set_broadcast(true))?;
    }
    for text in options.texts(Key::Sockopt) {
        sockopt::set(socket.as_fd(), text)?;
    }
    Ok(())
}

/// Sets what concerns an Internet socket.
pub fn apply_ip(socket: &Socket, v6: bool, options: &Options) -> Result<(), Failure> {
    let set = |key: &str, result: io::Result<()>| {
        result.map_err(|why| Failure::connect(format!("cannot set socket option {key}"), why))
    };
    if let Some(ttl) = options.number(Key::Ttl) {
        let ttl = ttl as u32;
        set("ttl", if v6 { socket.set_unicast_hops_v6(ttl) } else { socket.set_ttl_v4(ttl) })?;
        if v6 {
            // For the IPv4 peers of a dual-stack socket.
            let _ = socket.set_ttl_v4(ttl);
        }
    }
    if let Some(tos) = options.number(Key::Tos) {
        let tos = tos as u32;
        set("tos", if v6 { socket.set_tclass_v6(tos) } else { socket.set_tos_v4(tos) })?;
        if v6 {
            let _ = socket.set_tos_v4(tos);
        }
    }
    if let (Some(only), true) = (options.flag(Key::V6only), v6) {
        set("v6only", socket.set_only_v6(only))?;
    }
    if let Some(ttl) = options.number(Key::MulticastTtl) {
        let ttl = ttl as u32;
        let result = if v6 { socket.set_multicast_hops_v6(ttl) } else { socket.set_multicast_ttl_v4(ttl) };
        set("multicast-ttl", result)?;
    }
    if let Some(on) = options.flag(Key::MulticastLoop) {
        set(
            "multicast-loop",
            if v6 { socket.set_multicast_loop_v6(on) } else { socket.set_multicast_loop_v4(on) },
        )?;
    }
    Ok(())
}

/// Sets what concerns TCP; `local` peers cannot vanish without our kernel's knowing, so they need no probes.
pub fn apply_tcp(socket: &Socket, options: &Options, local: bool) -> Result<(), Failure> {
    let set = |key: &str, result: io::Result<()>| {
        result.map_err(|why| Failure::connect(format!("cannot set socket option {key}"), why))
    };
    if options.flag(Key::Nodelay).unwrap_or(true) {
        set("nodelay", socket.set_tcp_nodelay(true))?;
    }
    let asked =
        [Key::Keepalive, Key::Keepidle, Key::Keepintvl, Key::Keepcnt].iter().any(|key| options.has(*key));
    if options.flag(Key::Keepalive).unwrap_or(true) && (asked || !local) {
        set("keepalive", socket.set_tcp_keepalive(&keepalive(options)))?;
    }
    if local {
        // Congestion control that paces (BBR) costs CPU time and helps nobody where there is no network.
        let _ = socket.set_tcp_congestion(b"reno");
    }
    if let Some(true) = options.flag(Key::Fastopen) {
        sockopt::set_number(socket.as_fd(), libc_names::TCP, libc_names::TCP_FASTOPEN_CONNECT, 1)
            .map_err(|why| Failure::connect("cannot set socket option fastopen", why))?;
    }
    Ok(())
}

fn keepalive(options: &Options) -> TcpKeepalive {
    let count = options.number(Key::Keepcnt).and_then(|n| u32::try_from(n).ok()).unwrap_or(3);
    TcpKeepalive::new()
        .with_time(options.time(Key::Keepidle).unwrap_or(Duration::from_secs(60)))
        .with_interval(options.time(Key::Keepintvl).unwrap_or(Duration::from_secs(10)))
        .with_retries(count)
}

/// Takes congestion control by timers (BBR paces) off a bulk flow over loopback, where there is no network to be
/// kind to: a quarter of the CPU time goes there. Reno is always there and always allowed, tcp(7).
pub fn stop_pacing(fd: &Descriptor) {
    let socket = SockRef::from(fd);
    let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
    if peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
        let _ = socket.set_tcp_congestion(b"reno");
    }
}

/// Bytes written that the peer has not acknowledged (SIOCOUTQ, tcp(7)).
pub fn unsent_bytes(fd: BorrowedFd<'_>) -> io::Result<u32> {
    sockopt::output_queue(fd)
}

/// Makes room in the send buffer of a Unix socket for a message of `len` bytes, whose sender's buffer was larger
/// than ours. True when that may have helped (net.core.wmem_max is the limit).
pub fn make_room(fd: BorrowedFd<'_>, len: usize) -> bool {
    let socket = SockRef::from(&fd);
    let has_grown = || -> io::Result<bool> {
        let before = socket.send_buffer_size()?;
        // The kernel doubles the number, and takes some for itself.
        socket.set_send_buffer_size(len)?;
        Ok(socket.send_buffer_size()? > before)
    };
    matches!(socket.domain(), Ok(Domain::UNIX)) && has_grown().unwrap_or(false)
}

/// Numbers that socket2 has no name for.
mod libc_names {
    pub(super) const TCP: i32 = nix::libc::IPPROTO_TCP;
    pub(super) const TCP_FASTOPEN_CONNECT: i32 = nix::libc::TCP_FASTOPEN_CONNECT;
}

mod sockopt {
    //! Options by number: `sockopt=LEVEL:NAME=INT`, as setsockopt(2) takes them.

    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};

    use nix::libc;

    use crate::error::Failure;

    pub(super) fn set(fd: BorrowedFd<'_>, text: &str) -> Result<(), Failure> {
        let parts = text.split_once(':').and_then(|(level, rest)| {
            let (name, value) = rest.split_once('=')?;
            Some((level_number(level)?, number(name)?, number(value)?))
        });
        let Some((level, name, value)) = parts else {
            return Err(Failure::usage(format!("sockopt={text}"), "is not LEVEL:NAME=INT")
                .hint("numbers, or a level of: socket ip ipv6 tcp udp; for example sockopt=tcp:9=30"));
        };
        set_number(fd, level, name, value)
            .map_err(|why| Failure::connect(format!("cannot set sockopt={text}"), why))
    }

    fn level_number(level: &str) -> Option<i32> {
        Some(match level {
            "socket" => libc::SOL_SOCKET,
            "ip" => libc::IPPROTO_IP,
            "ipv6" => libc::IPPROTO_IPV6,
            "tcp" => libc::IPPROTO_TCP,
            "udp" => libc::IPPROTO_UDP,
            other => number(other)?,
        })
    }

    fn number(text: &str) -> Option<i32> {
        match text.strip_prefix("0x") {
            Some(hex) => i32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        }
    }

    pub(super) fn set_number(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
        let size = size_of::<i32>() as libc::socklen_t;
        // SAFETY: the pointer is to a live i32 and the size is its own.
        let result =
            unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    pub(super) fn output_queue(fd: BorrowedFd<'_>) -> io::Result<u32> {
        let mut bytes: libc::c_int = 0;
        // SAFETY: TIOCOUTQ (SIOCOUTQ) writes one int, through a pointer to one.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        if result == 0 { Ok(u32::try_from(bytes).unwrap_or(0)) } else { Err(io::Error::last_os_error()) }
    }
}
