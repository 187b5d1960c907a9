//! Why a certificate is refused, in a word for programs and in words for people.

use std::time::SystemTime;

use rustls::pki_types::UnixTime;
use serde::Serialize;
use time::OffsetDateTime;
use webpki::Error;

use super::escaped;
use super::facts::{Facts, time_text};
use super::issue::Purpose;
use super::verify::Question;

/// Names that are listed in a hint before "and so many more".
const LISTED: usize = 8;

/// A certificate was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The reason for programs: `expired`, `name_mismatch`, `unknown_issuer`…
    pub code: &'static str,
    /// The reason for people, what was wanted and what was found in it.
    pub message: String,
    /// What could be done.
    pub hint: Option<String>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }
}

/// webpki's reason in words; `facts` are those of the chain, its own certificate first.
pub fn of(error: &Error, question: &Question<'_>, facts: &[Facts]) -> Refusal {
    match error {
        Error::CertExpired { not_after, .. } => {
            let whose = culprit(facts, |facts| facts.not_after == moment(*not_after));
            Refusal::new("expired", format!("{whose} was good until {}", moment(*not_after)))
                .hint(clock(question.at))
        }
        Error::CertNotValidYet { not_before, .. } => {
            let whose = culprit(facts, |facts| facts.not_before == moment(*not_before));
            Refusal::new("not_yet_valid", format!("{whose} is good from {} on", moment(*not_before)))
                .hint(clock(question.at))
        }
        Error::CertNotValidForName(_) => wrong_name(question, facts),
        Error::MalformedDnsIdentifier if question.name.is_some() => wrong_name(question, facts),
        Error::UnknownIssuer => unknown_issuer(question, facts),
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => wrong_purpose(question, facts),
        Error::CrlExpired { next_update, .. } => Refusal::new(
            "crl_expired",
            format!("the revocation list was good until {}", moment(*next_update)),
        )
        .hint(clock(question.at)),
        Error::InvalidSignatureForPublicKey => match facts.iter().find(|facts| is_small(facts)) {
            Some(small) => weak(small),
            None => Refusal::new("bad_signature", "a signature of the chain is not that of its issuer"),
        },
        _ => without_context(error, facts),
    }
}

/// The reasons that need no more than the certificate itself.
fn without_context(error: &Error, facts: &[Facts]) -> Refusal {
    match error {
        Error::CaUsedAsEndEntity => Refusal::new(
            "self_signed_ca_leaf",
            "the certificate is that of a CA (CA:TRUE), not of a server or client",
        )
        .hint("'spile cert self' makes one for a server; tls-connect --trust-cert trusts this very one"),
        Error::CertRevoked => Refusal::new("revoked", "its authority has revoked the certificate"),
        Error::UnknownRevocationStatus => {
            Refusal::new("crl_unknown", "no revocation list covers every certificate of the chain")
                .hint("each authority of the chain needs a list of its own: --crl FILE")
        }
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            let signed = facts.iter().map(|facts| facts.sig.as_str()).collect::<Vec<_>>().join(", ");
            Refusal::new("bad_signature", format!("it is signed in a way that is not accepted: {signed}"))
                .hint(
                    "SHA-256 and better by RSA from 2048 bits on, P-256, P-384, P-521, Ed25519 or ML-DSA are",
                )
        }
        Error::NameConstraintViolation => {
            Refusal::new("other", "its authority may not sign for these names (name constraints)")
                .hint(offered(facts))
        }
        Error::PathLenConstraintViolated => {
            Refusal::new("other", "an authority of the chain may not sign other authorities (path length)")
        }
        Error::EndEntityUsedAsCa => Refusal::new("other", "an issuer in the chain is no CA"),
        Error::UnsupportedCertVersion => Refusal::new(
            "bad_encoding",
            "it is a certificate of version 1 or 2, which has no place for names",
        ),
        Error::UnsupportedCriticalExtension => {
            Refusal::new("bad_encoding", "it has a critical extension that is not known here")
        }
        other => {
            // Their names are sentences: InvalidCrlSignatureForPublicKey.
            let name = format!("{other:?}");
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let code = if name.contains("Crl") { "crl_unknown" } else { "bad_encoding" };
            Refusal::new(code, format!("it is not as a certificate must be ({name})"))
        }
    }
}

fn wrong_name(question: &Question<'_>, facts: &[Facts]) -> Refusal {
    let name = escaped(question.name.unwrap_or_default());
    Refusal::new("name_mismatch", format!("the certificate is not valid for '{name}'")).hint(offered(facts))
}

/// What the certificate is good for; a common name alone counts for nothing, and that surprises.
fn offered(facts: &[Facts]) -> String {
    let names = facts.first().map(|facts| facts.san.as_slice()).unwrap_or_default();
    let listed: Vec<&str> =
        names.iter().take(LISTED).map(|name| name.split_once(':').map_or("", |(_, name)| name)).collect();
    match names.len().saturating_sub(LISTED) {
        _ if names.is_empty() => "it names nobody: a common name alone has no meaning any more".to_owned(),
        0 => format!("it names {}", listed.join(", ")),
        more => format!("it names {} and {more} more", listed.join(", ")),
    }
}

fn unknown_issuer(question: &Question<'_>, facts: &[Facts]) -> Refusal {
    let top = facts.last().map(|facts| facts.issuer.as_str()).unwrap_or_default();
    let count = match question.chain.len() {
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
    };
    let message = format!(
        "nobody who is trusted has signed it: {count}, the top one by '{top}', who is not in {}",
        question.trust
    );
    let is_own = facts.first().is_some_and(|facts| facts.subject == facts.issuer);
    Refusal::new("unknown_issuer", message).hint(match is_own {
        true => "it is signed by itself: give it as --cafile to trust it",
        false => "an intermediate certificate may be missing, or the CA: --cafile FILE",
    })
}

fn wrong_purpose(question: &Question<'_>, facts: &[Facts]) -> Refusal {
    let wanted = match question.purpose {
        Purpose::Server => "a server (serverAuth)",
        Purpose::Client => "a client (clientAuth)",
    };
    let found = facts.first().map(|facts| facts.eku.join(", ")).unwrap_or_default();
    Refusal::new("wrong_purpose", format!("the certificate is not for {wanted} but for {found}"))
}

/// An RSA key that is too small.
pub fn weak(facts: &Facts) -> Refusal {
    Refusal::new("weak_key", format!("the key of '{}' is too small: {}", facts.subject, facts.key))
        .hint("RSA keys have 2048 bits or more")
}

/// True for an RSA key that TLS refuses in the handshake, whoever has signed it.
pub fn is_small(facts: &Facts) -> bool {
    let bits = facts.key.strip_prefix("rsa-").and_then(|bits| bits.parse::<u32>().ok());
    bits.is_some_and(|bits| bits < 2048)
}

/// Which certificate of the chain it is, in words.
fn culprit(facts: &[Facts], is_it: impl Fn(&Facts) -> bool) -> String {
    match facts.iter().find(|facts| is_it(facts)) {
        Some(facts) if facts.depth > 0 => {
            format!("certificate {} of the chain ('{}')", facts.depth, facts.subject)
        }
        _ => "the certificate".to_owned(),
    }
}

fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| seconds.to_string(), time_text)
}

fn clock(at: SystemTime) -> String {
    format!(
        "it was looked at as of {}",
        time_text(OffsetDateTime::from(at).replace_nanosecond(0).unwrap_or(at.into()))
    )
}
