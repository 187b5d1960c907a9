//! Options of TLS take effect on the wire, as OpenSSL at the other end sees it. Rule 20 is among them.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::harness::look::{GOOD, Looked, s_server, words};
use crate::harness::*;

const CHECK: &str = "--check --cafile PKI/ca.pem";

/// tls-serve, which says a word to each client; its port.
fn serve(options: &str) -> (Process, String) {
    let line = format!("tls-serve 127.0.0.1:0 --cert PKI/server.both {options} -- echo welcome");
    let mut server = spile(words(&line));
    let port = server.port().to_string();
    (server, port)
}

/// `openssl s_client`, to the end of what the server says.
fn s_client(port: &str, options: &str) -> Ended {
    let line = words(&format!("s_client -connect 127.0.0.1:{port} -ign_eof {options}"));
    program("openssl", &line.iter().map(String::as_str).collect::<Vec<_>>()).ends()
}

#[test]
fn a_client_offers_the_groups_and_suites_that_were_asked_for() {
    let server = s_server(&format!("{GOOD} -quiet"));
    for (options, part, wanted) in [
        ("--groups p-384", "group", "secp384r1"),
        ("--groups x25519", "group", "X25519"),
        ("--ciphers TLS_CHACHA20_POLY1305_SHA256", "cipher", "TLS_CHACHA20_POLY1305_SHA256"),
        ("--ciphers ecdhe-ecdsa-aes128-gcm-sha256", "version", "1.2"),
        ("--max 1.2", "version", "1.2"),
        ("--min 1.3", "version", "1.3"),
    ] {
        let report = server.looked_at(&format!("{CHECK} --json {options}")).exits(0).json();
        assert_eq!(report["tls"][part], wanted, "{options}");
    }
    let other = s_server(&format!("{GOOD} -groups P-256 -quiet"));
    other.looked_at(&format!("{CHECK} --groups p-384")).exits(35).complains("secp384r1");
}

#[test]
fn a_server_takes_the_groups_and_suites_that_were_asked_for() {
    for (ours, theirs, wanted) in [
        ("--groups p-384", "-groups P-256:P-384", "ECDH, secp384r1"),
        ("--ciphers TLS_CHACHA20_POLY1305_SHA256", "", "Cipher is TLS_CHACHA20_POLY1305_SHA256"),
        ("--max 1.2", "", "Protocol  : TLSv1.2"),
        ("--min 1.3", "", "New, TLSv1.3"),
    ] {
        let (_server, port) = serve(ours);
        let ended = s_client(&port, theirs).exits(0);
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(said.contains("welcome") && said.contains(wanted), "{ours}: {said}");
    }
    for (ours, theirs) in [
        ("--groups p-384", "-groups P-256"),
        ("--ciphers TLS_CHACHA20_POLY1305_SHA256", "-ciphersuites TLS_AES_128_GCM_SHA256"),
        ("--max 1.2", "-tls1_3"),
        ("--min 1.3", "-tls1_2"),
    ] {
        let (_server, port) = serve(ours);
        s_client(&port, theirs).exits(1).complains("alert");
    }
}

/// The first bytes that tls-connect sends with these options.
fn hello(options: &str) -> String {
    let (sender, heard) = channel();
    let sender = std::sync::Arc::new(Mutex::new(sender));
    let port = server(move |mut stream| {
        let mut bytes = vec![0; 4096];
        let n = stream.read(&mut bytes).unwrap();
        sender.lock().unwrap().send(String::from_utf8_lossy(&bytes[..n]).into_owned()).unwrap();
    });
    let peer = Looked { port: port.to_string(), process: program("true", &[]) };
    peer.looked_at(&format!("{CHECK} {options}")).exits(35);
    heard.recv_timeout(DEADLINE).unwrap()
}

#[test]
fn the_name_in_the_clear_is_the_one_that_was_asked_for_or_none() {
    assert!(hello("").contains("localhost"));
    let other = hello("--sni other.test");
    assert!(other.contains("other.test") && !other.contains("localhost"), "{other:?}");
    let none = hello("--no-sni --name elsewhere.test");
    assert!(!none.contains("localhost") && !none.contains("elsewhere"), "{none:?}");
    // Addresses are no names (RFC 6066, section 3).
    assert!(!hello("--name 127.0.0.1").contains("127.0.0.1"));
}

#[test]
fn a_server_gives_as_many_tickets_as_were_asked_for() {
    for (options, tickets) in [("", 2), ("--tickets 0", 0), ("--tickets 3", 3), ("--once", 0)] {
        let (_server, port) = serve(options);
        let ended = s_client(&port, "-tls1_3").exits(0);
        let said = String::from_utf8_lossy(&ended.stdout);
        let given = said.matches("New Session Ticket arrived").count();
        assert_eq!(given, tickets, "{options}: {said}");
    }
}

#[test]
fn a_client_is_let_in_by_its_pin() {
    let pin = |file: &str| output_of(SPILE, &["cert", "pin", &certificate(file)]).trim().to_owned();
    let (right, wrong) = (pin("client.pem"), pin("server.pem"));
    let client = "-cert PKI/client.pem -key PKI/client.key -quiet";
    for (pins, is_admitted) in [
        (format!("--allow-pin {right}"), true),
        (format!("--allow-pin {wrong}"), false),
        (format!("--allow-pin {wrong} --allow-pin {right}"), true),
    ] {
        let (_server, port) = serve(&format!("--client-ca PKI/ca.pem {pins}"));
        let said = s_client(&port, client).stdout;
        assert_eq!(said == b"welcome\n", is_admitted, "{pins}: {}", said.escape_ascii());
    }
}

/// Rule 20: a key that others can read is told of, and with --strict-perms not used.
#[test]
fn a_key_that_others_can_read_is_told_of_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let key = |from: &str, mode: u32| {
        let path = dir.path().join(from);
        std::fs::copy(certificate(from), &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let server = s_server(&format!("{GOOD} -quiet"));
    for (mode, is_open) in [(0o600, false), (0o640, true), (0o604, true)] {
        let client = format!("{CHECK} --cert PKI/client.pem --key {}", key("client.key", mode));
        let told = server.looked_at(&client).exits(0).stderr;
        assert_eq!(told.contains("can be read by others"), is_open, "{mode:o}: {told}");
        let strict = if is_open { 58 } else { 0 };
        server.looked_at(&format!("{client} --strict-perms")).exits(strict);
        let both = key("server.both", mode);
        let (mut open, _) = serve(&format!("--cert {both}"));
        if is_open {
            open.line_with("can be read by others");
            let line = ["tls-serve", "0", "--cert", &both, "--strict-perms", "--echo"];
            spile(line).ends().exits(58).complains("can be read by others");
        }
    }
}

/// One implementation of cryptography is enough; another one would be nobody's choice.
#[test]
fn ring_is_not_built_in() {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(["tree", "--offline", "--edges", "normal", "--invert", "ring"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let ended = start(command).eof().ends();
    assert!(ended.stdout.is_empty(), "{}", String::from_utf8_lossy(&ended.stdout));
    // Not for another reason.
    let why = ["did not match any packages", "nothing to print"];
    assert!(why.iter().any(|why| ended.stderr.contains(why)), "{}", ended.stderr);
}
