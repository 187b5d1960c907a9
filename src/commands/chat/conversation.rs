//! One conversation: what its course needs is done with an open endpoint, and what is heard there is told to it.

use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::ending;
use super::hearing::{cause, hear_what_there_is, poll_hear, silence_after};
use super::telling::Transcript;
use crate::chat::{Course, Ending, Need, Outcome, Pace, Script, Settings, Status, Verdict};
use crate::endpoint::{
    Acceptor, Connector, Endpoint, Input, LONGEST_LINE, WhenBroken, reads_lines, say_file,
};
use crate::error::{Exit, Failure, plain};
use crate::event_loop::{sleep, sleep_until, timeout, yield_now};
use crate::pool::Buffer;
use crate::process::Child;
use crate::relay::{Outcome as Cause, Side, abort, leave_at_once};
use crate::report::chat::{Direction, ProgramEnd};

/// Needs in a row after which others get a turn, signals among them: a peer that floods us never lets us wait.
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
            Need::SayFile(path, pace) => self.say_file(&path, pace).await,
            Need::Hear(until) => self.hear(until).await,
            Need::Pause(until) => sleep_until(until).await,
            // In memory of its own: a handshake needs much, and few steps are one.
            Need::StartTls => Box::pin(self.start_tls()).await,
            Need::HalfClose => {
                if let Some(Endpoint { sink, .. }) = &mut self.endpoint {
                    poll_fn(|cx| sink.poll_half_close(cx)).await;
                }
            }
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

    async fn say_file(&mut self, path: &Path, pace: Option<Pace>) {
        let mut file = match say_file(path) {
            Ok(file) => file.source,
            Err(failure) => return self.course.failed(Outcome::Failed, failure.to_string()),
        };
        let mut begun = Begun::default();
        loop {
            let mut buffer = Buffer::lend(false);
            let room = whole_pieces(buffer.len(), pace);
            match poll_fn(|cx| file.poll_read(cx, &mut buffer[..room])).await {
                Ok(Input::Bytes(n)) if self.say(&buffer[..n], pace, &mut begun).await => {}
                Ok(_) => return,
                Err(why) => {
                    let why = format!("cannot read {}: {}", path.display(), plain(&why.to_string()));
                    return self.course.failed(Outcome::Failed, why);
                }
            }
        }
    }

    /// Says it all, a piece after the other. False when there is no use in saying more.
    async fn say(&mut self, bytes: &[u8], pace: Option<Pace>, begun: &mut Begun) -> bool {
        let size = pace.map_or(usize::MAX, |pace| pace.size.max(1));
        for piece in bytes.chunks(size) {
            if let Some(pace) = pace.filter(|_| std::mem::replace(&mut begun.0, true)) {
                sleep(pace.pause).await;
            }
            if let Err(why) = self.fits_terminal(piece) {
                self.course.failed(Outcome::Failed, why);
                return false;
            }
            self.transcript.passed(Direction::Said, piece);
            if !self.write(piece).await {
                return false;
            }
        }
        true
    }

    /// Fails for a line of which a terminal would drop the end.
    fn fits_terminal(&mut self, piece: &[u8]) -> Result<(), String> {
        let ends_line = |line: &[u8]| line.ends_with(b"\r") || line.ends_with(b"\n");
        // The usual case, for which the terminal need not be asked how it is set.
        if self.open_line == 0 && piece.len() <= LONGEST_LINE && ends_line(piece) {
            return Ok(());
        }
        let terminal = self.endpoint.as_ref().filter(|_| self.child.is_some());
        if !terminal.and_then(|endpoint| endpoint.source.stream()).is_some_and(|stream| reads_lines(stream)) {
            return Ok(());
        }
        for line in piece.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            self.open_line += line.len();
            if self.open_line > LONGEST_LINE + 1 {
                return Err(format!(
                    "a terminal drops what a line has beyond {LONGEST_LINE} bytes, unless it is raw (pty,raw:)"
                ));
            }
            if ends_line(line) {
                self.open_line = 0;
            }
        }
        Ok(())
    }

    /// Writes a piece. What the peer says meanwhile is heard, as far as there is room for it: it may take nothing
    /// before it has got rid of that. False when there is no use in writing more.
    async fn write(&mut self, piece: &[u8]) -> bool {
        let Conversation { course, endpoint, transcript, is_heard_out, .. } = self;
        let Some(Endpoint { source, sink, .. }) = endpoint else { return false };
        let (patience, mut rest) = (course.patience(), piece);
        while !rest.is_empty() {
            let written = poll_fn(|cx| {
                let written = sink.poll_write(cx, rest);
                if written.is_pending() {
                    hear_what_there_is(source, course, transcript, is_heard_out, cx);
                }
                written
            });
            match timeout(patience, written).await {
                Ok(Ok(n)) => {
                    transcript.sent(n);
                    rest = &rest[n..];
                }
                Ok(Err(_)) if sink.when_broken() == WhenBroken::Discard => return false,
                Ok(Err(why)) => {
                    // Its last words may say why.
                    poll_fn(|cx| {
                        hear_what_there_is(source, course, transcript, is_heard_out, cx);
                        Poll::Ready(())
                    })
                    .await;
                    course.failed(Outcome::Cut, cause(&Cause::of_write(Side::Right, &why, sink)));
                    return false;
                }
                Err(_) => {
                    let why = format!("the peer takes nothing: {} bytes are left to be said", rest.len());
                    course.failed(Outcome::Timeout, why);
                    return false;
                }
            }
        }
        true
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
    async fn end(self, verdict: Verdict, grace: Duration) -> Ended {
        let Conversation { endpoint, child, transcript, failure, is_heard_out, .. } = self;
        let program = match (child, endpoint) {
            (Some(mut child), endpoint) => {
                let has_ended = poll_fn(|cx| Poll::Ready(child.poll_exit(cx).is_ready())).await;
                let ended_first = has_ended || verdict.outcome == Outcome::Early;
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

/// Whether a piece was said already, after which each further one waits.
#[derive(Default)]
struct Begun(bool);

/// Room for whole pieces of a pace, so that the ends of reads do not show in it.
fn whole_pieces(room: usize, pace: Option<Pace>) -> usize {
    match pace.map(|pace| pace.size) {
        Some(size) if (1..=room).contains(&size) => room / size * size,
        _ => room,
    }
}
