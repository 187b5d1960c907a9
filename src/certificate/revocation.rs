//! Revocation lists, made and decoded.

use std::collections::BTreeSet;

use rcgen::{CertificateRevocationListParams, RevokedCertParams, SerialNumber};
use rustls::pki_types::CertificateRevocationListDer;
use serde::Serialize;
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::authority::Authority;
use super::facts::{serial_text, signature_text, time_text};
use super::lifetime::Validity;
use super::{distinguished_name, words};
use crate::error::{Exit, Failure};

/// Most bytes of a serial (RFC 5280).
const LONGEST_SERIAL: usize = 20;

/// A serial as hexadecimal digits, with or without colons, as every tool prints it.
pub fn serial(text: &str) -> Result<Vec<u8>, String> {
    let bad = || format!("'{}' is no serial: hexadecimal digits", super::escaped(text));
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let bytes: Result<Vec<u8>, _> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect();
    let bytes = bytes.map_err(|_| bad())?;
    match bytes.len() > LONGEST_SERIAL {
        true => Err(format!("'{text}' is no serial: 20 bytes at most")),
        false => Ok(bytes),
    }
}

/// A list of the certificates that are no longer good. `number` must grow from list to list.
pub fn make(
    authority: &Authority,
    serials: &[Vec<u8>],
    validity: Validity,
    number: u64,
    now: OffsetDateTime,
) -> Result<CertificateRevocationListDer<'static>, Failure> {
    let once: BTreeSet<&[u8]> = serials.iter().map(|serial| without_zeros(serial)).collect();
    let revoked = |serial: &[u8]| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: now.min(validity.until),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: validity.from,
        next_update: validity.until,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: once.into_iter().map(revoked).collect(),
        key_identifier_method: authority.key_identifier(),
    };
    let list = list.signed_by(authority.issuer());
    let fail =
        |_| Failure::new(Exit::OWN_CERTIFICATE, "cannot make a revocation list", "the signature failed");
    Ok(list.map_err(fail)?.der().clone())
}

/// The number itself: padding would make two of one serial.
fn without_zeros(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    &serial[zeros.min(serial.len().saturating_sub(1))..]
}

/// A revocation list, decoded; text of others is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revocations {
    /// Whose list it is.
    pub issuer: String,
    /// Its number; a later list of the same issuer has a larger one.
    pub number: Option<String>,
    /// From when it is.
    pub this_update: String,
    /// When the next one is due; from then on it counts no more.
    pub next_update: Option<String>,
    /// How it was signed.
    pub sig: String,
    /// Who is not to be trusted any more.
    pub revoked: Vec<Revoked>,
}

/// A certificate that is not good any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// Its serial.
    pub serial: String,
    /// Since when.
    pub date: String,
    /// Why, where that is said.
    pub reason: Option<String>,
}

impl Revocations {
    /// Decodes a list; in words why it cannot be.
    pub fn of(der: &[u8]) -> Result<Revocations, &'static str> {
        let (_, list) = CertificateRevocationList::from_der(der).map_err(|_| "it cannot be decoded")?;
        let revoked = list.iter_revoked_certificates().map(|revoked| Revoked {
            serial: serial_text(revoked.raw_serial()),
            date: time_text(revoked.revocation_date.to_datetime()),
            reason: revoked.reason_code().map(|(_, reason)| reason.to_string()),
        });
        Ok(Revocations {
            issuer: distinguished_name::text(list.issuer()),
            number: list.crl_number().map(|number| words::hex(&number.to_bytes_be())),
            this_update: time_text(list.last_update().to_datetime()),
            next_update: list.next_update().map(|time| time_text(time.to_datetime())),
            sig: signature_text(&list.signature_algorithm),
            revoked: revoked.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_read_as_they_are_printed() {
        for text in ["03f1", "3F1", "03:f1"] {
            assert_eq!(serial(text), Ok(vec![0x03, 0xf1]));
        }
        assert_eq!((without_zeros(&[0, 0, 0xff]), without_zeros(&[0, 0])), (&[0xff][..], &[0][..]));
        for text in ["", ":", "xyz", "-1", "0x1", &"11".repeat(21)] {
            assert!(serial(text).is_err(), "{text}");
        }
    }
}
