//! echo-server under many, slow and hostile clients.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::echo::{Echo, exactly, udp};
use crate::harness::*;

/// Clients in a process of their own, so that our own limit of open files is not the test's. Each sends a message of
/// its own with its digest, and checks both when it comes back; then all do so once more. They send all at a time:
/// none waits for the answer of another.
const CLIENTS: &str = "
import hashlib, random, socket, struct, sys
kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def message(i, round):
    body = random.Random(i * 7 + round).randbytes(1 + i * 37 % 900)
    return body + hashlib.sha256(body).digest()
def receive(c, n):
    if kind == 'udp': return c.recv(65536)
    got = b''
    while len(got) < n:
        piece = c.recv(n - len(got))
        assert piece, 'ended after %d bytes' % len(got)
        got += piece
    return got
def check(c, sent):
    got = receive(c, len(sent))
    assert got == sent and hashlib.sha256(got[:-32]).digest() == got[-32:], 'not what was sent'
held = []
for i in range(count):
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    c.settimeout(20)
    # An address has fewer ports than that.
    c.bind(('127.0.0.%d' % (1 + i // 5000), 0)); c.connect(('127.0.0.1', port))
    # They end with a reset, which leaves no ports in TIME_WAIT for the next test.
    if kind == 'tcp': c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    if kind == 'tcp': c.sendall(message(i, 0))
    held.append(c)
if kind == 'udp':
    for i, c in enumerate(held): c.sendall(message(i, 0))
    print('sent', flush=True)
for i, c in enumerate(held): check(c, message(i, 0))
print('all', flush=True)
sys.stdin.readline()
for i, c in enumerate(held): c.sendall(message(i, 1))
for i, c in enumerate(held): check(c, message(i, 1))
print('again', flush=True)
sys.stdin.readline()
";

fn clients(kind: &str, port: u16, count: usize) -> Process {
    shell(&format!(
        "ulimit -Sn $(ulimit -Hn) 2>/dev/null; exec python3 -c \"{CLIENTS}\" {kind} {port} {count}"
    ))
}

/// How many connections fit into one process here.
fn most() -> usize {
    let mut shell = shell("ulimit -Hn");
    let text = String::from_utf8(shell.some()).unwrap();
    let limit = text.trim().parse().unwrap_or(usize::MAX);
    let count = 10_000.min(limit - 64);
    if count < 10_000 {
        eprintln!("{limit} files may be open here: {count} connections instead of 10000");
    }
    count / 100 * 100
}

#[test]
fn ten_thousand_connections_are_held_and_each_gets_its_own_message_back() {
    let count = most();
    let server = Echo::start(&["tcp-l:0"]);
    let empty = resident_kib(server.process.pid());
    let mut clients = clients("tcp", server.port(), count);
    clients.read(b"all\n");
    let each = (resident_kib(server.process.pid()) - empty) as f64 / count as f64;
    eprintln!("{count} idle connections: {each:.2} KiB each");
    assert!(each < 4.0, "{each:.2} KiB for each of {count} connections");
    assert_eq!(server.counters()["open"], count);
    clients.write(b"\n");
    clients.read(b"again\n");
    let cpu = server.process.cpu();
    std::thread::sleep(Duration::from_secs(1)); // what is measured is one second of doing nothing
    assert!(server.process.cpu() - cpu < 0.05, "{} s of CPU while idle", server.process.cpu() - cpu);
    clients.write(b"\n");
    server.counts("open", 0);
    let counters = server.counters();
    assert_eq!(counters["connections"], count);
    assert_eq!(counters["received"], counters["sent"]);
}

/// Bytes that the kernel charges to a socket for one message of these clients, at most: it is in 2 KiB, and has a
/// descriptor of its own.
const CHARGE: usize = 2304;

/// How many peers may send at once before the kernel drops what they say: a socket's buffer is twice what may be asked
/// for, and we ask for 4 MiB.
fn most_at_once() -> usize {
    let text = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
    let buffer = 2 * text.trim().parse::<usize>().unwrap().min(4 << 20);
    let count = 1000.min(buffer / CHARGE);
    if count < 1000 {
        eprintln!("net.core.rmem_max is {}: {count} peers at once instead of 1000", text.trim());
    }
    count
}

#[test]
fn a_thousand_peers_of_one_udp_socket_that_all_send_at_once_get_their_own_back() {
    let count = most_at_once();
    let server = Echo::start(&["udp-l:0"]);
    // They have all sent before the first one is looked at.
    server.process.signal("STOP");
    wait_until("the server stands still", || state_of(server.process.pid()) == 'T');
    let mut clients = clients("udp", server.port(), count);
    clients.read(b"sent\n");
    server.process.signal("CONT");
    clients.read(b"all\n");
    clients.write(b"\n");
    clients.read(b"again\n");
    let counters = server.counters();
    assert_eq!(
        (&counters["datagram_peers"], &counters["messages"], &counters["messages_dropped"]),
        (&count.into(), &(2 * count).into(), &0.into())
    );
}

#[test]
fn a_datagram_that_is_not_kept_is_counted_and_told() {
    // Answers are late, so that one peer's datagrams wait: 256 of them are kept beyond the 4 MiB under way.
    let server = Echo::start(&["--delay", "1h", "--rate", "1", "--stats", "udp-l:0"]);
    let client = udp();
    for n in 0..2000_u32 {
        client.send_to(&n.to_be_bytes(), ("127.0.0.1", server.port())).unwrap();
    }
    wait_until("some are dropped", || server.counters()["messages_dropped"].as_u64() > Some(0));
    server.process.signal("TERM");
    server.process.ends().exits(0);
}

/// A client that writes until it is stopped by a full line, and reads nothing.
fn stalled(port: u16) -> TcpStream {
    let stream = connect(port);
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while (&stream).write(&[b's'; 65536]).is_ok() {}
    stream
}

#[test]
fn readers_that_stall_hold_nobody_up_and_little_memory() {
    let server = Echo::start(&["tcp-l:0"]);
    let empty = resident_kib(server.process.pid());
    let port = server.port();
    let all: Vec<_> = (0..20).map(|_| std::thread::spawn(move || stalled(port))).collect();
    let all: Vec<TcpStream> = all.into_iter().map(|one| one.join().unwrap()).collect();
    let stream = server.connect();
    let mut slowest = Duration::ZERO;
    for n in 0..200_u32 {
        let started = Instant::now();
        (&stream).write_all(&n.to_be_bytes()).unwrap();
        assert_eq!(exactly(&stream, 4), n.to_be_bytes());
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    let held = resident_kib(server.process.pid()) - empty;
    assert!(held < 20 * 1024 + 16 * 1024, "{held} KiB for 20 of them");
    // Nothing of what they have said is lost: who reads at last gets it.
    let sent_before = server.counters()["sent"].as_u64().unwrap();
    assert!(exactly(&all[0], 1 << 20).iter().all(|byte| *byte == b's'));
    wait_until("it goes on", || server.counters()["sent"].as_u64().unwrap() > sent_before);
}

#[test]
fn a_talker_that_never_rests_leaves_others_their_turn() {
    for mode in ["echo", "discard", "http", "chargen"] {
        let longer: &[&str] = if mode == "http" { &["--max-body", "1T"] } else { &[] };
        let server = Echo::start(&[&["--mode", mode, "tcp-l:0", "tcp-l:0"], longer].concat());
        let port = server.port();
        let done = Arc::new(AtomicBool::new(false));
        let heard = done.clone();
        let talker = std::thread::spawn(move || {
            let stream = connect(port);
            if mode == "http" {
                let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n";
                (&stream).write_all(head.as_bytes()).unwrap();
            }
            let reading = stream.try_clone().unwrap();
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 20];
                while (&reading).read(&mut buffer).is_ok_and(|n| n > 0) {}
            });
            // Until all others had their turn: where they get none, their reads come to nothing.
            while !heard.load(Ordering::Relaxed) && (&stream).write(&[0; 1 << 16]).is_ok() {}
        });
        for _ in 0..30 {
            assert!(!talker.is_finished(), "{mode}: it has rested");
            let stream = server.connect();
            (&stream).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            match mode {
                "discard" => {
                    stream.shutdown(Shutdown::Write).unwrap();
                    read_all(&stream);
                }
                _ => drop(exactly(&stream, 16)),
            }
        }
        done.store(true, Ordering::Relaxed);
        talker.join().unwrap();
    }
}

#[test]
fn out_of_descriptors_it_waits_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let ports = dir.path().join("p").display().to_string();
    let line = format!(
        "ulimit -n 40; exec $SPILE echo-server --port-file {ports} tcp-l:0 unix-l:@spile-{}",
        std::process::id()
    );
    let mut server = shell(&line);
    let port = server.port();
    let mut all: Vec<TcpStream> = (0..60).map(|_| connect(port)).collect();
    server.line_with("cannot accept");
    let cpu = server.cpu();
    // Those that are in are served.
    (&all[0]).write_all(b"x").unwrap();
    assert_eq!(exactly(&all[0], 1), b"x");
    let last = all.pop().unwrap();
    drop(all);
    (&last).write_all(b"y").unwrap();
    assert_eq!(exactly(&last, 1), b"y");
    assert!(server.cpu() - cpu < 0.5, "{} s of CPU", server.cpu() - cpu);
    assert!(server.is_running());
}

#[test]
fn clients_that_spoil_tls_do_no_harm() {
    // The limit is also that of the good ones, however loaded the machine: those that say nothing are let go instead.
    let server = Echo::start(&["--self-signed", "--handshake-timeout", "1h", "tls-l:0", "tcp-l:0"]);
    let port = server.port();
    let at = format!("127.0.0.1:{port}");
    let mut good = spile(["tls-connect", "--insecure", &at]).sends("before").gets("before");
    let silent: Vec<TcpStream> = (0..20).map(|_| connect(port)).collect();
    for n in 0..60_u64 {
        let stream = connect(port);
        let bytes = match n % 4 {
            0 => noise(n + 1, 500),
            1 => b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            // The start of a hello that is never whole.
            2 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            _ => Vec::new(),
        };
        let _ = (&stream).write_all(&bytes);
        match n % 3 {
            0 => reset_on_close(&stream),
            1 => drop(stream.shutdown(Shutdown::Write)),
            _ => {}
        }
    }
    good.write(b"after");
    good.read(b"after");
    spile(["tls-connect", "--insecure", &at]).sends("new").eof().ends().exits(0).says("new");
    let plain = connect(server.ports[1]);
    (&plain).write_all(b"plain").unwrap();
    assert_eq!(exactly(&plain, 5), b"plain");
    drop(silent);
    server.counts("handshakes_failed", 80);
    drop((good, plain));
    server.counts("open", 0);
    assert_eq!(server.counters()["connections"], 3);
}
