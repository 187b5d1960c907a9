//! What is known of one session beside its bytes: who the peer is, and what went wrong, in words.

use std::io;
use std::time::{Duration, SystemTime};

use rustls::{AlertDescription, CommonState, Error};

use crate::certificate::{self, escaped};
use crate::error::{Exit, Failure};

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
    Late(Duration),
}

/// One session, for messages and for the environment of a child.
pub struct Inspection {
    peer: String,
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
    /// The first URI that it names (a SPIFFE id).
    pub peer_san_uri: Option<String>,
    /// SHA-256 of it.
    pub peer_sha256: Option<String>,
}

impl Inspection {
    /// A session with `peer`, as messages name it; `sni` is the host that a client asks for.
    pub fn new(peer: impl Into<String>, sni: Option<String>) -> Inspection {
        Inspection { peer: peer.into(), sni }
    }

    /// Why the handshake came to nothing; `first` is what the peer said first.
    pub fn explain(&self, trouble: Trouble, first: &[u8]) -> Failure {
        let what = format!("TLS handshake with {}", self.peer);
        match trouble {
            Trouble::Tls(Error::InvalidMessage(_)) if !looks_like_tls(first) => {
                let why = format!("peer does not speak TLS (first bytes \"{}\")", printable(first));
                Failure::new(Exit::HANDSHAKE, what, why).hint("wrong port, or is STARTTLS needed?")
            }
            Trouble::Tls(error) => self.told(what, &error),
            Trouble::Eof => Failure::new(Exit::HANDSHAKE, what, "the peer closed the connection"),
            Trouble::Io(why) => Failure::new(Exit::HANDSHAKE, what, why),
            Trouble::Late(limit) => {
                Failure::timeout(what, format!("not done within {limit:?} (--handshake-timeout)"))
            }
        }
    }

    /// Why an established session cannot go on.
    pub fn broken(&self, error: &Error) -> Failure {
        self.told(format!("TLS session with {}", self.peer), error)
    }

    fn told(&self, what: String, error: &Error) -> Failure {
        let exit = match error {
            Error::InvalidCertificate(_) => Exit::UNTRUSTED,
            Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA,
            ) => Exit::OWN_CERTIFICATE,
            _ => Exit::HANDSHAKE,
        };
        Failure::new(exit, what, escaped(&error.to_string()))
    }

    /// What was negotiated.
    pub fn facts(&self, session: &CommonState) -> Facts {
        let version = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let peer = session.peer_certificates().and_then(|chain| chain.first());
        let peer = peer.and_then(|der| certificate::Facts::of(der, 0, SystemTime::now()).ok());
        let uri = |facts: &certificate::Facts| {
            facts.san.iter().find_map(|name| name.strip_prefix("URI:")).map(str::to_owned)
        };
        Facts {
            version: version.to_owned(),
            cipher: cipher.unwrap_or_default().to_owned(),
            alpn: session.alpn_protocol().map(|name| escaped(&String::from_utf8_lossy(name))),
            sni: self.sni.clone(),
            peer_san_uri: peer.as_ref().and_then(uri),
            peer_sha256: peer.as_ref().map(|facts| facts.sha256.clone()),
            peer_subject: peer.map(|facts| facts.subject),
        }
    }
}

/// True for the first byte of a handshake or an alert.
fn looks_like_tls(first: &[u8]) -> bool {
    matches!(first, [0x15 | 0x16, 3, ..] | [])
}

/// The start of what was said, on one line.
fn printable(first: &[u8]) -> String {
    let line = first.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    escaped(&String::from_utf8_lossy(line))
}
