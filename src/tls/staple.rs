//! OCSP responses that servers staple to their certificates: what they say, and whether they may be believed.

use rustls::pki_types::UnixTime;
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::server_verifier::valid_at;
use super::trust::{Anchors, Stapling};
use super::{Code, Refusal};
use crate::certificate::der::{self, Elements};
use crate::certificate::ocsp::{Answer, NoAnswer, State, Statement, must_be_stapled};
use crate::certificate::{distinguished_name, signature, time_text};

/// How far clocks may be apart.
const SKEW: Duration = Duration::minutes(5);
/// How long a response is good that does not say it.
const UNLIMITED: Duration = Duration::DAY;
/// Responders' certificates in one response that are looked at.
const MOST_RESPONDERS: usize = 8;

/// What a staple says of the certificate; the words are part of the report's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was not revoked.
    Good,
    /// It was.
    Revoked,
    /// The responder does not know it.
    Unknown,
    /// Nothing that is still (or already) good.
    Expired,
    /// Nothing that can be believed.
    Invalid,
    /// Nothing: the responder had no answer.
    Unanswered,
}

/// A staple, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stapled {
    /// What it says.
    pub status: Status,
    /// Why it is of no use, or since when the certificate is not; text of the peer is escaped.
    pub message: Option<String>,
    /// From when on that is known (RFC 3339).
    pub this_update: Option<String>,
    /// When there will be something newer.
    pub next_update: Option<String>,
}

/// The certificate that a staple is to be about, and those among which its issuer is.
pub(super) struct Subject<'a> {
    certificate: X509Certificate<'a>,
    chain: &'a [&'a [u8]],
    anchors: Option<&'a Anchors>,
}

impl<'a> Subject<'a> {
    /// The first of a chain: DER. None where that cannot be decoded.
    pub(super) fn of(chain: &'a [&'a [u8]], anchors: Option<&'a Anchors>) -> Option<Subject<'a>> {
        let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
        Some(Subject { certificate, chain, anchors })
    }

    fn issuer_name(&self) -> &[u8] {
        self.certificate.issuer().as_raw()
    }

    /// The key of the issuer (DER of its SubjectPublicKeyInfo), known by its signature: a name is anybody's.
    fn issuer(&self) -> Option<Vec<u8>> {
        let of_chain = self.chain.iter().filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            let is_named = certificate.subject().as_raw() == self.issuer_name();
            is_named.then(|| certificate.public_key().raw.to_vec())
        });
        // The store has names and keys without their heads.
        let name = Elements(self.issuer_name()).sequence()?.0;
        let roots = self.anchors.into_iter().flat_map(|anchors| &anchors.roots.roots);
        let roots = roots.filter(|root| root.subject.as_ref() == name);
        let of_roots = roots.map(|root| der::sequence(&root.subject_public_key_info));
        let own = self.chain.first()?;
        of_chain.chain(of_roots).find(|key| is_signed(own, key) == Ok(true))
    }
}

/// Whether something is signed with this key (DER); in words why that cannot be told.
fn is_signed(der: &[u8], key: &[u8]) -> Result<bool, String> {
    let (_, key) = SubjectPublicKeyInfo::from_der(key).map_err(|_| "its key cannot be decoded")?;
    signature::check(der, &key)
}

/// What speaks against a certificate that authorities vouch for: its staple, or that it has none. Also what that says.
pub(super) fn judge(
    staple: &[u8],
    subject: &Subject<'_>,
    stapling: Stapling,
    now: UnixTime,
) -> (Option<Stapled>, Option<Refusal>) {
    let stapled = (!staple.is_empty()).then(|| examine(staple, subject, now));
    let is_needed = stapling == Stapling::Required || must_be_stapled(&subject.certificate);
    let refusal = match (&stapled, stapling) {
        (_, Stapling::Ignored) => None,
        (Some(stapled), _) if stapled.status != Status::Unanswered => refusal(stapled),
        (stapled, _) if is_needed => Some(missing(stapled.as_ref(), stapling)),
        _ => None,
    };
    (stapled, refusal)
}

fn refusal(stapled: &Stapled) -> Option<Refusal> {
    let message = stapled.message.clone().unwrap_or_default();
    let (code, hint) = match stapled.status {
        Status::Good | Status::Unanswered => return None,
        Status::Revoked => return Some(Refusal::new(Code::Revoked, format!("certificate {message}"))),
        Status::Unknown => (Code::StapleUnknown, "is it of that authority at all?"),
        Status::Expired => (Code::StapleExpired, "its server must get a new one, or our clock is wrong"),
        Status::Invalid => (Code::StapleInvalid, "its server staples what is not for this certificate"),
    };
    let message = format!("the OCSP response stapled to the certificate {message}");
    Some(Refusal::new(code, message).hint(format!("{hint}; --staple ignore goes without")))
}

fn missing(unanswered: Option<&Stapled>, stapling: Stapling) -> Refusal {
    let why = match stapling {
        Stapling::Required => "and --staple require wants it",
        _ => "and the certificate says that it must (must-staple)",
    };
    let what = match unanswered.and_then(|stapled| stapled.message.as_deref()) {
        Some(message) => format!("the OCSP response stapled to the certificate {message}"),
        None => "the server staples no OCSP response to its certificate".to_owned(),
    };
    Refusal::new(Code::StapleMissing, format!("{what}, {why}"))
        .hint("its server must be told to staple; --staple ignore goes without")
}

/// What clients will not like about a server's own staple, or about its absence; in words.
pub(super) fn doubt(staple: Option<&[u8]>, chain: &[&[u8]], now: UnixTime) -> Option<String> {
    let subject = Subject::of(chain, None)?;
    let Some(staple) = staple else {
        return must_be_stapled(&subject.certificate).then(|| {
            "it says must-staple, and no OCSP response is stapled to it: clients will refuse us".to_owned()
        });
    };
    let stapled = examine(staple, &subject, now);
    let what = if stapled.status == Status::Revoked { "the certificate" } else { "it" };
    let end = if stapled.status == Status::Unanswered { "" } else { ": clients will refuse us" };
    stapled.message.map(|message| format!("{what} {message}{end}"))
}

/// What it says, and whether that can be believed.
fn examine(staple: &[u8], subject: &Subject<'_>, now: UnixTime) -> Stapled {
    let of_no_use = |status, message: String| Stapled {
        status,
        message: Some(message),
        this_update: None,
        next_update: None,
    };
    let answer = match Answer::of(staple) {
        Ok(answer) => answer,
        Err(NoAnswer::Broken) => return of_no_use(Status::Invalid, "cannot be decoded".to_owned()),
        Err(NoAnswer::Refused(why)) => {
            return of_no_use(Status::Unanswered, format!("is none: its responder says that {why}"));
        }
    };
    let (issuer, serial) = (subject.issuer(), subject.certificate.raw_serial());
    let bits = issuer.as_deref().and_then(|key| {
        let (_, key) = SubjectPublicKeyInfo::from_der(key).ok()?;
        Some(key.subject_public_key.data.to_vec())
    });
    let Some(statement) = answer.about(subject.issuer_name(), bits.as_deref(), serial) else {
        return of_no_use(Status::Invalid, "is about another certificate".to_owned());
    };
    let by = match (&issuer, subject.anchors) {
        (Some(issuer), _) => signer(&answer, subject, issuer, now),
        (None, Some(_)) => Err("cannot be checked: the key of the issuer is not known".to_owned()),
        // A server's own chain may be without its authority.
        (None, None) => Ok("its responder".to_owned()),
    };
    let by = match by {
        Ok(by) => by,
        Err(why) => return of_no_use(Status::Invalid, why),
    };
    let (status, message) = reading(statement, &by, now);
    Stapled {
        status,
        message,
        this_update: Some(time_text(statement.this_update)),
        next_update: statement.next_update.map(time_text),
    }
}

/// Who has signed an answer: the issuer, or a responder that has its permission (RFC 6960, 4.2.2.2).
fn signer(
    answer: &Answer<'_>,
    subject: &Subject<'_>,
    issuer: &[u8],
    now: UnixTime,
) -> Result<String, String> {
    if is_signed(answer.signed, issuer) == Ok(true) {
        return Ok(format!("its issuer '{}'", name(subject.issuer_name())));
    }
    for der in answer.certificates.iter().take(MOST_RESPONDERS) {
        let Ok((_, responder)) = X509Certificate::from_der(der) else { continue };
        if is_signed(answer.signed, responder.public_key().raw) != Ok(true) {
            continue;
        }
        let who = name(responder.subject().as_raw());
        let fail = |why: &str| Err(format!("is signed by '{who}', {why}"));
        let is_issued =
            responder.issuer().as_raw() == subject.issuer_name() && is_signed(der, issuer) == Ok(true);
        let may_sign = responder
            .extended_key_usage()
            .is_ok_and(|usage| usage.is_some_and(|usage| usage.value.ocsp_signing));
        return match () {
            () if !is_issued => fail("which the issuer of the certificate has not certified"),
            () if !may_sign => fail("which may not sign responses (no OCSPSigning in its certificate)"),
            () if valid_at(der, now).is_err() => fail("whose certificate has expired or is not valid yet"),
            () if subject.anchors.is_some_and(|anchors| anchors.revoke(der)) => {
                fail("whose certificate was revoked")
            }
            () => Ok(format!("the responder '{who}'")),
        };
    }
    Err("has no valid signature of the certificate's issuer or of a responder that it has certified"
        .to_owned())
}

/// What a statement that can be believed comes to by now. A revocation does not grow old.
fn reading(statement: &Statement<'_>, by: &str, now: UnixTime) -> (Status, Option<String>) {
    let now = i64::try_from(now.as_secs()).ok().and_then(|now| OffsetDateTime::from_unix_timestamp(now).ok());
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let end = statement.next_update.or_else(|| statement.this_update.checked_add(UNLIMITED));
    match statement.state {
        State::Revoked(since, reason) => {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let since = time_text(since);
            let told = time_text(statement.this_update);
            let message = format!("was revoked on {since}{reason}, says {by} (OCSP, {told})");
            (Status::Revoked, Some(message))
        }
        _ if statement.this_update - SKEW > now => {
            let begin = time_text(statement.this_update);
            (Status::Expired, Some(format!("is good from {begin} on")))
        }
        _ if end.is_some_and(|end| now - SKEW > end) => {
            let end = end.map(time_text).unwrap_or_default();
            (Status::Expired, Some(format!("is out of date since {end}")))
        }
        State::Unknown => (Status::Unknown, Some(format!("says that {by} does not know it"))),
        State::Good => (Status::Good, None),
    }
}

fn name(der: &[u8]) -> String {
    distinguished_name(der).unwrap_or_default()
}
