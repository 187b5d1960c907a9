//! Who has signed what: certificates and requests, which are signed in one form.

use webpki::ALL_VERIFICATION_ALGS;
use x509_parser::der_parser::asn1_rs::{Any, BitString, FromDer};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::{distinguished_name, facts};

/// Whether the holder of this key has signed it; in words why that cannot be told, as with algorithms that are not good
/// enough.
pub fn check(der: &[u8], key: &SubjectPublicKeyInfo<'_>) -> Result<bool, String> {
    let undecodable = |_| "its signature cannot be decoded".to_owned();
    // The identifiers as they stand, without their outermost tag: that is how rustls' algorithms name themselves.
    let inner = |bytes| Any::from_der(bytes).map(|(_, any)| any.data).map_err(undecodable);
    let content = inner(der)?;
    let (rest, _) = Any::from_der(content).map_err(undecodable)?;
    let message = &content[..content.len() - rest.len()];
    let (signature_id, key_id) = (inner(rest)?, inner(inner(key.raw)?)?);
    let (rest, how) = AlgorithmIdentifier::from_der(rest).map_err(|_| "its signature cannot be decoded")?;
    let (_, sent) = BitString::from_der(rest).map_err(undecodable)?;
    let fits = |known: &&&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
        known.signature_alg_id().as_ref() == signature_id && known.public_key_alg_id().as_ref() == key_id
    };
    let mut known = ALL_VERIFICATION_ALGS.iter().filter(fits).peekable();
    if known.peek().is_none() {
        let (how, kind) = (facts::signature_text(&how), facts::key_text(key));
        return Err(format!("its signature ({how} by {kind}) is of a kind that is not accepted here"));
    }
    let key = key.subject_public_key.data.as_ref();
    Ok(known.any(|known| known.verify_signature(key, message, sent.data.as_ref()).is_ok()))
}

/// Whether a certificate is one of this authority's, whatever has become of it since; in words why it is not.
pub fn is_issued_by(der: &[u8], authority: &[u8]) -> Result<(), String> {
    let undecodable = |_| "it cannot be decoded";
    let (_, certificate) = X509Certificate::from_der(der).map_err(undecodable)?;
    let (_, authority) = X509Certificate::from_der(authority).map_err(undecodable)?;
    let issuer = distinguished_name::text(certificate.issuer());
    if certificate.issuer().as_raw() != authority.subject().as_raw() {
        return Err(format!("it was issued by another authority, '{issuer}'"));
    }
    match check(der, authority.public_key())? {
        true => Ok(()),
        false => Err(format!("it was issued by another authority of the same name, '{issuer}'")),
    }
}
