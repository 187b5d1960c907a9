//! Datagrams: boundaries, empty ones, truncation, sessions of a server.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::*;

fn udp() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

fn port_of(socket: &UdpSocket) -> String {
    socket.local_addr().unwrap().port().to_string()
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65536];
    let n = socket.recv(&mut buffer).unwrap();
    buffer.truncate(n);
    buffer
}

fn round_trip(socket: &UdpSocket, bytes: &[u8]) -> Vec<u8> {
    socket.send(bytes).unwrap();
    receive(socket)
}

fn client_of(host: &str, port: u16) -> UdpSocket {
    let socket = udp();
    socket.connect((host, port)).unwrap();
    socket
}

#[test]
fn s11_a_refusal_is_told_to_a_client() {
    let closed = port_of(&udp());
    spile(["connect", "-u", "127.0.0.1", &closed]).sends("x").eof().ends().exits(7).complains("refused");
}

#[test]
fn s11_a_client_without_an_answer_ends_after_the_reply_timeout() {
    let peer = udp();
    let started = Instant::now();
    let client = spile(["connect", "-u", "--reply-timeout", "300ms", "127.0.0.1", &port_of(&peer)]);
    client.sends("x").eof().ends().exits(0).says("");
    assert!(started.elapsed() >= Duration::from_millis(300) && started.elapsed() < Duration::from_secs(2));
    assert_eq!(receive(&peer), b"x");
}

#[test]
fn s11_a_backend_that_refuses_does_not_end_a_udp_listener() {
    let gone = port_of(&udp());
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", &format!("udp:127.0.0.1:{gone}")]);
    let port = relay.port();
    for _ in 0..20 {
        client_of("127.0.0.1", port).send(b"x").unwrap();
    }
    let backend = UdpSocket::bind(format!("127.0.0.1:{gone}")).unwrap();
    backend.set_read_timeout(Some(DEADLINE)).unwrap();
    let client = client_of("127.0.0.1", port);
    client.send(b"are you there").unwrap();
    wait_until("a new client gets through", || receive(&backend) == b"are you there");
    assert!(relay.is_running());
}

#[test]
fn s11_clients_that_are_gone_do_not_end_a_udp_listener() {
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", "sh:read line; sleep 0.2; echo $line"]);
    let port = relay.port();
    for _ in 0..5 {
        client_of("127.0.0.1", port).send(b"gone\n").unwrap(); // its socket closes; the answer is refused
    }
    std::thread::sleep(Duration::from_millis(500)); // the scenario: the answers come later
    assert_eq!(round_trip(&client_of("127.0.0.1", port), b"here\n"), b"here\n");
}

#[test]
fn s24_an_empty_datagram_is_passed_on_as_one() {
    let backend = udp();
    let target = format!("udp:127.0.0.1:{}", port_of(&backend));
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", &target]);
    let client = client_of("127.0.0.1", relay.port());
    for part in [&b"one"[..], b"", b"two"] {
        client.send(part).unwrap();
        assert_eq!(receive(&backend), part);
    }
}

#[test]
fn s24_an_empty_datagram_is_the_end_only_where_that_is_asked_for() {
    let mut listener = spile(["listen", "-u", "--eof-on-empty", "0"]);
    let client = client_of("127.0.0.1", listener.port());
    client.send(b"data").unwrap();
    client.send(b"").unwrap();
    listener.ends().exits(0).says("data");
}

#[test]
fn s25_one_datagram_is_one_write_and_stays_one() {
    let backend = udp();
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", &format!("udp:127.0.0.1:{}", port_of(&backend))]);
    let client = client_of("127.0.0.1", relay.port());
    for len in [1, 2, 1472, 1473, 9000, 40_000, 65_507] {
        let bytes = noise(len as u64, len);
        client.send(&bytes).unwrap();
        assert!(receive(&backend) == bytes, "{len}");
    }
    for number in 0..100 {
        client.send(format!("number {number}").as_bytes()).unwrap();
    }
    for number in 0..100 {
        assert_eq!(receive(&backend), format!("number {number}").as_bytes());
    }
}

#[test]
fn s25_a_stream_is_split_at_the_mtu_and_nothing_is_lost() {
    let peer = udp();
    let client = spile(["connect", "-u", "--mtu", "1000", "127.0.0.1", &port_of(&peer)]);
    let bytes = noise(25, 10_500);
    let client = client.sends(&bytes).eof();
    let mut got = Vec::new();
    while got.len() < bytes.len() {
        let datagram = receive(&peer);
        assert!((1..=1000).contains(&datagram.len()), "{}", datagram.len());
        got.extend(datagram);
    }
    assert!(got == bytes);
    client.ends().exits(0);
}

#[test]
fn s25_a_datagram_too_long_to_pass_on_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let big = dir.path().join("big");
    let peer = udp();
    let target = format!("udp:127.0.0.1:{}", port_of(&peer));
    let left = format!("unix-dgram-l:{}", path.display());
    let mut relay = spile(["relay", "-v", "--stats", "--idle-timeout", "500ms", "--once", &left, &target]);
    relay.line("listening unix-dgram");
    let client = UnixDatagram::bind(&big).unwrap();
    client.send_to(&vec![b'x'; 100_000], &path).unwrap();
    client.send_to(b"after", &path).unwrap();
    assert_eq!(receive(&peer), b"after", "no part of a long datagram is passed on as if it were whole");
    let ended = relay.ends();
    assert!(ended.stderr.contains("too long") || ended.stderr.contains("truncated"), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"));
}

#[test]
fn s26_a_reply_comes_from_the_address_that_was_asked() {
    let mut relay = spile(["relay", "udp-l::0", "echo"]);
    let port = relay.port();
    for host in ["127.0.0.1", "127.0.0.2", "127.7.7.7"] {
        // A connected socket takes answers from that address alone.
        assert_eq!(round_trip(&client_of(host, port), b"who"), b"who", "{host}");
    }
}

#[test]
fn s26_two_clients_have_two_sessions() {
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", "sh:while read x; do echo $$ $x; done"]);
    let port = relay.port();
    let (one, two) = (client_of("127.0.0.1", port), client_of("127.0.0.1", port));
    let mut sessions = Vec::new();
    for turn in 0..3 {
        for (client, name) in [(&one, "one"), (&two, "two")] {
            let answer = String::from_utf8(round_trip(client, format!("{name}{turn}\n").as_bytes())).unwrap();
            let (pid, text) = answer.trim().split_once(' ').unwrap();
            assert_eq!(text, format!("{name}{turn}"));
            sessions.push((name, pid.to_owned()));
        }
    }
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert_ne!(sessions[0].1, sessions[1].1);
}

#[test]
fn s26_a_silent_session_ends_and_its_program_with_it() {
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0,session-idle=300ms", "sh:cat"]);
    let client = client_of("127.0.0.1", relay.port());
    assert_eq!(round_trip(&client, b"x"), b"x");
    assert_eq!(children(relay.pid()).len(), 1);
    wait_until("the session's program is gone", || children(relay.pid()).is_empty());
    assert_eq!(round_trip(&client, b"again"), b"again");
}

#[test]
fn s26_the_longest_silent_session_makes_room() {
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0,max-sessions=2", "sh:cat"]);
    let port = relay.port();
    let clients: Vec<_> = (0..4).map(|_| client_of("127.0.0.1", port)).collect();
    for client in &clients {
        assert_eq!(round_trip(client, b"x"), b"x");
        std::thread::sleep(Duration::from_millis(20)); // the scenario: one is silent longer than the other
    }
    wait_until("two programs are left", || children(relay.pid()).len() <= 2);
    assert_eq!(round_trip(&clients[0], b"back"), b"back");
}

#[test]
fn datagrams_that_nobody_takes_in_time_are_told_at_the_end() {
    let mut listener = spile(["listen", "-k", "--grace", "0", "udp:127.0.0.1:0", "--", "sleep", "60"]);
    let port = listener.port();
    let client = client_of("127.0.0.1", port);
    let received = format!(":{port:04X} 00000000:0000 07 00000000:00000000 ");
    // More than the pipe of the program and the queue of its session hold; none is lost on the way to us.
    for _ in 0..100 {
        (0..50).for_each(|_| _ = client.send(&[b'x'; 1000]).unwrap());
        wait_until("all were received", || {
            std::fs::read_to_string("/proc/net/udp").unwrap().contains(&received)
        });
    }
    listener.signal("TERM");
    let ended = listener.ends();
    let told = ended.stderr.lines().find_map(|line| line.strip_suffix(" had not taken those before them"));
    assert!(
        told.is_some_and(|told| told.contains(" datagrams were received and dropped: ")),
        "{}",
        ended.stderr
    );
}

fn seqpacket_pair(path: &str) -> socket2::Socket {
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::SEQPACKET, None).unwrap();
    socket.connect(&socket2::SockAddr::unix(path).unwrap()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

fn read_record(mut socket: &socket2::Socket) -> Vec<u8> {
    use std::io::Read;
    let mut buffer = vec![0; 300_000];
    let n = socket.read(&mut buffer).unwrap();
    buffer.truncate(n);
    buffer
}

#[test]
fn s27_records_of_seqpacket_keep_their_boundaries_through_two_relays() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (dir.path().join("near"), dir.path().join("far"));
    let (near, far) = (near.display().to_string(), far.display().to_string());
    let mut echo = spile(["relay", &format!("seqpacket-l:{far}"), "echo"]);
    echo.line("listening");
    let mut relay = spile(["relay", &format!("seqpacket-l:{near}"), &format!("seqpacket:{far}")]);
    relay.line("listening");
    let client = seqpacket_pair(&near);
    let records = [noise(1, 1), noise(2, 7), noise(3, 5000), noise(4, 60_000), noise(5, 2)];
    for record in &records {
        client.send(record).unwrap();
    }
    for record in &records {
        assert!(read_record(&client) == *record, "{}", record.len());
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_record(&client), b"");
}

/// Makes room for records of `len` bytes; answers the longest that can be sent.
fn with_room_for(socket: impl std::os::fd::AsFd, len: usize) -> usize {
    let socket = socket2::SockRef::from(&socket);
    socket.set_send_buffer_size(len).unwrap();
    // The kernel takes 32 bytes of the buffer for itself (unix_dgram_sendmsg).
    socket.send_buffer_size().unwrap() - 32
}

#[test]
fn s27_records_as_long_as_a_socket_takes_pass_whole_through_two_relays() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (dir.path().join("near"), dir.path().join("far"));
    let (near, far) = (near.display().to_string(), far.display().to_string());
    let mut echo = spile(["relay", &format!("seqpacket-l:{far}"), "echo"]);
    echo.line("listening");
    let mut relay = spile(["relay", "-v", &format!("seqpacket-l:{near}"), &format!("seqpacket:{far}")]);
    relay.line("listening");
    let client = seqpacket_pair(&near);
    let longest = with_room_for(&client, 1 << 20);
    for len in [65_535, 65_536, 65_537, 200_000, longest.min(1 << 20), 5, longest.min(2_000_000)] {
        let record = noise(len as u64, len);
        client.send(&record).unwrap();
        let mut got = vec![0; len + 1];
        let n = std::io::Read::read(&mut &client, &mut got).unwrap();
        assert!(got[..n] == record, "{n} bytes of a record of {len}");
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_record(&client), b"");
    let line = relay.line("spile relay: [1] ");
    assert!(!line.contains("too long"), "{line}");
}

/// What echoes Unix datagrams, and its client.
fn echoing_unix_datagrams(dir: &Path) -> (Process, UnixDatagram) {
    let path = dir.join("s");
    let mut relay = spile(["relay", &format!("unix-dgram-l:{}", path.display()), "echo"]);
    relay.line("listening unix-dgram");
    let client = UnixDatagram::bind(dir.join("me")).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.connect(&path).unwrap();
    (relay, client)
}

#[test]
fn s27_long_unix_datagrams_pass_whole_and_so_do_their_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (_relay, client) = echoing_unix_datagrams(dir.path());
    let longest = with_room_for(&client, 500_000);
    let mut buffer = vec![0; 2_000_000];
    for len in [100, 65_537, 200_000, longest, 1] {
        let record = noise(len as u64, len);
        client.send(&record).unwrap();
        let n = client.recv(&mut buffer).unwrap();
        assert!(buffer[..n] == record, "{n} bytes of a datagram of {len}");
    }
}

#[test]
fn s27_a_long_record_becomes_the_bytes_of_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let mut listener = spile(["listen", &format!("seqpacket:{path}")]);
    listener.line("listening");
    let client = seqpacket_pair(&path);
    let record = noise(1, with_room_for(&client, 300_000));
    client.send(&record).unwrap();
    drop(client);
    assert!(listener.ends().exits(0).stdout == record);
}

#[test]
fn s27_empty_records_right_before_the_end_are_records() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (dir.path().join("near"), dir.path().join("far"));
    let far_socket = UnixDatagram::bind(&far).unwrap();
    far_socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let (near, far) = (near.display().to_string(), far.display().to_string());
    let right = format!("unix-dgram:{far}");
    let mut relay = spile(["relay", "--once", &format!("seqpacket-l:{near}"), &right]);
    relay.line("listening");
    let client = seqpacket_pair(&near);
    for record in [&b"one"[..], b"", b""] {
        client.send(record).unwrap();
    }
    drop(client); // the end is there before the first record is read
    for record in [&b"one"[..], b"", b""] {
        let mut buffer = [0; 9];
        let n = far_socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], record);
    }
    far_socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(far_socket.recv(&mut [0; 9]).is_err(), "the end is no record");
}

#[test]
fn s27_records_that_nobody_reads_before_a_time_limit_take_back_nothing_that_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let left = format!("seqpacket-l:{path}");
    let mut relay = spile(["relay", "-v", "--deadline", "1s", &left, "sh:echo said; exec sleep 60"]);
    relay.line("listening");
    let client = seqpacket_pair(&path);
    client.set_nonblocking(true).unwrap();
    // More than the pipe to the program holds; an empty one is none that ends what is thrown away.
    let mut is_full = false;
    wait_until("nothing more is taken", || {
        let was_full = is_full;
        is_full = client.send(&[b'x'; 4096]).and_then(|_| client.send(b"")).is_err();
        was_full && is_full
    });
    relay.line_with("[1] ");
    relay.line_with("--deadline");
    client.set_nonblocking(false).unwrap();
    assert_eq!(read_record(&client), b"said\n");
    assert_eq!(read_record(&client), b"");
}

#[test]
fn s27_unix_datagrams_keep_their_boundaries_and_answers_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let (_relay, client) = echoing_unix_datagrams(dir.path());
    let mut buffer = [0; 70_000];
    for record in [noise(1, 3), noise(2, 50_000), noise(3, 1)] {
        client.send(&record).unwrap();
        let n = client.recv(&mut buffer).unwrap();
        assert!(buffer[..n] == record[..], "{n}");
    }
}
