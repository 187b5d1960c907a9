//! A peer that is answered once it has said its end, which shows that a half-closed connection gets through.

use std::future::poll_fn;
use std::task::{Poll, ready};

use super::counters::Tally;
use super::flow::Flow;
use super::session::Service;
use super::speech::Speech;
use crate::endpoint::{Endpoint, HowOften, Input, Kept, Known, Source};
use crate::event_loop::yield_now;
use crate::pool::Buffer;
use crate::relay::{Outcome, Side};

/// Most bytes that are kept until their sender's end has come.
const MOST_KEPT: usize = 1024 * 1024;
/// What a record costs besides its bytes, so that many small ones are bounded, too.
const RECORD_COST: usize = 64;
/// Reads after which others get a turn.
const BATCH: usize = 64;

/// What is said then.
pub struct AfterEnd {
    /// This; what the peer has said, where it is nothing.
    speech: Option<Speech>,
    /// The answer, once it has begun.
    answer: Option<Flow>,
}

impl AfterEnd {
    /// Says `speech` then; what the peer has said, where there is none.
    pub fn new(speech: Option<Speech>) -> AfterEnd {
        AfterEnd { speech, answer: None }
    }

    /// True when something that was to be said is not.
    pub fn has_unsent(&self) -> bool {
        self.answer.as_ref().is_some_and(Flow::has_unsent)
    }

    /// Hears the peer out, and answers.
    pub async fn answer(&mut self, service: &Service, endpoint: &mut Endpoint, tally: &Tally) -> Outcome {
        let words = match &self.speech {
            // What has no use is not kept.
            Some(speech) => {
                let mut hearing = Flow::discard(None);
                match poll_fn(|cx| hearing.poll(cx, endpoint, tally)).await {
                    Outcome::Complete => speech.begin(),
                    outcome => return outcome,
                }
            }
            None => match keep(endpoint, tally).await {
                Ok(kept) => kept,
                Err(outcome) => return outcome,
            },
        };
        let answer = self.answer.insert(Flow::speech(service.held_back(words)));
        poll_fn(|cx| answer.poll(cx, endpoint, tally)).await
    }
}

/// All that a peer says, as it has said it: records stay apart.
async fn keep(endpoint: &mut Endpoint, tally: &Tally) -> Result<Source, Outcome> {
    let has_records = endpoint.source.has_messages();
    let (mut kept, mut cost, mut reads) = (Vec::<Vec<u8>>::new(), 0, 0_usize);
    while let Some(piece) = next(&mut endpoint.source).await? {
        tally.add_received(piece.len() as u64);
        cost += piece.len();
        match kept.last_mut() {
            Some(before) if !has_records => before.extend(piece),
            _ => {
                cost += RECORD_COST;
                kept.push(piece);
            }
        }
        if has_records {
            tally.add_datagrams(1);
        }
        if cost > MOST_KEPT + RECORD_COST {
            let why = format!("it has said more than {MOST_KEPT} bytes and not yet its end");
            return Err(Outcome::Failed(Side::Right, why));
        }
        reads += 1;
        if reads.is_multiple_of(BATCH) {
            yield_now().await;
        }
    }
    tally.add_end();
    Ok(match has_records {
        true => Source::Kept(Box::new(Kept::new(kept))),
        false => Source::Known(Box::new(Known::new(kept.concat().into(), HowOften::Once))),
    })
}

/// The next piece; `None` at the end.
async fn next(source: &mut Source) -> Result<Option<Vec<u8>>, Outcome> {
    let read = poll_fn(|cx| {
        ready!(source.poll_ready(cx));
        let mut buffer = Buffer::lend(false);
        let read = ready!(source.poll_read(cx, &mut buffer));
        Poll::Ready(read.map(|input| match input {
            Input::End => None,
            Input::Bytes(n) | Input::Message { len: n, .. } => Some(buffer[..n].to_vec()),
            Input::Long { bytes, .. } => Some(bytes),
        }))
    });
    read.await.map_err(|error| Outcome::of_read(Side::Right, &error))
}
