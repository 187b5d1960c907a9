//! A TLS server: settings, read and checked once, then a handshake for each connection.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::UnixTime;
use rustls::server::{NoServerSessionStorage, UnbufferedServerConnection};
use rustls::sign::CertifiedKey;
use rustls::{CommonState, HandshakeKind, ServerConfig};

use super::client_verifier::{ClientJudge, ClientVerifier};
use super::explanation::{Offer, Role};
use super::keylog::KeyLog;
use super::provider::Cryptography;
use super::resolver::{Certificates, ServerResolver};
use super::seen::{Lane, Lanes, Shared};
use super::{
    IdentityFiles, Inspection, Permissions, Pin, Protocol, Revocation, Rule, UnknownName, provider,
    self_signed,
};
use crate::certificate;
use crate::error::{Exit, Failure};

/// Whether clients must have a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// They must.
    #[default]
    Required,
    /// They may come without one; a bad one is refused all the same.
    Optional,
}

/// How clients are judged.
#[derive(Clone, Debug, Default)]
pub struct ClientAuthentication {
    /// Files or directories of the authorities of clients.
    pub authorities: Vec<PathBuf>,
    /// Whether they must have a certificate.
    pub presence: Presence,
    /// Who is let in: any of these rules is enough, and there must be one.
    pub rules: Vec<Rule>,
    /// Revocation lists.
    pub revocation: Revocation,
    /// The time to judge by; now where it is not given.
    pub at: Option<SystemTime>,
}

/// How sessions are resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tickets {
    /// The client keeps the session, sealed with a key that only this server has and that changes every six hours;
    /// so many tickets are sent after a handshake of TLS 1.3.
    Sealed(usize),
    /// Every handshake is a full one.
    None,
}

impl Default for Tickets {
    fn default() -> Tickets {
        Tickets::Sealed(2)
    }
}

/// All that can be said about a server.
#[derive(Clone, Debug, Default)]
pub struct ServerSettings {
    /// Its certificates; of several for one name, the first that the client can check is presented.
    pub identities: Vec<IdentityFiles>,
    /// Certificates for certain names only.
    pub by_name: Vec<(String, IdentityFiles)>,
    /// The names of a certificate to be made in memory; an empty list means this machine's own.
    pub self_signed: Option<Vec<String>>,
    /// What becomes of clients that ask for a name that is not known.
    pub unknown_name: UnknownName,
    /// How clients are judged; none are asked for a certificate where this is not given.
    pub client_authentication: Option<ClientAuthentication>,
    /// What becomes of a key file that others can read.
    pub permissions: Permissions,
    /// What is accepted.
    pub protocol: Protocol,
    /// How sessions are resumed.
    pub tickets: Tickets,
    /// Where secrets are logged.
    pub keylog: Option<PathBuf>,
}

impl ServerSettings {
    /// Reads all files and makes new ticket keys, so that a reload ends what an old configuration has promised.
    /// Status 58, 77, 91 for files, 2 for what cannot be meant.
    pub fn build(&self) -> Result<Server, Failure> {
        self.build_with(None)
    }

    /// The files that a server of these settings is made of.
    pub fn files(&self) -> Vec<&Path> {
        let identities = self.identities.iter().chain(self.by_name.iter().map(|(_, files)| files));
        let own = identities.flat_map(|files| {
            let more = [&files.key, &files.pass_file, &files.staple];
            std::iter::once(&files.certificate).chain(more.into_iter().flatten())
        });
        let asked = self.client_authentication.iter();
        let of_clients = asked.flat_map(|asked| asked.authorities.iter().chain(&asked.revocation.files));
        own.chain(of_clients).map(PathBuf::as_path).collect()
    }

    /// `made` is the certificate of an earlier server, where one is to be made: clients have its pin.
    fn build_with(&self, made: Option<Arc<CertifiedKey>>) -> Result<Server, Failure> {
        let cryptography = self.protocol.cryptography()?;
        let mut warnings = Vec::new();
        let made = match (&self.self_signed, made) {
            (Some(names), None) => Some(self_signed::make(names)?),
            (_, made) => made,
        };
        let certificates = self.certificates(&cryptography, made.clone(), &mut warnings)?;
        let judge = match &self.client_authentication {
            Some(asked) => Some(Arc::new(ClientJudge::new(asked.clone(), &cryptography.provider)?)),
            None => None,
        };
        warnings.extend(judge.iter().flat_map(|judge| judge.anchors().warnings.iter().cloned()));
        let keylog = self.keylog.as_deref().map(KeyLog::open).transpose()?.map(Arc::new);
        warnings.extend(self.keylog.iter().map(|file| provider::keylog_warning(file)));
        let sealer = match self.tickets {
            Tickets::Sealed(_) => Some(
                rustls::crypto::aws_lc_rs::Ticketer::new()
                    .map_err(|error| Failure::other("cannot make ticket keys", error))?,
            ),
            Tickets::None => None,
        };
        let offer = Arc::new(Offer::of(Role::Server, &cryptography, &self.protocol));
        let server = Server {
            settings: self.clone(),
            cryptography,
            certificates: Arc::new(certificates),
            made,
            judge,
            sealer,
            keylog,
            offer,
            lanes: Lanes::new(),
            warnings,
        };
        server.lanes.give_back(server.lane()?);
        Ok(server)
    }

    fn certificates(
        &self,
        with: &Cryptography,
        made: Option<Arc<CertifiedKey>>,
        warnings: &mut Vec<String>,
    ) -> Result<Certificates, Failure> {
        let mut default = Vec::new();
        for files in &self.identities {
            let certified = files.read(self.permissions, warnings)?;
            warnings.extend(files.doubt_on_staple(&certified));
            default.push(certified);
        }
        default.extend(made);
        let mut by_name: HashMap<String, Vec<Arc<CertifiedKey>>> = HashMap::new();
        for (name, files) in &self.by_name {
            let certified = files.read(self.permissions, warnings)?;
            warnings.extend(files.doubt_on_staple(&certified));
            let name = idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_ascii_lowercase());
            by_name.entry(name).or_default().push(certified);
        }
        if default.is_empty() && by_name.is_empty() {
            return Err(Failure::usage("a server", "needs a certificate: --cert FILE")
                .hint("--self-signed makes one on the spot, whose pin clients can be given"));
        }
        Ok(Certificates { default, by_name, unknown: self.unknown_name, provider: with.provider.clone() })
    }
}

/// A server, ready to shake hands.
pub struct Server {
    settings: ServerSettings,
    cryptography: Cryptography,
    certificates: Arc<Certificates>,
    made: Option<Arc<CertifiedKey>>,
    judge: Option<Arc<ClientJudge>>,
    sealer: Option<Arc<dyn rustls::server::ProducesTickets>>,
    keylog: Option<Arc<KeyLog>>,
    offer: Arc<Offer>,
    lanes: Arc<Lanes<ServerConfig>>,
    warnings: Vec<String>,
}

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Clients are not asked.
    NotAsked,
    /// It has no certificate, and need not have one.
    Anonymous,
    /// It has one that this rule lets in.
    By(Rule),
}

impl Server {
    /// The same server with all its files read again. What was made for it in memory stays.
    pub fn renewed(&self) -> Result<Server, Failure> {
        self.settings.build_with(self.made.clone())
    }

    /// The files it is made of.
    pub fn files(&self) -> Vec<&Path> {
        self.settings.files()
    }

    /// The certificate that was made for it: DER.
    pub fn made(&self) -> Option<&certificate::Der> {
        self.made.as_ref().and_then(|made| made.cert.first())
    }

    /// What a person should be told before anybody connects, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The certificate that clients see who ask for no name: DER, to be shown or written.
    pub fn certificate(&self) -> Option<&certificate::Der> {
        let named = || self.certificates.by_name.values().flatten().next();
        self.certificates.default.first().or_else(named).and_then(|certified| certified.cert.first())
    }

    /// The pin of its key.
    pub fn pin(&self) -> Option<Pin> {
        self.certificate().and_then(|der| Pin::of(der))
    }

    /// Begins a handshake with a client that has connected.
    pub fn start(&self) -> Result<(UnbufferedServerConnection, Inspection), Failure> {
        let lane = match self.lanes.take(None) {
            Some(lane) => lane,
            None => self.lane()?,
        };
        lane.seen.begin();
        let terms = self.judge.as_ref().map(|judge| judge.terms()).unwrap_or_default();
        let connection = UnbufferedServerConnection::new(lane.config.clone())
            .map_err(|error| Failure::other("cannot begin TLS", error))?;
        Ok((connection, Inspection::of(lane, self.lanes.clone(), self.offer.clone(), terms)))
    }

    /// Who the client is, to be asked after every handshake and before a byte of it is used: a resumed session is not
    /// verified by rustls, so it is judged again here. `watch` is told of it. Status 60 if it is not let in (any more).
    pub fn admit(
        &self,
        connection: &CommonState,
        watch: &Inspection,
        peer: &str,
    ) -> Result<Admission, Failure> {
        let Some(judge) = &self.judge else { return Ok(Admission::NotAsked) };
        let what = || format!("TLS with {peer}");
        match connection.peer_certificates() {
            None | Some([]) if judge.presence() == Presence::Optional => Ok(Admission::Anonymous),
            None | Some([]) => Err(Failure::new(Exit::UNTRUSTED, what(), "it presented no certificate")),
            Some(chain) => {
                let is_resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
                let rule = match (is_resumed, chain.first()) {
                    (false, Some(leaf)) => judge.rule_for(leaf),
                    _ => judge.again(chain, UnixTime::now()),
                };
                watch.admits(chain, &rule);
                rule.map(|rule| Admission::By(rule.clone())).map_err(|refusal| refusal.failure(what()))
            }
        }
    }

    pub(super) fn lane(&self) -> Result<Lane<ServerConfig>, Failure> {
        let seen = Shared::default();
        let resolver = ServerResolver { certificates: self.certificates.clone(), seen: seen.clone() };
        let builder = ServerConfig::builder_with_provider(self.cryptography.provider.clone())
            .with_protocol_versions(&self.cryptography.versions)
            .map_err(|error| Failure::other("cannot set up TLS", error))?;
        let builder = match &self.judge {
            Some(judge) => builder.with_client_cert_verifier(Arc::new(ClientVerifier {
                judge: judge.clone(),
                seen: seen.clone(),
            })),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = self.settings.protocol.alpn_wire();
        // Suites that were asked for have an order; otherwise the client knows best what is quick for it.
        config.ignore_client_order = !self.settings.protocol.ciphers.is_empty();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = match self.settings.tickets {
            Tickets::Sealed(count) => count,
            Tickets::None => 0,
        };
        if let Some(sealer) = &self.sealer {
            config.ticketer = sealer.clone();
        }
        if let Some(keylog) = &self.keylog {
            config.key_log = keylog.clone();
        }
        Ok(Lane { config: Arc::new(config), seen, wanted: None })
    }
}
