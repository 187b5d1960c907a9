//! Many clients of `tls-serve`, slow ones, silent ones and floods: nobody is locked out, and every limit holds.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::harness::tls::{serve, tls_connect};
use crate::harness::tls_peers::STEPWISE;
use crate::harness::*;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};

/// Python's client, which does one step of a session for each line of stdin.
fn stepwise(port: &str) -> Process {
    program("python3", &["-c", STEPWISE, &certificate("ca.pem"), port])
}

fn closed(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0; 4096]), Ok(0) | Err(_))
}

#[test]
fn the_first_of_too_many_handshakes_makes_room() {
    let (mut server, port) = serve(&["--max-handshakes", "2", "--handshake-timeout", "15s", "--echo"]);
    // Silent clients, and one that has begun.
    let silent = connect(port.parse().unwrap());
    let stalled = stepwise(&port).sends("begin\n").gets("begun\n");
    let started = Instant::now();
    for _ in 0..2 {
        tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
    }
    assert!(started.elapsed() < Duration::from_secs(10), "they waited for those who stall");
    assert!(closed(&silent));
    let told = server.line_with("made room for others (--max-handshakes 2)");
    assert!(told.contains("TLS with 127.0.0.1:"), "{told}");
    let third = connect(port.parse().unwrap());
    let fourth = connect(port.parse().unwrap());
    tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
    stalled.eof().ends();
    drop((third, fourth));
}

#[test]
fn who_has_shaken_hands_waits_for_a_place_with_a_bound() {
    let (mut server, port) = serve(&["-v", "--max-conns", "1", "--handshake-timeout", "2s", "--echo"]);
    // Both have connected before there were too many.
    let first = stepwise(&port).sends("begin\n").gets("begun\n");
    let second = stepwise(&port).sends("begin\n").gets("begun\n");
    let served = first.sends("say hello\n").gets("said\n").sends("hear\n").gets("heard hello\n");
    let second = second.sends("say hello\n").gets("said\n");
    server.line_with("there was no place for it within 2s (--max-conns)");
    // It is told an orderly end: nothing of it was taken.
    second.sends("hear\n").gets("heard the end\n").eof().ends().exits(0);
    // One that leaves meanwhile is known to have left.
    drop(served.sends("end\n").ends());
    let held = tls_connect(&port, &[]).sends("1").gets("1");
    held.eof().ends().exits(0);
}

#[test]
fn who_leaves_before_there_is_a_place_is_not_waited_for() {
    let (mut server, port) = serve(&["-v", "--max-conns", "1", "--echo"]);
    let first = stepwise(&port).sends("begin\n").gets("begun\n");
    let second = stepwise(&port).sends("begin\n").gets("begun\n");
    let _served = first.sends("say hello\n").gets("said\n").sends("hear\n").gets("heard hello\n");
    // What comes now are tickets: the server has seen the end of the handshake.
    let second = second.sends("say hello\n").gets("said\n").sends("wait\n").gets("came\n");
    second.sends("reset\n").ends();
    server.line_with("it has left before there was a place for it (--max-conns)");
}

#[test]
fn a_client_that_never_speaks_has_a_report() {
    let (mut server, port) = serve(&["--json", "--handshake-timeout", "200ms", "--echo"]);
    let silent = connect(port.parse().unwrap());
    let told: serde_json::Value = serde_json::from_str(&format!("{{{}", server.line("{"))).unwrap();
    assert_eq!((&told["ok"], &told["exit_code"]), (&false.into(), &124.into()), "{told}");
    assert_eq!(told["peer"]["addr"], silent.local_addr().unwrap().to_string());
    assert!(told["error"]["why"].as_str().unwrap().contains("it has said nothing within 200ms"), "{told}");
}

/// A server's side of a connection, and records for it that are nothing but tickets: `count` full ones.
fn tickets(mut stream: TcpStream, count: u64) -> (TcpStream, Vec<u8>) {
    let chain = vec![CertificateDer::from_pem_file(certificate("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).unwrap();
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (config.enable_secret_extraction, config.send_tls13_tickets) = (true, 0);
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    while server.is_handshaking() || server.wants_write() {
        server.complete_io(&mut stream).unwrap();
    }
    let (first, secrets) = server.dangerous_extract_secrets().unwrap().tx;
    let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else { panic!() };
    let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else { panic!() };
    let mut encrypter = suite.aead_alg.encrypter(key, iv);
    // NewSessionTicket of RFC 8446, 4.6.1: an hour, no addition, a nonce and a ticket of a byte each, no extensions.
    let ticket = [4, 0, 0, 15, 0, 0, 14, 16, 0, 0, 0, 0, 1, 7, 0, 1, 7, 0, 0];
    let all = ticket.repeat(16_384 / ticket.len());
    let mut records = Vec::new();
    for sequence in first..first + count {
        let payload = OutboundChunks::Single(&all);
        let (typ, version) = (ContentType::Handshake, ProtocolVersion::TLSv1_2);
        let record = encrypter.encrypt(OutboundPlainMessage { typ, version, payload }, sequence);
        records.extend(record.unwrap().encode());
    }
    (stream, records)
}

#[test]
fn records_without_data_hold_nothing_up() {
    let (told, heard) = std::sync::mpsc::channel();
    let (done, was_read) = std::sync::mpsc::channel();
    let port = server(move |stream| {
        let (mut stream, records) = tickets(stream, 600);
        let (first, rest) = records.split_at(1 << 20);
        stream.write_all(first).unwrap();
        told.send(()).unwrap();
        done.send(stream.write_all(rest).is_ok()).unwrap();
    });
    let ca = certificate("ca.pem");
    let client =
        spile(["tls-connect", "-4", "localhost", &port.to_string(), "--cafile", &ca, "--rcvbuf", "256K"]);
    heard.recv_timeout(DEADLINE).unwrap();
    client.signal("INT");
    client.ends().exits(130);
    let all_was_read = was_read.recv_timeout(DEADLINE).unwrap();
    assert!(!all_was_read, "the signal was seen only once there was nothing left to read");
}

#[test]
fn a_server_that_never_stops_does_not_hold_up_a_check() {
    let (port, both) = (free_port(), certificate("server.both"));
    let line =
        format!("exec openssl s_server -quiet -accept 127.0.0.1:{port} -cert {both} -key {both} </dev/zero");
    let _server = shell(&line);
    wait_until("openssl listens", || is_listening(&port));
    let ca = certificate("ca.pem");
    let check = ["tls-connect", "--check", "--cafile", &ca, "-4", "localhost", &port];
    spile(check).ends().exits(0).complains("");
}

#[test]
fn a_client_that_never_stops_does_not_outlast_the_linger() {
    let dir = tempfile::tempdir().unwrap();
    let motd = dir.path().join("motd").display().to_string();
    std::fs::write(&motd, "hello\n").unwrap();
    let (server, port) = serve(&["--once", "--linger", "300ms", "--send", &motd]);
    let target = format!("OPENSSL:localhost:{port},pf=ip4,cafile={}", certificate("ca.pem"));
    let _client = program("socat", &["-u", "/dev/zero", &target]);
    server.ends().exits(0);
}
