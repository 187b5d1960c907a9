//! What a certificate says, decoded: the entries of `chain` in the reports.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::{distinguished_name, escaped, pem, words};
use crate::error::Failure;

const SECONDS_A_DAY: i64 = 86_400;

/// A certificate, decoded. Text of others is escaped; times are UTC by RFC 3339; bytes are hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// 0 for the certificate of the peer itself, counting up towards the root.
    pub depth: usize,
    /// Whose certificate it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its number; two certificates of one issuer never share it.
    pub serial: String,
    /// Valid from this second on.
    pub not_before: String,
    /// Valid up to this second.
    pub not_after: String,
    /// Whole days until then, rounded down: negative once it has expired.
    pub days_left: i64,
    /// The same in seconds, for limits that are finer.
    #[serde(skip)]
    pub seconds_left: i64,
    /// The names it is good for: `DNS:…`, `IP:…`, `URI:…`, `EMAIL:…`.
    pub san: Vec<String>,
    /// Whether it may sign others.
    pub ca: bool,
    /// Its purposes: `serverAuth`, `clientAuth`…; empty where it is not limited.
    pub eku: Vec<String>,
    /// The kind of its key: `ec-p256`, `rsa-2048`, `ed25519`.
    pub key: String,
    /// How it was signed: `ecdsa-sha256`.
    pub sig: String,
    /// SHA-256 of the whole certificate.
    pub sha256: String,
    /// SHA-256 of its public key, as RFC 7469 and curl write it.
    pub spki_pin: String,
    /// The certificate itself, where it is asked for.
    pub pem: Option<String>,
}

impl Facts {
    /// Decodes a certificate that stands at `depth` of its chain; `pem` stays empty. Status 1 where it is no X.509.
    pub fn of(der: &[u8], depth: usize, now: SystemTime) -> Result<Facts, Failure> {
        let fail = |why| Failure::other(format!("certificate {depth} of the chain"), why);
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| fail("it cannot be decoded"))?;
        if !rest.is_empty() {
            return Err(fail("it is followed by bytes that do not belong to it"));
        }
        let validity = certificate.validity();
        let (not_before, not_after) = (validity.not_before.to_datetime(), validity.not_after.to_datetime());
        let seconds_left = not_after.unix_timestamp() - seconds(now);
        Ok(Facts {
            depth,
            subject: distinguished_name::text(certificate.subject()),
            issuer: distinguished_name::text(certificate.issuer()),
            serial: serial_text(certificate.raw_serial()),
            not_before: time_text(not_before),
            not_after: time_text(not_after),
            days_left: seconds_left.div_euclid(SECONDS_A_DAY),
            seconds_left,
            san: alternative_names(&certificate),
            ca: certificate.is_ca(),
            eku: purposes(&certificate),
            key: key_text(certificate.public_key()),
            sig: signature_text(&certificate.signature_algorithm),
            sha256: words::hex(&Sha256::digest(der)),
            spki_pin: pin_text(&Sha256::digest(certificate.public_key().raw).into()),
            pem: None,
        })
    }

    /// The same with the certificate itself.
    pub fn with_pem(mut self, der: &[u8]) -> Facts {
        self.pem = Some(pem::encode("CERTIFICATE", der).as_str().to_owned());
        self
    }
}

/// SHA-256 of the public key of a certificate (its SubjectPublicKeyInfo); none where it is no X.509.
pub fn spki_pin(der: &[u8]) -> Option<[u8; 32]> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(Sha256::digest(certificate.public_key().raw).into())
}

/// The serial of a certificate; none where it is no X.509.
pub fn serial_of(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.raw_serial().to_vec())
}

/// A pin as curl's `--pinnedpubkey` takes it: `sha256//BASE64`.
pub fn pin_text(pin: &[u8; 32]) -> String {
    format!("sha256//{}", BASE64_STANDARD.encode(pin))
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// A time by RFC 3339 in UTC, to the second.
pub fn time_text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// A serial as OpenSSL has it, in lower case: no padding, a sign where the number is (wrongly) negative.
pub fn serial_text(raw: &[u8]) -> String {
    match raw {
        [0, rest @ ..] if !rest.is_empty() => words::hex(rest),
        [first, ..] if first & 0x80 != 0 => {
            // The magnitude in two's complement: inverted, plus one.
            let mut magnitude: Vec<u8> = raw.iter().map(|byte| !byte).collect();
            for byte in magnitude.iter_mut().rev() {
                let (sum, carries) = byte.overflowing_add(1);
                *byte = sum;
                if !carries {
                    break;
                }
            }
            format!("-{}", words::hex(&magnitude))
        }
        raw => words::hex(raw),
    }
}

/// The name of an algorithm of signatures.
pub fn signature_text(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    words::signature(&oid).map_or(oid, str::to_owned)
}

/// The kind of a key, with its size or curve.
pub fn key_text(key: &SubjectPublicKeyInfo<'_>) -> String {
    let oid = key.algorithm.algorithm.to_id_string();
    match (key.parsed(), oid.as_str()) {
        (Ok(PublicKey::RSA(rsa)), _) => format!("rsa-{}", bits(rsa.modulus)),
        (_, "1.2.840.10045.2.1") => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            let curve = curve.map(|curve| curve.to_id_string()).unwrap_or_default();
            words::curve(&curve).map_or_else(|| format!("ec-{curve}"), str::to_owned)
        }
        _ => words::key(&oid).map_or(oid, str::to_owned),
    }
}

/// The bits of a number from its first 1 on.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let rest = &number[zeros..];
    rest.first().map_or(0, |first| 8 * rest.len() - first.leading_zeros() as usize)
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    // Not `subject_alternative_name()`: where two are given, which is wrong, both are to be seen.
    let names = certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    names.flatten().map(name_text).collect()
}

/// A name with its kind in front.
pub fn name_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{}", escaped(name)),
        GeneralName::RFC822Name(name) => format!("EMAIL:{}", escaped(name)),
        GeneralName::URI(name) => format!("URI:{}", escaped(name)),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(address) => format!("IP:{address}"),
            None => format!("IP:#{}", words::hex(bytes)),
        },
        GeneralName::DirectoryName(name) => format!("DIR:{}", distinguished_name::text(name)),
        GeneralName::RegisteredID(oid) => format!("RID:{}", escaped(&oid.to_id_string())),
        GeneralName::OtherName(oid, _) => format!("OTHER:{}", escaped(&oid.to_id_string())),
        GeneralName::Invalid(_, bytes) => format!("INVALID:#{}", words::hex(bytes)),
        GeneralName::X400Address(any) | GeneralName::EDIPartyName(any) => {
            format!("OTHER:#{}", words::hex(any.data))
        }
    }
}

/// An address of four or sixteen bytes.
pub fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn purposes(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(usage)) = certificate.extended_key_usage() else { return Vec::new() };
    let usage = usage.value;
    let known = [
        (usage.any, "any"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let known = known.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| (*name).to_owned());
    known.chain(usage.other.iter().map(|oid| escaped(&oid.to_id_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_read_as_openssl_writes_them() {
        for (raw, text) in [
            (&[0x03, 0xf1][..], "03f1"),
            (&[0x00, 0x83][..], "83"),
            (&[0x00][..], "00"),
            (&[0xff][..], "-01"),
            (&[0x80, 0x00][..], "-8000"),
            (&[][..], ""),
        ] {
            assert_eq!(serial_text(raw), text);
        }
    }

    #[test]
    fn the_size_of_a_number_is_counted_from_its_first_bit() {
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[0x7f, 0xff]), 15);
        assert_eq!(bits(&[0, 0]), 0);
    }

    #[test]
    fn days_are_rounded_down() {
        let days = |seconds: i64| seconds.div_euclid(SECONDS_A_DAY);
        assert_eq!((days(86_399), days(86_400), days(-1)), (0, 1, -1));
    }
}
