//! The name that a server must have: rule 8.

use super::authority::{Authority, leaf};
use super::handshake::shake;
use super::*;
use crate::error::Exit;

fn is_accepted(certified: &[&str], host: &str) -> bool {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(certified))).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), host, &server);
    match &outcome.client {
        Ok(_) => true,
        Err(failure) => {
            assert_eq!(failure.exit, Exit::UNTRUSTED, "{failure}");
            false
        }
    }
}

#[test]
fn names_match_exactly_and_wildcards_one_label() {
    for (certified, host, accepted) in [
        ("spile.test", "spile.test", true),
        ("spile.test", "SPILE.test.", true),
        ("spile.test", "a.spile.test", false),
        ("*.spile.test", "a.spile.test", true),
        ("*.spile.test", "b.a.spile.test", false),
        ("*.spile.test", "spile.test", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("::1", "::1", true),
        ("::1", "[::1]", true),
        ("xn--knig-5qa.test", "könig.test", true),
        ("localhost", "127.0.0.1", false),
    ] {
        assert_eq!(is_accepted(&[certified], host), accepted, "{certified} for {host}");
    }
}

#[test]
fn a_common_name_does_not_count() {
    let authority = Authority::new("Good");
    let nameless = leaf(&[]).named(rcgen::DnType::CommonName, "localhost");
    let server = server_of(authority.sign("s.pem", nameless)).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    assert_eq!(outcome.client_failure().exit, Exit::UNTRUSTED);
    assert!(outcome.client_words().contains("common name does not count"), "{}", outcome.client_words());
}

#[test]
fn an_address_as_a_dns_name_is_no_address() {
    let authority = Authority::new("Good");
    let mut textual = leaf(&[]);
    let text = "127.0.0.1".try_into().expect("ASCII");
    textual.parameters.subject_alt_names.push(rcgen::SanType::DnsName(text));
    let server = server_of(authority.sign("s.pem", textual)).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "127.0.0.1", &server);
    let words = outcome.client_words();
    assert!(words.contains("as a DNS name; an address must be an IP name"), "{words}");
}

#[test]
fn a_null_byte_never_ends_a_name() {
    let authority = Authority::new("Good");
    let mut tricky = leaf(&[]);
    let name = "localhost\0.evil.test".try_into().expect("ASCII");
    tricky.parameters.subject_alt_names.push(rcgen::SanType::DnsName(name));
    let server = server_of(authority.sign("s.pem", tricky)).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    assert_eq!(outcome.client_failure().exit, Exit::UNTRUSTED);
    let words = outcome.client_words();
    assert!(!words.contains('\0'), "{words:?}");
}

#[test]
fn a_refusal_says_what_was_wanted_what_was_offered_and_what_is_near() {
    let authority = Authority::new("Good");
    let identity = authority.sign("s.pem", leaf(&["db.example.test", "10.0.0.5"]));
    let server = server_of(identity).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "dbx.example.test", &server);
    let words = outcome.client_words();
    for part in ["'dbx.example.test'", "db.example.test, 10.0.0.5", "--name db.example.test"] {
        assert!(words.contains(part), "{words}");
    }

    let many: Vec<String> = (0..50).map(|n| format!("host{n}.example.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let server = server_of(authority.sign("s.pem", leaf(&many))).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "hots7.example.test", &server);
    let words = outcome.client_words();
    assert!(words.contains("host7.example.test and 49 more"), "{words}");
}

#[test]
fn name_and_sni_are_two_things() {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(&["inner.test"]))).build().expect("a server");
    let mut settings = client_of(&authority);
    settings.name = Some("inner.test".to_owned());
    let sni = |settings: &ClientSettings| {
        let outcome = shake(&settings.build().expect("a client"), "127.0.0.1", &server);
        outcome.assert_ok();
        outcome.server_seen.hello.expect("a hello").server_name
    };
    assert_eq!(sni(&settings), Some("inner.test".to_owned()));
    settings.sni = Sni::Name("outer.test".to_owned());
    assert_eq!(sni(&settings), Some("outer.test".to_owned()));
    settings.sni = Sni::Off;
    assert_eq!(sni(&settings), None);
}

#[test]
fn a_nameless_peer_needs_a_name() {
    let authority = Authority::new("Good");
    let client = client_of(&authority).build().expect("a client");
    assert_eq!(client.start("").err().map(|failure| failure.exit), Some(Exit::USAGE));
}

#[test]
fn a_name_to_send_is_sent_where_none_is_verified() {
    let mut settings = ClientSettings::default();
    settings.trust.enforcement = Enforcement::RecordOnly;
    settings.sni = Sni::Name("app".to_owned());
    assert_eq!(settings.build().expect("a client").sni(""), Ok(Some("app".to_owned())));
    settings.sni = Sni::Verified;
    assert_eq!(settings.build().expect("a client").sni(""), Ok(None));
}
