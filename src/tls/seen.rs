//! What a handshake has shown, kept also when it fails; and the lanes, by which handshakes share configurations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CipherSuite, NamedGroup, SignatureScheme};

use super::{Rule, Stapled, Verdict};
use crate::certificate::Der;

/// What one handshake has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The peer's certificates in the order it sent them.
    pub chain: Vec<Der>,
    /// The stapled OCSP response, DER; empty if there was none.
    pub staple: Vec<u8>,
    /// What that says, where an authority vouches for the certificate.
    pub stapled: Option<Stapled>,
    /// What has become of them.
    pub verdict: Verdict,
    /// A client's: when that was found, where it let the server through.
    pub passed: Option<UnixTime>,
    /// A client's: that the server asked for a certificate.
    pub request: Option<CertificateRequest>,
    /// A server's: what the client offered.
    pub hello: Option<Hello>,
    /// A server's: the rule that let the client in.
    pub rule: Option<Rule>,
    /// A server's: it has no certificate for the name that the client asked for.
    pub is_name_unknown: bool,
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
pub(super) struct Shared(Arc<Memory>);

#[derive(Debug, Default)]
struct Memory {
    now: Mutex<Seen>,
    /// What full handshakes have shown of the peer, the latest last: sessions that resume them rest on that.
    full: Mutex<Vec<Judged>>,
}

/// Servers of one name that have certificates of their own, and sessions that can be resumed.
const MOST_JUDGED: usize = 8;

/// What a full handshake has shown of a server that was let through.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) chain: Vec<Der>,
    pub(super) staple: Vec<u8>,
    pub(super) stapled: Option<Stapled>,
    pub(super) verdict: Verdict,
    pub(super) passed: UnixTime,
}

impl Shared {
    /// A panic of another holder cannot leave it half written: every change is one assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn full(&self) -> MutexGuard<'_, Vec<Judged>> {
        self.0.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what the last handshake of a client has shown, but for what sessions that resume it rest on. Each of
    /// those must hold `still`; false where one does not, or where there are more than can be remembered: then no
    /// session may be resumed.
    pub(super) fn begin_again(&self, still: impl FnMut(&mut Judged) -> bool) -> bool {
        let Seen { chain, staple, stapled, verdict, passed, .. } = std::mem::take(&mut *self.lock());
        let mut full = self.full();
        if let Some(passed) = passed {
            full.retain(|judged| judged.chain != chain);
            full.push(Judged { chain, staple, stapled, verdict, passed });
        }
        full.len() <= MOST_JUDGED && full.iter_mut().all(still)
    }

    /// Forgets everything that was shown.
    pub(super) fn begin(&self) {
        *self.lock() = Seen::default();
    }

    /// The handshake resumes a session with a peer of these certificates: nothing was judged in it but what was
    /// remembered, when it began.
    pub(super) fn resume(&self, chain: &[Der]) {
        let full = self.full().iter().find(|judged| judged.chain == chain).cloned();
        let mut seen = self.lock();
        seen.chain = chain.to_vec();
        if let Some(Judged { staple, stapled, verdict, passed, .. }) = full {
            (seen.staple, seen.stapled) = (staple, stapled);
            (seen.verdict, seen.passed) = (verdict, Some(passed));
        }
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
