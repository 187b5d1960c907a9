//! A TLS client: settings, read and checked once, then a handshake for each connection.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

use super::explanation::{Offer, Role};
use super::keylog::KeyLog;
use super::name::server_name;
use super::provider::Cryptography;
use super::resolver::ClientResolver;
use super::seen::{Lane, Lanes, Shared};
use super::server_verifier::{Judge, ServerVerifier};
use super::{Enforcement, IdentityFiles, Inspection, Permissions, Pinning, Protocol, Terms, Trust, provider};
use crate::error::Failure;

/// The name that is sent in the clear, so that a server of many names can choose its certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sni {
    /// The one that is verified.
    #[default]
    Verified,
    /// Another.
    Name(String),
    /// None.
    Off,
}

/// All that can be said about a client.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// Whom it trusts.
    pub trust: Trust,
    /// Who it is, if a server asks.
    pub identity: Option<IdentityFiles>,
    /// What becomes of a key file that others can read.
    pub permissions: Permissions,
    /// What it offers.
    pub protocol: Protocol,
    /// The name that the server must have, where that is not the host that is connected to.
    pub name: Option<String>,
    /// The name that is sent.
    pub sni: Sni,
    /// Where secrets are logged.
    pub keylog: Option<PathBuf>,
}

/// Sessions with one server that are kept for resumption; each ticket of TLS 1.3 is used once.
const KEPT_SESSIONS: usize = 8;

impl ClientSettings {
    /// Reads all files. Status 58 for our own certificate or key, 77 for authorities and lists, 2 for what cannot be
    /// meant: all before anything is connected.
    pub fn build(&self) -> Result<Client, Failure> {
        let cryptography = self.protocol.cryptography()?;
        let mut warnings = Vec::new();
        let judge = Judge::new(self.trust.clone(), &cryptography.provider)?;
        warnings.extend_from_slice(&judge.anchors().warnings);
        let identity = match &self.identity {
            Some(files) => Some(files.read(self.permissions, &mut warnings)?),
            None => None,
        };
        let sni = match &self.sni {
            Sni::Name(name) => Some(name),
            Sni::Verified | Sni::Off => None,
        };
        for name in self.name.iter().chain(sni) {
            server_name(name)?;
        }
        let keylog = self.keylog.as_deref().map(KeyLog::open).transpose()?.map(Arc::new);
        warnings.extend(self.keylog.iter().map(|file| provider::keylog_warning(file)));
        if self.trust.enforcement == Enforcement::RecordOnly {
            warnings.push(
                "insecure: the server's certificate is not enforced; anybody could be in between".to_owned(),
            );
        }
        let offer = Arc::new(Offer::of(Role::Client, &cryptography, &self.protocol));
        Ok(Client {
            settings: self.clone(),
            cryptography,
            judge: Arc::new(judge),
            identity,
            keylog,
            offer,
            lanes: Lanes::new(),
            warnings,
        })
    }
}

/// A client, ready to shake hands.
pub struct Client {
    settings: ClientSettings,
    cryptography: Cryptography,
    judge: Arc<Judge>,
    identity: Option<Arc<CertifiedKey>>,
    keylog: Option<Arc<KeyLog>>,
    offer: Arc<Offer>,
    lanes: Arc<Lanes<ClientConfig>>,
    warnings: Vec<String>,
}

impl Client {
    /// What a person should be told before anything is connected, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The name that a server must have which is reached as `host`, as certificates write it.
    pub fn wanted(&self, host: &str) -> Result<String, Failure> {
        self.names(host).map(|names| names.wanted.to_str().into_owned())
    }

    /// The name that is sent to it, if any.
    pub fn sni(&self, host: &str) -> Result<Option<String>, Failure> {
        self.names(host).map(|names| names.sent.as_ref().and_then(sni))
    }

    /// Begins a handshake with a server that is reached as `host`, which is the name to verify unless the settings
    /// have one. An empty host, as that of a Unix socket, is a usage failure where a name is needed.
    pub fn start(&self, host: &str) -> Result<(UnbufferedClientConnection, Inspection), Failure> {
        let Names { wanted, sent } = self.names(host)?;
        // A lane with a session whose server would not pass today is left, with all its sessions.
        let used = self.lanes.take(Some(&wanted));
        let used =
            used.filter(|lane| lane.seen.begin_again(|judged| self.judge.still_passes(judged, &wanted)));
        let lane = match used {
            Some(lane) => lane,
            None => self.lane(wanted.clone(), sent.is_some())?,
        };
        let terms = Terms {
            wanted: Some(wanted.to_str().into_owned()),
            sni: sent.as_ref().and_then(sni),
            ..self.judge.terms()
        };
        let connection = UnbufferedClientConnection::new(lane.config.clone(), sent.unwrap_or(wanted))
            .map_err(|error| Failure::other("cannot begin TLS", error))?;
        Ok((connection, Inspection::of(lane, self.lanes.clone(), self.offer.clone(), terms)))
    }

    fn names(&self, host: &str) -> Result<Names, Failure> {
        let wanted = match (&self.settings.name, host) {
            (Some(name), _) => server_name(name)?,
            // The word is for rustls alone: nobody looks at it, and it is not sent.
            (None, "") if self.is_nameless() => {
                let sent = match &self.settings.sni {
                    Sni::Name(name) => Some(server_name(name)?),
                    Sni::Verified | Sni::Off => None,
                };
                return Ok(Names { wanted: server_name("localhost")?, sent });
            }
            (None, "") => {
                return Err(Failure::usage("the server's name", "is not known from its address")
                    .hint("--name NAME says it"));
            }
            (None, host) => server_name(host)?,
        };
        let sent = match &self.settings.sni {
            Sni::Verified => Some(wanted.clone()),
            Sni::Name(name) => Some(server_name(name)?),
            Sni::Off => None,
        };
        Ok(Names { wanted, sent })
    }

    /// Where no name is looked at.
    fn is_nameless(&self) -> bool {
        let trust = self.judge.trust();
        trust.pinning == Pinning::Alone || trust.enforcement == Enforcement::RecordOnly
    }

    pub(super) fn lane(
        &self,
        wanted: ServerName<'static>,
        sends_name: bool,
    ) -> Result<Lane<ClientConfig>, Failure> {
        let seen = Shared::default();
        let verifier =
            ServerVerifier { judge: self.judge.clone(), wanted: wanted.clone(), seen: seen.clone() };
        let resolver = ClientResolver { identity: self.identity.clone(), seen: seen.clone() };
        let mut config = ClientConfig::builder_with_provider(self.cryptography.provider.clone())
            .with_protocol_versions(&self.cryptography.versions)
            .map_err(|error| Failure::other("cannot set up TLS", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = self.settings.protocol.alpn_wire();
        config.enable_sni = sends_name;
        config.resumption = Resumption::in_memory_sessions(KEPT_SESSIONS);
        if let Some(keylog) = &self.keylog {
            config.key_log = keylog.clone();
        }
        Ok(Lane { config: Arc::new(config), seen, wanted: Some(wanted) })
    }
}

/// The name to verify, and the one to send.
struct Names {
    wanted: ServerName<'static>,
    sent: Option<ServerName<'static>>,
}

/// What is sent of a name: never an address (RFC 6066).
fn sni(name: &ServerName<'static>) -> Option<String> {
    match name {
        ServerName::DnsName(name) => Some(name.as_ref().to_owned()),
        _ => None,
    }
}
