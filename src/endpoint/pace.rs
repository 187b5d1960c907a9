//! A source that says no more than so many bytes a second.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::source::{Input, Source};

/// A piece is what the rate allows in this time: small enough to look like a slow line.
const PIECES_PER_SECOND: u64 = 20;
/// Time that may have passed unused and still counts, so that a late timer does not lower the rate.
const SLACK: Duration = Duration::from_millis(100);

/// A source and its rate.
pub struct Paced {
    /// Where the bytes come from.
    pub source: Source,
    /// Bytes a second; never 0.
    rate: u64,
    /// When the next piece may be read.
    next: Instant,
    alarm: Alarm,
}

impl Paced {
    /// Lets `source` say `rate` bytes a second (at least 1).
    pub fn around(source: Source, rate: u64) -> Source {
        let paced = Paced { source, rate: rate.max(1), next: Instant::now(), alarm: Alarm::default() };
        Source::Paced(Box::new(paced))
    }

    /// As `Source::poll_read`. A message is read whole, and what it took is waited for after it.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        ready!(self.alarm.poll(cx, self.next));
        let piece = usize::try_from(self.rate.div_ceil(PIECES_PER_SECOND)).unwrap_or(usize::MAX);
        let room = if self.source.has_messages() { buffer.len() } else { piece.min(buffer.len()) };
        let input = ready!(self.source.poll_read(cx, &mut buffer[..room]))?;
        let n = match &input {
            Input::Bytes(n) | Input::Message { len: n, .. } => *n,
            Input::Long { bytes, .. } => bytes.len(),
            Input::End => return Poll::Ready(Ok(input)),
        };
        let now = Instant::now();
        let from = self.next.max(now.checked_sub(SLACK).unwrap_or(now));
        self.next = from + Duration::from_secs_f64(n as f64 / self.rate as f64);
        Poll::Ready(Ok(input))
    }

    /// True while more may be there that is not yet due.
    pub fn holds_back(&self) -> bool {
        self.alarm.is_set() || self.source.holds_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::task::Waker;

    #[test]
    fn a_piece_is_a_twentieth_of_a_second_and_the_next_one_waits() {
        let source = Source::Fixed(Box::new(Cursor::new(vec![7; 1000])));
        let Source::Paced(mut paced) = Paced::around(source, 1000) else { unreachable!() };
        let mut cx = Context::from_waker(Waker::noop());
        let before = Instant::now();
        assert!(matches!(paced.poll_read(&mut cx, &mut [0; 900]), Poll::Ready(Ok(Input::Bytes(50)))));
        // 50 ms a piece, and the slack of 100 ms is not used up yet.
        assert!(paced.next + SLACK >= before + Duration::from_millis(50));
        assert!(paced.next <= Instant::now() + Duration::from_millis(50));
    }
}
