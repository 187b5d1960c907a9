//! Certificates, made: for servers and clients, for authorities, signed by themselves or by an authority.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType, SerialNumber,
};

use super::authority::Authority;
use super::lifetime::Validity;
use super::names::Name;
use super::signer::{Signer, fill};
use super::{Der, verify};
use crate::error::{Exit, Failure};

/// Most characters of a common name or a unit (RFC 5280, ub-common-name and ub-organizational-unit-name).
const LONGEST_ATTRIBUTE: usize = 64;

/// What a certificate is for; its extended key usage says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A TLS server.
    Server,
    /// A TLS client.
    Client,
}

/// Whom a certificate is about.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// DNS names and addresses.
    pub names: Vec<Name>,
    /// URIs, SPIFFE's among them.
    pub uris: Vec<String>,
    /// The common name; without one, the first name.
    pub common_name: Option<String>,
    /// The organisational unit.
    pub unit: Option<String>,
    /// Further attributes, out of a request.
    pub others: Vec<(DnType, String)>,
}

impl Subject {
    /// A subject with these names.
    pub fn of(names: &[Name]) -> Subject {
        Subject { names: names.to_vec(), ..Subject::default() }
    }

    /// Status 2 where a certificate for it would be good for nobody: a server is known by a name, a client also by its
    /// subject alone.
    pub fn check(&self, purpose: Purpose) -> Result<(), Failure> {
        let has_name = !self.names.is_empty() || !self.uris.is_empty();
        let has_subject = self.common_name.is_some() || self.unit.is_some() || !self.others.is_empty();
        match has_name || (has_subject && purpose == Purpose::Client) {
            true => Ok(()),
            false => {
                Err(Failure::usage("no NAME is given", "")
                    .hint("a DNS name or an address: localhost, 127.0.0.1"))
            }
        }
    }

    fn distinguished_name(&self, otherwise: Option<&str>) -> Result<DistinguishedName, Failure> {
        let mut name = DistinguishedName::new();
        for (kind, value) in &self.others {
            name.push(kind.clone(), value.as_str());
        }
        if let Some(unit) = &self.unit {
            name.push(DnType::OrganizationalUnitName, attribute("an organisational unit", unit)?);
        }
        // Clients that look at common names take every one for a DNS name, unless it cannot be one.
        let first = self.names.first().map(|name| match name {
            Name::Dns(name) => name.clone(),
            Name::Ip(address) => format!("address {address}"),
        });
        let first = first.filter(|first| first.len() <= LONGEST_ATTRIBUTE && self.others.is_empty());
        if let Some(common) = self.common_name.as_deref().or(otherwise).or(first.as_deref()) {
            name.push(DnType::CommonName, attribute("a common name", common)?);
        }
        Ok(name)
    }

    /// Names and URIs as alternative names.
    fn alternative_names(&self) -> Result<Vec<SanType>, Failure> {
        let uri = |uri: &String| {
            uri.as_str().try_into().map(SanType::URI).map_err(|_| format!("'{uri}' is no ASCII"))
        };
        let all = self.names.iter().map(Name::alternative).chain(self.uris.iter().map(uri));
        let mut once: Vec<SanType> = Vec::new();
        for name in all {
            let name = name.map_err(|why| Failure::usage(why, ""))?;
            if !once.contains(&name) {
                once.push(name);
            }
        }
        Ok(once)
    }

    /// The parameters of a request for a certificate: its extensions are the alternative names alone.
    pub fn request(&self) -> Result<CertificateParams, Failure> {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.distinguished_name(None)?;
        params.subject_alt_names = self.alternative_names()?;
        Ok(params)
    }
}

/// Text that may stand in a name.
fn attribute<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    match text.chars().count() {
        0 => Err(Failure::usage(what, "is not empty")),
        1..=LONGEST_ATTRIBUTE => Ok(text),
        _ => Err(Failure::usage(what, "has 64 characters at most")),
    }
}

/// A certificate for a server or a client, signed by its own key.
pub fn self_signed(
    subject: &Subject,
    purpose: Purpose,
    validity: Validity,
    key: &Signer,
) -> Result<Der, Failure> {
    let params = leaf(subject, purpose, validity)?;
    params.self_signed(key).map(|certificate| certificate.der().clone()).map_err(failed)
}

/// A certificate for the holder of `key`, signed by an authority. It is checked as a peer will check it: what the
/// authority may not sign (status 58) is never handed out.
pub fn signed(
    subject: &Subject,
    purpose: Purpose,
    validity: Validity,
    key: &impl PublicKeyData,
    authority: &Authority,
) -> Result<Der, Failure> {
    let certificate = leaf(subject, purpose, validity)?.signed_by(key, authority.issuer()).map_err(failed)?;
    let certificate = certificate.der().clone();
    let usable = verify::is_signed_by(&certificate, authority.certificate(), purpose, validity.from.into());
    usable.map_err(|why| {
        Failure::new(Exit::OWN_CERTIFICATE, "the authority may not sign this certificate", why)
            .hint("'spile cert show' lists what an authority is limited to")
    })?;
    Ok(certificate)
}

/// An authority of its own, which may sign servers and clients but no other authority. With names it may sign for
/// those alone, and for names below them.
pub fn authority(subject: &Subject, validity: Validity, key: Signer) -> Result<Authority, Failure> {
    let mut params = dated(validity)?;
    params.distinguished_name = subject.distinguished_name(Some("spile test CA"))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = (!subject.names.is_empty()).then(|| limits(&subject.names));
    let certificate = params.self_signed(&key).map_err(failed)?.der().clone();
    Ok(Authority::made(certificate, params, key))
}

/// Names of a kind that is not asked for at all are shut out: what is not listed would be allowed.
fn limits(names: &[Name]) -> NameConstraints {
    let subtree = |name: &Name| match name {
        Name::Dns(name) => GeneralSubtree::DnsName(name.strip_prefix("*.").unwrap_or(name).to_owned()),
        Name::Ip(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits))
        }
    };
    let mut excluded_subtrees = Vec::new();
    if !names.iter().any(|name| matches!(name, Name::Dns(_))) {
        excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
    }
    if !names.iter().any(|name| matches!(name, Name::Ip(_))) {
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    NameConstraints { permitted_subtrees: names.iter().map(subtree).collect(), excluded_subtrees }
}

fn leaf(subject: &Subject, purpose: Purpose, validity: Validity) -> Result<CertificateParams, Failure> {
    let mut params = dated(validity)?;
    params.distinguished_name = subject.distinguished_name(None)?;
    params.subject_alt_names = subject.alternative_names()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match purpose {
        Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    Ok(params)
}

/// What every certificate has: its dates, a serial that no other will have, the identifier of its issuer's key.
fn dated(validity: Validity) -> Result<CertificateParams, Failure> {
    let mut serial = [0; 16];
    fill(&mut serial)?;
    // Positive, and always of the same length.
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (validity.from, validity.until);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// rcgen's errors name what it is built on, which tells nobody anything.
pub fn failed(why: rcgen::Error) -> Failure {
    let why = match why {
        rcgen::Error::InvalidAsn1String(why) => super::escaped(&why.to_string()),
        rcgen::Error::Time => "a date cannot be written".to_owned(),
        _ => "the signature failed".to_owned(),
    };
    Failure::other("cannot make a certificate", why)
}
