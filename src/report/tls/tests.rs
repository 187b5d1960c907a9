//! The shape of the report is a promise: every key of the schema is there, in its place.

use std::time::Duration;

use rustls::HandshakeKind;
use serde_json::{Value, json};

use super::*;
use crate::error::Exit;
use crate::tls::{Basis, CertificateRequest, Code, Hello, Refusal, Verdict};

fn account(end: End) -> Account<'static> {
    Account {
        end,
        stage: Stage::Handshake,
        failure: None,
        times: Times::default(),
        negotiated: None,
        tickets: 0,
        handshake: None,
        close: Close::default(),
        pem: Pem::Omitted,
    }
}

fn client() -> End {
    End::Client { target: Target::default(), accepted: Accepted::Unknown }
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A certificate without names that is good until 2051: of the tests of this program, its key is gone.
const LEAF: &str = include_str!("../../tls/tests/weak/leaf-rsa1024.pem");

fn leaf() -> crate::certificate::Der {
    rustls::pki_types::pem::PemObject::from_pem_slice(LEAF.as_bytes()).expect("a certificate")
}

#[test]
fn a_client_without_a_handshake_has_every_key_of_its_schema() {
    let report = tls_json(&account(client()));
    assert_eq!(
        keys(&report),
        [
            "chain",
            "client_auth",
            "close",
            "error",
            "exit_code",
            "ms",
            "ocsp",
            "ok",
            "role",
            "schema",
            "stage",
            "target",
            "tls",
            "verify"
        ]
    );
    assert_eq!(keys(&report["target"]), ["addr", "host", "name", "port", "sni", "starttls"]);
    assert_eq!(keys(&report["ms"]), ["dns", "handshake", "starttls", "tcp"]);
    assert_eq!(keys(&report["close"]), ["bytes_in", "bytes_out", "peer", "sent_close_notify"]);
    assert_eq!(report["schema"], "spile.tls/1");
    assert_eq!(
        (&report["role"], &report["tls"], &report["verify"]),
        (&json!("client"), &json!(null), &json!(null))
    );
    assert_eq!((&report["ok"], &report["exit_code"]), (&json!(true), &json!(0)));
}

#[test]
fn a_refusal_is_told_with_what_was_wanted_and_what_was_offered() {
    let refusal = Refusal {
        code: Code::NameMismatch,
        message: "certificate is not valid for 'db'".to_owned(),
        hint: Some("it names localhost".to_owned()),
    };
    let seen = Seen { chain: vec![leaf()], verdict: Verdict::Refused(refusal.clone()), ..Seen::default() };
    let terms = Terms {
        trust: "file:ca.pem".to_owned(),
        roots: 1,
        wanted: Some("db".to_owned()),
        ..Terms::default()
    };
    let failure = refusal.failure("TLS with db:5432");
    let mut account = account(client());
    (account.failure, account.stage, account.handshake) =
        (Some(&failure), Stage::Verify, Some((&seen, &terms)));
    account.times.handshake = Some(Duration::from_micros(1_440));
    let report = tls_json(&account);
    assert_eq!(
        report["verify"],
        json!({
            "result": "failed", "code": "name_mismatch", "message": "certificate is not valid for 'db'",
            "hint": "it names localhost", "trust": "file:ca.pem", "roots": 1, "wanted": "db",
            "offered": ["DNS:localhost"], "revocation": "not_checked", "insecure": false
        })
    );
    assert_eq!((&report["ok"], &report["exit_code"]), (&json!(false), &json!(Exit::UNTRUSTED.0)));
    assert_eq!(report["ms"]["handshake"], json!(1.4));
    assert_eq!(report["stage"], "verify");
    assert_eq!(report["chain"][0]["key"], "rsa-1024");
    assert_eq!(report["chain"][0]["pem"], json!(null));
    assert_eq!(report["error"]["why"], "certificate is not valid for 'db'");
    account.pem = Pem::Included;
    assert!(
        tls_json(&account)["chain"][0]["pem"].as_str().expect("PEM").starts_with("-----BEGIN CERTIFICATE")
    );
}

#[test]
fn what_was_agreed_on_is_told_and_what_the_peer_says_is_escaped() {
    let negotiated = Negotiated {
        version: "1.3",
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        group: Some("X25519MLKEM768".to_owned()),
        alpn: Some(b"h2\x1b\xff".to_vec()),
        handshake: HandshakeKind::FullWithHelloRetryRequest,
    };
    let request = CertificateRequest { issuers: Vec::new(), is_answered: true };
    let seen =
        Seen { verdict: Verdict::Trusted(Basis::Authority), request: Some(request), ..Seen::default() };
    let terms =
        Terms { trust: "system".to_owned(), roots: 145, wanted: Some("db".to_owned()), ..Terms::default() };
    let mut account = account(client());
    (account.negotiated, account.tickets, account.handshake) = (Some(negotiated), 2, Some((&seen, &terms)));
    let report = tls_json(&account);
    assert_eq!(
        report["tls"],
        json!({
            "version": "1.3", "cipher": "TLS_AES_256_GCM_SHA384", "group": "X25519MLKEM768", "post_quantum": true,
            "alpn": "h2\\u{1b}\u{fffd}", "handshake": "full_with_retry", "tickets": 2, "early_data": false
        })
    );
    assert_eq!(
        report["client_auth"],
        json!({"requested": true, "sent": true, "accepted": "unknown", "issuers": []})
    );
    assert_eq!(
        tls_text(&account),
        "TLS 1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768 ALPN h2\\u{1b}\u{fffd}; trusted for 'db' by system; \
         it has not said whether it accepts our certificate"
    );
}

#[test]
fn a_server_tells_of_its_client() {
    let hello = Hello {
        server_name: Some("localhost".to_owned()),
        alpn: vec![b"h2".to_vec()],
        groups: vec![rustls::NamedGroup::Unknown(0x3a3a), rustls::NamedGroup::X25519],
        ciphers: vec![rustls::CipherSuite::TLS13_AES_128_GCM_SHA256],
        signatures: vec![rustls::SignatureScheme::ED25519],
    };
    let rule = Some(crate::tls::Rule::Dns("localhost".to_owned()));
    let seen = Seen { chain: vec![leaf()], hello: Some(hello), rule, ..Seen::default() };
    let terms = Terms::default();
    let mut account = account(End::Server { peer: "127.0.0.1:4711".to_owned() });
    account.handshake = Some((&seen, &terms));
    let report = tls_json(&account);
    assert_eq!((&report["role"], &report["peer"]["addr"]), (&json!("server"), &json!("127.0.0.1:4711")));
    assert_eq!(report["rule"], "allow-dns=localhost");
    assert_eq!(report["client_cert"]["san"], json!(["DNS:localhost"]));
    assert_eq!(
        report["hello"],
        json!({
            "sni": "localhost", "alpn": ["h2"], "groups": ["X25519"],
            "ciphers": ["TLS_AES_128_GCM_SHA256"], "signatures": ["ED25519"]
        })
    );
    assert!(report.get("target").is_none());
}
