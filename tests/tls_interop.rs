//! Bulk data both ways over TLS between spile and every other program, with half-close where the other knows it.

mod harness;

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::tls::{CLIENTS, End, Ends, Peer, Receiving, SERVERS, Sending};
use harness::*;

/// What goes from client to server (0) and back (1).
fn cargo(direction: usize, length: usize) -> &'static [u8] {
    static BYTES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    &BYTES.get_or_init(|| [noise(1, 64 << 20), noise(2, 64 << 20)])[direction][..length]
}

/// All bytes must arrive, in both directions, and then both ends.
fn exchange(client: End, server: End, ends: Ends, length: usize) {
    let ((client_out, client_in), (server_out, server_in)) = (client.split(), server.split());
    let (request, answer) = (cargo(0, length), cargo(1, length));
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

/// Both directions at a time; when all is there, the first ends, and then the second.
fn together(first: Direction, second: Direction) {
    let start = |(mut out, mut into, bytes): Direction| {
        let sent = aside(move || {
            out.send(bytes);
            out
        });
        let received = aside(move || {
            assert_same(into.receive(bytes.len()), bytes);
            into
        });
        (sent, received, bytes)
    };
    for (out, mut into, bytes) in
        [start(first), start(second)].map(|(out, into, bytes)| (done(out), done(into), bytes))
    {
        drop(out);
        done(aside(move || assert_same(into.receive_all(), bytes)));
    }
}

/// In a thread of its own, since nothing bounds a write to a pipe.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

/// The outcome of such a thread, in time.
fn done<T>(outcome: Receiver<T>) -> T {
    outcome.recv_timeout(DEADLINE).expect("a direction is stuck, or failed")
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

/// Not about spile: where this fails, the rows of the peers are wrong.
#[test]
fn the_peers_understand_each_other() {
    let from_socat = SERVERS.iter().map(|server| (named(CLIENTS, "socat"), server));
    let to_socat = CLIENTS.iter().map(|client| (client, named(SERVERS, "stunnel")));
    let pairs = from_socat.chain(to_socat);
    let failed: Vec<String> = pairs
        .filter_map(|(client, server)| {
            let what = format!("{} to {}", client.name, server.name);
            println!("{what}");
            let talk = || {
                let mut server_runs = server.listens();
                let mut client_runs = client.connects(&server_runs.port);
                let client_end = client_runs.end();
                exchange(client_end, server_runs.end(), common(client, server), 1 << 20);
            };
            std::panic::catch_unwind(talk).is_err().then_some(what)
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn named(peers: &'static [Peer], name: &str) -> &'static Peer {
    peers.iter().find(|peer| peer.name == name).unwrap()
}
