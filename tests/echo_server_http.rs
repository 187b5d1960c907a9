//! echo-server --mode http: with curl and Python as clients, and with requests that no client should send.

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use harness::echo::{Echo, exactly};
use harness::*;

fn start(words: &[&str]) -> Echo {
    Echo::start(&[&["--mode", "http"], words, &["tcp-l:0"]].concat())
}

/// What curl prints with these words; URL is the server's.
fn curl(server: &Echo, words: &str) -> String {
    let line = format!("curl -sS --max-time 20 {words}")
        .replace("URL", &format!("http://127.0.0.1:{}", server.port()));
    let ended = shell(&line).ends().exits(0);
    String::from_utf8(ended.stdout).unwrap()
}

/// Sends this, ends, and reads what comes back to its end.
fn raw(port: u16, bytes: &[u8]) -> String {
    let stream = connect(port);
    (&stream).write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    String::from_utf8(read_all(&stream)).unwrap()
}

/// The statuses of all answers in it.
fn statuses(said: &str) -> Vec<u16> {
    let starts = said.lines().filter_map(|line| line.split_once("HTTP/1.1 ")?.1.get(..3)?.parse().ok());
    starts.collect()
}

#[test]
fn curl_gets_what_it_asks_for() {
    let server = start(&[]);
    assert_eq!(curl(&server, "URL/a/b?c=d"), "GET /a/b?c=d\n");
    assert_eq!(curl(&server, "-0 URL/old"), "GET /old\n");
    assert_eq!(curl(&server, "-d hello URL/form"), "POST /form\n5 bytes\n");
    assert_eq!(curl(&server, "-X PUT -d hello URL/"), "PUT /\n5 bytes\n");
    let head = curl(&server, "-I URL/h");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 7\r\n"), "{head}");
    // Chunked, and with 100-continue: curl asks for it from 1 MiB on.
    let line = "-H 'Transfer-Encoding: chunked' -d chunked URL/c";
    assert_eq!(curl(&server, line), "POST /c\n7 bytes\n");
    let body = server.path("body");
    std::fs::write(&body, noise(1, 3 << 20)).unwrap();
    let expects = "-H 'Expect: 100-continue' --expect100-timeout 15 -w '%{time_total}'";
    let said = curl(&server, &format!("{expects} --data-binary @{body} URL/big"));
    let seconds = said.strip_prefix("POST /big\n3145728 bytes\n").unwrap_or_else(|| panic!("{said}"));
    assert!(seconds.parse::<f64>().unwrap() < 10.0, "100 Continue did not come: {said}");
    // One connection for all three.
    assert_eq!(curl(&server, "-w '%{num_connects} ' URL/1 URL/2 URL/3"), "GET /1\n1 GET /2\n0 GET /3\n0 ");
    let said = curl(&server, "-w '%{num_connects} ' -H 'Connection: close' URL/1 URL/2");
    assert_eq!(said, "GET /1\n1 GET /2\n1 ");
}

#[test]
fn the_status_and_the_content_are_those_asked_for() {
    let server = start(&["--status", "503"]);
    assert_eq!(curl(&server, "-o /dev/null -w '%{http_code}' URL"), "503");
    let server = start(&["--status", "204"]);
    assert_eq!(curl(&server, "-w '%{http_code} ' URL/1 URL/2"), "204 204 ");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    let page = noise(3, 2_000_000);
    std::fs::write(&file, &page).unwrap();
    let server = start(&["--fixed", file.to_str().unwrap()]);
    let got = dir.path().join("got").display().to_string();
    let kind = curl(&server, &format!("-o {got} -w '%{{content_type}}' URL/any"));
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(std::fs::read(&got).unwrap() == page);
    // Two in a row over one connection: the length was right.
    let line = format!("-o {got} -o {got} -w '%{{num_connects}} ' URL/1 URL/2");
    assert_eq!(curl(&server, &line), "1 0 ");
}

#[test]
fn tls_is_put_under_it() {
    let server = Echo::start(&["--mode", "http", "--self-signed", "tls-l:0"]);
    let line = format!("curl -sSk --max-time 20 --http1.1 https://127.0.0.1:{}/s", server.port());
    shell(&line).ends().exits(0).says("GET /s\n");
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = start(&[]);
    let mut bytes = Vec::new();
    for n in 0..500 {
        bytes.extend(
            match n % 3 {
                0 => format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n"),
                1 => format!("POST /{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
                _ => format!(
                    "POST /{n} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                ),
            }
            .into_bytes(),
        );
    }
    let said = raw(server.port(), &bytes);
    let paths: Vec<&str> =
        said.lines().filter_map(|line| line.split_once(" /")).map(|(_, path)| path).collect();
    assert_eq!(paths, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
    // The same however it is cut.
    let (stream, few) = (server.connect(), &bytes[..400]);
    for byte in few {
        (&stream).write_all(&[*byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let slowly = String::from_utf8(read_all(&stream)).unwrap();
    let whole = raw(server.port(), few);
    let without_dates =
        |text: &str| text.lines().filter(|line| !line.starts_with("Date")).collect::<String>();
    assert_eq!(without_dates(&slowly), without_dates(&whole));
}

#[test]
fn a_body_is_asked_for_only_where_it_is_waited_for() {
    let server = start(&["--max-body", "10"]);
    let head = |length: u32| {
        format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    let stream = server.connect();
    (&stream).write_all(head(5).as_bytes()).unwrap();
    assert_eq!(exactly(&stream, 25), b"HTTP/1.1 100 Continue\r\n\r\n");
    (&stream).write_all(b"hello").unwrap();
    assert_eq!(exactly(&stream, 15), b"HTTP/1.1 200 OK");
    // What is not taken is not asked for, and what has come already is not either.
    assert_eq!(statuses(&raw(server.port(), head(11).as_bytes())), [413]);
    assert_eq!(statuses(&raw(server.port(), format!("{}hello", head(5)).as_bytes())), [200]);
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
    assert_eq!(curl(&server, "URL/well"), "GET /well\n");
}

#[test]
fn answers_come_slowly_and_are_broken_off_where_that_is_asked_for() {
    let server = start(&["--rst-after", "50"]);
    let line = format!("curl -sS --max-time 20 http://127.0.0.1:{}/", server.port());
    shell(&line).ends().exits(56).complains("reset");
    let server = start(&["--close-after", "150"]);
    let line =
        format!("curl -sS --max-time 20 -o /dev/null http://127.0.0.1:{}/{}", server.port(), "a".repeat(100));
    shell(&line).ends().exits(18);
    let server = start(&["--delay", "300ms"]);
    let seconds: f64 = curl(&server, "-o /dev/null -w '%{time_total}' URL").parse().unwrap();
    assert!(seconds >= 0.3, "{seconds}");
}

/// The answer's head: everything before the empty line.
fn head_of(said: &str) -> &str {
    said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {said:?}")).0
}

/// The value of a field of the first answer.
fn field<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let lines = head_of(said).lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values =
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} stands twice: {said}");
    value
}

/// Requests that two parties on the way may take for different ones: each is refused, and nothing behind it is taken
/// for a request.
#[test]
fn what_could_smuggle_a_request_is_refused() {
    let server = start(&[]);
    let chunked = |rest: &str| format!("Transfer-Encoding: chunked\r\n\r\n{rest}");
    for (what, rest) in [
        ("both", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        (
            "both, the other way round",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello".to_owned()),
        ("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello".to_owned()),
        ("a list of lengths", "Content-Length: 5, 5\r\n\r\nhello".to_owned()),
        ("a signed length", "Content-Length: +5\r\n\r\nhello".to_owned()),
        ("a hexadecimal length", "Content-Length: 0x5\r\n\r\nhello".to_owned()),
        ("a length in two words", "Content-Length: 5 0\r\n\r\nhello".to_owned()),
        ("a folded length", "Content-Length:\r\n 5\r\n\r\nhello".to_owned()),
        ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("a folded field", "A: b\r\n c\r\n\r\n".to_owned()),
        ("a space before a colon", "Content-Length : 5\r\n\r\nhello".to_owned()),
        ("a tab before a colon", "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("a space before a name", " Content-Length: 5\r\n\r\nhello".to_owned()),
        ("no name", ": 5\r\n\r\n".to_owned()),
        ("no colon", "Content-Length\r\n\r\n".to_owned()),
        ("NUL in a value", "A: b\0c\r\n\r\n".to_owned()),
        ("NUL in a name", "A\0: b\r\n\r\n".to_owned()),
        ("CR in a value", "A: b\rContent-Length: 5\r\n\r\nhello".to_owned()),
        ("CR ends a line", "A: b\r\r\n\r\n".to_owned()),
        ("LF ends a line", "A: b\nContent-Length: 5\r\n\r\nhello".to_owned()),
        ("LF ends the head", "Content-Length: 5\r\n\nhello".to_owned()),
        ("a vertical tab", "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("chunked is not last", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_owned()),
        ("chunked twice", "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("chunked on two lines", format!("Transfer-Encoding: chunked\r\n{}", chunked("0\r\n\r\n"))),
        ("an empty coding", "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("nearly chunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("chunked with a parameter", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n".to_owned()),
        ("a chunk in decimal and hexadecimal", chunked("0x1\r\na\r\n0\r\n\r\n")),
        ("a signed chunk", chunked("+1\r\na\r\n0\r\n\r\n")),
        ("a chunk of -1", chunked("-1\r\na\r\n0\r\n\r\n")),
        ("a space before the size", chunked(" 1\r\na\r\n0\r\n\r\n")),
        ("a space after the size", chunked("1 \r\na\r\n0\r\n\r\n")),
        ("a vertical tab after the size", chunked("1\x0b\r\na\r\n0\r\n\r\n")),
        ("no size", chunked(";a\r\na\r\n0\r\n\r\n")),
        ("an extension without a name", chunked("1;\r\na\r\n0\r\n\r\n")),
        ("an extension without a value", chunked("1;a=\r\na\r\n0\r\n\r\n")),
        ("an extension whose quotation has no end", chunked("1;a=\"b\r\na\r\n0\r\n\r\n")),
        ("CR in an extension", chunked("1;a\rb\r\na\r\n0\r\n\r\n")),
        ("NUL in an extension", chunked("1;a\0\r\na\r\n0\r\n\r\n")),
        ("LF after the size", chunked("1\na\r\n0\r\n\r\n")),
        ("LF after a chunk", chunked("1\r\na\n0\r\n\r\n")),
        ("LF in an extension", chunked("1;a\nb\r\na\r\n0\r\n\r\n")),
        ("a chunk that is too long", chunked("1\r\nabc0\r\n\r\n")),
        ("LF after the trailers", chunked("0\r\n\n")),
        ("a trailer without a colon", chunked("0\r\nGET / HTTP/1.1\r\n\r\n")),
        ("a trailer with a space before the colon", chunked("0\r\nA : b\r\n\r\n")),
        ("a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n")),
        ("NUL in a trailer", chunked("0\r\nA: b\0\r\n\r\n")),
        ("CR in a trailer", chunked("0\r\nA: b\rc\r\n\r\n")),
        ("a length in the trailers", chunked("0\r\nContent-Length: 5\r\n\r\n")),
        ("a coding in the trailers", chunked("0\r\ntransfer-encoding: chunked\r\n\r\n")),
        ("a host in the trailers", chunked("0\r\nHost: y\r\n\r\n")),
    ] {
        let request = format!("POST /a HTTP/1.1\r\nHost: x\r\n{rest}GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
        let said = raw(server.port(), request.as_bytes());
        assert_eq!(statuses(&said), [400], "{what}: {said}");
        assert_eq!(field(&said, "connection"), Some("close"), "{what}");
    }
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
        "GET / HTTP/1.1\nHost: y",
    ] {
        let said = raw(
            server.port(),
            format!("{line}\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
        );
        assert_eq!(statuses(&said), [400], "{line:?}: {said}");
    }
    // An unknown method or version is well said, and where a body ends is then of no matter.
    let said = raw(server.port(), b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(statuses(&said), [400], "HTTP/1.0 has no codings: {said}");
    // What is like these and right is served: names of any case, extensions, quotations, trailers of no weight.
    let good = "TRANSFER-ENCODING:\t Chunked \r\nConnection: close\r\n\r\n\
                001 ; a ; b=c ; d = \"e;\\\"\r\"\r\na\r\nA\r\n0123456789\r\n00;last\r\nDigest: \t x y\r\nEmpty:\r\n\r\n";
    let good = good.replace("\\\"\r", "\\\"");
    let said = raw(server.port(), format!("POST /a HTTP/1.1\r\nhost:x\r\n{good}").as_bytes());
    assert!(said.ends_with("POST /a\n11 bytes\n"), "{said}");
}

#[test]
fn the_host_must_be_one_and_the_target_a_target() {
    let server = start(&[]);
    let hosts = [
        ("x", 200),
        ("x:80", 200),
        ("x:", 200),
        ("", 200),
        ("127.0.0.1:1", 200),
        ("[::1]", 200),
        ("[::1]:8080", 200),
        ("a-b_c.d~e", 200),
        ("%41", 200),
        ("a b", 400),
        ("a/b", 400),
        ("a@b", 400),
        ("a?b", 400),
        ("a#b", 400),
        ("a\\b", 400),
        ("x:y", 400),
        ("x:80:80", 400),
        ("x:65536", 400),
        ("x:-1", 400),
        ("::1", 400),
        ("[::1", 400),
        ("[::1]x", 400),
        ("[x]", 400),
        ("[]", 400),
        ("%4", 400),
        ("%zz", 400),
        ("\u{e4}", 400),
        ("http://x", 400),
        ("<x>", 400),
        ("\"x\"", 400),
    ];
    for (host, wanted) in hosts {
        for version in ["1.0", "1.1"] {
            let said = raw(server.port(), format!("GET / HTTP/{version}\r\nHost: {host}\r\n\r\n").as_bytes());
            assert_eq!(statuses(&said), [wanted], "Host: {host}, HTTP/{version}: {said}");
        }
    }
    for (target, wanted) in [
        ("http://h/", 200),
        ("HTTP://h/", 200),
        ("hTTps://h:1/a?b", 200),
        ("http://h", 200),
        ("http://h?q", 200),
        ("http://[::1]:1/", 200),
        ("http:///a", 400),
        ("http://:80/", 400),
        ("http://u@h/", 400),
        ("http://h:x/", 400),
        ("http://a b/", 400),
        ("http://[::1/", 400),
        ("http:/a", 400),
        ("http:a", 400),
        ("ftp://h/", 400),
        ("://h/", 400),
        ("h:80", 400),
    ] {
        let said = raw(server.port(), format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(statuses(&said), [wanted], "{target}: {said}");
    }
    for (hosts, version, wanted) in [
        ("", "1.1", 400),
        ("", "1.0", 200),
        ("Host: x\r\nHost: x\r\n", "1.1", 400),
        ("Host: x\r\nhost: y\r\n", "1.0", 400),
    ] {
        let said = raw(server.port(), format!("GET http://x/ HTTP/{version}\r\n{hosts}\r\n").as_bytes());
        assert_eq!(statuses(&said), [wanted], "{hosts}: {said}");
    }
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

/// RFC 9110: a challenge (15.5.2, 15.5.8), the methods that there are, none (15.5.6), a protocol (15.5.22), a range
/// (15.3.7, 15.5.17), a place (15.4).
#[test]
fn statuses_come_with_the_fields_that_they_need() {
    for (status, name, value) in [
        (206, "content-range", "bytes 0-6/7"),
        (301, "location", "/"),
        (302, "location", "/"),
        (303, "location", "/"),
        (307, "location", "/"),
        (308, "location", "/"),
        (401, "www-authenticate", "Basic realm=\"spile\""),
        (405, "allow", ""),
        (407, "proxy-authenticate", "Basic realm=\"spile\""),
        (416, "content-range", "bytes */7"),
        (426, "upgrade", "HTTP/3.0"),
    ] {
        let server = start(&["--status", &status.to_string()]);
        let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        let said = raw(server.port(), format!("{get}{get}").as_bytes());
        assert_eq!(statuses(&said), [status, status], "{said}");
        assert_eq!(field(&said, name), Some(value), "{said}");
        assert!(
            !head_of(&said).starts_with(&format!("HTTP/1.1 {status} \r\n")),
            "no words beside it: {said}"
        );
        let last = raw(server.port(), b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let connection = if status == 426 { ("upgrade", "upgrade, close") } else { ("", "close") };
        assert_eq!(
            (field(&said, "connection").unwrap_or(""), field(&last, "connection").unwrap()),
            connection
        );
    }
    for status in [204, 205, 304] {
        let server = start(&["--status", &status.to_string()]);
        let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        let said = raw(server.port(), format!("{get}{get}").as_bytes());
        assert_eq!(statuses(&said), [status, status], "{said}");
        assert!(said.split_inclusive("\r\n\r\n").all(|head| head.starts_with("HTTP/1.1 ")), "{said}");
        assert_eq!(field(&said, "content-length"), (status == 205).then_some("0"), "{said}");
    }
}

#[test]
fn term_ends_connections_that_ask_nothing_at_once_and_the_others_with_their_answer() {
    let mut server = start(&["--grace", "60s"]);
    let get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let all: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for mut idle in &all {
        idle.write_all(get).unwrap();
        let said = String::from_utf8(exactly(idle, 15)).unwrap();
        assert_eq!(said, "HTTP/1.1 200 OK");
    }
    let (mut busy, silent) = (server.connect(), server.connect());
    let begun = b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nla";
    busy.write_all(begun).unwrap();
    server.counts("received", (50 * get.len() + begun.len()) as u64);
    server.counts("connections", 52);
    let since = std::time::Instant::now();
    server.process.signal("TERM");
    for idle in &all {
        let said = String::from_utf8(read_all(idle)).unwrap();
        assert!(said.ends_with("GET /\n"), "{said}");
    }
    // Who has yet to ask gets a moment for it.
    assert_eq!(read_all(&silent), b"");
    assert!(server.process.is_running(), "what is under way is waited for");
    busy.write_all(b"te").unwrap();
    let said = String::from_utf8(read_all(&busy)).unwrap();
    assert!(said.ends_with("POST /late\n4 bytes\n"), "{said}");
    assert_eq!(field(&said, "connection"), Some("close"), "{said}");
    server.process.ends().exits(0);
    assert!(since.elapsed().as_secs() < 20, "{:?}", since.elapsed());
}
