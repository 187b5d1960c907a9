//! The life of one peer, from its first byte to its close.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::after_end::AfterEnd;
use super::answers::Answers;
use super::counters::{Counters, Tally};
use super::cut::{Amount, Cut, How};
use super::flow::Flow;
use super::http::Conversation;
use super::mode::Mode;
use super::short_way::{self, Led};
use super::speech::Speech;
use super::words;
use crate::endpoint::{Delayed, Descriptor, Endpoint, Incoming, Lateness, Paced, Source};
use crate::event_loop::{Sleep, sleep, timeout};
use crate::relay::{Clock, Direction, Limits, Outcome, Report, abort, leave, leave_at_once, reset};

/// How bytes are held back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Bytes a second.
    pub rate: Option<u64>,
    /// How late answers are.
    pub lateness: Option<Lateness>,
    /// Most bytes said at a time.
    pub chunk: Option<usize>,
}

/// When our side begins to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// As soon as it has something to say.
    #[default]
    AtOnce,
    /// When the peer has said its end, which shows that a half-closed connection gets through.
    AfterEnd,
}

/// What every peer is served with.
pub struct Service {
    /// What it gets.
    pub mode: Mode,
    /// How that is held back.
    pub shape: Shape,
    /// When it begins.
    pub begin: Begin,
    /// When our side ends connections before their time.
    pub cut: Option<Cut>,
    /// Who counts.
    pub counters: Arc<Counters>,
}

impl Service {
    /// What our side says, at the pace asked for.
    pub fn voice(&self, words: Source) -> Source {
        let source = match self.shape.rate {
            Some(rate) => Paced::around(words, rate),
            None => words,
        };
        match self.shape.chunk {
            Some(chunk) => source.in_pieces(chunk),
            None => source,
        }
    }

    /// The same, as late as asked for.
    fn late(&self, source: Source) -> Source {
        match self.shape.lateness {
            Some(lateness) => Delayed::around(source, lateness),
            None => source,
        }
    }

    /// The same, as late as asked for, too.
    pub fn held_back(&self, words: Source) -> Source {
        self.late(self.voice(words))
    }
}

/// What is done with one peer.
enum Course {
    Flow(Box<Flow>),
    AfterEnd(Box<AfterEnd>),
    Answers(Box<Answers>),
    Http(Box<Conversation>),
}

/// Why a session ended.
enum End {
    By(Outcome),
    /// Our side has ended it, as it was told to.
    Cut(Cut),
}

/// One peer and all that its session needs.
struct Session {
    service: Rc<Service>,
    limits: Arc<Limits>,
    tally: Tally,
    started: Instant,
}

/// Serves one peer, until it has gone or there is another reason to end, and tells of it.
pub fn serve<T: FnOnce(Report)>(
    service: Rc<Service>,
    incoming: Incoming,
    limits: Arc<Limits>,
    tell: T,
) -> impl Future<Output = ()> + use<T> {
    let tally = Tally::new(&service.counters, !incoming.endpoint.is_datagram());
    let session = Session { service, limits, tally, started: Instant::now() };
    let (endpoint, course) = prepare(&session.service, incoming);
    async move {
        let mut course = course;
        if let Some(fd) = session.short_way(&endpoint) {
            match short_way::echo(fd, &session.tally).await {
                // It has said its end and got all it has said back: the close says ours.
                Led::ToEnd(outcome) => {
                    drop(endpoint);
                    return tell(session.report(outcome));
                }
                Led::Further(buffer, unsent) => {
                    course = Some(echo(&endpoint, Direction::holding(buffer, unsent)));
                }
            }
        }
        // Boxed: most connections of an echo server never get here, and all would carry the room for it.
        let course = course.unwrap_or_else(|| echo(&endpoint, Direction::default()));
        tell(Box::pin(session.long_way(endpoint, course)).await);
    }
}

impl Session {
    /// The socket of a peer whose words need nothing done to them.
    fn short_way<'a>(&self, endpoint: &'a Endpoint) -> Option<&'a Descriptor> {
        let Service { mode, begin, cut, .. } = &*self.service;
        let Limits { idle, deadline, .. } = *self.limits;
        let is_plain = matches!(mode, Mode::Echo) && *begin == Begin::AtOnce && cut.is_none();
        let fd =
            endpoint.source.plain_stream().filter(|_| is_plain && idle.is_none() && deadline.is_none())?;
        (endpoint.lingers && endpoint.sink.tls().is_none()).then_some(&**fd)
    }

    async fn long_way(self, mut endpoint: Endpoint, mut course: Course) -> Report {
        let Session { service, limits, tally, started } = &self;
        let cut = service.cut.filter(|_| !endpoint.is_datagram());
        let mut clock = Clock::default();
        let mut timer = cut.and_then(Cut::time).map(|time| Box::pin(sleep(time)));
        let end = {
            let mut work = pin!(run(service, &mut course, &mut endpoint, tally));
            poll_fn(|cx| {
                let polled = work.as_mut().poll(cx);
                if let Some(cut) = cut
                    && (has_said(service, tally, cut) || is_over(&mut timer, cx))
                {
                    return Poll::Ready(End::Cut(cut));
                }
                if polled.is_ready() {
                    return polled.map(End::By);
                }
                let moved = tally.sent() + tally.received();
                clock.poll(cx, limits, *started, moved, tally.is_heard_out()).map(End::By)
            })
            .await
        };
        let closing = close(&mut endpoint, &course, tally.is_heard_out(), &end);
        match limits.deadline {
            Some(time) => drop(timeout(time.saturating_sub(started.elapsed()), closing).await),
            None => closing.await,
        }
        drop(endpoint);
        self.report(match end {
            End::By(outcome) => outcome,
            End::Cut(cut) => Outcome::Cut(cut.flag()),
        })
    }

    fn report(&self, outcome: Outcome) -> Report {
        let (counters, tally) = (&self.service.counters, &self.tally);
        match &outcome {
            Outcome::Complete | Outcome::Cut(_) | Outcome::Quiet => {}
            Outcome::Reset(_) => counters.count_reset(),
            _ => counters.count_failed(),
        }
        Report {
            // Seen from our side, which is on the left.
            sent: tally.sent(),
            received: tally.received(),
            cut_messages: 0,
            refused_messages: 0,
            sent_tap: None,
            received_tap: None,
            elapsed: self.started.elapsed(),
            outcome,
            child: None,
        }
    }
}

/// True when the bytes have been said after which `cut` comes.
fn has_said(service: &Service, tally: &Tally, cut: Cut) -> bool {
    let said = if matches!(service.mode, Mode::Discard) { tally.received() } else { tally.sent() };
    cut.bytes().is_some_and(|bytes| said >= bytes)
}

fn is_over(timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
}

fn echo(endpoint: &Endpoint, hearing: Direction) -> Course {
    Course::Flow(Box::new(Flow::echo(endpoint, hearing)))
}

/// What is to be done with a peer, and its two ways with what holds their bytes back. Most are echoed, for which
/// nothing is made before it is needed.
fn prepare(service: &Service, incoming: Incoming) -> (Endpoint, Option<Course>) {
    let speaks = !incoming.endpoint.is_datagram();
    let (mode, most) = (&service.mode, service.cut.and_then(Cut::bytes).filter(|_| speaks));
    let speech = if speaks { Speech::of(mode, &incoming) } else { None };
    let waits = speaks && service.begin == Begin::AfterEnd;
    let who = match mode {
        Mode::Whoami if speech.is_none() => words::whoami(&incoming),
        _ => String::new(),
    };
    let Endpoint { source, sink, .. } = incoming.endpoint;
    let source = match (mode, &speech) {
        (_, Some(_)) => source,
        _ if waits => source,
        (Mode::Echo | Mode::Discard, None) => service.held_back(source),
        (_, None) => service.late(source),
    };
    let sink = match most {
        Some(most) if !matches!(mode, Mode::Discard) => sink.at_most(most),
        _ => sink,
    };
    let endpoint = Endpoint { source, sink, ..incoming.endpoint };
    let course = match (mode, speech) {
        (_, speech) if waits => Course::AfterEnd(Box::new(AfterEnd::new(speech))),
        (Mode::Echo, None) => return (endpoint, None),
        (_, Some(speech)) => Course::Flow(Box::new(Flow::speech(service.held_back(speech.begin())))),
        (Mode::Discard, None) => Course::Flow(Box::new(Flow::discard(most))),
        (Mode::Http(site), None) => Course::Http(Box::new(Conversation::new(site.clone()))),
        (mode, None) => Course::Answers(Box::new(Answers::new(mode, who))),
    };
    (endpoint, Some(course))
}

async fn run(service: &Service, course: &mut Course, endpoint: &mut Endpoint, tally: &Tally) -> Outcome {
    match course {
        Course::Flow(flow) => poll_fn(|cx| flow.poll(cx, endpoint, tally)).await,
        Course::AfterEnd(after) => after.answer(service, endpoint, tally).await,
        Course::Answers(answers) => answers.give(endpoint, tally).await,
        Course::Http(conversation) => conversation.hold(service, endpoint, tally).await,
    }
}

/// Closes the connection as its end asks.
async fn close(endpoint: &mut Endpoint, course: &Course, is_heard_out: bool, end: &End) {
    let has_unsent = match course {
        Course::Flow(flow) => flow.has_unsent(),
        Course::AfterEnd(after) => after.has_unsent(),
        Course::Answers(_) | Course::Http(_) => false,
    };
    match end {
        // What counts as said arrives.
        End::Cut(Cut { how: How::Reset, after: Amount::Bytes(_) }) => Box::pin(reset(endpoint)).await,
        // An answer that is cut short must not look whole, by TLS neither.
        End::Cut(Cut { how: How::Reset, .. }) | End::By(Outcome::Failed(..)) => abort(endpoint),
        End::By(Outcome::Complete) if is_heard_out && endpoint.sink.tls().is_none() => {}
        End::Cut(_) | End::By(Outcome::Complete) => {
            // Boxed: most sessions never get here.
            Box::pin(leave(endpoint, is_heard_out)).await;
        }
        End::By(Outcome::Limit(_) | Outcome::Quiet) if !has_unsent => leave_at_once(endpoint),
        End::By(_) => {}
    }
}
