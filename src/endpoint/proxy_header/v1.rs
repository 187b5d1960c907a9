//! Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and CR LF.

use std::net::{IpAddr, SocketAddr};

use super::{Header, Peer, Route};

/// What every such line begins with.
pub const START: &[u8] = b"PROXY ";
/// Bytes of the longest line, its end included.
pub const LONGEST: usize = 107;

/// The whole line.
pub fn encode(route: &Route) -> Vec<u8> {
    let line = match route {
        Route::From(Peer::Ip(from), Peer::Ip(to)) => {
            let (from, to) = same_version(*from, *to);
            let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
            format!("PROXY {family} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port())
        }
        _ => "PROXY UNKNOWN\r\n".to_owned(),
    };
    line.into_bytes()
}

/// Both as IPv4, or both as IPv6.
pub fn same_version(from: SocketAddr, to: SocketAddr) -> (SocketAddr, SocketAddr) {
    let v6 = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        // A zone means something on its own host alone.
        IpAddr::V6(ip) => SocketAddr::new(ip.into(), address.port()),
    };
    match from.is_ipv4() && to.is_ipv4() {
        true => (from, to),
        false => (v6(from), v6(to)),
    }
}

/// Reads what follows `PROXY `, with its end. `None` for what is not exactly as the protocol has it.
pub fn parse(rest: &[u8]) -> Option<Header> {
    let line = std::str::from_utf8(rest.strip_suffix(b"\r\n")?).ok()?;
    let route = match line.split(' ').collect::<Vec<_>>()[..] {
        // Whatever else stands in the line is to be ignored.
        ["UNKNOWN", ..] => Route::Unknown,
        [family @ ("TCP4" | "TCP6"), from, to, from_port, to_port] => {
            let (from, to): (IpAddr, IpAddr) = (from.parse().ok()?, to.parse().ok()?);
            if from.is_ipv4() != (family == "TCP4") || to.is_ipv4() != from.is_ipv4() {
                return None;
            }
            let peer = |ip, text| Some(Peer::ip(SocketAddr::new(ip, port(text)?)));
            Route::From(peer(from, from_port)?, peer(to, to_port)?)
        }
        _ => return None,
    };
    Some(Header { route, ..Header::default() })
}

/// Decimal digits without a sign or a leading zero.
fn port(text: &str) -> Option<u16> {
    let strict = text == "0" || (text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
    text.parse().ok().filter(|_| strict)
}
