//! The side that connects: TLS over whatever stream an address names.

use std::sync::Arc;
use std::time::Duration;

use super::super::descriptor::Descriptor;
use super::super::environment::connection_of;
use super::super::{Connection, Endpoint, Opener, Use, connect_timeout, starttls};
use super::handshake::{Allowance, shake_hands};
use super::inspection::Inspection;
use super::journey::{Journey, Sights, Stage};
use super::settings;
use super::stream::{Ending, Stream};
use crate::address::{End, Host, Key, Layer, Target};
use crate::certificate::escaped;
use crate::error::{Exit, Failure};
use crate::tls::{Client, Negotiated, Session};

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
    /// Of connecting, asking for TLS and the handshake together.
    limit: Duration,
    /// Of the handshake alone.
    handshake_limit: Option<Duration>,
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
            handshake_limit: options.time(Key::HandshakeTimeout),
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

    /// The name that the server must have, and the one that it is told, if any.
    pub fn names(&self) -> Result<(String, Option<String>), Failure> {
        Ok((self.client.wanted(&self.host)?, self.client.sni(&self.host)?))
    }

    /// Connects and shakes hands.
    pub async fn connect(&self, connection: &Connection) -> Result<Endpoint, Failure> {
        self.connect_along(connection, &Journey::new()).await
    }

    /// The same, with what is found on the way.
    pub async fn connect_along(
        &self,
        connection: &Connection,
        journey: &Journey,
    ) -> Result<Endpoint, Failure> {
        journey.begin();
        let clock = Allowance::of(self.limit, "--connect-timeout");
        let plain = self.reach(connection, journey).await?;
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(&self.name, "is no stream"));
        };
        journey.answered_by(|| Some(connection_of(&fd).peer?.to_string()));
        if let Some(protocol) = self.starttls {
            journey.reaches(Stage::Starttls);
            starttls::ask(&fd, protocol, &self.domain, &self.name, clock).await?;
        }
        journey.reaches(Stage::Handshake);
        let clock = match self.handshake_limit {
            Some(limit) => clock.within(Allowance::of(limit, "--handshake-timeout")),
            None => clock,
        };
        Ok(super::over(plain, self.begin(fd, clock, journey).await?))
    }

    /// Shakes hands over a stream that is open already, and whose peer waits for that.
    pub async fn secure(&self, plain: Endpoint) -> Result<Endpoint, Failure> {
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(&self.name, "is no stream"));
        };
        let clock = match self.handshake_limit {
            Some(limit) => Allowance::of(limit, "--handshake-timeout"),
            None => Allowance::of(self.limit, "--connect-timeout"),
        };
        Ok(super::over(plain, self.begin(fd, clock, &Journey::new()).await?))
    }

    /// The stream below TLS.
    async fn reach(&self, connection: &Connection, journey: &Journey) -> Result<Endpoint, Failure> {
        match &self.plain {
            Opener::Tcp(tcp) => {
                let fd = tcp.connect_telling(connection, &|| journey.reaches(Stage::Connect)).await?;
                Ok(Endpoint::stream_socket(fd))
            }
            other => {
                journey.reaches(Stage::Connect);
                connect_timeout::within(self.limit, &self.name, other.open(connection)).await
            }
        }
    }

    async fn begin(
        &self,
        fd: Arc<Descriptor>,
        clock: Allowance,
        journey: &Journey,
    ) -> Result<Stream, Failure> {
        let (client, watch) = self.client.start(&self.host)?;
        let (mut session, mut inspection) = (Session::from(client), Inspection::new(&self.name, watch));
        let shaken = shake_hands(&fd, &mut session, &inspection, clock).await;
        if shaken.is_ok() {
            inspection.settle(session.common());
        }
        journey.sees(|| Sights {
            handshake: inspection.observed(),
            negotiated: Negotiated::of(session.common()),
        });
        if let Err(failure) = shaken {
            if matches!(failure.exit, Exit::UNTRUSTED | Exit::PIN | Exit::STAPLE) {
                journey.reaches(Stage::Verify);
            }
            return Err(failure);
        }
        journey.reaches(Stage::Transfer);
        inspection.release(self.client.sni(&self.host)?);
        let expected = self.expect_alpn(session.common().alpn_protocol());
        let stream = Stream::new(fd, session, self.ending, inspection);
        if let Err(unexpected) = expected {
            stream.leave();
            return Err(unexpected);
        }
        Ok(stream)
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
                )
                .hint("the server chooses (ALPN): it may not speak that, or not be told to"))
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
