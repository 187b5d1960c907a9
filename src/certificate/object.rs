//! What a file holds, whatever it is: certificates, requests, revocation lists, keys; PEM or DER.

use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::read::{CERTIFICATE, CRL};
use super::{file, key, pem, request::REQUEST};

/// What an object is, by its label or, in DER, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A certificate.
    Certificate,
    /// A request for a certificate.
    Request,
    /// A revocation list.
    Revocations,
    /// A private key, encrypted or not.
    Key,
    /// Something else: parameters, a public key.
    Other,
}

/// One of the objects of a file.
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its label in PEM, or the one it would have.
    pub label: String,
    /// Encrypted in the way of RFC 1421; the content is then no DER.
    pub is_legacy_encrypted: bool,
    /// Its content.
    pub der: Zeroizing<Vec<u8>>,
}

/// Everything in a file, in its order, never nothing; in words why there is nothing to be had.
pub fn objects(content: &[u8]) -> Result<Vec<Object>, String> {
    if content.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !pem::is_pem(content) {
        let label = label_of(content)
            .ok_or("it is neither PEM nor DER of a certificate, request, revocation list or key")?;
        return Ok(vec![object(label, false, Zeroizing::new(content.to_vec()))?]);
    }
    let blocks = pem::blocks(content)?;
    blocks.iter().map(|block| object(block.label, block.is_legacy_encrypted, block.der()?)).collect()
}

fn object(label: &str, is_legacy_encrypted: bool, der: Zeroizing<Vec<u8>>) -> Result<Object, String> {
    let kind = match label {
        label if CERTIFICATE.contains(&label) => Kind::Certificate,
        label if REQUEST.contains(&label) => Kind::Request,
        label if CRL.contains(&label) => Kind::Revocations,
        label if key::is_key(label) => Kind::Key,
        _ => Kind::Other,
    };
    match kind != Kind::Revocations && der.len() as u64 > file::LIMIT {
        true => Err(format!("a '{}' of {} MiB is none", super::escaped(label), der.len() >> 20)),
        false => Ok(Object { kind, label: label.to_owned(), is_legacy_encrypted, der }),
    }
}

/// The label that DER of this form has in PEM.
fn label_of(der: &[u8]) -> Option<&'static str> {
    if X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(CERTIFICATE[0]);
    }
    if X509CertificationRequest::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(REQUEST[0]);
    }
    if CertificateRevocationList::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(CRL[0]);
    }
    if EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
        return Some("ENCRYPTED PRIVATE KEY");
    }
    match PrivateKeyDer::try_from(der).ok()? {
        PrivateKeyDer::Pkcs8(_) => Some("PRIVATE KEY"),
        PrivateKeyDer::Pkcs1(_) => Some("RSA PRIVATE KEY"),
        PrivateKeyDer::Sec1(_) => Some("EC PRIVATE KEY"),
        _ => None,
    }
}
