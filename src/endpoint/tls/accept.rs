//! The side that listens: each connection that was accepted shakes hands by itself.

use std::sync::Arc;
use std::time::Duration;

use super::super::Endpoint;
use super::handshake::shake_hands;
use super::settings::{self, Server};
use super::stream::{Ending, Stream};
use crate::address::Options;
use crate::error::Failure;

/// What every connection of a listener needs; cheap to clone.
#[derive(Clone)]
pub struct Acceptor(Arc<Shared>);

struct Shared {
    server: Server,
    limit: Duration,
    ending: Ending,
}

impl Acceptor {
    /// Reads what the options name; a failure here comes before anybody can connect.
    pub fn new(options: &Options) -> Result<Acceptor, Failure> {
        Ok(Acceptor(Arc::new(Shared {
            server: settings::server(options)?,
            limit: settings::handshake_limit(options),
            ending: settings::ending(options),
        })))
    }

    /// Shakes hands with `peer`.
    pub async fn accept(&self, plain: Endpoint, peer: &str) -> Result<Endpoint, Failure> {
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(peer, "is no stream"));
        };
        let Shared { server, limit, ending } = &*self.0;
        let (mut session, inspection) = server.start(peer)?;
        shake_hands(&fd, &mut session, &inspection, *limit).await?;
        Ok(super::over(plain, Stream::new(fd, session, *ending, inspection)))
    }
}
