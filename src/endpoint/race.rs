//! Happy eyeballs (RFC 8305): try the next address after 250 ms or a failure; the first to connect wins.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::event_loop::sleep_until;

/// Pause before the next address is tried beside the ones under way (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Runs `attempt` for each address; the losers are cancelled. Fails with every address's own error.
pub async fn race<T, F>(
    addresses: &[SocketAddr],
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.iter().copied();
    let mut running: Vec<(SocketAddr, Pin<Box<F>>)> = Vec::new();
    let mut failures = Vec::new();
    let mut next = sleep_until(Instant::now());
    poll_fn(|cx| {
        loop {
            let mut failed = false;
            let mut at = 0;
            while at < running.len() {
                match running[at].1.as_mut().poll(cx) {
                    Poll::Ready(Ok(winner)) => return Poll::Ready(Ok(winner)),
                    Poll::Ready(Err(why)) => {
                        failures.push((running.remove(at).0, why));
                        failed = true;
                    }
                    Poll::Pending => at += 1,
                }
            }
            if !failed && !running.is_empty() && Pin::new(&mut next).poll(cx).is_pending() {
                return Poll::Pending;
            }
            match waiting.next() {
                Some(address) => {
                    running.push((address, Box::pin(attempt(address))));
                    next.reset(Instant::now() + STAGGER);
                }
                None if running.is_empty() => return Poll::Ready(Err(std::mem::take(&mut failures))),
                None => return Poll::Pending,
            }
        }
    })
    .await
}
