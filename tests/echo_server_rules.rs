//! echo-server: who is not answered, and limits that are of all addresses together.

mod harness;

use std::io::Write;
use std::net::{Shutdown, UdpSocket};

use harness::echo::{Echo, asked, exactly, udp};
use harness::*;

#[test]
fn who_would_answer_our_answer_gets_none() {
    let server = Echo::start(&["udp-l:127.0.0.2:0"]);
    let port = server.port();
    // The same port as ours on another address: another echo server, or one that a forged sender names.
    let mirror = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    mirror.send_to(b"ping", ("127.0.0.2", port)).unwrap();
    server.counts("peers_refused", 1);
    let client = udp();
    client.send_to(b"ping", ("127.0.0.2", port)).unwrap();
    assert_eq!(client.recv(&mut [0; 9]).unwrap(), 4);
    if let Ok(small_service) = UdpSocket::bind(("127.0.0.1", 19)) {
        small_service.send_to(b"ping", ("127.0.0.2", port)).unwrap();
        server.counts("peers_refused", 2);
    }
    assert_eq!(server.counters()["sent"], 4);
}

#[test]
fn datagrams_of_other_hosts_are_not_answered_with_more_than_they_had() {
    for mode in ["chargen", "daytime", "time", "whoami"] {
        spile(["echo-server", "--mode", mode, "udp-l::0"])
            .ends()
            .exits(2)
            .complains("answers datagrams with more than they had");
    }
    let server = Echo::start(&["--mode", "daytime", "--amplify", "udp-l::0"]);
    assert!(asked(&udp(), server.port(), b"").ends_with(b"\r\n"));
    // These do not amplify.
    drop(Echo::start(&["udp-l::0", "tcp-l::0"]));
    drop(Echo::start(&["--mode", "discard", "udp-l::0"]));
    drop(Echo::start(&["--mode", "chargen", "tcp-l::0"]));
}

#[test]
fn limits_are_of_all_addresses_together_and_term_lets_connections_finish() {
    let mut server = Echo::start(&["--max-total", "2", "tcp-l:0", "unix-l:DIR/u"]);
    let first = server.connect();
    (&first).write_all(b"x").unwrap();
    exactly(&first, 1);
    spile(["connect", &server.path("u")]).sends("y").eof().ends().exits(0).says("y");
    // The first one may still finish.
    assert!(server.process.is_running());
    (&first).write_all(b"z").unwrap();
    assert_eq!(exactly(&first, 1), b"z");
    drop(first);
    server.process.ends().exits(0);
    let server = Echo::start(&["tcp-l:0", "udp-l:0"]);
    let stream = server.connect();
    (&stream).write_all(b"x").unwrap();
    exactly(&stream, 1);
    server.process.signal("TERM");
    wait_until("nobody else comes in", || {
        std::net::TcpStream::connect(("127.0.0.1", server.port())).is_err()
    });
    (&stream).write_all(b"still").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), b"still");
    server.process.ends().exits(0);
}

#[test]
fn at_most_so_many_at_once_whichever_address_they_come_by() {
    let server = Echo::start(&["tcp-l:0,max-conns=1", "unix-l:DIR/u,max-conns=1"]);
    let first = server.connect();
    (&first).write_all(b"x").unwrap();
    exactly(&first, 1);
    let mut second = spile(["connect", &server.path("u")]).sends("y");
    server.counts("open", 1);
    assert_eq!(server.counters()["connections"], 1);
    drop(first);
    second.read(b"y");
}
