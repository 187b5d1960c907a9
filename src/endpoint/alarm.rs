//! A timer that exists only while somebody waits for it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::event_loop::{Sleep, sleep_until};

/// Ready at an instant; idle it holds no memory but its own place.
#[derive(Default)]
pub struct Alarm(Option<Sleep>);

impl Alarm {
    /// Ready once `at` is past. Later calls may ask for another instant only after it was ready.
    pub fn poll(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        if at > Instant::now() {
            let timer = self.0.get_or_insert_with(|| sleep_until(at));
            if Pin::new(timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        self.0 = None;
        Poll::Ready(())
    }

    /// True while somebody waits.
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }
}
