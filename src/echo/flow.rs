//! One connection whose bytes flow: back to where they came from or nowhere, and what our side says by itself.

use std::task::{Context, Poll};

use super::counters::Tally;
use crate::endpoint::{Endpoint, Sink, Source};
use crate::relay::{Direction, Ending, Outcome, Side};

/// Where what a peer says goes.
enum Ear {
    /// Back.
    Back,
    /// Into this.
    Nowhere(Box<Sink>),
}

/// What is under way.
pub struct Flow {
    hearing: Direction,
    ear: Ear,
    voice: Option<Box<(Source, Direction)>>,
}

impl Flow {
    /// What the peer says comes back; `hearing` may have begun already.
    pub fn echo(endpoint: &Endpoint, mut hearing: Direction) -> Flow {
        // Once the peer has ended and has its answer, the close says the end: no call of its own is needed for that.
        hearing.withhold_end = endpoint.lingers && endpoint.sink.tls().is_none();
        Flow { hearing, ear: Ear::Back, voice: None }
    }

    /// What the peer says goes nowhere; after so many bytes of it the flow is over.
    pub fn discard(most: Option<u64>) -> Flow {
        let sink = match most {
            Some(most) => Sink::Discard.at_most(most),
            None => Sink::Discard,
        };
        Flow { hearing: Direction::default(), ear: Ear::Nowhere(Box::new(sink)), voice: None }
    }

    /// Our side says what `voice` has, and what the peer says goes nowhere.
    pub fn speech(voice: Source) -> Flow {
        Flow { voice: Some(Box::new((voice, Direction::default()))), ..Flow::discard(None) }
    }

    /// True when something that was to be said is not.
    pub fn has_unsent(&self) -> bool {
        self.hearing.has_unsent() || self.voice.as_ref().is_some_and(|voice| voice.1.has_unsent())
    }

    /// Moves what can be moved. Ready when there is nothing more to do.
    pub fn poll(&mut self, cx: &mut Context<'_>, endpoint: &mut Endpoint, tally: &Tally) -> Poll<Outcome> {
        let Endpoint { source, sink, .. } = endpoint;
        if let Some(voice) = &mut self.voice {
            let (words, saying) = &mut **voice;
            let before = saying.bytes;
            let polled = saying.poll(cx, words, sink);
            tally.add_sent(saying.bytes - before);
            if let Poll::Ready(ending) = polled {
                return Poll::Ready(outcome(&ending, sink));
            }
        }
        if self.hearing.is_done() {
            return Poll::Pending;
        }
        let ear = match &mut self.ear {
            Ear::Back => sink,
            Ear::Nowhere(nowhere) => nowhere,
        };
        let before = (self.hearing.bytes, self.hearing.messages);
        let polled = self.hearing.poll(cx, source, ear);
        let moved = self.hearing.bytes - before.0;
        tally.add_received(moved);
        tally.add_datagrams(u64::from(self.hearing.messages - before.1));
        if matches!(self.ear, Ear::Back) {
            tally.add_sent(moved);
        }
        if self.hearing.source_ended() {
            tally.add_end();
        }
        match polled {
            // It may still want to hear us.
            Poll::Ready(Ending::Eof) if self.voice.is_some() => Poll::Pending,
            Poll::Ready(ending) => Poll::Ready(match &self.ear {
                Ear::Back => outcome(&ending, &endpoint.sink),
                Ear::Nowhere(nowhere) => outcome(&ending, nowhere),
            }),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What the end of a direction means.
fn outcome(ending: &Ending, sink: &Sink) -> Outcome {
    match ending {
        Ending::Eof => Outcome::Complete,
        Ending::SourceFailed(error) => Outcome::of_read(Side::Right, error),
        Ending::SinkFailed(error) => Outcome::of_write(Side::Right, error, sink),
    }
}
