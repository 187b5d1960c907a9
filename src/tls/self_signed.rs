//! A server identity made on the spot, in memory: for throwaway servers, whose clients are given its pin.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::identity::certified;
use crate::certificate::{Der, KeyType, Signer, escaped};
use crate::error::{Exit, Failure};
use crate::process::keep_memory_secret;

/// What a self-signed certificate is for where nothing is said.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Long enough for any throwaway use.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// Clocks of clients may be behind.
const BACKDATING: Duration = Duration::from_secs(3_600);

/// A P-256 key and its certificate for these names, valid for 30 days; status 58 where a name cannot be in one.
pub(super) fn make(names: &[String]) -> Result<Arc<CertifiedKey>, Failure> {
    let names: Vec<String> = match names.is_empty() {
        true => LOCAL_NAMES.iter().map(|name| (*name).to_owned()).collect(),
        false => names.iter().map(|name| ascii(name)).collect::<Result<_, _>>()?,
    };
    keep_memory_secret();
    let signer = Signer::generate(KeyType::P256)?;
    let der = generate(names, &signer).map_err(|error| {
        Failure::new(Exit::OWN_CERTIFICATE, "cannot make a self-signed certificate", error)
    })?;
    let fail =
        |why: String| Failure::new(Exit::OWN_CERTIFICATE, "cannot use the self-signed certificate", why);
    let key = signer.key().ok_or_else(|| fail("its key is not whole".to_owned()))?;
    certified(vec![der], &key).map(Arc::new).map_err(|error| fail(error.to_string()))
}

fn generate(names: Vec<String>, key: &Signer) -> Result<Der, rcgen::Error> {
    let now = OffsetDateTime::now_utc();
    let mut parameters = CertificateParams::new(names.clone())?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, names.first().map_or("spile", String::as_str));
    parameters.not_before = now - BACKDATING;
    parameters.not_after = now + LIFETIME;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters.self_signed(key)?.der().clone())
}

fn ascii(name: &str) -> Result<String, Failure> {
    idna::domain_to_ascii(name).or_else(|error| match name.parse::<std::net::IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => {
            Err(Failure::new(Exit::OWN_CERTIFICATE, format!("self-signed name '{}'", escaped(name)), error))
        }
    })
}
