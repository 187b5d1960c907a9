//! Word that the service ends, for connections that would otherwise be kept for more requests.

use std::cell::Cell;
use std::future::pending;
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

/// Who is let go without a word when the service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetGo {
    /// Who has had an answer, and soon who has not.
    Everybody,
    /// Who has had an answer: the others were let in to have one.
    Answered,
}

/// Whether the service ends.
#[derive(Debug, Default)]
pub struct LastCall {
    given: Cell<Option<LetGo>>,
    changed: Notify,
}

impl LastCall {
    /// From now on answers are the last ones of their connections, and who asks nothing is let go.
    pub fn give(&self, who: LetGo) {
        self.given.set(Some(who));
        self.changed.notify_waiters();
    }

    /// True once it was given.
    pub fn has_come(&self) -> bool {
        self.given.get().is_some()
    }

    /// Resolves when a connection that waits for a request need not wait any longer.
    pub async fn lets_go(&self, past: Past) {
        // Registered before the look, so that no change in between is missed.
        let mut changed = pin!(self.changed.notified());
        changed.as_mut().enable();
        if !self.has_come() {
            changed.await;
        }
        match (past, self.given.get()) {
            (Past::Answered, _) => {}
            (Past::New, Some(LetGo::Answered)) => pending().await,
            (Past::New, _) => sleep(FIRST_REQUEST).await,
        }
    }
}
