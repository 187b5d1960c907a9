//! STARTTLS in every protocol that has it: to the end of a handshake, refused, not offered, and with words put in.

use std::io::{BufRead, BufReader, Write};

use crate::harness::*;

/// Each protocol; what `refuse` has us say, and what `unoffered` has, where it can be known beforehand.
const PROTOCOLS: &[(&str, &str, Option<&str>)] = &[
    ("smtp", "454 TLS is not available", Some("250-SIZE 1000 / 250 HELP")),
    ("lmtp", "454 TLS is not available", Some("250-SIZE 1000 / 250 HELP")),
    ("imap", "b NO not now", Some("CAPABILITY IMAP4rev1")),
    ("pop3", "-ERR not now", Some("USER")),
    ("ftp", "534 policy says no", None),
    ("nntp", "580 cannot", Some("VERSION 2")),
    ("xmpp", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", Some("bind")),
    ("xmpp-server", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", Some("bind")),
    ("postgres", "N (it has TLS switched off)", None),
    ("mysql", "error 1129: Host is blocked", Some("version 8.0.0-fake")),
    ("ldap", "result 52 (unavailable: it has no TLS) no!", None),
    ("sieve", "NO \"not now\"", Some("\"IMPLEMENTATION\" \"fake\"")),
    ("irc", ":fake 691 * :failed", None),
    ("telnet", "DONT START_TLS", None),
];

/// Servers of the test's own, one for each protocol.
struct Fakes(Process);

impl Fakes {
    fn new(mode: &str) -> Fakes {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/starttls.py");
        Fakes(program("python3", &[script, mode, &certificate("server.both")]))
    }

    fn port(&mut self, protocol: &str) -> u16 {
        let line = self.0.line(&format!("{protocol} listens on "));
        line.parse().unwrap()
    }
}

fn client(protocol: &str, port: u16) -> Process {
    let place = format!("localhost:{port}");
    spile(["tls-connect", "--starttls", protocol, "--cafile", &certificate("ca.pem"), &place])
}

#[test]
fn every_protocol_comes_to_tls_and_the_fake_is_one_that_openssl_takes() {
    let mut fakes = Fakes::new("good");
    for (protocol, ..) in PROTOCOLS {
        let port = fakes.port(protocol);
        client(protocol, port).sends("hello\n").gets("got hello\n").eof().ends().exits(0);
        fakes.0.line(&format!("{protocol} established TLSv1.3"));
        let (place, authority) = (format!("127.0.0.1:{port}"), certificate("ca.pem"));
        let mut openssl = vec!["s_client", "-starttls", protocol, "-connect", &place, "-CAfile", &authority];
        openssl.extend(["-quiet", "-verify_quiet", "-verify_return_error", "-xmpphost", "localhost"]);
        // It may say the last plaintext, too.
        let mut openssl = program("openssl", &openssl).sends("hello\n");
        let mut said = String::new();
        while !said.ends_with("got hello\n") {
            said += &String::from_utf8_lossy(&openssl.some());
        }
    }
}

#[test]
fn who_refuses_is_quoted_and_hears_nothing_more_in_plaintext() {
    let mut fakes = Fakes::new("refuse");
    for (protocol, refusal, _) in PROTOCOLS {
        let port = fakes.port(protocol);
        let ended = client(protocol, port).sends("a secret\n").ends().exits(35);
        let words = format!(
            "spile tls-connect: cannot start TLS with localhost:{port} ({protocol}): the server refused: {refusal}\n"
        );
        assert_eq!(ended.stderr, words);
        assert!(ended.stdout.is_empty());
        fakes.0.line(&format!("{protocol} then hears nothing"));
    }
}

#[test]
fn who_does_not_offer_it_is_not_asked() {
    let mut fakes = Fakes::new("unoffered");
    for (protocol, _, offer) in PROTOCOLS {
        let Some(offer) = offer else { continue };
        let port = fakes.port(protocol);
        let ended = client(protocol, port).sends("a secret\n").ends().exits(35);
        let words = format!("({protocol}): the server does not offer it");
        assert!(ended.stderr.contains(&format!("{words}; it offers: {offer}\n")), "{}", ended.stderr);
    }
}

#[test]
fn words_put_in_behind_the_go_ahead_are_fatal() {
    let mut fakes = Fakes::new("inject");
    for (protocol, ..) in PROTOCOLS {
        let port = fakes.port(protocol);
        let ended = client(protocol, port).sends("hello\n").ends().exits(35);
        let words = "5 bytes of plaintext came where only TLS may follow: EXTRA\n";
        assert!(ended.stderr.contains(words), "{protocol}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{protocol}");
    }
}

/// A go-ahead that fills a read to its last byte: what is put in is still in the socket when TLS is to begin.
#[test]
fn words_put_in_behind_a_go_ahead_of_any_length_are_fatal() {
    let port = server(|stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let say = |text: &str| (&stream).write_all(text.as_bytes()).unwrap();
        say("220 fake\r\n");
        lines.next();
        say("250 STARTTLS\r\n");
        lines.next();
        say(&format!("220 {}\r\nEXTRA", "x".repeat(4096 - "220 \r\n".len())));
        // Whatever is said now is not to be lost to a reset.
        let _ = std::io::copy(&mut &stream, &mut std::io::sink());
    });
    let ended = client("smtp", port).sends("hello\n").ends().exits(35);
    ended.complains("5 bytes of plaintext came where only TLS may follow: EXTRA\n").says("");
}

#[test]
fn a_server_that_closes_or_says_nothing_is_told_apart() {
    let mut fakes = Fakes::new("close");
    for (protocol, ..) in PROTOCOLS {
        let port = fakes.port(protocol);
        client(protocol, port).ends().exits(35).complains("the server closed the connection");
    }
    let silent = server(|mut stream| drop(std::io::copy(&mut stream, &mut std::io::sink())));
    let place = format!("localhost:{silent}");
    for protocol in ["smtp", "postgres"] {
        let late = spile(["tls-connect", "--connect-timeout", "300ms", "--starttls", protocol, &place]);
        late.ends().exits(124).complains("(--connect-timeout)").complains("where TLS begins at once");
    }
}

#[test]
fn another_protocol_is_named_by_what_it_says() {
    let ssh = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-\x1b[31mOpenSSH\r\n");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    // To postgres an S is the go-ahead, and all behind it is fatal.
    for protocol in ["smtp", "imap", "pop3", "ftp", "nntp", "xmpp", "mysql", "ldap", "sieve"] {
        let ended = client(protocol, ssh).ends().exits(35);
        assert!(ended.stderr.contains("the server does not speak the protocol; it said: "), "{ended:?}");
        assert!(!ended.stderr.contains('\x1b'), "{protocol}");
    }
}

#[test]
fn the_name_of_a_protocol_may_be_slightly_wrong() {
    let wrong = |name: &str| spile(["tls-connect", "--starttls", name, "localhost:25"]).ends().exits(2);
    wrong("postgresql").complains("did you mean 'postgres'?");
    wrong("gopher").complains("'gopher' is none of smtp lmtp imap");
}

#[test]
fn a_certificate_is_verified_and_a_relay_takes_the_option_too() {
    let mut fakes = Fakes::new("good");
    let place = format!("localhost:{}", fakes.port("smtp"));
    let stranger = certificate("other-ca.pem");
    spile(["tls-connect", "--starttls", "smtp", "--cafile", &stranger, &place]).ends().exits(60);
    let far = format!("tls:{place},starttls=smtp,cafile={}", certificate("ca.pem"));
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &far]);
    let relayed = connect(relay.port());
    (&relayed).write_all(b"hello\n").unwrap();
    relayed.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_all(&relayed), b"got hello\n");
}

#[test]
fn postgres_itself_goes_on_in_tls_and_one_without_it_refuses() {
    let server = postgres("me", "-c ssl=on -c ssl_cert_file=DIR/server.pem -c ssl_key_file=DIR/server.key");
    let startup = b"\0\0\0\x23\0\x03\0\0user\0me\0database\0postgres\0\0";
    assert_eq!(usize::from(startup[3]), startup.len());
    let said = client("postgres", server.port()).sends(startup).some();
    assert!(said.starts_with(b"R\0\0\0\x08\0\0\0\0"), "{}", said.escape_ascii());
    let server = postgres("me", "-c ssl=off");
    client("postgres", server.port())
        .ends()
        .exits(35)
        .complains("the server refused: N (it has TLS switched off)");
}
