//! Slow and long lines: --rate, --delay, --jitter. Times are judged from below, or with seconds to spare.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::*;

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

/// Writes until it is stopped by a full line.
fn flood(mut stream: &TcpStream) -> usize {
    let piece = vec![0; 64 * 1024];
    let mut sent = 0;
    while sent < 64 << 20 {
        match stream.write(&piece) {
            Ok(n) => sent += n,
            Err(_) => break,
        }
    }
    sent
}

fn relay(words: &[&str]) -> (Process, u16) {
    let mut all = vec!["relay"];
    all.extend(words);
    let mut relay = spile(all);
    let port = relay.port();
    (relay, port)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Sends `bytes` and reads to the end, how long it takes.
fn round(port: u16, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let stream = connect(port);
    let started = Instant::now();
    (&stream).write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    (read_all(&stream), started.elapsed())
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
fn a_rate_of_nothing_is_refused() {
    spile(["connect", "--rate", "0", "127.0.0.1", "9"]).ends().exits(2).complains("would never end");
}

#[test]
fn each_session_has_the_whole_rate() {
    let (_relay, port) = relay(&["--rate", "100kB/s", "tcp-l:127.0.0.1:0", "echo"]);
    let started = Instant::now();
    let sessions: Vec<_> = (0..8)
        .map(|seed| {
            let bytes = noise(seed, 50_000);
            std::thread::spawn(move || assert!(round(port, &bytes).0 == bytes))
        })
        .collect();
    for session in sessions {
        session.join().unwrap();
    }
    // Half a second each; sharing one rate they would take four.
    assert!(started.elapsed() < ms(3000), "{:?}", started.elapsed());
}

#[test]
fn chance_changes_the_time_and_not_the_order() {
    let (_relay, port) = relay(&["--jitter", "30ms", "tcp-l:127.0.0.1:0", "echo"]);
    let stream = connect(port);
    let (mut sent, mut slowest) = (Vec::new(), Duration::ZERO);
    for n in 0..40_u8 {
        let started = Instant::now();
        (&stream).write_all(&[n]).unwrap();
        sent.push(n);
        let mut answer = [0];
        (&stream).read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], n);
        slowest = slowest.max(started.elapsed());
    }
    // Two draws of up to 30 ms, 40 times.
    assert!(slowest >= ms(15), "{slowest:?}");
    for n in 0..=255_u8 {
        (&stream).write_all(&[n]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), (0..=255).collect::<Vec<u8>>());
}

#[test]
fn the_end_and_a_reset_come_late_too_after_what_was_said_before() {
    let (mut relay, port) = relay(&["--once", "--delay", "250ms", "tcp-l:127.0.0.1:0", "echo"]);
    let stream = connect(port);
    let started = Instant::now();
    (&stream).write_all(b"last words").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), b"last words");
    assert!(started.elapsed() >= ms(500));
    wait_until("it ends", || !relay.is_running());
    relay.ends().exits(0);

    let backend = server(|stream| {
        (&stream).write_all(b"half of it").unwrap();
        (&stream).read_exact(&mut [0]).unwrap();
        reset_on_close(&stream);
    });
    let client = spile(["connect", "--delay", "250ms", &format!("127.0.0.1:{backend}")]).sends("x");
    client.ends().exits(18).says("half of it");
}

#[test]
fn what_a_program_said_before_it_ended_is_still_heard() {
    // Longer than what a program's output may stay open after it.
    spile(["relay", "--delay", "1400ms", "sh:echo hello", "-"]).ends().exits(0).says("hello\n");
    spile(["relay", "--rate", "4/s", "sh:echo hi", "-"]).ends().exits(0).says("hi\n");
}

#[test]
fn a_long_line_holds_a_bounded_amount_however_long_it_is() {
    let (relay, port) = relay(&["--delay", "1h", "tcp-l:127.0.0.1:0", "discard"]);
    let before = resident_kib(relay.pid());
    let stream = connect(port);
    stream.set_write_timeout(Some(ms(500))).unwrap();
    let sent = flood(&stream);
    assert!(sent < 64 << 20, "the sender was never stopped: {sent}");
    let grown = resident_kib(relay.pid()) - before;
    assert!(grown < 16 * 1024, "{grown} KiB for {sent} bytes");
}

#[test]
fn a_signal_ends_a_session_on_a_long_line_at_once() {
    let port = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    let client = spile(["connect", "--delay", "1h", &format!("127.0.0.1:{port}")]).sends("x");
    wait_until("it is connected", || tcp_sockets(&format!("dport = :{port}")).contains("ESTAB"));
    client.signal("TERM");
    client.ends().exits(143);
}
