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
