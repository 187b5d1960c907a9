//! Keys and digests that are too weak, and certificates that are too old: rule 32. rustls cannot make them, so they
//! lie beside this file, made with openssl and good for a hundred years; their keys are gone.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::authority::Authority;
use super::seen::Shared;
use super::server_verifier::{Judge, ServerVerifier};
use super::*;

fn refusal(authority: &str, leaf: &str) -> Refusal {
    let directory = Authority::new("For its directory");
    let trust = Trust { cafile: vec![directory.store("a.pem", authority).certificate], ..Trust::default() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let seen = Shared::default();
    let name = || "localhost".try_into().expect("a name");
    let judge = Arc::new(Judge::new(trust, &provider).expect("a judge"));
    let verifier = ServerVerifier { judge, wanted: name(), seen: seen.clone() };
    let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).expect("a certificate");
    let result = verifier.verify_server_cert(&leaf, &[], &name(), &[], UnixTime::now());
    assert!(result.is_err(), "it is accepted");
    let refusal = seen.lock().verdict.refusal().cloned();
    refusal.expect("a refusal")
}

#[test]
fn an_authority_with_a_short_key_is_named_as_such() {
    let refusal =
        refusal(include_str!("weak/authority-rsa1024.pem"), include_str!("weak/leaf-by-rsa1024.pem"));
    assert_eq!(refusal.code, Code::WeakKey, "{refusal:?}");
    assert!(refusal.message.contains("'CN=Weak authority' has an RSA key of 1024 bits"), "{refusal:?}");
}

#[test]
fn a_signature_with_sha1_is_named_as_such() {
    let refusal = refusal(include_str!("weak/authority.pem"), include_str!("weak/leaf-sha1.pem"));
    assert_eq!(refusal.code, Code::WeakKey, "{refusal:?}");
    assert!(refusal.message.contains("signed with SHA1"), "{refusal:?}");
}

#[test]
fn version_1_is_named_as_such() {
    let refusal = refusal(include_str!("weak/authority.pem"), include_str!("weak/leaf-v1.pem"));
    assert_eq!(refusal.code, Code::Other, "{refusal:?}");
    assert!(refusal.message.contains("X.509 version 1"), "{refusal:?}");
}

#[test]
fn a_short_key_of_the_peer_is_why_its_handshake_does_not_verify() {
    let leaf =
        CertificateDer::from_pem_slice(include_bytes!("weak/leaf-rsa1024.pem")).expect("a certificate");
    let refusal = explanation::handshake_signature(&leaf);
    assert_eq!(refusal.code, Code::WeakKey);
    assert!(refusal.message.contains("1024 bits"), "{refusal:?}");
}
