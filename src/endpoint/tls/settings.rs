//! The options of an address as settings of TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::inspection::Inspection;
use super::stream::Ending;
use crate::address::{Key, Options};
use crate::certificate::{Passphrase, read_authorities, read_chain, read_key};
use crate::error::{Exit, Failure};
use crate::tls::Session;

/// When nothing else is said: a whole handshake, and reading on before a close.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_secs(5);

/// How long a handshake may take.
pub fn handshake_limit(options: &Options) -> Duration {
    options.time(Key::HandshakeTimeout).unwrap_or(HANDSHAKE_LIMIT)
}

/// How a session ends.
pub fn ending(options: &Options) -> Ending {
    Ending {
        ignore_unexpected_eof: options.flag(Key::IgnoreUnexpectedEof) == Some(true),
        holds_close_notify: options.flag(Key::NoHalfClose) == Some(true),
        linger: options.time(Key::Linger).unwrap_or(LINGER),
    }
}

/// What every session of a client needs.
pub struct Client(Arc<ClientConfig>);

/// What every session of a server needs.
pub struct Server(Arc<ServerConfig>);

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Reads what a client is told. Status 58 or 77 for a file that is of no use.
pub fn client(options: &Options) -> Result<Client, Failure> {
    let cannot = |why: rustls::Error| Failure::new(Exit::HANDSHAKE, "cannot set up TLS", why);
    let mut roots = RootCertStore::empty();
    for file in options.texts(Key::Cafile) {
        roots.add_parsable_certificates(read_authorities(Path::new(file))?);
    }
    if !options.has(Key::Cafile) {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(cannot)?
        .with_root_certificates(roots);
    Ok(Client(Arc::new(builder.with_no_client_auth())))
}

impl Client {
    /// A session with `host`, called `name` in messages.
    pub fn start(&self, host: &str, name: &str) -> Result<(Session, Inspection), Failure> {
        let cannot = |why: String| Failure::new(Exit::HANDSHAKE, format!("TLS handshake with {name}"), why);
        let server = ServerName::try_from(host.to_owned()).map_err(|why| cannot(why.to_string()))?;
        let client = UnbufferedClientConnection::new(self.0.clone(), server);
        let client = client.map_err(|why| cannot(why.to_string()))?;
        Ok((client.into(), Inspection::new(name, Some(host.to_owned()))))
    }
}

/// Reads what a server is told. Status 58 or 77 for a file that is of no use.
pub fn server(options: &Options) -> Result<Server, Failure> {
    let Some(cert) = options.text(Key::Cert).map(Path::new) else {
        return Err(Failure::usage("a certificate", "is missing").hint("give cert=FILE and key=FILE"));
    };
    let pass = options.text(Key::PassFile).map(|file| Passphrase::read(Path::new(file))).transpose()?;
    let key = read_key(options.text(Key::Key).map_or(cert, Path::new), pass.as_ref())?;
    let cannot = |why: rustls::Error| Failure::new(Exit::OWN_CERTIFICATE, "cannot set up TLS", why);
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(cannot)?
        .with_no_client_auth();
    Ok(Server(Arc::new(builder.with_single_cert(read_chain(cert)?, key).map_err(cannot)?)))
}

impl Server {
    /// A session with the peer that messages call `peer`.
    pub fn start(&self, peer: &str) -> Result<(Session, Inspection), Failure> {
        let server = UnbufferedServerConnection::new(self.0.clone())
            .map_err(|why| Failure::new(Exit::HANDSHAKE, format!("TLS handshake with {peer}"), why))?;
        Ok((server.into(), Inspection::new(peer, None)))
    }
}
