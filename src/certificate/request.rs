//! Requests for certificates (CSRs, PKCS#10): made, read, and checked to come from the holder of their key.

use rcgen::{DnType, PublicKeyData, SignatureAlgorithm};
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::issue::{Subject, failed};
use super::names::{self, Name};
use super::signer::{self, Signer};
use super::{distinguished_name, facts, signature};
use crate::error::Failure;

/// The labels of a request; the second is an old one.
pub const REQUEST: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// A request as DER, signed by the key it is for.
pub fn make(subject: &Subject, key: &Signer) -> Result<Vec<u8>, Failure> {
    let request = subject.request()?.serialize_request(key).map_err(failed)?;
    Ok(request.der().to_vec())
}

/// A request, decoded; text of others is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestFacts {
    /// Who asks.
    pub subject: String,
    /// For which names.
    pub san: Vec<String>,
    /// The kind of its key.
    pub key: String,
    /// How it was signed.
    pub sig: String,
    /// Whether the holder of that key has signed it, in a way that is accepted.
    pub signed: bool,
    /// SHA-256 of its public key, as that of the certificate will be.
    pub spki_pin: String,
}

impl RequestFacts {
    /// Decodes a request; in words why it cannot be.
    pub fn of(der: &[u8]) -> Result<RequestFacts, &'static str> {
        let (_, request) = X509CertificationRequest::from_der(der).map_err(|_| "it cannot be decoded")?;
        let info = &request.certification_request_info;
        let names =
            request.requested_extensions().into_iter().flatten().filter_map(|extension| match extension {
                ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
                _ => None,
            });
        Ok(RequestFacts {
            subject: distinguished_name::text(&info.subject),
            san: names.flatten().map(facts::name_text).collect(),
            key: facts::key_text(&info.subject_pki),
            sig: facts::signature_text(&request.signature_algorithm),
            signed: check_signature(der).is_ok(),
            spki_pin: facts::pin_text(&Sha256::digest(info.subject_pki.raw).into()),
        })
    }
}

/// The key of somebody else.
pub struct PublicKey {
    bits: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKey {
    /// Out of a SubjectPublicKeyInfo; none where it is of a kind that cannot be written again.
    fn of(info: &SubjectPublicKeyInfo<'_>) -> Option<PublicKey> {
        let bits = info.subject_public_key.data.to_vec();
        if let Ok(known) = rcgen::SubjectPublicKeyInfo::from_der(info.raw) {
            return Some(PublicKey { bits, algorithm: known.algorithm() });
        }
        let algorithm = signer::ml_dsa(&facts::key_text(info))?;
        Some(PublicKey { bits, algorithm })
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// What a request asks for, as far as an authority here takes it over.
pub struct Request {
    /// Its name and alternative names.
    pub subject: Subject,
    /// The key that is to be certified.
    pub key: PublicKey,
    /// What it asks for besides and does not get.
    pub passed_over: Vec<String>,
}

impl Request {
    /// Reads a request; in words why it is none, or is not signed by its key.
    pub fn of(der: &[u8]) -> Result<Request, String> {
        let (_, request) =
            X509CertificationRequest::from_der(der).map_err(|_| "it is no request that can be decoded")?;
        check_signature(der)?;
        let info = &request.certification_request_info;
        let kind = facts::key_text(&info.subject_pki);
        let unknown = || format!("its key is of a kind that is not known here: {kind}");
        let key = PublicKey::of(&info.subject_pki).ok_or_else(unknown)?;
        let mut subject = Subject { others: attributes(&info.subject)?, ..Subject::default() };
        let mut passed_over = Vec::new();
        for extension in request.requested_extensions().into_iter().flatten() {
            match extension {
                ParsedExtension::SubjectAlternativeName(names) => take(&mut subject, &names.general_names)?,
                other => passed_over.push(extension_name(other)),
            }
        }
        Ok(Request { subject, key, passed_over })
    }
}

fn take(subject: &mut Subject, wanted: &[GeneralName<'_>]) -> Result<(), String> {
    for name in wanted {
        match name {
            GeneralName::DNSName(name) => subject.names.push(name.parse()?),
            GeneralName::URI(uri) => subject.uris.push(names::uri(uri)?),
            GeneralName::IPAddress(bytes) => {
                let address = facts::address(bytes).ok_or("it asks for an address of an odd length")?;
                subject.names.push(Name::Ip(address));
            }
            other => {
                return Err(format!(
                    "it asks for a name of a kind that is not signed here: {}",
                    facts::name_text(other)
                ));
            }
        }
    }
    Ok(())
}

/// The name of a request, attribute by attribute.
fn attributes(name: &X509Name<'_>) -> Result<Vec<(DnType, String)>, String> {
    let attribute = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let oid: Vec<u64> = attribute.attr_type().iter().map(Iterator::collect).unwrap_or_default();
        let text = distinguished_name::value(attribute);
        let text = text
            .ok_or_else(|| format!("its name cannot be written here: {}", distinguished_name::text(name)))?;
        Ok((DnType::from_oid(&oid), text))
    };
    let found: Vec<(DnType, String)> =
        name.iter_attributes().map(attribute).collect::<Result<_, String>>()?;
    // rcgen would keep the last of them alone.
    let is_twice =
        |(at, (kind, _)): (usize, &(DnType, String))| found[..at].iter().any(|(other, _)| other == kind);
    match found.iter().enumerate().any(is_twice) {
        true => Err(format!("its name has an attribute twice: {}", distinguished_name::text(name))),
        false => Ok(found),
    }
}

fn extension_name(extension: &ParsedExtension<'_>) -> String {
    match extension {
        ParsedExtension::BasicConstraints(constraints) if constraints.ca => "being a CA".to_owned(),
        ParsedExtension::BasicConstraints(_) => "basic constraints".to_owned(),
        ParsedExtension::KeyUsage(_) => "key usage".to_owned(),
        ParsedExtension::ExtendedKeyUsage(_) => "extended key usage".to_owned(),
        ParsedExtension::SubjectKeyIdentifier(_) => "key identifier".to_owned(),
        ParsedExtension::UnsupportedExtension { oid } => oid.to_id_string(),
        _ => "other extensions".to_owned(),
    }
}

/// The holder of the key has signed the request, with an algorithm that is good enough.
fn check_signature(der: &[u8]) -> Result<(), String> {
    let (_, request) = X509CertificationRequest::from_der(der).map_err(|_| "it cannot be decoded")?;
    match signature::check(der, &request.certification_request_info.subject_pki)? {
        true => Ok(()),
        false => Err("it is not signed by the key that it names".to_owned()),
    }
}
