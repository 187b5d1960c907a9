//! The side that listens: each connection that was accepted shakes hands by itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::Endpoint;
use super::handshake::{Allowance, shake_hands};
use super::inspection::Inspection;
use super::settings;
use super::stream::{Ending, Stream};
use crate::address::{Key, Options};
use crate::error::Failure;
use crate::tls::{Server, Session};

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
            server: RefCell::new(Rc::new(settings::server(options)?.build()?)),
            options: options.clone(),
            limit: settings::handshake_limit(options),
            ending: settings::ending(options),
        })))
    }

    /// What a person should be told before anybody connects, a line each: warnings, and how clients can trust a
    /// certificate that was made for this run. `address` is where they find us.
    pub fn notes(&self, address: &str) -> Vec<String> {
        let server = self.server();
        let mut notes = server.warnings().to_vec();
        if let (true, Some(pin)) = (self.0.options.has(Key::SelfSigned), server.pin()) {
            notes.push(format!("clients: spile tls-connect --pin-only --pin {pin} {address}"));
        }
        notes
    }

    /// Reads the files again. Where one is of no use, everything stays as it was.
    pub fn reload(&self) -> Result<(), Failure> {
        let server = Rc::new(settings::server(&self.0.options)?.build()?);
        self.0.server.replace(server);
        Ok(())
    }

    fn server(&self) -> Rc<Server> {
        self.0.server.borrow().clone()
    }

    /// Shakes hands with `peer`.
    pub async fn accept(&self, plain: Endpoint, peer: &str) -> Result<Endpoint, Failure> {
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(peer, "is no stream"));
        };
        let (server, allowed) = (self.server(), Allowance::of(self.0.limit, "--handshake-timeout"));
        let (connection, watch) = server.start()?;
        let (mut session, mut inspection) = (Session::from(connection), Inspection::new(peer, watch));
        shake_hands(&fd, &mut session, &inspection, allowed).await?;
        let admission = server.admit(session.common(), peer)?;
        inspection.settle_server(session.common(), &admission);
        Ok(super::over(plain, Stream::new(fd, session, self.0.ending, inspection)))
    }
}
