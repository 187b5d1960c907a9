//! The time limits of a session, with one timer that exists only while some limit can run out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use super::outcome::{Limit, Outcome, Side};

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
    /// Running out of `half_closed` is the usual end (datagrams, `-q`), not a failure.
    pub quiet_is_fine: bool,
    /// When the whole session must be over.
    pub deadline: Option<Instant>,
    /// How long a child may take to end after its peer is gone.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            finish: Finish::BothEnd,
            idle: None,
            half_closed: None,
            quiet_is_fine: false,
            deadline: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// Watches the limits of one session.
pub struct Clock {
    /// The limits being watched.
    pub limits: Limits,
    timer: Option<Pin<Box<Sleep>>>,
    last_move: Instant,
    moved: u64,
    half_closed_since: Option<Instant>,
    child_exit: Option<(Side, Instant)>,
}

impl Clock {
    /// Starts watching.
    pub fn new(limits: Limits, now: Instant) -> Clock {
        Clock { limits, timer: None, last_move: now, moved: 0, half_closed_since: None, child_exit: None }
    }

    /// From now on the child's output has little time to end.
    pub fn child_has_exited(&mut self, side: Side) {
        self.child_exit.get_or_insert_with(|| (side, Instant::now()));
    }

    /// Ready when a limit has run out; `moved` is the count of all bytes moved so far.
    pub fn poll(&mut self, cx: &mut Context<'_>, moved: u64, half_closed: bool) -> Poll<Outcome> {
        let half_closed = half_closed && self.limits.half_closed.is_some();
        let watching = half_closed
            || self.limits.idle.is_some()
            || self.limits.deadline.is_some()
            || self.child_exit.is_some();
        if !watching {
            return Poll::Pending;
        }
        let now = Instant::now();
        if moved != self.moved {
            self.moved = moved;
            self.last_move = now;
        }
        if half_closed {
            self.half_closed_since.get_or_insert(now);
        }
        loop {
            let Some((at, outcome)) = self.next_end() else { return Poll::Pending };
            if at <= Instant::now() {
                return Poll::Ready(outcome);
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at.into())));
            if timer.deadline() != at.into() {
                timer.as_mut().reset(at.into());
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// The limit that runs out first.
    fn next_end(&self) -> Option<(Instant, Outcome)> {
        let limits = &self.limits;
        let quiet = |since: Instant, time: Duration| since.max(self.last_move).checked_add(time);
        let idle = limits.idle.and_then(|time| quiet(self.last_move, time));
        let half =
            self.half_closed_since.zip(limits.half_closed).and_then(|(since, time)| quiet(since, time));
        let half_outcome = match limits.quiet_is_fine {
            true => Outcome::Quiet,
            false => Outcome::Limit(Limit::HalfClosed),
        };
        let child = self
            .child_exit
            .and_then(|(side, at)| Some((quiet(at, GRANDCHILD_WAIT)?, Outcome::ChildExited(side))));
        [
            idle.map(|at| (at, Outcome::Limit(Limit::Idle))),
            half.map(|at| (at, half_outcome)),
            limits.deadline.map(|at| (at, Outcome::Limit(Limit::Session))),
            child,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }
}
