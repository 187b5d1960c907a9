//! What is offered and accepted: versions, groups, suites, application protocols; and how a refusal is told.

use super::authority::{Authority, leaf};
use super::handshake::{shake, words};
use super::provider::{Cipher, Group};
use super::*;
use crate::error::Exit;

fn pair(of_client: Protocol, of_server: Protocol) -> handshake::Outcome {
    let authority = Authority::new("Good");
    let settings =
        ServerSettings { protocol: of_server, ..server_of(authority.sign("s.pem", leaf(&["localhost"]))) };
    let client = ClientSettings { protocol: of_client, ..client_of(&authority) };
    shake(&client.build().expect("a client"), "localhost", &settings.build().expect("a server"))
}

#[test]
fn groups_and_suites_are_those_asked_for() {
    let protocol = Protocol {
        groups: list("p-384:x25519").expect("groups"),
        ciphers: list("TLS_CHACHA20_POLY1305_SHA256").expect("suites"),
        ..Protocol::default()
    };
    let outcome = pair(protocol, Protocol::default());
    let negotiated = outcome.assert_ok();
    assert_eq!(negotiated.cipher, "TLS_CHACHA20_POLY1305_SHA256");
    assert!(!negotiated.is_post_quantum());
    let hello = outcome.server_seen.hello.expect("a hello");
    let groups: Vec<String> = hello.groups.iter().copied().map(group_name).collect();
    assert_eq!(groups, ["secp384r1", "X25519"]);
}

#[test]
fn a_server_that_names_suites_chooses_among_them_in_its_order() {
    let suites = |names: &str| Protocol { ciphers: list(names).expect("suites"), ..Protocol::default() };
    let (one, other) = ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256");
    let of_client = || suites(&format!("{one}:{other}"));
    let outcome = pair(of_client(), suites(&format!("{other}:{one}")));
    assert_eq!(outcome.assert_ok().cipher, other);
    assert_eq!(pair(of_client(), Protocol::default()).assert_ok().cipher, one, "nothing is asked for");
}

#[test]
fn the_default_is_post_quantum_with_a_plain_group_beside() {
    let outcome = pair(Protocol::default(), Protocol::default());
    assert_eq!(outcome.assert_ok().group.as_deref(), Some("X25519MLKEM768"));
    let plain = Protocol { groups: list("x25519").expect("groups"), ..Protocol::default() };
    let outcome = pair(Protocol::default(), plain);
    let negotiated = outcome.assert_ok();
    assert_eq!(negotiated.group.as_deref(), Some("X25519"));
    assert_eq!(negotiated.handshake, rustls::HandshakeKind::Full, "no extra trip");
}

#[test]
fn nothing_in_common_is_told_with_what_was_offered() {
    let outcome = pair(only(Version::Tls13), only(Version::Tls12));
    assert_eq!(outcome.client_failure().exit, Exit::HANDSHAKE);
    assert!(outcome.client_words().contains("TLS 1.3"), "{}", outcome.client_words());
    assert!(words(outcome.server_failure()).contains("1.2"), "{}", words(outcome.server_failure()));

    let (one, two) = (list("x25519"), list("p-256"));
    let protocol =
        |groups: Result<Vec<Group>, _>| Protocol { groups: groups.expect("groups"), ..Protocol::default() };
    let outcome = pair(protocol(one), protocol(two));
    assert_eq!(outcome.client_failure().exit, Exit::HANDSHAKE);
    assert!(outcome.client_words().contains("groups X25519;"), "{}", outcome.client_words());
    assert!(words(outcome.server_failure()).contains("secp256r1"), "{}", words(outcome.server_failure()));
}

#[test]
fn application_protocols_are_agreed_on_or_refused() {
    let alpn = |names: &[&str]| Protocol {
        alpn: names.iter().map(|n| (*n).to_owned()).collect(),
        ..Protocol::default()
    };
    let outcome = pair(alpn(&["h2", "http/1.1"]), alpn(&["http/1.1"]));
    assert_eq!(outcome.assert_ok().alpn.as_deref(), Some(b"http/1.1".as_slice()));
    let outcome = pair(alpn(&["h2"]), alpn(&["http/1.1"]));
    assert_eq!(outcome.client_failure().exit, Exit::HANDSHAKE);
    assert!(outcome.client_words().contains("none of h2"), "{}", outcome.client_words());
    assert!(words(outcome.server_failure()).contains("http/1.1"), "{}", words(outcome.server_failure()));
    assert_eq!(pair(alpn(&["h2"]), alpn(&[])).assert_ok().alpn, None);
}

#[test]
fn slips_are_named_with_what_is_right() {
    let failure = "x25591".parse::<Group>().expect_err("a slip");
    assert_eq!(failure.exit, Exit::USAGE);
    assert!(words(&failure).contains("did you mean 'x25519'"), "{}", words(&failure));
    let failure = list::<Cipher>("TLS_AES_256_GCM_SHA348").expect_err("a slip");
    assert!(words(&failure).contains("did you mean 'tls_aes_256_gcm_sha384'"), "{}", words(&failure));
    assert!(words(&failure).contains("tls_chacha20_poly1305_sha256"), "{}", words(&failure));
    assert!("1.1".parse::<Version>().expect_err("old").to_string().contains("not safe"));
    assert_eq!("1.3".parse::<Version>(), Ok(Version::Tls13));
    assert_eq!("TLSv1.2".parse::<Version>(), Ok(Version::Tls12));
    assert!(words(&"sytem".parse::<Roots>().expect_err("a slip")).contains("did you mean 'system'"));
}

#[test]
fn what_leaves_nothing_to_offer_is_a_usage_failure() {
    let exit = |protocol: Protocol| {
        let trust = Trust { roots: Some(Roots::Mozilla), ..Trust::default() };
        ClientSettings { protocol, trust, ..ClientSettings::default() }
            .build()
            .err()
            .map(|failure| failure.exit)
    };
    assert_eq!(
        exit(Protocol { min: Version::Tls13, max: Version::Tls12, ..Protocol::default() }),
        Some(Exit::USAGE)
    );
    let ciphers = list("ecdhe-rsa-aes128-gcm-sha256").expect("suites");
    assert_eq!(exit(Protocol { ciphers, min: Version::Tls13, ..Protocol::default() }), Some(Exit::USAGE));
    let groups = list("mlkem768").expect("groups");
    assert_eq!(exit(Protocol { groups, max: Version::Tls12, ..Protocol::default() }), Some(Exit::USAGE));
}
