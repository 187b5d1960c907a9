//! An option that is accepted does something: the pairs of scheme and option that once did not.

use std::io::Read;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::*;

/// A Unix socket whose queue is full.
fn full_unix_socket(path: &str) -> (UnixListener, Vec<socket2::Socket>) {
    let listener = UnixListener::bind(path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let connect = || {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.connect(&socket2::SockAddr::unix(path).unwrap()).map(|()| socket)
    };
    let held = std::iter::from_fn(|| connect().ok()).take(10).collect();
    (listener, held)
}

#[test]
fn connect_timeout_holds_for_a_unix_socket_whose_queue_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let (listener, held) = full_unix_socket(&path);
    let started = Instant::now();
    spile(["connect", "-w", "300ms", &path]).ends().exits(124).complains("--connect-timeout");
    assert!((Duration::from_millis(300)..Duration::from_secs(2)).contains(&started.elapsed()));
    let waiting = spile(["connect", "-d", &path]);
    for _ in 0..=held.len() {
        drop(listener.accept().unwrap());
    }
    waiting.ends().exits(0);
}

#[test]
fn each_of_two_joined_addresses_is_tried_as_often_as_it_says() {
    let port = closed_port();
    let joined = format!("null!!tcp:127.0.0.1:{port},retry-for=10s,retry-delay=20ms");
    let relay = spile(["relay", "text:at last", &joined]);
    std::thread::sleep(Duration::from_millis(200)); // the scenario: the server comes late
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(read_all(&listener.accept().unwrap().0), b"at last");
    relay.ends().exits(0);
}

/// Runs spile with a bound socket of its own as descriptor 3, as systemd would pass it.
fn with_passed_socket(python_type: &str, path: &str, args: &[&str]) -> Process {
    let script = format!(
        "import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.{python_type}); s.bind('{path}')
if socket.{python_type} != socket.SOCK_DGRAM: s.listen()
os.dup2(s.fileno(), 9); os.dup2(9, 3); os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv('{SPILE}', ['spile'] + sys.argv[1:])"
    );
    program("python3", &[&["-c", &script], args].concat())
}

#[test]
fn a_passed_datagram_socket_takes_the_options_of_sessions() {
    use std::os::unix::net::UnixDatagram;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let mut relay =
        with_passed_socket("SOCK_DGRAM", &path, &["relay", "--session-idle", "300ms", "systemd", "sh:cat"]);
    relay.line("listening systemd");
    let peer = UnixDatagram::bind(dir.path().join("me")).unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    peer.send_to(b"x", &path).unwrap();
    assert_eq!(peer.recv(&mut [0; 9]).unwrap(), 1);
    assert_eq!(children(relay.pid()).len(), 1);
    wait_until("the session is over", || children(relay.pid()).is_empty());
}

#[test]
fn a_passed_socket_refuses_what_its_kind_has_no_use_for() {
    let dir = tempfile::tempdir().unwrap();
    for (number, (kind, option)) in [
        ("SOCK_STREAM", "session-idle=5"),
        ("SOCK_STREAM", "allow=10.0.0.0/8"),
        ("SOCK_STREAM", "mtu=5"),
        ("SOCK_DGRAM", "max-conns=5"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = dir.path().join(number.to_string()).display().to_string();
        let name = option.split('=').next().unwrap();
        let ended = with_passed_socket(kind, &path, &["relay", &format!("systemd,{option}"), "echo"]).ends();
        ended.exits(2).complains(name);
    }
    let closed = format!("exec 3<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec {SPILE} relay systemd echo");
    shell(&closed).ends().exits(7).complains("not open");
    let (path, rules) = (dir.path().join("p"), dir.path().join("rules"));
    std::fs::write(&rules, "10.0.0.0/8\n").unwrap();
    let args = ["relay", "--allow-file", rules.to_str().unwrap(), "systemd", "echo"];
    with_passed_socket("SOCK_STREAM", path.to_str().unwrap(), &args).ends().exits(2).complains("IP address");
}

#[test]
fn options_of_messages_hold_for_accepted_seqpacket_connections() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let mut listener = spile(["listen", "--mtu", "10", "--eof-on-empty", &format!("seqpacket:{path}")]);
    listener.line("listening seqpacket");
    let client = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::SEQPACKET, None).unwrap();
    client.connect(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    listener.write(&[b'x'; 25]);
    for len in [10, 10, 5] {
        assert_eq!((&client).read(&mut [0; 100]).unwrap(), len);
    }
    client.send(b"data").unwrap();
    client.send(b"").unwrap(); // and the socket stays open
    listener.ends().exits(0).says("data");
}

/// Starts `relay ADDRESS echo` under strace, runs `client`, and waits until strace has seen all of `wanted`.
fn listener_makes_calls(address: &str, client: impl FnOnce(&mut Process), wanted: &[(&str, usize)]) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let trace = format!("strace -D -qq -f -e trace=setsockopt -o {}", log.display());
    let mut relay = shell(&format!("exec {trace} $SPILE relay {address} echo"));
    client(&mut relay);
    for (call, times) in wanted {
        wait_until(&format!("{call} {times} times"), || {
            std::fs::read_to_string(&log).unwrap().matches(call).count() == *times
        });
    }
}

#[test]
fn a_buffer_size_reaches_the_connections_of_a_unix_listener() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let client = |relay: &mut Process| {
        relay.line("listening unix");
        UnixStream::connect(&path).unwrap();
    };
    listener_makes_calls(&format!("unix-l:{path},sndbuf=12345"), client, &[("SO_SNDBUF, [12345]", 2)]);
}

#[test]
fn hops_and_type_of_service_reach_both_kinds_of_peers_of_a_dual_stack_socket() {
    let mut wanted = vec![("IP_TTL, [9]", 1), ("IP_TOS, [16]", 1)];
    if TcpListener::bind("[::1]:0").is_ok() {
        wanted.extend([("IPV6_UNICAST_HOPS, [9]", 1), ("IPV6_TCLASS, [16]", 1)]);
    }
    let client = |relay: &mut Process| {
        relay.port();
    };
    listener_makes_calls("tcp-l::0,ttl=9,tos=16", client, &wanted);
}

#[test]
fn the_echo_of_our_terminal_can_be_turned_off_alone() {
    use rustix::termios::{LocalModes, tcgetattr};
    let terminal = nix::pty::openpty(None, None).unwrap();
    let modes = || tcgetattr(terminal.slave.as_fd()).unwrap().local_modes;
    let before = modes();
    let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut child = Command::new(SPILE)
        .args(["relay", "-,echo=no", "echo"])
        .stdin(slave())
        .stdout(slave())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the echo is off", || !modes().contains(LocalModes::ECHO));
    assert_eq!(modes() | LocalModes::ECHO, before, "nothing else is changed");
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    wait_until("it ends", || child.try_wait().unwrap().is_some());
    assert_eq!(modes(), before);
}

#[test]
fn a_bare_path_refuses_what_the_thing_there_has_no_use_for() {
    let dir = tempfile::tempdir().unwrap();
    let (file, socket) = (dir.path().join("f"), dir.path().join("s"));
    std::fs::write(&file, "x").unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    let file = format!("{},connect-timeout=5", file.display());
    spile(["relay", &file, "null"]).ends().exits(2).complains("connect-timeout");
    spile(["relay", "null", &format!("{},append", socket.display())]).ends().exits(2).complains("append");
}
