//! The connections that a service has: those that are served, and those on their way to it.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use tokio::sync::Notify;

use super::arrivals::Arrivals;
use crate::endpoint::Incoming;
use crate::error::Failure;
use crate::event_loop::sleep;

/// Counts connections and tells when one begins to be served, or ends.
#[derive(Default)]
pub struct Open {
    served_now: Cell<usize>,
    /// Datagram peers that are served, none of which takes a place.
    heard_now: Cell<usize>,
    /// Those that shake hands, or have done so and wait for a place.
    coming: Cell<usize>,
    /// Those of them that wait for a place.
    queued: Cell<usize>,
    served_in_all: Cell<u64>,
    is_stopping: Cell<bool>,
    changed: Notify,
}

/// For whom the end of a service waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Connections: a datagram peer never says that it has finished.
    Connections,
    /// Datagram peers, too, until they fall silent.
    All,
}

/// One more in a count, until it is dropped.
pub struct Counted {
    open: Rc<Open>,
    count: fn(&Open) -> &Cell<usize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let count = (self.count)(&self.open);
        count.set(count.get() - 1);
        self.open.changed.notify_waiters();
    }
}

impl Open {
    fn counted(self: &Rc<Self>, count: fn(&Open) -> &Cell<usize>) -> Counted {
        count(self).set(count(self).get() + 1);
        Counted { open: self.clone(), count }
    }

    /// One more is served, until the answer is dropped.
    pub fn enter(self: &Rc<Self>) -> Counted {
        self.counted(|open| &open.served_now)
    }

    /// One more datagram peer is served, until the answer is dropped.
    pub fn hear(self: &Rc<Self>) -> Counted {
        self.counted(|open| &open.heard_now)
    }

    /// Those that the end waits for.
    pub fn count(&self, awaited: Awaited) -> usize {
        let connections = self.served_now.get() + self.coming.get();
        match awaited {
            Awaited::Connections => connections,
            Awaited::All => connections + self.heard_now.get(),
        }
    }

    /// From now on whoever has not begun to shake hands is too late.
    pub fn stop(&self) {
        self.is_stopping.set(true);
    }

    /// Resolves when a new peer could be served: those who wait for a place already come first.
    pub async fn has_room(&self, max_conns: usize) {
        self.until(|open| open.has_place(max_conns)).await;
    }

    /// Resolves when none could be.
    pub async fn is_full(&self, max_conns: usize) {
        self.until(|open| !open.has_place(max_conns)).await;
    }

    fn has_place(&self, max_conns: usize) -> bool {
        self.served_now.get() + self.queued.get() < max_conns
    }

    /// Resolves when none of them is left.
    pub async fn is_empty(&self, awaited: Awaited) {
        self.until(|open| open.count(awaited) == 0).await;
    }

    /// Counts one that is served, unless there were enough.
    pub fn begins(&self, max_total: Option<u64>) -> bool {
        if self.is_enough(max_total) {
            return false;
        }
        self.served_in_all.set(self.served_in_all.get() + 1);
        self.changed.notify_waiters();
        true
    }

    /// True when so many were served.
    pub fn is_enough(&self, max_total: Option<u64>) -> bool {
        max_total.is_some_and(|total| self.served_in_all.get() >= total)
    }

    /// Resolves when `max_total` is reached.
    pub async fn enough(&self, max_total: Option<u64>) {
        match max_total {
            Some(_) => self.until(|open| open.is_enough(max_total)).await,
            None => std::future::pending().await,
        }
    }

    /// Establishes a peer and gets it a place; `None` where the service stops before it has begun. Its place is taken
    /// once it has shaken hands: who cannot do so (a client without the certificate it needs) takes none from others.
    pub async fn establish(
        self: &Rc<Self>,
        mut incoming: Incoming,
        arrivals: &Rc<Arrivals>,
        max_conns: usize,
    ) -> Result<Option<(Incoming, Counted)>, Failure> {
        let arrival = arrivals.enter(&incoming);
        arrival.first_word(&mut incoming).await?;
        if self.is_stopping.get() {
            return Ok(None);
        }
        let _coming = self.counted(|open| &open.coming);
        let incoming = arrival.establish(incoming).await?;
        drop(arrival);
        self.place(incoming, max_conns).await.map(Some)
    }

    /// Waits for a place as long as the handshake could take, and while the peer is there.
    async fn place(
        self: &Rc<Self>,
        incoming: Incoming,
        max_conns: usize,
    ) -> Result<(Incoming, Counted), Failure> {
        let _queued = self.counted(|open| &open.queued);
        let (peer, patience) = (incoming.peer.to_string(), incoming.patience());
        let why = tokio::select! {
            biased;
            () = self.until(|open| open.served_now.get() < max_conns) => return Ok((incoming, self.enter())),
            () = incoming.gone() => "it has left before there was a place for it (--max-conns)".to_owned(),
            () = sleep(patience) => format!("there was no place for it within {patience:?} (--max-conns)"),
        };
        incoming.turn_away().await;
        Err(Failure::timeout(peer, why))
    }

    async fn until(&self, holds: impl Fn(&Open) -> bool) {
        loop {
            // Registered before the look, so that no change in between is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }
}
