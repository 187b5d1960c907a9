//! The side that connects: TLS over whatever stream an address names.

use std::time::Duration;

use super::super::connect_timeout;
use super::super::{Connection, Endpoint, Opener, Use};
use super::handshake::shake_hands;
use super::settings::{self, Client};
use super::stream::{Ending, Stream};
use crate::address::{End, Host, Layer, Target};
use crate::error::Failure;

/// A TLS address to connect to; its files are read.
pub struct Connector {
    plain: Opener,
    client: Client,
    /// What the certificate must be for, where no other name is asked for.
    host: String,
    name: String,
    limit: Duration,
    handshake_limit: Duration,
    ending: Ending,
}

impl Connector {
    /// Reads what the options name; a failure here comes before any connection.
    pub fn new(end: &End) -> Result<Connector, Failure> {
        let plain = End { layer: Layer::Plain, ..end.clone() };
        Ok(Connector {
            plain: Opener::of(&plain, Use::Output)?,
            client: settings::client(&end.options)?,
            host: host(&end.target),
            name: end.describe(),
            limit: connect_timeout::limit(&end.options),
            handshake_limit: settings::handshake_limit(&end.options),
            ending: settings::ending(&end.options),
        })
    }

    /// Connects and shakes hands.
    pub async fn connect(&self, connection: &Connection) -> Result<Endpoint, Failure> {
        connect_timeout::within(self.limit, &self.name, async {
            let plain = self.plain.open(connection).await?;
            let Some(fd) = plain.source.stream().cloned() else {
                return Err(Failure::usage(&self.name, "is no stream"));
            };
            let (mut session, inspection) = self.client.start(&self.host, &self.name)?;
            shake_hands(&fd, &mut session, &inspection, self.handshake_limit).await?;
            Ok(super::over(plain, Stream::new(fd, session, self.ending, inspection)))
        })
        .await
    }
}

/// The host as a certificate names it: without the zone of a link-local address; what has no host is this one.
fn host(target: &Target) -> String {
    match target {
        Target::Net { host: Host::Name(name), .. } => {
            name.split_once('%').map_or(name.as_str(), |(address, _)| address).to_owned()
        }
        _ => "localhost".to_owned(),
    }
}
