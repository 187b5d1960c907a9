//! The head of a request: read by httparse, then judged by what decides where its body ends. No I/O.

use std::ops::Range;

use httparse::{EMPTY_HEADER, Error, Header, Request as Parsed, Status};

use super::grammar::{is_authority, is_host};
use super::refusal::Refusal;

/// Most bytes of a head.
pub const LONGEST_HEAD: usize = 32 * 1024;
/// Most headers.
const MOST_HEADERS: usize = 100;
/// What we answer; CONNECT and TRACE would mean something else.
pub const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Where the body of a request ends, RFC 9112, section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
}

/// How much of an answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Its head and its content.
    All,
    /// Its head (RFC 9110, section 9.3.2).
    Head,
}

/// A head that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `GET`.
    pub method: String,
    /// What is asked for, as it was sent.
    pub target: String,
    /// HTTP/1.0 or 1.1: the last digit.
    pub minor: u8,
    /// The body that follows.
    pub framing: Framing,
    /// The body comes when we ask for it.
    pub expects_continue: bool,
    /// Another request may follow.
    pub keeps_alive: bool,
}

/// What the answer is to be made of, as far as these bytes tell, which may be no request.
pub fn wanted(bytes: &[u8]) -> Wanted {
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
    if bytes[start..].starts_with(b"HEAD ") { Wanted::Head } else { Wanted::All }
}

/// Reads a head; `None` while it is not whole. Beside it the bytes that it took.
pub fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = Parsed::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(Status::Complete(used)) if used <= LONGEST_HEAD => {
            check_line_ends(&bytes[..used])?;
            judge(&parsed).map(|head| Some((head, used)))
        }
        Ok(Status::Partial) if bytes.len() < LONGEST_HEAD => check_line_ends(bytes).map(|()| None),
        Ok(_) => Err(too_long(bytes)),
        Err(Error::TooManyHeaders) => Err(Refusal::new(431, "there are more than 100 headers")),
        Err(Error::Version) => read_other_version(bytes),
        Err(_) => Err(Refusal::bad("this is no HTTP request")),
    }
}

/// httparse takes a line feed for the end of a line, others do not.
fn check_line_ends(head: &[u8]) -> Result<(), Refusal> {
    let mut before = b' ';
    for byte in head {
        if *byte == b'\n' && before != b'\r' {
            return Err(Refusal::bad("a line must end with CR LF"));
        }
        before = *byte;
    }
    Ok(())
}

/// Reads what httparse has no version for. What is later than HTTP/1.1 and still HTTP/1 is read as that, the highest
/// that we know (RFC 9110, section 2.5).
fn read_other_version(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let Some(version) = version(bytes) else { return Err(Refusal::bad("this is no HTTP request")) };
    match &bytes[version.clone()] {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => {
            let mut known = bytes.to_vec();
            known[version.end - 1] = b'1';
            read(&known)
        }
        _ => Err(Refusal::new(505, "only HTTP/1 is spoken")),
    }
}

/// Where the first line names a version of HTTP, whole or cut short.
fn version(bytes: &[u8]) -> Option<Range<usize>> {
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let line = bytes[start..].split(|byte| b"\r\n".contains(byte)).next()?;
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [_, _, version] = words[..] else { return None };
    let is_one = matches!(
        version.strip_prefix(b"HTTP/"),
        Some([b'0'..=b'9'] | [b'0'..=b'9', b'.'] | [b'0'..=b'9', b'.', b'0'..=b'9'])
    );
    let end = start + line.len();
    is_one.then_some(end - version.len()..end)
}

fn too_long(bytes: &[u8]) -> Refusal {
    match bytes[..LONGEST_HEAD].contains(&b'\n') {
        true => Refusal::new(431, "the headers are longer than 32 KiB"),
        false => Refusal::new(414, "the target is longer than 32 KiB"),
    }
}

fn judge(parsed: &Parsed) -> Result<Head, Refusal> {
    let minor = parsed.version.unwrap_or(1);
    let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let says = |word: &[u8]| list(parsed.headers, "connection").any(|item| item.eq_ignore_ascii_case(word));
    let framing = framing(parsed.headers, minor)?;
    check_host(parsed.headers, minor)?;
    if !METHODS.contains(&method) {
        return Err(Refusal::new(501, "GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are answered"));
    }
    check_target(method, target)?;
    let mut expected = list(parsed.headers, "expect").filter(|item| !item.is_empty()).peekable();
    let expects_continue = expected.peek().is_some() && minor == 1;
    if expected.any(|item| !item.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Refusal::new(417, "only 100-continue can be expected"));
    }
    Ok(Head {
        method: method.to_owned(),
        target: target.to_owned(),
        minor,
        framing,
        expects_continue,
        keeps_alive: !says(b"close") && (minor == 1 || says(b"keep-alive")),
    })
}

/// RFC 9112, section 3.2. HTTP/1.0 may do without.
fn check_host(headers: &[Header], minor: u8) -> Result<(), Refusal> {
    let mut hosts = named(headers, "host");
    match (hosts.next(), hosts.next()) {
        (None, _) if minor == 0 => Ok(()),
        (Some(host), None) if is_host(host) => Ok(()),
        (Some(_), None) => Err(Refusal::bad("Host must be a name or an address, and perhaps a port")),
        _ => Err(Refusal::bad("there must be one Host")),
    }
}

/// A path, an address, or `*` for all of the server (RFC 9112, section 3.2).
fn check_target(method: &str, target: &str) -> Result<(), Refusal> {
    let is_star = target == "*" && method == "OPTIONS";
    let is_address = target.split_once("://").is_some_and(|(scheme, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_known && is_authority(authority.as_bytes())
    });
    match target.starts_with('/') || is_star || is_address {
        true => Ok(()),
        false => Err(Refusal::bad("the target must be a path or an address")),
    }
}

/// Two parties that take the body's end for different places are how requests are smuggled: what is not plain is
/// refused.
fn framing(headers: &[Header], minor: u8) -> Result<Framing, Refusal> {
    let codings: Vec<&[u8]> = list(headers, "transfer-encoding").collect();
    let mut lengths = named(headers, "content-length");
    let length = lengths.next();
    if named(headers, "transfer-encoding").next().is_some() {
        if length.is_some() {
            return Err(Refusal::bad("Transfer-Encoding and Content-Length contradict each other"));
        }
        if minor == 0 {
            return Err(Refusal::bad("HTTP/1.0 has no Transfer-Encoding"));
        }
        return match &codings[..] {
            [one] if one.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            [others @ .., last]
                if last.eq_ignore_ascii_case(b"chunked")
                    && !others.iter().any(|other| other.is_empty() || other.eq_ignore_ascii_case(last)) =>
            {
                Err(Refusal::new(501, "chunked is the only Transfer-Encoding"))
            }
            _ => Err(Refusal::bad("the last Transfer-Encoding must be chunked, and no other")),
        };
    }
    let Some(length) = length else { return Ok(Framing::Length(0)) };
    if lengths.next().is_some() {
        return Err(Refusal::bad("there are two Content-Lengths"));
    }
    let bad = Refusal::bad("Content-Length is no number");
    if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
        return Err(bad);
    }
    let digits = std::str::from_utf8(length).map_err(|_| bad)?;
    digits.parse().map(Framing::Length).map_err(|_| Refusal::new(413, "the body is too long"))
}

fn named<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

/// The items of a header that is a list.
fn list<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    named(headers, name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> u16 {
        match read(text.as_bytes()) {
            Ok(Some(_)) => 200,
            Ok(None) => 0,
            Err(refusal) => refusal.status,
        }
    }

    fn head(text: &str) -> Head {
        read(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn a_head_is_read_to_its_end_and_no_further() {
        let text = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n";
        let (head, used) = read(text).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str(), used), ("GET", "/a", 28));
        for n in 0..28 {
            assert_eq!(read(&text[..n]), Ok(None), "{n} bytes");
        }
    }

    #[test]
    fn head_is_known_before_its_request_is_right() {
        for text in ["HEAD / HTTP/1.1\r\n", "\r\n\r\nHEAD ", "HEAD bad"] {
            assert_eq!(wanted(text.as_bytes()), Wanted::Head, "{text:?}");
        }
        for text in ["", "\r\n", "HEAD", "HEADER / HTTP/1.1", "GET HEAD ", "head / HTTP/1.1"] {
            assert_eq!(wanted(text.as_bytes()), Wanted::All, "{text:?}");
        }
    }

    #[test]
    fn connections_persist_as_their_version_says() {
        let keeps = |text: &str| head(text).keeps_alive;
        assert!(keeps("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(!keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n"));
        assert!(!keeps("GET / HTTP/1.0\r\n\r\n"));
        assert!(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn a_later_version_of_http_1_is_read_as_the_last_that_is_known() {
        for minor in 2..=9 {
            let text =
                format!("\r\nPOST /a HTTP/1.{minor}\r\nHost: x\r\nContent-Length: 5\r\n\r\nHTTP/1.{minor}");
            let (head, used) = read(text.as_bytes()).unwrap().unwrap();
            assert_eq!(
                (head.minor, head.framing, head.keeps_alive),
                (1, Framing::Length(5), true),
                "{text:?}"
            );
            assert_eq!(&text[used..], format!("HTTP/1.{minor}"));
            for n in 0..used {
                assert_eq!(read(&text.as_bytes()[..n]), Ok(None), "{n} bytes of {text:?}");
            }
        }
        assert_eq!(status("GET / HTTP/1.2\r\n\r\n"), 400, "without a Host");
    }

    #[test]
    fn where_a_body_ends_is_never_a_guess() {
        let post = |headers: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let of = |headers: &str| head(&post(headers)).framing;
        assert_eq!(of(""), Framing::Length(0));
        assert_eq!(of("Content-Length: 5\r\n"), Framing::Length(5));
        assert_eq!(of("Transfer-Encoding: Chunked\r\n"), Framing::Chunked);
        for (headers, wanted) in [
            ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
            ("Content-Length: +5\r\n", 400),
            ("Content-Length: 5, 5\r\n", 400),
            ("Content-Length: \r\n", 400),
            ("Content-Length: 99999999999999999999\r\n", 413),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked, identity\r\n", 400),
            ("Transfer-Encoding: \r\n", 400),
            ("Transfer-Encoding: gzip, chunked\r\n", 501),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: , chunked\r\n", 400),
            ("Transfer-Encoding : chunked\r\n", 400),
        ] {
            assert_eq!(status(&post(headers)), wanted, "{headers}");
        }
        assert_eq!(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    }

    #[test]
    fn what_cannot_be_answered_gets_its_status() {
        for (text, wanted) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
            ("GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
            ("GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/\r\nHost: x\r\n\r\n", 400),
            ("GET / http/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            ("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("GET http://h/ HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("PUT / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
            ("\x16\x03\x01\x02\x00\x01", 400),
        ] {
            assert_eq!(status(text), wanted, "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert_eq!(status(&many), 431);
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\na: {}", "b".repeat(LONGEST_HEAD));
        assert_eq!(status(&long), 431);
        assert_eq!(status(&format!("GET /{}", "b".repeat(LONGEST_HEAD))), 414);
    }
}
