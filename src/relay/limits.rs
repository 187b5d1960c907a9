//! The time limits of a session, with one timer that exists only while some limit can run out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::outcome::{Limit, Outcome, Side};
use crate::event_loop::{Sleep, sleep_until};

/// How long a child's output may stay open after the child itself has ended.
const GRANDCHILD_WAIT: Duration = Duration::from_secs(1);

/// When a session has done its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Both sides have said their end.
    BothEnd,
    /// The right side has: an idle stdin never holds a finished session.
    RightEnds,
    /// The left side has (`--send-only`).
    LeftEnds,
    /// So many messages came from the right (`-W`).
    Messages(u32),
    /// Either side has (a raw terminal: the left side ends by its escape key).
    EitherEnds,
}

/// The limits of one session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What counts as done.
    pub finish: Finish,
    /// Nothing moves in either direction.
    pub idle: Option<Duration>,
    /// Nothing moves after one side has ended.
    pub half_closed: Option<Duration>,
    /// Running out of `idle` is the usual end (datagrams), not a failure.
    pub idle_is_fine: bool,
    /// Running out of `half_closed` is the usual end (datagrams, `-q`), not a failure.
    pub half_closed_is_fine: bool,
    /// The whole session.
    pub deadline: Option<Duration>,
    /// How long a child may take to end after its peer is gone.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            finish: Finish::BothEnd,
            idle: None,
            half_closed: None,
            idle_is_fine: false,
            half_closed_is_fine: false,
            deadline: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// Watches the limits of one session; empty until some limit can run out.
#[derive(Default)]
pub struct Clock(Option<Box<Watch>>);

struct Watch {
    timer: Sleep,
    last_move: Instant,
    moved: u64,
    half_closed_since: Option<Instant>,
    child_exit: Option<(Side, Instant)>,
}

impl Clock {
    fn start(&mut self) -> &mut Watch {
        self.0.get_or_insert_with(|| {
            let now = Instant::now();
            Box::new(Watch {
                timer: sleep_until(now),
                last_move: now,
                moved: 0,
                half_closed_since: None,
                child_exit: None,
            })
        })
    }

    /// From now on the child's output has little time to end.
    pub fn child_has_exited(&mut self, side: Side) {
        self.start().child_exit.get_or_insert_with(|| (side, Instant::now()));
    }

    /// What the child has said waits for the other side: its output is not over yet.
    pub fn child_is_not_heard_out(&mut self) {
        if let Some(watch) = &mut self.0 {
            watch.child_exit = None;
        }
    }

    /// Ready when a limit has run out; `moved` is the count of all bytes moved so far.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        started: Instant,
        moved: u64,
        half_closed: bool,
    ) -> Poll<Outcome> {
        let half_closed = half_closed && limits.half_closed.is_some();
        let watching = half_closed || limits.idle.is_some() || limits.deadline.is_some() || self.0.is_some();
        if !watching {
            return Poll::Pending;
        }
        let watch = self.start();
        let now = Instant::now();
        if moved != watch.moved {
            watch.moved = moved;
            watch.last_move = now;
        }
        if half_closed {
            watch.half_closed_since.get_or_insert(now);
        }
        loop {
            let Some((at, outcome)) = watch.next_end(limits, started) else { return Poll::Pending };
            if at <= Instant::now() {
                return Poll::Ready(outcome);
            }
            if watch.timer.deadline() != Some(at) {
                watch.timer.reset(at);
            }
            if Pin::new(&mut watch.timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Watch {
    /// The limit that runs out first.
    fn next_end(&self, limits: &Limits, started: Instant) -> Option<(Instant, Outcome)> {
        let quiet = |since: Instant, time: Duration| since.max(self.last_move).checked_add(time);
        let idle = limits.idle.and_then(|time| quiet(self.last_move, time));
        let half =
            self.half_closed_since.zip(limits.half_closed).and_then(|(since, time)| quiet(since, time));
        let child = self
            .child_exit
            .and_then(|(side, at)| Some((quiet(at, GRANDCHILD_WAIT)?, Outcome::ChildExited(side))));
        let deadline = limits.deadline.and_then(|time| started.checked_add(time));
        let ends = |limit, is_fine| match is_fine {
            true => Outcome::Quiet,
            false => Outcome::Limit(limit),
        };
        [
            idle.map(|at| (at, ends(Limit::Idle, limits.idle_is_fine))),
            half.map(|at| (at, ends(Limit::HalfClosed, limits.half_closed_is_fine))),
            deadline.map(|at| (at, Outcome::Limit(Limit::Session))),
            child,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }
}
