//! One conversation: what its course needs is done with an open endpoint, and what is heard there is told to it.

mod saying;

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::ending;
use super::hearing::{hear_what_there_is, poll_hear, silence_after};
use super::telling::Transcript;
use crate::chat::{Course, Ending, Need, Outcome, Script, Settings, Status, Verdict};
use crate::endpoint::{Acceptor, Connector, Endpoint};
use crate::error::{Exit, Failure};
use crate::event_loop::{sleep_until, timeout, yield_now};
use crate::process::Child;
use crate::relay::{abort, leave_at_once};
use crate::report::chat::ProgramEnd;
use saying::Begun;

/// Needs, or pieces of what is said, in a row after which others get a turn, signals among them: a peer that floods us
/// never lets us wait.
const TURNS: u32 = 16;

/// Who begins TLS at `.starttls`.
pub enum Security {
    /// We do, as the client.
    Connecting(Rc<Connector>),
    /// The peer does.
    Accepting(Acceptor),
}

/// Whom a conversation is held with.
pub struct Peer {
    /// The open connection.
    pub endpoint: Endpoint,
    /// How messages call it.
    pub name: String,
    /// What TLS begins with; none where no step asks for it.
    pub security: Option<Security>,
}

/// When a conversation must be over, and how its program is ended.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// When all of it must be over, and which limit that is.
    pub until: Option<Instant>,
    /// How long the program may take to end by itself.
    pub grace: Duration,
}

/// What came of it.
pub struct Ended {
    /// How the script has ended.
    verdict: Verdict,
    /// What TLS could not be agreed on for.
    failure: Option<Failure>,
    /// How the program has ended.
    program: Option<ProgramEnd>,
    transcript: Transcript,
}

impl Ended {
    /// The status that stands for it.
    fn exit(&self) -> Exit {
        match (&self.verdict.outcome, &self.failure) {
            (Outcome::Failed, Some(failure)) => failure.exit,
            (Outcome::Pass(Status::Child), _) => {
                self.program.map_or(Exit::FAILURE, |program| program.status.exit())
            }
            (outcome, _) => outcome.exit(),
        }
    }

    /// Tells of it; its status.
    pub fn tell(mut self) -> Exit {
        let exit = self.exit();
        self.transcript.over(&self.verdict, exit, self.program);
        exit
    }
}

/// Holds it, from the first step to the last.
pub async fn hold(
    script: Rc<Script>,
    settings: Settings,
    peer: Peer,
    bounds: Bounds,
    transcript: Transcript,
) -> Ended {
    let Peer { mut endpoint, name, security } = peer;
    let child = endpoint.child.take();
    Conversation {
        course: Course::new(script, settings, Instant::now()),
        endpoint: Some(endpoint),
        child,
        name,
        security,
        transcript,
        is_heard_out: false,
        open_line: 0,
        failure: None,
    }
    .hold(bounds)
    .await
}

struct Conversation {
    course: Course,
    /// None once it is closed.
    endpoint: Option<Endpoint>,
    child: Option<Box<Child>>,
    name: String,
    security: Option<Security>,
    transcript: Transcript,
    /// The peer has ended.
    is_heard_out: bool,
    /// Bytes said since the last end of line.
    open_line: usize,
    failure: Option<Failure>,
}

impl Conversation {
    async fn hold(mut self, bounds: Bounds) -> Ended {
        let mut turns = 0_u32;
        let verdict = loop {
            let need = self.course.next(Instant::now());
            self.transcript.steps(self.course.take_news());
            let need = match need {
                Need::Over(verdict) => break *verdict,
                need => need,
            };
            let left = bounds.until.map(|until| until.saturating_duration_since(Instant::now()));
            // Asked before: a peer that floods us meets every need at once.
            let is_late = left == Some(Duration::ZERO)
                || timeout(left.unwrap_or(Duration::MAX), pin!(self.meet(need))).await.is_err();
            if is_late {
                self.course.out_of_time("the whole conversation is over time (--deadline)");
            }
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(TURNS) {
                yield_now().await;
            }
        };
        self.end(verdict, bounds.grace).await
    }

    /// Does what is needed, or tells why it cannot be done.
    async fn meet(&mut self, need: Need) {
        match need {
            Need::Say(bytes, pace) => {
                self.say(&bytes, pace, &mut Begun::default()).await;
            }
            Need::SayFile(path, pace) => Box::pin(self.say_file(&path, pace)).await,
            Need::Hear(until) => self.hear(until).await,
            Need::Pause(until) => self.meanwhile(sleep_until(until)).await,
            // In memory of its own: a handshake needs much, and few steps are one.
            Need::StartTls => Box::pin(self.start_tls()).await,
            Need::HalfClose => self.half_close().await,
            Need::Close => {
                if let Some(endpoint) = self.endpoint.take() {
                    ending::leave(endpoint, self.is_heard_out).await;
                }
            }
            Need::Reset => {
                if let Some(endpoint) = self.endpoint.take() {
                    abort(&endpoint);
                }
            }
            Need::Over(_) => {}
        }
    }

    /// Waits for `what`, and hears messages meanwhile: those that nobody takes are lost. What a stream says waits.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> T {
        let Conversation { course, endpoint, transcript, is_heard_out, .. } = self;
        let source = endpoint.as_mut().map(|endpoint| &mut endpoint.source);
        let mut source = source.filter(|source| source.has_messages());
        let mut what = pin!(what);
        poll_fn(|cx| {
            if let Some(source) = &mut source {
                hear_what_there_is(source, course, transcript, is_heard_out, cx);
            }
            what.as_mut().poll(cx)
        })
        .await
    }

    /// Hears once, or waits until then.
    async fn hear(&mut self, until: Instant) {
        let Conversation { course, endpoint, child, transcript, is_heard_out, .. } = self;
        let Some(endpoint) = endpoint.as_mut().filter(|_| !*is_heard_out) else {
            return sleep_until(until).await;
        };
        let ended = tokio::select! {
            biased;
            ended = poll_fn(|cx| poll_hear(&mut endpoint.source, course, transcript, cx)) => ended,
            () = silence_after(child) => Some(Ending::Said),
            () = sleep_until(until) => None,
        };
        if let Some(how) = ended {
            *is_heard_out = true;
            course.ended(how);
        }
    }

    /// Begins TLS on the connection as it is.
    async fn start_tls(&mut self) {
        let (Some(plain), Some(security)) = (self.endpoint.take(), &self.security) else {
            return self
                .course
                .failed(Outcome::Failed, "there is no connection that TLS could begin on".to_owned());
        };
        let secure = async {
            match security {
                Security::Connecting(connector) => connector.secure(plain).await,
                Security::Accepting(acceptor) => acceptor.accept(plain, &self.name).await,
            }
        };
        match timeout(self.course.patience(), secure).await {
            Ok(Ok(endpoint)) => self.endpoint = Some(endpoint),
            Err(_) => self.course.failed(Outcome::Timeout, "the peer does not finish its handshake"),
            Ok(Err(failure)) => {
                self.course.failed(Outcome::Failed, failure.to_string());
                self.failure = Some(failure);
            }
        }
    }

    /// Ends the connection and the program, as the verdict allows.
    async fn end(mut self, verdict: Verdict, grace: Duration) -> Ended {
        if self.child.is_some() {
            self.half_close().await;
        }
        let Conversation { endpoint, child, transcript, failure, is_heard_out, .. } = self;
        let program = match (child, endpoint) {
            (Some(mut child), endpoint) => {
                let has_ended = poll_fn(|cx| Poll::Ready(child.poll_exit(cx).is_ready())).await;
                let ended_first = has_ended || verdict.outcome == Outcome::Early;
                // Whoever asks for its status gives it the time to come to that by itself.
                let waits = verdict.outcome == Outcome::Pass(Status::Child);
                let endpoint = endpoint.filter(|endpoint| waits || endpoint.sink.tells_its_end());
                Some(ProgramEnd { status: ending::end_program(*child, endpoint, grace).await, ended_first })
            }
            (None, Some(endpoint)) if matches!(verdict.outcome, Outcome::Pass(_)) => {
                ending::leave(endpoint, is_heard_out).await;
                None
            }
            (None, Some(mut endpoint)) => {
                leave_at_once(&mut endpoint);
                None
            }
            (None, None) => None,
        };
        Ended { verdict, failure, program, transcript }
    }
}
