//! OCSP responses that servers staple: which are believed, what they come to, and what a server is told of its own.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rcgen::{CustomExtension, KeyPair, SigningKey as _};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::authority::{Authority, Leaf, day, leaf};
use super::handshake::{Outcome, shake, words};
use super::*;
use crate::certificate::{Der, read_chain};
use crate::error::Exit;

/// One element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("short");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..=127 => vec![tag, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

fn time(at: OffsetDateTime) -> Vec<u8> {
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let text = format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
    der(0x18, &[text.as_bytes()])
}

const GOOD: &[u8] = &[0x80, 0];
const UNKNOWN: &[u8] = &[0x82, 0];
const SHA1_ID: &[u8] = &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256_ID: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const BASIC: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

fn revoked() -> Vec<u8> {
    der(0xa1, &[&time(day(-2)), &der(0xa0, &[&[0x0a, 1, 1]])])
}

/// A response as it is made; the default is a good one.
struct Response<'a> {
    /// Whose certificate it is about.
    issuer: &'a Authority,
    state: Vec<u8>,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    has_sha256: bool,
    /// An extension that must be understood.
    has_critical: bool,
    key: Option<&'a KeyPair>,
    responder: Option<Der>,
}

impl<'a> Response<'a> {
    fn of(issuer: &'a Authority, state: &[u8]) -> Response<'a> {
        Response {
            issuer,
            state: state.to_vec(),
            this_update: day(-1),
            next_update: Some(day(1)),
            has_sha256: false,
            has_critical: false,
            key: None,
            responder: None,
        }
    }

    fn about(&self, certificate: &[u8]) -> Vec<u8> {
        let (_, about) = X509Certificate::from_der(certificate).expect("a certificate");
        let ca = read_chain(&self.issuer.file()).expect("an authority");
        let (_, ca) = X509Certificate::from_der(&ca[0]).expect("an authority");
        let (algorithm, id) = match self.has_sha256 {
            true => (&SHA256, SHA256_ID),
            false => (&SHA1_FOR_LEGACY_USE_ONLY, SHA1_ID),
        };
        let hash = |of: &[u8]| der(0x04, &[digest(algorithm, of).as_ref()]);
        let key = hash(&ca.public_key().subject_public_key.data);
        let (name, serial) = (hash(ca.subject().as_raw()), der(0x02, &[about.raw_serial()]));
        let id = sequence(&[&sequence(&[id, &[0x05, 0]]), &name, &key, &serial]);
        let next = self.next_update.map(|next| der(0xa0, &[&time(next)])).unwrap_or_default();
        let critical = sequence(&[&sequence(&[&[0x06, 2, 0x2a, 3], &[1, 1, 0xff], &[0x04, 0]])]);
        let critical = if self.has_critical { der(0xa1, &[&critical]) } else { Vec::new() };
        let single = sequence(&[&id, &self.state, &time(self.this_update), &next, &critical]);
        let responder = der(0xa2, &[&der(0x04, &[&[7; 20]])]);
        let data = sequence(&[&responder, &time(self.this_update), &sequence(&[&single])]);
        let signature = self.key.unwrap_or(self.issuer.key()).sign(&data).expect("a signature");
        let responder = self.responder.as_deref();
        let certificates = responder.map(|cert| der(0xa0, &[&sequence(&[cert])])).unwrap_or_default();
        let signature = der(0x03, &[&[0], &signature]);
        let basic = sequence(&[&data, &sequence(&[ECDSA_SHA256]), &signature, &certificates]);
        let bytes = sequence(&[BASIC, &der(0x04, &[&basic])]);
        sequence(&[&[0x0a, 1, 0], &der(0xa0, &[&bytes])])
    }
}

/// A server's certificate, with a staple where one is made for it.
fn stapled(authority: &Authority, leaf: Leaf, staple: impl Fn(&[u8]) -> Option<Vec<u8>>) -> IdentityFiles {
    let files = authority.sign("s.pem", leaf);
    let chain = read_chain(&files.certificate).expect("a certificate");
    let staple = staple(&chain[0]).map(|bytes| {
        let file = authority.directory.path().join("staple.der");
        std::fs::write(&file, bytes).expect("a file");
        file
    });
    IdentityFiles { staple, ..files }
}

/// A handshake by a client that makes of staples what it is told.
fn shaken(authority: &Authority, server: IdentityFiles, stapling: Stapling) -> Outcome {
    let mut client = client_of(authority);
    client.trust.stapling = stapling;
    let server = server_of(server).build().expect("a server");
    shake(&client.build().expect("a client"), "localhost", &server)
}

fn with(authority: &Authority, response: &Response<'_>) -> Outcome {
    let files = stapled(authority, leaf(&["localhost"]), |der| Some(response.about(der)));
    shaken(authority, files, Stapling::Checked)
}

fn refused(outcome: &Outcome, exit: Exit, code: Code) -> String {
    let failure = outcome.client_failure();
    let found = outcome.client_seen.verdict.refusal().map(|refusal| refusal.code);
    assert_eq!((failure.exit, found), (exit, Some(code)), "{}", words(failure));
    words(failure)
}

fn status(outcome: &Outcome) -> Option<StapleStatus> {
    outcome.client_seen.stapled.as_ref().map(|stapled| stapled.status)
}

/// A certificate that says must-staple (RFC 7633): status_request is 5.
fn must_staple() -> Leaf {
    let mut leaf = leaf(&["localhost"]);
    let feature = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5]);
    leaf.parameters.custom_extensions.push(feature);
    leaf
}

#[test]
fn a_good_response_of_the_issuer_is_believed() {
    let authority = Authority::new("Good");
    for has_sha256 in [false, true] {
        let outcome = with(&authority, &Response { has_sha256, ..Response::of(&authority, GOOD) });
        outcome.assert_ok();
        assert_eq!(status(&outcome), Some(StapleStatus::Good));
    }
    let files = stapled(&authority, must_staple(), |der| Some(Response::of(&authority, GOOD).about(der)));
    let server = server_of(files.clone()).build().expect("a server");
    assert!(server.warnings().is_empty(), "{:?}", server.warnings());
    shaken(&authority, files, Stapling::Required).assert_ok();
}

#[test]
fn a_session_that_is_resumed_rests_on_the_staple_of_the_first() {
    let authority = Authority::new("Good");
    let files = stapled(&authority, must_staple(), |der| Some(Response::of(&authority, GOOD).about(der)));
    for version in VERSIONS {
        let server = ServerSettings { protocol: only(version), ..server_of(files.clone()) };
        let server = server.build().expect("a server");
        let client = client_of(&authority).build().expect("a client");
        shake(&client, "localhost", &server).assert_ok();
        let again = shake(&client, "localhost", &server);
        assert_eq!(again.assert_ok().handshake, rustls::HandshakeKind::Resumed);
        assert_eq!(status(&again), Some(StapleStatus::Good));
    }
}

#[test]
fn who_was_revoked_is_refused_with_when_why_and_by_whom() {
    let authority = Authority::new("Good");
    // A revocation does not grow old.
    for next_update in [Some(day(1)), Some(day(-1)), None] {
        let outcome = with(&authority, &Response { next_update, ..Response::of(&authority, &revoked()) });
        let words = refused(&outcome, Exit::UNTRUSTED, Code::Revoked);
        for word in ["(KeyCompromise)", "its issuer 'CN=Good'", &day(-2).date().to_string()] {
            assert!(words.contains(word), "{words}");
        }
        assert_eq!(status(&outcome), Some(StapleStatus::Revoked));
    }
    let files = stapled(&authority, leaf(&["localhost"]), |der| {
        Some(Response::of(&authority, &revoked()).about(der))
    });
    let mut client = client_of(&authority);
    client.trust.enforcement = Enforcement::RecordOnly;
    let server = server_of(files).build().expect("a server");
    let outcome = shake(&client.build().expect("a client"), "localhost", &server);
    outcome.assert_ok();
    assert_eq!(outcome.client_seen.verdict.refusal().map(|refusal| refusal.code), Some(Code::Revoked));
}

#[test]
fn what_cannot_be_believed_has_a_status_of_its_own() {
    let (authority, other) = (Authority::new("Good"), Authority::new("Other"));
    let namesake = Authority::new("Good");
    let good = || Response::of(&authority, GOOD);
    for (response, code, word) in [
        (
            Response { next_update: Some(day(-1)), this_update: day(-2), ..good() },
            Code::StapleExpired,
            "since",
        ),
        (Response { next_update: None, this_update: day(-2), ..good() }, Code::StapleExpired, "since"),
        (Response { this_update: day(1), next_update: Some(day(2)), ..good() }, Code::StapleExpired, "from"),
        (Response { key: Some(other.key()), ..good() }, Code::StapleInvalid, "no valid signature"),
        (
            Response { key: Some(other.key()), ..Response::of(&authority, &revoked()) },
            Code::StapleInvalid,
            "",
        ),
        (Response::of(&other, GOOD), Code::StapleInvalid, "another certificate"),
        (Response::of(&namesake, GOOD), Code::StapleInvalid, "another certificate"),
        (Response::of(&authority, UNKNOWN), Code::StapleUnknown, "does not know it"),
    ] {
        let outcome = with(&authority, &response);
        let words = refused(&outcome, Exit::STAPLE, code);
        assert!(words.contains(word) && words.contains("--staple ignore"), "{words}");
    }
    let sibling = authority.sign("sibling.pem", leaf(&["localhost"]));
    let sibling = read_chain(&sibling.certificate).expect("a certificate");
    let of_sibling = |_: &[u8]| Some(good().about(&sibling[0]));
    let files = stapled(&authority, leaf(&["localhost"]), of_sibling);
    refused(&shaken(&authority, files.clone(), Stapling::Checked), Exit::STAPLE, Code::StapleInvalid);
    let ignored = shaken(&authority, files, Stapling::Ignored);
    ignored.assert_ok();
    assert_eq!(status(&ignored), Some(StapleStatus::Invalid));
}

#[test]
fn a_response_without_an_end_is_good_for_a_day() {
    let authority = Authority::new("Good");
    let this_update = OffsetDateTime::now_utc() - time::Duration::hours(20);
    with(&authority, &Response { next_update: None, this_update, ..Response::of(&authority, GOOD) })
        .assert_ok();
}

#[test]
fn a_responder_needs_the_permission_of_the_issuer() {
    let (authority, other) = (Authority::new("Good"), Authority::new("Other"));
    let responder = |of: &Authority, purposes: &[rcgen::ExtendedKeyUsagePurpose], last: i64| {
        let mut leaf = leaf(&["responder.test"]).between(-10, last);
        leaf.parameters.extended_key_usages = purposes.to_vec();
        let files = of.sign("responder.pem", leaf);
        let text = authority::text(&files.certificate);
        let key = text.split_once("-----BEGIN PRIVATE").map(|(_, key)| format!("-----BEGIN PRIVATE{key}"));
        let key = KeyPair::from_pem(&key.expect("a key")).expect("a key");
        (read_chain(&files.certificate).expect("a certificate")[0].clone(), key)
    };
    let signing = [rcgen::ExtendedKeyUsagePurpose::OcspSigning];
    let serving = [rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    for (of, purposes, last, word) in [
        (&authority, signing.as_slice(), 10, ""),
        (&authority, serving.as_slice(), 10, "no OCSPSigning"),
        (&authority, [].as_slice(), 10, "no OCSPSigning"),
        (&authority, signing.as_slice(), -1, "has expired"),
        (&other, signing.as_slice(), 10, "has not certified"),
    ] {
        let (certificate, key) = responder(of, purposes, last);
        let response = Response { key: Some(&key), ..Response::of(&authority, GOOD) };
        let outcome = with(&authority, &Response { responder: Some(certificate), ..response });
        match word {
            "" => assert_eq!(status(&outcome), Some(StapleStatus::Good)),
            word => {
                let words = refused(&outcome, Exit::STAPLE, Code::StapleInvalid);
                assert!(words.contains(word), "{words}");
            }
        }
    }
}

#[test]
fn none_is_missed_only_where_one_must_be() {
    let authority = Authority::new("Good");
    let later: &[u8] = &[0x30, 3, 0x0a, 1, 3];
    for staple in [None, Some(later.to_vec())] {
        let files = || stapled(&authority, leaf(&["localhost"]), |_| staple.clone());
        shaken(&authority, files(), Stapling::Checked).assert_ok();
        let outcome = shaken(&authority, files(), Stapling::Required);
        refused(&outcome, Exit::STAPLE, Code::StapleMissing);
        let files = || stapled(&authority, must_staple(), |_| staple.clone());
        let words =
            refused(&shaken(&authority, files(), Stapling::Checked), Exit::STAPLE, Code::StapleMissing);
        assert!(words.contains("must-staple"), "{words}");
        shaken(&authority, files(), Stapling::Ignored).assert_ok();
    }
}

#[test]
fn a_damaged_response_is_never_good() {
    let authority = Authority::new("Good");
    let chain =
        read_chain(&authority.sign("s.pem", leaf(&["localhost"])).certificate).expect("a certificate");
    let anchors = client_of(&authority).trust.read().expect("authorities");
    let whole = Response::of(&authority, GOOD).about(&chain[0]);
    let judged = |staple: &[u8]| {
        let chain = [chain[0].as_ref()];
        let subject = crate::tls::staple::Subject::of(&chain, Some(&anchors)).expect("a certificate");
        let now = rustls::pki_types::UnixTime::now();
        crate::tls::staple::judge(staple, &subject, Stapling::Checked, now)
    };
    assert_eq!(judged(&whole).1, None);
    let critical = Response { has_critical: true, ..Response::of(&authority, GOOD) }.about(&chain[0]);
    assert_eq!(judged(&critical).1.map(|refusal| refusal.code), Some(Code::StapleInvalid));
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            let status = judged(&damaged).0.map(|stapled| stapled.status);
            assert_ne!(status, Some(StapleStatus::Good), "byte {at}");
        }
        if at > 0 {
            let code = judged(&whole[..at]).1.map(|refusal| refusal.code);
            assert_eq!(code, Some(Code::StapleInvalid), "cut at {at}");
        }
    }
}

#[test]
fn a_server_is_told_what_clients_will_not_like_about_its_staple() {
    let (authority, other) = (Authority::new("Good"), Authority::new("Other"));
    let good = || Response::of(&authority, GOOD);
    for (response, word) in [
        (good(), ""),
        (Response { this_update: day(-3), next_update: Some(day(-1)), ..good() }, "out of date"),
        (Response::of(&authority, &revoked()), "the certificate was revoked on"),
        (Response::of(&other, GOOD), "about another certificate"),
    ] {
        let files = stapled(&authority, leaf(&["localhost"]), |der| Some(response.about(der)));
        let warnings = server_of(files).build().expect("a server").warnings().join("\n");
        assert!(if word.is_empty() { warnings.is_empty() } else { warnings.contains(word) }, "{warnings}");
    }
    let files = stapled(&authority, must_staple(), |_| None);
    let warnings = server_of(files).build().expect("a server").warnings().join("\n");
    assert!(warnings.contains("must-staple"), "{warnings}");
    let files = stapled(&authority, leaf(&["localhost"]), |_| Some(vec![0x30, 0x82, 1, 2, 3]));
    assert_eq!(server_of(files).build().err().map(|failure| failure.exit), Some(Exit::STAPLE));
}
