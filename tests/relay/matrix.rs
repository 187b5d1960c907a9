//! The matrix of what peers get wrong: one test for each row, named after it.
//! Not here: the row "stalled broker client"; there is no broker (`hub`) yet.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

fn read_to_end_then_reply(stream: TcpStream, pause: Duration) {
    let request = read_all(&stream);
    std::thread::sleep(pause); // the scenario: a server that takes its time
    (&stream).write_all(&[b"REPLY ", &request[..]].concat()).unwrap();
}

#[test]
fn a_reply_that_comes_long_after_our_end_of_file_is_received() {
    let port = server(|stream| read_to_end_then_reply(stream, Duration::from_millis(1500)));
    spile(["connect", "127.0.0.1", &port.to_string()]).sends("req").eof().ends().exits(0).says("REPLY req");
}

#[test]
fn a_reply_in_many_slow_lines_is_received_whole() {
    let port = server(|stream| {
        read_all(&stream);
        for line in 0..10 {
            std::thread::sleep(Duration::from_millis(100)); // the scenario: slow lines
            writeln!(&stream, "{line}").unwrap();
        }
    });
    let wanted: String = (0..10).map(|line| format!("{line}\n")).collect();
    spile(["connect", &format!("127.0.0.1:{port}")]).sends("req").eof().ends().exits(0).says(wanted);
}

#[test]
fn the_server_closes_while_our_stdin_is_idle_and_we_end() {
    let port = server(|stream| (&stream).write_all(b"bye").unwrap());
    spile(["connect", &format!("127.0.0.1:{port}")]).ends().exits(0).says("bye");
}

#[test]
fn a_listener_with_stdin_from_dev_null_keeps_what_comes_later() {
    let mut listener = shell("exec $SPILE listen 0 </dev/null");
    let stream = connect(listener.port());
    std::thread::sleep(Duration::from_millis(700)); // the scenario: the data comes late
    (&stream).write_all(b"late").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    listener.ends().exits(0).says("late");
}

#[test]
fn a_listener_with_stdin_closed_receives() {
    let mut listener = shell("exec $SPILE listen 0 <&-");
    let stream = connect(listener.port());
    (&stream).write_all(b"data").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    listener.ends().exits(0).says("data");
}

fn late_answer(args: &[&str], answer: &str) {
    let mut listener =
        spile(args.iter().copied().chain(["--", "sh", "-c", "cat >/dev/null; sleep 1.5; echo ANSWER"]));
    let stream = connect(listener.port());
    (&stream).write_all(b"req\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(String::from_utf8(read_all(&stream)).unwrap(), answer);
}

#[test]
fn a_program_answers_long_after_the_client_half_closed() {
    late_answer(&["listen", "-k", "0"], "ANSWER\n");
    late_answer(&["relay", "tcp-l:0"], "ANSWER\n");
    // The terminal echoes the request.
    late_answer(&["listen", "-k", "--pty", "0"], "req\r\nANSWER\r\n");
}

#[test]
fn a_program_that_reads_ten_bytes_of_fifty_thousand_gives_its_whole_answer() {
    let script = "head -c 10 >/dev/null; head -c 200000 /dev/zero; printf END";
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", script]);
    let port = listener.port();
    for _ in 0..5 {
        let stream = connect(port);
        (&stream).write_all(&[b'q'; 10]).unwrap();
        (&stream).write_all(&[b'q'; 50_000]).unwrap();
        let answer = read_all(&stream);
        assert_eq!((answer.len(), &answer[200_000..]), (200_003, &b"END"[..]));
    }
}

/// How long after its client a child has gone.
fn child_is_gone_after(reset: bool) -> Duration {
    let mut listener = spile(["listen", "-k", "0", "--", "sleep", "600"]);
    let stream = connect(listener.port());
    (&stream).write_all(b"x").unwrap();
    wait_until("the child runs", || children(listener.pid()).len() == 1);
    let child = children(listener.pid())[0];
    if reset {
        // The byte must be read first, or the close resets anyway.
        std::thread::sleep(Duration::from_millis(100));
        reset_on_close(&stream);
    }
    drop(stream);
    let closed = Instant::now();
    wait_until("the child is gone", || !is_alive(child));
    closed.elapsed()
}

#[test]
fn a_child_is_gone_soon_after_its_client_closed() {
    in_time(Duration::from_millis(1500), || child_is_gone_after(false));
}

#[test]
fn a_child_is_gone_soon_after_its_client_reset() {
    in_time(Duration::from_millis(1500), || child_is_gone_after(true));
}

#[test]
fn a_child_has_no_descriptors_beyond_the_three() {
    let mut listener = shell("exec 7</etc/passwd; exec $SPILE listen -k 0 -- sh -c 'echo /proc/$$/fd/*'");
    let stream = connect(listener.port());
    let fds = String::from_utf8(read_all(&stream)).unwrap();
    let numbers: Vec<_> = fds.split_whitespace().filter_map(|path| path.rsplit('/').next()).collect();
    // One more may be the directory that the shell's own glob has open.
    assert!(!numbers.contains(&"7") && numbers.len() <= 4, "{fds}");
}

#[test]
fn a_child_has_default_signals_and_an_empty_mask() {
    let mut listener = spile(["listen", "-k", "0", "--", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]);
    let stream = connect(listener.port());
    let text = String::from_utf8(read_all(&stream)).unwrap();
    for line in text.lines() {
        let mask = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        // Bits 31 and 32 are glibc's own two signals.
        assert_eq!(mask & 0x7fff_ffff, 0, "{text}");
    }
}

#[test]
fn head_takes_what_it_wants_and_we_die_of_sigpipe_quietly() {
    let port = server(|stream| {
        let chunk = [b'z'; 65536];
        while (&stream).write_all(&chunk).is_ok() {}
    });
    shell(&format!("$SPILE connect 127.0.0.1 {port} | head -c1 >/dev/null; echo ${{PIPESTATUS[0]}}"))
        .ends()
        .exits(0)
        .says("141\n")
        .complains("");
}

#[test]
fn a_reset_of_the_backend_reaches_the_client_as_a_reset() {
    let backend = server(|stream| {
        let mut byte = [0];
        (&stream).read_exact(&mut byte).unwrap();
        (&stream).write_all(b"part").unwrap();
        std::thread::sleep(Duration::from_millis(100)); // let the part go ahead of the reset
        reset_on_close(&stream);
    });
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{backend}")]);
    let stream = connect(relay.port());
    (&stream).write_all(b"x").unwrap();
    let (mut got, mut buffer) = (Vec::new(), [0; 64]);
    let error = loop {
        match (&stream).read(&mut buffer) {
            Ok(0) => panic!("a clean end after {got:?}"),
            Ok(n) => got.extend_from_slice(&buffer[..n]),
            Err(why) => break why,
        }
    };
    assert_eq!((error.kind(), &got[..]), (std::io::ErrorKind::ConnectionReset, &b"part"[..]));
    spile(["connect", &format!("127.0.0.1:{backend}")])
        .sends("x")
        .ends()
        .exits(18)
        .says("part")
        .complains("reset");
}

#[test]
fn a_udp_reply_after_a_while_is_received_and_then_we_end() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    let port = peer.local_addr().unwrap().port().to_string();
    let client = spile(["connect", "-u", "127.0.0.1", &port]).sends("query").eof();
    let mut buffer = [0; 64];
    let (n, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"query");
    std::thread::sleep(Duration::from_millis(200)); // the scenario: a slow reply
    peer.send_to(b"answer", from).unwrap();
    client.ends().exits(0).says("answer");
}

#[test]
fn a_udp_client_leaves_after_as_many_replies_as_it_wants() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    let port = peer.local_addr().unwrap().port().to_string();
    let client =
        spile(["connect", "-u", "-W1", "--reply-timeout", "1h", "127.0.0.1", &port]).sends("q").eof();
    let (_, from) = peer.recv_from(&mut [0; 64]).unwrap();
    peer.send_to(b"a", from).unwrap();
    client.ends().exits(0).says("a");
}

#[test]
fn an_empty_datagram_does_not_end_a_udp_listener() {
    let mut listener = spile(["listen", "-u", "0"]);
    let port = listener.port();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    for part in [&b"one"[..], b"", b"two"] {
        peer.send_to(part, ("127.0.0.1", port)).unwrap();
    }
    listener.read(b"onetwo");
    assert!(listener.is_running());
}

#[test]
fn a_datagram_of_sixty_thousand_bytes_arrives_whole() {
    let mut listener = spile(["listen", "-u", "0"]);
    let port = listener.port();
    let bytes = vec![b'A'; 60_004];
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&bytes, ("127.0.0.1", port)).unwrap();
    listener.read(&bytes);
}

#[test]
fn zero_io_to_a_closed_udp_port_fails() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    spile(["connect", "-zu", "127.0.0.1", &closed]).ends().exits(7).complains("refused");
    let open = UdpSocket::bind("127.0.0.1:0").unwrap();
    spile(["connect", "-zu", "127.0.0.1", &open.local_addr().unwrap().port().to_string()]).ends().exits(0);
}

#[test]
fn a_stale_unix_socket_is_replaced_and_removed_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let mut listener = spile(["listen", "-k", path.to_str().unwrap()]);
    listener.line("listening unix");
    spile(["connect", "-z", path.to_str().unwrap()]).ends().exits(0);
    listener.signal("TERM");
    listener.ends().exits(143);
    assert!(!path.exists());
}

#[test]
fn a_live_unix_socket_is_left_to_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let _owner = UnixListener::bind(&path).unwrap();
    spile(["listen", path.to_str().unwrap()]).ends().exits(7).complains("in use");
    assert!(path.exists());
    let file = dir.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    spile(["listen", file.to_str().unwrap()]).ends().exits(7).complains("no socket");
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
}

#[test]
fn a_port_alone_is_both_loopbacks_on_one_port() {
    let mut relay = spile(["relay", "tcp-l:0", "echo"]);
    let port = relay.port();
    relay.line(&format!("listening tcp 127.0.0.1:{port}"));
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        relay.line(&format!("listening tcp [::1]:{port}"));
        assert!(TcpStream::connect(("::1", port)).is_ok());
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
}

#[test]
fn every_interface_is_one_dual_stack_socket() {
    let mut relay = spile(["relay", "tcp-l::0", "echo"]);
    let port = relay.port();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(TcpStream::connect(("::1", port)).is_ok());
    }
}

#[test]
fn the_port_that_is_told_can_be_connected_to_at_once() {
    for _ in 0..20 {
        let mut relay = spile(["relay", "tcp-l:0", "echo"]);
        let stream = connect(relay.port());
        (&stream).write_all(b"hi").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&stream), b"hi");
    }
}

#[test]
fn out_of_descriptors_a_listener_pauses_and_recovers() {
    let mut relay = shell("ulimit -n 16; exec $SPILE relay tcp-l:127.0.0.1:0 echo");
    let port = relay.port();
    let clients: Vec<_> = (0..30).map(|_| connect(port)).collect();
    relay.line("spile relay: ");
    let before = relay.cpu();
    std::thread::sleep(Duration::from_secs(1)); // what is measured is one second of doing nothing
    assert!(relay.cpu() - before < 0.10, "{} s of CPU in one second", relay.cpu() - before);
    drop(clients);
    wait_until("it serves again", || {
        let stream = connect(port);
        stream.shutdown(Shutdown::Write).is_ok() && {
            let mut rest = Vec::new();
            (&stream).read_to_end(&mut rest).is_ok()
        }
    });
}

#[test]
fn a_listener_restarts_on_a_port_in_time_wait() {
    let mut first = spile(["listen", "0"]);
    let port = first.port();
    let client = spile(["connect", "-d", "127.0.0.1", &port.to_string()]);
    first.close_stdin();
    client.ends().exits(0);
    first.ends().exits(0);
    let mut second = spile(["listen", &port.to_string()]);
    assert_eq!(second.port(), port);
}

#[test]
fn term_lets_a_live_connection_finish_and_leaves_no_orphan() {
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", "read line; echo got $line"]);
    let stream = connect(listener.port());
    wait_until("the child runs", || children(listener.pid()).len() == 1);
    let child = children(listener.pid())[0];
    listener.signal("TERM");
    wait_until("no new peers", || TcpStream::connect(stream.peer_addr().unwrap()).is_err());
    (&stream).write_all(b"it\n").unwrap();
    assert_eq!(read_all(&stream), b"got it\n");
    listener.ends().exits(0);
    assert!(!is_alive(child));
}

#[test]
fn a_second_term_ends_everything_at_once() {
    let mut listener = spile(["listen", "-kv", "0", "--", "sleep", "600"]);
    let _stream = connect(listener.port());
    wait_until("the child runs", || children(listener.pid()).len() == 1);
    let child = children(listener.pid())[0];
    listener.signal("TERM");
    listener.line("spile listen: stopping");
    listener.signal("TERM");
    listener.ends().exits(143);
    wait_until("the child is gone", || !is_alive(child));
}

#[test]
fn a_quarter_gibibyte_from_stdin_to_a_sink_is_intact() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let sender = std::sync::Arc::new(sender);
    let port = server(move |stream| {
        let sum =
            Command::new("sha256sum").stdin(std::os::fd::OwnedFd::from(stream)).output().unwrap().stdout;
        sender.lock().unwrap().send(sum).unwrap();
    });
    let producer =
        "openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 -in /dev/zero 2>/dev/null | head -c 268435456";
    shell(&format!("{producer} | $SPILE connect 127.0.0.1 {port}")).eof().ends().exits(0);
    let wanted = shell(&format!("{producer} | sha256sum")).eof().ends().stdout;
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), wanted);
}
