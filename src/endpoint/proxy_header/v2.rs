//! Version 2: a signature, a command, addresses in binary, and fields of type, length and value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::v1::same_version;
use super::{Certificate, Header, Peer, Route, Tls};

/// What every such header begins with.
pub const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes behind the signature that come before the addresses: version and command, family, length.
pub const FIXED: usize = 4;
/// Bytes of addresses and fields that are taken; the format has room for 64 KiB, which nobody needs.
pub const LONGEST: usize = 4096;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNSPECIFIED: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;
const UNIX: u8 = 0x31;
/// sun_path.
const PATH: usize = 108;

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CRC32C: u8 = 0x03;
const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_CN: u8 = 0x22;
const SSL_CIPHER: u8 = 0x23;
/// The client spoke TLS; it has shown a certificate in this connection, and in this session.
const CLIENT_SSL: u8 = 0x01;
const CLIENT_CERT_CONN: u8 = 0x02;
const CLIENT_CERT_SESS: u8 = 0x04;
/// Bytes that a unique id may have.
const LONGEST_ID: usize = 128;

/// The whole header, with a checksum.
pub fn encode(header: &Header) -> Vec<u8> {
    let (command, family, addresses) = match &header.route {
        Route::Own => (LOCAL, UNSPECIFIED, Vec::new()),
        Route::Unknown => (PROXY, UNSPECIFIED, Vec::new()),
        Route::From(from, to) => {
            let (family, addresses) = encode_addresses(from, to);
            (PROXY, family, addresses)
        }
    };
    let mut body = addresses;
    if let Some(tls) = &header.tls {
        encode_tls(&mut body, tls);
    }
    if let Some(id) = &header.unique_id {
        field(&mut body, UNIQUE_ID, &id[..id.len().min(LONGEST_ID)]);
    }
    field(&mut body, CRC32C, &[0; 4]);
    let mut whole = SIGNATURE.to_vec();
    whole.extend([command, family]);
    whole.extend(length(body.len()).to_be_bytes());
    whole.extend(body);
    // Computed over the whole header with zeros in its own place, which is at the end.
    let sum = crc32c(&whole);
    let at = whole.len() - 4;
    whole[at..].copy_from_slice(&sum.to_be_bytes());
    whole
}

fn encode_addresses(from: &Peer, to: &Peer) -> (u8, Vec<u8>) {
    match (from, to) {
        (Peer::Ip(from), Peer::Ip(to)) => {
            let (from, to) = same_version(*from, *to);
            let family = if from.is_ipv4() { TCP4 } else { TCP6 };
            let mut bytes = Vec::new();
            for address in [from, to] {
                match address.ip() {
                    IpAddr::V4(ip) => bytes.extend(ip.octets()),
                    IpAddr::V6(ip) => bytes.extend(ip.octets()),
                }
            }
            bytes.extend(from.port().to_be_bytes());
            bytes.extend(to.port().to_be_bytes());
            (family, bytes)
        }
        (Peer::Unix(from), Peer::Unix(to)) => (UNIX, [path(from), path(to)].concat()),
        _ => (UNSPECIFIED, Vec::new()),
    }
}

/// A path as sun_path has it; an abstract name begins with NUL.
fn path(name: &str) -> [u8; PATH] {
    let mut path = [0; PATH];
    for (place, byte) in path.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    if path[0] == b'@' {
        path[0] = 0;
    }
    path
}

fn encode_tls(body: &mut Vec<u8>, tls: &Tls) {
    if let Some(alpn) = &tls.alpn {
        field(body, ALPN, alpn);
    }
    if let Some(authority) = &tls.authority {
        field(body, AUTHORITY, authority.as_bytes());
    }
    let (client, verified, name) = match &tls.certificate {
        Certificate::None => (CLIENT_SSL, 1_u32, None),
        Certificate::Verified(name) => (CLIENT_SSL | CLIENT_CERT_CONN | CLIENT_CERT_SESS, 0, name.as_deref()),
        Certificate::Unverified(name) => {
            (CLIENT_SSL | CLIENT_CERT_CONN | CLIENT_CERT_SESS, 1, name.as_deref())
        }
    };
    let mut ssl = vec![client];
    ssl.extend(verified.to_be_bytes());
    field(&mut ssl, SSL_VERSION, tls.version.as_bytes());
    for (kind, text) in [(SSL_CIPHER, tls.cipher.as_deref()), (SSL_CN, name)] {
        if let Some(text) = text {
            field(&mut ssl, kind, text.as_bytes());
        }
    }
    field(body, SSL, &ssl);
}

fn field(body: &mut Vec<u8>, kind: u8, value: &[u8]) {
    // Longer values are not from any handshake; a cut one is better than a broken header.
    let value = &value[..value.len().min(1024)];
    body.push(kind);
    body.extend(length(value.len()).to_be_bytes());
    body.extend(value);
}

fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// How many bytes follow the fixed part; `None` where that is not as the protocol has it, or too much.
pub fn body_length(fixed: [u8; FIXED]) -> Option<usize> {
    let [command, _, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    (matches!(command, LOCAL | PROXY) && length <= LONGEST).then_some(length)
}

/// Reads all that follows the signature. `None` for what is not exactly as the protocol has it.
pub fn parse(fixed: [u8; FIXED], body: &[u8]) -> Option<Header> {
    let [command, family, ..] = fixed;
    let (route, fields) = match (command, family) {
        // What else it says is to be ignored: the connection's own addresses count.
        (LOCAL, _) => return Some(Header::default()),
        (PROXY, TCP4) => parse_ip::<4>(body, |octets| Ipv4Addr::from(octets).into())?,
        (PROXY, TCP6) => parse_ip::<16>(body, |octets| Ipv6Addr::from(octets).into())?,
        (PROXY, UNIX) => {
            let (from, rest) = body.split_first_chunk::<PATH>()?;
            let (to, rest) = rest.split_first_chunk::<PATH>()?;
            (Route::From(name(from), name(to)), rest)
        }
        (PROXY, UNSPECIFIED) => (Route::Unknown, body),
        _ => return None,
    };
    let mut header = Header { route, ..Header::default() };
    let mut tls = Tls::default();
    let mut rest = fields;
    while let Some((kind, value, after)) = split(rest)? {
        match kind {
            ALPN => tls.alpn = Some(value.to_vec()),
            AUTHORITY => tls.authority = Some(text(value)?),
            SSL => {
                parse_ssl(&mut tls, value)?;
                header.tls = Some(Tls::default());
            }
            UNIQUE_ID if value.len() > LONGEST_ID => return None,
            UNIQUE_ID => header.unique_id = Some(value.to_vec()),
            CRC32C => check(fixed, body, body.len() - after.len(), value)?,
            _ => {}
        }
        rest = after;
    }
    header.tls = header.tls.map(|_| tls);
    Some(header)
}

fn parse_ip<const N: usize>(body: &[u8], ip: impl Fn([u8; N]) -> IpAddr) -> Option<(Route, &[u8])> {
    let (from, rest) = body.split_first_chunk::<N>()?;
    let (to, rest) = rest.split_first_chunk::<N>()?;
    let (from_port, rest) = rest.split_first_chunk::<2>()?;
    let (to_port, rest) = rest.split_first_chunk::<2>()?;
    let peer =
        |octets: &[u8; N], port: &[u8; 2]| Peer::ip(SocketAddr::new(ip(*octets), u16::from_be_bytes(*port)));
    Some((Route::From(peer(from, from_port), peer(to, to_port)), rest))
}

fn name(path: &[u8; PATH]) -> Peer {
    let (prefix, path) = match path {
        [0, first, ..] if *first != 0 => ("@", &path[1..]),
        path => ("", &path[..]),
    };
    let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
    Peer::Unix(format!("{prefix}{}", String::from_utf8_lossy(&path[..end])))
}

fn parse_ssl(tls: &mut Tls, value: &[u8]) -> Option<()> {
    let (client, rest) = value.split_first()?;
    let (verify, mut rest) = rest.split_first_chunk::<4>()?;
    let mut common_name = None;
    while let Some((kind, value, after)) = split(rest)? {
        match kind {
            SSL_VERSION => tls.version = text(value)?,
            SSL_CIPHER => tls.cipher = Some(text(value)?),
            SSL_CN => common_name = Some(text(value)?),
            _ => {}
        }
        rest = after;
    }
    tls.certificate = match (client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS), verify) {
        (0, _) => Certificate::None,
        (_, [0, 0, 0, 0]) => Certificate::Verified(common_name),
        _ => Certificate::Unverified(common_name),
    };
    Some(())
}

fn text(value: &[u8]) -> Option<String> {
    String::from_utf8(value.to_vec()).ok()
}

/// A field: its kind, its value, and what comes after it.
type Field<'a> = (u8, &'a [u8], &'a [u8]);

/// The first field: `None` where it is cut off, `Some(None)` where there is none.
fn split(fields: &[u8]) -> Option<Option<Field<'_>>> {
    let [kind, high, low, rest @ ..] = fields else { return fields.is_empty().then_some(None) };
    let (value, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    Some(Some((*kind, value, after)))
}

/// The checksum whose field ends at `end` of the body against that of the whole header.
fn check(fixed: [u8; FIXED], body: &[u8], end: usize, value: &[u8]) -> Option<()> {
    let sum: [u8; 4] = value.try_into().ok()?;
    let zeros = [0; 4];
    let whole = [&SIGNATURE[..], &fixed, &body[..end - 4], &zeros, &body[end..]].concat();
    (crc32c(&whole) == u32::from_be_bytes(sum)).then_some(())
}

/// CRC-32C (Castagnoli), bit by bit: a header is short.
pub fn crc32c(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (REVERSED_POLYNOMIAL * (sum & 1)))
    })
}
