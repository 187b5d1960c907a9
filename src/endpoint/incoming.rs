//! A peer that has come to a listener, and what must be done before the first byte.

use std::time::Duration;

use socket2::SockRef;

use super::{Endpoint, Peer, proxy_header, tls};
use crate::error::Failure;
use crate::event_loop::timeout;

/// A peer that has connected, or whose first datagram has come.
pub struct Incoming {
    /// The open connection.
    pub endpoint: Endpoint,
    /// Who it is: at first who has connected, and then for whom, where that is said ahead.
    pub peer: Peer,
    /// Where that one has connected to, where that is said ahead.
    pub local: Option<Peer>,
    /// How long the PROXY header may take that is still to come.
    header_limit: Option<Duration>,
    /// The handshake that is still to be made.
    acceptor: Option<tls::Acceptor>,
}

impl Incoming {
    /// A peer that can be served at once.
    pub fn new(endpoint: Endpoint, peer: Peer) -> Incoming {
        Incoming { endpoint, peer, local: None, header_limit: None, acceptor: None }
    }

    /// The same, once it has sent a PROXY header and has shaken hands.
    pub fn after(self, header_limit: Option<Duration>, acceptor: Option<tls::Acceptor>) -> Incoming {
        Incoming { header_limit, acceptor, ..self }
    }

    /// False while a header or a handshake is to come; not for whoever accepts: it takes the time that the peer takes.
    pub fn is_established(&self) -> bool {
        self.acceptor.is_none() && self.header_limit.is_none()
    }

    /// Takes the header, then makes the handshake.
    pub async fn establish(mut self) -> Result<Incoming, Failure> {
        if let Some(limit) = self.header_limit.take() {
            self.take_header(limit).await?;
        }
        let Some(acceptor) = self.acceptor.take() else { return Ok(self) };
        let endpoint = acceptor.accept(self.endpoint, &self.peer.to_string()).await?;
        Ok(Incoming { endpoint, ..self })
    }

    /// Takes the PROXY header. A peer that sends none is refused with a reset: it is no proxy of ours.
    async fn take_header(&mut self, limit: Duration) -> Result<(), Failure> {
        let Some(fd) = self.endpoint.source.stream().cloned() else { return Ok(()) };
        let late = |_| {
            let why = format!("none within {limit:?} (--handshake-timeout)");
            Err(Failure::timeout("no PROXY header (accept-proxy)", why))
        };
        match timeout(limit, proxy_header::receive(&fd)).await.unwrap_or_else(late) {
            Ok(proxy_header::Header { route: proxy_header::Route::From(from, to), .. }) => {
                (self.peer, self.local) = (from, Some(to));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(failure) => {
                let _ = SockRef::from(&*fd).set_linger(Some(Duration::ZERO));
                Err(Failure { what: format!("{}: {}", self.peer, failure.what), ..failure })
            }
        }
    }
}
