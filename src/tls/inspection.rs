//! What is known about one handshake, also after it has failed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, Error};

use super::explanation::{self, Offer, Role, Telling};
use super::seen::{Lane, Lanes, Seen, Shared};
use crate::error::Failure;

/// Watches one handshake. It must be kept until the handshake is over: after that, the configuration it watches may
/// serve another.
pub struct Inspection {
    seen: Shared,
    offer: Arc<Offer>,
    end: Option<Box<dyn FnOnce() + Send>>,
}

impl Inspection {
    pub(super) fn of<C: Send + Sync + 'static>(
        lane: Lane<C>,
        lanes: Arc<Lanes<C>>,
        offer: Arc<Offer>,
    ) -> Inspection {
        let seen = lane.seen.clone();
        Inspection { seen, offer, end: Some(Box::new(move || lanes.give_back(lane))) }
    }

    /// What it has shown so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// Why it failed, in words, with the status that stands for it: 35, 58, 60 or 90. `peer` is how the other end is
    /// called, `first` the first bytes that came from it.
    pub fn explain(&self, error: &Error, peer: &str, first: &[u8]) -> Failure {
        let seen = self.seen.lock();
        explanation::failure(error, &Telling { peer, offer: &self.offer, seen: &seen, first })
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

/// Why a peer is refused that sent something else than TLS, for those who see it before rustls does. `peer` is how it
/// is called, `first` what it sent.
pub fn not_tls_client(peer: &str, first: &[u8]) -> Failure {
    let (why, hint) = explanation::not_tls(first, Role::Server);
    Failure::new(crate::error::Exit::HANDSHAKE, format!("TLS with {peer}"), why).hint(hint)
}

pub(super) fn system_time(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}
