use proptest::prelude::*;

use super::v2::{FIXED, SIGNATURE};
use super::*;

fn ip(text: &str) -> Peer {
    Peer::ip(text.parse().unwrap())
}

/// Reads a whole header of either version.
fn parse(bytes: &[u8]) -> Option<Header> {
    if let Some(rest) = bytes.strip_prefix(v1::START) {
        return v1::parse(rest);
    }
    let (fixed, body) = bytes.strip_prefix(SIGNATURE)?.split_first_chunk::<FIXED>()?;
    (v2::body_length(*fixed)? == body.len()).then(|| v2::parse(*fixed, body))?
}

fn from(route: Route) -> Header {
    Header { route, ..Header::default() }
}

#[test]
fn version_1_is_the_line_of_the_specification() {
    let line = |from: &str, to: &str| {
        let header = Header { route: Route::From(ip(from), ip(to)), ..Header::default() };
        String::from_utf8(header.encode(Form::V1)).unwrap()
    };
    assert_eq!(line("192.168.0.1:56324", "10.0.0.11:443"), "PROXY TCP4 192.168.0.1 10.0.0.11 56324 443\r\n");
    assert_eq!(line("[2001:db8::1]:1", "[::1]:2"), "PROXY TCP6 2001:db8::1 ::1 1 2\r\n");
    assert_eq!(line("[2001:db8::1]:1", "127.0.0.1:2"), "PROXY TCP6 2001:db8::1 ::ffff:127.0.0.1 1 2\r\n");
    let unix = Route::From(Peer::Unix("/a".into()), Peer::Unix("/b".into()));
    for other in [Route::Own, Route::Unknown, unix] {
        assert_eq!(from(other).encode(Form::V1), b"PROXY UNKNOWN\r\n");
    }
}

#[test]
fn version_1_is_read_strictly() {
    for good in [
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN ffff:f...f:ffff whatever 65535\r\n",
        "PROXY TCP4 255.255.255.255 1.2.3.4 65535 0\r\n",
        "PROXY TCP6 ::1 ::ffff:1.2.3.4 1 2\r\n",
    ] {
        assert!(parse(good.as_bytes()).is_some(), "{good}");
    }
    for bad in [
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
        "PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    ] {
        assert_eq!(parse(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn the_checksum_is_castagnolis() {
    // RFC 3720, appendix B.4.
    assert_eq!(v2::crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(v2::crc32c(&[0xff; 32]), 0x62a8_ab43);
    assert_eq!(v2::crc32c(b"123456789"), 0xe306_9283);
}

/// A header in which everything is said.
fn full() -> Header {
    let tls = Tls {
        alpn: Some(b"h2".to_vec()),
        authority: Some("spile.example".into()),
        version: "TLSv1.3".into(),
        cipher: Some("TLS_AES_128_GCM_SHA256".into()),
        certificate: Certificate::Verified(Some("client".into())),
    };
    let route = Route::From(ip("192.0.2.1:1"), ip("192.0.2.2:443"));
    Header { route, tls: Some(tls), unique_id: Some(b"id".to_vec()) }
}

#[test]
fn version_2_is_laid_out_as_in_the_specification() {
    let bytes = full().encode(Form::V2);
    let start =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x18\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\x01\xbb\x05\0\x02id\x03\0\x04";
    assert_eq!(bytes[..bytes.len() - 4].escape_ascii().to_string(), start.escape_ascii().to_string());
    let own = from(Route::Own).encode(Form::V2);
    assert_eq!(own[..own.len() - 4], *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\x07\x03\0\x04");
    let tls = full().encode(Form::V2TlsCertificate);
    let ssl = b"\x20\0\x31\x07\0\0\0\0\x21\0\x07TLSv1.3\x23\0\x16TLS_AES_128_GCM_SHA256\x22\0\x06client";
    assert!(tls.windows(ssl.len()).any(|window| window == ssl), "{}", tls.escape_ascii());
    assert!(tls.windows(5).any(|window| window == b"\x01\0\x02h2"));
    assert!(tls.windows(16).any(|window| window == b"\x02\0\x0dspile.example"));
}

#[test]
fn each_form_tells_what_it_may() {
    let told = |form: Form| parse(&full().encode(form)).unwrap();
    assert_eq!(told(Form::V1), from(full().route));
    assert_eq!(told(Form::V2), Header { tls: None, ..full() });
    assert_eq!(told(Form::V2TlsCertificate), full());
    assert_eq!(told(Form::V2Tls).tls.unwrap().certificate, Certificate::None);
    let routes = [
        Route::Own,
        Route::Unknown,
        Route::From(ip("[::1]:5"), ip("[2001:db8::7]:6")),
        Route::From(Peer::Unix("@abstract".into()), Peer::Unix("/run/x.sock".into())),
        Route::From(Peer::Unix(String::new()), Peer::Unix("a".repeat(108))),
    ];
    for route in routes {
        assert_eq!(parse(&from(route.clone()).encode(Form::V2)), Some(from(route)));
    }
}

#[test]
fn version_2_is_read_strictly() {
    let good = full().encode(Form::V2TlsCertificate);
    // The field of the checksum is the last; without its type it is none.
    let checksum = good.len() - 7;
    for at in (0..good.len()).filter(|at| *at != checksum) {
        let mut spoilt = good.clone();
        spoilt[at] ^= 0x55;
        assert_ne!(parse(&spoilt), Some(full()), "byte {at}: the checksum covers all");
        assert_eq!(parse(&good[..at]), None, "cut to {at} bytes");
    }
    let with = |command: u8, family: u8, body: &[u8]| {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        parse(&[&SIGNATURE[..], &[command, family], &length, body].concat())
    };
    assert_eq!(with(0x20, 0x77, b"whatever"), Some(Header::default()), "LOCAL ignores the rest");
    assert!(with(0x21, 0x00, b"\xee\0\x01x").is_some(), "unknown fields are passed over");
    for (command, family, body) in [
        (0x11, 0x11, &[0; 12][..]),
        (0x22, 0x11, &[0; 12]),
        (0x21, 0x12, &[0; 12]),
        (0x21, 0x11, &[0; 11]),
        (0x21, 0x21, &[0; 35]),
        (0x21, 0x31, &[0; 215]),
        (0x21, 0x00, b"\x01\0\x05ab"),
        (0x21, 0x00, b"\x01"),
        (0x21, 0x00, b"\x20\0\x02\x01\0"),
        (0x21, 0x00, b"\x02\0\x01\xff"),
        (0x21, 0x00, b"\x03\0\x03abc"),
        (0x21, 0x00, &[0; 5000]),
    ] {
        assert_eq!(with(command, family, body), None, "{command:x} {family:x} {}", body.escape_ascii());
    }
}

proptest! {
    #[test]
    fn random_headers_never_panic(fixed: [u8; 4], body in prop::collection::vec(any::<u8>(), 0..300)) {
        v2::parse(fixed, &body);
        v2::parse([0x21, fixed[1] & 0x31, fixed[2], fixed[3]], &body);
        v1::parse(&body);
    }
}
