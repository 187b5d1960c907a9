//! The life of one peer, from its first byte to its close.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::answers::Answers;
use super::counters::{Counters, Tally};
use super::cut::{Cut, How};
use super::flow::Flow;
use super::http::Conversation;
use super::mode::Mode;
use super::short_way::{self, Led};
use super::words;
use crate::endpoint::{
    Delayed, Descriptor, Endpoint, HowOften, Incoming, Input, Known, Lateness, Paced, Source,
};
use crate::event_loop::{Sleep, sleep};
use crate::pool::Buffer;
use crate::relay::{Clock, Direction, Limits, Outcome, Report, Side, abort, leave, leave_at_once};

/// Most bytes that are kept until their sender's end has come.
const MOST_KEPT: usize = 1024 * 1024;

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

    /// What a connected peer gets to hear; `None` where all depends on what it says.
    fn speech(&self, incoming: &Incoming) -> Option<Source> {
        let now = time::OffsetDateTime::now_utc();
        let once = |bytes: &[u8]| Known::new(bytes.into(), HowOften::Once);
        let known = match &self.mode {
            Mode::Echo | Mode::Discard | Mode::Http(_) => return None,
            Mode::Chargen => Known::new(words::pattern(), HowOften::ForEver),
            Mode::Daytime => once(words::daytime(now).as_bytes()),
            Mode::Time => once(&words::seconds(now)),
            Mode::Whoami => once(words::whoami(incoming).as_bytes()),
            Mode::Fixed(bytes) => Known::new(bytes.clone(), HowOften::Once),
        };
        Some(self.late(self.voice(Source::Known(Box::new(known)))))
    }
}

/// What is done with one peer.
enum Course {
    Flow(Box<Flow>),
    Answers(Box<Answers>),
    Http(Box<Conversation>),
}

/// Why a session ended.
enum End {
    By(Outcome),
    /// Our side has ended it, as it was told to.
    Cut(How),
}

/// One peer and all that its session needs.
struct Session {
    service: Rc<Service>,
    limits: Arc<Limits>,
    tally: Tally,
    started: Instant,
}

/// Serves one peer, until it has gone or there is another reason to end.
pub fn serve(
    service: Rc<Service>,
    incoming: Incoming,
    limits: Arc<Limits>,
) -> impl Future<Output = Report> + use<> {
    let tally = Tally::new(&service.counters, !incoming.endpoint.is_datagram());
    let session = Session { service, limits, tally, started: Instant::now() };
    let (endpoint, course) = prepare(&session.service, incoming);
    async move {
        let mut course = course;
        if let Some(fd) = session.short_way(&endpoint) {
            match short_way::echo(fd, &session.tally).await {
                // It has said its end and got all it has said back: the close says ours.
                Led::ToEnd(outcome) => return session.report(outcome),
                Led::Further(buffer, unsent) => {
                    course = Some(echo(&endpoint, Direction::holding(buffer, unsent)));
                }
            }
        }
        // Boxed: most connections of an echo server never get here, and all would carry the room for it.
        let course = course.unwrap_or_else(|| echo(&endpoint, Direction::default()));
        Box::pin(session.long_way(endpoint, course)).await
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
                    return Poll::Ready(End::Cut(cut.how));
                }
                if polled.is_ready() {
                    return polled.map(End::By);
                }
                let moved = tally.sent() + tally.received();
                clock.poll(cx, limits, *started, moved, tally.is_heard_out()).map(End::By)
            })
            .await
        };
        close(&mut endpoint, &course, tally.is_heard_out(), &end).await;
        drop(endpoint);
        self.report(match end {
            End::By(outcome) => outcome,
            End::Cut(_) => Outcome::Complete,
        })
    }

    fn report(&self, outcome: Outcome) -> Report {
        let (counters, tally) = (&self.service.counters, &self.tally);
        match &outcome {
            Outcome::Complete | Outcome::Quiet => {}
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
    let speech = if speaks { service.speech(&incoming) } else { None };
    let who = match mode {
        Mode::Whoami if speech.is_none() => words::whoami(&incoming),
        _ => String::new(),
    };
    let Endpoint { source, sink, .. } = incoming.endpoint;
    let source = match (mode, &speech) {
        (Mode::Echo | Mode::Discard, _) => service.late(service.voice(source)),
        (_, None) => service.late(source),
        (_, Some(_)) => source,
    };
    let sink = match most {
        Some(most) if !matches!(mode, Mode::Discard) => sink.at_most(most),
        _ => sink,
    };
    let endpoint = Endpoint { source, sink, ..incoming.endpoint };
    let course = match (mode, speech) {
        (Mode::Echo, None) => return (endpoint, None),
        (_, Some(speech)) => Course::Flow(Box::new(Flow::speech(speech))),
        (Mode::Discard, None) => Course::Flow(Box::new(Flow::discard(most))),
        (Mode::Http(site), None) => Course::Http(Box::new(Conversation::new(site.clone()))),
        (mode, None) => Course::Answers(Box::new(Answers::new(mode, who))),
    };
    (endpoint, Some(course))
}

async fn run(service: &Service, course: &mut Course, endpoint: &mut Endpoint, tally: &Tally) -> Outcome {
    if service.begin == Begin::AfterEnd && !endpoint.is_datagram() {
        match hear_out(endpoint, tally).await {
            Ok(heard) if matches!(service.mode, Mode::Echo) => {
                let known = Known::new(heard.into(), HowOften::Once);
                let words = service.voice(Source::Known(Box::new(known)));
                *course = Course::Flow(Box::new(Flow::speech(words)));
            }
            Ok(_) => {}
            Err(outcome) => return outcome,
        }
    }
    match course {
        Course::Flow(flow) => poll_fn(|cx| flow.poll(cx, endpoint, tally)).await,
        Course::Answers(answers) => answers.give(endpoint, tally).await,
        Course::Http(conversation) => conversation.hold(service, endpoint, tally).await,
    }
}

/// All that a peer says, once it has said its end.
async fn hear_out(endpoint: &mut Endpoint, tally: &Tally) -> Result<Vec<u8>, Outcome> {
    let (source, mut heard) = (&mut endpoint.source, Vec::new());
    loop {
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
        match read.await {
            Ok(Some(bytes)) => {
                tally.add_received(bytes.len() as u64);
                heard.extend(bytes);
            }
            Ok(None) => return Ok(heard),
            Err(error) => return Err(Outcome::of_read(Side::Right, &error)),
        }
        if heard.len() > MOST_KEPT {
            let why = format!("it has said more than {MOST_KEPT} bytes and not yet its end");
            return Err(Outcome::Failed(Side::Right, why));
        }
    }
}

/// Closes the connection as its end asks.
async fn close(endpoint: &mut Endpoint, course: &Course, is_heard_out: bool, end: &End) {
    let has_unsent = matches!(course, Course::Flow(flow) if flow.has_unsent());
    match end {
        // An answer that is cut short must not look whole, by TLS neither.
        End::Cut(How::Reset) | End::By(Outcome::Failed(..)) => abort(endpoint),
        End::By(Outcome::Complete) if is_heard_out && endpoint.sink.tls().is_none() => {}
        End::Cut(How::Close) | End::By(Outcome::Complete) => {
            // Boxed: most sessions never get here.
            Box::pin(leave(endpoint, is_heard_out)).await;
        }
        End::By(Outcome::Limit(_) | Outcome::Quiet) if !has_unsent => leave_at_once(endpoint),
        End::By(_) => {}
    }
}
