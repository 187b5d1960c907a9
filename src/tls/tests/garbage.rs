//! Bytes that are no TLS, and certificates that are none: words and a status, never a panic. Rules 27 and 28.

use proptest::prelude::*;
use rustls::pki_types::UnixTime;

use super::authority::{Authority, leaf};
use super::handshake::{client_turn, server_turn, shake, words};
use super::seen::Shared;
use super::server_verifier::{Judge, ServerVerifier};
use super::*;
use crate::error::Exit;

#[test]
fn a_peer_without_tls_is_told_by_its_first_bytes() {
    let authority = Authority::new("Good");
    let client = client_of(&authority).build().expect("a client");
    let (mut end, watch) = client.start("localhost").expect("a client");
    let greeting = b"SSH-2.0-OpenSSH_9.2\x1b[2J\r\n";
    client_turn(&mut end, &mut Vec::new()).1.expect("a hello");
    let error = client_turn(&mut end, &mut greeting.to_vec()).1.expect_err("no TLS");
    let failure = watch.explain(&error, "localhost:22", greeting);
    assert_eq!(failure.exit, Exit::HANDSHAKE);
    let words = words(&failure);
    assert!(words.contains("does not speak TLS (first bytes \"SSH-2.0-OpenSSH_9.2"), "{words}");
    assert!(!words.contains('\x1b'), "{words:?}");
}

#[test]
fn a_client_without_tls_is_told_to_the_server() {
    let settings = ServerSettings { self_signed: Some(Vec::new()), ..ServerSettings::default() };
    let server = settings.build().expect("a server");
    let (mut end, watch) = server.start().expect("a server");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let error = server_turn(&mut end, &mut request.to_vec()).1.expect_err("no TLS");
    let failure = watch.explain(&error, "127.0.0.1:4711", request);
    assert_eq!(failure.exit, Exit::HANDSHAKE);
    assert!(words(&failure).contains("first bytes \"GET / HTTP/1.1"), "{}", words(&failure));
}

#[test]
fn names_of_a_certificate_cannot_speak_to_the_terminal() {
    let authority = Authority::new("Good");
    let tricky = leaf(&["other.test"]).named(rcgen::DnType::OrganizationName, "a\x1b[31m\u{202e}b");
    let own = authority.self_signed("own.pem", false, tricky);
    let server = server_of(own).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    let text = outcome.client_words();
    assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_as_a_hello_are_refused_in_words(bytes in proptest::collection::vec(any::<u8>(), 0..600), as_record in any::<bool>()) {
        let settings = ServerSettings { self_signed: Some(Vec::new()), ..ServerSettings::default() };
        let server = settings.build().expect("a server");
        let (mut end, watch) = server.start().expect("a server");
        let mut input = bytes.clone();
        if as_record {
            let length = u16::try_from(bytes.len()).expect("a length").to_be_bytes();
            input = [&[22, 3, 1, length[0], length[1]], bytes.as_slice()].concat();
        }
        let first = input.clone();
        if let Err(error) = server_turn(&mut end, &mut input).1 {
            let failure = watch.explain(&error, "client", &first);
            prop_assert_eq!(failure.exit, Exit::HANDSHAKE);
            prop_assert!(!failure.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn any_bytes_as_a_certificate_are_refused_in_words(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        judged(&bytes);
    }

    #[test]
    fn a_damaged_certificate_is_refused_in_words(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut der = damaged_base();
        let at = at.index(der.len());
        der[at] = byte;
        judged(&der);
    }
}

/// One certificate for all cases: making them takes longer than judging them.
fn damaged_base() -> Vec<u8> {
    static BASE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BASE.get_or_init(|| {
        let authority = Authority::new("Good");
        let identity = authority.sign("s.pem", leaf(&["localhost", "10.0.0.1"]).with_uri("spiffe://td/a"));
        crate::certificate::read_chain(&identity.certificate).expect("a chain")[0].to_vec()
    })
    .clone()
}

/// Both judges look at it, and so do all rules.
fn judged(der: &[u8]) {
    use rustls::client::danger::ServerCertVerifier;
    let trust = Trust { roots: Some(Roots::Mozilla), ..Trust::default() };
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let judge = Judge::new(trust, &provider).expect("a judge");
    let seen = Shared::default();
    let wanted = "localhost".try_into().expect("a name");
    let verifier = ServerVerifier { judge: judge.into(), wanted, seen: seen.clone() };
    let leaf = rustls::pki_types::CertificateDer::from(der.to_vec());
    let name = "localhost".try_into().expect("a name");
    let result = verifier.verify_server_cert(&leaf, std::slice::from_ref(&leaf), &name, &[], UnixTime::now());
    assert!(result.is_err());
    let refusal = seen.lock().verdict.refusal().cloned().expect("a refusal");
    assert!(!refusal.message.contains(char::is_control), "{refusal:?}");
    let uri = Rule::Uri(UriPattern::parse("spiffe://other/**").expect("a pattern"));
    for rule in [uri, Rule::Dns("no".to_owned()), Rule::Cn("no".to_owned()), Rule::Ou("no".to_owned())] {
        assert!(!rule.admits(der));
    }
}
