//! Private keys out of files: PKCS#8, PKCS#1 and SEC 1, PEM or DER, alone or beside certificates, encrypted or not.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use x509_parser::der_parser::asn1_rs::{Any, FromDer};
use zeroize::Zeroizing;

use super::read::{FROM_PKCS12, PKCS12, is_pkcs12};
use super::{Passphrase, file, pem};
use crate::error::{Exit, Failure};

/// Most rounds of PBKDF2 that a file may ask for: some seconds.
const MOST_ROUNDS: u32 = 20_000_000;
/// Most memory that scrypt may be asked for, in bytes.
const MOST_MEMORY: u64 = 256 << 20;

/// A key in DER, wiped when dropped, which `PrivateKeyDer` alone is not. What aws-lc makes of it is beyond our reach;
/// it wipes its own memory.
pub type Key = Zeroizing<PrivateKeyDer<'static>>;

/// Reads a key; the first of the file counts. Status 58 with what to do about it where it cannot be had, an encrypted
/// one without a passphrase among them.
pub fn read_key(path: &Path, passphrase: Option<&Passphrase>) -> Result<Key, Failure> {
    KeyFile::read(path)?.open(passphrase)
}

/// A key as it lies in its file.
pub struct KeyFile {
    name: String,
    form: Form,
}

enum Form {
    Plain(Key),
    /// EncryptedPrivateKeyInfo of RFC 5958.
    Encrypted(Zeroizing<Vec<u8>>),
}

impl KeyFile {
    /// Reads the file, once: it may be a pipe. Status 58 where it holds no key.
    pub fn read(path: &Path) -> Result<KeyFile, Failure> {
        let name = path.display().to_string();
        let content = file::read(path, file::LIMIT).map_err(|why| fail(&name, why))?;
        KeyFile::of(&name, &content)
    }

    /// The key in the content of a file of that name.
    pub fn of(name: &str, content: &[u8]) -> Result<KeyFile, Failure> {
        let form = match pem::is_pem(content) {
            true => pem_form(name, content)?,
            false if is_pkcs12(content) => return Err(fail(name, PKCS12).hint(FROM_PKCS12)),
            false => der_form(content).map_err(|why| fail(name, why))?,
        };
        Ok(KeyFile { name: name.to_owned(), form })
    }

    /// True where a passphrase is needed.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.form, Form::Encrypted(_))
    }

    /// The key itself. A passphrase for a key that is not encrypted is of no matter.
    pub fn open(self, passphrase: Option<&Passphrase>) -> Result<Key, Failure> {
        let encrypted = match self.form {
            Form::Plain(key) => return Ok(key),
            Form::Encrypted(encrypted) => encrypted,
        };
        let Some(passphrase) = passphrase else {
            return Err(fail(&self.name, "it is encrypted, and no passphrase was given")
                .hint("--pass-file FILE names a file whose first line is the passphrase"));
        };
        decrypt(&encrypted, passphrase).map_err(|why| {
            let failure = fail(&self.name, why.text);
            match why.is_form {
                true => failure.hint(format!(
                    "openssl pkcs8 -topk8 -in {} -out NEW writes it in a form of today",
                    self.name
                )),
                false => failure,
            }
        })
    }
}

fn fail(name: &str, why: impl fmt::Display) -> Failure {
    Failure::new(Exit::OWN_CERTIFICATE, format!("key file {name}"), why)
}

fn pem_form(name: &str, content: &[u8]) -> Result<Form, Failure> {
    let blocks = pem::blocks(content).map_err(|why| fail(name, why))?;
    let Some(block) = blocks.iter().find(|block| is_key(block.label)) else {
        let labels: Vec<String> = blocks.iter().take(3).map(|block| super::escaped(block.label)).collect();
        let failure = fail(name, format!("it holds no private key, only: {}", labels.join(", ")));
        return Err(match blocks.iter().any(|block| block.label == "OPENSSH PRIVATE KEY") {
            true => failure.hint(format!("ssh-keygen -p -m PKCS8 -f {name} writes one of RSA or EC anew")),
            false => failure,
        });
    };
    if block.is_legacy_encrypted {
        return Err(fail(name, "it is encrypted in a way that is no longer safe (Proc-Type: 4,ENCRYPTED)")
            .hint(format!("openssl pkcs8 -topk8 -in {name} -out NEW encrypts it anew")));
    }
    let der = block.der().map_err(|why| fail(name, why))?;
    let plain: PrivateKeyDer<'static> = match block.label {
        "ENCRYPTED PRIVATE KEY" => return Ok(Form::Encrypted(der)),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(der.to_vec()).into(),
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der.to_vec()).into(),
        _ => PrivatePkcs8KeyDer::from(der.to_vec()).into(),
    };
    Ok(Form::Plain(Zeroizing::new(plain)))
}

/// True for the label of a private key, encrypted or not.
pub fn is_key(label: &str) -> bool {
    matches!(label, "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY")
}

fn der_form(content: &[u8]) -> Result<Form, &'static str> {
    if content.is_empty() {
        return Err("it is empty");
    }
    if EncryptedPrivateKeyInfoRef::try_from(content).is_ok() {
        return Ok(Form::Encrypted(Zeroizing::new(content.to_vec())));
    }
    let key = of_der(content).ok_or("it holds no private key: neither PEM nor DER of one")?;
    Ok(Form::Plain(key))
}

/// A key in DER that is not encrypted. rustls looks at its first bytes alone; those of PKCS#12 are alike.
pub fn of_der(content: &[u8]) -> Option<Key> {
    let key = PrivateKeyDer::try_from(content).ok()?;
    let is_whole = match &key {
        PrivateKeyDer::Pkcs8(_) => PrivateKeyInfoRef::try_from(content).is_ok(),
        _ => Any::from_der(content).is_ok_and(|(rest, _)| rest.is_empty()),
    };
    is_whole.then(|| Zeroizing::new(key.clone_key()))
}

struct Undecrypted {
    text: &'static str,
    /// The form of the encryption is to blame, not the passphrase.
    is_form: bool,
}

fn decrypt(encrypted: &[u8], passphrase: &Passphrase) -> Result<Key, Undecrypted> {
    let form = |text| Undecrypted { text, is_form: true };
    let unknown = "its encryption is none that is known here (PBES2 with AES is)";
    let info = EncryptedPrivateKeyInfoRef::try_from(encrypted).map_err(|_| form(unknown))?;
    let parameters = info.encryption_algorithm.pbes2().ok_or(form(unknown))?;
    if is_excessive(&parameters.kdf) {
        return Err(form("its passphrase is stretched beyond all measure"));
    }
    let wrong = Undecrypted { text: "the passphrase is wrong", is_form: false };
    match info.decrypt(passphrase.bytes()) {
        Ok(key) => Ok(Zeroizing::new(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())),
        Err(pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. })) => {
            Err(form(unknown))
        }
        Err(_) => Err(wrong),
    }
}

fn is_excessive(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(parameters) => parameters.iteration_count > MOST_ROUNDS,
        Kdf::Scrypt(parameters) => {
            let block = 128 * u64::from(parameters.block_size) * u64::from(parameters.parallelization.max(1));
            block.saturating_mul(parameters.cost_parameter) > MOST_MEMORY
        }
        _ => true,
    }
}

/// A sentence about a key that others than its owner can read; none where that is not so.
pub fn permissions_warning(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.mode() & 0o7777;
    let path = path.display();
    (mode & 0o077 != 0)
        .then(|| format!("key file {path} can be read by others (mode {mode:04o}): chmod 600 {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P-256, made by OpenSSL 3.0 for this test alone, encrypted with `secret`.
    const ENCRYPTED: &str = "\
        -----BEGIN ENCRYPTED PRIVATE KEY-----\n\
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjaBfxL6TmbEwICCAAw\n\
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFkPkfJ395xr6LSiOnMIBw4EgZDv\n\
        JDUHWYQovVH7zSHiENZ9mT2e8qwmGa37nPc2LSIaEq3ZINsurI+1v3pQRLDQ/yoC\n\
        gpUXU6EPdDiJC4zHKwWMRI/iTeothS0GtNgZL5b2Fpmpp/x96yQZouX/5asUtQT8\n\
        QmuKmh1kdMxfHYTRVA1lv5sa0FkkpcgEWvIDv9MxuUv1W0J0mRBgeQEP8wTYhe0=\n\
        -----END ENCRYPTED PRIVATE KEY-----\n";

    #[test]
    fn an_encrypted_key_needs_its_passphrase() {
        let open = |words: Option<&str>| {
            let passphrase = words.map(|words| Passphrase::first_line(words.as_bytes()));
            KeyFile::of("k", ENCRYPTED.as_bytes()).unwrap().open(passphrase.as_ref())
        };
        assert!(matches!(*open(Some("secret")).unwrap(), PrivateKeyDer::Pkcs8(_)));
        assert_eq!(open(Some("other")).unwrap_err().to_string(), "key file k: the passphrase is wrong");
        let failure = open(None).unwrap_err();
        assert_eq!(failure.exit, Exit::OWN_CERTIFICATE);
        assert!(failure.hint.unwrap().contains("--pass-file"));
    }

    #[test]
    fn what_is_no_key_is_named_in_one_line() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for (content, why) in [
            ("", "it is empty"),
            ("hello", "it holds no private key: neither PEM nor DER of one"),
            (
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
                "it holds no private key, only: CERTIFICATE",
            ),
            (old, "it is encrypted in a way that is no longer safe (Proc-Type: 4,ENCRYPTED)"),
        ] {
            let failure = KeyFile::of("k", content.as_bytes()).err().unwrap();
            assert_eq!((failure.exit, failure.why.as_str()), (Exit::OWN_CERTIFICATE, why));
        }
    }
}
