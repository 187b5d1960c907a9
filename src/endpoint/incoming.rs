//! A peer that has come to a listener, and what must be done before the first byte.

use super::{Endpoint, Peer, tls};
use crate::error::Failure;

/// A peer that has connected, or whose first datagram has come.
pub struct Incoming {
    /// The open connection.
    pub endpoint: Endpoint,
    /// Who it is.
    pub peer: Peer,
    /// The handshake that is still to be made.
    acceptor: Option<tls::Acceptor>,
}

impl Incoming {
    /// A peer that can be served at once.
    pub fn new(endpoint: Endpoint, peer: Peer) -> Incoming {
        Incoming { endpoint, peer, acceptor: None }
    }

    /// The same, once it has shaken hands.
    pub fn after(self, acceptor: Option<tls::Acceptor>) -> Incoming {
        Incoming { acceptor, ..self }
    }

    /// False while a handshake is to be made; not by whoever accepts: it takes the time that the peer takes.
    pub fn is_established(&self) -> bool {
        self.acceptor.is_none()
    }

    /// Makes the handshake.
    pub async fn establish(self) -> Result<Incoming, Failure> {
        let Some(acceptor) = self.acceptor else { return Ok(self) };
        let endpoint = acceptor.accept(self.endpoint, &self.peer.to_string()).await?;
        Ok(Incoming::new(endpoint, self.peer))
    }
}
