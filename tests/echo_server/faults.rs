//! echo-server: answers that are late, slow, cut short or withheld on purpose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::harness::echo::{Echo, asked, exactly, udp};
use crate::harness::*;

#[test]
fn answers_come_late_and_slowly_and_in_pieces_where_that_is_asked_for() {
    let server = Echo::start(&["--delay", "200ms", "tcp-l:0", "udp-l:0"]);
    // Once, not once in each direction.
    in_time(Duration::from_millis(395), || {
        let (stream, started) = (server.connect(), Instant::now());
        (&stream).write_all(b"late").unwrap();
        assert_eq!(exactly(&stream, 4), b"late");
        assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
        started.elapsed()
    });
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
fn what_was_said_before_a_reset_arrives_and_the_log_says_who_ended_it() {
    let (size, flags) = (1_000_000, ["--mode", "chargen", "-v", "--rst-after", "1000000"]);
    let mut server = Echo::start(&[&flags[..], &["tcp-l:0"]].concat());
    let mut stream = server.connect();
    let mut got = Vec::new();
    let why = stream.read_to_end(&mut got).unwrap_err();
    assert_eq!((why.kind(), got.len()), (std::io::ErrorKind::ConnectionReset, size));
    assert_eq!(server.counters()["sent"], size);
    let told = server.process.line_with("bytes to");
    assert!(told.contains("ended on purpose (--rst-after)"), "{told}");
    let mut server = Echo::start(&["--close-after", "2", "--log", "json", "tcp-l:0"]);
    let stream = server.connect();
    (&stream).write_all(b"hello").unwrap();
    assert_eq!(read_all(&stream), b"he");
    let told = server.process.line_with("\"closed\"");
    assert!(told.contains("\"outcome\":\"cut\"") && told.contains("--close-after"), "{told}");
    let mut server = Echo::start(&["--self-signed", "--mode", "chargen", "--rst-after", "300K", "tls-l:0"]);
    let at = format!("127.0.0.1:{}", server.port());
    let client = spile(["tls-connect", "--insecure", &at]).ends().exits(18);
    assert_eq!(client.stdout.len(), 300 << 10);
    assert!(server.process.is_running());
}

#[test]
fn a_reader_that_is_slow_and_still_talks_gets_all_of_what_was_said_before_the_close() {
    const SIZE: usize = 2 << 20;
    let server = Echo::start(&["--mode", "chargen", "--close-after", "2M", "tcp-l:0"]);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    socket.connect(&std::net::SocketAddr::from(([127, 0, 0, 1], server.port())).into()).unwrap();
    let stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut got = 0;
    while got < SIZE {
        // A word at a time, for about four seconds in all: slower than any farewell waits for who does not read.
        (&stream).write_all(b"x").unwrap();
        got += exactly(&stream, SIZE / 64).len();
        std::thread::sleep(Duration::from_millis(60));
    }
    assert_eq!(read_all(&stream), b"");
}

#[test]
fn lateness_by_chance_differs_and_keeps_the_order() {
    let server = Echo::start(&["--jitter", "200ms", "tcp-l:0", "udp-l:0"]);
    let stream = server.connect();
    let times: Vec<Duration> = (0..20_u8)
        .map(|n| {
            let started = Instant::now();
            (&stream).write_all(&[n]).unwrap();
            assert_eq!(exactly(&stream, 1), [n]);
            started.elapsed()
        })
        .collect();
    // That none of twenty is later than a quarter of it, or none earlier than three, happens once in 10^11 times.
    assert!(times.iter().any(|time| *time > Duration::from_millis(50)), "{times:?}");
    assert!(times.iter().any(|time| *time < Duration::from_millis(150)), "{times:?}");
    let socket = udp();
    for n in 0..50_u8 {
        socket.send_to(&[n], ("127.0.0.1", server.ports[1])).unwrap();
    }
    let started = Instant::now();
    for n in 0..50_u8 {
        let mut answer = [0; 9];
        assert_eq!(socket.recv(&mut answer).unwrap(), 1);
        assert_eq!(answer[0], n);
    }
    assert!(started.elapsed() > Duration::from_millis(100), "{:?}", started.elapsed());
}

#[test]
fn a_half_close_test_keeps_records_apart_and_what_it_does_not_say_not_at_all() {
    const CLIENT: &str = "
import socket, sys
c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
c.settimeout(20); c.connect(sys.argv[1])
said = [b'first', b'second', b'x' * 100000, b'last']
for record in said: c.sendall(record)
c.shutdown(socket.SHUT_WR)
got = []
while record := c.recv(200000): got.append(record)
print(got == said, [len(record) for record in got])
";
    let server = Echo::start(&["--half-close-test", "tcp-l:0", "seqpacket-l:DIR/q"]);
    let client = program("python3", &["-c", CLIENT, &server.path("q")]);
    client.ends().exits(0).says("True [5, 6, 100000, 4]\n");
    let server = Echo::start(&["--half-close-test", "--mode", "time", "tcp-l:0"]);
    let stream = server.connect();
    // More than is kept of what comes back.
    (&stream).write_all(&vec![b'x'; 3 << 20]).unwrap();
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let connected = now();
    wait_until("the clock goes on", || now() > connected + 1);
    let ended = now();
    stream.shutdown(Shutdown::Write).unwrap();
    let told = u32::from_be_bytes(read_all(&stream).try_into().unwrap());
    assert!(u64::from(told) >= ended + 2_208_988_800, "the time is not that of the answer");
}

#[test]
fn who_says_what_nobody_needs_gets_its_answer_and_the_end() {
    const CLIENT: &str = "
import socket, sys
for _ in range(20):
    c = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
    c.settimeout(20); c.connect(sys.argv[1])
    for _ in range(3): c.sendall(b'nobody needs this')
    said = b''
    while more := c.recv(9999): said += more
    assert said.endswith(b'-UTC\\r\\n'), said
print('all')
";
    let server = Echo::start(&["--mode", "daytime", "tcp-l:0", "unix-l:DIR/u", "seqpacket-l:DIR/q"]);
    for (name, kind) in [("u", "SOCK_STREAM"), ("q", "SOCK_SEQPACKET")] {
        let client = program("python3", &["-c", CLIENT, &server.path(name), kind]).ends();
        assert_eq!(client.stderr, "", "{kind}");
        client.exits(0).says("all\n");
    }
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

#[test]
fn nobody_waits_for_who_does_not_read_what_is_told_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let (fifo, ports) = (dir.path().join("fifo"), dir.path().join("ports"));
    program("mkfifo", &[fifo.to_str().unwrap()]).ends().exits(0);
    let both_ways = std::fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let words = ["-v", "--port-file", ports.to_str().unwrap(), "tcp-l:0"];
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "exec 2>\"$0\" \"$SPILE\" echo-server \"$@\"", fifo.to_str().unwrap()]);
    let mut server = start({
        command.args(words).env("SPILE", SPILE);
        command
    });
    wait_until("the port file is there", || server.is_running() && ports.exists());
    let port = std::fs::read_to_string(&ports).unwrap().trim().parse().unwrap();
    for _ in 0..1000 {
        let stream = connect(port);
        (&stream).write_all(b"word").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&stream), b"word");
    }
    let reader = BufReader::new(std::fs::File::open(&fifo).unwrap());
    drop(both_ways);
    server.signal("TERM");
    let told: Vec<String> = reader.lines().map_while(Result::ok).collect();
    server.ends().exits(0);
    let accepted: Vec<&String> = told.iter().filter(|line| line.contains("connection from")).collect();
    assert_eq!(accepted.len(), 1000, "{:?}", told.last());
    let is_in_place = |(n, line): (usize, &&String)| line.contains(&format!(" [{}] ", n + 1));
    assert!(accepted.iter().enumerate().all(is_in_place));
    assert!(told.last().is_some_and(|line| line.contains("1000 connections")), "{:?}", told.last());
}

#[test]
fn nobody_who_does_not_read_holds_up_the_end_of_a_server() {
    let full = "mkfifo f; exec 3<>f; dd if=/dev/zero of=f bs=64K count=1 status=none; \
                exec $SPILE echo-server -v --port-file p tcp-l:0 2>&3";
    let dir = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("bash");
    command.args(["-c", full]).env("SPILE", SPILE).current_dir(&dir);
    let server = start(command);
    wait_until("the port file is there", || dir.path().join("p").exists());
    server.signal("TERM");
    server.ends().exits(0);
}

#[test]
fn a_session_that_fails_is_told_without_being_asked_and_one_whose_peer_goes_is_not() {
    for flags in [&[][..], &["--quiet"]] {
        let mut server = Echo::start(&[flags, &["--half-close-test", "tcp-l:0"]].concat());
        let gone = server.connect();
        (&gone).write_all(b"word").unwrap();
        reset_on_close(&gone);
        server.counts("open", 1);
        drop(gone);
        server.counts("resets", 1);
        let stream = server.connect();
        let from = stream.local_addr().unwrap();
        assert!((0..400).any(|_| (&stream).write_all(&[0; 65536]).is_err()));
        let told = server.process.line("spile echo-server: [2] ");
        assert_eq!(told, format!("{from} failed: it has said more than 1048576 bytes and not yet its end"));
        server.process.signal("TERM");
        let told = server.process.ends().exits(0).stderr;
        assert_eq!(told.lines().filter(|line| !line.starts_with("listening")).count(), 1, "{told}");
    }
}
