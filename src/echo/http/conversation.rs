//! One connection: requests and their answers, one after the other.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use time::OffsetDateTime;

use super::super::counters::Tally;
use super::super::session::Service;
use super::body::Body;
use super::last_call::Past;
use super::refusal::Refusal;
use super::reply::{Next, Reply, Site, refuse};
use super::request::{self, Head, Wanted};
use crate::endpoint::{Endpoint, HowOften, Input, Known, Source};
use crate::event_loop::yield_now;
use crate::pool::Buffer;
use crate::relay::{Direction, Ending, Outcome, Side};

/// Reads after which others get a turn.
const BATCH: u32 = 64;

/// The state between two requests.
pub struct Conversation {
    site: Rc<Site>,
    /// What was read and is not yet used; empty, and without memory, while nothing is under way.
    held: Vec<u8>,
    reads: u32,
    past: Past,
    /// What the request that is under way asks for.
    wanted: Wanted,
}

/// What a read has come to.
enum Heard {
    More,
    /// The peer has said its end.
    End,
    /// Nothing of a request has come, and none is waited for any longer.
    LastCall,
}

/// What ends a conversation early.
enum Trouble {
    Connection(Outcome),
    Request(Refusal),
}

impl From<Outcome> for Trouble {
    fn from(outcome: Outcome) -> Trouble {
        Trouble::Connection(outcome)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        Trouble::Request(refusal)
    }
}

/// The peer, and what counts and holds back what is said to it.
struct Line<'a> {
    service: &'a Service,
    endpoint: &'a mut Endpoint,
    tally: &'a Tally,
}

impl Conversation {
    /// Nothing was said yet.
    pub fn new(site: Rc<Site>) -> Conversation {
        Conversation { site, held: Vec::new(), reads: 0, past: Past::New, wanted: Wanted::All }
    }

    /// Answers until one side wants no more.
    pub async fn hold(&mut self, service: &Service, endpoint: &mut Endpoint, tally: &Tally) -> Outcome {
        let mut line = Line { service, endpoint, tally };
        loop {
            let refused = match self.exchange(&mut line).await {
                Ok(Next::Request) => continue,
                Ok(Next::End) => return Outcome::Complete,
                Err(Trouble::Connection(outcome)) => return outcome,
                Err(Trouble::Request(refusal)) => {
                    refuse(refusal, OffsetDateTime::now_utc()).only(self.wanted)
                }
            };
            tally.add_request();
            return match line.reply(refused).await {
                Ok(()) => Outcome::Complete,
                Err(outcome) => outcome,
            };
        }
    }

    /// One request and its answer.
    async fn exchange(&mut self, line: &mut Line<'_>) -> Result<Next, Trouble> {
        let Some(head) = self.head(line).await? else { return Ok(Next::End) };
        let mut body = Body::new(head.framing, self.site.most_body)?;
        if head.expects_continue && !body.is_done() && self.held.is_empty() {
            line.say(b"HTTP/1.1 100 Continue\r\n\r\n".as_slice().into()).await?;
        }
        loop {
            let used = body.take(&self.held)?;
            self.forget(used);
            if body.is_done() {
                break;
            }
            if let Heard::End = self.read(line).await? {
                return Err(Refusal::bad("the body ends before it is whole").into());
            }
        }
        let (reply, next) = self.site.reply(&head, body.length, OffsetDateTime::now_utc());
        line.tally.add_request();
        line.reply(reply.only(self.wanted)).await?;
        self.past = Past::Answered;
        Ok(next)
    }

    /// The next head; `None` where the peer has ended before one.
    async fn head(&mut self, line: &mut Line<'_>) -> Result<Option<Head>, Trouble> {
        // Clients may send an empty line ahead (RFC 9112, section 2.2), which httparse skips.
        let mut is_news = !self.held.is_empty();
        loop {
            self.wanted = request::wanted(&self.held);
            // Without a line end it can only be longer than before: nothing is read twice for each byte that comes.
            if is_news && let Some((head, used)) = request::read(&self.held)? {
                self.forget(used);
                return Ok(Some(head));
            }
            let before = self.held.len();
            let heard = if before == 0 { self.first_read(line).await } else { self.read(line).await };
            match heard? {
                Heard::More => {}
                // Nothing is on its way to the peer: it need not be waited for.
                Heard::LastCall => return Err(Outcome::Quiet.into()),
                Heard::End if before == 0 => return Ok(None),
                Heard::End => return Err(Refusal::bad("the request ends before it is whole").into()),
            }
            is_news = before == 0
                || self.held[before..].contains(&b'\n')
                || self.held.len() >= request::LONGEST_HEAD;
        }
    }

    fn forget(&mut self, used: usize) {
        match used == self.held.len() {
            true => self.held = Vec::new(),
            false => drop(self.held.drain(..used)),
        }
    }

    /// Reads more of a request.
    async fn read(&mut self, line: &mut Line<'_>) -> Result<Heard, Outcome> {
        self.take_turns().await;
        let (source, held) = (&mut line.endpoint.source, &mut self.held);
        let read = poll_fn(|cx| poll_more(cx, source, held)).await;
        line.heard(read)
    }

    /// Reads what a request begins with, if one comes before the last call.
    async fn first_read(&mut self, line: &mut Line<'_>) -> Result<Heard, Outcome> {
        self.take_turns().await;
        let (source, held) = (&mut line.endpoint.source, &mut self.held);
        let mut let_go = pin!(self.site.last_call.lets_go(self.past));
        let read = poll_fn(|cx| {
            let read = poll_more(cx, source, held);
            // What --delay holds back has come.
            match read.is_pending() && !source.holds_back() && let_go.as_mut().poll(cx).is_ready() {
                true => Poll::Ready(None),
                false => read.map(Some),
            }
        });
        match read.await {
            Some(read) => line.heard(read),
            None => Ok(Heard::LastCall),
        }
    }

    /// Lets others have a turn now and then.
    async fn take_turns(&mut self) {
        self.reads += 1;
        if self.reads.is_multiple_of(BATCH) {
            yield_now().await;
        }
    }
}

/// Reads into `held` once something is there, with memory for it from then on alone.
fn poll_more(cx: &mut Context<'_>, source: &mut Source, held: &mut Vec<u8>) -> Poll<io::Result<Input>> {
    ready!(source.poll_ready(cx));
    let mut buffer = Buffer::lend(false);
    let read = ready!(source.poll_read(cx, &mut buffer));
    if let Ok(Input::Bytes(n)) = read {
        held.extend_from_slice(&buffer[..n]);
    }
    Poll::Ready(read)
}

impl Line<'_> {
    /// What a read means, counted.
    fn heard(&self, read: io::Result<Input>) -> Result<Heard, Outcome> {
        match read {
            Ok(Input::Bytes(n)) => {
                self.tally.add_received(n as u64);
                Ok(Heard::More)
            }
            Ok(_) => {
                self.tally.add_end();
                Ok(Heard::End)
            }
            Err(error) => Err(Outcome::of_read(Side::Right, &error)),
        }
    }

    async fn reply(&mut self, reply: Reply) -> Result<(), Outcome> {
        // In one piece where it is small: one write, one segment.
        if reply.content.len() <= crate::pool::SMALL / 2 {
            let mut bytes = reply.head.into_bytes();
            bytes.extend_from_slice(&reply.content);
            return self.say(bytes.into()).await;
        }
        self.say(reply.head.into_bytes().into()).await?;
        self.say(reply.content).await
    }

    async fn say(&mut self, bytes: Rc<[u8]>) -> Result<(), Outcome> {
        let mut voice = self.service.voice(Source::Known(Box::new(Known::new(bytes, HowOften::Once))));
        let mut saying = Direction::default();
        saying.withhold_end = true;
        let sink = &mut self.endpoint.sink;
        let ending = poll_fn(|cx| {
            let before = saying.bytes;
            let polled = saying.poll(cx, &mut voice, sink);
            self.tally.add_sent(saying.bytes - before);
            polled
        });
        match ending.await {
            Ending::Eof => Ok(()),
            Ending::SourceFailed(error) => Err(Outcome::of_read(Side::Right, &error)),
            Ending::SinkFailed(error) => Err(Outcome::of_write(Side::Right, &error, sink)),
        }
    }
}
