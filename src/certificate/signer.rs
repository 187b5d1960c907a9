//! Keys that sign: made anew, or out of a file.

use aws_lc_rs::signature::{KeyPair as _, PqdsaKeyPair, PqdsaSigningAlgorithm};
use aws_lc_rs::signature::{ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING};
use pkcs8::pkcs5::pbes2;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SignatureAlgorithm, SigningKey};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use rcgen::{PKCS_ML_DSA_44, PKCS_ML_DSA_65, PKCS_ML_DSA_87};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::{Zeroize, Zeroizing};

use super::facts::key_text;
use super::{Key, Passphrase, pem};
use crate::error::Failure;

/// Rounds of PBKDF2-HMAC-SHA256 for the keys that are written (OWASP's number).
const ROUNDS: u32 = 600_000;

/// The kinds of keys that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Elliptic curve NIST P-256.
    P256,
    /// Elliptic curve NIST P-384.
    P384,
    /// Edwards curve 25519.
    Ed25519,
    /// RSA with 3072 bits.
    Rsa3072,
    /// ML-DSA-65, safe from quantum computers; OpenSSL knows it from 3.5 on.
    MlDsa65,
}

/// A private key that can sign.
pub enum Signer {
    /// What rcgen reads by itself.
    Classic(KeyPair),
    /// ML-DSA, which rcgen makes but does not read.
    MlDsa(PqdsaKeyPair, &'static SignatureAlgorithm),
}

const ML_DSA: [(&PqdsaSigningAlgorithm, &SignatureAlgorithm); 3] = [
    (&ML_DSA_44_SIGNING, &PKCS_ML_DSA_44),
    (&ML_DSA_65_SIGNING, &PKCS_ML_DSA_65),
    (&ML_DSA_87_SIGNING, &PKCS_ML_DSA_87),
];

impl Signer {
    /// A new key.
    pub fn generate(kind: KeyType) -> Result<Signer, Failure> {
        let pair = match kind {
            KeyType::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            KeyType::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            KeyType::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
            KeyType::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
            KeyType::MlDsa65 => KeyPair::generate_for(&PKCS_ML_DSA_65),
        };
        pair.map(Signer::Classic).map_err(|_| Failure::other("cannot make a key", "the generator failed"))
    }

    /// A key out of a file; in words why it cannot sign.
    pub fn of(key: &PrivateKeyDer<'_>) -> Result<Signer, &'static str> {
        if let Ok(pair) = KeyPair::try_from(key) {
            return Ok(Signer::Classic(pair));
        }
        let of_kind = |(kind, algorithm): (&'static PqdsaSigningAlgorithm, &'static SignatureAlgorithm)| {
            Some(Signer::MlDsa(PqdsaKeyPair::from_pkcs8(kind, key.secret_der()).ok()?, algorithm))
        };
        ML_DSA.into_iter().find_map(of_kind).ok_or(
            "it is broken, too small or of a kind that is not known here (RSA from 2048 bits on, P-256, P-384, \
             P-521, Ed25519 and ML-DSA are)",
        )
    }

    /// The key as it is, in DER; none where it is not whole.
    pub fn key(&self) -> Option<Key> {
        let der = self.der()?;
        Some(Zeroizing::new(PrivatePkcs8KeyDer::from(der.to_vec()).into()))
    }

    /// The key as PKCS#8 in PEM; with a passphrase, encrypted by PBES2 (PBKDF2 and AES-256-CBC).
    pub fn pem(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>, Failure> {
        let fail = |_| Failure::other("cannot write a key", "its encryption failed");
        let der = self.der().ok_or_else(|| Failure::other("cannot write a key", "it is not whole"))?;
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(fail)?;
        // Version 1, without the public key: OpenSSL 3.0 reads no other.
        let info = PrivateKeyInfoRef::new(info.algorithm, info.private_key);
        let Some(passphrase) = passphrase else {
            let plain = SecretDocument::try_from(info).map_err(fail)?;
            return Ok(pem::encode("PRIVATE KEY", plain.as_bytes()));
        };
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        fill(&mut salt)?;
        fill(&mut iv)?;
        let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv);
        let parameters = parameters.map_err(|why| fail(pkcs8::Error::EncryptedPrivateKey(why)))?;
        let encrypted = info.encrypt_with_params(parameters, passphrase.bytes()).map_err(fail)?;
        Ok(pem::encode("ENCRYPTED PRIVATE KEY", encrypted.as_bytes()))
    }

    /// The key as PKCS#8.
    fn der(&self) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Signer::Classic(pair) => Some(Zeroizing::new(pair.serialize_der())),
            Signer::MlDsa(pair, _) => Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec())),
        }
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        if let Signer::Classic(pair) = self {
            pair.zeroize();
        }
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Signer::Classic(pair) => pair.der_bytes(),
            Signer::MlDsa(pair, _) => pair.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Signer::Classic(pair) => pair.algorithm(),
            Signer::MlDsa(_, algorithm) => algorithm,
        }
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Signer::Classic(pair) => pair.sign(message),
            Signer::MlDsa(pair, _) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).map_err(|_| rcgen::Error::RemoteKeyError)?;
                Ok(signature)
            }
        }
    }
}

/// How rcgen calls a kind of ML-DSA.
pub fn ml_dsa(kind: &str) -> Option<&'static SignatureAlgorithm> {
    match kind {
        "ml-dsa-44" => Some(&PKCS_ML_DSA_44),
        "ml-dsa-65" => Some(&PKCS_ML_DSA_65),
        "ml-dsa-87" => Some(&PKCS_ML_DSA_87),
        _ => None,
    }
}

/// True where the certificate is for this key.
pub fn belongs(certificate: &[u8], key: &Signer) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, certificate)| {
        certificate.public_key().subject_public_key.data.as_ref() == key.der_bytes()
    })
}

/// The kind of a key, as `Facts` tells it of a certificate's.
pub fn kind_of(key: &Signer) -> String {
    let info = key.subject_public_key_info();
    SubjectPublicKeyInfo::from_der(&info).map_or_else(|_| "unknown".to_owned(), |(_, info)| key_text(&info))
}

/// Random bytes, not to be guessed.
pub fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| Failure::other("no random numbers", "the generator failed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::KeyFile;

    #[test]
    fn every_kind_of_key_is_written_and_read_again() {
        for kind in [KeyType::P256, KeyType::P384, KeyType::Ed25519, KeyType::Rsa3072, KeyType::MlDsa65] {
            let made = Signer::generate(kind).unwrap();
            let pem = made.pem(None).unwrap();
            let read = KeyFile::of("k", pem.as_bytes()).unwrap().open(None).unwrap();
            let read = Signer::of(&read).unwrap();
            assert_eq!(read.der_bytes(), made.der_bytes(), "{kind:?}");
            assert_eq!(*read.pem(None).unwrap(), *pem, "{kind:?}");
            assert!(!read.sign(b"message").unwrap().is_empty());
        }
    }

    #[test]
    fn an_encrypted_key_is_opened_by_its_passphrase_alone() {
        let made = Signer::generate(KeyType::P256).unwrap();
        let secret = Passphrase::first_line(b"secret");
        let pem = made.pem(Some(&secret)).unwrap();
        let file = KeyFile::of("k", pem.as_bytes()).unwrap();
        assert!(file.is_encrypted());
        let read = file.open(Some(&secret)).unwrap();
        assert_eq!(Signer::of(&read).unwrap().der_bytes(), made.der_bytes());
    }
}
