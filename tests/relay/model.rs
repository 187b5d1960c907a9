//! The relay against a model: whatever both sides do, each gets what the other sent, in order, and then its end.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::harness::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// How a side ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// SHUT_WR after the last byte, reading on.
    HalfClose,
    /// RST after the last byte.
    Reset,
}

/// What one side does: pieces of so many bytes, each after a pause.
#[derive(Clone, Debug)]
struct Script {
    pieces: Vec<(usize, Duration)>,
    /// How much it reads at once, and how long it rests between reads.
    appetite: (usize, Duration),
    end: End,
}

impl Script {
    fn bytes(&self, seed: u64) -> Vec<u8> {
        noise(seed, self.pieces.iter().map(|(size, _)| size).sum())
    }
}

/// What one side saw.
#[derive(Debug)]
struct Seen {
    got: Vec<u8>,
    end: Result<(), ErrorKind>,
    sent_all: bool,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..20_usize, 4 => 1..70_000_usize, 1 => 1..2_000_000_usize]
}

fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![4 => Just(0_u64), 1 => 0..3_000_u64].prop_map(Duration::from_micros)
}

fn script(ends: impl Strategy<Value = End>) -> impl Strategy<Value = Script> {
    let appetite = (prop_oneof![Just(65_536_usize), 500..9_000_usize], pause());
    (prop::collection::vec((size(), pause()), 0..8), appetite, ends)
        .prop_map(|(pieces, appetite, end)| Script { pieces, appetite, end })
}

fn read(mut stream: &TcpStream, (size, rest): (usize, Duration)) -> (Vec<u8>, Result<(), ErrorKind>) {
    let (mut got, mut buffer) = (Vec::new(), vec![0; size]);
    let mut rests = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (got, Ok(())),
            Ok(n) => got.extend_from_slice(&buffer[..n]),
            Err(why) => return (got, Err(why.kind())),
        }
        if rests < 30 {
            std::thread::sleep(rest); // a part of the script: a reader that stalls
            rests += 1;
        }
    }
}

fn write(mut stream: &TcpStream, script: &Script, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for (size, pause) in &script.pieces {
        std::thread::sleep(*pause); // a part of the script
        if stream.write_all(&rest[..*size]).is_err() {
            return false;
        }
        rest = &rest[*size..];
    }
    true
}

/// Plays a script. A side that resets does not read: what comes to it is lost by its own choice.
fn play(stream: TcpStream, script: &Script, seed: u64) -> Seen {
    let bytes = script.bytes(seed);
    if script.end == End::Reset {
        let sent_all = write(&stream, script, &bytes);
        reset_on_close(&stream);
        return Seen { got: Vec::new(), end: Ok(()), sent_all };
    }
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&stream, script.appetite));
        let sent_all = write(&stream, script, &bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let (got, end) = reading.join().unwrap();
        Seen { got, end, sent_all }
    })
}

/// What `me` must have seen, given what `other` did.
fn judge(me: &Script, saw: &Seen, other: &Script, other_sent: &[u8]) -> Result<(), TestCaseError> {
    match (me.end, other.end) {
        (End::Reset, _) => {}
        (End::HalfClose, End::HalfClose) => {
            prop_assert_eq!(saw.end, Ok(()));
            prop_assert!(saw.sent_all);
            prop_assert!(saw.got == other_sent, "{} of {} bytes", saw.got.len(), other_sent.len());
        }
        (End::HalfClose, End::Reset) => {
            prop_assert!(other_sent.starts_with(&saw.got), "not a beginning: {} bytes", saw.got.len());
            // A reset is told once: where the write heard of it, the read that follows sees an end.
            prop_assert!(
                !saw.sent_all || matches!(saw.end, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)),
                "a reset looked like {:?}",
                saw.end
            );
        }
    }
    Ok(())
}

/// Plays both scripts through the relay at `port`, whose backend is `listener`.
fn both(port: u16, listener: &TcpListener, near: &Script, far: &Script) -> Result<(), TestCaseError> {
    let client = connect(port);
    let (backend, _) = listener.accept().unwrap();
    backend.set_read_timeout(Some(DEADLINE)).unwrap();
    backend.set_write_timeout(Some(DEADLINE)).unwrap();
    let (near_saw, far_saw) = std::thread::scope(|scope| {
        let other = scope.spawn(|| play(backend, far, 2));
        (play(client, near, 1), other.join().unwrap())
    });
    judge(near, &near_saw, far, &far.bytes(2))?;
    judge(far, &far_saw, near, &near.bytes(1))
}

fn check(
    port: u16,
    relay: &Process,
    listener: &TcpListener,
    ends: impl Strategy<Value = End> + Clone,
    cases: u32,
) {
    let before = descriptors(relay.pid()).len();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let strategy = (script(ends.clone()), script(ends));
    TestRunner::new(config)
        .run(&strategy, |(near, far)| both(port, listener, &near, &far))
        .unwrap_or_else(|why| panic!("{why}"));
    // Pooled pipes may stay, connections may not.
    wait_until("all connections are closed", || descriptors(relay.pid()).len() <= before + 16);
}

fn backend() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn half_closes_and_resets_over_tcp_follow_the_model() {
    let (listener, address) = backend();
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &address]);
    let port = relay.port();
    let ends = prop_oneof![3 => Just(End::HalfClose), 1 => Just(End::Reset)];
    check(port, &relay, &listener, ends, 120);
}

#[test]
fn half_closes_over_two_relays_and_a_unix_socket_follow_the_model() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let (listener, address) = backend();
    let mut far = spile(["relay", &format!("unix-l:{path}"), &address]);
    far.line("listening unix");
    let mut near = spile(["relay", "tcp-l:127.0.0.1:0", &path]);
    let port = near.port();
    check(port, &near, &listener, Just(End::HalfClose), 60);
}

#[test]
fn small_kernel_buffers_follow_the_model() {
    let (listener, address) = backend();
    let mut relay =
        spile(["relay", "tcp-l:127.0.0.1:0,sndbuf=4096,rcvbuf=8192", &format!("tcp:{address},sndbuf=4096")]);
    let port = relay.port();
    check(port, &relay, &listener, Just(End::HalfClose), 30);
}

#[test]
fn what_goes_through_a_program_follows_the_model() {
    let (listener, address) = backend();
    // The program is a relay of its own: TCP to a pipe or socket pair, and on to TCP.
    let mut relay = shell(&format!("exec $SPILE relay tcp-l:127.0.0.1:0 -- $SPILE connect -K {address}"));
    let port = relay.port();
    check(port, &relay, &listener, Just(End::HalfClose), 25);
}
