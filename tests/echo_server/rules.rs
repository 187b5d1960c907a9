//! echo-server: who is not answered, and limits that are of all addresses together.

use std::io::{Read, Write};
use std::net::{Shutdown, UdpSocket};

use crate::harness::echo::{Echo, asked, exactly, udp};
use crate::harness::*;

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
    // Whoever never answers need not refuse anybody.
    let server = Echo::start(&["--mode", "discard", "udp-l:127.0.0.2:0"]);
    let mirror = UdpSocket::bind(("127.0.0.1", server.port())).unwrap();
    mirror.send_to(b"ping", ("127.0.0.2", server.port())).unwrap();
    server.counts("received", 4);
    assert_eq!(server.counters()["peers_refused"], 0);
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
    let mut second = spile(["connect", "-v", &server.path("u")]).sends("y");
    second.line_with("connected to");
    // Whoever looks for this looks for the other one, too: it is there already.
    for _ in 0..20 {
        (&first).write_all(b"x").unwrap();
        exactly(&first, 1);
    }
    let counters = server.counters();
    assert_eq!((&counters["connections"], &counters["open"]), (&1.into(), &1.into()));
    drop(first);
    second.read(b"y");
}

#[test]
fn the_last_datagram_peer_of_a_total_is_served_too_until_it_falls_silent() {
    let server = Echo::start(&["--max-total", "2", "--delay", "100ms", "udp-l:0,session-idle=500ms"]);
    for _ in 0..2 {
        assert_eq!(asked(&udp(), server.port(), b"hello"), b"hello");
    }
    server.process.ends().exits(0);
    // Or until the grace is over.
    let server = Echo::start(&["--max-total", "1", "--grace", "300ms", "udp-l:0"]);
    assert_eq!(asked(&udp(), server.port(), b"hello"), b"hello");
    server.process.ends().exits(0);
    // TERM waits for none of them.
    let server = Echo::start(&["--max-total", "2", "--grace", "1h", "udp-l:0"]);
    assert_eq!(asked(&udp(), server.port(), b"hello"), b"hello");
    server.process.signal("TERM");
    server.process.ends().exits(0);
}

#[test]
fn each_address_has_its_own_number_of_handshakes() {
    let words = ["--self-signed", "tls-l:0,max-handshakes=1", "tls-l:0", "tls-l:0,max-handshakes=2"];
    let server = Echo::start(&words);
    let silent = |at: usize, n: usize| (0..n).map(|_| connect(server.ports[at])).collect::<Vec<_>>();
    let served = |at: usize| {
        // Whoever came before it by the same address has come in, too.
        let at = format!("127.0.0.1:{}", server.ports[at]);
        spile(["tls-connect", "--insecure", &at]).sends("x").eof().ends().exits(0).says("x");
    };
    let _many = silent(1, 9);
    served(1);
    assert_eq!(server.counters()["handshakes_failed"], 0);
    let _one = silent(0, 1);
    served(0);
    server.counts("handshakes_failed", 1);
    let _two = silent(2, 2);
    served(2);
    server.counts("handshakes_failed", 2);
    server.counts("open", 0);
}

#[test]
fn handshakes_that_fail_for_the_same_reason_are_told_once_and_counted() {
    let spoil = |server: &Echo| {
        for _ in 0..30 {
            let stream = server.connect();
            (&stream).write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            let _ = (&stream).read_to_end(&mut Vec::new());
        }
        server.counts("handshakes_failed", 30);
        server.process.signal("TERM");
    };
    let server = Echo::start(&["--self-signed", "tls-l:0"]);
    spoil(&server);
    let told = server.process.ends().exits(0).complains("30 handshakes have failed: 30 x").stderr;
    assert_eq!(told.matches("HTTP").count(), 2, "{told}");
    let server = Echo::start(&["--self-signed", "-v", "tls-l:0"]);
    spoil(&server);
    let told = server.process.ends().exits(0).stderr;
    assert!(told.matches("HTTP").count() >= 30, "{told}");
}
