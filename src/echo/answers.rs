//! A peer whose messages are answered one by one: each datagram gets a datagram.

use std::future::poll_fn;
use std::hash::RandomState;
use std::rc::Rc;
use std::task::ready;

use time::OffsetDateTime;

use super::counters::Tally;
use super::mode::Mode;
use super::words;
use crate::endpoint::{Endpoint, Input};
use crate::pool::Buffer;
use crate::relay::{Outcome, Side};

/// What messages are answered with.
pub struct Answers {
    mode: Mode,
    /// What a peer that asks who it is gets to hear.
    who: String,
    pattern: Option<Rc<[u8]>>,
    chance: RandomState,
    drawn: u64,
}

impl Answers {
    /// Answers as `mode` has them.
    pub fn new(mode: &Mode, who: String) -> Answers {
        let pattern = matches!(mode, Mode::Chargen).then(words::pattern);
        Answers { mode: mode.clone(), who, pattern, chance: RandomState::new(), drawn: 0 }
    }

    /// The answer to the next message; `None` where there is none.
    fn next(&mut self) -> Option<Vec<u8>> {
        self.drawn += 1;
        match &self.mode {
            Mode::Chargen => Some(words::some_of(self.pattern.as_ref()?, &self.chance, self.drawn)),
            Mode::Daytime => Some(words::daytime(OffsetDateTime::now_utc()).into()),
            Mode::Time => Some(words::seconds(OffsetDateTime::now_utc()).into()),
            Mode::Whoami => Some(self.who.clone().into()),
            Mode::Fixed(bytes) => Some(bytes.to_vec()),
            Mode::Echo | Mode::Discard | Mode::Http(_) => None,
        }
    }

    /// Answers until the peer is gone.
    pub async fn give(&mut self, endpoint: &mut Endpoint, tally: &Tally) -> Outcome {
        let Endpoint { source, sink, .. } = endpoint;
        loop {
            let read = poll_fn(|cx| {
                ready!(source.poll_ready(cx));
                source.poll_read(cx, &mut Buffer::lend(false))
            });
            match read.await {
                Ok(Input::End) => return Outcome::Complete,
                Ok(Input::Bytes(n) | Input::Message { full: n, .. } | Input::Long { full: n, .. }) => {
                    tally.add_received(n as u64);
                    tally.add_datagrams(1);
                }
                Err(error) => return Outcome::of_read(Side::Right, &error),
            }
            let Some(answer) = self.next() else { continue };
            match poll_fn(|cx| sink.poll_write(cx, &answer)).await {
                Ok(n) => tally.add_sent(n as u64),
                Err(error) => return Outcome::of_write(Side::Right, &error, sink),
            }
        }
    }
}
