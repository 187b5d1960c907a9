//! Two sessions that talk to each other through buffers, and what is done to the bytes on the way.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::*;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// A client and a server that trust each other.
fn pair(version: &'static SupportedProtocolVersion) -> (Session, Session) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().der().clone();
    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let client = UnbufferedClientConnection::new(Arc::new(client), name).unwrap();
    (client.into(), UnbufferedServerConnection::new(Arc::new(server)).unwrap().into())
}

/// Takes everything that is queued.
fn said(session: &mut Session) -> Vec<u8> {
    let bytes = session.queued().to_vec();
    session.sent(bytes.len());
    bytes
}

/// Shakes hands, `piece` bytes at a time.
fn shake(client: &mut Session, server: &mut Session, piece: usize) {
    client.shake_hands(&[]).unwrap();
    let hand_on = |from: &mut Session, to: &mut Session| {
        let said = said(from);
        for piece in said.chunks(piece) {
            to.shake_hands(piece).unwrap();
        }
        !said.is_empty()
    };
    while hand_on(client, server) | hand_on(server, client) {}
    assert_eq!(client.shake_hands(&[]).unwrap(), Progress::Done);
    assert_eq!(server.shake_hands(&[]).unwrap(), Progress::Done);
}

fn established(version: &'static SupportedProtocolVersion) -> (Session, Session) {
    let (mut client, mut server) = pair(version);
    shake(&mut client, &mut server, usize::MAX);
    (client, server)
}

/// Encrypts all of `plain`.
fn sealed(session: &mut Session, mut plain: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut out = vec![0; 64 * 1024];
    while !plain.is_empty() {
        let (taken, len) = session.seal(plain, &mut out).unwrap();
        all.extend_from_slice(&out[..len]);
        plain = &plain[taken..];
    }
    all
}

/// Decrypts what comes in pieces of these lengths, through a buffer of the least size that is possible.
fn opened(session: &mut Session, ciphertext: &[u8], piece: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    for piece in ciphertext.chunks(piece) {
        let mut buffer = vec![0; HEADROOM + session.partial.len() + piece.len()];
        let at = session.begin(&mut buffer, piece.len()).unwrap();
        buffer[at..at + piece.len()].copy_from_slice(piece);
        let n = session.open(&mut buffer, at + piece.len());
        plain.extend_from_slice(&buffer[..n]);
    }
    plain
}

fn noise(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

#[test]
fn a_handshake_succeeds_however_its_bytes_are_cut() {
    for version in VERSIONS {
        for piece in [1, 2, 5, 6, 17, 1000] {
            let (mut client, mut server) = pair(version);
            shake(&mut client, &mut server, piece);
            let bytes = sealed(&mut client, b"hello");
            assert_eq!(opened(&mut server, &bytes, usize::MAX), b"hello", "{version:?} {piece}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_at_any_byte_is_the_same_stream() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let plain = noise(300);
        let bytes = [sealed(&mut client, &plain[..100]), sealed(&mut client, &plain[100..])].concat();
        let mut cuts = Vec::new();
        for cut in 1..bytes.len() {
            // Each cut needs a session of its own, whose keys have not moved on.
            let (mut client, mut server) = established(version);
            let bytes = [sealed(&mut client, &plain[..100]), sealed(&mut client, &plain[100..])].concat();
            let mut got = opened(&mut server, &bytes[..cut], usize::MAX);
            got.extend(opened(&mut server, &bytes[cut..], usize::MAX));
            cuts.push(got == plain);
        }
        assert!(cuts.iter().all(|same| *same), "{version:?}");
        assert_eq!(opened(&mut server, &bytes, 1), plain);
    }
}

#[test]
fn a_batch_of_many_records_comes_back_whole_and_nothing_is_kept() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let plain = noise(1_000_000);
        let pass = |from: &mut Session, to: &mut Session| {
            for piece in [usize::MAX, 100_000, 16_406, 9_999] {
                let bytes = sealed(from, &plain);
                assert!(opened(to, &bytes, piece) == plain, "{version:?} {piece}");
                assert_eq!((to.partial.capacity(), to.queued.capacity()), (0, 0), "memory is held idle");
            }
        };
        pass(&mut client, &mut server);
        pass(&mut server, &mut client);
    }
}

#[test]
fn the_end_stands_between_what_was_said_and_what_is_ignored() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let mut bytes = sealed(&mut client, b"last words");
        client.end();
        bytes.extend(said(&mut client));
        bytes.extend_from_slice(b"rubbish");
        assert_eq!(opened(&mut server, &bytes, usize::MAX), b"last words");
        assert!(server.peer_ended() && server.failure().is_none());
        // The other direction goes on.
        let answer = sealed(&mut server, b"an answer");
        assert_eq!(opened(&mut client, &answer, usize::MAX), b"an answer");
        server.end();
        let end = said(&mut server);
        assert_eq!(opened(&mut client, &end, usize::MAX), b"");
        assert!(client.peer_ended());
        server.end();
        assert!(server.queued().is_empty(), "the end is said once");
    }
}

#[test]
fn keys_that_change_under_way_are_followed() {
    let (mut client, mut server) = established(&version::TLS13);
    for round in 0..5_u8 {
        renew(&mut client);
        let bytes = sealed(&mut client, &[round; 1000]);
        assert_eq!(opened(&mut server, &bytes, 300), [round; 1000]);
        // The server's own change is said before its next record, without being asked for.
        let bytes = sealed(&mut server, &[round; 1000]);
        assert_eq!(opened(&mut client, &bytes, 300), [round; 1000]);
    }
    assert!(client.failure().is_none() && server.failure().is_none());
}

/// Asks for new keys in both directions.
fn renew(session: &mut Session) {
    use rustls::unbuffered::ConnectionState;
    let Role::Client(client) = &mut session.role else { panic!() };
    match client.process_tls_records(&mut []).state.unwrap() {
        ConnectionState::WriteTraffic(traffic) => traffic.refresh_traffic_keys().unwrap(),
        state => panic!("{state:?}"),
    }
    session.queue_all(&mut []);
}

#[test]
fn a_changed_byte_is_a_failure_that_the_peer_is_told_of() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let good = sealed(&mut client, b"good");
        let mut bad = sealed(&mut client, b"bad");
        *bad.last_mut().unwrap() ^= 1;
        assert_eq!(opened(&mut server, &[good, bad].concat(), usize::MAX), b"good");
        assert_eq!(server.failure(), Some(&Error::DecryptError));
        let alert = said(&mut server);
        opened(&mut client, &alert, usize::MAX);
        assert!(matches!(client.failure(), Some(Error::AlertReceived(_))), "{:?}", client.failure());
        assert!(server.seal(b"x", &mut [0; 70_000]).is_err());
        server.end();
        assert!(server.queued().is_empty(), "a broken session has no end to say");
    }
}

#[test]
fn plaintext_that_comes_with_the_end_of_the_handshake_is_kept() {
    let (mut client, mut server) = pair(&version::TLS13);
    client.shake_hands(&[]).unwrap();
    server.shake_hands(&said(&mut client)).unwrap();
    client.shake_hands(&said(&mut server)).unwrap();
    let mut last = said(&mut client);
    last.extend(sealed(&mut client, b"at once"));
    client.end();
    last.extend(said(&mut client));
    assert_eq!(server.shake_hands(&last).unwrap(), Progress::Done);
    assert_eq!(server.take_early(), b"at once");
    assert!(server.peer_ended());
}

#[test]
fn a_handshake_message_has_a_bound() {
    let (_, mut server) = pair(&version::TLS13);
    // A ClientHello that claims 64 KiB less one, in records of one byte each.
    let mut result = server.shake_hands(&[22, 3, 1, 0, 4, 1, 0, 0xff, 0xff]);
    for _ in 0..70_000 {
        if result.is_err() {
            break;
        }
        result = server.shake_hands(&[22, 3, 1, 0, 1, 0]);
    }
    assert!(result.is_err() && server.partial.len() <= LONGEST_FLIGHT + 6);
    let (_, mut server) = pair(&version::TLS13);
    assert!(
        server.shake_hands(&[22, 3, 1, 0, 4, 1, 1, 0, 0]).is_err(),
        "64 KiB and more are refused at once"
    );
}

#[test]
fn what_is_no_tls_is_refused_with_an_alert() {
    let (_, mut server) = pair(&version::TLS13);
    assert!(matches!(server.shake_hands(b"GET / HTTP/1.0\r\n\r\n"), Err(Error::InvalidMessage(_))));
    assert_eq!(server.queued(), [21, 3, 3, 0, 2, 2, 50]);
}
