//! When a session has done its work, as its flags say: -q, -W, -K, --grace, --ignore-child-status, --retry.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use crate::harness::*;

#[test]
fn a_listener_leaves_after_silence_once_its_input_has_ended() {
    let mut listener = spile(["listen", "-q", "300ms", "0"]).sends("all I say").eof();
    let stream = connect(listener.port());
    let mut said = [0; 9];
    (&stream).read_exact(&mut said).unwrap();
    // The peer is still there and silent.
    listener.ends().exits(0);
    assert_eq!(&said, b"all I say");
}

#[test]
fn a_listener_goes_on_sending_after_its_peer_has_ended_only_when_told_to() {
    for flags in [&["-K"][..], &[]] {
        let mut listener = spile([&["listen"], flags, &["0"]].concat());
        let stream = connect(listener.port());
        (&stream).write_all(b"over").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        listener.read(b"over");
        if flags.is_empty() {
            assert_eq!(read_all(&stream), b"");
        } else {
            listener.write(b"and out");
            listener.close_stdin();
            assert_eq!(read_all(&stream), b"and out");
        }
        listener.ends().exits(0);
    }
}

#[test]
fn a_listener_leaves_after_so_many_datagrams() {
    let mut listener = spile(["listen", "-u", "-W2", "127.0.0.1:0"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", listener.port())).unwrap();
    socket.send(b"one ").unwrap();
    listener.read(b"one ");
    assert!(listener.is_running());
    socket.send(b"two").unwrap();
    listener.ends().exits(0).says("two");
}

#[test]
fn a_command_has_so_long_to_end_once_its_peer_is_gone() {
    let port = server(|stream| {
        (&stream).read_exact(&mut [0]).unwrap();
        reset_on_close(&stream);
    });
    let started = Instant::now();
    let script = "trap '' HUP TERM; echo; while :; do sleep 0.1; done";
    let address = format!("127.0.0.1:{port}");
    spile(["connect", "--grace", "200ms", &address, "--", "sh", "-c", script]).ends().exits(18);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn the_status_of_a_relays_program_may_be_ignored() {
    spile(["relay", "null", "sh:exit 3"]).ends().exits(3);
    spile(["relay", "--ignore-child-status", "null", "sh:exit 3"]).ends().exits(0);
}

#[test]
fn trying_again_for_ever_has_a_word_of_its_own() {
    let port = closed_port();
    let client = spile(["connect", "--retry", "forever", &format!("127.0.0.1:{port}")]).sends("at last");
    let started = Instant::now();
    let mut client = client.eof();
    while started.elapsed() < Duration::from_millis(500) {
        assert!(client.is_running());
        std::thread::sleep(Duration::from_millis(20));
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(read_all(&listener.accept().unwrap().0), b"at last");
    client.ends().exits(0);
    spile(["connect", "--retry", "often", "127.0.0.1:1"]).ends().exits(2).complains("'forever'");
    spile(["relay", "--explain", "-", "tcp:127.0.0.1:1,retry=forever"]).ends().exits(0);
}

#[test]
fn a_command_is_told_of_an_ipv6_connection_as_each_tool_writes_it() {
    let names = "SOCAT_PEERADDR NCAT_REMOTE_ADDR TCPREMOTEIP PROTO";
    let script = format!("for name in {names}; do eval echo \\$$name; done");
    for (flags, told) in [
        (&["--compat-env"][..], "[0000:0000:0000:0000:0000:0000:0000:0001]\n::1\n::1\nTCP\n"),
        (&[], "\n\n\n\n"),
    ] {
        let words = [&["listen"], flags, &["[::1]:0", "--", "sh", "-c", &script]].concat();
        let mut listener = spile(words);
        let stream = std::net::TcpStream::connect(("::1", listener.port())).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        assert_eq!(String::from_utf8(read_all(&stream)).unwrap(), told);
    }
}

#[test]
fn what_a_command_has_said_is_not_lost_to_a_slow_peer_once_it_has_ended() {
    let mut listener = spile(["listen", "--sndbuf", "4096", "0", "--", "head", "-c", "100000", "/dev/zero"]);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let address: std::net::SocketAddr = ([127, 0, 0, 1], listener.port()).into();
    socket.connect(&address.into()).unwrap();
    let stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // The time that a grandchild's output is given, and half as much again: there is nothing else to wait for.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(read_all(&stream).len(), 100_000);
    listener.ends().exits(0);
}
