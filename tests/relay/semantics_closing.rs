//! How a session ends: end of file, half-close, resets. Numbers are the lines of the research notes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

/// Sends `request`, half-closes, and reads to the end.
pub fn ask(port: u16, request: &[u8]) -> Vec<u8> {
    let stream = connect(port);
    (&stream).write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}

fn reply_after_end(stream: TcpStream) {
    let request = read_all(&stream);
    std::thread::sleep(Duration::from_millis(700)); // the scenario: a server that takes its time
    (&stream).write_all(&[b"after ", &request[..]].concat()).unwrap();
}

#[test]
fn s1_a_half_close_passes_through_a_relay_and_the_reply_comes_back() {
    let backend = server(reply_after_end);
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("tcp:127.0.0.1:{backend}")]);
    assert_eq!(ask(relay.port(), b"end"), b"after end");
}

#[test]
fn s1_a_half_close_passes_through_two_relays_over_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let backend = server(reply_after_end);
    let mut far = spile(["relay", &format!("unix-l:{path}"), &format!("127.0.0.1:{backend}")]);
    far.line("listening unix");
    let mut near = spile(["relay", "tcp-l:127.0.0.1:0", &path]);
    assert_eq!(ask(near.port(), b"end"), b"after end");
}

#[test]
fn s1_a_half_close_closes_the_stdin_of_a_program_on_any_kind_of_channel() {
    for right in ["sh,pipes=yes:cat; sleep 0.3; echo late", "sh,pipes=no:cat; sleep 0.3; echo late"] {
        let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", right]);
        assert_eq!(ask(relay.port(), b"x\n"), b"x\nlate\n", "{right}");
    }
}

#[test]
fn s1_a_half_close_of_the_backend_lets_the_client_go_on_sending() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let backend = server(move |stream| {
        (&stream).write_all(b"greeting").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        sender.lock().unwrap().send(read_all(&stream)).unwrap();
    });
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let stream = connect(relay.port());
    assert_eq!(read_all(&stream), b"greeting");
    std::thread::sleep(Duration::from_millis(200)); // the scenario: the client speaks later
    (&stream).write_all(b"much later").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), b"much later");
}

#[test]
fn s2_the_end_comes_after_every_byte_even_to_a_slow_reader() {
    let bytes = noise(2, 8 << 20);
    let copy = bytes.clone();
    let backend = server(move |stream| (&stream).write_all(&copy).unwrap());
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let mut stream = connect(relay.port());
    let (mut got, mut buffer) = (Vec::new(), vec![0; 65536]);
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            n => got.extend_from_slice(&buffer[..n]),
        }
        std::thread::sleep(Duration::from_millis(3)); // the scenario: a slow reader
    }
    assert!(got == bytes, "{} of {} bytes", got.len(), bytes.len());
}

#[test]
fn s3_the_limit_after_an_end_counts_silence_and_is_told_when_it_runs_out() {
    let backend = server(|stream| {
        read_all(&stream);
        for line in 0..6 {
            std::thread::sleep(Duration::from_millis(200)); // the scenario: slow, but within the limit
            writeln!(&stream, "{line}").unwrap();
        }
        std::thread::park_timeout(DEADLINE);
    });
    let address = format!("127.0.0.1:{backend}");
    let mut relay = spile(["relay", "--once", "--eof-timeout", "700ms", "tcp-l:127.0.0.1:0", &address]);
    let stream = connect(relay.port());
    stream.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    let _ = (&stream).read_to_end(&mut got);
    assert_eq!(got, b"0\n1\n2\n3\n4\n5\n");
    relay.ends().exits(124).complains("--eof-timeout");
}

#[test]
fn s3_stdin_at_its_end_starts_no_timer_but_q_does() {
    let port = server(|stream| {
        read_all(&stream);
        std::thread::park_timeout(DEADLINE);
    });
    let started = Instant::now();
    let client = spile(["connect", "-q", "300ms", &format!("127.0.0.1:{port}")]).sends("x").eof();
    client.ends().exits(0);
    assert!(started.elapsed() >= Duration::from_millis(300));
    let mut patient = spile(["connect", &format!("127.0.0.1:{port}")]).sends("x").eof();
    std::thread::sleep(Duration::from_millis(700)); // the scenario: longer than any -q would wait
    assert!(patient.is_running());
}

#[test]
fn s4_an_idle_limit_ends_a_session_whose_client_is_gone_while_the_backend_says_nothing() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let backend = server(move |mut stream| {
        let _ = stream.read(&mut [0; 9]);
        let end = stream.read(&mut [0; 9]).map_err(|why| why.kind());
        sender.lock().unwrap().send(end.is_ok_and(|n| n == 0)).unwrap();
        let _held = stream;
        std::thread::park_timeout(DEADLINE);
    });
    let address = format!("127.0.0.1:{backend}");
    let mut relay = spile(["relay", "-v", "--idle-timeout", "400ms", "tcp-l:127.0.0.1:0", &address]);
    let (port, pid) = (relay.port(), relay.pid());
    let before = sockets(pid);
    let stream = connect(port);
    (&stream).write_all(b"x").unwrap();
    drop(stream);
    assert!(receiver.recv_timeout(DEADLINE).unwrap(), "the backend must see the client's end");
    wait_until("both connections of the session are closed", || sockets(pid) == before);
    assert!(relay.is_running());
}

fn sockets(pid: u32) -> usize {
    let is_socket = |n: &u32| descriptor(pid, *n).to_string_lossy().starts_with("socket:");
    descriptors(pid).iter().filter(|n| is_socket(n)).count()
}

#[test]
fn s4_keepalive_is_on_unless_the_peer_is_this_very_host() {
    let backend = server(|stream| {
        read_all(&stream);
    });
    let target = format!("tcp:127.0.0.1:{backend},keepalive,keepidle=33");
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0,keepalive", &target]);
    let port = relay.port();
    let _stream = connect(port);
    for filter in [format!("sport = :{port}"), format!("dport = :{backend}")] {
        wait_until("keepalive runs", || tcp_sockets(&filter).contains("timer:(keepalive"));
    }
    // A packet from loopback never leaves this host, whatever the target.
    let trace = "strace -D -qq -f -e trace=setsockopt -o /dev/stdout";
    let line = format!("{trace} $SPILE connect -w 1 --bind 127.0.0.1 192.0.2.1 9 </dev/null");
    let ended = shell(&line).ends();
    let calls = String::from_utf8_lossy(&ended.stdout);
    assert!(calls.contains("SO_KEEPALIVE, [1]") && calls.contains("TCP_KEEPIDLE, [60]"), "{ended:?}");
}

#[test]
fn s5_we_end_with_the_server_though_stdin_is_an_idle_terminal() {
    let port = server(|stream| (&stream).write_all(b"bye\n").unwrap());
    let line = format!("exec script -qec '{SPILE} connect 127.0.0.1 {port}' /dev/null");
    let ended = shell(&line).ends().exits(0);
    assert!(String::from_utf8_lossy(&ended.stdout).contains("bye"), "{ended:?}");
}

#[test]
fn s5_keep_sending_goes_on_after_the_server_has_ended() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let port = server(move |stream| {
        (&stream).write_all(b"go").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        sender.lock().unwrap().send(read_all(&stream)).unwrap();
    });
    let mut client = spile(["connect", "-K", &format!("127.0.0.1:{port}")]).gets("go");
    std::thread::sleep(Duration::from_millis(200)); // the scenario: stdin speaks after the server's end
    client.write(b"still here");
    client.eof().ends().exits(0);
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), b"still here");
}

/// The client sends more than anybody reads, then takes the answer.
fn full_answer_despite_unread_input(args: &[&str], answer: usize) {
    for _ in 0..5 {
        let mut listener = spile(args);
        let stream = connect(listener.port());
        let sending = stream.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            let _ = (&sending).write_all(&[b'q'; 100_000]);
        });
        let mut got = Vec::new();
        let result = (&stream).read_to_end(&mut got);
        assert_eq!((got.len(), result.map_err(|why| why.kind())), (answer, Ok(answer)), "{args:?}");
        sender.join().unwrap();
        drop(stream);
    }
}

#[test]
fn s6_an_answer_in_flight_survives_the_close_though_input_was_not_read() {
    let script = "head -c 10 >/dev/null; head -c 300000 /dev/zero";
    full_answer_despite_unread_input(&["listen", "0", "--", "sh", "-c", script], 300_000);
    full_answer_despite_unread_input(
        &["relay", "--once", "tcp-l:127.0.0.1:0", "sh:head -c 300000 /dev/zero"],
        300_000,
    );
    full_answer_despite_unread_input(&["relay", "--once", "tcp-l:127.0.0.1:0", "text:hello"], 5);
}

#[test]
fn s6_max_bytes_ends_without_destroying_what_we_sent() {
    let mut listener = spile(["listen", "--max-bytes", "10", "0"]).sends("an answer");
    let stream = connect(listener.port());
    let mut got = [0; 9];
    (&stream).read_exact(&mut got).unwrap();
    (&stream).write_all(&[b'q'; 50_000]).unwrap();
    assert_eq!(&got, b"an answer");
    listener.ends().exits(0).says([b'q'; 10]);
}

#[test]
fn s8_a_reset_of_the_client_reaches_the_backend_as_a_reset() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let backend = server(move |mut stream| {
        stream.read_exact(&mut [0; 1]).unwrap();
        let outcome = stream.read(&mut [0; 9]).map_err(|why| why.kind());
        sender.lock().unwrap().send(outcome).unwrap();
    });
    let mut relay = spile(["relay", "--once", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let stream = connect(relay.port());
    (&stream).write_all(b"x").unwrap();
    std::thread::sleep(Duration::from_millis(100)); // let the byte go ahead of the reset
    reset_on_close(&stream);
    drop(stream);
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), Err(ErrorKind::ConnectionReset));
    relay.ends().exits(18).complains("reset");
}

/// Sends, says the end, and resets the connection once the other side has seen it.
fn end_then_reset(stream: TcpStream, seen: &std::sync::mpsc::Receiver<()>) {
    (&stream).write_all(b"x").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    seen.recv_timeout(DEADLINE).unwrap();
    reset_on_close(&stream);
}

#[test]
fn s8_a_reset_that_comes_after_the_end_is_passed_on_though_nobody_writes() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (saw_end, seen) = std::sync::mpsc::channel();
    let senders = std::sync::Arc::new(std::sync::Mutex::new((sender, saw_end)));
    let backend = server(move |stream| {
        let senders = senders.lock().unwrap();
        assert_eq!(read_all(&stream), b"x");
        senders.1.send(()).unwrap();
        // A silent backend: only a reset can tell it that its client is gone.
        wait_until("the connection fails", || stream.take_error().unwrap().is_some());
        senders.0.send(()).unwrap();
    });
    let mut relay = spile(["relay", "--once", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    end_then_reset(connect(relay.port()), &seen);
    receiver.recv_timeout(DEADLINE).unwrap();
    relay.ends().exits(18).complains("reset");
}

#[test]
fn s9_a_reset_that_comes_after_the_end_gives_a_child_its_grace_and_no_more() {
    let script = "cat >/dev/null; echo read >&2; exec sleep 613";
    let mut listener = spile(["listen", "-k", "--grace", "300ms", "0", "--", "sh", "-c", script]);
    let stream = connect(listener.port());
    (&stream).write_all(b"x").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    listener.line("read");
    let child = children(listener.pid())[0];
    std::thread::sleep(Duration::from_millis(400)); // a client that still waits for the answer
    assert!(is_alive(child));
    reset_on_close(&stream);
    drop(stream);
    wait_until("the child is gone", || !is_alive(child));
}

#[test]
fn s8_a_backend_that_resets_while_the_client_is_sending_never_looks_like_a_clean_end() {
    let backend = server(|stream| reset_on_close(&stream));
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let port = relay.port();
    for turn in 0..60 {
        let stream = connect(port);
        // A reset is told once. Where the write hears of it, the read has nothing left to tell.
        if (&stream).write_all(&[b'x'; 60_000]).is_err() {
            continue;
        }
        let end = (&stream).read(&mut [0; 9]).map_err(|why| why.kind());
        assert_eq!(end, Err(ErrorKind::ConnectionReset), "turn {turn}");
    }
}

#[test]
fn the_signal_that_ends_a_client_is_its_status() {
    let port = server(|stream| {
        read_all(&stream);
    });
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let client = spile(["connect", &format!("127.0.0.1:{port}")]).sends("x");
        wait_until("it is connected", || {
            Command::new("ss").args(["-Htnp", &format!("dport = :{port}")]).output().is_ok_and(|out| {
                String::from_utf8_lossy(&out.stdout).contains(&format!("pid={},", client.pid()))
            })
        });
        client.signal(name);
        client.ends().exits(status);
    }
}

#[test]
fn a_reply_that_is_followed_by_a_reset_is_never_taken_for_no_connection() {
    let rude = server(|stream| {
        // The client may have reset it first.
        let _ = (&stream).write_all(b"hi\n");
        reset_on_close(&stream);
    });
    let rude = format!("127.0.0.1:{rude}");
    for _ in 0..100 {
        spile(["connect", &rude]).ends().says("hi\n").exits(18);
        spile(["connect", "-z", &rude]).ends().exits(0);
        spile(["chat", &rude, "-e", "= hi", "-e", "<$"]).ends().complains("reset").exits(18);
    }
}
