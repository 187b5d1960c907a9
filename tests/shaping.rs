//! Slow and long lines: --rate, --delay, --jitter. Only lower bounds of time are judged: a slow machine passes.

mod harness;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use harness::*;

fn echo() -> u16 {
    server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
        let _ = stream.shutdown(Shutdown::Write);
    })
}

/// Sends `bytes` through a relay with these flags to an echo server; answers what came back, and when.
fn through(flags: &[&str], bytes: &[u8]) -> (Vec<u8>, Duration) {
    let right = format!("127.0.0.1:{}", echo());
    let args = [&["relay"], flags, &["tcp-l:127.0.0.1:0", &right]].concat();
    let mut relay = spile(args);
    let mut stream = connect(relay.port());
    let started = Instant::now();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    let late = started.elapsed();
    let rest = read_all(&stream);
    ([&first[..], &rest].concat(), late)
}

#[test]
fn a_rate_holds_in_each_direction_and_loses_nothing() {
    let bytes = noise(1, 60_000);
    let started = Instant::now();
    let (back, _) = through(&["--rate", "100kB/s"], &bytes);
    assert!(back == bytes, "{} bytes", back.len());
    // 600 ms less what may be said at once at the start (100 ms of slack and a piece of 50 ms).
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
}

#[test]
fn a_delay_is_on_both_ways_and_keeps_the_order() {
    let bytes = noise(2, 3_000_000);
    let (back, late) = through(&["--delay", "60ms", "--jitter", "20ms"], &bytes);
    assert!(back == bytes, "{} bytes", back.len());
    assert!(late >= Duration::from_millis(120), "{late:?}");
}

#[test]
fn the_end_is_late_too_and_a_rate_and_a_delay_go_together() {
    let started = Instant::now();
    let port = echo().to_string();
    let args = ["connect", "--delay", "80ms", "--rate", "1MiB", "127.0.0.1", &port];
    spile(args).sends("hello").eof().ends().exits(0).says("hello");
    assert!(started.elapsed() >= Duration::from_millis(160), "{:?}", started.elapsed());
}

#[test]
fn datagrams_keep_their_boundaries_on_a_long_line() {
    let mut far = spile(["relay", "udp-l:127.0.0.1:0", "echo"]);
    let right = format!("udp:127.0.0.1:{}", far.port());
    let mut relay = spile(["relay", "--delay", "20ms", "--rate", "1MB/s", "udp-l:127.0.0.1:0", &right]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", relay.port())).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    for len in [1, 9000, 0, 60_000] {
        let bytes = noise(len as u64, len);
        socket.send(&bytes).unwrap();
        let mut buffer = vec![0; 65_536];
        let n = socket.recv(&mut buffer).unwrap();
        assert!(buffer[..n] == bytes, "{n} bytes of {len}");
    }
}

#[test]
fn the_output_of_a_program_that_has_ended_still_arrives() {
    let mut relay = spile(["relay", "--delay", "1500ms", "tcp-l:127.0.0.1:0", "sh:echo late; exit 0"]);
    let stream = connect(relay.port());
    assert_eq!(read_all(&stream), b"late\n");
}

#[test]
fn a_rate_of_nothing_is_refused() {
    spile(["connect", "--rate", "0", "127.0.0.1", "9"]).ends().exits(2).complains("would never end");
}
