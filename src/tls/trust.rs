//! Whom we trust: authorities, exact certificates, pins and revocation lists, read from files into one value.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateRevocationListDer, UnixTime};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use x509_parser::revocation_list::RevokedCertificate;

use super::Pin;
use super::explanation::{Case, expired_authority, words_of};
use crate::certificate::{self, Der};
use crate::error::{Exit, Failure};
use crate::suggest::nearest;

/// A set of authorities that comes with the system or with spile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those of the system; SSL_CERT_FILE and SSL_CERT_DIR replace them, as they do for OpenSSL.
    System,
    /// Mozilla's, as they were when spile was built: for places without a system.
    Mozilla,
    /// None.
    None,
}

impl FromStr for Roots {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Roots, Failure> {
        match text {
            "system" => Ok(Roots::System),
            "mozilla" => Ok(Roots::Mozilla),
            "none" => Ok(Roots::None),
            _ => {
                let failure =
                    Failure::usage(format!("roots '{text}'"), "is unknown (valid: system, mozilla, none)");
                Err(match nearest(text, ["system", "mozilla", "none"]) {
                    Some(word) => failure.hint(format!("did you mean '{word}'?")),
                    None => failure,
                })
            }
        }
    }
}

/// What becomes of a peer that is not trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// The handshake fails.
    #[default]
    Strict,
    /// It goes on; the verdict is kept for the report (`insecure`).
    RecordOnly,
}

/// What pins mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pinning {
    /// They are checked after everything else.
    #[default]
    Added,
    /// They are all that is checked: neither names nor dates nor authorities (`pin-only`).
    Alone,
}

/// What becomes of a certificate of which no list says whether it is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownStatus {
    /// It is refused.
    #[default]
    Refused,
    /// It is let through (`crl-soft`); an expired list is refused all the same.
    Allowed,
}

/// Revocation lists and what is made of them.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// Files with lists; none means that revocation is not checked.
    pub files: Vec<PathBuf>,
    /// Certificates that no list covers.
    pub unknown: UnknownStatus,
}

/// What becomes of the OCSP response that a server staples to its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stapling {
    /// It must hold; there need be none, unless the certificate says so (must-staple).
    #[default]
    Checked,
    /// There must be one, and it must hold.
    Required,
    /// It is told in reports alone.
    Ignored,
}

impl FromStr for Stapling {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Stapling, Failure> {
        match text {
            "check" => Ok(Stapling::Checked),
            "require" => Ok(Stapling::Required),
            "ignore" => Ok(Stapling::Ignored),
            _ => {
                let what = format!("staple '{text}'");
                Err(Failure::usage(what, "is unknown (valid: check, require, ignore)"))
            }
        }
    }
}

/// How a server is judged.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Files or directories of authorities that take the place of the system's.
    pub cafile: Vec<PathBuf>,
    /// Files or directories of authorities that are added to the others.
    pub ca_add: Vec<PathBuf>,
    /// Authorities by name; where nothing is said, the system's, unless `cafile` or `exact` takes their place.
    pub roots: Option<Roots>,
    /// Certificates that are trusted as they are, byte for byte; name, dates and possession of the key are checked.
    pub exact: Vec<PathBuf>,
    /// Public keys, one of which the server must have.
    pub pins: Vec<Pin>,
    /// What pins mean.
    pub pinning: Pinning,
    /// Revocation lists.
    pub revocation: Revocation,
    /// OCSP responses that servers staple.
    pub stapling: Stapling,
    /// Whether the verdict is carried out.
    pub enforcement: Enforcement,
    /// The time to judge by; now where it is not given.
    pub at: Option<SystemTime>,
}

/// What trust comes to once all files are read.
#[derive(Debug)]
pub(super) struct Anchors {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) crls: Vec<RevocationList>,
    pub(super) exact: Vec<Der>,
    /// The authorities that came from files: the store keeps no more of them than their keys.
    pub(super) given: Vec<Der>,
    /// When the first of those expires, in seconds since 1970.
    pub(super) first_end: Option<i64>,
    /// Where the authorities came from: `file:ca.pem`, `system`.
    pub(super) source: String,
    /// Things a person should know, such as certificates that were passed over.
    pub(super) warnings: Vec<String>,
}

/// A revocation list and the file it came from.
#[derive(Debug)]
pub(super) struct RevocationList {
    pub(super) file: PathBuf,
    pub(super) der: CertificateRevocationListDer<'static>,
}

impl RevocationList {
    /// What it says of a certificate, if it is on it.
    pub(super) fn entry(&self, certificate: &X509Certificate<'_>) -> Option<RevokedCertificate<'_>> {
        let (_, list) = CertificateRevocationList::from_der(&self.der).ok()?;
        if list.issuer().as_raw() != certificate.issuer().as_raw() {
            return None;
        }
        list.iter_revoked_certificates().find(|entry| entry.serial() == &certificate.serial).cloned()
    }
}

impl Anchors {
    /// Whether the authority that vouches for a chain is not over itself.
    pub(super) fn hold(&self, case: &Case<'_>) -> Result<(), rustls::Error> {
        match expired_authority(case) {
            None => Ok(()),
            Some(_) => Err(rustls::CertificateError::Expired.into()),
        }
    }

    /// Whether a certificate was taken back, whoever else speaks for it.
    pub(super) fn revoke(&self, der: &[u8]) -> bool {
        X509Certificate::from_der(der)
            .is_ok_and(|(_, certificate)| self.crls.iter().any(|list| list.entry(&certificate).is_some()))
    }
}

impl Trust {
    /// Reads everything; status 77 where authorities or lists cannot be had.
    pub(super) fn read(&self) -> Result<Anchors, Failure> {
        if self.pinning == Pinning::Alone && self.pins.is_empty() {
            return Err(
                Failure::usage("--pin-only", "needs a pin").hint("--pin sha256//… names the server's key")
            );
        }
        let mut reading = Reading::new();
        for path in self.exact.iter() {
            reading.exact(path)?;
        }
        for path in self.cafile.iter().chain(&self.ca_add) {
            reading.authorities(path)?;
        }
        match self.effective_roots() {
            Roots::System => reading.system(self.enforcement)?,
            Roots::Mozilla => reading.mozilla(),
            Roots::None => {}
        }
        let crls = self.revocation.read()?;
        let unused = match (crls.is_empty(), self.stapling) {
            (false, _) => Some("--crl"),
            (true, Stapling::Required) => Some("--staple require"),
            _ => None,
        };
        if let Some(unused) = unused
            && (self.pinning == Pinning::Alone || reading.store.is_empty())
        {
            return Err(Failure::usage(unused, "would not be looked at: there are no authorities to check")
                .hint("--cafile FILE names them; --pin-only and --trust-cert ask nobody else"));
        }
        if reading.store.is_empty() && reading.exact.is_empty() && self.needs_authorities() {
            return Err(Failure::new(
                Exit::AUTHORITY,
                "no server can be trusted",
                "there are no authorities",
            )
            .hint("--cafile FILE names them, --pin-only with --pin sha256//… does without"));
        }
        Ok(Anchors {
            roots: Arc::new(reading.store),
            crls,
            exact: reading.exact,
            first_end: first_end(&reading.given),
            given: reading.given,
            source: reading.sources.join(", "),
            warnings: reading.warnings,
        })
    }

    fn needs_authorities(&self) -> bool {
        self.pinning == Pinning::Added && self.enforcement == Enforcement::Strict
    }

    fn effective_roots(&self) -> Roots {
        match self.roots {
            Some(roots) => roots,
            None if self.pinning == Pinning::Alone => Roots::None,
            None if self.cafile.is_empty() && self.exact.is_empty() => Roots::System,
            None => Roots::None,
        }
    }
}

impl Revocation {
    /// Reads the lists; status 77 where one cannot be had.
    pub(super) fn read(&self) -> Result<Vec<RevocationList>, Failure> {
        let mut lists = Vec::new();
        for file in &self.files {
            let found = certificate::read_crls(file)?;
            found.iter().try_for_each(|list| usable(list, file))?;
            lists.extend(found.into_iter().map(|der| RevocationList { file: file.clone(), der }));
        }
        Ok(lists)
    }
}

/// Whether the verifier can read a list, told here, where the name of its file is known.
fn usable(list: &CertificateRevocationListDer<'_>, file: &Path) -> Result<(), Failure> {
    let fail = |why: &str| Err(Failure::new(Exit::AUTHORITY, format!("CRL file {}", file.display()), why));
    match webpki::BorrowedCertRevocationList::from_der(list) {
        Ok(_) => Ok(()),
        Err(webpki::Error::UnsupportedDeltaCrl) => fail("it is a list of changes only (a delta CRL)"),
        Err(_) if is_first_version(list) => {
            fail("it is of version 1, which has no number and no key identifier; version 2 is needed")
        }
        Err(error) => fail(&words_of(&error)),
    }
}

fn is_first_version(list: &[u8]) -> bool {
    CertificateRevocationList::from_der(list).is_ok_and(|(_, list)| list.version().is_none())
}

/// Authorities of files alone: those of client certificates.
pub(super) fn authorities(paths: &[PathBuf], revocation: &Revocation) -> Result<Anchors, Failure> {
    let mut reading = Reading::new();
    for path in paths {
        reading.authorities(path)?;
    }
    Ok(Anchors {
        roots: Arc::new(reading.store),
        crls: revocation.read()?,
        exact: Vec::new(),
        first_end: first_end(&reading.given),
        given: reading.given,
        source: reading.sources.join(", "),
        warnings: reading.warnings,
    })
}

fn first_end(authorities: &[Der]) -> Option<i64> {
    let end = |der: &Der| Some(X509Certificate::from_der(der).ok()?.1.validity().not_after.timestamp());
    authorities.iter().filter_map(end).min()
}

struct Reading {
    store: RootCertStore,
    exact: Vec<Der>,
    given: Vec<Der>,
    sources: Vec<String>,
    warnings: Vec<String>,
}

impl Reading {
    fn new() -> Reading {
        Reading {
            store: RootCertStore::empty(),
            exact: Vec::new(),
            given: Vec::new(),
            sources: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn authorities(&mut self, path: &Path) -> Result<(), Failure> {
        let found = certificate::read_authorities(path)?;
        let (added, ignored) = self.store.add_parsable_certificates(found.iter().cloned());
        if added == 0 {
            let what = format!("CA file {}", path.display());
            return Err(Failure::new(Exit::AUTHORITY, what, "none of its certificates can be used"));
        }
        if ignored > 0 {
            self.warnings.push(format!("{}: {ignored} of its certificates cannot be used", path.display()));
        }
        self.given.extend(found);
        self.sources.push(format!("file:{}", path.display()));
        Ok(())
    }

    fn exact(&mut self, path: &Path) -> Result<(), Failure> {
        self.exact.extend(certificate::read_authorities(path)?);
        self.sources.push(format!("exact:{}", path.display()));
        Ok(())
    }

    /// What cannot be read is a failure and never a smaller set in silence; only what is not enforced goes on.
    fn system(&mut self, enforcement: Enforcement) -> Result<(), Failure> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.store.add_parsable_certificates(found.certs);
        self.sources.push("system".to_owned());
        if added == 0 && enforcement == Enforcement::Strict {
            let why = match found.errors.first() {
                Some(error) => error.to_string(),
                None => "there are none".to_owned(),
            };
            return Err(Failure::new(Exit::AUTHORITY, "cannot read the system's authorities", why).hint(
                "--cafile FILE or --roots mozilla takes their place; SSL_CERT_FILE and SSL_CERT_DIR move them",
            ));
        }
        self.warnings.extend(found.errors.iter().map(|error| format!("the system's authorities: {error}")));
        Ok(())
    }

    fn mozilla(&mut self) {
        self.store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        self.sources.push("mozilla".to_owned());
    }
}

/// The time to judge by.
pub(super) fn time_of_judgement(at: Option<SystemTime>, now: UnixTime) -> UnixTime {
    // rustls knows no time before 1970; nothing that it judges is as old as that.
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    at.map_or(now, |at| UnixTime::since_unix_epoch(since(at)))
}
