//! The end of a session: say the end, let the peer read what it was sent, or pass a reset on.

use std::future::poll_fn;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::io::Errno;

use super::Relay;
use super::outcome::{Outcome, Side};
use crate::endpoint::{Descriptor, Endpoint, Kind, Stream};
use crate::event_loop::{Stop, sleep, timeout};
use crate::process::{Child, ChildStatus};

/// How long to go on reading from a peer that was told the end: close(2) with unread input sends a reset,
/// which destroys what is still on its way to the peer (RFC 1122, 4.2.2.13).
const LINGER: Duration = Duration::from_secs(2);
/// How long bytes may take to be acknowledged before the reset that follows them.
const FLUSH: Duration = Duration::from_secs(1);
/// Reads of what a peer has sent already and nobody wants.
const MOST_UNREAD: u32 = 16;
/// The same where each brings one record, however short.
const MOST_UNREAD_RECORDS: u32 = 1024;
/// First pause between two looks at a socket's send queue.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Closes both ends as `outcome` asks.
pub async fn close(relay: &mut Relay, outcome: &Outcome) {
    match outcome {
        Outcome::Reset(side)
        | Outcome::Vanished(side)
        | Outcome::Truncated(side)
        | Outcome::Broken(side, _) => reset_other(relay, *side).await,
        Outcome::OutputClosed => abort(&relay.right),
        Outcome::Stopped => leave_tls(relay),
        // A time limit is a bound: nobody is waited for.
        Outcome::Limit(_) | Outcome::Quiet => {
            half_close_both(relay);
            leave_tls(relay);
            for end in [&relay.left, &relay.right] {
                drop_unread(end);
            }
        }
        _ => linger_both(relay).await,
    }
}

/// What was received before the reset is delivered; then the other side hears of the reset too.
async fn reset_other(relay: &mut Relay, failed: Side) {
    let (direction, endpoint) = match failed {
        Side::Left => (&mut relay.up, &mut relay.right),
        Side::Right => (&mut relay.down, &mut relay.left),
    };
    let _ = timeout(FLUSH, poll_fn(|cx| direction.poll_flush(cx, &mut endpoint.sink))).await;
    if let Some(fd) = endpoint.sink.socket_fd() {
        let _ = timeout(FLUSH, acknowledged(fd)).await;
    }
    abort(endpoint);
}

/// Waits until the peer's kernel has everything that was written.
async fn acknowledged(fd: &Arc<Descriptor>) {
    let mut pause = LOOK_AGAIN;
    while matches!(crate::endpoint::unsent_bytes(fd.as_fd()), Ok(n) if n > 0) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Makes the coming close(2) send a reset instead of a clean end.
pub fn abort(endpoint: &Endpoint) {
    if let Some(fd) = own_socket(endpoint) {
        let socket = socket2::SockRef::from(&**fd);
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

/// The socket of an endpoint; not one that we have inherited: options would stay with those who go on using it.
fn own_socket(endpoint: &Endpoint) -> Option<&Arc<Descriptor>> {
    endpoint.sink.socket_fd().or(endpoint.source.stream()).filter(|_| endpoint.lingers)
}

fn half_close_both(relay: &mut Relay) {
    if !relay.down.is_done() {
        relay.left.sink.half_close();
    }
    if !relay.up.is_done() {
        relay.right.sink.half_close();
    }
}

/// Says the end of TLS sessions, as far as that is possible at once: without it their peers take it for a cut. Where
/// something on its way to them is lost, it is one, and must look like one (RFC 8446, 6.1).
pub fn leave_tls(relay: &mut Relay) {
    let Relay { left, right, up, down, .. } = relay;
    for (end, to_it, from) in [(&*left, &*down, &right.source), (&*right, &*up, &left.source)] {
        if let Some(stream) = end.sink.tls()
            && !to_it.is_cut_short(from)
        {
            stream.leave();
            drop_unread(end);
        }
    }
}

/// Takes what has come already, so that the close does not turn into a reset.
fn drop_unread(endpoint: &Endpoint) {
    if let Some(fd) = endpoint.source.own_socket().filter(|_| endpoint.lingers) {
        let mut scrap = crate::pool::Buffer::lend(true);
        let mut nobody = Context::from_waker(Waker::noop());
        // So much at most: it is what had come, not what is still to come.
        let most = if fd.kind() == Kind::Message { MOST_UNREAD_RECORDS } else { MOST_UNREAD };
        for _ in 0..most {
            match fd.poll_scrap(&mut nobody, &mut scrap) {
                Poll::Ready(Ok(false)) => {}
                _ => return,
            }
        }
    }
}

async fn linger_both(relay: &mut Relay) {
    half_close_both(relay);
    let Relay { left, right, up, down, .. } = relay;
    tokio::join!(end_tls(left), end_tls(right));
    let (left, right) = (still_heard(left, up.source_ended()), still_heard(right, down.source_ended()));
    tokio::join!(linger(left), linger(right));
}

/// Says the end to one peer, and lets it read what it was sent, as long as it does so; `is_heard_out` where it has said
/// its own.
pub async fn leave(endpoint: &mut Endpoint, is_heard_out: bool) {
    endpoint.sink.half_close();
    if let Some(stream) = endpoint.sink.tls() {
        while_it_takes(stream.fd(), stream.linger(), poll_fn(|cx| stream.poll_end(cx))).await;
        stream.leave();
    }
    if let Some((fd, time)) = still_heard(endpoint, is_heard_out) {
        while_it_takes(&fd, time, fd.drain()).await;
    }
}

/// Makes the coming close(2) send a reset, once the peer has what it was sent.
pub async fn reset(endpoint: &Endpoint) {
    if let Some(fd) = own_socket(endpoint) {
        while_it_takes(fd, FLUSH, acknowledged(fd)).await;
    }
    abort(endpoint);
}

/// Waits for `step`: so long, and as long again whenever the peer has taken some of what it was sent meanwhile.
async fn while_it_takes<T>(fd: &Descriptor, time: Duration, step: impl Future<Output = T>) {
    let unsent = || crate::endpoint::unsent_bytes(fd.as_fd()).unwrap_or(0);
    let (mut step, mut before) = (pin!(step), unsent());
    while timeout(time, step.as_mut()).await.is_err() {
        let left = unsent();
        if left == 0 || left >= before {
            return;
        }
        before = left;
    }
}

/// The same without waiting for anything.
pub fn leave_at_once(endpoint: &mut Endpoint) {
    endpoint.sink.half_close();
    if let Some(stream) = endpoint.sink.tls() {
        stream.leave();
    }
    drop_unread(endpoint);
}

/// The socket of a peer that may still be saying something, and how long to listen.
fn still_heard(endpoint: &Endpoint, ended: bool) -> Option<(Arc<Descriptor>, Duration)> {
    let is_socket = |fd: &&Arc<Descriptor>| {
        matches!(fd.kind(), Kind::Tcp | Kind::Local | Kind::OtherStream | Kind::Message)
    };
    let fd = endpoint.source.own_socket().filter(is_socket)?;
    let time = endpoint.sink.tls().map_or(LINGER, Stream::linger);
    (endpoint.lingers && !ended).then(|| (fd.clone(), time))
}

/// Says the end of a TLS session, and then of the connection below it, where that is still to be done.
async fn end_tls(endpoint: &Endpoint) {
    if let Some(stream) = endpoint.sink.tls() {
        // What stands before it must be read first, which takes the peer as long as it is given.
        let _ = timeout(stream.linger(), poll_fn(|cx| stream.poll_end(cx))).await;
        stream.leave();
    }
}

async fn linger(socket: Option<(Arc<Descriptor>, Duration)>) {
    if let Some((fd, time)) = socket {
        // The socket itself: what is thrown away needs no rate and no delay.
        let _ = timeout(time, fd.drain()).await;
    }
}

/// Waits for the child of an ended session: gently where it saw the end of its input, else with signals. A request
/// to stop kills it.
pub async fn end_child(
    mut child: Child,
    outcome: &Outcome,
    grace: Duration,
    stop: &mut dyn Stop,
) -> ChildStatus {
    let peer_is_gone = !matches!(outcome, Outcome::Complete | Outcome::ChildExited(_) | Outcome::Quiet);
    let gently = async |child: &mut Child| {
        if peer_is_gone || timeout(grace, child.exited()).await.is_err() {
            child.end(grace).await;
        }
    };
    tokio::select! {
        biased;
        () = gently(&mut child) => {}
        () = stop.requested() => {}
    }
    child.kill();
    child.exited().await;
    child.status()
}

/// Waits until the threads that write for these ends have written everything, unless there is no time for it; says
/// what went wrong there.
pub async fn pumped(left: &Endpoint, right: &Endpoint, outcome: Outcome) -> Outcome {
    let is_bound = matches!(outcome, Outcome::Limit(_) | Outcome::Stopped);
    for (side, end) in [(Side::Left, left), (Side::Right, right)] {
        for pump in end.pumps() {
            if !is_bound {
                pump.finished().await;
            }
            match pump.error() {
                Some(Errno::PIPE) => return Outcome::OutputClosed,
                Some(why) => return Outcome::Failed(side, crate::error::plain(&why.to_string())),
                None => {}
            }
        }
    }
    outcome
}
