//! OCSP responses (RFC 6960), decoded: who says what about which certificate. Nothing is trusted here.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use time::OffsetDateTime;
use x509_parser::extensions::X509Extension;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;
use x509_parser::x509::ReasonCode;

use super::der::{ENUMERATED, Elements, SEQUENCE};

/// The only kind of response there is: id-pkix-ocsp-basic, in DER.
const BASIC: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// The algorithms by which issuers are named: SHA-1 by nearly everybody, SHA-256.
const SHA1_OID: &[u8] = &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256_OID: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// TLS Feature and its value status_request (RFC 7633).
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const STATUS_REQUEST: &[u8] = &[5];

/// Why there is no answer in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It cannot be decoded.
    Broken,
    /// The responder has none; in words why. Nobody has signed that.
    Refused(&'static str),
}

/// What a responder has answered.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// All of it with its signature: DER, in the form of certificates.
    pub signed: &'a [u8],
    /// Certificates that may be of the key that has signed it: DER.
    pub certificates: Vec<&'a [u8]>,
    /// What it says, of one certificate each.
    pub statements: Vec<Statement<'a>>,
}

/// What it says about one certificate.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    hash: &'a [u8],
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
    serial: &'a [u8],
    /// Whether it is good.
    pub state: State,
    /// From when on that is known.
    pub this_update: OffsetDateTime,
    /// When there will be something newer.
    pub next_update: Option<OffsetDateTime>,
}

/// What has become of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not revoked.
    Good,
    /// It was, then, and perhaps for a reason that is told.
    Revoked(OffsetDateTime, Option<ReasonCode>),
    /// The responder does not know it.
    Unknown,
}

impl<'a> Answer<'a> {
    /// Decodes a response.
    pub fn of(der: &'a [u8]) -> Result<Answer<'a>, NoAnswer> {
        let mut whole = Elements(der);
        let mut response = whole.sequence().filter(|_| whole.0.is_empty()).ok_or(NoAnswer::Broken)?;
        let status = response.take(ENUMERATED).ok_or(NoAnswer::Broken)?;
        match status.content {
            [0] => Answer::basic(response).ok_or(NoAnswer::Broken),
            [1] => Err(NoAnswer::Refused("the request was malformed")),
            [2] => Err(NoAnswer::Refused("it had an internal error")),
            [3] => Err(NoAnswer::Refused("it is to be tried later")),
            [5] => Err(NoAnswer::Refused("the request was not signed")),
            [6] => Err(NoAnswer::Refused("it is not authorised to answer")),
            _ => Err(NoAnswer::Broken),
        }
    }

    fn basic(mut response: Elements<'a>) -> Option<Answer<'a>> {
        let mut bytes = Elements(response.tagged(0)?).sequence()?;
        if bytes.any()?.whole != BASIC {
            return None;
        }
        let signed = bytes.octets()?;
        let mut basic = Elements(signed).sequence()?;
        let mut data = basic.sequence()?;
        let (_algorithm, _signature) = (basic.sequence()?, basic.bits()?);
        let mut certificates = Vec::new();
        if let Some(given) = basic.tagged(0) {
            let mut given = Elements(given).sequence()?;
            while let Some(certificate) = given.take(SEQUENCE) {
                certificates.push(certificate.whole);
            }
        }
        let _version = data.tagged(0);
        // By name or by the hash of a key: which key it is, the signature tells.
        let _responder = data.tagged(1).or_else(|| data.tagged(2))?;
        let _produced = time(data.any()?.whole)?;
        let mut all = data.sequence()?;
        let mut statements = Vec::new();
        while !all.0.is_empty() {
            statements.push(Statement::of(all.sequence()?)?);
        }
        let extensions = data.tagged(1);
        extensions.is_none_or(has_no_critical).then_some(Answer { signed, certificates, statements })
    }

    /// What it says of the certificate with this serial, of the issuer with this name (DER); of that with this key
    /// (the bits alone) only, where it is known.
    pub fn about(&self, issuer: &[u8], key: Option<&[u8]>, serial: &[u8]) -> Option<&Statement<'a>> {
        self.statements.iter().find(|statement| {
            statement.serial == serial
                && statement.is_hash_of(statement.issuer_name, issuer)
                && key.is_none_or(|key| statement.is_hash_of(statement.issuer_key, key))
        })
    }
}

impl<'a> Statement<'a> {
    fn of(mut single: Elements<'a>) -> Option<Statement<'a>> {
        let mut id = single.sequence()?;
        let hash = id.sequence()?.any()?.whole;
        let (issuer_name, issuer_key, serial) = (id.octets()?, id.octets()?, id.integer()?);
        let state = match single.any()? {
            state if state.kind.1 == 0 => State::Good,
            state if state.kind.1 == 1 => revoked(Elements(state.content))?,
            state if state.kind.1 == 2 => State::Unknown,
            _ => return None,
        };
        let this_update = time(single.any()?.whole)?;
        let next_update = match single.tagged(0) {
            Some(next) => Some(time(next)?),
            None => None,
        };
        let known = single.tagged(1).is_none_or(has_no_critical);
        known.then_some(Statement { hash, issuer_name, issuer_key, serial, state, this_update, next_update })
    }

    fn is_hash_of(&self, value: &[u8], of: &[u8]) -> bool {
        let algorithm = match self.hash {
            SHA1_OID => &SHA1_FOR_LEGACY_USE_ONLY,
            SHA256_OID => &SHA256,
            _ => return false,
        };
        digest(algorithm, of).as_ref() == value
    }
}

fn revoked(mut info: Elements<'_>) -> Option<State> {
    let since = time(info.any()?.whole)?;
    let reason = match info.tagged(0) {
        Some(reason) => Elements(reason).take(ENUMERATED)?.content.first().copied().map(ReasonCode),
        None => None,
    };
    Some(State::Revoked(since, reason))
}

fn time(der: &[u8]) -> Option<OffsetDateTime> {
    ASN1Time::from_der(der).ok().map(|(_, time)| time.to_datetime())
}

/// We know none, and what is critical must be known (RFC 5280, 4.2).
fn has_no_critical(der: &[u8]) -> bool {
    let Some(mut extensions) = Elements(der).sequence() else { return false };
    while let Some(extension) = extensions.take(SEQUENCE) {
        if !X509Extension::from_der(extension.whole).is_ok_and(|(_, extension)| !extension.critical) {
            return false;
        }
    }
    extensions.0.is_empty()
}

/// Whether a certificate says of itself that its server staples a response to it (must-staple).
pub fn must_be_stapled(certificate: &X509Certificate<'_>) -> bool {
    let feature = certificate.extensions().iter().find(|found| found.oid.to_id_string() == TLS_FEATURE);
    let Some(mut features) = feature.and_then(|found| Elements(found.value).sequence()) else { return false };
    std::iter::from_fn(|| features.integer()).any(|feature| feature == STATUS_REQUEST)
}
