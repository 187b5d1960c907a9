//! What the parts of a request may look like that httparse does not judge: hosts, chunk lines, trailers. No I/O.

use std::net::Ipv6Addr;

/// True for a name of RFC 9110, section 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_good)
}

/// True where all may stand in the value of a field (RFC 9110, section 5.5): no control characters but the tab.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

/// True for the value of Host: a name or an address, and perhaps a port (RFC 9110, section 7.2; RFC 3986, section
/// 3.2). An empty one is right where the target has no host.
pub fn is_host(value: &[u8]) -> bool {
    let (host, port) = split_port(value);
    let is_port = |port: &[u8]| {
        let digits = std::str::from_utf8(port).unwrap_or("-");
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.is_empty() || digits.parse::<u16>().is_ok())
    };
    port.is_none_or(is_port) && (is_address(host) || is_name(host))
}

/// True for the authority of an `http` address: the same with a host that is not empty (RFC 9110, section 4.2.1), and
/// without a user (section 4.2.4).
pub fn is_authority(value: &[u8]) -> bool {
    is_host(value) && !split_port(value).0.is_empty()
}

/// The host and the port behind the last colon that is not part of an address.
fn split_port(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    match value.iter().rposition(|byte| matches!(byte, b':' | b']')) {
        Some(at) if value[at] == b':' => (&value[..at], Some(&value[at + 1..])),
        _ => (value, None),
    }
}

/// An IPv6 address in brackets; there is no later version yet, and zones have no meaning to others.
fn is_address(host: &[u8]) -> bool {
    let inner = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inner
        .and_then(|inner| std::str::from_utf8(inner).ok())
        .is_some_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// A name, or an IPv4 address, which looks like one.
fn is_name(host: &[u8]) -> bool {
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let mut pieces = host.split(|byte| *byte == b'%');
    let first = pieces.next().unwrap_or_default();
    first.iter().all(is_good)
        && pieces.all(|piece| {
            piece.len() >= 2 && piece[..2].iter().all(u8::is_ascii_hexdigit) && piece[2..].iter().all(is_good)
        })
}

/// The digits of a chunk's size, where the line is right to its end (RFC 9112, section 7.1): extensions mean nothing to
/// us, but where they end is no guess either.
pub fn chunk_size(line: &[u8]) -> Option<&str> {
    let (digits, mut rest) = line.split_at(length(line, u8::is_ascii_hexdigit));
    while !rest.is_empty() {
        rest = extension(rest)?;
    }
    std::str::from_utf8(digits).ok().filter(|digits| !digits.is_empty())
}

/// What follows `; name` or `; name=value`.
fn extension(bytes: &[u8]) -> Option<&[u8]> {
    let rest = after_blanks(after_blanks(bytes).strip_prefix(b";")?);
    let rest = token(rest)?;
    match after_blanks(rest).strip_prefix(b"=") {
        Some(value) => {
            let value = after_blanks(value);
            quotation(value).or_else(|| token(value))
        }
        None => Some(rest),
    }
}

/// What follows a name.
fn token(bytes: &[u8]) -> Option<&[u8]> {
    let length = length(bytes, |byte| is_token(&[*byte]));
    (length > 0).then(|| &bytes[length..])
}

/// What follows `"text"` (RFC 9110, section 5.6.4).
fn quotation(bytes: &[u8]) -> Option<&[u8]> {
    let text = bytes.strip_prefix(b"\"")?;
    let mut at = 0;
    while *text.get(at)? != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    is_text(&text[..at]).then(|| &text[at + 1..])
}

fn after_blanks(bytes: &[u8]) -> &[u8] {
    &bytes[length(bytes, |byte| matches!(byte, b' ' | b'\t'))..]
}

/// How many of the first bytes are so.
fn length(bytes: &[u8], is_so: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is_so(byte)).unwrap_or(bytes.len())
}

/// The name of a trailer, where the line is right (RFC 9112, section 5): no space before the colon, no folding.
pub fn trailer(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    (is_token(name) && is_text(value)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in "|x|x:|x:0|x:65535|:80|127.0.0.1|[::1]|[::1]:1|[::1]:|%41b|a,b;c".split('|') {
            assert!(is_host(good.as_bytes()), "{good}");
            let is_empty = good.is_empty() || good.starts_with(':');
            assert_eq!(is_authority(good.as_bytes()), !is_empty, "{good}");
        }
        let bad = "a b|a\tb|a/b|u@a|a?|a#|x:y|x:1:2|x:65536|x:+1|x: 1|::1|[::1|::1]|[::1]x|[::1]x:1|[]|[x]|\
                   [::1%25lo]|%|%4|%4g|a%|\u{e4}|a\0|[[::1]]";
        for bad in bad.split('|') {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn chunk_lines_are_read_to_their_end() {
        for (line, wanted) in [
            ("0", "0"),
            ("1aF", "1aF"),
            ("1;a", "1"),
            ("1 ;a", "1"),
            ("1;a;b=c\t; d = e", "1"),
            ("1;a=\"\"", "1"),
            ("1;a=\"b;c\\\"\\\\\t \u{e4}\";d", "1"),
        ] {
            assert_eq!(chunk_size(line.as_bytes()), Some(wanted), "{line}");
        }
        let bad = "| 1|1 |1\t|1 2|0x1|+1|-1|g|1g|;a|1;|1; |1;a=|1;a= |1;=b|1;a b|1;a |1;a=b |1;a=\"|1;a=\"b|\
                   1;a=\"b\\\"|1;a=\"b\\|1;a=\"b\"c|1;a=\"\r\"|1;a=\"\\\0\"|1;a=\"\u{7f}\"|1\x0b|1\r|1;a\r|1;\u{e4}|1;a,b";
        for bad in bad.split('|') {
            assert_eq!(chunk_size(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn trailers_are_fields() {
        for (line, wanted) in [("A:", "A"), ("a-b: c d\t\u{e4}", "a-b"), ("a::", "a")] {
            assert_eq!(trailer(line.as_bytes()), Some(wanted.as_bytes()), "{line}");
        }
        for bad in
            ["", "a", ": b", "a : b", " a: b", "\ta: b", "a: b\r", "a: \0", "a: \x7f", "a b: c", "\u{e4}: b"]
        {
            assert_eq!(trailer(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
