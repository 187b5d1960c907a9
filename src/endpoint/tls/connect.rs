//! The side that connects: TLS over whatever stream an address names.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::descriptor::Descriptor;
use super::super::{Connection, Endpoint, Opener, Use, connect_timeout, starttls};
use super::handshake::shake_hands;
use super::inspection::Inspection;
use super::settings;
use super::stream::{Ending, Stream};
use crate::address::{End, Host, Key, Layer, Target};
use crate::certificate::escaped;
use crate::error::{Exit, Failure};
use crate::tls::{Client, Session};

/// A TLS address to connect to; its files are read.
pub struct Connector {
    plain: Opener,
    client: Client,
    /// What the certificate must be for, where no other name is asked for; empty where the address has no host.
    host: String,
    name: String,
    starttls: Option<crate::starttls::Protocol>,
    /// Whom the server is to answer as, where the protocol says so before TLS.
    domain: String,
    expected_alpn: Option<String>,
    limit: Duration,
    handshake_limit: Duration,
    ending: Ending,
}

impl Connector {
    /// Reads what the options name; a failure here comes before any connection.
    pub fn new(end: &End) -> Result<Connector, Failure> {
        let (plain, options) = (End { layer: Layer::Plain, ..end.clone() }, &end.options);
        let (client, host) = (settings::client(options)?.build()?, host(&end.target));
        client.wanted(&host)?;
        Ok(Connector {
            plain: Opener::of(&plain, Use::Output)?,
            client,
            domain: options.text(Key::Name).unwrap_or(&host).to_owned(),
            host,
            name: end.describe(),
            starttls: settings::starttls(options),
            expected_alpn: options.text(Key::ExpectAlpn).map(str::to_owned),
            limit: connect_timeout::limit(options),
            handshake_limit: settings::handshake_limit(options),
            ending: settings::ending(options),
        })
    }

    /// True when the server is told for whom we connect.
    pub fn tells_of_peer(&self) -> bool {
        self.plain.tells_of_peer()
    }

    /// What a person should be told before anything is connected, a line each.
    pub fn warnings(&self) -> &[String] {
        self.client.warnings()
    }

    /// Connects and shakes hands.
    pub async fn connect(&self, connection: &Connection) -> Result<Endpoint, Failure> {
        let started = Instant::now();
        // Each step has a limit of its own, so that it is the one that is named.
        let plain = self.plain.open(connection).await?;
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(&self.name, "is no stream"));
        };
        if let Some(protocol) = self.starttls {
            let left = self.limit.saturating_sub(started.elapsed());
            starttls::ask(&fd, protocol, &self.domain, &self.name, left).await?;
        }
        Ok(super::over(plain, self.begin(fd).await?))
    }

    async fn begin(&self, fd: Arc<Descriptor>) -> Result<Stream, Failure> {
        let (client, watch) = self.client.start(&self.host)?;
        let (mut session, mut inspection) = (Session::from(client), Inspection::new(&self.name, watch));
        shake_hands(&fd, &mut session, &inspection, self.handshake_limit).await?;
        inspection.settle(session.common(), self.client.sni(&self.host)?);
        self.expect_alpn(session.common().alpn_protocol())?;
        Ok(Stream::new(fd, session, self.ending, inspection))
    }

    fn expect_alpn(&self, agreed: Option<&[u8]>) -> Result<(), Failure> {
        match &self.expected_alpn {
            Some(expected) if agreed != Some(expected.as_bytes()) => {
                let agreed = agreed.map(|name| escaped(&String::from_utf8_lossy(name)));
                let why = format!("the application protocol is {}", agreed.as_deref().unwrap_or("none"));
                Err(Failure::new(
                    Exit::UNEXPECTED,
                    format!("{} does not agree on {expected}", self.name),
                    why,
                ))
            }
            _ => Ok(()),
        }
    }
}

/// The host of a target that has one.
fn host(target: &Target) -> String {
    match target {
        Target::Net { host: Host::Name(name), .. } => name.clone(),
        Target::Net { .. } => "localhost".to_owned(),
        _ => String::new(),
    }
}
