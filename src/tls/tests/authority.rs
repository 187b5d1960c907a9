//! Certificates for tests, in files of a temporary directory: authorities, and what they sign.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, SignatureAlgorithm,
};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::tls::IdentityFiles;

/// An authority with its own directory.
pub struct Authority {
    pub directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
    serial: std::cell::Cell<u64>,
}

/// What a certificate says; `leaf(names)` is a server's of today.
pub struct Leaf {
    pub parameters: CertificateParams,
    pub algorithm: &'static SignatureAlgorithm,
}

pub fn leaf(names: &[&str]) -> Leaf {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name = subject("leaf");
    parameters.not_before = day(-10);
    parameters.not_after = day(10);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    Leaf { parameters, algorithm: &rcgen::PKCS_ECDSA_P256_SHA256 }
}

impl Leaf {
    pub fn for_client(mut self) -> Leaf {
        self.parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    pub fn between(mut self, first: i64, last: i64) -> Leaf {
        (self.parameters.not_before, self.parameters.not_after) = (day(first), day(last));
        self
    }

    pub fn named(mut self, kind: DnType, value: &str) -> Leaf {
        self.parameters.distinguished_name.push(kind, value);
        self
    }

    pub fn with_uri(mut self, uri: &str) -> Leaf {
        self.parameters.subject_alt_names.push(SanType::URI(uri.try_into().expect("ASCII")));
        self
    }

    pub fn with_key(mut self, algorithm: &'static SignatureAlgorithm) -> Leaf {
        self.algorithm = algorithm;
        self
    }
}

/// Midnight would make tests of dates depend on the hour; these are whole days from now.
pub fn day(offset: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::days(offset)
}

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.distinguished_name = subject(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.not_before = day(-100);
        parameters.not_after = day(100);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("an authority");
        let directory = tempfile::tempdir().expect("a directory");
        write(&directory.path().join("ca.pem"), &certificate.pem());
        Authority { directory, issuer: Issuer::new(parameters, key), serial: 1.into() }
    }

    pub fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub fn key(&self) -> &KeyPair {
        self.issuer.key()
    }

    fn next_serial(&self) -> SerialNumber {
        self.serial.set(self.serial.get() + 1);
        SerialNumber::from(self.serial.get())
    }

    /// Signs, and writes certificate and key into one file.
    pub fn sign(&self, file: &str, mut leaf: Leaf) -> IdentityFiles {
        leaf.parameters.serial_number = Some(self.next_serial());
        let key = match leaf.algorithm == &rcgen::PKCS_RSA_SHA256 {
            true => KeyPair::generate_rsa_for(leaf.algorithm, rcgen::RsaKeySize::_2048),
            false => KeyPair::generate_for(leaf.algorithm),
        };
        let key = key.expect("a key");
        let certificate = leaf.parameters.signed_by(&key, &self.issuer).expect("a certificate");
        self.store(file, &[certificate.pem(), key.serialize_pem()].concat())
    }

    /// An intermediate authority; its certificate is written into `file`.
    pub fn intermediate(&self, name: &str) -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.distinguished_name = subject(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.serial_number = Some(self.next_serial());
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("an intermediate");
        let directory = tempfile::tempdir().expect("a directory");
        write(&directory.path().join("ca.pem"), &certificate.pem());
        Authority { directory, issuer: Issuer::new(parameters, key), serial: 1.into() }
    }

    /// A certificate that is signed by its own key, CA or not.
    pub fn self_signed(&self, file: &str, is_ca: bool, leaf: Leaf) -> IdentityFiles {
        self.self_signed_with(file, is_ca, leaf, &KeyPair::generate().expect("a key"))
    }

    pub fn self_signed_with(&self, file: &str, is_ca: bool, mut leaf: Leaf, key: &KeyPair) -> IdentityFiles {
        leaf.parameters.serial_number = Some(self.next_serial());
        if is_ca {
            leaf.parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            leaf.parameters.extended_key_usages.clear();
            leaf.parameters.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }
        let certificate = leaf.parameters.self_signed(key).expect("a certificate");
        self.store(file, &[certificate.pem(), key.serialize_pem()].concat())
    }

    pub fn store(&self, file: &str, text: &str) -> IdentityFiles {
        let certificate = self.directory.path().join(file);
        write(&certificate, text);
        IdentityFiles { certificate, ..IdentityFiles::default() }
    }

    /// A list that takes back these serials, good for so many days.
    pub fn revoke(&self, serials: &[u64], next_update: i64) -> PathBuf {
        self.revoke_until(serials, day(next_update))
    }

    /// The same, good until then.
    pub fn revoke_until(&self, serials: &[u64], next_update: OffsetDateTime) -> PathBuf {
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: day(-2),
            reason_code: Some(rcgen::RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: day(-3),
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let path = self.directory.path().join("crl.pem");
        write(&path, &list.signed_by(&self.issuer).expect("a list").pem().expect("PEM"));
        path
    }

    /// The serial that was given last.
    pub fn last_serial(&self) -> u64 {
        self.serial.get()
    }
}

/// The text of a file.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

/// So long ago.
pub fn ago(days: u64) -> std::time::SystemTime {
    std::time::SystemTime::now() - Duration::from_secs(days * 86_400)
}
