//! Listeners: addresses, restarts, access rules, limits, drain, and who may have which socket path.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use crate::harness::*;

fn answers(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut got = Vec::new();
    (&stream).write_all(b"ping").is_ok()
        && stream.shutdown(Shutdown::Write).is_ok()
        && (&stream).read_to_end(&mut got).is_ok()
        && got == b"ping"
}

#[test]
fn s28_a_port_in_use_is_refused_and_shared_only_on_request() {
    let mut first = spile(["relay", "tcp-l:127.0.0.1:0", "echo"]);
    let port = first.port();
    spile(["relay", &format!("tcp-l:127.0.0.1:{port}"), "echo"]).ends().exits(7).complains("in use");
    spile(["listen", &port.to_string()]).ends().exits(7).complains("in use");
    let mut one = spile(["relay", "tcp-l:127.0.0.1:0,reuseport", "echo"]);
    let port = one.port();
    let mut two = spile(["relay", &format!("tcp-l:127.0.0.1:{port},reuseport"), "echo"]);
    assert_eq!(two.port(), port);
}

#[test]
fn s29_v4_peers_of_a_dual_stack_socket_are_called_by_their_v4_address() {
    let mut listener = spile([
        "listen",
        "-kv",
        ":0",
        "--",
        "sh",
        "-c",
        "echo $SPILE_PEER_ADDR $SPILE_LOCAL_ADDR $SPILE_PROTO",
    ]);
    let port = listener.port();
    assert_eq!(read_all(&connect(port)), b"127.0.0.1 127.0.0.1 tcp\n");
    let line = listener.line("spile listen: [1]");
    assert!(line.contains("127.0.0.1:") && !line.contains("ffff"), "{line}");
}

#[test]
fn s29_rules_for_v4_networks_hold_on_a_dual_stack_socket() {
    for (rule, allowed) in [
        ("allow=127.0.0.0/8", true),
        ("allow=10.0.0.0/8", false),
        ("deny=127.0.0.1", false),
        ("deny=10.0.0.0/8", true),
        ("allow=127.0.0.0/8,deny=127.0.0.1/32", false),
    ] {
        let mut relay = spile(["relay", &format!("tcp-l,{rule}::0"), "echo"]);
        assert_eq!(answers(relay.port()), allowed, "{rule}");
    }
}

#[test]
fn s29_a_host_without_ipv6_makes_do_with_ipv4() {
    let none = "socket:error=EAFNOSUPPORT";
    let mut every = with_failing_calls(&format!("{none}:when=1"), "relay tcp-l::0 echo");
    let port = every.line("listening tcp 0.0.0.0:").parse().unwrap();
    assert!(answers(port));
    let mut loopback = with_failing_calls(&format!("{none}:when=2"), "relay tcp-l:0 echo");
    let port = loopback.line("listening tcp 127.0.0.1:").parse().unwrap();
    assert!(answers(port));
}

#[test]
fn s31_a_peer_that_is_gone_before_it_is_accepted_disturbs_nobody() {
    for error in ["ECONNABORTED", "EPROTO", "EINTR"] {
        let inject = format!("accept4:error={error}:when=1..3");
        let mut relay = with_failing_calls(&inject, "relay tcp-l:127.0.0.1:0 echo");
        assert!(answers(relay.port()), "{error}");
        relay.signal("TERM");
        let ended = relay.ends().exits(0);
        assert!(!ended.stderr.contains("cannot accept"), "{ended:?}");
    }
}

#[test]
fn s31_a_lack_that_accept_tells_of_is_waited_out_and_told_once() {
    for error in ["ENFILE", "EMFILE", "ENOBUFS", "ENOMEM"] {
        let inject = format!("accept4:error={error}:when=1..3");
        let mut relay = with_failing_calls(&inject, "relay tcp-l:127.0.0.1:0 echo");
        assert!(answers(relay.port()), "{error}");
        relay.signal("TERM");
        let ended = relay.ends().exits(0);
        assert_eq!(ended.stderr.matches("cannot accept").count(), 1, "{ended:?}");
    }
}

#[test]
fn s30_a_port_file_and_a_ready_descriptor_tell_when_peers_can_connect() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let line = format!("exec $SPILE relay --port-file {} --ready-fd 1 tcp-l:0 echo", file.display());
    let mut relay = shell(&line);
    relay.read(b"\n");
    let port: u16 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    assert!(answers(port));
    relay.signal("TERM");
    relay.ends().exits(0);
    assert!(!file.exists());
}

#[test]
fn s30_systemd_is_told_when_peers_can_connect() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let relay = shell(&format!("NOTIFY_SOCKET={} exec $SPILE relay tcp-l:0 echo", path.display()));
    let mut buffer = [0; 200];
    let n = socket.recv(&mut buffer).unwrap();
    assert!(String::from_utf8_lossy(&buffer[..n]).contains("READY=1"));
    relay.signal("TERM");
    relay.ends().exits(0);
}

#[test]
fn s32_many_who_connect_at_once_are_all_served_at_once() {
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    let connect_many = move || {
        let mut all = Vec::new();
        let slowest = (0..25).map(|_| {
            let started = Instant::now();
            all.push(connect(port));
            started.elapsed()
        });
        slowest.max().unwrap()
    };
    // Who loses a SYN says it again after a second.
    in_time(Duration::from_millis(950), || {
        let threads: Vec<_> = (0..20).map(|_| std::thread::spawn(connect_many)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    });
    let queue = tcp_sockets(&format!("sport = :{port}"));
    assert!(queue.lines().any(|line| line.starts_with("LISTEN") && line.contains(" 1024 ")), "{queue}");
}

#[test]
fn s33_the_mode_of_a_unix_socket_holds_from_its_first_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let trace = "strace -D -qq -f -e trace=bind,umask,chmod,fchmod,fchmodat,listen -o";
    let log = dir.path().join("log");
    let (trace, log_name) = (format!("{trace} {}", log.display()), &log);
    let line = format!("umask 0; exec {trace} $SPILE relay unix-l:{},mode=600 echo", path.display());
    let mut relay = shell(&line);
    relay.line("listening unix");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let mut calls = String::new();
    wait_until("it is traced", || {
        calls = std::fs::read_to_string(log_name).unwrap();
        calls.contains("listen(")
    });
    let (umask, bind) =
        (calls.find("umask(0177)").or_else(|| calls.find("umask(0777)")), calls.find("bind("));
    assert!(umask.is_some() && umask < bind, "the path was open to others for a moment: {calls}");
}

#[test]
fn s33_a_path_that_is_no_longer_ours_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let mut relay = spile(["relay", &format!("unix-l:{}", path.display()), "echo"]);
    relay.line("listening unix");
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    let inode = std::fs::metadata(&path).unwrap().ino();
    relay.signal("TERM");
    relay.ends().exits(0);
    assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
}

#[test]
fn s33_our_path_is_removed_by_every_signal_that_ends_us() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    for signal in ["TERM", "INT", "HUP"] {
        let mut relay = spile(["relay", &format!("unix-l:{}", path.display()), "echo"]);
        relay.line("listening unix");
        assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
        relay.signal(signal);
        if signal == "HUP" {
            continue; // it may mean: read the rules again
        }
        relay.ends();
        assert!(!path.exists(), "{signal}");
    }
}

#[test]
fn s33_a_path_that_is_too_long_says_so() {
    let path = format!("unix-l:/tmp/{}", "x".repeat(120));
    let ended = spile(["relay", &path, "echo"]).ends();
    assert!(ended.status == 2 || ended.status == 7, "{ended:?}");
    ended.complains("10"); // 107 or 108 bytes
}

#[test]
fn s34_a_child_that_outlives_a_killed_listener_does_not_hold_its_port() {
    let mut listener =
        spile(["listen", "-k", "127.0.0.1:0", "--", "sh", "-c", "trap '' HUP TERM; exec sleep 20 2>&-"]);
    let port = listener.port();
    let _stream = connect(port);
    wait_until("the child runs", || children(listener.pid()).len() == 1);
    let child = children(listener.pid())[0];
    listener.signal("KILL");
    listener.ends();
    let mut second = spile(["listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(second.port(), port);
    let _ = std::process::Command::new("kill").args(["-KILL", &child.to_string()]).status();
}

#[test]
fn s35_silent_clients_neither_delay_others_nor_stay_for_ever() {
    let mut relay = spile(["relay", "--idle-timeout", "700ms", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    let mut silent = Vec::new();
    in_time(Duration::from_millis(300), || {
        silent.extend((0..200).map(|_| connect(port)));
        let started = Instant::now();
        assert!(answers(port));
        started.elapsed()
    });
    for stream in &silent {
        let _ = (&*stream).read(&mut [0; 9]); // ends, by whatever means
    }
    assert!(answers(port));
}

#[test]
fn s35_max_conns_lets_others_wait_their_turn() {
    let mut relay = spile(["relay", "--max-conns", "2", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    let (one, _two) = (connect(port), connect(port));
    let third = connect(port);
    (&third).write_all(b"x").unwrap();
    third.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    let mut byte = [0];
    assert_eq!((&third).read(&mut byte).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(one);
    third.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!((&third).read(&mut byte).unwrap(), 1);
}

#[test]
fn s35_max_total_and_once_end_the_service_when_they_are_served() {
    let mut relay = spile(["relay", "--max-total", "3", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    assert!((0..3).all(|_| answers(port)));
    relay.ends().exits(0);
    let mut listener = spile(["relay", "--once", "tcp-l:127.0.0.1:0", "echo"]);
    assert!(answers(listener.port()));
    listener.ends().exits(0);
}

#[test]
fn a_probe_does_not_use_up_the_one_connection_where_that_is_asked_for() {
    let mut listener = spile(["listen", "--ignore-empty", "0"]);
    let port = listener.port();
    spile(["connect", "-z", "127.0.0.1", &port.to_string()]).ends().exits(0);
    let mut stream = None;
    wait_until("the listener is back", || {
        stream = TcpStream::connect(("127.0.0.1", port)).ok();
        stream.is_some()
    });
    let stream = stream.unwrap();
    (&stream).write_all(b"real").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    listener.ends().exits(0).says("real");
}

#[test]
fn nobody_comes_and_the_accept_timeout_says_so() {
    spile(["listen", "--accept-timeout", "300ms", "0"]).ends().exits(124).complains("--accept-timeout");
    spile(["relay", "--accept-timeout", "300ms", "tcp-l:0", "echo"])
        .ends()
        .exits(124)
        .complains("--accept-timeout");
}

#[test]
fn s37_what_does_not_end_within_the_grace_is_cut() {
    let mut listener = spile(["listen", "-k", "--grace", "400ms", "0", "--", "sleep", "600"]);
    let stream = connect(listener.port());
    wait_until("the child runs", || children(listener.pid()).len() == 1);
    let child = children(listener.pid())[0];
    let started = Instant::now();
    listener.signal("TERM");
    let ended = listener.ends();
    assert!((Duration::from_millis(350)..Duration::from_secs(4)).contains(&started.elapsed()));
    assert!(!ended.stderr.contains("panicked"));
    wait_until("the child is gone", || !is_alive(child));
    let _ = (&stream).read_to_end(&mut Vec::new());
}

#[test]
fn s38_a_backend_that_is_away_resets_the_client_and_the_service_goes_on() {
    let closed = closed_port();
    let mut relay = spile(["relay", "-v", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{closed}")]);
    let port = relay.port();
    for _ in 0..3 {
        let error = (&connect(port)).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    relay.line("spile relay: [1]");
    let backend = std::net::TcpListener::bind(("127.0.0.1", closed)).unwrap();
    let stream = connect(port);
    (&stream).write_all(b"back").unwrap();
    let mut got = [0; 4];
    backend.accept().unwrap().0.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"back");
}

#[test]
fn s46_a_program_for_everybody_on_every_interface_is_warned_about() {
    let mut listener = spile(["listen", "-k", ":0", "--", "cat"]);
    let port = listener.port();
    assert!(answers(port));
    listener.signal("TERM");
    let ended = listener.ends().exits(0);
    let lower = ended.stderr.to_lowercase();
    assert!(
        lower.contains("all interfaces") || lower.contains("any host") || lower.contains("--allow"),
        "{ended:?}"
    );
}

#[test]
fn a_unix_listener_serves_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let mut relay = spile(["relay", &format!("unix-l:{}", path.display()), "echo"]);
    relay.line("listening unix");
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"hello");
}

#[test]
fn a_listener_that_keeps_on_gives_every_peers_bytes_to_the_same_stdout() {
    for flags in [&["-k"][..], &["--max-total", "3"], &["-k", "--recv-only"]] {
        let mut listener = spile([&["listen"], flags, &["127.0.0.1:0"]].concat());
        let port = listener.port();
        for line in ["one\n", "two\n", "three\n"] {
            let mut stream = connect(port);
            stream.write_all(line.as_bytes()).unwrap();
            drop(stream);
            listener.read(line.as_bytes());
        }
        listener.signal_if_running("TERM");
    }
}

#[test]
fn a_listener_that_keeps_on_writes_every_peers_bytes_to_the_same_file_and_ends_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all");
    let mut listener = shell(&format!("exec $SPILE listen --max-total 2 127.0.0.1:0 >{}", path.display()));
    let port = listener.port();
    for line in ["one\n", "two\n"] {
        let stream = connect(port);
        (&stream).write_all(line.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        wait_until("it is written", || std::fs::read_to_string(&path).unwrap().ends_with(line));
        drop(stream);
    }
    listener.eof().ends().exits(0);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
}
