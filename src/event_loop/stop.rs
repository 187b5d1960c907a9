//! Requests to stop, as seen by whoever runs something that can be stopped.

use std::pin::Pin;

/// Where requests to stop come from; each call waits for the next one.
pub trait Stop {
    /// Resolves when the next request comes.
    fn requested(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>>;

    /// Is told that from now on nobody new is served, because of a request or without one.
    fn draining(&mut self) {}

    /// True when the last request leaves no time to finish.
    fn is_urgent(&self) -> bool {
        false
    }
}

/// Nobody asks.
pub struct Never;

impl Stop for Never {
    fn requested(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(std::future::pending())
    }
}
