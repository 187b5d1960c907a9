//! One peer after the other: who is next, while others shake hands.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Server, nobody_came};
use crate::endpoint::{Incoming, Listener};
use crate::error::{Failure, plain};
use crate::event_loop::{sleep, spawn, timeout};
use crate::report::{Event, Events};
use crate::server::{Arrivals, Rules};

/// Peers that shake hands, each in a task of its own. Whoever is done first is served: one that stalls holds nobody
/// up.
pub(super) struct Handshakes {
    arrivals: Rc<Arrivals>,
    done: UnboundedSender<Established>,
    results: UnboundedReceiver<Established>,
}

type Established = (Result<Incoming, Failure>, u64);

impl Handshakes {
    pub(super) fn new(most: usize) -> Handshakes {
        let (done, results) = unbounded_channel();
        Handshakes { arrivals: Arrivals::new(most), done, results }
    }

    fn begin(&self, mut incoming: Incoming, id: u64) {
        let (arrival, done) = (self.arrivals.enter(&incoming), self.done.clone());
        spawn(async move {
            let established = match arrival.first_word(&mut incoming).await {
                Ok(()) => arrival.establish(incoming).await,
                Err(failure) => Err(failure),
            };
            drop(arrival);
            if let Err(SendError((Ok(incoming), _))) = done.send((established, id)) {
                incoming.turn_away().await;
            }
        });
    }

    /// Nobody else is served: whoever has shaken hands is sent away, and so are those who do so from now on.
    pub(super) fn end(&mut self) {
        self.results.close();
        while let Ok((established, _)) = self.results.try_recv() {
            if let Ok(incoming) = established {
                spawn(incoming.turn_away());
            }
        }
    }

    /// The next one that comes to an end; never, where there is none.
    async fn next(&mut self) -> Established {
        match self.results.recv().await {
            Some(established) => established,
            None => std::future::pending().await,
        }
    }
}

/// What becomes of a service when a handshake fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPeers {
    /// It was the one connection that was waited for.
    EndIt,
    /// It is told, and the next one is waited for.
    AreTold,
}

/// The next peer that may connect; `None` when a signal came first.
pub async fn accept_one(
    server: &mut Server,
    bad_peers: BadPeers,
) -> Result<Option<(Incoming, u64)>, Failure> {
    let Server { listener, rules, events, interrupts, accepted, served, handshakes, .. } = server;
    let Some(listener) = listener else { return Ok(None) };
    let accept = established(listener, rules, events, accepted, handshakes, bad_peers);
    let limited = async {
        match rules.accept_timeout {
            Some(limit) => timeout(limit, accept).await.unwrap_or_else(|_| Err(nobody_came())),
            None => accept.await,
        }
    };
    tokio::select! {
        incoming = limited => {
            *served += 1;
            incoming.map(Some)
        }
        () = interrupts.ended() => Ok(None),
    }
}

/// The next peer that can be served, and its number.
async fn established(
    listener: &mut Listener,
    rules: &Rules,
    events: &Events,
    last_id: &mut u64,
    handshakes: &mut Handshakes,
    bad_peers: BadPeers,
) -> Result<(Incoming, u64), Failure> {
    let mut is_paused = false;
    loop {
        let accepted = tokio::select! {
            biased;
            (established, id) = handshakes.next() => match (established, bad_peers) {
                (Ok(incoming), _) => return Ok((incoming, id)),
                (Err(failure), BadPeers::EndIt) => return Err(failure),
                (Err(failure), BadPeers::AreTold) => {
                    events(&Event::Unestablished { id, failure });
                    continue;
                }
            },
            accepted = listener.accept() => accepted,
        };
        is_paused &= accepted.is_err();
        match accepted {
            Ok(incoming) if rules.access.allows(incoming.peer.address()) => {
                *last_id += 1;
                events(&Event::Accepted { id: *last_id, peer: incoming.peer.to_string() });
                match incoming.is_established() {
                    true => return Ok((incoming, *last_id)),
                    false => handshakes.begin(incoming, *last_id),
                }
            }
            Ok(incoming) => {
                events(&Event::Rejected { peer: incoming.peer.to_string(), why: "not allowed" });
            }
            Err(why) => {
                if !std::mem::replace(&mut is_paused, true) {
                    events(&Event::AcceptPaused(plain(&why.to_string())));
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
