//! What goes ahead of a session on a new connection: the talk with a proxy, and a PROXY header for the server.

use std::time::Duration;

use super::connect_timeout;
use super::descriptor::Descriptor;
use super::environment::Connection;
use super::exchange::Exchange;
use super::proxy::Tunnel;
use super::proxy_header::{Form, Header};
use super::resolve::Lookup;
use crate::address::{End, Key};
use crate::error::Failure;

/// All that goes ahead; its files are read.
pub struct Ahead {
    tunnel: Option<Tunnel>,
    header: Option<Form>,
    limit: Duration,
    name: String,
}

impl Ahead {
    /// What the options of `end` ask for; `target` is where a proxy is to connect to.
    pub fn new(end: &End, target: Option<&Lookup>) -> Result<Option<Box<Ahead>>, Failure> {
        let tunnel = match target {
            Some(target) => Tunnel::new(&end.options, target)?,
            None => None,
        };
        let header = end.options.text(Key::ProxyProtocol).and_then(Form::read);
        Ok((tunnel.is_some() || header.is_some()).then(|| {
            let limit = connect_timeout::limit(&end.options);
            Box::new(Ahead { tunnel, header, limit, name: end.describe() })
        }))
    }

    /// The proxy that is to be connected to in place of the target.
    pub fn tunnel(&self) -> Option<&Tunnel> {
        self.tunnel.as_ref()
    }

    /// True when the server is told for whom we connect.
    pub fn tells_of_peer(&self) -> bool {
        self.header.is_some()
    }

    /// Says it all on `fd`; `connection` is the one that is served by this one.
    pub async fn say(&self, fd: &Descriptor, connection: &Connection) -> Result<(), Failure> {
        let saying = async {
            if let Some(tunnel) = &self.tunnel {
                tunnel.open(fd, &self.name).await?;
            }
            if let Some(form) = self.header {
                let header = Header::of(connection).encode(form);
                let failed =
                    |why| Failure::connect(format!("cannot tell {} for whom we connect", self.name), why);
                Exchange::new(fd).say(&header).await.map_err(failed)?;
            }
            Ok(())
        };
        connect_timeout::within(self.limit, &self.name, saying).await
    }
}
