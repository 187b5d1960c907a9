//! What the small services say: RFC 864, 867 and 868, and who a peer is.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use time::OffsetDateTime;

use crate::certificate::escaped;
use crate::endpoint::{Descriptor, Incoming, Kind, Peer, local_of};

/// Printing characters of ASCII, the space first.
const PRINTING: u8 = 95;
/// Characters of a line of RFC 864's pattern.
const LINE: usize = 72;
/// Most characters of a datagram, RFC 864.
const LONGEST_DATAGRAM: usize = 512;
/// Seconds from 1900 to 1970, RFC 868.
const SINCE_1900: i64 = 2_208_988_800;
/// Ports of services that answer whatever comes: to answer them may never end.
const SMALL_SERVICES: &[u16] = &[7, 13, 17, 19, 37];

/// True for a peer whose port says that it is no client but an echo, a character generator or their kin, which would
/// answer our answer.
pub fn is_small_service(peer: SocketAddr) -> bool {
    SMALL_SERVICES.contains(&peer.port()) || peer.port() == 0
}

/// The pattern that RFC 864 recommends: lines of 72 characters, each begins one character later. After 95 lines it
/// is at its beginning again.
pub fn pattern() -> Rc<[u8]> {
    let line = |first: u8| {
        let characters = (0..LINE).map(move |at| b' ' + (first + at as u8) % PRINTING);
        characters.chain(*b"\r\n")
    };
    (0..PRINTING).flat_map(line).collect()
}

/// As much of the pattern as a datagram has: 0 to 512 characters, by chance (RFC 864).
pub fn some_of(pattern: &[u8], chance: &RandomState, drawn: u64) -> Vec<u8> {
    let n = chance.hash_one(drawn) % (LONGEST_DATAGRAM as u64 + 1);
    pattern[..n as usize].to_vec()
}

/// Date and time as RFC 867 shows them, in UTC.
pub fn daytime(now: OffsetDateTime) -> String {
    let (month, day, year) = (now.month(), now.day(), now.year());
    let (hour, minute, second) = now.to_hms();
    format!("{}, {month} {day}, {year} {hour:02}:{minute:02}:{second:02}-UTC\r\n", now.weekday())
}

/// Seconds since 1900, RFC 868: 32 bits, which begin anew in 2036.
pub fn seconds(now: OffsetDateTime) -> [u8; 4] {
    ((now.unix_timestamp() + SINCE_1900) as u32).to_be_bytes()
}

/// Who a peer is, a line for each thing that we know.
pub fn whoami(incoming: &Incoming) -> String {
    let mut lines = Vec::new();
    let mut tell = |key: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{key} {}\n", escaped(&value))));
    };
    let endpoint = &incoming.endpoint;
    let fd = endpoint.source.own_socket();
    tell("peer", Some(incoming.peer.to_string()));
    tell("local", incoming.local.clone().or_else(|| local_of(fd?)).map(|local| local.to_string()));
    let is_local = |fd: &&Arc<Descriptor>| matches!(fd.kind(), Kind::Local | Kind::Message);
    // A peer that a PROXY header names has no process here that we could know.
    let is_itself = matches!(incoming.peer, Peer::Unix(_)) && incoming.local.is_none();
    if let Some(fd) = fd.filter(is_local).filter(|_| is_itself)
        && let Ok(who) = getsockopt(&**fd, PeerCredentials)
    {
        // 0 is a process of another PID namespace, which has no number in ours.
        tell("pid", Some(who.pid()).filter(|pid| *pid != 0).map(|pid| pid.to_string()));
        tell("uid", Some(who.uid().to_string()));
        tell("gid", Some(who.gid().to_string()));
    }
    if let Some(tls) = endpoint.tls_facts() {
        tell("tls", Some(format!("{} {}", tls.version, tls.cipher)));
        tell("sni", tls.sni);
        tell("alpn", tls.alpn);
        tell("subject", tls.peer_subject);
        tell("uri", tls.peer_san_uri);
        tell("sha256", tls.peer_sha256);
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_rfc_864() {
        let pattern = pattern();
        let lines: Vec<&[u8]> = pattern.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 95);
        assert!(lines.iter().all(|line| line.len() == LINE + 2 && line.ends_with(b"\r\n")));
        assert!(lines[0].starts_with(b" !\"#$%&'()*+,-./0123456789"));
        assert!(lines[1].starts_with(b"!\"#$%&'()*+,-./0123456789:"));
        assert!(lines[94].starts_with(b"~ !\"#"));
    }

    #[test]
    fn datagrams_have_0_to_512_characters() {
        let (pattern, chance) = (pattern(), RandomState::new());
        let lengths: Vec<usize> = (0..2000).map(|n| some_of(&pattern, &chance, n).len()).collect();
        assert!(lengths.iter().all(|n| *n <= 512));
        assert!(lengths.iter().any(|n| *n < 100) && lengths.iter().any(|n| *n > 400));
    }

    #[test]
    fn times_are_those_of_the_rfcs() {
        let at = |unix| OffsetDateTime::from_unix_timestamp(unix).unwrap();
        // RFC 868 names this second: "2,208,988,800 corresponds to 00:00 1 Jan 1970 GMT".
        assert_eq!(seconds(at(0)), 2_208_988_800_u32.to_be_bytes());
        // The last second of the first 2^32, and the one after it.
        assert_eq!(seconds(at(2_085_978_495)), [0xff; 4]);
        assert_eq!(seconds(at(2_085_978_496)), [0; 4]);
        assert_eq!(daytime(at(383_247_463)), "Monday, February 22, 1982 17:37:43-UTC\r\n");
    }

    #[test]
    fn who_would_answer_our_answer_is_known_by_its_port() {
        let peer = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert!([7, 13, 17, 19, 37, 0].map(peer).into_iter().all(is_small_service));
        assert!(![53, 1024, 40000].map(peer).into_iter().any(is_small_service));
    }
}
