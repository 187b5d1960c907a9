//! What TLS addresses do at the edges: cuts, ends, stalled and foreign peers, programs behind them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::tls::{serve, tls_connect};
use crate::harness::*;

/// Options of a server with the certificate for localhost.
fn identity() -> String {
    format!("cert={}", certificate("server.both"))
}

fn authority() -> String {
    format!("cafile={}", certificate("ca.pem"))
}

/// A socat that serves one TLS connection with a shell line.
fn socat_server(line: &str) -> (Process, String) {
    let port = free_port();
    let listen = format!("OPENSSL-LISTEN:{port},bind=127.0.0.1,cert={},verify=0", certificate("server.both"));
    let server = program("socat", &["-t20", &listen, &format!("SYSTEM:{line}")]);
    wait_until("socat listens", || is_listening(&port));
    (server, port)
}

#[test]
fn a_server_that_dies_has_cut_the_stream() {
    let port = free_port();
    let (accept, cert) = (format!("127.0.0.1:{port}"), certificate("server.pem"));
    let (key, args) = (certificate("server.key"), ["s_server", "-quiet", "-accept"]);
    let server = program("openssl", &[&args[..], &[&accept, "-cert", &cert, "-key", &key]].concat());
    wait_until("openssl listens", || is_listening(&port));
    let mut client = tls_connect(&port, &[]).sends("x");
    let server = server.gets("x").sends("part\n");
    client.read(b"part\n");
    server.signal("KILL");
    client.ends().exits(18).complains("no close_notify");
}

#[test]
fn a_client_without_close_notify_has_cut_the_stream_unless_that_is_accepted() {
    for (flags, status) in [(&[][..], 18), (&["--ignore-unexpected-eof"], 0)] {
        let (server, port) = serve(flags);
        program("ncat", &["--ssl", "--send-only", "127.0.0.1", &port]).sends("hi\n").eof().ends().exits(0);
        server.ends().exits(status).says("hi\n");
    }
}

#[test]
fn a_program_does_not_take_a_cut_for_the_end_of_its_input() {
    let dir = tempfile::tempdir().unwrap();
    let digest = dir.path().join("digest");
    let line = format!("sha256sum >{}", digest.display());
    let (server, port) = serve(&["--once", "--", "sh", "-c", &line]);
    program("ncat", &["--ssl", "--send-only", "127.0.0.1", &port]).sends("half of it").eof().ends();
    server.ends();
    assert_eq!(std::fs::read_to_string(&digest).unwrap_or_default(), "", "a digest of half the input");
    let (server, port) = serve(&["--once", "--", "sh", "-c", &line]);
    tls_connect(&port, &[]).sends("all of it").eof().ends().exits(0);
    server.ends().exits(0);
    assert!(std::fs::read_to_string(&digest).unwrap().len() > 64);
}

#[test]
fn a_cut_is_passed_on_as_a_reset() {
    let backend = server(|mut stream| {
        let mut got = Vec::new();
        let end = stream.read_to_end(&mut got);
        let told = format!("{got:?} {:?}", end.map_err(|why| why.kind()));
        std::fs::write(std::env::temp_dir().join(format!("cut-{}", std::process::id())), told).unwrap();
    });
    let file = std::env::temp_dir().join(format!("cut-{}", std::process::id()));
    let mut relay =
        spile(["relay", &format!("tls-l:127.0.0.1:0,{}", identity()), &format!("127.0.0.1:{backend}")]);
    let port = relay.port().to_string();
    program("ncat", &["--ssl", "--send-only", "127.0.0.1", &port]).sends("x").eof().ends().exits(0);
    wait_until("the backend has seen the end", || file.exists());
    wait_until("that is written", || !std::fs::read_to_string(&file).unwrap().is_empty());
    let told = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(told, "[120] Err(ConnectionReset)");
}

#[test]
fn a_reset_leaves_a_tls_peer_without_close_notify() {
    let (server, port) = serve(&[]);
    let mut relay =
        spile(["relay", "tcp-l:127.0.0.1:0", &format!("tls:localhost:{port},pf=ip4,{}", authority())]);
    let mut client = connect(relay.port());
    client.write_all(b"some").unwrap();
    let server = server.gets("some");
    reset_on_close(&client);
    drop(client);
    server.ends().exits(18);
}

#[test]
fn what_was_sent_arrives_before_the_close() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("upload");
    let bytes = noise(3, 2_000_000);
    for flags in [&["--send-only"][..], &[]] {
        // It speaks while we leave: a socket that is closed on unread bytes would destroy what it was sent.
        let speaks = "(for i in $(seq 50); do sleep .02; echo more; done) & sleep .5";
        let (server, port) = socat_server(&format!("{speaks}; cat >{}; wait", file.display()));
        tls_connect(&port, flags).sends(&bytes).eof().ends().exits(0);
        server.ends().exits(0);
        let got = std::fs::read(&file).unwrap();
        assert!(got == bytes, "{} of {} bytes, {flags:?}", got.len(), bytes.len());
    }
}

#[test]
fn both_versions_carry_bulk_both_ways_and_half_close() {
    let (there, back) = (noise(1, 8 << 20), noise(2, 8 << 20));
    let dir = tempfile::tempdir().unwrap();
    let (answer, request) = (dir.path().join("answer"), dir.path().join("request"));
    std::fs::write(&answer, &back).unwrap();
    let line = format!("cat >{} && cat {}", request.display(), answer.display());
    for version in ["1.2", "1.3"] {
        // Ours as client, then as server.
        let (server, port) = socat_server(&line);
        let client = tls_connect(&port, &["--min", version, "--max", version]);
        let got = client.sends(&there).eof().ends().exits(0);
        assert!(got.stdout == back && std::fs::read(&request).unwrap() == there, "client, {version}");
        server.ends().exits(0);
        let (server, port) = serve(&["--once", "--min", version, "--max", version, "--", "sh", "-c", &line]);
        let target = format!("OPENSSL:localhost:{port},pf=ip4,{}", authority());
        let client = program("socat", &["-t20", "-", &target]);
        let got = client.sends(&there).eof().ends().exits(0);
        assert!(got.stdout == back && std::fs::read(&request).unwrap() == there, "server, {version}");
        server.ends().exits(0);
    }
}

#[test]
fn every_normal_end_is_told_to_the_peer() {
    // OpenSSL complains of an end without close_notify.
    let s_client = |port: &str| {
        let target = format!("localhost:{port}");
        let ca = certificate("ca.pem");
        program("openssl", &["s_client", "-4", "-connect", &target, "-CAfile", &ca, "-quiet"])
    };
    let is_clean = |client: Process| {
        let ended = client.ends().exits(0);
        assert!(!ended.stderr.contains("unexpected eof"), "{}", ended.stderr);
    };
    let (server, port) = serve(&["--once", "--", "echo", "bye"]);
    is_clean(s_client(&port).gets("bye\n"));
    server.ends().exits(0);
    let (server, port) = serve(&["--idle-timeout", "300ms"]);
    is_clean(s_client(&port));
    server.ends().exits(124);
    let (server, port) = serve(&[]);
    let client = s_client(&port);
    let server = server.sends("x");
    let client = client.gets("x");
    server.signal("INT");
    is_clean(client);
    server.ends().exits(130);
}

#[test]
fn our_end_can_be_held_back_until_the_peer_has_ended() {
    let line = "(sleep .3; echo late; kill $$) & cat; echo end";
    let (_server, port) = serve(&["--", "sh", "-c", line]);
    tls_connect(&port, &[]).sends("x\n").eof().ends().exits(0).says("x\nend\nlate\n");
    tls_connect(&port, &["--no-half-close"]).sends("x\n").eof().ends().exits(0).says("x\nlate\n");
}

#[test]
fn stalled_clients_hold_nobody_up() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let more = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, more).unwrap();
    for command in [&["--", "cat"][..], &[]] {
        let (mut server, port) = serve(command);
        let number = port.parse().unwrap();
        let stalled: Vec<TcpStream> = (0..1000)
            .map(|nth| {
                let mut stream = connect(number);
                // Some say nothing, some begin.
                stream.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..nth % 12]).unwrap();
                stream
            })
            .collect();
        let started = Instant::now();
        let client = tls_connect(&port, &[]).sends("hello\n");
        match command.is_empty() {
            true => server.read(b"hello\n"),
            false => drop(client.gets("hello\n")),
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        drop(stalled);
    }
}

#[test]
fn a_stalled_handshake_has_a_limit() {
    let (mut server, port) = serve(&["--handshake-timeout", "3s"]);
    let stream = connect(port.parse().unwrap());
    let told = server.line("spile tls-serve: [1] TLS with 127.0.0.1:");
    assert!(told.contains("it has said nothing within 3s"), "{told}");
    let mut half = connect(port.parse().unwrap());
    half.write_all(&[22, 3, 1]).unwrap();
    let told = server.line("spile tls-serve: [2] TLS with 127.0.0.1:");
    assert!(told.contains("the handshake was not done within 3s"), "{told}");
    tls_connect(&port, &[]).sends("x").eof().ends().exits(0);
    server.ends().exits(0).says("x");
    drop((stream, half));
    let silent = crate::harness::server(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let client = tls_connect(&silent.to_string(), &["--handshake-timeout", "1s"]);
    client.ends().exits(124).complains("--handshake-timeout");
}

#[test]
fn who_speaks_no_tls_is_named() {
    let greeter = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let ended = tls_connect(&greeter.to_string(), &[]).ends().exits(35);
    ended.complains("peer does not speak TLS (first bytes \"SSH-2.0-OpenSSH_9");
    let (mut server, port) = serve(&["--", "echo", "served"]);
    let mut stream = connect(port.parse().unwrap());
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(read_all(&stream), [21, 3, 3, 0, 2, 2, 50]);
    assert!(
        server
            .line("spile tls-serve: [1] ")
            .contains("peer does not speak TLS (first bytes \"GET / HTTP/1.0")
    );
    tls_connect(&port, &[]).ends().exits(0).says("served\n");
}

#[test]
fn nothing_is_said_to_a_peer_that_is_not_verified() {
    let port = free_port();
    let (cert, key) = (certificate("stranger.pem"), certificate("stranger.key"));
    let accept = format!("127.0.0.1:{port}");
    let args = ["s_server", "-accept", &accept, "-naccept", "1", "-cert", &cert, "-key", &key, "-quiet"];
    let server = program("openssl", &args);
    wait_until("openssl listens", || is_listening(&port));
    tls_connect(&port, &[]).sends("secret\n").eof().ends().exits(60);
    assert!(server.ends().stdout.is_empty());
}

#[test]
fn a_program_is_told_of_the_session() {
    let line = "env | grep ^SPILE_TLS_ | sort";
    let ca = certificate("ca.pem");
    let asks = ["--once", "--client-ca", &ca, "--allow-any", "--alpn", "a,b", "--", "sh", "-c", line];
    let (server, port) = serve(&asks);
    let both = certificate("client.both");
    let client = tls_connect(&port, &["--cert", &both, "--alpn", "b"]);
    let told = String::from_utf8(client.ends().exits(0).stdout).unwrap();
    server.ends().exits(0);
    for line in [
        "SPILE_TLS_ALPN=b",
        "SPILE_TLS_CIPHER=TLS_",
        "SPILE_TLS_PEER_SAN_URI=spiffe://spile.test/client",
        "SPILE_TLS_PEER_SUBJECT=",
        "SPILE_TLS_PEER_SHA256=",
        "SPILE_TLS_SNI=localhost",
        "SPILE_TLS_VERSION=1.3",
    ] {
        assert!(told.lines().any(|told| told.starts_with(line)), "{line} is not in {told}");
    }
    // Nothing of a peer that shows no certificate is taken from elsewhere.
    let mut command = std::process::Command::new(SPILE);
    command.env("SPILE_TLS_PEER_SUBJECT", "CN=admin");
    command.args(["tls-serve", "127.0.0.1:0", "--once", "--cert", &certificate("server.both"), "--"]);
    let mut server = start({
        command.args(["sh", "-c", line]);
        command
    });
    let port = server.port().to_string();
    let told = tls_connect(&port, &[]).ends().exits(0).stdout;
    assert!(!String::from_utf8_lossy(&told).contains("PEER_SUBJECT"));
}

#[test]
fn a_certificate_that_was_refused_is_told_after_the_handshake() {
    // In TLS 1.3 the client is done before the server has looked at its certificate.
    let ca = certificate("ca.pem");
    let (_server, port) = serve(&["--client-ca", &ca, "--allow-any", "--", "cat"]);
    for version in ["1.2", "1.3"] {
        let client = tls_connect(&port, &["--min", version, "--max", version]);
        client.sends("x").ends().exits(58);
    }
}

#[test]
fn certificates_are_read_again_on_hup_and_a_bad_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("both.pem").display().to_string();
    std::fs::copy(certificate("server.both"), &file).unwrap();
    let mut server = spile(["tls-serve", "-v", "127.0.0.1:0", "--cert", &file, "--", "cat"]);
    let port = server.port().to_string();
    let before = tls_connect(&port, &[]).sends("a").gets("a");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
    server.signal("HUP");
    server.line("spile tls-serve: not read again, all stays as it was: ");
    tls_connect(&port, &[]).sends("b").eof().ends().exits(0).says("b");
    std::fs::copy(certificate("stranger.both"), &file).unwrap();
    server.signal("HUP");
    server.line("spile tls-serve: read again");
    tls_connect(&port, &[]).ends().exits(60);
    before.sends("c").gets("c").eof().ends().exits(0);
}

#[test]
fn tls_goes_over_unix_sockets_and_through_relays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let mut near = spile(["relay", &format!("tls+unix-l:{path},{}", identity()), "echo"]);
    near.line("listening tls+unix");
    let through = format!("tls+unix:{path},name=localhost,{}", authority());
    let mut far = spile(["relay", &format!("OPENSSL-LISTEN:0,{},verify=0,fork", identity()), &through]);
    let port = far.port().to_string();
    let bytes = noise(9, 1_000_000);
    let got = tls_connect(&port, &[]).sends(&bytes).eof().ends().exits(0);
    assert!(got.stdout == bytes);
}

#[test]
fn files_of_no_use_are_told_before_anything_is_connected() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = empty.path().display().to_string();
    for (flag, status) in [("--cafile", 77), ("--crl", 77), ("--trust-cert", 77)] {
        spile(["tls-connect", "localhost", "1", flag, &empty]).ends().exits(status);
    }
    spile(["tls-connect", "localhost:1", "--cert", &empty]).ends().exits(58);
    spile(["tls-serve", "0", "--cert", &empty]).ends().exits(58);
    spile(["relay", "tcp-l:0", &format!("tls:localhost:1,cafile={empty}")]).ends().exits(77);
    spile(["tls-serve", "0"]).ends().exits(2).complains("self-signed");
}
