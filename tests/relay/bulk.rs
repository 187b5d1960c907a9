//! Much at once: bytes, connections, and connections that say nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::*;

const QUARTER_GIBIBYTE: usize = 256 << 20;
const CHUNK: usize = 1 << 20;

/// FNV-1a over 64-bit words: enough to see a byte lost, doubled or moved, and fast in a debug build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    value: u64,
    len: usize,
}

/// Sums a stream in pieces of any size.
struct Summer {
    value: u64,
    len: usize,
    rest: Vec<u8>,
}

impl Summer {
    fn new() -> Summer {
        Summer { value: 0xcbf2_9ce4_8422_2325, len: 0, rest: Vec::with_capacity(8) }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len();
        while !self.rest.is_empty() && !bytes.is_empty() {
            self.rest.push(bytes[0]);
            bytes = &bytes[1..];
            if let Ok(word) = <[u8; 8]>::try_from(&self.rest[..]) {
                self.word(word);
                self.rest.clear();
            }
        }
        let words = bytes.chunks_exact(8);
        let rest = words.remainder();
        for word in words {
            self.word(word.try_into().unwrap());
        }
        self.rest.extend_from_slice(rest);
    }

    fn word(&mut self, word: [u8; 8]) {
        self.value = (self.value ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    }

    fn sum(mut self) -> Sum {
        self.rest.resize(8, 0);
        let last = self.rest.clone();
        self.word(last.try_into().unwrap());
        Sum { value: self.value, len: self.len }
    }
}

/// Sends `len` bytes that differ in every chunk, then half-closes.
fn send(stream: &TcpStream, seed: u64, len: usize) -> Sum {
    let mut chunk = noise(seed, CHUNK);
    let mut summer = Summer::new();
    let mut sender = stream;
    for number in 0..len.div_ceil(CHUNK) as u64 {
        chunk[..8].copy_from_slice(&number.to_le_bytes());
        let part = &chunk[..CHUNK.min(len - number as usize * CHUNK)];
        summer.add(part);
        sender.write_all(part).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    summer.sum()
}

fn receive(mut stream: &TcpStream) -> Sum {
    let mut buffer = vec![0; CHUNK];
    let mut summer = Summer::new();
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => return summer.sum(),
            n => summer.add(&buffer[..n]),
        }
    }
}

/// Sends and receives at the same time.
fn exchange(stream: &TcpStream, seed: u64, len: usize) -> (Sum, Sum) {
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| send(stream, seed, len));
        let received = receive(stream);
        (sending.join().unwrap(), received)
    })
}

/// A quarter gibibyte in each direction through a relay to `right`, where `listener` answers.
fn both_ways(args: &[&str], accept: impl FnOnce() -> TcpStream + Send + 'static) {
    let mut relay = spile(args);
    let port = relay.port();
    let far = std::thread::spawn(move || exchange(&accept(), 2, QUARTER_GIBIBYTE));
    let (sent, received) = exchange(&connect(port), 1, QUARTER_GIBIBYTE);
    let (far_sent, far_received) = far.join().unwrap();
    assert_eq!((sent, received), (far_received, far_sent));
    assert_eq!(sent.len, QUARTER_GIBIBYTE);
}

#[test]
fn a_quarter_gibibyte_each_way_is_intact_over_tcp() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let right = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    both_ways(&["relay", "tcp-l:127.0.0.1:0", &right], move || listener.accept().unwrap().0);
}

#[test]
fn a_quarter_gibibyte_each_way_is_intact_over_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let right = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut far = spile(["relay", &format!("unix-l:{path}"), &right]);
    far.line("listening unix");
    both_ways(&["relay", "tcp-l:127.0.0.1:0", &path], move || listener.accept().unwrap().0);
}

#[test]
fn a_quarter_gibibyte_is_intact_through_a_program_and_back() {
    for right in ["sh:cat", "sh,pipes=yes:cat", "echo"] {
        let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", right]);
        let (sent, received) = exchange(&connect(relay.port()), 3, QUARTER_GIBIBYTE / 4);
        assert_eq!(sent, received, "{right}");
    }
}

#[test]
fn two_thousand_connections_at_once_are_all_intact() {
    const CLIENTS: u64 = 2000;
    let backend = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
        let _ = stream.shutdown(Shutdown::Write);
    });
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let port = relay.port();
    let streams: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(port)).collect();
    for (seed, stream) in (0..).zip(&streams) {
        (&*stream).write_all(&noise(seed, 20_000 + seed as usize)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    }
    for (seed, stream) in (0..).zip(&streams) {
        let got = read_all(stream);
        assert!(got == noise(seed, 20_000 + seed as usize), "connection {seed}: {} bytes", got.len());
    }
    drop(streams);
    let pid = relay.pid();
    wait_until("all descriptors are given back", || descriptors(pid).len() < 20);
}

/// Holds connections in a process of their own, so that our own limit of open files is not the test's.
/// They end with a reset, which leaves no ports in TIME_WAIT for the next test.
const HOLDER: &str = "
import socket, struct, sys
def say(word): sys.stdout.write('%s\\n' % word); sys.stdout.flush()
mode, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = []
def hold(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    held.append(c)
if mode == 'serve':
    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(4096)
    say(s.getsockname()[1])
    while len(held) < count:
        hold(s.accept()[0])
        held[-1].recv(1)
else:
    for i in range(count):
        c = socket.socket(); c.bind(('127.0.0.%d' % (1 + i // 5000), 0)); c.connect(('127.0.0.1', port))
        c.sendall(b'x')
        hold(c)
say('all')
for line in sys.stdin:
    for c in held: c.sendall(b'y')
    for c in held: assert c.recv(1) == b'y'
    say('same')
";

/// The number on the next line of stdout.
fn number(process: &mut Process) -> usize {
    let mut line = String::new();
    while !line.ends_with('\n') {
        line += &String::from_utf8(process.some()).unwrap();
    }
    line.trim().parse().unwrap()
}

const MOST: usize = 10_000;
/// Open files of a relay beside those of its connections.
const SPARE: usize = 32;

/// Starts a shell line with as many open files as `MOST` connections of a relay take, or, where the hard limit
/// is lower and cannot be raised (that takes CAP_SYS_RESOURCE), with as many as there are.
fn with_open_files(line: &str) -> Process {
    let wanted = 2 * MOST + SPARE;
    shell(&format!(
        "hard=$(ulimit -Hn)
         [ $hard = unlimited ] || [ $hard -ge {wanted} ] || ulimit -Hn {wanted} 2>/dev/null
         ulimit -Sn {wanted} 2>/dev/null || ulimit -Sn $hard
         {line}"
    ))
}

fn holder(args: &str) -> Process {
    with_open_files(&format!("exec python3 -c \"{HOLDER}\" {args}"))
}

/// How many of `MOST` connections a relay can hold that has so many descriptors for each.
fn that_fit(descriptors_each: usize) -> usize {
    let limit = number(&mut with_open_files("ulimit -Sn"));
    let count = MOST.min((limit - SPARE) / descriptors_each);
    if count < MOST {
        eprintln!("{limit} files may be open here: {count} connections instead of {MOST}");
    }
    count
}

/// A relay that holds `count` connections: it does nothing for them and has little memory for each.
fn is_idle(relay: &Process, count: usize, empty_kib: u64) {
    let cpu = relay.cpu();
    std::thread::sleep(Duration::from_secs(1)); // what is measured is one second of doing nothing
    assert!(relay.cpu() - cpu < 0.05, "{} s of CPU while idle", relay.cpu() - cpu);
    let each = (resident_kib(relay.pid()) - empty_kib) as f64 / count as f64;
    eprintln!("{count} idle connections: {each:.2} KiB each");
    assert!(each < 4.0, "{each:.2} KiB for each of {count} connections");
}

#[test]
fn ten_thousand_idle_connections_are_relayed_and_still_work() {
    let count = that_fit(2);
    let mut backend = holder(&format!("serve 0 {count}"));
    let right = format!("127.0.0.1:{}", number(&mut backend));
    let mut relay = with_open_files(&format!("exec $SPILE relay tcp-l:127.0.0.1:0 {right}"));
    let port = relay.port();
    let empty = resident_kib(relay.pid());
    let mut clients = holder(&format!("connect {port} {count}"));
    clients.read(b"all\n");
    backend.read(b"all\n");
    assert!(descriptors(relay.pid()).len() > 2 * count);
    is_idle(&relay, count, empty);
    let started = Instant::now();
    clients.write(b"\n");
    backend.write(b"\n");
    clients.read(b"same\n");
    backend.read(b"same\n");
    assert!(started.elapsed() < DEADLINE);
}

#[test]
fn ten_thousand_idle_clients_of_one_descriptor_each_are_held() {
    // Half the descriptors: so many are allowed on most systems without being root.
    let count = that_fit(1);
    let mut relay = with_open_files("exec $SPILE relay --send-only tcp-l:127.0.0.1:0 null");
    let (port, pid) = (relay.port(), relay.pid());
    let (empty, own) = (resident_kib(pid), descriptors(pid).len());
    let mut clients = holder(&format!("connect {port} {count}"));
    clients.read(b"all\n");
    wait_until("all are accepted", || descriptors(pid).len() == own + count);
    is_idle(&relay, count, empty);
    drop(clients);
    wait_until("all descriptors are given back", || descriptors(pid).len() == own);
}
