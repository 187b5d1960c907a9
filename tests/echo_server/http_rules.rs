//! echo-server --mode http with requests that no client should send: RFC 9112 to the letter.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::harness::http::{field, head_of, raw, start, statuses};
use crate::harness::*;

/// Sends this with a request behind it: it is refused, and nothing behind it is taken for a request.
fn is_refused(port: u16, request: &str) {
    let said = raw(port, format!("{request}GET /b HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    assert_eq!(statuses(&said), [400], "{request:?}: {said}");
    assert_eq!(field(&said, "connection"), Some("close"), "{request:?}");
}

/// The answers to a request with this body and another behind it.
fn chunked(port: u16, coding: &str, body: &str) -> String {
    let head = format!("POST /a HTTP/1.1\r\nhost:x\r\nTransfer-Encoding:{coding}\r\n\r\n");
    raw(port, format!("{head}{body}GET /b HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
}

#[test]
fn the_first_line_is_three_words_with_a_space_between_each() {
    let server = start(&[]);
    for line in [
        "GET /a  HTTP/1.1",
        "GET\t/a HTTP/1.1",
        "GET /a HTTP/1.1 ",
        "GET /\0 HTTP/1.1",
        "GET /\r HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1,1",
        "GET /",
        "G(T / HTTP/1.1",
        "GET / HTTP/1.1\nA: b",
        "\nGET / HTTP/1.1",
    ] {
        is_refused(server.port(), &format!("{line}\r\nHost: x\r\n\r\n"));
    }
}

/// Requests that two parties on the way may take for different ones.
#[test]
fn what_could_smuggle_a_request_is_refused() {
    let server = start(&[]);
    // Five bytes that are a body to some, and the end of one.
    for fields in [
        // Where the body ends is said twice,
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        // or not in plain numbers,
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 0\r\n",
        // or on folded lines (obs-fold),
        "Content-Length:\r\n 5\r\n",
        "Transfer-Encoding:\r\n\tchunked\r\n",
        "A: b\r\n c\r\n",
        // or with spaces where none may be, or nothing where something must be,
        "Content-Length : 5\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        " Content-Length: 5\r\n",
        ": 5\r\n",
        "Content-Length\r\n",
        // or with NUL, CR or LF alone, or something like a space,
        "A: b\0c\r\n",
        "A\0: b\r\n",
        "A: b\rContent-Length: 5\r\n",
        "A: b\r\r\n",
        "A: b\nContent-Length: 5\r\n",
        "Content-Length: 5\r\n\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        // or by codings that not all know for what they are.
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: , chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
    ] {
        is_refused(server.port(), &format!("POST /a HTTP/1.1\r\nHost: x\r\n{fields}\r\n0\r\n\r\n"));
    }
    is_refused(server.port(), "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

/// RFC 9112, section 7.1: sizes and extensions are as the grammar has them, or the request is refused.
#[test]
fn chunks_are_read_to_the_letter() {
    let server = start(&[]);
    for size in [
        "0x1",
        "+1",
        "-1",
        " 1",
        "1 ",
        "1\x0b",
        "1\r",
        "",
        "1_0",
        "1,1",
        ";a",
        "1;",
        "1;a=",
        "1;=b",
        "1;a b",
        "1;a=\"b",
        "1;a=\"b\"c",
        "1;a\rb",
        "1;a\0",
        "1;a\nb",
        "1\n1",
    ] {
        let said = chunked(server.port(), "chunked", &format!("{size}\r\na\r\n0\r\n\r\n"));
        assert_eq!(statuses(&said), [400], "{size:?}: {said}");
    }
    for body in [
        // Lines that end with LF alone, and a chunk that is longer or shorter than it says.
        "1\na\r\n0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na\r\n0\n\r\n",
        "0\r\n\n",
        "1\r\nabc0\r\n\r\n",
        "3\r\na\r\n0\r\n\r\n",
    ] {
        let said = chunked(server.port(), "chunked", body);
        assert_eq!(statuses(&said), [400], "{body:?}: {said}");
    }
}

#[test]
fn trailers_are_fields_and_change_nothing_that_was_read() {
    let server = start(&[]);
    for body in [
        "0\r\nGET / HTTP/1.1\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: b\0\r\n\r\n",
        "0\r\nA: b\rc\r\n\r\n",
        "0\r\nA: b\nc: d\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\ntransfer-encoding: chunked\r\n\r\n",
        "0\r\nHost: y\r\n\r\n",
    ] {
        let said = chunked(server.port(), "chunked", body);
        assert_eq!(statuses(&said), [400], "{body:?}: {said}");
    }
    // What is like these and right: names of any case, extensions, quotations, trailers of no weight.
    let body = "001 ; a ; b=c ; d = \"e;\\\"\"\r\na\r\nA\r\n0123456789\r\n00;last\r\nDigest: \t x y\r\nEmpty:\r\n\r\n";
    let said = chunked(server.port(), "\t Chunked ", body);
    assert!(statuses(&said) == [200, 200] && said.contains("\r\n\r\nPOST /a\n11 bytes\n"), "{said}");
}

#[test]
fn the_host_must_be_one_and_the_target_a_target() {
    let server = start(&[]);
    let check = |start: &str, hosts: &str, wanted: u16| {
        let said = raw(server.port(), format!("{start}\r\n{hosts}\r\n").as_bytes());
        assert_eq!(statuses(&said), [wanted], "{start} {hosts}: {said}");
    };
    let good = "x|x:80|x:||127.0.0.1:1|[::1]|[::1]:8080|a-b_c.d~e|%41";
    let bad = "a b|a/b|a@b|a?b|a#b|a\\b|x:y|x:80:80|x:65536|x:-1|::1|[::1|\
               [::1]x|[x]|[]|%4|%zz|\u{e4}|http://x|<x>|\"x\"";
    for (hosts, wanted) in [(good, 200), (bad, 400)] {
        for host in hosts.split('|') {
            check("GET / HTTP/1.1", &format!("Host: {host}\r\n"), wanted);
            check("GET / HTTP/1.0", &format!("Host: {host}\r\n"), wanted);
        }
    }
    let good = "http://h/|HTTP://h/|hTTps://h:1/a?b|http://h|http://h?q|http://[::1]:1/";
    let bad = "http:///a|http://:80/|http://u@h/|http://h:x/|http://a b/|\
               http://[::1/|http:/a|http:a|ftp://h/|://h/|h:80|*";
    for (targets, wanted) in [(good, 200), (bad, 400)] {
        for target in targets.split('|') {
            check(&format!("GET {target} HTTP/1.1"), "Host: x\r\n", wanted);
        }
    }
    // An address in the target does not make up for it.
    check("GET http://x/ HTTP/1.1", "", 400);
    check("GET http://x/ HTTP/1.0", "", 200);
    check("GET http://x/ HTTP/1.1", "Host: x\r\nHost: x\r\n", 400);
    check("GET http://x/ HTTP/1.0", "Host: x\r\nhost: y\r\n", 400);
}

#[test]
fn every_expectation_is_seen() {
    let server = start(&[]);
    for (fields, wanted) in [
        ("Expect: 100-continue\r\nExpect: tea\r\n", &[417][..]),
        ("Expect: tea\r\nExpect: 100-continue\r\n", &[417]),
        ("Expect: 100-continue, tea\r\n", &[417]),
        ("Expect: 100-continue=1\r\n", &[417]),
        ("Expect: 100-Continue\r\n", &[200]),
        ("Expect: 100-continue, 100-continue\r\n", &[200]),
        ("Expect:\r\n", &[200]),
    ] {
        let request = format!("PUT / HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: 1\r\n\r\na");
        let said = raw(server.port(), request.as_bytes());
        assert_eq!(statuses(&said), wanted, "{fields}: {said}");
    }
}

/// RFC 9110, section 9.3.2: what GET would have been told, without its content.
#[test]
fn a_refusal_of_head_has_the_length_of_that_of_get_and_no_content() {
    let server = start(&["--max-body", "10"]);
    for rest in [
        "/ HTTP/1.1\r\n\r\n",
        "/ HTTP/1.1\r\nHost: a b\r\n\r\n",
        "/ HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
        "/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na",
        "/ HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n",
        "/ HTTP/2.0\r\nHost: x\r\n\r\n",
        "bad",
    ] {
        let said = |method: &str| raw(server.port(), format!("\r\n{method} {rest}").as_bytes());
        let (get, head) = (said("GET"), said("HEAD"));
        let length: usize = field(&get, "content-length").unwrap().parse().unwrap();
        assert_eq!(get.len(), head_of(&get).len() + 4 + length, "{get}");
        assert_eq!(field(&head, "content-length"), field(&get, "content-length"), "{rest}: {head}");
        assert_eq!(head.len(), head_of(&head).len() + 4, "{rest}: {head}");
    }
}

#[test]
fn what_is_not_served_gets_a_status_and_a_whole_answer() {
    let server = start(&["--max-body", "1000"]);
    let port = server.port();
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\na: {}\r\n\r\n", "b".repeat(40_000));
    let target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "b".repeat(40_000));
    for (request, wanted) in [
        ("GET / HTTP/1.1\r\n\r\n", &[400][..]),
        ("GET / HTTP/1.1\r\nHost: x\r\n", &[400]),
        ("hello\r\n\r\n", &[400]),
        ("\x16\x03\x01", &[400]),
        ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", &[505]),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", &[501]),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", &[413]),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel", &[400]),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", &[413]),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", &[400]),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", &[501]),
        // Smuggled: what one party takes for the body is a request to the other.
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            &[400],
        ),
        // Nothing after a bad request is taken for one.
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200, 400]),
        (&many, &[431]),
        (&long, &[431]),
        (&target, &[414]),
        ("", &[]),
        ("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200]),
    ] {
        let said = raw(port, request.as_bytes());
        assert_eq!(statuses(&said), wanted, "{request:.80?}: {said}");
    }
    // A client that goes on sending gets the answer, too, and not a reset in its place.
    let stream = server.connect();
    (&stream).write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n").unwrap();
    (&stream).write_all(&vec![0; 3 << 20]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let said = String::from_utf8(read_all(&stream)).unwrap();
    assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("Connection: close"), "{said}");
}

#[test]
fn noise_is_answered_or_closed_and_never_echoed_raw() {
    let server = start(&[]);
    let request = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for n in 0..400_u64 {
        let chance = noise(n + 1, 400);
        let mut bytes = request.to_vec();
        match n % 3 {
            0 => bytes = chance,
            1 => bytes[usize::from(chance[0]) % request.len()] = chance[1],
            _ => bytes.truncate(usize::from(chance[0]) % request.len()),
        }
        let mut stream: TcpStream = server.connect();
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut said = Vec::new();
        match stream.read_to_end(&mut said) {
            Ok(_) => {}
            Err(why) if why.kind() == ErrorKind::ConnectionReset => {}
            Err(why) => panic!("{why}: {}", bytes.escape_ascii()),
        }
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 "), "{}", said.escape_ascii());
        assert!(!said.iter().any(|byte| byte.is_ascii_control() && !b"\r\n".contains(byte)));
    }
    server.counts("open", 0);
    let said = raw(server.port(), b"GET /well HTTP/1.0\r\n\r\n");
    assert!(said.ends_with("\r\n\r\nGET /well\n"), "{said}");
}
