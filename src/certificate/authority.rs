//! Authorities: certificates with their keys that may sign others.

use rcgen::{CertificateParams, Issuer, KeyIdMethod};
use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Der;
use super::signer::{Signer, belongs};
use crate::error::{Exit, Failure};

/// What an authority is to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// Certificates.
    Certificates,
    /// Revocation lists.
    Revocations,
}

/// An authority that may sign.
pub struct Authority {
    certificate: Der,
    issuer: Issuer<'static, Signer>,
    key_identifier: KeyIdMethod,
}

impl Authority {
    /// An authority that was just made with these parameters.
    pub fn made(certificate: Der, params: CertificateParams, key: Signer) -> Authority {
        let key_identifier = params.key_identifier_method.clone();
        Authority { certificate, issuer: Issuer::new(params, key), key_identifier }
    }

    /// An authority out of files. rcgen checks none of it: that it is one (status 58), may sign what is wanted, and
    /// that the key is its own.
    pub fn load(certificate: Der, key: Signer, signs: Signs, name: &str) -> Result<Authority, Failure> {
        let fail = |why| Failure::new(Exit::OWN_CERTIFICATE, format!("authority {name}"), why);
        let (_, parsed) =
            X509Certificate::from_der(&certificate).map_err(|_| fail("it cannot be decoded"))?;
        may_sign(&parsed, signs).map_err(fail)?;
        if !belongs(&certificate, &key) {
            return Err(fail("the key is not the one of this certificate"));
        }
        // rcgen can write no other names, and would panic at an empty one.
        if parsed.subject().iter().any(|part| part.iter().count() != 1) {
            return Err(fail("its name has parts of several attributes, which cannot be written here"));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key);
        let issuer =
            issuer.map_err(|_| fail("its name or an extension has a form that cannot be written here"))?;
        let identifier =
            parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
                _ => None,
            });
        let key_identifier = identifier.map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified);
        Ok(Authority { certificate, issuer, key_identifier })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Der {
        &self.certificate
    }

    /// Its last second.
    pub fn until(&self) -> Option<OffsetDateTime> {
        let (_, certificate) = X509Certificate::from_der(&self.certificate).ok()?;
        Some(certificate.validity().not_after.to_datetime())
    }

    /// Its key.
    pub fn key(&self) -> &Signer {
        self.issuer.key()
    }

    /// Its side of a signature.
    pub(super) fn issuer(&self) -> &Issuer<'static, Signer> {
        &self.issuer
    }

    /// How its key is named in what it signs.
    pub(super) fn key_identifier(&self) -> KeyIdMethod {
        self.key_identifier.clone()
    }
}

fn may_sign(certificate: &X509Certificate<'_>, signs: Signs) -> Result<(), &'static str> {
    if !certificate.is_ca() {
        return Err("it is no CA: its basic constraints do not say so");
    }
    let usage = certificate.key_usage().map_err(|_| "its key usage cannot be decoded")?;
    let Some(usage) = usage else { return Ok(()) };
    match signs {
        Signs::Certificates if !usage.value.key_cert_sign() => {
            Err("it may not sign certificates (key usage)")
        }
        Signs::Revocations if !usage.value.crl_sign() => Err("it may not sign revocation lists (key usage)"),
        _ => Ok(()),
    }
}
