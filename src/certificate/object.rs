//! What a file holds, whatever it is: certificates, requests, revocation lists, keys; PEM or DER.

use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::read::{CERTIFICATE, CRL, FROM_PKCS12, PKCS12, is_pkcs12};
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
    if is_pkcs12(content) {
        return Err(format!("{PKCS12}: {FROM_PKCS12}"));
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
    match *key::of_der(der)? {
        PrivateKeyDer::Pkcs8(_) => Some("PRIVATE KEY"),
        PrivateKeyDer::Pkcs1(_) => Some("RSA PRIVATE KEY"),
        PrivateKeyDer::Sec1(_) => Some("EC PRIVATE KEY"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::certificate::revocation::Revocations;
    use crate::certificate::verify::is_signed_by;
    use crate::certificate::{Facts, Lifetime, Purpose, Request, RequestFacts, Subject};
    use crate::certificate::{KeyFile, KeyType, Signer, authority, limits, make_request, revocation, signed};

    /// A certificate, its authority, a request, a revocation list and a key, as DER.
    fn samples() -> Vec<Vec<u8>> {
        let now = time::OffsetDateTime::now_utc();
        let validity = Lifetime::default().settle(30, now).unwrap();
        let subject = Subject::of(&["localhost".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
        let authority = authority(&subject, validity, Signer::generate(KeyType::P256).unwrap()).unwrap();
        let key = Signer::generate(KeyType::Ed25519).unwrap();
        let own = signed(&subject, Purpose::Server, validity, &key, &authority).unwrap();
        let list = revocation::make(&authority, &[vec![1, 2]], validity, 1, now).unwrap();
        let pem = key.pem(None).unwrap();
        let key_der = objects(pem.as_bytes()).unwrap().remove(0).der.to_vec();
        vec![
            own.to_vec(),
            authority.certificate().to_vec(),
            make_request(&subject, &key).unwrap(),
            list.to_vec(),
            key_der,
        ]
    }

    /// Everything that decodes is asked for all it knows; a panic is the failure.
    fn decode(bytes: &[u8]) {
        let now = std::time::SystemTime::now();
        let _ = Facts::of(bytes, 0, now);
        let _ = (limits(bytes), RequestFacts::of(bytes), Request::of(bytes), Revocations::of(bytes));
        if let Ok(key) = KeyFile::of("k", bytes).and_then(|key| key.open(None)) {
            let _ = Signer::of(&key);
        }
        let own = bytes.to_vec().into();
        let _ = is_signed_by(&own, &own, Purpose::Server, now);
        let _ = objects(bytes);
    }

    #[test]
    fn what_is_made_is_decoded() {
        let kinds: Vec<Kind> = samples().iter().map(|der| objects(der).unwrap()[0].kind).collect();
        let wanted = [Kind::Certificate, Kind::Certificate, Kind::Request, Kind::Revocations, Kind::Key];
        assert_eq!(kinds, wanted);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        for sample in samples() {
            for at in 0..sample.len() {
                decode(&sample[..at]);
                for flip in [0x01, 0x80] {
                    let mut bytes = sample.clone();
                    bytes[at] ^= flip;
                    decode(&bytes);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            decode(&bytes);
        }

        #[test]
        fn text_with_dashes_is_survived(text in "(-----(BEGIN|END) (CERTIFICATE|X509 CRL|RSA PRIVATE KEY|X)-----|[A-Za-z+/=]{0,70}|Proc-Type: 4,ENCRYPTED|\\PC{0,10}|\n){0,12}") {
            decode(text.as_bytes());
        }
    }
}
