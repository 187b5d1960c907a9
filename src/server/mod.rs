//! The accept loop: who may come in, how many at once, and how it all ends.

mod access;
mod arrivals;
mod open;
mod ready;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub use access::Access;
pub use arrivals::Arrivals;
pub use ready::{PortFile, notify_systemd, tell_ready_fd};

use pin_project_lite::pin_project;

use crate::endpoint::{Incoming, Listener};
use crate::event_loop::{Stop, drop_tasks, sleep, spawn, timeout, yield_now};
use crate::process::end_left_behind;
use crate::report::{Event, Events};
use open::{Awaited, Counted, Open};

/// First pause after accept(2) has failed; it doubles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Peers accepted in a row before those already connected get a turn.
const BATCH: u32 = 16;

/// The rules of a service.
pub struct Rules {
    /// Connections at once; beyond it peers wait in the backlog. Who has yet to shake hands is not counted.
    pub max_conns: usize,
    /// Those who have yet to do so by this door; beyond it the one that came first makes room.
    pub max_handshakes: usize,
    /// Connections in all, after which the service ends; only those that could be served are counted. A datagram peer
    /// is one until it falls silent.
    pub max_total: Option<u64>,
    /// Who may connect.
    pub access: Access,
    /// How long connected peers may take to finish once the service stops.
    pub grace: Duration,
    /// How long to wait for the first peer.
    pub accept_timeout: Option<Duration>,
    /// Tell of each connection; naming peers that nobody asks about would slow every one down.
    pub talkative: bool,
}

/// Why a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to, or has served `max_total` peers; all have finished.
    Drained,
    /// Connections were still open when the grace was over or a second signal came.
    Cut,
    /// Nobody came in time.
    NobodyCame,
}

/// Where peers come in, and who may.
pub struct Door {
    /// What they connect to.
    pub listener: Listener,
    /// Counts of connections in them are of all doors together.
    pub rules: Arc<Rules>,
}

/// What all doors have in common.
struct Service<'a, H> {
    events: &'a Events,
    open: Rc<Open>,
    handle: Rc<H>,
    last_id: Cell<u64>,
    /// Whether peers come in elsewhere, too.
    has_many_doors: bool,
}

impl<H> Service<'_, H> {
    /// The next peer, once there is room for it.
    async fn next_peer(&self, listener: &mut Listener, max_conns: usize) -> io::Result<Incoming> {
        loop {
            self.open.has_room(max_conns).await;
            if !self.has_many_doors {
                return listener.accept().await;
            }
            tokio::select! {
                biased;
                // By another door somebody has taken the last place.
                () = self.open.is_full(max_conns) => {}
                accepted = listener.accept() => return accepted,
            }
        }
    }
}

/// Serves peers until `stop` resolves or `max_total` is reached, then lets those connected finish.
/// A peer's failure never ends the service; `handle` reports it by itself, and answers nothing for whom it does not
/// serve.
pub async fn serve<F>(
    doors: Vec<Door>,
    events: &Events,
    stop: &mut (dyn Stop + '_),
    handle: impl Fn(Incoming, u64) -> Option<F> + 'static,
) -> End
where
    F: Future<Output = ()> + 'static,
{
    let Some(rules) = doors.first().map(|door| door.rules.clone()) else { return End::Drained };
    let open: Rc<Open> = Rc::default();
    let service = Service {
        events,
        open: open.clone(),
        handle: Rc::new(handle),
        last_id: Cell::new(0),
        has_many_doors: doors.len() > 1,
    };
    let awaited = tokio::select! {
        biased;
        () = stop.requested() => Awaited::Connections,
        () = open.enough(rules.max_total) => Awaited::All,
        end = first_end(doors.into_iter().map(|door| accept_loop(door, &service))) => match end {
            Some(end) => return end,
            None => Awaited::All,
        },
    };
    drain(&open, awaited, rules.grace, events, stop).await
}

/// What the first of several futures comes to.
async fn first_end<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> T {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    poll_fn(|cx| {
        let polled = all.iter_mut().map(|one| one.as_mut().poll(cx)).find(Poll::is_ready);
        polled.unwrap_or(Poll::Pending)
    })
    .await
}

async fn drain(
    open: &Rc<Open>,
    awaited: Awaited,
    grace: Duration,
    events: &Events,
    stop: &mut (dyn Stop + '_),
) -> End {
    notify_systemd("STOPPING=1");
    open.stop();
    stop.draining();
    if open.count(awaited) > 0 {
        events(&Event::Draining { connections: open.count(awaited) });
    }
    tokio::select! {
        drained = timeout(grace, open.is_empty(awaited)) => {
            if drained.is_ok() {
                return End::Drained;
            }
        }
        () = stop.requested() => {}
    }
    // What is under way ends as it would if we were killed, so that no peer takes it for whole. Programs get as long
    // again to end by themselves.
    drop_tasks();
    end_left_behind(grace, stop.requested()).await;
    End::Cut
}

async fn accept_loop<F, H>(door: Door, service: &Service<'_, H>) -> Option<End>
where
    F: Future<Output = ()> + 'static,
    H: Fn(Incoming, u64) -> Option<F> + 'static,
{
    let Door { mut listener, rules } = door;
    let Service { events, open, handle, last_id, .. } = service;
    let arrivals = Arrivals::new(rules.max_handshakes);
    let (mut in_a_row, mut pause) = (0_u32, FIRST_PAUSE);
    let first_by = rules.accept_timeout.map(|time| Instant::now() + time);
    while !open.is_enough(rules.max_total) {
        let next = service.next_peer(&mut listener, rules.max_conns);
        let accepted = match first_by.filter(|_| last_id.get() == 0) {
            Some(at) => {
                match timeout(at.saturating_duration_since(Instant::now()), next).await {
                    Ok(accepted) => accepted,
                    // By another door, perhaps.
                    Err(_) if last_id.get() > 0 => continue,
                    Err(_) => return Some(End::NobodyCame),
                }
            }
            None => next.await,
        };
        let incoming = match accepted {
            Ok(incoming) => incoming,
            Err(why) => {
                pause_accepting(&why, &mut pause, events).await;
                continue;
            }
        };
        pause = FIRST_PAUSE;
        in_a_row += 1;
        if in_a_row == BATCH {
            in_a_row = 0;
            yield_now().await;
        }
        if !rules.access.allows(incoming.peer.address()) {
            events(&Event::Rejected { peer: incoming.peer.to_string(), why: "not allowed" });
            continue;
        }
        let id = last_id.get() + 1;
        last_id.set(id);
        if rules.talkative {
            events(&Event::Accepted { id, peer: incoming.peer.to_string() });
        }
        match incoming.is_established() {
            true => begin(incoming, id, open, &rules, handle),
            false => establish(incoming, id, &arrivals, service, &rules),
        }
    }
    None
}

/// Serves a peer that can be served at once.
fn begin<F>(
    incoming: Incoming,
    id: u64,
    open: &Rc<Open>,
    rules: &Rules,
    handle: &Rc<impl Fn(Incoming, u64) -> Option<F> + 'static>,
) where
    F: Future<Output = ()> + 'static,
{
    if !open.begins(rules.max_total) {
        // By another door the last one has come in.
        return;
    }
    let guard = match incoming.endpoint.is_datagram() {
        true => open.hear(),
        false => open.enter(),
    };
    if let Some(session) = handle(incoming, id) {
        spawn(Served { session, _guard: guard });
    }
}

pin_project! {
    /// A session that counts until it is dropped. An async block would do the same, with a second copy of the session
    /// and a state of its own to be looked at for each message.
    struct Served<F> {
        #[pin]
        session: F,
        _guard: Counted,
    }
}

impl<F: Future<Output = ()>> Future for Served<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().session.poll(cx)
    }
}

/// Serves a peer once it has shaken hands; it has a place from then on.
fn establish<F, H>(
    incoming: Incoming,
    id: u64,
    arrivals: &Rc<Arrivals>,
    service: &Service<'_, H>,
    rules: &Arc<Rules>,
) where
    F: Future<Output = ()> + 'static,
    H: Fn(Incoming, u64) -> Option<F> + 'static,
{
    let Service { events, open, handle, .. } = service;
    let (events, open, handle) = (Events::clone(events), open.clone(), handle.clone());
    let (arrivals, rules) = (arrivals.clone(), rules.clone());
    spawn(async move {
        // Boxed: an established session keeps no room for it.
        match Box::pin(open.establish(incoming, &arrivals, rules.max_conns)).await {
            Ok(Some((incoming, _counted))) => match open.begins(rules.max_total) {
                true => {
                    if let Some(session) = handle(incoming, id) {
                        session.await;
                    }
                }
                false => incoming.turn_away().await,
            },
            Ok(None) => {}
            Err(failure) => events(&Event::Unestablished { id, failure }),
        }
    });
}

/// Out of descriptors or memory: waiting is all that helps, and a bare loop would take a whole core.
async fn pause_accepting(why: &io::Error, pause: &mut Duration, events: &Events) {
    if *pause == FIRST_PAUSE {
        events(&Event::AcceptPaused(crate::error::plain(&why.to_string())));
    }
    sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}
