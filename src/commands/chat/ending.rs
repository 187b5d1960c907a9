//! The end of a conversation: the connection is closed so that the peer can read what it was told, a program gets time
//! to end by itself.

use std::future::poll_fn;
use std::time::Duration;

use crate::endpoint::{Endpoint, Input, Source};
use crate::event_loop::{timeout, yield_now};
use crate::pool::Buffer;
use crate::process::{Child, ChildStatus};

/// Says our end and lets the peer read what it was told; `is_heard_out` where it has said its own.
pub async fn leave(mut endpoint: Endpoint, is_heard_out: bool) {
    crate::relay::leave(&mut endpoint, is_heard_out).await;
    for pump in endpoint.pumps() {
        pump.finished().await;
    }
}

/// Gives a program whose input has ended `grace` to end by itself, unless its connection is closed already; then it is
/// told to (HUP, TERM), and killed after the same time again. What it still says is thrown away, so that it is not held
/// up by that.
pub async fn end_program(mut child: Child, endpoint: Option<Endpoint>, grace: Duration) -> ChildStatus {
    let mut source = endpoint.map_or(Source::Ended, |endpoint| endpoint.source);
    if !ends_within(grace, &mut child, &mut source).await {
        tokio::select! {
            () = child.end(grace) => {}
            () = drain(&mut source) => {}
        }
    }
    child.status()
}

async fn ends_within(time: Duration, child: &mut Child, source: &mut Source) -> bool {
    tokio::select! {
        biased;
        ended = timeout(time, child.exited()) => ended.is_ok(),
        () = drain(source) => false,
    }
}

/// Throws away what is said, for ever.
async fn drain(source: &mut Source) {
    let mut scrap = Buffer::lend(false);
    while let Ok(Input::Bytes(_)) = poll_fn(|cx| source.poll_read(cx, &mut scrap)).await {
        yield_now().await;
    }
    std::future::pending::<()>().await;
}
