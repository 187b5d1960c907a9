//! What a handshake has shown, kept also when it fails; and the lanes, by which handshakes share configurations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::ServerName;
use rustls::{CipherSuite, NamedGroup, SignatureScheme};

use super::{Rule, Verdict};
use crate::certificate::Der;

/// What one handshake has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The peer's certificates in the order it sent them.
    pub chain: Vec<Der>,
    /// The stapled OCSP response, DER; empty if there was none.
    pub staple: Vec<u8>,
    /// What has become of them.
    pub verdict: Verdict,
    /// A client's: that the server asked for a certificate.
    pub request: Option<CertificateRequest>,
    /// A server's: what the client offered.
    pub hello: Option<Hello>,
    /// A server's: the rule that let the client in.
    pub rule: Option<Rule>,
    /// A server's: it has no certificate for the name that the client asked for.
    pub is_name_unknown: bool,
    /// What was judged in the handshake before, which a resumed session rests on.
    pub(super) before: Option<Box<Judged>>,
}

/// What a client keeps of a handshake for those that resume it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    chain: Vec<Der>,
    staple: Vec<u8>,
    verdict: Verdict,
}

impl Seen {
    /// A resumed session is judged by the handshake that it resumes.
    pub(super) fn resume(&mut self) {
        if let Some(before) = self.before.take() {
            (self.chain, self.staple, self.verdict) = (before.chain, before.staple, before.verdict);
        }
    }
}

/// What a server that asks for a client certificate has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The authorities it accepts, as distinguished names in DER; empty means that it does not say.
    pub issuers: Vec<Vec<u8>>,
    /// Whether we have a certificate to answer with.
    pub is_answered: bool,
}

/// What a client offers in its ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The name it asks for (SNI).
    pub server_name: Option<String>,
    /// Application protocols, as bytes.
    pub alpn: Vec<Vec<u8>>,
    /// Key exchange groups in its order.
    pub groups: Vec<NamedGroup>,
    /// Cipher suites in its order.
    pub ciphers: Vec<CipherSuite>,
    /// Signature schemes in its order.
    pub signatures: Vec<SignatureScheme>,
}

/// `Seen` as the verifier, the resolver and the inspection of one handshake share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    /// A panic of another holder cannot leave it half written: every change is one assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A configuration whose verifier and resolver tell one handshake at a time what they see. rustls resumes a session
/// only with the very verifier that judged it, so configurations are kept and used again, not made for each session.
#[derive(Debug)]
pub(super) struct Lane<C> {
    pub(super) config: Arc<C>,
    pub(super) seen: Shared,
    /// A client's: the name it verifies. Sessions of another name must not be resumed: it was never checked.
    pub(super) wanted: Option<ServerName<'static>>,
}

impl<C> Lane<C> {
    /// Forgets what the last handshake has shown, but for what a resumed session rests on.
    pub(super) fn begin(&self) {
        let mut seen = self.seen.lock();
        let Seen { chain, staple, verdict, before, .. } = std::mem::take(&mut *seen);
        seen.before = match verdict {
            Verdict::NotJudged => before,
            verdict => Some(Box::new(Judged { chain, staple, verdict })),
        };
    }
}

/// Lanes that no handshake uses.
#[derive(Debug)]
pub(super) struct Lanes<C>(Mutex<Vec<Lane<C>>>);

/// More than this many handshakes at once are rare; lanes beyond are made anew.
const MOST_IDLE: usize = 64;

impl<C> Lanes<C> {
    pub(super) fn new() -> Arc<Lanes<C>> {
        Arc::new(Lanes(Mutex::new(Vec::new())))
    }

    /// The lane that was used last for this name.
    pub(super) fn take(&self, wanted: Option<&ServerName<'static>>) -> Option<Lane<C>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|lane| lane.wanted.as_ref() == wanted)?;
        Some(idle.remove(at))
    }

    pub(super) fn give_back(&self, lane: Lane<C>) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(lane);
        }
    }
}
