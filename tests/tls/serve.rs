//! What `tls-serve` serves clients with, what it tells of them, and what it makes of bad ones.

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::harness::tls::{serve, tls_connect};
use crate::harness::*;
use serde_json::Value;

/// OpenSSL's client, which verifies; it ends when the server has ended.
fn s_client(port: &str, more: &[&str]) -> Process {
    let (connect, ca) = (format!("localhost:{port}"), certificate("ca.pem"));
    let mut args = vec!["s_client", "-4", "-connect", &connect, "-CAfile", &ca, "-verify_return_error"];
    args.extend(["-verify_hostname", "localhost", "-servername", "localhost", "-quiet"]);
    args.extend(more);
    program("openssl", &args)
}

/// The report that a line of stderr is.
fn report(server: &mut Process) -> Value {
    serde_json::from_str(&format!("{{{}", server.line("{"))).unwrap()
}

#[test]
fn a_server_without_certificate_is_told_how_to_get_one() {
    spile(["tls-serve", "0"]).ends().exits(2).complains("--self-signed makes one");
}

#[test]
fn a_self_signed_server_says_how_clients_come_to_it_and_keeps_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("cert.pem").display().to_string();
    let mut server = spile(["tls-serve", "--self-signed", "127.0.0.1:0", "--echo", "--cert-out", &out, "-v"]);
    let line = server.line("spile tls-serve: clients: spile ");
    let port = server.port().to_string();
    let words: Vec<&str> = line.split(' ').collect();
    spile(&words).sends("hi\n").eof().ends().exits(0).says("hi\n");
    server.signal("HUP");
    server.line("spile tls-serve: read again");
    spile(&words).sends("ho\n").eof().ends().exits(0).says("ho\n");
    let connect = format!("localhost:{port}");
    let args = ["s_client", "-4", "-connect", &connect, "-CAfile", &out, "-verify_return_error", "-quiet"];
    program("openssl", &args).sends("to OpenSSL\n").gets("to OpenSSL\n");
}

#[test]
fn clients_are_served_with_echo_discard_a_file_or_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("motd").display().to_string();
    let text = noise(5, 300_000);
    std::fs::write(&file, &text).unwrap();
    let (_server, port) = serve(&["--echo"]);
    tls_connect(&port, &[]).sends(&text).eof().ends().exits(0).says(&text);
    let (_server, port) = serve(&["--discard"]);
    tls_connect(&port, &[]).sends(&text).eof().ends().exits(0).says("");
    let (_server, port) = serve(&["--send", &file]);
    assert!(s_client(&port, &[]).ends().exits(0).stdout == text);
    let backend = server(|mut stream| {
        let got = read_all(&stream);
        stream.write_all(&[b"got ", &got[..]].concat()).unwrap();
    });
    let (_server, port) = serve(&["--forward", &format!("127.0.0.1:{backend}")]);
    tls_connect(&port, &[]).sends("this").eof().ends().exits(0).says("got this");
}

#[test]
fn a_forwarded_client_is_reset_where_nobody_listens_and_the_service_goes_on() {
    let (mut server, port) = serve(&["--forward", &format!("127.0.0.1:{}", closed_port())]);
    for _ in 0..2 {
        tls_connect(&port, &[]).sends("x").ends().exits(18);
    }
    server.line("spile tls-serve: [2] ");
    assert!(server.is_running());
}

#[test]
fn the_server_behind_is_told_of_tls_and_of_the_certificate() {
    let (told, heard) = std::sync::mpsc::channel();
    let backend = server(move |stream| told.send(read_all(&stream)).unwrap());
    let (forward, ca) = (format!("127.0.0.1:{backend}"), certificate("ca.pem"));
    let header = |form: &str, client: &[&str]| {
        let asks = ["--client-ca", &ca, "--allow-any", "--client-optional", "--proxy-protocol", form];
        let (_server, port) = serve(&[&asks[..], &["--forward", &forward]].concat());
        tls_connect(&port, client).sends("data").eof().ends().exits(0);
        String::from_utf8_lossy(&heard.recv_timeout(DEADLINE).unwrap()).into_owned()
    };
    let both = certificate("client.both");
    assert!(header("v1", &[]).starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
    let plain = header("v2", &["--cert", &both]);
    assert!(plain.starts_with("\r\n\r\n\0\r\nQUIT\n") && !plain.contains("TLSv1.3"), "{plain:?}");
    let tls = header("v2,tls", &["--cert", &both]);
    assert!(tls.contains("TLSv1.3") && tls.contains("localhost") && tls.ends_with("data"), "{tls:?}");
    assert!(!tls.contains("client"), "{tls:?}");
    assert!(header("v2,tls,cert", &["--cert", &both]).contains("client"));
}

#[test]
fn so_many_are_served_as_were_asked_for_and_bad_ones_do_not_count() {
    let (server, port) = serve(&["--count", "2", "--echo"]);
    connect(port.parse().unwrap()).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    for _ in 0..2 {
        tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
    }
    server.ends().exits(0);
    let (server, port) = serve(&["--once", "--", "sh", "-c", "cat; exit 7"]);
    connect(port.parse().unwrap()).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    tls_connect(&port, &[]).sends("y").eof().ends().says("y");
    server.ends().exits(7);
    // One after the other, over stdin and stdout.
    let (server, port) = serve(&["--count", "2", "--recv-only"]);
    for text in ["a", "b"] {
        tls_connect(&port, &[]).sends(text).eof().ends().exits(0);
    }
    server.ends().exits(0).says("ab");
}

#[test]
fn more_than_max_conns_wait() {
    let (_server, port) = serve(&["--max-conns", "1", "--echo"]);
    let first = tls_connect(&port, &[]).sends("1").gets("1");
    let mut second = tls_connect(&port, &[]).sends("2").eof();
    std::thread::sleep(Duration::from_millis(200)); // time to do it wrong
    assert!(second.is_running());
    first.eof().ends().exits(0);
    second.ends().exits(0).says("2");
}

#[test]
fn silence_ends_a_connection_with_close_notify() {
    let (_server, port) = serve(&["--idle-timeout", "200ms", "--echo"]);
    let ended = s_client(&port, &[]).ends().exits(0);
    assert!(!ended.stderr.contains("unexpected eof"), "{ended:?}");
}

#[test]
fn each_connection_has_a_report() {
    let (ca, both) = (certificate("ca.pem"), certificate("client.both"));
    let asks = ["--client-ca", &ca, "--allow-dns", "client.spile.test", "--json", "--echo"];
    let (mut server, port) = serve(&asks);
    tls_connect(&port, &["--cert", &both]).sends("12345").eof().ends().exits(0);
    let told = report(&mut server);
    assert_eq!(told["schema"], "spile.tls/1");
    assert_eq!((&told["role"], &told["ok"], &told["exit_code"]), (&"server".into(), &true.into(), &0.into()));
    assert!(told["peer"]["addr"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(told["rule"], "allow-dns=client.spile.test");
    assert_eq!(told["client_cert"]["subject"], "OU=tests, CN=client");
    assert_eq!((&told["tls"]["version"], &told["tls"]["handshake"]), (&"1.3".into(), &"full".into()));
    assert_eq!(told["hello"]["sni"], "localhost");
    assert_eq!(told["close"]["peer"], "close_notify");
    assert_eq!(told["close"]["sent_close_notify"], true);
    assert_eq!((&told["close"]["bytes_in"], &told["close"]["bytes_out"]), (&5.into(), &5.into()));
}

#[test]
fn a_failed_handshake_and_a_cut_have_reports_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    let ca = certificate("ca.pem");
    let json = format!("--json={}", file.display());
    let (_server, port) = serve(&["--client-ca", &ca, "--allow-any", "--client-optional", &json, "--echo"]);
    let stranger = certificate("stranger.both");
    tls_connect(&port, &["--cert", &stranger]).sends("x").ends().exits(58);
    program("ncat", &["--ssl", "--send-only", "127.0.0.1", &port]).sends("hi").eof().ends();
    connect(port.parse().unwrap()).write_all(b"EHLO me\r\n").unwrap();
    let lines = || std::fs::read_to_string(&file).unwrap();
    wait_until("all reports are there", || lines().lines().count() == 3);
    let all: Vec<Value> = lines().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |status: u64, stage: &str| {
        let found = all.iter().find(|told| told["exit_code"] == status && told["stage"] == stage);
        found.unwrap_or_else(|| panic!("no {status} {stage} in {}", lines()))
    };
    let refused = of(60, "verify");
    assert_eq!((&refused["ok"], &refused["verify"]["code"]), (&false.into(), &"wrong_purpose".into()));
    assert_eq!(refused["client_cert"]["subject"], "CN=localhost");
    assert_eq!(of(18, "transfer")["close"]["peer"], "eof");
    let plain = of(35, "handshake");
    assert!(plain["error"]["why"].as_str().unwrap().contains("does not speak TLS"), "{plain}");
}

#[test]
fn what_a_client_offers_is_shown() {
    let (mut server, port) = serve(&["--show-hello", "--alpn", "h2", "--echo"]);
    drop(s_client(&port, &["-alpn", "h2,x", "-groups", "P-256:X25519"]).sends("x\n").gets("x\n"));
    for (what, words) in [
        ("SNI", "localhost"),
        ("ALPN", "h2 x"),
        ("groups", "secp256r1 X25519"),
        ("ciphers", "TLS_AES_256_GCM_SHA384"),
        ("signatures", "ECDSA_NISTP256_SHA256"),
    ] {
        let found = server.line_with(&format!(": {what} "));
        assert!(found.contains(words), "{found}");
    }
}

#[test]
fn failed_handshakes_are_told_once_and_counted_by_cause() {
    for (flags, lines) in [(&[][..], 1), (&["-v"], 3)] {
        let (server, port) = serve(&[flags, &["--echo"]].concat());
        for _ in 0..3 {
            let mut stream = connect(port.parse().unwrap());
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            read_all(&stream);
        }
        connect(port.parse().unwrap()).shutdown(Shutdown::Write).unwrap();
        tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
        server.signal("TERM");
        let ended = server.ends().exits(0);
        let told = ended.stderr.lines().filter(|line| line.contains("] TLS with") && line.contains("\"GET"));
        assert_eq!(told.count(), lines, "{}", ended.stderr);
        let ended = ended.complains("spile tls-serve: 4 handshakes have failed: 3 x peer does not speak TLS");
        ended.complains("1 x it closed the connection without having said anything");
    }
}

#[test]
fn changed_files_are_read_again_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let put = |name: &str, from: &str| {
        std::fs::copy(certificate(from), path("new")).unwrap();
        std::fs::rename(path("new"), path(name)).unwrap();
    };
    put("cert", "server.pem");
    put("key", "server.key");
    let (cert, key) = (path("cert"), path("key"));
    let args = ["tls-serve", "-v", "127.0.0.1:0", "--cert", &cert, "--key", &key, "--echo"];
    let mut server = spile([&args[..], &["--reload-every", "20ms"]].concat());
    let port = server.port().to_string();
    // The certificate first, its key later: in between nothing changes.
    put("cert", "stranger.pem");
    server.line("spile tls-serve: not read again");
    tls_connect(&port, &[]).sends("a").eof().ends().exits(0).says("a");
    put("key", "stranger.key");
    server.line("spile tls-serve: read again: certificates and keys");
    tls_connect(&port, &[]).sends("a").eof().ends().exits(60);
}

#[test]
fn files_of_no_use_have_their_own_status() {
    let shop = Workshop::new();
    shop.write("empty", "");
    shop.write("large", vec![b'A'; 10 << 20]);
    shop.write("noise", noise(4, 5000));
    let of = certificates().display();
    for (flags, status, words) in [
        ("--cert empty", 58, "empty"),
        ("--cert large", 58, "large"),
        ("--cert noise", 58, "noise"),
        ("--cert missing", 58, "missing"),
        (&*format!("--cert {of}/server.pem --key {of}/client.key"), 58, "not the key of the certificate"),
        (&*format!("--cert {of}/server.pem --key encrypted"), 58, "encrypted"),
        (&*format!("--cert {of}/server.both --client-ca empty --allow-any"), 77, "empty"),
        (&*format!("--cert {of}/server.both --client-ca missing --allow-any"), 77, "missing"),
        (&*format!("--cert {of}/server.both --client-ca {of}/ca.pem"), 2, "allow-any"),
        (&*format!("--cert {of}/server.both --client-ca {of}/ca.pem --allow-any --crl empty"), 77, "empty"),
        (&*format!("--cert {of}/server.both --sni-cert x=missing"), 58, "missing"),
        (&*format!("--cert {of}/server.both --ocsp noise"), 91, "noise"),
        (&*format!("--cert {of}/server.both --cert-out x"), 2, "--self-signed"),
        (&*format!("--cert {of}/server.both --send missing"), 1, "missing"),
    ] {
        shop.runs(&format!("openssl pkey -in {of}/server.key -aes256 -passout pass:x -out encrypted"));
        let ended = shop.runs(&format!("timeout 20 spile tls-serve 0 {flags}"));
        let lines = ended.stderr.lines().filter(|line| !line.starts_with("hint: ")).count();
        assert_eq!(lines, 1, "{flags}: {}", ended.stderr);
        ended.exits(status).complains(words);
    }
}

#[test]
fn a_key_is_opened_by_a_passphrase_that_nobody_else_sees() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (encrypted, pass, key) = (path("encrypted"), path("pass"), certificate("server.key"));
    output_of("openssl", &["pkey", "-in", &key, "-aes256", "-passout", "pass:sesame", "-out", &encrypted]);
    std::fs::write(&pass, "sesame\n").unwrap();
    let args =
        ["tls-serve", "127.0.0.1:0", "--echo", "--cert", &certificate("server.pem")].map(str::to_owned);
    let more = ["--key", &encrypted, "--pass-file", &pass].map(str::to_owned);
    let mut server = spile(args.iter().chain(&more).map(String::as_str));
    let port = server.port().to_string();
    tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
    let line = std::fs::read(format!("/proc/{}/cmdline", server.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&line).contains("sesame"));
}

#[test]
fn whatever_bytes_come_the_service_goes_on() {
    let (mut server, port) = serve(&["--handshake-timeout", "2s", "--echo"]);
    let number: u16 = port.parse().unwrap();
    for seed in 0..200_u64 {
        let mut bytes = noise(seed, 1 + (seed as usize * 37) % 2000);
        // Every other one looks like TLS at first.
        if seed % 2 == 0 {
            let length = bytes.len().min(600) as u16;
            bytes.splice(0..0, [&[22, 3, 1][..], &length.to_be_bytes(), &[1, 0, 1, 252, 3, 3]].concat());
        }
        let mut stream = connect(number);
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
    }
    let started = Instant::now();
    tls_connect(&port, &[]).sends("x").eof().ends().exits(0).says("x");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(server.is_running());
    server.signal("TERM");
    let ended = server.ends().exits(0).complains("handshakes have failed");
    assert!(ended.stderr.lines().count() < 60, "{}", ended.stderr);
}

#[test]
fn the_command_is_told_of_the_client() {
    let line = "echo $SPILE_PEER_ADDR $SPILE_TLS_VERSION $SPILE_TLS_SNI; env | grep -c ^SPILE_TLS_PEER";
    let (_server, port) = serve(&["--", "sh", "-c", line]);
    let ended = s_client(&port, &["-tls1_2"]).ends().exits(0);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "127.0.0.1 1.2 localhost\n0\n");
}
