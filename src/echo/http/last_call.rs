//! Word that the service ends, for connections that would otherwise be kept for more requests.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Notify;

use crate::event_loop::sleep;

/// How long a new connection has for its first request, which may be on its way.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// What a connection has had when it waits for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Nothing.
    New,
    /// An answer at least.
    Answered,
}

/// Whether the service ends.
#[derive(Debug, Default)]
pub struct LastCall {
    has_come: Cell<bool>,
    changed: Notify,
}

impl LastCall {
    /// From now on answers are the last ones of their connections, and who asks nothing is let go.
    pub fn give(&self) {
        self.has_come.set(true);
        self.changed.notify_waiters();
    }

    /// True once it was given.
    pub fn has_come(&self) -> bool {
        self.has_come.get()
    }

    /// Resolves when a connection that waits for a request need not wait any longer.
    pub async fn lets_go(&self, past: Past) {
        // Registered before the look, so that no change in between is missed.
        let mut changed = pin!(self.changed.notified());
        changed.as_mut().enable();
        if !self.has_come() {
            changed.await;
        }
        if past == Past::New {
            sleep(FIRST_REQUEST).await;
        }
    }
}
