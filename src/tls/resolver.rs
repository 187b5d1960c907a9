//! Which certificate is presented: a server's by name and kind of key, a client's when it is asked for one.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureScheme};

use super::seen::{CertificateRequest, Hello, Shared};

/// What becomes of a client that asks for a name of which there is no certificate, or for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownName {
    /// It gets the first certificate.
    #[default]
    First,
    /// It gets the alert unrecognized_name (`strict-sni`).
    Refused,
}

/// The certificates of a server.
#[derive(Debug)]
pub(super) struct Certificates {
    /// For clients that ask for no name, or one that is not known; and for the names they are for.
    pub(super) default: Vec<Arc<CertifiedKey>>,
    /// For certain names, in lower case; `*.example.org` stands for one label.
    pub(super) by_name: HashMap<String, Vec<Arc<CertifiedKey>>>,
    pub(super) unknown: UnknownName,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Certificates {
    fn choose(&self, hello: &ClientHello<'_>) -> Choice<'_> {
        let wanted = hello.server_name().map(str::to_ascii_lowercase);
        let named = wanted.as_deref().map(|name| self.for_name(name)).unwrap_or_default();
        let candidates: Vec<_> = match (named.is_empty(), self.unknown) {
            (false, _) => named,
            (true, UnknownName::First) => self.default.iter().collect(),
            (true, UnknownName::Refused) => return Choice::NameUnknown,
        };
        match candidates.iter().find(|certified| self.is_usable(certified, hello)) {
            Some(certified) => Choice::Certificate(certified),
            // rustls then says what is not in common.
            None => candidates.first().map_or(Choice::NameUnknown, |first| Choice::Certificate(first)),
        }
    }

    fn for_name(&self, name: &str) -> Vec<&Arc<CertifiedKey>> {
        let wildcard = name.split_once('.').map(|(_, domain)| format!("*.{domain}"));
        let given = self.by_name.get(name).or_else(|| self.by_name.get(&wildcard?));
        match given {
            Some(given) => given.iter().collect(),
            None => self.default.iter().filter(|certified| is_for(certified, name)).collect(),
        }
    }

    /// Whether the client can check this kind of key: the first certificate wins, if it can (RSA beside ECDSA).
    fn is_usable(&self, certified: &CertifiedKey, hello: &ClientHello<'_>) -> bool {
        let algorithm = certified.key.algorithm();
        let offered = hello.cipher_suites();
        let in_common = |suite: CipherSuite| offered.contains(&suite);
        certified.key.choose_scheme(hello.signature_schemes()).is_some()
            && self
                .provider
                .cipher_suites
                .iter()
                .any(|suite| in_common(suite.suite()) && suite.usable_for_signature_algorithm(algorithm))
    }
}

enum Choice<'a> {
    Certificate(&'a Arc<CertifiedKey>),
    NameUnknown,
}

fn is_for(certified: &CertifiedKey, name: &str) -> bool {
    let leaf = certified.end_entity_cert().and_then(ParsedCertificate::try_from);
    let name = ServerName::try_from(name).ok();
    leaf.ok().zip(name).is_some_and(|(leaf, name)| rustls::client::verify_server_name(&leaf, &name).is_ok())
}

/// The certificates at work in one lane.
#[derive(Debug)]
pub(super) struct ServerResolver {
    pub(super) certificates: Arc<Certificates>,
    pub(super) seen: Shared,
}

impl ResolvesServerCert for ServerResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let choice = self.certificates.choose(&hello);
        let mut seen = self.seen.lock();
        seen.hello = Some(Hello {
            server_name: hello.server_name().map(str::to_owned),
            alpn: hello.alpn().map(|names| names.map(<[u8]>::to_vec).collect()).unwrap_or_default(),
            groups: hello.named_groups().map(<[_]>::to_vec).unwrap_or_default(),
            ciphers: hello.cipher_suites().to_vec(),
            signatures: hello.signature_schemes().to_vec(),
        });
        match choice {
            Choice::Certificate(certified) => Some(certified.clone()),
            Choice::NameUnknown => {
                seen.is_name_unknown = true;
                None
            }
        }
    }
}

/// A client's certificate at work in one lane. It is sent to whoever asks: a server's list of authorities is a hint
/// that many leave incomplete.
#[derive(Debug)]
pub(super) struct ClientResolver {
    pub(super) identity: Option<Arc<CertifiedKey>>,
    pub(super) seen: Shared,
}

impl ResolvesClientCert for ClientResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let identity = self
            .identity
            .as_ref()
            .filter(|certified| certified.key.choose_scheme(schemes).is_some())
            .cloned();
        self.seen.lock().request = Some(CertificateRequest {
            issuers: issuers.iter().map(|name| name.to_vec()).collect(),
            is_answered: identity.is_some(),
        });
        identity
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
