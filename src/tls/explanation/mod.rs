//! Why a certificate is refused, in words: what was wanted, what was offered, and what a person could do about it.

mod dates;
mod issuer;
mod names;
mod protocol;
mod revocation;

use std::fmt::Debug;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error, ExtendedKeyPurpose};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::trust::Anchors;
use super::{Code, Refusal};
use crate::certificate::{Facts, escaped};

pub(super) use issuer::expired as expired_authority;
pub(super) use protocol::{Offer, Role, Telling, failure};

/// Whose certificate it is.
#[derive(Clone, Copy)]
pub(super) enum Peer<'a> {
    /// A server's, which must be for this name.
    Server(&'a ServerName<'a>),
    /// A client's.
    Client,
}

/// All that is known about a refusal.
pub(super) struct Case<'a> {
    pub(super) peer: Peer<'a>,
    /// As sent, the peer's own first; never empty.
    pub(super) chain: &'a [&'a [u8]],
    pub(super) anchors: &'a Anchors,
    /// The time it was judged by.
    pub(super) now: UnixTime,
}

impl Case<'_> {
    fn leaf(&self) -> Option<X509Certificate<'_>> {
        self.chain.first().and_then(|der| parse(der))
    }

    fn facts(&self, depth: usize) -> Option<Facts> {
        Facts::of(self.chain.get(depth)?, depth, super::inspection::system_time(self.now)).ok()
    }

    /// The subject of a sentence about one certificate of the chain.
    fn whose(&self, depth: usize) -> String {
        match (depth, self.facts(depth)) {
            (0, _) | (_, None) => "certificate".to_owned(),
            (_, Some(facts)) => format!("the certificate of its issuer '{}'", facts.subject),
        }
    }
}

/// RSA keys of fewer bits are not accepted (NIST SP 800-131A).
const FEWEST_RSA_BITS: usize = 2048;

/// Why webpki has refused a certificate.
pub(super) fn certificate(error: &Error, case: &Case<'_>) -> Refusal {
    match error {
        Error::InvalidCertificate(error) => by_kind(error, case),
        Error::InvalidCertRevocationList(error) => revocation::unusable(&words_of(error), case),
        other => Refusal::new(Code::Other, format!("certificate cannot be verified: {}", words_of(other))),
    }
}

fn by_kind(error: &CertificateError, case: &Case<'_>) -> Refusal {
    match error {
        CertificateError::UnknownIssuer => issuer::unknown(case),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            names::mismatch(case)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => dates::expired(case),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => dates::not_yet(case),
        CertificateError::Revoked => revocation::revoked(case),
        CertificateError::UnknownRevocationStatus => revocation::unknown(case),
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            revocation::expired(case)
        }
        CertificateError::InvalidPurpose => purpose(case, &[]),
        CertificateError::InvalidPurposeContext { presented, .. } => purpose(case, presented),
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => signature(case),
        CertificateError::BadEncoding => {
            Refusal::new(Code::BadEncoding, "certificate cannot be decoded: it is damaged or no X.509")
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(error) => by_webpki(error, case),
            None => {
                Refusal::new(Code::Other, format!("certificate is refused: {}", escaped(&other.to_string())))
            }
        },
        other => {
            Refusal::new(Code::Other, format!("certificate breaks a rule of X.509: {}", words_of(other)))
        }
    }
}

/// What rustls has no error of its own for.
fn by_webpki(error: &webpki::Error, case: &Case<'_>) -> Refusal {
    match error {
        webpki::Error::CaUsedAsEndEntity => issuer::authority_as_leaf(case),
        webpki::Error::UnsupportedCertVersion => {
            Refusal::new(Code::Other, "certificate is of X.509 version 1, which has no names and no purposes")
                .hint("its owner must make a new one of version 3 with a subjectAltName")
        }
        webpki::Error::EndEntityUsedAsCa => {
            Refusal::new(Code::UnknownIssuer, "certificate is signed by one that may not sign others")
        }
        webpki::Error::NameConstraintViolation => Refusal::new(
            Code::Other,
            "certificate has names that its authority may not sign (name constraints)",
        ),
        webpki::Error::UnsupportedCriticalExtension => {
            Refusal::new(Code::Other, "certificate has a critical extension that is not known here")
        }
        other => {
            Refusal::new(Code::Other, format!("certificate breaks a rule of X.509: {}", words_of(other)))
        }
    }
}

/// The purposes of a certificate are not what it is used for.
fn purpose(case: &Case<'_>, presented: &[ExtendedKeyPurpose]) -> Refusal {
    let wanted = match case.peer {
        Peer::Server(_) => "serverAuth",
        Peer::Client => "clientAuth",
    };
    let of_leaf = case.facts(0).map(|facts| facts.eku).unwrap_or_default();
    let given = match of_leaf.is_empty() {
        // The leaf is not limited: the limit is its authority's.
        true => presented.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        false => of_leaf.join(", "),
    };
    Refusal::new(Code::WrongPurpose, format!("certificate is for {given}, not for {wanted}"))
        .hint(format!("its owner needs one with the extended key usage {wanted}"))
}

/// A signature within the chain does not verify, or is of a kind that does not count.
fn signature(case: &Case<'_>) -> Refusal {
    let weak = (0..case.chain.len()).find_map(|depth| weakness(depth, &case.facts(depth)?));
    weak.or_else(|| short_key(1, &issuer::authority(case)?))
        .or_else(|| issuer::namesake(case))
        .unwrap_or_else(|| {
            Refusal::new(Code::BadSignature, "a signature of its chain does not fit the key of the issuer")
                .hint("the chain is damaged, or was put together of certificates that do not belong together")
        })
}

/// The signature of the handshake, which shows that the peer has the key, does not verify.
pub(super) fn handshake_signature(certificate: &[u8]) -> Refusal {
    weak_key(certificate).unwrap_or_else(|| {
        Refusal::new(
            Code::BadSignature,
            "the peer does not have its key: the handshake is signed with another",
        )
    })
}

/// A certificate whose key is too small for the signature of a handshake.
pub(super) fn weak_key(certificate: &[u8]) -> Option<Refusal> {
    short_key(0, &Facts::of(certificate, 0, std::time::SystemTime::UNIX_EPOCH).ok()?)
}

fn weakness(depth: usize, facts: &Facts) -> Option<Refusal> {
    let digest = ["sha1", "md5", "md2"].into_iter().find(|digest| facts.sig.contains(digest));
    let by_digest = digest.filter(|_| depth == 0 || facts.subject != facts.issuer).map(|digest| {
        let message =
            format!("{} is signed with {}, which is not safe", owner(depth, facts), digest.to_uppercase());
        Refusal::new(Code::WeakKey, message)
    });
    short_key(depth, facts).or(by_digest)
}

fn short_key(depth: usize, facts: &Facts) -> Option<Refusal> {
    let bits: usize = facts.key.strip_prefix("rsa-")?.parse().ok()?;
    (bits < FEWEST_RSA_BITS).then(|| {
        let message =
            format!("{} has an RSA key of {bits} bits; {FEWEST_RSA_BITS} is the least", owner(depth, facts));
        Refusal::new(Code::WeakKey, message).hint("its owner must make a new key, best of P-256")
    })
}

fn owner(depth: usize, facts: &Facts) -> String {
    match depth {
        0 => "certificate".to_owned(),
        _ => format!("the certificate of its issuer '{}'", facts.subject),
    }
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

/// `PathLenConstraintViolated` as `path len constraint violated`: for errors that are too rare for words of their own.
pub(super) fn words_of(error: &dyn Debug) -> String {
    let text = format!("{error:?}");
    let name = text.split(['(', '{', ' ']).next().unwrap_or_default();
    // The inner name says more than the outer: `InvalidCrl(ParseError)`.
    let inner = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')).unwrap_or(name);
    let inner = inner.split(['(', ')', '{', ' ']).next().unwrap_or(name);
    let mut words = String::new();
    for (at, c) in inner.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    escaped(&words)
}
