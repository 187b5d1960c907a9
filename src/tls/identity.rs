//! Who we are: certificates with their keys, out of files or made in memory.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::staple;
use crate::certificate::ocsp::{Answer, NoAnswer};
use crate::certificate::{self, Der, Key, Passphrase};
use crate::error::{Exit, Failure};
use crate::process::keep_memory_secret;

/// What becomes of a key file that others can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permissions {
    /// A warning.
    #[default]
    Warned,
    /// A failure (`strict-perms`).
    Strict,
}

/// The files of one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// The key; where it is not given, the certificate's file has it, too.
    pub key: Option<PathBuf>,
    /// A file whose first line opens an encrypted key.
    pub pass_file: Option<PathBuf>,
    /// A stapled OCSP response, DER.
    pub staple: Option<PathBuf>,
}

/// An OCSP response is a few kilobytes; this is a bound against the wrong file.
const LARGEST_STAPLE: u64 = 64 * 1024;

impl IdentityFiles {
    /// Reads them; status 58 where they cannot be read or do not belong together, 91 for a staple that is none.
    pub(super) fn read(
        &self,
        permissions: Permissions,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<CertifiedKey>, Failure> {
        // The certificate's file may have the key in it.
        keep_memory_secret();
        let chain = certificate::read_chain(&self.certificate)?;
        let key_file = self.key.as_ref().unwrap_or(&self.certificate);
        if let Some(warning) = certificate::permissions_warning(key_file) {
            match permissions {
                Permissions::Warned => warnings.push(warning),
                Permissions::Strict => return Err(Failure::new(Exit::OWN_CERTIFICATE, warning, "")),
            }
        }
        let passphrase = self.pass_file.as_deref().map(Passphrase::read).transpose()?;
        let key = certificate::read_key(key_file, passphrase.as_ref())?;
        let mut certified = certified(chain, &key).map_err(|error| self.refused(key_file, &error))?;
        certified.ocsp = self.staple.as_deref().map(read_staple).transpose()?;
        Ok(Arc::new(certified))
    }

    /// What clients will not like about the staple of a server that was read, or about there being none.
    pub(super) fn doubt_on_staple(&self, read: &CertifiedKey) -> Option<String> {
        let chain: Vec<&[u8]> = read.cert.iter().map(AsRef::as_ref).collect();
        let why = staple::doubt(read.ocsp.as_deref(), &chain, UnixTime::now())?;
        let file = self.staple.as_ref().map(|file| format!("OCSP file {}", file.display()));
        let file = file.unwrap_or_else(|| format!("certificate file {}", self.certificate.display()));
        Some(format!("{file}: {why}"))
    }

    fn refused(&self, key_file: &Path, error: &Error) -> Failure {
        let what = format!("key file {}", key_file.display());
        match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let why = format!("it is not the key of the certificate in {}", self.certificate.display());
                Failure::new(Exit::OWN_CERTIFICATE, what, why).hint(
                    "the first certificate of the file must be our own, those of its authorities follow",
                )
            }
            Error::InvalidCertificate(_) => Failure::new(
                Exit::OWN_CERTIFICATE,
                format!("certificate file {}", self.certificate.display()),
                "its first certificate cannot be used: it is broken or of X.509 version 1",
            ),
            _ => Failure::new(Exit::OWN_CERTIFICATE, what, "a key of this kind or size cannot be used")
                .hint("RSA from 2048 bits, P-256, P-384, P-521, Ed25519"),
        }
    }
}

/// A chain with its key. rustls' own way to it takes the key over and drops it unwiped.
pub(super) fn certified(chain: Vec<Der>, key: &Key) -> Result<CertifiedKey, Error> {
    let certified = CertifiedKey::new(chain, any_supported_type(key)?);
    match certified.keys_match() {
        // Of a kind of key whose public half cannot be told.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(error),
    }
}

fn read_staple(path: &Path) -> Result<Vec<u8>, Failure> {
    let what = format!("OCSP file {}", path.display());
    let fail = |why: &str| Failure::new(Exit::STAPLE, &what, why);
    let unreadable = |error: std::io::Error| Failure::new(Exit::STAPLE, &what, error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST_STAPLE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_STAPLE {
        return Err(fail("it is too large for an OCSP response"));
    }
    // PEM has no agreed label for it.
    match Answer::of(&bytes) {
        Err(NoAnswer::Broken) => Err(fail("it is no OCSP response in DER")),
        _ => Ok(bytes),
    }
}
