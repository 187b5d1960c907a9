//! The way of most echoes: what a stream socket says goes back in the same turn, since it takes it at once. An idle
//! connection holds no buffer, a request allocates nothing, and next to nothing of our memory is looked at.

use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use super::counters::Tally;
use crate::endpoint::Descriptor;
use crate::pool::Buffer;
use crate::relay::{Outcome, Side};

/// Requests answered before others get a turn.
const BATCH: u32 = 16;

/// Where the short way has led.
pub enum Led {
    /// To the end of the connection.
    ToEnd(Outcome),
    /// To a peer that reads more slowly than it writes, or says much: it needs the long way. So much of the buffer is
    /// still to be said.
    Further(Buffer, Range<usize>),
}

/// Echoes while each piece goes back whole.
pub async fn echo(fd: &Descriptor, tally: &Tally) -> Led {
    poll_fn(|cx| {
        for _ in 0..BATCH {
            // Asked before a buffer is borrowed.
            ready!(fd.poll_readable(cx));
            if let Some(led) = ready!(poll_once(fd, tally, cx)) {
                return Poll::Ready(led);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

fn poll_once(fd: &Descriptor, tally: &Tally, cx: &mut Context<'_>) -> Poll<Option<Led>> {
    let mut buffer = Buffer::lend(false);
    let n = match ready!(fd.poll_read(cx, &mut buffer)) {
        Ok(0) => return Poll::Ready(Some(Led::ToEnd(Outcome::Complete))),
        Ok(n) => n,
        Err(error) => return Poll::Ready(Some(Led::ToEnd(Outcome::of_read(Side::Right, &error)))),
    };
    tally.add_received(n as u64);
    let is_bulk = n == buffer.len();
    let said = match fd.poll_write(cx, &buffer[..n], &mut false) {
        Poll::Ready(Ok(said)) => said,
        Poll::Ready(Err(error)) => {
            return Poll::Ready(Some(Led::ToEnd(Outcome::of_read(Side::Right, &error))));
        }
        Poll::Pending => 0,
    };
    tally.add_sent(said as u64);
    let is_over = said < n || is_bulk;
    Poll::Ready(is_over.then(|| Led::Further(buffer, said..n)))
}
