//! The cryptography of a session: aws-lc-rs alone, with the versions, suites and groups that were asked for.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, cipher_suite as suite};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{CipherSuite, NamedGroup, SupportedCipherSuite, SupportedProtocolVersion, version};

use crate::error::Failure;
use crate::suggest::nearest;

/// A protocol version; older ones are not safe and not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.2 (RFC 5246), with AEAD suites and ephemeral keys alone.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl Version {
    fn supported(self) -> &'static SupportedProtocolVersion {
        match self {
            Version::Tls12 => &version::TLS12,
            Version::Tls13 => &version::TLS13,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::Tls12 => "1.2",
            Version::Tls13 => "1.3",
        })
    }
}

impl FromStr for Version {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Version, Failure> {
        let lower = text.to_ascii_lowercase();
        match lower.trim_start_matches("tls").trim_start_matches(['v', ' ']) {
            "1.2" => Ok(Version::Tls12),
            "1.3" => Ok(Version::Tls13),
            "1.1" | "1.0" | "1" => Err(Failure::usage(
                format!("TLS version '{text}'"),
                "is not safe and not offered (valid: 1.2, 1.3)",
            )),
            _ => Err(Failure::usage(format!("TLS version '{text}'"), "is unknown (valid: 1.2, 1.3)")),
        }
    }
}

/// A row of the tables below: what may be typed, and what it stands for.
struct Word<T: 'static> {
    /// The registered name, which reports use, too; then other spellings.
    names: &'static [&'static str],
    item: T,
}

/// A key exchange group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(NamedGroup);

/// What `groups` may name, the strongest first; names of the IANA registry "TLS Supported Groups".
static GROUPS: &[Word<&'static dyn SupportedKxGroup>] = &[
    Word { names: &["x25519mlkem768"], item: aws_lc_rs::kx_group::X25519MLKEM768 },
    Word { names: &["secp256r1mlkem768"], item: aws_lc_rs::kx_group::SECP256R1MLKEM768 },
    Word { names: &["x25519"], item: aws_lc_rs::kx_group::X25519 },
    Word { names: &["secp256r1", "p-256", "p256", "prime256v1"], item: aws_lc_rs::kx_group::SECP256R1 },
    Word { names: &["secp384r1", "p-384", "p384"], item: aws_lc_rs::kx_group::SECP384R1 },
    Word { names: &["mlkem768"], item: aws_lc_rs::kx_group::MLKEM768 },
    Word { names: &["mlkem1024"], item: aws_lc_rs::kx_group::MLKEM1024 },
];

impl Group {
    fn supported(self) -> Option<&'static dyn SupportedKxGroup> {
        GROUPS.iter().map(|word| word.item).find(|group| group.name() == self.0)
    }
}

impl FromStr for Group {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Group, Failure> {
        find("group", GROUPS, text).map(|group| Group(group.name()))
    }
}

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cipher(CipherSuite);

/// What `ciphers` may name: the IANA registry's names, then OpenSSL's.
static CIPHERS: &[Word<SupportedCipherSuite>] = &[
    Word { names: &["tls_aes_256_gcm_sha384"], item: suite::TLS13_AES_256_GCM_SHA384 },
    Word { names: &["tls_aes_128_gcm_sha256"], item: suite::TLS13_AES_128_GCM_SHA256 },
    Word { names: &["tls_chacha20_poly1305_sha256"], item: suite::TLS13_CHACHA20_POLY1305_SHA256 },
    Word {
        names: &["tls_ecdhe_ecdsa_with_aes_256_gcm_sha384", "ecdhe-ecdsa-aes256-gcm-sha384"],
        item: suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    },
    Word {
        names: &["tls_ecdhe_ecdsa_with_aes_128_gcm_sha256", "ecdhe-ecdsa-aes128-gcm-sha256"],
        item: suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    },
    Word {
        names: &["tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256", "ecdhe-ecdsa-chacha20-poly1305"],
        item: suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    },
    Word {
        names: &["tls_ecdhe_rsa_with_aes_256_gcm_sha384", "ecdhe-rsa-aes256-gcm-sha384"],
        item: suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    },
    Word {
        names: &["tls_ecdhe_rsa_with_aes_128_gcm_sha256", "ecdhe-rsa-aes128-gcm-sha256"],
        item: suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    },
    Word {
        names: &["tls_ecdhe_rsa_with_chacha20_poly1305_sha256", "ecdhe-rsa-chacha20-poly1305"],
        item: suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    },
];

impl Cipher {
    fn supported(self) -> Option<SupportedCipherSuite> {
        CIPHERS.iter().map(|word| word.item).find(|suite| suite.suite() == self.0)
    }
}

impl FromStr for Cipher {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Cipher, Failure> {
        find("cipher suite", CIPHERS, text).map(|suite| Cipher(suite.suite()))
    }
}

/// The registered name of a suite, as reports and OpenSSL 3 tell it.
pub fn cipher_name(suite: CipherSuite) -> String {
    match CIPHERS.iter().find(|word| word.item.suite() == suite) {
        Some(word) => word.names[0].to_ascii_uppercase(),
        None => match suite {
            CipherSuite::Unknown(number) => format!("{number:#06x}"),
            named => format!("{named:?}").replacen("TLS13_", "TLS_", 1),
        },
    }
}

/// Reads a list of words, separated by `,` or `:`; an empty one is no list.
pub fn list<T: FromStr<Err = Failure>>(text: &str) -> Result<Vec<T>, Failure> {
    text.split([',', ':']).map(|word| word.trim().parse()).collect()
}

fn find<T: Copy>(kind: &str, table: &'static [Word<T>], text: &str) -> Result<T, Failure> {
    let lower = text.to_ascii_lowercase();
    if let Some(word) = table.iter().find(|word| word.names.contains(&lower.as_str())) {
        return Ok(word.item);
    }
    let valid: Vec<&str> = table.iter().map(|word| word.names[0]).collect();
    let failure =
        Failure::usage(format!("{kind} '{text}'"), format!("is unknown (valid: {})", valid.join(", ")));
    let known = table.iter().flat_map(|word| word.names.iter().copied());
    Err(match nearest(text, known) {
        Some(word) => failure.hint(format!("did you mean '{word}'?")),
        None => failure,
    })
}

/// Which versions, suites and groups may be used, and where secrets may be logged.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// The oldest version.
    pub min: Version,
    /// The newest version.
    pub max: Version,
    /// The groups, preferred ones first; empty means the default, a post-quantum hybrid first.
    pub groups: Vec<Group>,
    /// The suites, preferred ones first; empty means all. A version without a suite is not offered.
    pub ciphers: Vec<Cipher>,
    /// Application protocols (RFC 7301), preferred ones first; empty means that none is negotiated.
    pub alpn: Vec<String>,
}

impl Default for Protocol {
    fn default() -> Protocol {
        Protocol {
            min: Version::Tls12,
            max: Version::Tls13,
            groups: Vec::new(),
            ciphers: Vec::new(),
            alpn: Vec::new(),
        }
    }
}

/// What a person is told when secrets are logged.
pub(super) fn keylog_warning(file: &Path) -> String {
    format!("keylog: who reads {} can read the connections", file.display())
}

/// What a `Protocol` comes to.
#[derive(Clone, Debug)]
pub(super) struct Cryptography {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Protocol {
    /// The provider with these suites and groups; a usage failure if nothing is left to offer.
    pub(super) fn cryptography(&self) -> Result<Cryptography, Failure> {
        if self.min > self.max {
            let words = format!("--min {}", self.min);
            return Err(Failure::usage(words, format!("is newer than --max {}", self.max)));
        }
        let mut provider = aws_lc_rs::default_provider();
        if !self.groups.is_empty() {
            provider.kx_groups = self.groups.iter().filter_map(|group| group.supported()).collect();
        }
        if !self.ciphers.is_empty() {
            provider.cipher_suites = self.ciphers.iter().filter_map(|cipher| cipher.supported()).collect();
        }
        let allowed =
            [Version::Tls13, Version::Tls12].into_iter().filter(|v| (self.min..=self.max).contains(v));
        let versions: Vec<_> = allowed.map(Version::supported).collect();
        provider.cipher_suites.retain(|suite| versions.contains(&suite.version()));
        let usable = |version: &&'static SupportedProtocolVersion| {
            provider.cipher_suites.iter().any(|suite| suite.version() == *version)
                && provider.kx_groups.iter().any(|group| group.usable_for_version(version.version))
        };
        let versions: Vec<_> = versions.iter().copied().filter(usable).collect();
        if versions.is_empty() {
            return Err(Failure::usage(
                "the groups and ciphers asked for",
                format!("leave nothing for TLS {} to {}", self.min, self.max),
            ));
        }
        Ok(Cryptography { provider: Arc::new(provider), versions })
    }

    pub(super) fn alpn_wire(&self) -> Vec<Vec<u8>> {
        self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
    }
}

/// `1.2` or `1.3`.
pub fn version_name(version: rustls::ProtocolVersion) -> &'static str {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "1.2",
        rustls::ProtocolVersion::TLSv1_3 => "1.3",
        _ => "?",
    }
}

/// The registered name of a group: `X25519MLKEM768`, `secp256r1`; the number of one that has no name here.
pub fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::Unknown(number) => format!("{number:#06x}"),
        NamedGroup::secp256r1MLKEM768 => "SecP256r1MLKEM768".to_owned(),
        named => format!("{named:?}"),
    }
}
