//! Who is at the other end of an accepted connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The address of a peer or of our own end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An Internet address; one that came over a dual-stack socket is shown as plain IPv4.
    Ip(SocketAddr),
    /// A Unix socket, by path, `@name`, or nothing.
    Unix(String),
    /// Context id and port of a vsock.
    Vsock(u32, u32),
}

impl Peer {
    /// An Internet peer, `::ffff:a.b.c.d` turned back into IPv4.
    pub fn ip(address: SocketAddr) -> Peer {
        Peer::Ip(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// The IP address, for access rules.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Peer::Ip(address) => Some(address.ip()),
            _ => None,
        }
    }

    /// Host and port as text, for the environment of a child.
    pub fn parts(&self) -> (String, String) {
        match self {
            Peer::Ip(address) => (address.ip().to_string(), address.port().to_string()),
            Peer::Unix(name) => (name.clone(), String::new()),
            Peer::Vsock(cid, port) => (cid.to_string(), port.to_string()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Ip(address) => address.fmt(f),
            Peer::Unix(name) if name.is_empty() => f.write_str("a local process"),
            Peer::Unix(name) => name.escape_debug().fmt(f),
            Peer::Vsock(cid, port) => write!(f, "{cid}:{port}"),
        }
    }
}

/// The peer that accept(2), getpeername(2) or getsockname(2) named.
pub fn of(address: &socket2::SockAddr) -> Peer {
    if let Some(ip) = address.as_socket() {
        return Peer::ip(ip);
    }
    if let Some((cid, port)) = address.as_vsock_address() {
        return Peer::Vsock(cid, port);
    }
    let name = match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(name)) => format!("@{}", String::from_utf8_lossy(name)),
        (None, None) => String::new(),
    };
    Peer::Unix(name)
}
