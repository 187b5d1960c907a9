//! What a server has done so far; looked at while it runs.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::endpoint::Losses;

/// The counts of a whole server.
#[derive(Debug, Default)]
pub struct Counters {
    connections: AtomicU64,
    ended: AtomicU64,
    datagram_peers: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    datagrams: AtomicU64,
    requests: AtomicU64,
    resets: AtomicU64,
    failed: AtomicU64,
    unestablished: AtomicU64,
    refused: AtomicU64,
    losses: OnceLock<Vec<Losses>>,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Connections that were served.
    pub connections: u64,
    /// Those of them that are still there.
    pub open: u64,
    /// Peers that came by datagrams; one that was silent for long and comes again counts again.
    pub datagram_peers: u64,
    /// Bytes that peers have said.
    pub received: u64,
    /// Bytes that they were told.
    pub sent: u64,
    /// Messages that were taken.
    pub datagrams: u64,
    /// HTTP requests that were answered, bad ones too.
    pub requests: u64,
    /// Connections that their peers have reset.
    pub resets: u64,
    /// Connections that ended in another way before their end.
    pub failed: u64,
    /// Handshakes that have failed.
    pub unestablished: u64,
    /// Datagram peers that are not answered.
    pub refused: u64,
    /// Datagrams that were received and could not be kept. What the kernel has dropped before is not among them.
    pub dropped: u64,
}

/// One thread counts: no locked instruction is needed.
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Counters {
    /// What is lost there counts, too; said once.
    pub fn watch(&self, losses: Vec<Losses>) {
        let _ = self.losses.set(losses);
    }

    /// One more handshake has failed.
    pub fn count_unestablished(&self) {
        add(&self.unestablished, 1);
    }

    /// One more datagram peer is not answered.
    pub fn count_refused(&self) {
        add(&self.refused, 1);
    }

    /// One more connection was reset by its peer.
    pub fn count_reset(&self) {
        add(&self.resets, 1);
    }

    /// One more connection has failed.
    pub fn count_failed(&self) {
        add(&self.failed, 1);
    }

    /// All counts.
    pub fn totals(&self) -> Totals {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            connections: of(&self.connections),
            open: of(&self.connections) - of(&self.ended),
            datagram_peers: of(&self.datagram_peers),
            received: of(&self.received),
            sent: of(&self.sent),
            datagrams: of(&self.datagrams),
            requests: of(&self.requests),
            resets: of(&self.resets),
            failed: of(&self.failed),
            unestablished: of(&self.unestablished),
            refused: of(&self.refused),
            dropped: self.losses.get().into_iter().flatten().map(Losses::count).sum(),
        }
    }
}

/// What one peer has said and was told; counted for all as well.
pub struct Tally {
    received: Cell<u64>,
    sent: Cell<u64>,
    is_heard_out: Cell<bool>,
    is_connection: bool,
    all: Arc<Counters>,
}

impl Tally {
    /// One more peer is there, until this is dropped.
    pub fn new(all: &Arc<Counters>, is_connection: bool) -> Tally {
        add(if is_connection { &all.connections } else { &all.datagram_peers }, 1);
        let (received, sent, is_heard_out) = Default::default();
        Tally { received, sent, is_heard_out, is_connection, all: all.clone() }
    }

    /// The peer has said so many bytes more.
    pub fn add_received(&self, n: u64) {
        self.received.set(self.received.get() + n);
        add(&self.all.received, n);
    }

    /// The peer was told so many bytes more.
    pub fn add_sent(&self, n: u64) {
        self.sent.set(self.sent.get() + n);
        add(&self.all.sent, n);
    }

    /// It has sent so many messages more.
    pub fn add_datagrams(&self, n: u64) {
        add(&self.all.datagrams, n);
    }

    /// One more of its requests was answered.
    pub fn add_request(&self) {
        add(&self.all.requests, 1);
    }

    /// It has said its end.
    pub fn add_end(&self) {
        self.is_heard_out.set(true);
    }

    /// True once the peer has said its end.
    pub fn is_heard_out(&self) -> bool {
        self.is_heard_out.get()
    }

    /// Bytes that the peer has said.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Bytes that it was told.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if self.is_connection {
            add(&self.all.ended, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_gone_is_no_longer_open_but_stays_counted() {
        let all = Arc::new(Counters::default());
        let first = Tally::new(&all, true);
        let second = Tally::new(&all, true);
        first.add_received(3);
        second.add_sent(4);
        drop(first);
        let totals = all.totals();
        assert_eq!((totals.connections, totals.open), (2, 1));
        assert_eq!((totals.received, totals.sent), (3, 4));
        drop(second);
        assert_eq!(all.totals().open, 0);
    }
}
