//! Calls that block have a thread of their own: the resolver, open(2) of a fifo.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// What the thread and the task share.
struct Shared<T> {
    answer: Option<T>,
    waker: Option<Waker>,
}

/// Runs `call` on a thread and waits for its answer. The thread is left behind when nobody waits any more.
/// Fails when no thread can be started.
pub async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let shared = Arc::new(Mutex::new(Shared { answer: None, waker: None }));
    let theirs = shared.clone();
    std::thread::Builder::new().name("blocking".into()).spawn(move || {
        let answer = call();
        let mut shared = theirs.lock().unwrap_or_else(PoisonError::into_inner);
        shared.answer = Some(answer);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
    })?;
    poll_fn(|cx| {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match shared.answer.take() {
            Some(answer) => Poll::Ready(Ok(answer)),
            None => {
                shared.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}
