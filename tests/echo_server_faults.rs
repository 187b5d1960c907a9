//! echo-server: answers that are late, slow, cut short or withheld on purpose.

mod harness;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use harness::echo::{Echo, asked, exactly, udp};
use harness::*;

#[test]
fn answers_come_late_and_slowly_and_in_pieces_where_that_is_asked_for() {
    let server = Echo::start(&["--delay", "200ms", "tcp-l:0", "udp-l:0"]);
    let (stream, started) = (server.connect(), Instant::now());
    (&stream).write_all(b"late").unwrap();
    assert_eq!(exactly(&stream, 4), b"late");
    let took = started.elapsed();
    // Once, not once in each direction.
    assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(395), "{took:?}");
    let started = Instant::now();
    assert_eq!(asked(&udp(), server.ports[1], b"late"), b"late");
    assert!(started.elapsed() >= Duration::from_millis(200));
    let server = Echo::start(&["--rate", "100kB/s", "--mode", "chargen", "tcp-l:0"]);
    let started = Instant::now();
    exactly(&server.connect(), 60_000);
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    let server = Echo::start(&["--chunk", "7", "tcp-l:0", "unix-l:DIR/u"]);
    let line = format!("strace -f -e trace=sendto -e signal=none -o DIR/log -p {}", server.process.pid());
    let mut strace = shell(&format!("exec {}", line.replace("DIR", server.dir.path().to_str().unwrap())));
    strace.line_with("attached");
    spile(["connect", &server.path("u")]).sends(noise(1, 100)).eof().ends().exits(0).says(noise(1, 100));
    drop(strace);
    let log = std::fs::read_to_string(server.path("log")).unwrap();
    let sent: Vec<&str> = log.lines().filter_map(|line| line.rsplit("= ").next()).collect();
    assert!(sent.iter().filter(|n| **n == "7").count() >= 14, "{log}");
}

#[test]
fn a_connection_ends_after_so_many_bytes_or_so_much_time_as_it_was_asked_to() {
    let server = Echo::start(&["--close-after", "100", "tcp-l:0"]);
    let stream = server.connect();
    (&stream).write_all(&noise(1, 5000)).unwrap();
    assert_eq!(read_all(&stream), &noise(1, 5000)[..100]);
    let server = Echo::start(&["--rst-after", "100", "--mode", "chargen", "tcp-l:0"]);
    let mut stream = server.connect();
    let mut got = Vec::new();
    let why = stream.read_to_end(&mut got).unwrap_err();
    assert_eq!(why.kind(), std::io::ErrorKind::ConnectionReset);
    let server = Echo::start(&["--close-after", "200ms", "tcp-l:0"]);
    let started = Instant::now();
    assert_eq!(server.speech(), b"");
    assert!(started.elapsed() >= Duration::from_millis(200));
    let server = Echo::start(&["--rst-after", "0", "tcp-l:0"]);
    let why = server.connect().read(&mut [0]).unwrap_err();
    assert_eq!(why.kind(), std::io::ErrorKind::ConnectionReset);
    let server = Echo::start(&["--rst-after", "200ms", "--self-signed", "tls-l:0"]);
    let at = format!("127.0.0.1:{}", server.port());
    spile(["tls-connect", "--insecure", &at]).ends().exits(18);
    let server = Echo::start(&["--close-after", "200ms", "--self-signed", "tls-l:0"]);
    let at = format!("127.0.0.1:{}", server.port());
    spile(["tls-connect", "--insecure", &at]).ends().exits(0);
}

#[test]
fn a_half_close_test_answers_when_the_end_has_come_and_not_before() {
    for (words, tls) in [(&["tcp-l:0"][..], false), (&["--self-signed", "tls-l:0"], true)] {
        let server = Echo::start(&[&["--half-close-test"], words].concat());
        let at = format!("127.0.0.1:{}", server.port());
        let client = if tls { vec!["tls-connect", "--insecure", &at] } else { vec!["connect", &at] };
        spile(&client).sends("all of it").eof().ends().exits(0).says("all of it");
        // A client that does not end gets nothing.
        spile([&client[..], &["--idle-timeout", "300ms"]].concat()).sends("x").ends().exits(124).says("");
    }
    let server = Echo::start(&["--half-close-test", "--mode", "daytime", "tcp-l:0"]);
    let stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!((&stream).read(&mut [0]).is_err());
    stream.shutdown(Shutdown::Write).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    assert!(read_all(&stream).ends_with(b"-UTC\r\n"));
    // What is kept is bounded.
    let server = Echo::start(&["--half-close-test", "tcp-l:0"]);
    let stream = server.connect();
    assert!((0..400).any(|_| (&stream).write_all(&[0; 65536]).is_err()));
}

#[test]
fn who_says_nothing_or_does_not_read_to_the_end_is_waited_for_within_limits() {
    for mode in ["echo", "discard", "chargen", "http"] {
        let server = Echo::start(&["--mode", mode, "--idle-timeout", "300ms", "tcp-l:0"]);
        let (stream, started) = (server.connect(), Instant::now());
        (&stream).write_all(b"G").unwrap();
        match mode {
            // It never falls silent by itself: it stalls.
            "chargen" => server.counts("failed", 1),
            "echo" => assert_eq!(read_all(&stream), b"G"),
            _ => assert_eq!(read_all(&stream), b""),
        }
        assert!(started.elapsed() >= Duration::from_millis(300), "{mode}");
        server.counts("failed", 1);
    }
    // Neither reads; the one that has said its end is not waited for.
    let server = Echo::start(&["--mode", "chargen", "--eof-timeout", "300ms", "tcp-l:0"]);
    let (ended, _silent) = (server.connect(), server.connect());
    server.counts("connections", 2);
    ended.shutdown(Shutdown::Write).unwrap();
    server.counts("open", 1);
    server.counts("failed", 1);
}
