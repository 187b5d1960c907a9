//! Timers: a sorted map of those that somebody waits for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Timers {
    waiting: BTreeMap<(Instant, u64), Waker>,
    last_id: u64,
}

thread_local! {
    static TIMERS: RefCell<Timers> = RefCell::default();
}

/// How long until the next timer runs out; `None` when there is none.
pub(super) fn next() -> Option<Duration> {
    let at = TIMERS.with_borrow(|timers| timers.waiting.first_key_value().map(|((at, _), _)| *at))?;
    Some(at.saturating_duration_since(Instant::now()))
}

/// Wakes those whose time has come.
pub(super) fn fire() {
    TIMERS.with_borrow_mut(|timers| {
        if timers.waiting.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(first) = timers.waiting.first_entry().filter(|first| first.key().0 <= now) {
            first.remove().wake();
        }
    });
}

/// A future that is ready at a point in time. `None` is never.
#[derive(Debug)]
pub struct Sleep {
    at: Option<Instant>,
    /// 0 while it is not in the map.
    id: u64,
}

/// Ready once `time` has passed; never, when no clock can count that far.
pub fn sleep(time: Duration) -> Sleep {
    Sleep { at: Instant::now().checked_add(time), id: 0 }
}

/// Ready at `at`.
pub fn sleep_until(at: Instant) -> Sleep {
    Sleep { at: Some(at), id: 0 }
}

impl Sleep {
    /// When it is ready.
    pub fn deadline(&self) -> Option<Instant> {
        self.at
    }

    /// Makes it ready at another time.
    pub fn reset(&mut self, at: Instant) {
        self.forget();
        self.at = Some(at);
    }

    fn forget(&mut self) {
        if let (Some(at), true) = (self.at, self.id != 0) {
            let _ = TIMERS.try_with(|timers| timers.borrow_mut().waiting.remove(&(at, self.id)));
            self.id = 0;
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at <= Instant::now() {
            self.forget();
            return Poll::Ready(());
        }
        TIMERS.with_borrow_mut(|timers| {
            if self.id == 0 {
                timers.last_id += 1;
                self.id = timers.last_id;
            }
            timers.waiting.insert((at, self.id), cx.waker().clone());
        });
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A limit that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Runs `work` for `limit` at most, from when it first has to wait: what does not wait needs no clock.
pub async fn timeout<F: Future>(limit: Duration, work: F) -> Result<F::Output, Elapsed> {
    let mut work = pin!(work);
    let mut timer = None;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => Pin::new(timer.get_or_insert_with(|| sleep(limit))).poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::*;

    #[test]
    fn timers_run_out_in_order_and_leave_nothing_behind() {
        run(async {
            let started = Instant::now();
            let order = RefCell::new(Vec::new());
            let wait = async |millis| {
                sleep(Duration::from_millis(millis)).await;
                order.borrow_mut().push(millis);
            };
            tokio::join!(wait(20), wait(1), wait(10));
            assert_eq!(*order.borrow(), [1, 10, 20]);
            assert!(started.elapsed() >= Duration::from_millis(20));
        })
        .unwrap();
        assert!(TIMERS.with_borrow(|timers| timers.waiting.is_empty()));
    }

    #[test]
    fn a_limit_cuts_and_a_limit_beyond_all_clocks_does_not() {
        run(async {
            let never = std::future::pending::<()>();
            assert_eq!(timeout(Duration::from_millis(1), never).await, Err(Elapsed));
            assert_eq!(timeout(Duration::MAX, async { 7 }).await, Ok(7));
        })
        .unwrap();
        assert!(TIMERS.with_borrow(|timers| timers.waiting.is_empty()));
    }

    #[test]
    fn a_timer_that_is_put_off_runs_out_once() {
        run(async {
            let mut timer = sleep_until(Instant::now());
            let later = Instant::now() + Duration::from_millis(5);
            timer.reset(later);
            Pin::new(&mut timer).await;
            assert!(Instant::now() >= later);
        })
        .unwrap();
    }
}
