//! Who we are: keys and certificates out of files, several of them, and made on the spot. Rules 20, 22, 23, 29.

use std::os::unix::fs::PermissionsExt;

use super::authority::{Authority, leaf, text};
use super::handshake::{shake, words};
use super::*;
use crate::error::{Exit, Failure};

fn refused(settings: &ServerSettings) -> Failure {
    settings.build().err().expect("a failure")
}

#[test]
fn a_key_of_another_certificate_is_told() {
    let authority = Authority::new("Good");
    let (one, two) = (authority.sign("one.pem", leaf(&["a"])), authority.sign("two.pem", leaf(&["b"])));
    let mixed = IdentityFiles { key: Some(two.certificate), ..one };
    let failure = refused(&server_of(mixed.clone()));
    assert_eq!(failure.exit, Exit::OWN_CERTIFICATE);
    assert!(
        words(&failure).contains("two.pem: it is not the key of the certificate in"),
        "{}",
        words(&failure)
    );
    let client = ClientSettings { identity: Some(mixed), ..client_of(&authority) };
    assert_eq!(client.build().err().map(|failure| failure.exit), Some(Exit::OWN_CERTIFICATE));
}

#[test]
fn a_key_that_others_can_read_is_a_warning_or_a_failure() {
    let authority = Authority::new("Good");
    let identity = authority.sign("s.pem", leaf(&["localhost"]));
    let mut settings = server_of(identity.clone());
    assert!(settings.build().expect("a server").warnings().is_empty());
    std::fs::set_permissions(&identity.certificate, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let warnings = settings.build().expect("a server").warnings().to_vec();
    assert!(warnings.len() == 1 && warnings[0].contains("chmod 600"), "{warnings:?}");
    settings.permissions = Permissions::Strict;
    assert_eq!(refused(&settings).exit, Exit::OWN_CERTIFICATE);
}

#[test]
fn a_server_without_a_certificate_is_told_of_self_signed() {
    let failure = refused(&ServerSettings::default());
    assert_eq!(failure.exit, Exit::USAGE);
    assert!(words(&failure).contains("self-signed"), "{}", words(&failure));
}

#[test]
fn a_self_signed_server_is_known_by_its_pin_or_its_certificate() {
    let settings = ServerSettings { self_signed: Some(Vec::new()), ..ServerSettings::default() };
    let server = settings.build().expect("a server");
    let pins = vec![server.pin().expect("a pin")];
    let trust = Trust { pins, pinning: Pinning::Alone, ..Trust::default() };
    let client = ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client");
    shake(&client, "localhost", &server).assert_ok();

    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("own.der");
    std::fs::write(&file, server.certificate().expect("a certificate")).expect("a file");
    let trust = Trust { exact: vec![file], ..Trust::default() };
    let client = ClientSettings { trust, ..ClientSettings::default() }.build().expect("a client");
    for host in ["localhost", "127.0.0.1", "::1"] {
        shake(&client, host, &server).assert_ok();
    }
    assert!(shake(&client, "other.test", &server).client.is_err());
}

#[test]
fn names_choose_among_certificates() {
    let authority = Authority::new("Good");
    let first = authority.sign("first.pem", leaf(&["first.test"]));
    let second = authority.sign("second.pem", leaf(&["second.test"]));
    let third = authority.sign("third.pem", leaf(&["*.third.test", "third.test"]));
    let settings = ServerSettings {
        identities: vec![first, second],
        by_name: vec![("third.test".to_owned(), third.clone()), ("*.third.test".to_owned(), third)],
        ..ServerSettings::default()
    };
    let client = client_of(&authority).build().expect("a client");
    let server = settings.build().expect("a server");
    for host in ["first.test", "second.test", "SECOND.test", "third.test", "a.third.test"] {
        shake(&client, host, &server).assert_ok();
    }
    let outcome = shake(&client, "fourth.test", &server);
    assert!(words(outcome.client_failure()).contains("it names first.test"), "{}", outcome.client_words());
}

#[test]
fn strict_names_are_refused_with_the_alert_for_it() {
    let authority = Authority::new("Good");
    let identity = authority.sign("s.pem", leaf(&["known.test"]));
    let settings = ServerSettings { unknown_name: UnknownName::Refused, ..server_of(identity) };
    let server = settings.build().expect("a server");
    let client = client_of(&authority).build().expect("a client");
    shake(&client, "known.test", &server).assert_ok();

    let outcome = shake(&client, "unknown.test", &server);
    assert_eq!(outcome.client_failure().exit, Exit::HANDSHAKE);
    assert!(outcome.client_words().contains("unrecognized_name"), "{}", outcome.client_words());
    assert!(outcome.client_words().contains("'unknown.test'"), "{}", outcome.client_words());
    assert!(words(outcome.server_failure()).contains("'unknown.test'"));
    assert_eq!(outcome.server_sent, [21, 3, 3, 0, 2, 2, 112]);

    let mut settings = client_of(&authority);
    settings.sni = Sni::Off;
    let outcome = shake(&settings.build().expect("a client"), "known.test", &server);
    assert_eq!(outcome.client_failure().exit, Exit::HANDSHAKE);
}

#[test]
fn rsa_and_ecdsa_stand_side_by_side() {
    let authority = Authority::new("Good");
    let rsa = authority.sign("rsa.pem", leaf(&["localhost"]).with_key(&rcgen::PKCS_RSA_SHA256));
    let ecdsa = authority.sign("ecdsa.pem", leaf(&["localhost"]));
    let settings = ServerSettings { identities: vec![ecdsa, rsa], ..ServerSettings::default() };
    let server = settings.build().expect("a server");
    for (cipher, key) in
        [("ECDHE-RSA-AES128-GCM-SHA256", "rsa-2048"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec-p256")]
    {
        let mut settings = client_of(&authority);
        settings.protocol.ciphers = list(cipher).expect("a suite");
        let outcome = shake(&settings.build().expect("a client"), "localhost", &server);
        assert_eq!(outcome.assert_ok().version, "1.2");
        let now = std::time::SystemTime::now();
        let facts = crate::certificate::Facts::of(&outcome.client_seen.chain[0], 0, now).expect("facts");
        assert_eq!(facts.key, key);
    }
}

#[test]
fn a_staple_is_sent_and_seen() {
    let authority = Authority::new("Good");
    let mut identity = authority.sign("s.pem", leaf(&["localhost"]));
    let staple = authority.directory.path().join("staple.der");
    std::fs::write(&staple, [0x30, 3, 10, 1, 3]).expect("a file");
    identity.staple = Some(staple.clone());
    let server = server_of(identity.clone()).build().expect("a server");
    let outcome = shake(&client_of(&authority).build().expect("a client"), "localhost", &server);
    outcome.assert_ok();
    assert_eq!(outcome.client_seen.staple, [0x30, 3, 10, 1, 3]);

    std::fs::write(&staple, "no DER").expect("a file");
    assert_eq!(refused(&server_of(identity)).exit, Exit::STAPLE);
}

#[test]
fn keys_are_logged_to_the_file_that_was_named_and_to_no_other() {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let file = authority.directory.path().join("keys.log");
    let settings = ClientSettings { keylog: Some(file.clone()), ..client_of(&authority) };
    let client = settings.build().expect("a client");
    assert!(client.warnings().iter().any(|warning| warning.starts_with("keylog")), "{:?}", client.warnings());
    shake(&client, "localhost", &server).assert_ok();
    let log = text(&file);
    assert!(log.lines().any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")), "{log}");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    shake(&settings.build().expect("a client"), "localhost", &server).assert_ok();
    assert!(text(&file).len() > log.len() && text(&file).starts_with(&log), "it is appended to");
}

#[test]
fn keys_are_not_logged_where_others_can_read_or_redirect_them() {
    let authority = Authority::new("Good");
    let directory = authority.directory.path();
    let (open, link, fifo) =
        (directory.join("open.log"), directory.join("link.log"), directory.join("fifo.log"));
    std::fs::write(&open, "").expect("a file");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).expect("a fifo");
    for file in [open, link, fifo, directory.to_owned()] {
        let settings = ClientSettings { keylog: Some(file.clone()), ..client_of(&authority) };
        assert!(settings.build().is_err(), "{}", file.display());
    }
}

#[test]
fn who_holds_a_key_leaves_no_image_of_its_memory() {
    let authority = Authority::new("Good");
    server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let (soft, _) =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE).expect("a limit");
    assert_eq!(soft, 0);
    assert_eq!(nix::sys::prctl::get_dumpable(), Ok(false));
}
