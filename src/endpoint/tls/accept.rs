//! The side that listens: each connection that was accepted shakes hands by itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::Endpoint;
use super::handshake::shake_hands;
use super::settings::{self, Server};
use super::stream::{Ending, Stream};
use crate::address::Options;
use crate::error::Failure;

/// What every connection of a listener needs; cheap to clone.
#[derive(Clone)]
pub struct Acceptor(Rc<Shared>);

struct Shared {
    /// Taken anew by each connection, so that those there are keep what they have begun with.
    server: RefCell<Rc<Server>>,
    options: Options,
    limit: Duration,
    ending: Ending,
}

impl Acceptor {
    /// Reads what the options name; a failure here comes before anybody can connect.
    pub fn new(options: &Options) -> Result<Acceptor, Failure> {
        Ok(Acceptor(Rc::new(Shared {
            server: RefCell::new(Rc::new(settings::server(options)?)),
            options: options.clone(),
            limit: settings::handshake_limit(options),
            ending: settings::ending(options),
        })))
    }

    /// Reads the files again. Where one is of no use, everything stays as it was.
    pub fn reload(&self) -> Result<(), Failure> {
        let server = Rc::new(settings::server(&self.0.options)?);
        self.0.server.replace(server);
        Ok(())
    }

    /// Shakes hands with `peer`.
    pub async fn accept(&self, plain: Endpoint, peer: &str) -> Result<Endpoint, Failure> {
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(peer, "is no stream"));
        };
        let Shared { server, limit, ending, .. } = &*self.0;
        let server = server.borrow().clone();
        let (mut session, inspection) = server.start(peer)?;
        shake_hands(&fd, &mut session, &inspection, *limit).await?;
        Ok(super::over(plain, Stream::new(fd, session, *ending, inspection)))
    }
}
