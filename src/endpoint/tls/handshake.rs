//! The handshake of either side, with a limit, and what went wrong with it.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use rustix::net::Shutdown;

use super::super::descriptor::Descriptor;
use super::super::exchange::Exchange;
use super::inspection::{Inspection, Trouble};
use crate::error::Failure;
use crate::event_loop::{timeout, yield_now};
use crate::pool::Buffer;
use crate::tls::{Progress, Session};

/// Bytes of what the peer said first that are kept, to name what speaks no TLS.
const FIRST_BYTES: usize = 32;
/// How long a peer may take to read the alert that tells it what went wrong.
const FAREWELL: Duration = Duration::from_millis(500);

/// How long something may take, and which limit that is.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// When it is over; never, when no clock can count that far.
    until: Option<Instant>,
    /// The whole of it.
    pub limit: Duration,
    /// The flag that sets it.
    pub flag: &'static str,
}

impl Allowance {
    /// From now on.
    pub fn of(limit: Duration, flag: &'static str) -> Allowance {
        Allowance { until: Instant::now().checked_add(limit), limit, flag }
    }

    /// What ends first: this or that.
    pub fn within(self, other: Allowance) -> Allowance {
        match (self.until, other.until) {
            (Some(this), Some(that)) if this <= that => self,
            (Some(_), None) => self,
            _ => other,
        }
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
    }
}

/// Runs the handshake to its end, in the time that is `allowed`; the failure names `inspection`'s peer.
pub async fn shake_hands(
    fd: &Descriptor,
    session: &mut Session,
    inspection: &Inspection,
    allowed: Allowance,
) -> Result<(), Failure> {
    let mut first = Vec::new();
    let trouble = match timeout(allowed.left(), exchange(fd, session, &mut first)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(trouble)) => trouble,
        Err(_) => Trouble::Late(allowed),
    };
    if matches!(trouble, Trouble::Tls(_)) {
        say_farewell(fd, session, inspection.alert_instead()).await;
    }
    Err(inspection.explain(trouble, &first))
}

async fn exchange(fd: &Descriptor, session: &mut Session, first: &mut Vec<u8>) -> Result<(), Trouble> {
    let mut progress = session.shake_hands(&[]);
    loop {
        let now = progress.map_err(Trouble::Tls)?;
        if let Err(why) = flush(fd, session).await {
            // A peer that closes on us may have said why.
            return Err(match hear(fd, session, first).await {
                Ok(Err(error)) => Trouble::Tls(error),
                _ => Trouble::Io(why),
            });
        }
        if now == Progress::Done {
            return Ok(());
        }
        progress = hear(fd, session, first).await?;
        // A peer that sends it in small pieces, and quickly, holds nobody up.
        yield_now().await;
    }
}

/// Receives once, and goes on with the handshake.
async fn hear(
    fd: &Descriptor,
    session: &mut Session,
    first: &mut Vec<u8>,
) -> Result<Result<Progress, rustls::Error>, Trouble> {
    poll_fn(|cx| {
        // Asked before a buffer is borrowed: who waits holds none.
        ready!(fd.poll_readable(cx));
        let mut buffer = Buffer::lend(false);
        let n = ready!(fd.poll_read(cx, &mut buffer)).map_err(Trouble::Io)?;
        if n == 0 {
            return Poll::Ready(Err(Trouble::Eof));
        }
        let more = FIRST_BYTES.saturating_sub(first.len()).min(n);
        first.extend_from_slice(&buffer[..more]);
        Poll::Ready(Ok(session.shake_hands(&buffer[..n])))
    })
    .await
}

async fn flush(fd: &Descriptor, session: &mut Session) -> io::Result<()> {
    let mut stalled = false;
    while !session.queued().is_empty() {
        let n = poll_fn(|cx| fd.poll_write(cx, session.queued(), &mut stalled)).await?;
        session.sent(n);
    }
    Ok(())
}

/// Sends the alert, and reads on until the peer has had time to read it: a close with unread input is a reset,
/// which would destroy it.
async fn say_farewell(fd: &Descriptor, session: &mut Session, alert: Option<[u8; 7]>) {
    let _ = timeout(FAREWELL, farewell(fd, session, alert)).await;
}

async fn farewell(fd: &Descriptor, session: &mut Session, alert: Option<[u8; 7]>) -> io::Result<()> {
    match alert {
        Some(alert) => Exchange::new(fd).say(&alert).await?,
        None => flush(fd, session).await?,
    }
    rustix::net::shutdown(fd, Shutdown::Write)?;
    fd.drain().await
}
