//! Whom a client trusts: rules 6, 9, 10, 11, 12, 13 and 32 of the security semantics.

use super::authority::{Authority, ago, day, leaf};
use super::handshake::{Outcome, shake};
use super::*;
use crate::error::Exit;

fn refused(outcome: &Outcome, exit: Exit, code: Code) -> String {
    let failure = outcome.client_failure();
    assert_eq!(failure.exit, exit, "{failure}");
    assert_eq!(outcome.client_seen.verdict.refusal().map(|refusal| refusal.code), Some(code), "{failure}");
    assert!(!outcome.client_seen.chain.is_empty(), "the chain is kept");
    outcome.client_words()
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[test]
fn a_server_of_a_trusted_authority_is_trusted_in_both_versions() {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    for version in VERSIONS {
        let mut settings = client_of(&authority);
        settings.protocol = only(version);
        let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
        let negotiated = outcome.assert_ok();
        assert_eq!(negotiated.version, version.to_string());
        assert_eq!(outcome.client_seen.verdict, Verdict::Trusted(Basis::Authority));
        assert_eq!(negotiated.is_post_quantum(), version == Version::Tls13);
    }
}

#[test]
fn a_server_of_another_authority_is_refused_with_its_chain_kept() {
    let (good, other) = (Authority::new("Good"), Authority::new("Other"));
    let server = server_of(other.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    for version in VERSIONS {
        let mut settings = client_of(&good);
        settings.protocol = only(version);
        let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
        let words = refused(&outcome, Exit::UNTRUSTED, Code::UnknownIssuer);
        contains(&words, &["CN=Other", "1 certificate was sent", "ca.pem"]);
        contains(&outcome.server_failure().to_string(), &["unknown_ca"]);
    }
}

#[test]
fn insecure_goes_on_and_keeps_the_verdict() {
    let (good, other) = (Authority::new("Good"), Authority::new("Other"));
    let server = server_of(other.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let mut settings = client_of(&good);
    settings.trust.enforcement = Enforcement::RecordOnly;
    let client = settings.build().expect("a client");
    assert!(
        client.warnings().iter().any(|warning| warning.starts_with("insecure")),
        "{:?}",
        client.warnings()
    );
    let outcome = shake(&client, "localhost", &server);
    outcome.assert_ok();
    assert_eq!(outcome.client_seen.verdict.refusal().map(|refusal| refusal.code), Some(Code::UnknownIssuer));
}

#[test]
fn a_missing_intermediate_is_named() {
    let root = Authority::new("Root");
    let middle = root.intermediate("Middle");
    let identity = middle.sign("s.pem", leaf(&["localhost"]));
    let client = client_of(&root).build().expect("a client");

    let outcome = shake(&client, "localhost", &server_of(identity.clone()).build().expect("a server"));
    let words = refused(&outcome, Exit::UNTRUSTED, Code::UnknownIssuer);
    contains(&words, &["'CN=Middle' is not among", "an intermediate certificate is missing"]);

    let whole = authority::text(&identity.certificate) + &authority::text(&middle.file());
    let server = server_of(middle.store("whole.pem", &whole)).build().expect("a server");
    shake(&client, "localhost", &server).assert_ok();
}

#[test]
fn an_authority_of_the_same_name_with_another_key_is_told_apart() {
    let (old, new) = (Authority::new("Same"), Authority::new("Same"));
    let server = server_of(new.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let outcome = shake(&client_of(&old).build().expect("a client"), "localhost", &server);
    contains(&outcome.client_words(), &["Same", "another key"]);
    assert_eq!(outcome.client_failure().exit, Exit::UNTRUSTED);
}

#[test]
fn cafile_replaces_the_system_and_ca_add_adds() {
    let (first, second) = (Authority::new("First"), Authority::new("Second"));
    let server = server_of(second.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let mut settings = client_of(&first);
    settings.trust.ca_add = vec![second.file()];
    shake(&settings.build().expect("a client"), "localhost", &server).assert_ok();

    let client = client_of(&first).build().expect("a client");
    let (_, watch) = client.start("localhost").expect("a client");
    assert_eq!((watch.terms().roots, watch.terms().trust.starts_with("file:")), (1, true));
}

#[test]
fn no_authority_is_no_trust_and_no_silent_fallback() {
    let authority = Authority::new("Good");
    let failure = |trust: Trust| {
        let settings = ClientSettings { trust, ..ClientSettings::default() };
        settings.build().err().map(|failure| failure.exit)
    };
    let empty = authority.store("empty.pem", "").certificate;
    let other = authority.store("text.pem", "no certificate\n").certificate;
    let missing = authority.directory.path().join("missing.pem");
    for file in [empty, other, missing] {
        let trust = Trust { cafile: vec![file.clone()], ..Trust::default() };
        assert_eq!(failure(trust), Some(Exit::AUTHORITY), "{}", file.display());
        let trust = Trust { cafile: vec![authority.file(), file.clone()], ..Trust::default() };
        assert_eq!(failure(trust), Some(Exit::AUTHORITY), "{}", file.display());
    }
    assert_eq!(failure(Trust { roots: Some(Roots::None), ..Trust::default() }), Some(Exit::AUTHORITY));
    assert_eq!(failure(Trust { roots: Some(Roots::Mozilla), ..Trust::default() }), None);
}

#[test]
fn an_exact_certificate_is_trusted_ca_or_not_and_no_other_of_its_key() {
    let authority = Authority::new("Unused");
    let key = rcgen::KeyPair::generate().expect("a key");
    for is_ca in [true, false] {
        let exact = authority.self_signed_with("exact.pem", is_ca, leaf(&["localhost"]), &key);
        let twin = authority.self_signed_with("twin.pem", is_ca, leaf(&["localhost"]), &key);
        let trust = Trust { exact: vec![exact.certificate.clone()], ..Trust::default() };
        let client = ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client");
        let server = server_of(exact).build().expect("a server");
        let outcome = shake(&client, "localhost", &server);
        outcome.assert_ok();
        assert_eq!(outcome.client_seen.verdict, Verdict::Trusted(Basis::Exact));

        let outcome = shake(&client, "other.test", &server);
        refused(&outcome, Exit::UNTRUSTED, Code::NameMismatch);

        let outcome = shake(&client, "localhost", &server_of(twin).build().expect("a server"));
        refused(&outcome, Exit::UNTRUSTED, Code::UnknownIssuer);
    }
}

#[test]
fn an_exact_certificate_must_be_valid_now() {
    let authority = Authority::new("Unused");
    for (first, last, code) in [(-20, -2, Code::Expired), (2, 20, Code::NotYetValid)] {
        let exact = authority.self_signed("exact.pem", true, leaf(&["localhost"]).between(first, last));
        let trust = Trust { exact: vec![exact.certificate.clone()], ..Trust::default() };
        let client = ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client");
        let outcome = shake(&client, "localhost", &server_of(exact).build().expect("a server"));
        refused(&outcome, Exit::UNTRUSTED, code);
    }
}

#[test]
fn a_self_signed_authority_as_a_server_certificate_has_a_remedy() {
    let authority = Authority::new("Unused");
    let own = authority.self_signed("own.pem", true, leaf(&["localhost"]));
    let trust = Trust { cafile: vec![own.certificate.clone()], ..Trust::default() };
    let client = ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client");
    let outcome = shake(&client, "localhost", &server_of(own).build().expect("a server"));
    let words = refused(&outcome, Exit::UNTRUSTED, Code::SelfSignedCaLeaf);
    contains(&words, &["self-signed CA certificate", "--trust-cert FILE"]);
}

#[test]
fn a_pin_is_added_to_the_usual_checks() {
    let (good, other) = (Authority::new("Good"), Authority::new("Other"));
    let server = server_of(good.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let pin = server.pin().expect("a pin");
    let wrong: Pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse().expect("a pin");

    let mut settings = client_of(&good);
    settings.trust.pins = vec![wrong, pin];
    shake(&settings.build().expect("a client"), "localhost", &server).assert_ok();

    settings.trust.pins = vec![wrong];
    let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
    let words = refused(&outcome, Exit::PIN, Code::PinMismatch);
    assert!(!words.contains(&pin.to_string()), "the peer's pin must not be offered for copying: {words}");

    let mut settings = client_of(&other);
    settings.trust.pins = vec![pin];
    let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
    refused(&outcome, Exit::UNTRUSTED, Code::UnknownIssuer);
}

#[test]
fn insecure_leaves_a_pin_standing() {
    let authority = Authority::new("Nobody's");
    let server =
        server_of(authority.self_signed("s.pem", true, leaf(&["other.test"]))).build().expect("a server");
    let with = |pin| {
        let trust = Trust { enforcement: Enforcement::RecordOnly, pins: vec![pin], ..Trust::default() };
        ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client")
    };
    shake(&with(server.pin().expect("a pin")), "localhost", &server).assert_ok();
    let wrong = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse().expect("a pin");
    refused(&shake(&with(wrong), "localhost", &server), Exit::PIN, Code::PinMismatch);
}

#[test]
fn a_list_that_nobody_would_look_at_is_refused() {
    let authority = Authority::new("Good");
    let exact = authority.self_signed("exact.pem", true, leaf(&["localhost"]));
    let revocation = Revocation { files: vec![authority.revoke(&[1], 5)], ..Revocation::default() };
    let trust = Trust { exact: vec![exact.certificate], revocation, ..Trust::default() };
    let failure = ClientSettings { trust, ..ClientSettings::default() }.build().err();
    assert_eq!(failure.map(|failure| failure.exit), Some(Exit::USAGE));
}

#[test]
fn a_pin_alone_replaces_names_and_authorities() {
    let authority = Authority::new("Nobody's");
    let expired = authority.self_signed("s.pem", true, leaf(&["elsewhere.test"]).between(-20, -10));
    let server = server_of(expired).build().expect("a server");
    let trust = |pin| Trust { pins: vec![pin], pinning: Pinning::Alone, ..Trust::default() };
    let settings = |pin| ClientSettings { trust: trust(pin), ..ClientSettings::default() };
    let right = settings(server.pin().expect("a pin"));
    shake(&right.build().expect("a client"), "localhost", &server).assert_ok();
    let outcome = shake(&right.build().expect("a client"), "", &server);
    outcome.assert_ok();
    assert_eq!(outcome.client_seen.verdict, Verdict::Trusted(Basis::Pin));
    assert_eq!(outcome.server_seen.hello.expect("a hello").server_name, None);

    let wrong = settings("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse().expect("a pin"));
    let outcome = shake(&wrong.build().expect("a client"), "localhost", &server);
    refused(&outcome, Exit::PIN, Code::PinMismatch);

    let none = Trust { pinning: Pinning::Alone, ..Trust::default() };
    let failure = ClientSettings { trust: none, ..ClientSettings::default() }.build().err();
    assert_eq!(failure.map(|failure| failure.exit), Some(Exit::USAGE));
}

#[test]
fn a_client_certificate_does_not_make_a_server() {
    let authority = Authority::new("Good");
    let server =
        server_of(authority.sign("s.pem", leaf(&["localhost"]).for_client())).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    let words = refused(&outcome, Exit::UNTRUSTED, Code::WrongPurpose);
    contains(&words, &["clientAuth", "serverAuth"]);
}

#[test]
fn dates_are_told_with_days_and_the_time_they_were_judged_by() {
    let authority = Authority::new("Good");
    let server =
        server_of(authority.sign("s.pem", leaf(&["localhost"]).between(-20, -3))).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    let words = refused(&outcome, Exit::UNTRUSTED, Code::Expired);
    contains(&words, &["expired on", "3 days ago", "judged at"]);

    let mut settings = client_of(&authority);
    settings.trust.at = Some(ago(5));
    shake(&settings.build().expect("a client"), "localhost", &server).assert_ok();

    settings.trust.at = Some(ago(30));
    let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
    contains(&refused(&outcome, Exit::UNTRUSTED, Code::NotYetValid), &["is valid from"]);
}

#[test]
fn revocation_lists_are_obeyed_and_must_be_fresh() {
    let authority = Authority::new("Good");
    let identity = authority.sign("s.pem", leaf(&["localhost"]));
    let serial = authority.last_serial();
    let server = server_of(identity.clone()).build().expect("a server");
    let with = |list: std::path::PathBuf, unknown| {
        let mut settings = client_of(&authority);
        settings.trust.revocation = Revocation { files: vec![list], unknown };
        settings.build().expect("a client")
    };

    let good = with(authority.revoke(&[9999], 5), UnknownStatus::Refused);
    shake(&good, "localhost", &server).assert_ok();

    let outcome = shake(&with(authority.revoke(&[serial], 5), UnknownStatus::Refused), "localhost", &server);
    let words = refused(&outcome, Exit::UNTRUSTED, Code::Revoked);
    contains(&words, &["crl.pem", &day(-2).date().to_string(), "KeyCompromise"]);

    for unknown in [UnknownStatus::Refused, UnknownStatus::Allowed] {
        let outcome = shake(&with(authority.revoke(&[9999], -1), unknown), "localhost", &server);
        let words = refused(&outcome, Exit::UNTRUSTED, Code::CrlExpired);
        contains(&words, &["crl.pem", "24 hours ago"]);
    }

    let other = Authority::new("Other");
    let list = other.revoke(&[1], 5);
    let outcome = shake(&with(list.clone(), UnknownStatus::Refused), "localhost", &server);
    contains(&refused(&outcome, Exit::UNTRUSTED, Code::CrlUnknown), &["CN=Good", "crl-soft"]);
    shake(&with(list, UnknownStatus::Allowed), "localhost", &server).assert_ok();
}

#[test]
fn a_revoked_certificate_is_not_saved_by_being_exact() {
    let authority = Authority::new("Good");
    let identity = authority.sign("s.pem", leaf(&["localhost"]));
    let mut settings = client_of(&authority);
    settings.trust.exact = vec![identity.certificate.clone()];
    settings.trust.revocation.files = vec![authority.revoke(&[authority.last_serial()], 5)];
    let server = server_of(identity).build().expect("a server");
    let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
    refused(&outcome, Exit::UNTRUSTED, Code::Revoked);
}

#[test]
fn a_revoked_certificate_is_not_saved_by_an_error_that_comes_first() {
    let (authority, other) = (Authority::new("Good"), Authority::new("Other"));
    let identity = authority.sign("s.pem", leaf(&["localhost"]));
    // Its authority is not trusted: that is what webpki tells.
    let mut settings = client_of(&other);
    settings.trust.exact = vec![identity.certificate.clone()];
    let server = server_of(identity).build().expect("a server");
    shake(&settings.build().expect("a client"), "localhost", &server).assert_ok();
    settings.trust.revocation.files = vec![authority.revoke(&[authority.last_serial()], 5)];
    let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
    refused(&outcome, Exit::UNTRUSTED, Code::Revoked);
}
