//! The rules of TLS that tls-connect keeps, each with another program at the other end: what fails here is a hole.
//!
//! Cuts, ends and half-close are in relay.rs, verdicts in words in verdicts.rs, STARTTLS in starttls.rs.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::harness::leaf::{Leaf, Lists, run_in};
use crate::harness::look::{GOOD, Looked, s_server, words};
use crate::harness::*;

/// OpenSSL serves it.
fn served(leaf: &Leaf) -> Looked {
    s_server(&format!("-cert {} -key {} -quiet", leaf.file("leaf.pem"), leaf.file("leaf.key")))
}

const CHECK: &str = "--check --cafile PKI/ca.pem";

/// Rule 6, and 7: a server that is not trusted gets a ClientHello and an alert, and no application data.
#[test]
fn rule_6_not_a_byte_for_who_is_not_trusted() {
    let line =
        |options: &str| format!("-cert PKI/stranger.pem -key PKI/stranger.key -naccept 1 -msg {options}");
    for version in ["1.2", "1.3"] {
        let server = s_server(&line(""));
        let client = server.called(&format!("--cafile PKI/ca.pem --max {version}"));
        client.sends("secret").eof().ends().exits(60);
        let said = String::from_utf8(server.process.eof().ends().stdout).unwrap();
        assert!(said.contains("ClientHello"), "{said}");
        assert!(!said.contains("secret"), "{said}");
        // What comes from us has "<<<" and, under TLS 1.3, is wrapped: only an alert may be in it.
        let data = said.lines().filter(|line| line.starts_with("<<<") && line.contains("ApplicationData"));
        assert_eq!(data.count(), 0, "{said}");
    }
    // No variable makes it insecure.
    let server = s_server("-cert PKI/stranger.pem -key PKI/stranger.key -quiet");
    let mut command = Command::new(SPILE);
    command.args(["tls-connect", "--check", &format!("localhost:{}", server.port)]);
    command.args(["--cafile", &certificate("ca.pem")]);
    for name in ["INSECURE", "SPILE_INSECURE", "SPILE_TLS_INSECURE", "NODE_TLS_REJECT_UNAUTHORIZED"] {
        command.env(name, "1");
    }
    start(command).eof().ends().exits(60);
}

/// Rule 7: who does not speak TLS hears one ClientHello (and perhaps an alert), whatever it says.
#[test]
fn rule_7_not_a_byte_in_the_clear() {
    let (sender, heard) = channel();
    let sender = Mutex::new(sender);
    let sender = Arc::new(sender);
    let port = server(move |mut stream| {
        let mut all = vec![0; 65536];
        let n = stream.read(&mut all).unwrap();
        all.truncate(n);
        stream.write_all(b"220 go ahead, all in the clear\r\n").unwrap();
        let _ = stream.read_to_end(&mut all);
        sender.lock().unwrap().send(all).unwrap();
    });
    let peer = Looked { port: port.to_string(), process: program("true", &[]) };
    peer.called("--cafile PKI/ca.pem").sends("secret").eof().ends().exits(35).complains("does not speak TLS");
    let mut rest = &heard.recv_timeout(DEADLINE).unwrap()[..];
    assert!(!rest.windows(6).any(|window| window == b"secret"));
    while let [kind, 3, _, high, low, ..] = rest {
        assert!(matches!(kind, 21 | 22), "a record of type {kind}");
        rest = &rest[5 + usize::from(*high) * 256 + usize::from(*low)..];
    }
    assert!(rest.is_empty(), "{rest:?} is no record");
}

/// Rule 8: names are those of the subjectAltName, whole, each of its own kind.
#[test]
fn rule_8_names() {
    // "localhost", NUL, ".evil.test" as one DNS name.
    let nul = "2.5.29.17=DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74";
    for (subject, extensions, name, status) in [
        ("/CN=localhost", "subjectAltName=DNS:localhost", "localhost", 0),
        ("/CN=localhost", "subjectAltName=DNS:other.test", "localhost", 60),
        ("/CN=localhost", "keyUsage=digitalSignature", "localhost", 60),
        ("/CN=localhost", nul, "localhost", 60),
        ("/CN=x", "subjectAltName=IP:127.0.0.1,IP:::1", "127.0.0.1", 0),
        ("/CN=x", "subjectAltName=IP:127.0.0.1,IP:::1", "::1", 0),
        ("/CN=x", "subjectAltName=IP:127.0.0.2", "127.0.0.1", 60),
        ("/CN=x", "subjectAltName=DNS:127.0.0.1", "127.0.0.1", 60),
        ("/CN=127.0.0.1", "subjectAltName=DNS:x", "127.0.0.1", 60),
        ("/CN=x", "subjectAltName=DNS:*.spile.test", "a.spile.test", 0),
        ("/CN=x", "subjectAltName=DNS:*.spile.test", "b.a.spile.test", 60),
        ("/CN=x", "subjectAltName=DNS:*.spile.test", "spile.test", 60),
        ("/CN=x", "subjectAltName=DNS:LocalHost", "localhost", 0),
    ] {
        let server = served(&Leaf::new(subject, extensions));
        let ended = server.looked_at(&format!("{CHECK} --name {name}"));
        assert_eq!(ended.status, status, "{subject} {extensions} as {name}: {ended:?}");
    }
}

/// Rule 9: authorities that are named take the place of the system's, and are added to them only where that is said.
#[test]
fn rule_9_authorities_are_those_that_were_named() {
    let server = s_server(&format!("{GOOD} -quiet"));
    let missing = "/nonexistent/authorities.pem".to_owned();
    for (system, options, status) in [
        (certificate("ca.pem"), "", 0),
        (certificate("ca.pem"), "--cafile PKI/other-ca.pem", 60),
        (certificate("ca.pem"), "--ca-add PKI/other-ca.pem", 0),
        (certificate("ca.pem"), "--roots none --ca-add PKI/other-ca.pem", 60),
        (certificate("ca.pem"), "--roots mozilla", 60),
        (certificate("other-ca.pem"), "", 60),
        (certificate("other-ca.pem"), "--cafile PKI/ca.pem", 0),
        (certificate("other-ca.pem"), "--ca-add PKI/ca.pem", 0),
        (missing.clone(), "", 77),
        (missing, "--cafile PKI/ca.pem", 0),
    ] {
        let mut command = Command::new(SPILE);
        command.args(["tls-connect", "--check", &format!("localhost:{}", server.port)]);
        command.args(words(options)).env("SSL_CERT_FILE", &system).env_remove("SSL_CERT_DIR");
        let ended = start(command).eof().ends();
        assert_eq!(ended.status, status, "{system} {options}: {ended:?}");
    }
}

/// Rule 10: an exact certificate is trusted byte for byte, for its name and its time.
#[test]
fn rule_10_exactly_this_certificate() {
    let leaf = Leaf::new("/CN=localhost", "subjectAltName=DNS:localhost");
    let trusted = leaf.file("leaf.pem");
    let check = format!("--check --trust-cert {trusted}");
    served(&leaf).looked_at(&check).exits(0);
    served(&leaf).looked_at(&format!("{check} --name other.test")).exits(60);
    served(&leaf).looked_at(&format!("{check} --at 2099-01-01T00:00:00Z")).exits(60).complains("expired");
    let again = "openssl x509 -req -in request -CA $PKI/ca.pem -CAkey $PKI/ca.key -set_serial 78 -days 30 \
        -extfile ext -out again.pem";
    leaf.runs(again);
    let server = s_server(&format!("-cert {} -key {} -quiet", leaf.file("again.pem"), leaf.file("leaf.key")));
    server.looked_at(&check).exits(60);
}

/// Rule 12: a certificate serves the purpose that it names.
#[test]
fn rule_12_a_clients_certificate_is_no_servers() {
    let names = "subjectAltName=DNS:localhost\nextendedKeyUsage=";
    for (usage, status) in
        [("serverAuth", 0), ("serverAuth,clientAuth", 0), ("clientAuth", 60), ("codeSigning", 60)]
    {
        let server = served(&Leaf::new("/CN=localhost", &format!("{names}{usage}")));
        server.looked_at(CHECK).exits(status);
    }
}

/// Rule 13: a list that is over says nothing, and silence is no consent unless that is asked for.
#[test]
fn rule_13_revocation_fails_closed() {
    let lists = Lists::new();
    let (over, other) = (lists.file("over.pem"), lists.file("other.pem"));
    let server = s_server(&format!("{GOOD} -quiet"));
    server.looked_at(&format!("{CHECK} --crl PKI/crl.pem")).exits(0);
    for soft in ["", "--crl-soft"] {
        let ended = server.looked_at(&format!("{CHECK} --crl {over} {soft}"));
        ended.exits(60).complains("2020-02-01");
    }
    server.looked_at(&format!("{CHECK} --crl {other}")).exits(60);
    server.looked_at(&format!("{CHECK} --crl {other} --crl-soft")).exits(0);
    let revoked = s_server("-cert PKI/revoked.pem -key PKI/revoked.key -quiet");
    revoked.looked_at(&format!("{CHECK} --crl PKI/crl.pem --crl-soft")).exits(60).complains("revoked");
}

/// Rule 14: what is old is refused, and nothing is tried again with less.
#[test]
fn rule_14_no_downgrade() {
    let weak = "-cipher DEFAULT@SECLEVEL=0 -quiet";
    for version in ["-tls1", "-tls1_1"] {
        s_server(&format!("{GOOD} {version} {weak}")).looked_at(CHECK).exits(35).complains("1.3 and 1.2");
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let port = server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = stream.read(&mut [0; 65536]);
        // A fatal alert: protocol_version.
        stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).unwrap();
    });
    let peer = Looked { port: port.to_string(), process: program("true", &[]) };
    peer.looked_at(&format!("{CHECK} -4")).exits(35);
    assert_eq!(calls.load(Ordering::SeqCst), 1, "it was tried again");
}

/// Rule 17, seen by the client: a server that only asks is served without a certificate, and refuses a bad one.
#[test]
fn rule_17_optional_certificates() {
    let server = s_server(&format!("{GOOD} -verify 1 -verify_return_error -CAfile PKI/ca.pem -quiet"));
    for version in ["1.2", "1.3"] {
        let check = format!("{CHECK} --max {version}");
        server.looked_at(&check).exits(0);
        server.looked_at(&format!("{check} --cert PKI/client.both")).exits(0);
        server.looked_at(&format!("{check} --cert PKI/stranger.both")).exits(58);
    }
}

/// Rule 21: a passphrase is in a file or a descriptor; neither the command line nor the environment has it.
#[test]
fn rule_21_secrets_are_no_words() {
    let dir = tempfile::tempdir().unwrap();
    let line = "openssl pkcs8 -topk8 -v2 aes256 -passout pass:swordfish -in $PKI/client.key -out key.pem
        echo swordfish >pass";
    run_in(dir.path(), line, "");
    let file = |name: &str| dir.path().join(name).display().to_string();
    let identity = format!("--cert PKI/client.pem --key {} --pass-file {}", file("key.pem"), file("pass"));
    let server = s_server(&format!("{GOOD} -Verify 1 -verify_return_error -CAfile PKI/ca.pem -rev -quiet"));
    let client = server.called(&format!("--cafile PKI/ca.pem {identity}")).sends("a\n").gets("a\n");
    for place in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{}/{place}", client.pid())).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("swordfish"), "{place}");
    }
    client.eof().ends().exits(0);
    // There is no flag for it, and a wrong one or none is told.
    for flag in ["--pass", "--password", "--passphrase"] {
        server.looked_at(&format!("{CHECK} {identity} {flag} swordfish")).exits(2);
    }
    std::fs::write(file("pass"), "marlin\n").unwrap();
    server.looked_at(&format!("{CHECK} {identity}")).exits(58).complains("key.pem");
    let none = format!("{CHECK} --cert PKI/client.pem --key {}", file("key.pem"));
    server.looked_at(&none).exits(58).complains("--pass-file");
}

/// Rule 24: a session that is resumed sends nothing before the server has answered.
#[test]
fn rule_24_no_early_data() {
    let server = s_server(&format!("{GOOD} -early_data -max_early_data 16384 -naccept 2"));
    let looked = server.looked_at(&format!("{CHECK} --reconnect 1 --expect-resumed")).exits(0);
    assert_eq!(String::from_utf8_lossy(&looked.stdout).lines().count(), 2);
    let said = String::from_utf8(server.process.ends().stdout).unwrap();
    assert!(said.contains("No early data received"), "{said}");
    assert!(!said.contains("Early data received") && !said.contains("Early data was"), "{said}");
}

/// Rule 28: nothing that a peer says steers a terminal.
#[test]
fn rule_28_nothing_steers_the_terminal() {
    let bad = "a\u{1b}[31m\u{9b}2J\u{202e}z";
    let leaf = Leaf::new(&format!("/CN={bad}"), "subjectAltName=DNS:other.test");
    let peer = served(&leaf);
    let trust = "--cafile PKI/ca.pem";
    let told = [
        peer.looked_at(&format!("--check {trust}")).exits(60),
        peer.looked_at(&format!("--check {trust} --name other.test")).exits(0),
        peer.looked_at(&format!("--check {trust} --name other.test --json")).exits(0),
        peer.looked_at(&format!("--print text {trust} --name other.test")).exits(0),
        peer.looked_at(&format!("--check {trust} --name other.test --expires-in 999d")).exits(3),
        peer.looked_at("--check --roots mozilla").exits(60),
    ];
    for ended in &told {
        let said = String::from_utf8(ended.stdout.clone()).unwrap() + &ended.stderr;
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(steers), "{said:?}");
    }
    assert!(String::from_utf8_lossy(&told[1].stdout).contains("u{1b}"));
    assert!(told[2].json()["chain"][0]["subject"].as_str().unwrap().contains("u{1b}"));
    // Bytes of a peer that speaks no TLS, too.
    let port = server(|mut stream| {
        let _ = stream.write_all(b"\x1b]0;title\x07 220\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let peer = Looked { port: port.to_string(), process: program("true", &[]) };
    let ended = peer.looked_at(CHECK).exits(35);
    assert!(!ended.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", ended.stderr);
}
