//! The PROXY protocol: whom a connection is made for, said ahead of its bytes (HAProxy's proxy-protocol.txt).
//!
//! Version 1 is a line of text, version 2 is binary and can carry more. Only what a header is lives here; when it
//! is sent and expected is up to those who connect and accept.

mod receive;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

pub use receive::receive;

use super::tls::Facts;
use super::{Connection, Peer};

/// In which form a header is sent, and how much it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line of text: the two addresses.
    V1,
    /// Binary: the two addresses.
    V2,
    /// The same, and the TLS that the client spoke with us: SNI, ALPN, version, cipher.
    V2Tls,
    /// The same, and the client's certificate: whether there was one, and its common name.
    V2TlsCertificate,
}

impl Form {
    /// Reads what is typed.
    pub fn read(text: &str) -> Option<Form> {
        match text {
            "v1" => Some(Form::V1),
            "v2" => Some(Form::V2),
            "v2-tls" => Some(Form::V2Tls),
            "v2-tls-cert" => Some(Form::V2TlsCertificate),
            _ => None,
        }
    }
}

/// What is told of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// For whom it is made.
    pub route: Route,
    /// The TLS that was taken off it.
    pub tls: Option<Tls>,
    /// A name for the connection that is the same everywhere, at most 128 bytes.
    pub unique_id: Option<Vec<u8>>,
}

/// For whom a connection is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// For the sender itself, which checks whether we live: the connection's own addresses count.
    #[default]
    Own,
    /// For somebody without an address that could be said.
    Unknown,
    /// For somebody who came from the first address to the second.
    From(Peer, Peer),
}

/// TLS that a client spoke with the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The protocol agreed on by ALPN.
    pub alpn: Option<Vec<u8>>,
    /// The name asked for by SNI.
    pub authority: Option<String>,
    /// `TLSv1.3`.
    pub version: String,
    /// `TLS_AES_128_GCM_SHA256`.
    pub cipher: Option<String>,
    /// The client's certificate.
    pub certificate: Certificate,
}

/// Whether a client has shown a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// None, or the header does not say so.
    #[default]
    None,
    /// One that was verified; its common name, where it has one.
    Verified(Option<String>),
    /// One that was not verified.
    Unverified(Option<String>),
}

impl Tls {
    /// What we know of a session of ours.
    fn of(facts: &Facts) -> Tls {
        let certificate = match &facts.peer_sha256 {
            // None gets through a handshake of ours unverified.
            Some(_) => Certificate::Verified(facts.peer_common_name.clone()),
            None => Certificate::None,
        };
        Tls {
            alpn: facts.alpn.as_ref().map(|name| name.clone().into_bytes()),
            authority: facts.sni.clone(),
            version: format!("TLSv{}", facts.version),
            cipher: Some(facts.cipher.clone()),
            certificate,
        }
    }
}

impl Header {
    /// What is known of a connection that is served by another one.
    pub fn of(connection: &Connection) -> Header {
        let route = match (&connection.peer, &connection.local) {
            (Some(Peer::Vsock(..)), _) => Route::Unknown,
            (Some(from), Some(to)) => Route::From(from.clone(), to.clone()),
            _ => Route::Own,
        };
        Header { route, tls: connection.tls.as_deref().map(Tls::of), unique_id: None }
    }

    /// The header in a form that may say less than is known.
    pub fn encode(&self, form: Form) -> Vec<u8> {
        let told = |tls: &Tls| match form {
            Form::V1 | Form::V2 => None,
            Form::V2Tls => Some(Tls { certificate: Certificate::None, ..tls.clone() }),
            Form::V2TlsCertificate => Some(tls.clone()),
        };
        match form {
            Form::V1 => v1::encode(&self.route),
            _ => v2::encode(&Header { tls: self.tls.as_ref().and_then(told), ..self.clone() }),
        }
    }
}
