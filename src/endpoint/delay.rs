//! A source whose every piece comes later than it was said, in the same order: a long line.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::source::{Input, Source};

/// Most bytes under way. A longer line is a slower one, as TCP's window makes it.
const UNDER_WAY: usize = 4 * 1024 * 1024;
/// What a piece costs besides its bytes, so that many small ones are bounded, too.
const PIECE_COST: usize = 64;

/// How late each piece is.
#[derive(Clone, Copy, Debug)]
pub struct Lateness {
    /// At least this much.
    pub delay: Duration,
    /// And up to this much more, by chance.
    pub jitter: Duration,
}

/// A source and what of it is under way.
pub struct Delayed {
    /// Where the bytes come from.
    pub source: Source,
    lateness: Lateness,
    line: VecDeque<(Instant, Piece)>,
    cost: usize,
    alarm: Alarm,
    chance: RandomState,
    drawn: u64,
}

/// One piece under way; the end and an error travel like bytes.
enum Piece {
    Bytes { bytes: Box<[u8]>, said: usize },
    Message { bytes: Box<[u8]>, full: usize },
    End,
    Error(io::Error),
}

impl Piece {
    fn new(read: io::Result<Input>, buffer: &[u8]) -> Piece {
        match read {
            Ok(Input::Bytes(n)) => Piece::Bytes { bytes: buffer[..n].into(), said: 0 },
            Ok(Input::Message { len, full }) => Piece::Message { bytes: buffer[..len].into(), full },
            Ok(Input::Long { bytes, full }) => Piece::Message { bytes: bytes.into(), full },
            Ok(Input::End) => Piece::End,
            Err(error) => Piece::Error(error),
        }
    }

    fn cost(&self) -> usize {
        match self {
            Piece::Bytes { bytes, .. } | Piece::Message { bytes, .. } => PIECE_COST + bytes.len(),
            Piece::End | Piece::Error(_) => PIECE_COST,
        }
    }

    fn is_last(&self) -> bool {
        matches!(self, Piece::End | Piece::Error(_))
    }
}

impl Delayed {
    /// Lets `source` be heard late.
    pub fn around(source: Source, lateness: Lateness) -> Source {
        Source::Delayed(Box::new(Delayed {
            source,
            lateness,
            line: VecDeque::new(),
            cost: 0,
            alarm: Alarm::default(),
            chance: RandomState::new(),
            drawn: 0,
        }))
    }

    /// As `Source::poll_read`.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        self.take_in(cx, buffer);
        let Some((due, _)) = self.line.front() else { return Poll::Pending };
        ready!(self.alarm.poll(cx, *due));
        Poll::Ready(self.deliver(buffer))
    }

    /// Reads what is there while there is room for it; `buffer` serves as scratch.
    fn take_in(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) {
        while self.cost < UNDER_WAY && !self.line.back().is_some_and(|(_, piece)| piece.is_last()) {
            let Poll::Ready(read) = self.source.poll_read(cx, buffer) else { return };
            let piece = Piece::new(read, buffer);
            // One that is due earlier than those before it waits for them: the line is a queue.
            let due = Instant::now() + self.late();
            self.cost += piece.cost();
            self.line.push_back((due, piece));
        }
    }

    fn deliver(&mut self, buffer: &mut [u8]) -> io::Result<Input> {
        let Some((due, piece)) = self.line.pop_front() else { return Ok(Input::End) };
        self.cost -= piece.cost();
        if self.line.is_empty() {
            // An idle session holds no memory.
            self.line = VecDeque::new();
        }
        match piece {
            Piece::Bytes { bytes, said } => {
                let n = buffer.len().min(bytes.len() - said);
                buffer[..n].copy_from_slice(&bytes[said..said + n]);
                if said + n < bytes.len() {
                    let rest = Piece::Bytes { bytes, said: said + n };
                    self.cost += rest.cost();
                    self.line.push_front((due, rest));
                }
                Ok(Input::Bytes(n))
            }
            Piece::Message { bytes, full } if bytes.len() > buffer.len() => {
                Ok(Input::Long { bytes: bytes.into(), full })
            }
            Piece::Message { bytes, full } => {
                let len = buffer.len().min(bytes.len());
                buffer[..len].copy_from_slice(&bytes[..len]);
                Ok(Input::Message { len, full })
            }
            Piece::End => Ok(Input::End),
            Piece::Error(error) => Err(error),
        }
    }

    fn late(&mut self) -> Duration {
        self.drawn += 1;
        let part = self.chance.hash_one(self.drawn) as f64 / u64::MAX as f64;
        self.lateness.delay + self.lateness.jitter.mul_f64(part)
    }

    /// True while something is under way.
    pub fn holds_back(&self) -> bool {
        !self.line.is_empty() || self.source.holds_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::task::Waker;

    #[test]
    fn pieces_keep_their_order_and_a_small_buffer_gets_them_in_parts() {
        let lateness = Lateness { delay: Duration::ZERO, jitter: Duration::ZERO };
        let mut source = Delayed::around(Source::Fixed(Box::new(Cursor::new(b"abcde".to_vec()))), lateness);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut said, mut buffer) = (Vec::new(), [0; 2]);
        while let Poll::Ready(Ok(Input::Bytes(n))) = source.poll_read(&mut cx, &mut buffer) {
            said.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(said, b"abcde");
        assert!(!source.holds_back());
    }

    #[test]
    fn no_more_than_a_window_is_under_way() {
        let lateness = Lateness { delay: Duration::from_secs(3600), jitter: Duration::ZERO };
        let source = Source::Fixed(Box::new(Cursor::new(vec![0; 2 * UNDER_WAY])));
        let Source::Delayed(mut delayed) = Delayed::around(source, lateness) else { unreachable!() };
        delayed.take_in(&mut Context::from_waker(Waker::noop()), &mut [0; 1000]);
        assert!(delayed.cost >= UNDER_WAY && delayed.cost < UNDER_WAY + 2000, "{}", delayed.cost);
    }

    #[test]
    fn chance_stays_within_its_bounds() {
        let ms = Duration::from_millis;
        let lateness = Lateness { delay: ms(10), jitter: ms(5) };
        let Source::Delayed(mut delayed) = Delayed::around(Source::Silent, lateness) else { unreachable!() };
        let all: Vec<Duration> = (0..200).map(|_| delayed.late()).collect();
        assert!(all.iter().all(|late| (ms(10)..=ms(15)).contains(late)));
        assert!(all.iter().max().unwrap().saturating_sub(*all.iter().min().unwrap()) > ms(2));
    }
}
