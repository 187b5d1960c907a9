//! That a peer has the key of the certificate which it shows. The signature of the handshake tells it, and no kind of
//! trust makes up for that one: rules 6, 10, 11 and 18.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};

use super::authority::{Authority, leaf};
use super::handshake::{client_turn, server_turn, words};
use super::*;
use crate::certificate::{read_chain, read_key};
use crate::error::{Exit, Failure};

/// One certificate with the key of another.
fn stolen(certificate: &IdentityFiles, key: &IdentityFiles) -> Arc<SingleCertAndKey> {
    let chain = read_chain(&certificate.certificate).expect("a chain");
    let key = read_key(&key.certificate, None).expect("a key");
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key.clone_key()).expect("a usable key");
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}

/// What goes wrong at each end, once it does at one.
fn collide(
    client: &mut UnbufferedClientConnection,
    server: &mut UnbufferedServerConnection,
) -> (Option<Error>, Option<Error>) {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let (output, at_client) = client_turn(client, &mut to_client);
        to_server.extend(output);
        let (output, at_server) = server_turn(server, &mut to_server);
        to_client.extend(output);
        if at_client.is_err() || at_server.is_err() {
            return (at_client.err(), at_server.err());
        }
    }
    (None, None)
}

fn is_refused(failure: &Failure) {
    assert_eq!(failure.exit, Exit::UNTRUSTED, "{failure}");
    assert!(words(failure).contains("does not have its key"), "{}", words(failure));
}

#[test]
fn a_server_without_the_key_of_its_certificate_is_refused_by_every_kind_of_trust() {
    let authority = Authority::new("Good");
    let shown = authority.sign("shown.pem", leaf(&["localhost"]));
    let other = authority.sign("other.pem", leaf(&["localhost"]));
    let pin = Pin::of(&read_chain(&shown.certificate).expect("a chain")[0]).expect("a pin");
    let trusts = [
        Trust { cafile: vec![authority.file()], ..Trust::default() },
        Trust { exact: vec![shown.certificate.clone()], ..Trust::default() },
        Trust { pins: vec![pin], pinning: Pinning::Alone, ..Trust::default() },
        Trust { enforcement: Enforcement::RecordOnly, roots: Some(Roots::None), ..Trust::default() },
    ];
    for (trust, version) in trusts.iter().flat_map(|trust| VERSIONS.map(|version| (trust, version))) {
        let with = |key| {
            let settings =
                ClientSettings { trust: trust.clone(), protocol: only(version), ..ClientSettings::default() };
            let client = settings.build().expect("a client");
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_cert_resolver(stolen(&shown, key));
            let (mut client, watch) = client.start("localhost").expect("a client");
            let mut server = UnbufferedServerConnection::new(config.into()).expect("a server");
            let (at_client, _) = collide(&mut client, &mut server);
            at_client.map(|error| watch.explain(&error, "server", b""))
        };
        assert_eq!(with(&shown), None, "its own key");
        is_refused(&with(&other).expect("it is taken without the key"));
    }
}

#[test]
fn a_client_without_the_key_of_its_certificate_is_refused() {
    let authority = Authority::new("Good");
    let shown = authority.sign("shown.pem", leaf(&["a.test"]).for_client());
    let other = authority.sign("other.pem", leaf(&["b.test"]).for_client());
    let asked = ClientAuthentication {
        authorities: vec![authority.file()],
        rules: vec![Rule::Any],
        ..ClientAuthentication::default()
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read_chain(&authority.file()).expect("an authority"));
    for version in VERSIONS {
        let settings = ServerSettings {
            client_authentication: Some(asked.clone()),
            protocol: only(version),
            ..server_of(authority.sign("s.pem", leaf(&["localhost"])))
        };
        let server = settings.build().expect("a server");
        let with = |key| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_root_certificates(roots.clone())
                .with_client_cert_resolver(stolen(&shown, key));
            let name = "localhost".try_into().expect("a name");
            let mut client = UnbufferedClientConnection::new(config.into(), name).expect("a client");
            let (mut server, watch) = server.start().expect("a server");
            let (_, at_server) = collide(&mut client, &mut server);
            at_server.map(|error| watch.explain(&error, "client", b""))
        };
        assert_eq!(with(&shown), None, "its own key");
        is_refused(&with(&other).expect("it is taken without the key"));
    }
}
