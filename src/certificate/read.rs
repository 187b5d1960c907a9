//! Certificates and revocation lists out of files: PEM or DER, one or many.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::der_parser::asn1_rs::Any;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::{Der, file, pem};
use crate::error::{Exit, Failure};

/// The labels of a certificate; the second is an old one.
pub const CERTIFICATE: [&str; 2] = ["CERTIFICATE", "X509 CERTIFICATE"];
/// The label of a revocation list.
pub const CRL: [&str; 1] = ["X509 CRL"];

/// The certificates of a file in their order, PEM (other blocks are passed over) or DER: one's own certificate, then
/// what leads to its authority. Status 58 where there is none or one that is no X.509.
pub fn read_chain(path: &Path) -> Result<Vec<Der>, Failure> {
    let fail = |why: Why| why.failure(Exit::OWN_CERTIFICATE, format!("certificate file {}", path.display()));
    let content = file::read(path, file::LIMIT).map_err(Why::plain).map_err(fail)?;
    chain(&content).map_err(fail)
}

/// The certificates of a file to be trusted, or of all files of a directory. Status 77 where it cannot be read, is
/// no PEM or DER, or has no certificate at all; single ones that are no X.509 stay in, for the count of what was
/// passed over.
pub fn read_authorities(path: &Path) -> Result<Vec<Der>, Failure> {
    let kind = if path.is_dir() { "directory" } else { "file" };
    let fail = |why: Why| why.failure(Exit::AUTHORITY, format!("CA {kind} {}", path.display()));
    let found = match path.is_dir() {
        true => directory(path).map_err(Why::plain).map_err(fail)?,
        false => {
            let content = file::read(path, file::LIMIT).map_err(Why::plain).map_err(fail)?;
            objects(&content, &CERTIFICATE, "certificate").map_err(fail)?
        }
    };
    let found: Vec<Der> = found.into_iter().map(CertificateDer::from).collect();
    match found.iter().any(|der| is_certificate(der)) {
        true => Ok(found),
        false => Err(fail(Why::plain("it holds no certificate"))),
    }
}

/// The revocation lists of a file. Status 77 where there is none or one that is no X.509.
pub fn read_crls(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Failure> {
    let fail = |why: Why| why.failure(Exit::AUTHORITY, format!("CRL file {}", path.display()));
    let content = file::read(path, file::CRL_LIMIT).map_err(Why::plain).map_err(fail)?;
    let found = objects(&content, &CRL, "revocation list").map_err(fail)?;
    match found.iter().position(|der| !is_crl(der)) {
        Some(at) => Err(fail(Why::plain(format!("its revocation list {} cannot be decoded", at + 1)))),
        None => Ok(found.into_iter().map(CertificateRevocationListDer::from).collect()),
    }
}

/// A chain out of the content of a file; each must be X.509.
pub fn chain(content: &[u8]) -> Result<Vec<Der>, Why> {
    let found = objects(content, &CERTIFICATE, "certificate")?;
    match found.iter().position(|der| !is_certificate(der)) {
        Some(at) => Err(Why::plain(format!("its certificate {} cannot be decoded", at + 1))),
        None => Ok(found.into_iter().map(CertificateDer::from).collect()),
    }
}

/// Why a file is of no use, and what could be done about it.
#[derive(Debug)]
pub struct Why {
    text: String,
    hint: Option<&'static str>,
}

impl Why {
    /// A reason without a hint.
    pub fn plain(text: impl Into<String>) -> Why {
        Why { text: text.into(), hint: None }
    }

    /// The failure of which this is the reason.
    pub fn failure(self, exit: Exit, what: String) -> Failure {
        let failure = Failure::new(exit, what, self.text);
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The objects with one of these labels, never none; DER is taken for one of them.
fn objects(content: &[u8], labels: &[&str], noun: &str) -> Result<Vec<Vec<u8>>, Why> {
    if content.is_empty() {
        return Err(Why::plain("it is empty"));
    }
    if is_pkcs12(content) {
        return Err(Why { text: PKCS12.to_owned(), hint: Some(FROM_PKCS12) });
    }
    if !pem::is_pem(content) {
        return match content.first() {
            Some(0x30) => Ok(vec![content.to_vec()]),
            _ => Err(Why::plain("it is neither PEM nor DER")),
        };
    }
    let blocks = pem::blocks(content).map_err(Why::plain)?;
    let wanted = blocks.iter().filter(|block| labels.contains(&block.label));
    let found: Result<Vec<_>, String> = wanted.map(|block| Ok(block.der()?.to_vec())).collect();
    let found = found.map_err(Why::plain)?;
    match found.is_empty() {
        true => Err(none(&blocks, noun)),
        false => Ok(found),
    }
}

/// What is said of a PKCS#12 file.
pub const PKCS12: &str = "it is a PKCS#12 file";
/// What can be done about it.
pub const FROM_PKCS12: &str = "openssl pkcs12 -in FILE -nodes -out NEW gives the certificates and the key";

/// PFX of RFC 7292: a sequence that opens with version 3 and another sequence.
pub fn is_pkcs12(content: &[u8]) -> bool {
    Any::from_der(content).is_ok_and(|(_, any)| any.data.starts_with(&[0x02, 0x01, 0x03, 0x30]))
}

/// There is none among these blocks.
fn none(blocks: &[pem::Block<'_>], noun: &str) -> Why {
    let labels: Vec<String> = blocks.iter().take(3).map(|block| super::escaped(block.label)).collect();
    let hint = blocks.iter().find_map(|block| match block.label {
        "PKCS7" | "CMS" => Some("openssl pkcs7 -print_certs -in FILE -out NEW gives the certificates"),
        "TRUSTED CERTIFICATE" => Some("openssl x509 -in FILE -out NEW gives the certificate"),
        _ => None,
    });
    Why { text: format!("it holds no {noun}, only: {}", labels.join(", ")), hint }
}

/// All certificates of the files in a directory; files that hold none are passed over, as c_rehash(1) does.
fn directory(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let entries = fs::read_dir(path).map_err(|why| why.to_string())?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let content = file::read(&file, file::LIMIT).ok();
        found.extend(
            content
                .and_then(|content| objects(&content, &CERTIFICATE, "certificate").ok())
                .unwrap_or_default(),
        );
    }
    // c_rehash(1) makes links by hash beside the files.
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_certificate(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty())
}

fn is_crl(der: &[u8]) -> bool {
    CertificateRevocationList::from_der(der).is_ok_and(|(rest, _)| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str) -> rcgen::Certificate {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap()
    }

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, content).unwrap();
        file
    }

    #[test]
    fn chains_are_read_from_pem_and_der() {
        let (one, two) = (certificate("one"), certificate("two"));
        let key = "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n";
        let both = file(format!("{}{key}{}", one.pem(), two.pem()).as_bytes());
        assert_eq!(read_chain(both.path()).unwrap(), [one.der().clone(), two.der().clone()]);
        assert_eq!(read_chain(file(one.der()).path()).unwrap(), [one.der().clone()]);
    }

    #[test]
    fn what_is_no_certificate_is_named_in_one_line() {
        let pem = certificate("one").pem();
        let cut = &pem[..pem.len() / 2];
        let broken = pem.replacen("MII", "???", 1);
        for (content, why) in [
            (&b""[..], "it is empty"),
            (b"\x30\x82rubbish", "its certificate 1 cannot be decoded"),
            (b"hello", "it is neither PEM nor DER"),
            (cut.as_bytes(), "it is cut: the 'CERTIFICATE' has no end"),
            (broken.as_bytes(), "its 'CERTIFICATE' is no base64"),
            (b"-----BEGIN X-----\n-----END X-----\n", "it holds no certificate, only: X"),
        ] {
            let failure = read_chain(file(content).path()).unwrap_err();
            assert_eq!((failure.exit, failure.why.as_str()), (Exit::OWN_CERTIFICATE, why));
            assert_eq!(read_authorities(file(content).path()).unwrap_err().exit, Exit::AUTHORITY);
        }
        let zero = read_chain(Path::new("/dev/zero")).unwrap_err();
        assert!(zero.why.starts_with("it is larger than 4 MiB"), "{zero}");
    }

    #[test]
    fn authorities_of_a_directory_are_read_once_each() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_authorities(dir.path()).unwrap_err().exit, Exit::AUTHORITY);
        fs::write(dir.path().join("a.pem"), certificate("a").pem()).unwrap();
        fs::write(dir.path().join("README"), "nothing").unwrap();
        std::os::unix::fs::symlink("a.pem", dir.path().join("9d66eef0.0")).unwrap();
        assert_eq!(read_authorities(dir.path()).unwrap().len(), 1);
    }
}
