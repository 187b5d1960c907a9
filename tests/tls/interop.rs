//! Bulk data both ways over TLS between spile and every other program, with half-close where the other knows it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::harness::tls::{Backend, End, Receiving, Sending};
use crate::harness::tls_peers::{CLIENTS, Ends, Peer, SERVERS};
use crate::harness::*;

/// What goes from client to server (0) and back (1). The period is prime, so that no record is like another.
fn cargo(direction: usize, length: usize) -> &'static [u8] {
    static BYTES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    &BYTES.get_or_init(|| [1, 2].map(|seed| noise(seed, 999_983).repeat(68)))[direction][..length]
}

/// All bytes must arrive, in both directions, and then both ends.
fn exchange(client: End, server: End, ends: Ends, request: usize, answer: usize) {
    let ((client_out, client_in), (server_out, server_in)) = (client.split(), server.split());
    let (request, answer) = (cargo(0, request), cargo(1, answer));
    match ends {
        Ends::HalfClose => {
            one_way(client_out, server_in, request);
            one_way(server_out, client_in, answer);
        }
        Ends::Client => together((client_out, server_in, request), (server_out, client_in, answer)),
        Ends::Server => together((server_out, client_in, answer), (client_out, server_in, request)),
    }
}

/// A whole direction, its end included.
fn one_way(mut out: Sending, mut into: Receiving, bytes: &'static [u8]) {
    let sent = aside(move || out.send(bytes));
    done(aside(move || assert_same(into.receive_all(), bytes)));
    done(sent);
}

type Direction = (Sending, Receiving, &'static [u8]);

/// Both directions at a time. Who ends first does so when it has sent and received all, and then the other.
fn together((mut out, mut into, bytes): Direction, (mut back_out, mut back_into, back): Direction) {
    let sent = aside(move || {
        out.send(bytes);
        out
    });
    let back_sent = aside(move || {
        back_out.send(back);
        back_out
    });
    let back_received = aside(move || {
        assert_same(back_into.receive(back.len()), back);
        back_into
    });
    let received = aside(move || assert_same(into.receive_all(), bytes));
    let mut back_into = done(back_received);
    drop(done(sent));
    done(received);
    drop(done(back_sent));
    done(aside(move || assert_same(back_into.receive_all(), back)));
}

/// In a thread of its own, since nothing bounds a write to a pipe.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

/// The outcome of such a thread, in time.
fn done<T>(outcome: Receiver<T>) -> T {
    outcome.recv_timeout(3 * DEADLINE).expect("a direction is stuck, or failed")
}

fn assert_same(got: &[u8], wanted: &[u8]) {
    assert!(got == wanted, "{} of {} bytes, or not the same", got.len(), wanted.len());
}

/// What both know: less than a half-close when one of them does not.
fn common(client: &Peer, server: &Peer) -> Ends {
    match (client.ends, server.ends) {
        (Ends::HalfClose, ends) | (ends, Ends::HalfClose) => ends,
        _ => client.ends,
    }
}

/// Names every conversation that failed, not only the first.
fn all<T>(conversations: impl IntoIterator<Item = (String, T)>, talk: impl Fn(&T)) {
    let mut failed = Vec::new();
    for (name, conversation) in conversations {
        println!("{name}");
        if catch_unwind(AssertUnwindSafe(|| talk(&conversation))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Not about spile: where this fails, the rows of the peers are wrong.
#[test]
fn the_peers_understand_each_other() {
    let from_socat = SERVERS.iter().map(|server| (named(CLIENTS, "socat"), server));
    let to_haproxy = CLIENTS.iter().map(|client| (client, named(SERVERS, "haproxy")));
    let pairs = from_socat.chain(to_haproxy);
    all(pairs.map(|pair| (format!("{} to {}", pair.0.name, pair.1.name), pair)), |(client, server)| {
        let mut server_runs = server.listens();
        let mut client_runs = client.connects(&server_runs.port);
        let client_end = client_runs.end();
        exchange(client_end, server_runs.end(), common(client, server), 1 << 20, 1 << 20);
    });
}

fn named(peers: &'static [Peer], name: &str) -> &'static Peer {
    peers.iter().find(|peer| peer.name == name).unwrap()
}

const BULK: usize = 64 << 20;

/// `spile tls-connect` to a server of theirs.
fn connecting(port: &str, version: &str, says_close: bool) -> Process {
    let (port, authority) = (format!("localhost:{port}"), certificate("ca.pem"));
    let mut args = vec!["tls-connect", &port, "--cafile", &authority, "--min", version, "--max", version];
    if !says_close {
        args.push("--ignore-unexpected-eof");
    }
    spile(args)
}

/// `spile tls-serve` for one client of theirs, in front of a plain server: stdin would be dropped at the client's end.
fn serving(version: &str, says_close: bool, backend: &Backend) -> Process {
    let (chain, key) = (certificate("server.pem"), certificate("server.key"));
    let plain = format!("127.0.0.1:{}", backend.port);
    let mut args = vec!["tls-serve", "--once", "127.0.0.1:0", "--cert", &chain, "--key", &key];
    args.extend(["--min", version, "--max", version, "--forward", &plain]);
    if !says_close {
        args.push("--ignore-unexpected-eof");
    }
    spile(args)
}

fn spile_connects_to_all(version: &str) {
    all(SERVERS.iter().map(|server| (server.name.to_owned(), server)), |server| {
        let mut running = server.listens();
        let mut client = connecting(&running.port, version, server.says_close);
        let client_end = End::of(&mut client);
        exchange(client_end, running.end(), server.ends, BULK.min(server.most), BULK);
        client.ends().exits(0);
    });
}

fn all_connect_to_spile(version: &str) {
    all(CLIENTS.iter().map(|client| (client.name.to_owned(), client)), |client| {
        let backend = Backend::new();
        let mut server = serving(version, client.says_close, &backend);
        let mut running = client.connects(&server.port().to_string());
        let client_end = running.end();
        exchange(client_end, backend.end(), client.ends, BULK, BULK.min(client.most));
        server.ends().exits(0);
    });
}

#[test]
fn spile_as_client_over_tls_1_2() {
    spile_connects_to_all("1.2");
}

#[test]
fn spile_as_client_over_tls_1_3() {
    spile_connects_to_all("1.3");
}

#[test]
fn spile_as_server_over_tls_1_2() {
    all_connect_to_spile("1.2");
}

#[test]
fn spile_as_server_over_tls_1_3() {
    all_connect_to_spile("1.3");
}

/// curl ends nothing before it has its answer, and what it sends begins with a head.
#[test]
fn curl_posts_and_gets_by_both_versions() {
    for version in ["1.2", "1.3"] {
        let backend = Backend::new();
        let mut server = serving(version, true, &backend);
        let (authority, url) = (certificate("ca.pem"), format!("https://localhost:{}/", server.port()));
        let args = ["-sS", "-4", "--cacert", &authority, "-H", "Expect:", "--data-binary", "@-", &url];
        let mut curl = program("curl", &args);
        let (mut curl_out, mut curl_in) = End::of(&mut curl).split();
        let sent = aside(move || curl_out.send(cargo(0, BULK)));
        let (mut server_out, mut server_in) = backend.end().split();
        done(aside(move || {
            let head = server_in.receive_until(b"\r\n\r\n");
            assert_same(&server_in.receive(head + BULK)[head..], cargo(0, BULK));
            server_out.send(b"HTTP/1.0 200 OK\r\n\r\n");
            server_out.send(cargo(1, BULK));
        }));
        done(sent);
        done(aside(move || assert_same(curl_in.receive_all(), cargo(1, BULK))));
        curl.ends().exits(0);
        server.ends().exits(0);
    }
}

/// gnutls-serv knows lines of text and no streams.
#[test]
fn gnutls_serv_echoes_lines_by_both_versions() {
    let (port, chain, key) = (free_port(), certificate("server.pem"), certificate("server.key"));
    let args = ["--echo", "--quiet", "-p", &port, "--x509certfile", &chain, "--x509keyfile", &key];
    let _server = program("gnutls-serv", &args);
    wait_until("gnutls-serv listens", || is_listening(&port));
    for version in ["1.2", "1.3"] {
        let client = connecting(&port, version, true).sends("a line\n").gets("a line\n");
        client.sends("another\n").gets("another\n").eof().ends().exits(0);
    }
}
