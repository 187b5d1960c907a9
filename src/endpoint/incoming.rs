//! A peer that has come to a listener, and what must be done before the first byte.

use std::time::{Duration, Instant};

use socket2::SockRef;

use super::{Endpoint, Peer, proxy_header, tls};
use crate::error::Failure;
use crate::event_loop::timeout;

/// How long a peer may take to answer our end with its own.
const FAREWELL: Duration = Duration::from_millis(500);

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
    /// How long that one could have taken.
    patience: Option<Duration>,
}

/// Who tells of a peer that came to nothing.
pub struct Witness {
    peer: Peer,
    acceptor: Option<tls::Acceptor>,
    since: Instant,
}

impl Witness {
    /// How messages call what has failed.
    pub fn name(&self) -> String {
        match self.acceptor {
            Some(_) => format!("TLS with {}", self.peer),
            None => self.peer.to_string(),
        }
    }

    /// Tells whoever is told of handshakes.
    pub fn tell(&self, failure: &Failure) {
        if let Some(acceptor) = &self.acceptor {
            acceptor.came_to_nothing(&self.peer.to_string(), self.since.elapsed(), failure);
        }
    }
}

impl Incoming {
    /// A peer that can be served at once.
    pub fn new(endpoint: Endpoint, peer: Peer) -> Incoming {
        Incoming { endpoint, peer, local: None, header_limit: None, acceptor: None, patience: None }
    }

    /// The same, once it has sent a PROXY header and has shaken hands.
    pub fn after(self, header_limit: Option<Duration>, acceptor: Option<tls::Acceptor>) -> Incoming {
        Incoming { header_limit, acceptor, ..self }
    }

    /// False while a header or a handshake is to come; not for whoever accepts: it takes the time that the peer takes.
    pub fn is_established(&self) -> bool {
        self.acceptor.is_none() && self.header_limit.is_none()
    }

    /// Takes the header, and waits for the handshake to begin: whoever has only connected costs us next to nothing.
    pub async fn first_word(&mut self) -> Result<(), Failure> {
        if let Some(limit) = self.header_limit {
            self.take_header(limit).await?;
        }
        match &self.acceptor {
            Some(acceptor) => acceptor.first_word(&self.endpoint, &self.peer.to_string()).await,
            None => Ok(()),
        }
    }

    /// Makes the handshake.
    pub async fn establish(mut self) -> Result<Incoming, Failure> {
        let Some(acceptor) = self.acceptor.take() else { return Ok(self) };
        let endpoint = acceptor.accept(self.endpoint, &self.peer.to_string()).await?;
        Ok(Incoming { endpoint, patience: Some(acceptor.limit()), ..self })
    }

    /// How long it may be made to wait: as long as it may make us wait.
    pub fn patience(&self) -> Duration {
        self.patience.or(self.header_limit).unwrap_or(Duration::MAX)
    }

    /// Resolves when the peer is gone, as far as that can be known.
    pub async fn gone(&self) {
        match self.endpoint.source.stream() {
            Some(fd) => fd.hung_up().await,
            None => std::future::pending().await,
        }
    }

    /// Sends a peer away that has shaken hands and is not served: an orderly end, for nothing of it is lost.
    pub async fn turn_away(self) {
        if let Some(stream) = self.endpoint.source.shared_tls() {
            stream.part(FAREWELL).await;
        }
    }

    /// What can be told of it by whoever gives up on it before it has shaken hands.
    pub fn witness(&self) -> Witness {
        Witness { peer: self.peer.clone(), acceptor: self.acceptor.clone(), since: Instant::now() }
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
