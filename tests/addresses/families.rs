//! Every family of addresses carries bytes, by the rules of that family.

use std::io::{Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use crate::harness::*;

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Sends to a relay's port and reads the answer to its end.
fn through(relay: &mut Process, bytes: &[u8]) -> Vec<u8> {
    let stream = connect(relay.port());
    (&stream).write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}

fn relay_to(right: &str) -> Process {
    spile(["relay", "tcp-l:127.0.0.1:0", right])
}

#[test]
fn echo_null_discard_text_and_zero_do_as_they_are_called() {
    assert_eq!(through(&mut relay_to("echo"), b"back"), b"back");
    assert_eq!(through(&mut relay_to("null"), b"gone"), b"");
    assert_eq!(through(&mut relay_to("discard"), b"gone"), b"");
    assert_eq!(through(&mut relay_to(r"text:hi\x21\n"), b"gone"), b"hi!\n");
    let mut zero = relay_to("zero");
    let stream = connect(zero.port());
    let mut bytes = [1; 100_000];
    (&stream).read_exact(&mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == 0));
}

#[test]
fn a_program_is_an_endpoint_with_or_without_a_shell() {
    assert_eq!(through(&mut relay_to("sh:tr a b | rev"), b"aac\n"), b"cbb\n");
    assert_eq!(through(&mut relay_to("exec:tr 'a c' xyz"), b"a c\n"), b"xyz\n");
    assert_eq!(through(&mut relay_to("exec,pipes=no:cat"), b"pair"), b"pair");
    assert_eq!(through(&mut relay_to("sh,stderr=merge:echo out; echo err >&2"), b""), b"out\nerr\n");
    assert_eq!(through(&mut relay_to("sh,stderr=null,dir=/:pwd; echo err >&2"), b""), b"/\n");
}

#[test]
fn the_status_of_a_single_program_is_ours() {
    for (script, status) in [("exit 3", 3), ("kill -KILL $$", 137), ("exit 0", 0)] {
        spile(["relay", "null", &format!("sh:{script}")]).ends().exits(status);
    }
    let mut listener = spile(["listen", "0", "--", "sh", "-c", "exit 5"]);
    let stream = connect(listener.port());
    assert_eq!(read_all(&stream), b"");
    listener.ends().exits(5);
    spile(["relay", "null", "exec:/no/such/program"]).ends().exits(127).complains("no such program");
    spile(["relay", "null", "exec:/etc/passwd"]).ends().exits(126);
    spile(["relay", "null", "exec,dir=/nowhere:true"]).ends().exits(125).complains("/nowhere");
}

#[test]
fn a_program_on_a_terminal_has_one_and_controls_it() {
    let answer =
        through(&mut relay_to("sh,pty,echo=no,cols=77,rows=11:tty; stty size; cat </dev/tty"), b"line\n");
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("/dev/pts/") && answer.contains("11 77") && answer.contains("line"),
        "{answer:?}"
    );
}

#[test]
fn a_child_is_told_whom_it_serves() {
    let script = "echo $SPILE_PROTO $SPILE_PEER_ADDR $SPILE_PEER_PORT $SPILE_LOCAL_ADDR $SPILE_LOCAL_PORT $SPILE_CONN_ID";
    let mut listener = spile(["listen", "-k", "127.0.0.1:0", "--", "sh", "-c", script]);
    let port = listener.port();
    for id in 1..=2 {
        let stream = connect(port);
        let own = stream.local_addr().unwrap().port();
        let told = String::from_utf8(read_all(&stream)).unwrap();
        assert_eq!(told, format!("tcp 127.0.0.1 {own} 127.0.0.1 {port} {id}\n"));
    }
}

#[test]
fn files_are_read_on_the_left_and_written_on_the_right() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::write(&from, noise(1, 300_000)).unwrap();
    spile(["relay", &format!("file:{}", text(&from)), &format!("file:{}", text(&to))]).ends().exits(0);
    assert_eq!(std::fs::read(&to).unwrap(), noise(1, 300_000));
    // A bare path that exists is the same.
    let refused = spile(["relay", &text(&from), &text(&to)]).ends().exits(2);
    assert!(refused.stderr.contains("append") && refused.stderr.contains("create"), "{}", refused.stderr);
    assert_eq!(std::fs::metadata(&to).unwrap().len(), 300_000);
    spile(["relay", "text:more", &format!("file:{},append", text(&to))]).ends().exits(0);
    assert!(std::fs::read(&to).unwrap().ends_with(b"more"));
    spile(["relay", "text:new", &format!("file:{},create,mode=600", text(&to))]).ends().exits(0);
    assert_eq!(std::fs::read(&to).unwrap(), b"new");
    spile(["relay", "file:/no/such/file", "stdio"]).ends().exits(7).complains("/no/such/file");
    spile(["relay", "zero", "file:/dev/full"]).ends().exits(1).complains("No space");
}

#[test]
fn two_addresses_joined_read_from_one_and_write_to_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::write(&from, "question").unwrap();
    let left = format!("file:{}!!file:{}", text(&from), text(&to));
    spile(["relay", &left, "sh:rev"]).ends().exits(0);
    assert_eq!(std::fs::read(&to).unwrap(), b"noitseuq");
}

#[test]
fn a_fifo_is_made_and_waits_for_the_other_side() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    let reader = spile(["relay", &format!("fifo:{}", text(&path)), "stdio"]);
    wait_until("the fifo is there", || path.exists());
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"through").unwrap();
    reader.ends().exits(0).says("through");
}

#[test]
fn descriptors_of_the_shell_can_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = text(&dir.path().join("f"));
    shell(&format!("echo in >{path}; $SPILE relay fd:3 stdio 3<{path}")).ends().exits(0).says("in\n");
    shell(&format!("$SPILE relay text:out fd:3 3>{path}; cat {path}")).ends().exits(0).says("out");
    for number in [3, 4, 5, 77] {
        // Numbers that spile's own descriptors have by then are as little open as the others.
        spile(["relay", &format!("fd:{number}"), "stdio"]).ends().exits(7).complains("not open");
    }
    let late = "exec 7>&1; exec $SPILE relay --once tcp-l:127.0.0.1:0 fd:7";
    let mut relay = shell(late);
    let stream = connect(relay.port());
    (&stream).write_all(b"late").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    relay.ends().exits(0).says("late");
}

#[test]
fn unix_stream_sockets_work_both_ways_and_are_private_when_asked() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (front, back) = (dir.path().join("front"), dir.path().join("back"));
    let listener = UnixListener::bind(&back).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        stream.read_to_end(&mut request).unwrap();
        request.reverse();
        stream.write_all(&request).unwrap();
    });
    let mut relay = spile(["relay", &format!("unix-l:{},mode=600", text(&front)), &text(&back)]);
    relay.line("listening unix");
    assert_eq!(std::fs::metadata(&front).unwrap().permissions().mode() & 0o777, 0o600);
    spile(["connect", &text(&front)]).sends("abc").eof().ends().exits(0).says("cba");
    serving.join().unwrap();
    let long = format!("./{}", "x".repeat(120));
    spile(["connect", &long]).ends().exits(2).complains("longer than 107");
}

#[test]
fn abstract_names_need_no_file() {
    let name = format!("@spile-test-{}", std::process::id());
    let mut relay = spile(["relay", &format!("unix-l:{name}"), "echo"]);
    relay.line(&format!("listening unix {name}"));
    spile(["connect", &name]).sends("hi").eof().ends().exits(0).says("hi");
}

#[test]
fn seqpacket_keeps_records_apart_and_an_empty_one_is_no_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = text(&dir.path().join("s"));
    let mut relay = spile(["relay", &format!("seqpacket-l:{path}"), &format!("sh:cat >{path}.out")]);
    relay.line("listening seqpacket");
    let script = format!(
        "import socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.connect('{path}'); \
         s.send(b'one'); s.send(b''); s.send(b'two'); s.shutdown(1); s.recv(1)"
    );
    program("python3", &["-c", &script]).ends().exits(0);
    wait_until("both records", || std::fs::read(format!("{path}.out")).unwrap_or_default() == b"onetwo");
    spile(["relay", "text:x", &format!("unix:{path}")]).ends().exits(7).complains("seqpacket");
}

#[test]
fn unix_datagrams_keep_their_bounds_and_can_be_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (path, own) = (dir.path().join("s"), dir.path().join("own"));
    let mut relay = spile(["relay", &format!("unix-dgram-l:{}", text(&path)), "echo"]);
    relay.line("listening unix-dgram");
    let peer = UnixDatagram::bind(&own).unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    peer.send_to(b"hello", &path).unwrap();
    let mut buffer = [0; 64];
    let n = peer.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"hello");
    let client = ["relay", "text:from a client", &format!("unix-dgram:{}", text(&own))];
    spile(client).ends().exits(0);
    let n = peer.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"from a client");
}

#[test]
fn udp_peers_have_a_session_each() {
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", "sh:while read l; do echo \"$$ $l\"; done"]);
    let port = relay.port();
    let ask = |peer: &UdpSocket, text: &str| {
        peer.send_to(text.as_bytes(), ("127.0.0.1", port)).unwrap();
        let mut buffer = [0; 64];
        let (n, _) = peer.recv_from(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    };
    let peers = [UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap()];
    peers.iter().for_each(|peer| peer.set_read_timeout(Some(DEADLINE)).unwrap());
    let pid = |answer: String| answer.split_whitespace().next().unwrap().to_owned();
    let first: Vec<_> = peers.iter().map(|peer| pid(ask(peer, "a\n"))).collect();
    let second: Vec<_> = peers.iter().map(|peer| pid(ask(peer, "b\n"))).collect();
    assert_ne!(first[0], first[1]);
    assert_eq!(first, second);
}

#[test]
fn a_udp_answer_comes_from_the_address_that_was_asked() {
    let mut relay = spile(["relay", "udp-l::0", "echo"]);
    let port = relay.port();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    for asked in ["127.0.0.2", "127.0.0.3"] {
        peer.connect((asked, port)).unwrap();
        peer.send(b"hi").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(peer.recv(&mut buffer).unwrap(), 2, "from {asked}");
    }
}

#[test]
fn a_relay_of_datagrams_keeps_their_bounds() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let to = format!("udp:127.0.0.1:{}", server.local_addr().unwrap().port());
    let mut relay = spile(["relay", "udp-l:127.0.0.1:0", &to]);
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.connect(("127.0.0.1", relay.port())).unwrap();
    for len in [1, 0, 1500, 60_000] {
        peer.send(&noise(2, len)).unwrap();
        let mut buffer = vec![0; 65_536];
        let (n, _) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(buffer[..n], noise(2, len));
    }
}

#[test]
fn a_pty_is_found_under_its_link() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("tty");
    let mut relay = spile(["relay", &format!("pty,raw,link={}", text(&link)), "exec:sed -u s/a/b/g"]);
    relay.line("spile relay: pty /dev/pts/");
    let script = format!("exec 3<>{}; echo aha >&3; head -n1 <&3", text(&link));
    shell(&script).ends().exits(0).says("bhb\n");
    relay.signal("TERM");
    relay.ends().exits(143);
    assert!(!link.is_symlink());
}

#[test]
fn a_socket_can_come_from_systemd() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let mut command = std::process::Command::new("systemd-socket-activate");
    command.args(["-l", &text(&path), SPILE, "relay", "systemd", "echo"]);
    let _activated = start(command);
    wait_until("the socket is there", || path.exists());
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"woken").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"woken");
    spile(["relay", "systemd", "echo"]).ends().exits(7).complains("LISTEN_FDS");
}

#[test]
fn options_reach_the_socket() {
    let port = server(|stream| drop(read_all(&stream)));
    let address = format!("tcp:127.0.0.1:{port},bind=127.0.0.9,sndbuf=64K,tos=16,ttl=9,sockopt=tcp:9=30");
    let client = "strace -D -f -e trace=setsockopt,bind -o /dev/stderr $SPILE relay null";
    let seen = shell(&format!("{client} {address}")).ends().exits(0).stderr;
    for call in [
        "127.0.0.9",
        "SO_SNDBUF, [65536]",
        "IP_TOS, [16]",
        "IP_TTL, [9]",
        "TCP_DEFER_ACCEPT, [30]",
        "TCP_NODELAY, [1]",
    ] {
        assert!(seen.contains(call), "{call} is not in {seen}");
    }
}

#[test]
fn vsock_connects_to_itself_where_the_kernel_can() {
    if !Path::new("/dev/vsock").exists() {
        spile(["connect", "vsock:1:9999"]).ends().exits(7).complains("vsock");
        return skipped("there is no vsock here: that it fails is all that was tried");
    }
    let mut relay = spile(["relay", "vsock-l:40123", "echo"]);
    relay.line("listening vsock");
    let answer = spile(["connect", "vsock:1:40123"]).sends("hi").eof().ends();
    if answer.status == 7 {
        return skipped("vsock does not connect to itself here (modprobe vsock_loopback)");
    }
    answer.exits(0).says("hi");
}
