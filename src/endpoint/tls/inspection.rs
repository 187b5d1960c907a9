//! What is known of one session beside its bytes: who the peer is, and what went wrong, in words.

use std::io;
use std::time::SystemTime;

use rustls::{CommonState, Error};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::handshake::Allowance;
use crate::certificate::{self, escaped};
use crate::error::{Exit, Failure};
use crate::tls::{self, Negotiated, Seen, Server, Terms};

/// What can go wrong with a handshake.
#[derive(Debug)]
pub enum Trouble {
    /// As rustls tells it.
    Tls(Error),
    /// The peer closed the connection.
    Eof,
    /// The connection failed.
    Io(io::Error),
    /// It took longer than this.
    Late(Allowance),
}

/// One session, for messages and for the environment of a child.
pub struct Inspection {
    /// How messages call it.
    peer: String,
    /// What watches the handshake, and explains what becomes of it.
    watch: Option<tls::Inspection>,
    sni: Option<String>,
}

/// What a session has negotiated; text of the peer is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `1.3` or `1.2`.
    pub version: String,
    /// The cipher suite, by its IANA name.
    pub cipher: String,
    /// The application protocol agreed on.
    pub alpn: Option<String>,
    /// The host that the client named.
    pub sni: Option<String>,
    /// Whose certificate the peer has shown.
    pub peer_subject: Option<String>,
    /// The common name in that, as it is.
    pub peer_common_name: Option<String>,
    /// The first URI that it names (a SPIFFE id).
    pub peer_san_uri: Option<String>,
    /// SHA-256 of it.
    pub peer_sha256: Option<String>,
}

impl Facts {
    /// The variables that tell a child of them; those without a value must not be left from somebody else.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let Facts { version, cipher, alpn, sni, peer_subject, peer_san_uri, peer_sha256, .. } = self.clone();
        [
            ("SPILE_TLS_VERSION", Some(version)),
            ("SPILE_TLS_CIPHER", Some(cipher)),
            ("SPILE_TLS_ALPN", alpn),
            ("SPILE_TLS_SNI", sni),
            ("SPILE_TLS_PEER_SUBJECT", peer_subject),
            ("SPILE_TLS_PEER_SAN_URI", peer_san_uri),
            ("SPILE_TLS_PEER_SHA256", peer_sha256),
        ]
        .into_iter()
    }
}

impl Inspection {
    /// A handshake with `peer`, as messages name it.
    pub fn new(peer: impl Into<String>, watch: tls::Inspection) -> Inspection {
        Inspection { peer: peer.into(), watch: Some(watch), sni: None }
    }

    /// A record to send in the place of the alert that rustls has.
    pub fn alert_instead(&self) -> Option<[u8; 7]> {
        self.watch.as_ref()?.alert_instead()
    }

    /// Why the handshake came to nothing; `first` is what the peer said first.
    pub fn explain(&self, trouble: Trouble, first: &[u8]) -> Failure {
        let what = format!("TLS with {}", escaped(&self.peer));
        match trouble {
            Trouble::Tls(error) => self.told(&error, first),
            Trouble::Eof => {
                let why = match first.is_empty() {
                    true => "it closed the connection without having said anything",
                    false => "it closed the connection during the handshake",
                };
                self.after_silence(Failure::new(Exit::HANDSHAKE, what, why), first)
            }
            Trouble::Io(why) => Failure::new(Exit::HANDSHAKE, what, why),
            Trouble::Late(Allowance { limit, flag, .. }) => {
                let why = format!("the handshake was not done within {limit:?} ({flag})");
                self.after_silence(Failure::timeout(what, why), first)
            }
        }
    }

    /// The same failure, with what may be the reason if a server has never said anything; `first` is what it said
    /// first. Clients have no port to be wrong about: only a server has a name that is wanted.
    fn after_silence(&self, failure: Failure, first: &[u8]) -> Failure {
        let is_server = self.watch.as_ref().is_some_and(|watch| watch.terms().wanted.is_some());
        match is_server && first.is_empty() {
            true => failure.hint("is TLS spoken on that port, and at once (no --starttls needed)?"),
            false => failure,
        }
    }

    /// Why an established session cannot go on.
    pub fn broken(&self, error: &Error) -> Failure {
        self.told(error, &[])
    }

    fn told(&self, error: &Error, first: &[u8]) -> Failure {
        match &self.watch {
            Some(watch) => watch.explain(error, &self.peer, first),
            None => {
                let what = format!("TLS with {}", escaped(&self.peer));
                Failure::new(Exit::HANDSHAKE, what, escaped(&error.to_string()))
            }
        }
    }

    /// The handshake of a client is over. In a resumed session nothing was judged: what it rests on is looked up.
    pub fn settle(&self, session: &CommonState) {
        if let Some(watch) = &self.watch {
            watch.settle(session);
        }
    }

    /// What the handshake has shown, and what it was judged by.
    pub fn observed(&self) -> Option<(Seen, Terms)> {
        self.watch.as_ref().map(|watch| (watch.seen(), watch.terms().clone()))
    }

    /// Others may be watched from now on by what watched the handshake of this client, unless the server has yet to
    /// say what it makes of our certificate (RFC 8446: after the handshake). `sni` is the host that was asked for.
    pub fn release(&mut self, sni: Option<String>) {
        self.sni = sni;
        self.watch.take_if(|watch| watch.seen().request.is_none());
    }

    /// Who the client is, whose handshake is over; a failure where it is not let in.
    pub fn admit(&self, server: &Server, session: &CommonState) -> Result<(), Failure> {
        match &self.watch {
            Some(watch) => server.admit(session, watch, &self.peer).map(drop),
            None => Ok(()),
        }
    }

    /// The client is let in, and others may be watched from now on: what it has shown, and by what it was judged.
    pub fn settle_server(&mut self) -> (Seen, Terms) {
        let shown = self.shown();
        self.watch = None;
        self.sni = shown.0.hello.as_ref().and_then(|hello| hello.server_name.clone());
        shown
    }

    /// What the handshake has shown so far, and by what the peer is judged.
    pub fn shown(&self) -> (Seen, Terms) {
        self.watch.as_ref().map(|watch| (watch.seen(), watch.terms().clone())).unwrap_or_default()
    }

    /// What was negotiated.
    pub fn facts(&self, session: &CommonState) -> Facts {
        let agreed = Negotiated::of(session);
        let text = |name: &[u8]| escaped(&String::from_utf8_lossy(name));
        let peer = session.peer_certificates().and_then(|chain| chain.first());
        let peer_common_name = peer.and_then(|der| common_name(der));
        let peer = peer.and_then(|der| certificate::Facts::of(der, 0, SystemTime::now()).ok());
        let uri = |facts: &certificate::Facts| {
            facts.san.iter().find_map(|name| name.strip_prefix("URI:")).map(str::to_owned)
        };
        Facts {
            version: agreed.as_ref().map_or("", |agreed| agreed.version).to_owned(),
            alpn: agreed.as_ref().and_then(|agreed| agreed.alpn.as_deref()).map(text),
            cipher: agreed.map(|agreed| agreed.cipher).unwrap_or_default(),
            sni: self.sni.as_deref().map(escaped),
            peer_common_name,
            peer_san_uri: peer.as_ref().and_then(uri),
            peer_sha256: peer.as_ref().map(|facts| facts.sha256.clone()),
            peer_subject: peer.map(|facts| facts.subject),
        }
    }
}

/// The first common name of a certificate, as it is.
fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}
