//! The life of one session: bytes both ways between two endpoints, until there is a reason to end.

mod closing;
mod direction;
mod limits;
mod outcome;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub use closing::{abort, leave, leave_at_once, reset};
pub use direction::{Direction, Ending};
pub use limits::{Clock, Finish, Limits};
pub use outcome::{Outcome, Report, Side};

use crate::endpoint::{Descriptor, Endpoint, Sink, Stream, forsaken};
use crate::event_loop::{Never, Stop, timeout};
use crate::process::ChildStatus;

/// A session in progress: `up` carries left to right, `down` right to left.
pub struct Relay {
    left: Endpoint,
    right: Endpoint,
    up: Direction,
    down: Direction,
    /// A side whose peer refused bytes; what it still says is read to its end before that is reported.
    broken: Option<Side>,
    limits: Arc<Limits>,
    clock: Clock,
    /// Resolves when a child's peer is gone and the child need not be waited for.
    forsaken: Option<Pin<Box<dyn Future<Output = ()>>>>,
    started: Instant,
    /// It has a reason to end, and is being ended as that asks.
    is_ending: bool,
}

impl Relay {
    /// A session that has not begun to move bytes. Boxed: it is handed on a few times on its way to its task.
    pub fn new(left: Endpoint, right: Endpoint, limits: impl Into<Arc<Limits>>) -> Box<Relay> {
        let started = Instant::now();
        let limits = limits.into();
        let most_messages = match limits.finish {
            Finish::Messages(n) => Some(n),
            _ => None,
        };
        Box::new(Relay {
            left,
            right,
            up: Direction::default(),
            down: Direction::up_to(most_messages),
            broken: None,
            limits,
            clock: Clock::default(),
            forsaken: None,
            started,
            is_ending: false,
        })
    }

    /// Counts the session from `started` on, which includes the time that opening its ends took.
    pub fn since(mut self: Box<Self>, started: Instant) -> Box<Relay> {
        self.started = started;
        self
    }

    /// Moves bytes until the session has a reason to end, then closes both ends as that reason asks.
    pub async fn run(mut self: Box<Self>) -> Report {
        let outcome = poll_fn(|cx| self.poll(cx)).await;
        self.is_ending = true;
        if self.is_closed_by(&outcome) {
            return self.report(outcome, None);
        }
        // Boxed: most sessions never get here, and each of 10,000 would carry the room for it.
        Box::pin(async { self.end(outcome, &mut Never).await }).await
    }

    /// As `run`, but ends with `Outcome::Stopped` once `stop` asks for it: at once, or, where `grace` is given,
    /// when that time is over or `stop` asks again. `stopping` is called at the first request.
    pub async fn run_until(
        mut self: Box<Self>,
        stop: &mut dyn Stop,
        grace: Option<Duration>,
        stopping: impl FnOnce(),
    ) -> Report {
        let mut outcome = self.outcome_before(stop.requested()).await;
        if let (None, Some(grace)) = (&outcome, grace.filter(|_| !stop.is_urgent())) {
            stopping();
            let enough = async {
                let _ = timeout(grace, stop.requested()).await;
            };
            outcome = self.outcome_before(enough).await;
        }
        self.end(outcome.unwrap_or(Outcome::Stopped), stop).await
    }

    /// Why the session ends, unless `enough` comes first.
    async fn outcome_before(&mut self, enough: impl Future<Output = ()>) -> Option<Outcome> {
        let mut enough = pin!(enough);
        poll_fn(|cx| match self.poll(cx) {
            Poll::Pending => enough.as_mut().poll(cx).map(|()| None),
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        })
        .await
    }

    /// True when both ends were passed on: nothing is left to say or to wait for.
    fn is_closed_by(&self, outcome: &Outcome) -> bool {
        let nothing_waits = |end: &Endpoint| end.child.is_none() && end.pumps().is_empty();
        self.is_said_by(outcome) && nothing_waits(&self.left) && nothing_waits(&self.right)
    }

    /// True when both ends were passed on, down to the last byte of a TLS session.
    fn is_said_by(&self, outcome: &Outcome) -> bool {
        let is_flushed = |end: &Endpoint| end.sink.tls().is_none_or(Stream::is_flushed);
        let both_ended = matches!(outcome, Outcome::Complete) && self.up.is_done() && self.down.is_done();
        both_ended && is_flushed(&self.left) && is_flushed(&self.right)
    }

    /// Ends what there is to end; a request to stop cuts every wait short.
    async fn end(mut self: Box<Self>, outcome: Outcome, stop: &mut dyn Stop) -> Report {
        self.is_ending = true;
        if !self.is_said_by(&outcome) {
            tokio::select! {
                biased;
                () = closing::close(&mut self, &outcome) => {}
                () = stop.requested() => {}
            }
        }
        let outcome = tokio::select! {
            biased;
            outcome = closing::pumped(&self.left, &self.right, outcome.clone()) => outcome,
            () = stop.requested() => outcome,
        };
        let grace = self.limits.grace;
        let child = match self.left.child.take().or_else(|| self.right.child.take()) {
            Some(child) => Some(closing::end_child(*child, &outcome, grace, stop).await),
            None => None,
        };
        self.report(outcome, child)
    }

    fn report(&self, outcome: Outcome, child: Option<ChildStatus>) -> Report {
        Report {
            sent: self.up.bytes,
            received: self.down.bytes,
            cut_messages: self.up.cut_messages + self.down.cut_messages,
            refused_messages: self.up.refused_messages + self.down.refused_messages,
            sent_tap: self.right.sink.finding(),
            received_tap: self.left.sink.finding(),
            elapsed: self.started.elapsed(),
            outcome,
            child,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        if !self.up.is_done()
            && let Poll::Ready(ending) = self.up.poll(cx, &mut self.left.source, &mut self.right.sink)
            && let Some(outcome) = self.ended(Side::Left, ending)
        {
            return Poll::Ready(outcome);
        }
        if !self.down.is_done()
            && let Poll::Ready(ending) = self.down.poll(cx, &mut self.right.source, &mut self.left.sink)
            && let Some(outcome) = self.ended(Side::Right, ending)
        {
            return Poll::Ready(outcome);
        }
        if let Some(outcome) = self.poll_children(cx) {
            return Poll::Ready(outcome);
        }
        if let Some(outcome) = self.finished() {
            return Poll::Ready(outcome);
        }
        for side in [Side::Left, Side::Right] {
            if self.poll_reset(cx, side).is_ready() {
                return Poll::Ready(Outcome::Reset(side));
            }
            // Who has read some and then left wants no more, though the next write may be hours away.
            if self.direction_from(side.other()).bytes > 0 && self.sink(side).poll_abandoned(cx).is_ready() {
                return Poll::Ready(Outcome::OutputClosed);
            }
        }
        let moved = self.up.bytes + self.down.bytes;
        let half_closed = self.up.is_done() || self.down.is_done();
        self.clock.poll(cx, &self.limits, self.started, moved, half_closed)
    }

    /// What the end of the direction that reads from `side` means for the session.
    fn ended(&mut self, side: Side, ending: Ending) -> Option<Outcome> {
        let writer = side.other();
        match ending {
            Ending::Eof => None,
            Ending::SourceFailed(error) => Some(match (self.broken, Outcome::of_read(side, &error)) {
                // Before it closed on us it has said why.
                (_, outcome @ Outcome::Broken(..)) => outcome,
                (Some(broken), _) => Outcome::Reset(broken),
                (None, outcome) => outcome,
            }),
            Ending::SinkFailed(error) => match Outcome::of_write(writer, &error, self.sink(writer)) {
                // The peer may have answered before it closed: read that first.
                Outcome::Reset(broken) if !self.direction_from(broken).is_done() => {
                    self.broken = Some(broken);
                    // The failed write took the error with it: what is read next looks like a clean end.
                    match broken {
                        Side::Left => self.up.withhold_end = true,
                        Side::Right => self.down.withhold_end = true,
                    }
                    None
                }
                outcome => Some(outcome),
            },
        }
    }

    fn finished(&self) -> Option<Outcome> {
        let (up, down) = (self.up.is_done(), self.down.is_done());
        if let Some(side) = self.broken
            && self.direction_from(side).is_done()
        {
            return Some(Outcome::Reset(side));
        }
        let enough = match self.limits.finish {
            Finish::BothEnd => {
                (up || self.is_idle_talk(Side::Left)) && (down || self.is_idle_talk(Side::Right))
            }
            Finish::RightEnds => down && (up || !self.up.has_unsent()),
            Finish::LeftEnds => up && (down || !self.down.has_unsent()),
            Finish::Messages(n) => (up && down) || (self.down.messages >= n && !self.down.has_unsent()),
            // Whoever has pressed the key that ends it does not wait for the peer.
            Finish::EitherEnds if up => return Some(Outcome::Quiet),
            Finish::EitherEnds => down && !self.up.has_unsent(),
        };
        enough.then_some(Outcome::Complete)
    }

    /// What `side` says goes nowhere, and it is no peer that must be heard to its end (stdin, a file).
    fn is_idle_talk(&self, side: Side) -> bool {
        let speaker = match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        };
        let is_peer = |fd: &Arc<Descriptor>| fd.kind().is_socket();
        self.sink(side.other()).is_discard()
            && speaker.child.is_none()
            && !speaker.source.stream().is_some_and(is_peer)
    }

    /// Ready when the peer on `side` has said its end and resets the connection now: reading tells no more of it,
    /// and the other side may say nothing for hours. A child is left the time that `forsaken` gives it.
    fn poll_reset(&self, cx: &Context<'_>, side: Side) -> Poll<()> {
        let (peer, other) = match side {
            Side::Left => (&self.left, &self.right),
            Side::Right => (&self.right, &self.left),
        };
        match peer.source.stream() {
            Some(fd) if self.direction_from(side).is_done() && other.child.is_none() => fd.poll_failed(cx),
            _ => Poll::Pending,
        }
    }

    /// A child that has ended ends the session once its output is read, or soon after:
    /// a grandchild may hold the pipe for ever.
    fn poll_children(&mut self, cx: &mut Context<'_>) -> Option<Outcome> {
        if self.left.child.is_none() && self.right.child.is_none() {
            return None;
        }
        for side in [Side::Left, Side::Right] {
            let (endpoint, output) = match side {
                Side::Left => (&mut self.left, &self.up),
                Side::Right => (&mut self.right, &self.down),
            };
            let Some(child) = &mut endpoint.child else { continue };
            if child.poll_exit(cx).is_ready() {
                if output.is_done() {
                    return Some(Outcome::ChildExited(side));
                }
                match endpoint.source.holds_back() || output.has_unsent() {
                    true => self.clock.child_is_not_heard_out(),
                    false => self.clock.child_has_exited(side),
                }
            } else if self.poll_forsaken(cx, side).is_ready() {
                return Some(Outcome::Departed(side.other()));
            }
        }
        None
    }

    /// Once the input of the child on `side` has ended: is its peer gone, too?
    fn poll_forsaken(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<()> {
        let (input, sink, peer) = match side {
            Side::Left => (&self.down, &mut self.left.sink, &self.right),
            Side::Right => (&self.up, &mut self.right.sink, &self.left),
        };
        if !input.is_done() || !peer.lingers {
            return Poll::Pending;
        }
        let Some(fd) = peer.source.stream() else { return Poll::Pending };
        let forsaken = self.forsaken.get_or_insert_with(|| {
            Box::pin(forsaken(fd.clone(), sink.take_unread(), input.bytes, self.limits.grace))
        });
        forsaken.as_mut().poll(cx)
    }

    fn direction_from(&self, side: Side) -> &Direction {
        match side {
            Side::Left => &self.up,
            Side::Right => &self.down,
        }
    }

    fn sink(&self, side: Side) -> &Sink {
        match side {
            Side::Left => &self.left.sink,
            Side::Right => &self.right.sink,
        }
    }
}

/// A service that waits no longer drops its sessions: TLS peers that lose nothing by it hear of the end. What a program
/// still had to say is lost.
impl Drop for Relay {
    fn drop(&mut self) {
        let has_program = self.left.child.is_some() || self.right.child.is_some();
        if !self.is_ending && !has_program {
            closing::leave_tls(self);
        }
    }
}
