//! What is known about one handshake, also after it has failed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CommonState, Error, HandshakeKind};

use super::explanation::{self, Offer, Telling};
use super::seen::{Lane, Lanes, Seen, Shared};
use super::trust::Anchors;
use super::{
    Basis, Enforcement, Refusal, Rule, UnknownStatus, Verdict, cipher_name, group_name, version_name,
};
use crate::certificate::Der;
use crate::error::Failure;

/// Watches one handshake. It must be kept until the handshake is over: after that, the configuration it watches may
/// serve another.
pub struct Inspection {
    seen: Shared,
    offer: Arc<Offer>,
    terms: Terms,
    end: Option<Box<dyn FnOnce() + Send>>,
}

/// Whether revocation is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationCheck {
    /// It is not.
    #[default]
    NotAsked,
    /// A list must speak of every certificate.
    Strict,
    /// Certificates of which no list speaks are let through.
    Soft,
}

/// What a peer is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where the authorities come from: `system`, `file:ca.pem`; empty where there are none.
    pub trust: String,
    /// How many authorities there are.
    pub roots: usize,
    /// The name that a server must have.
    pub wanted: Option<String>,
    /// The name that a client sends (SNI).
    pub sni: Option<String>,
    /// Whether revocation is looked at.
    pub revocation: RevocationCheck,
    /// Whether the verdict is carried out.
    pub enforcement: Enforcement,
    /// The time to judge by; now where it is not given.
    pub at: Option<SystemTime>,
}

impl Terms {
    pub(super) fn of(anchors: &Anchors, unknown: UnknownStatus) -> Terms {
        let revocation = match (anchors.crls.is_empty(), unknown) {
            (true, _) => RevocationCheck::NotAsked,
            (false, UnknownStatus::Refused) => RevocationCheck::Strict,
            (false, UnknownStatus::Allowed) => RevocationCheck::Soft,
        };
        let (trust, roots) = (anchors.source.clone(), anchors.roots.len());
        Terms { trust, roots, revocation, ..Terms::default() }
    }
}

/// What both ends have agreed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Negotiated {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The registered name of the cipher suite.
    pub cipher: String,
    /// That of the group; none in a resumed session of TLS 1.2.
    pub group: Option<String>,
    /// The application protocol, as bytes.
    pub alpn: Option<Vec<u8>>,
    /// How the handshake went.
    pub handshake: HandshakeKind,
}

impl Negotiated {
    /// What a connection has agreed on; none before its handshake is over.
    pub fn of(connection: &CommonState) -> Option<Negotiated> {
        Some(Negotiated {
            version: version_name(connection.protocol_version()?),
            cipher: cipher_name(connection.negotiated_cipher_suite()?.suite()),
            group: connection.negotiated_key_exchange_group().map(|group| group_name(group.name())),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            handshake: connection.handshake_kind()?,
        })
    }

    /// Whether the key exchange resists quantum computers: a group with ML-KEM in it (FIPS 203).
    pub fn is_post_quantum(&self) -> bool {
        self.group.as_deref().is_some_and(|group| group.contains("MLKEM"))
    }
}

impl Inspection {
    pub(super) fn of<C: Send + Sync + 'static>(
        lane: Lane<C>,
        lanes: Arc<Lanes<C>>,
        offer: Arc<Offer>,
        terms: Terms,
    ) -> Inspection {
        let seen = lane.seen.clone();
        Inspection { seen, offer, terms, end: Some(Box::new(move || lanes.give_back(lane))) }
    }

    /// What the peer is judged by.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What the handshake has shown so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// A client's, to be told once the handshake is over: in a resumed session rustls verifies nothing, and what the
    /// first handshake has shown was judged again when this one began.
    pub fn settle(&self, connection: &CommonState) {
        if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
            self.seen.resume(connection.peer_certificates().unwrap_or_default());
        }
    }

    /// A server's: what it has found, after the handshake, about a client that presented this chain.
    pub(super) fn admits(&self, chain: &[Der], found: &Result<&Rule, Refusal>) {
        let mut seen = self.seen.lock();
        seen.chain = chain.to_vec();
        (seen.verdict, seen.rule) = match found {
            Ok(rule) => (Verdict::Trusted(Basis::Authority), Some((*rule).clone())),
            Err(refusal) => (Verdict::Refused(refusal.clone()), None),
        };
    }

    /// Why it failed, in words, with the status that stands for it: 35, 58, 60 or 90. `peer` is how the other end is
    /// called, `first` the first bytes that came from it.
    pub fn explain(&self, error: &Error, peer: &str, first: &[u8]) -> Failure {
        let seen = self.seen.lock();
        explanation::failure(
            error,
            &Telling { peer, offer: &self.offer, sni: self.terms.sni.as_deref(), seen: &seen, first },
        )
    }

    /// A record to send in the place of the alert that rustls has for us: for an unknown name under `strict-sni` it
    /// knows only access_denied, RFC 6066 wants unrecognized_name. Nothing is encrypted at that point.
    pub fn alert_instead(&self) -> Option<[u8; 7]> {
        const ALERT: u8 = 21;
        const FATAL: u8 = 2;
        let is_name_unknown = self.seen.lock().is_name_unknown;
        is_name_unknown.then(|| [ALERT, 3, 3, 0, 2, FATAL, u8::from(AlertDescription::UnrecognisedName)])
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

pub(super) fn system_time(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}
