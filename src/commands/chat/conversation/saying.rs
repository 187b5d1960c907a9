//! What is said to the peer: texts and files, at a pace, and our end.

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::task::Poll;

use rustix::io::Errno;

use super::{Conversation, TURNS};
use crate::chat::{Outcome, Pace};
use crate::commands::chat::hearing::{cause, hear_what_there_is};
use crate::endpoint::{Endpoint, Input, LONGEST_LINE, WhenBroken, content, reads_lines};
use crate::error::plain;
use crate::event_loop::{sleep, timeout, yield_now};
use crate::pool::Buffer;
use crate::relay::{Outcome as Cause, Side};
use crate::report::chat::Direction;

impl Conversation {
    /// Says what a file holds, or what comes out of a pipe; each wait for that has the limit of a step.
    pub(super) async fn say_file(&mut self, path: &Path, pace: Option<Pace>) {
        let patience = self.course.patience();
        let silent = || format!("nothing comes from {}", path.display());
        let mut file = match self.meanwhile(timeout(patience, content(path))).await {
            Ok(Ok(source)) => source,
            Ok(Err(failure)) => return self.course.failed(Outcome::Failed, failure.to_string()),
            Err(_) => return self.course.failed(Outcome::Timeout, silent()),
        };
        let mut begun = Begun::default();
        loop {
            let mut buffer = Buffer::lend(false);
            let room = whole_pieces(buffer.len(), pace);
            let read = timeout(patience, poll_fn(|cx| file.poll_read(cx, &mut buffer[..room])));
            match self.meanwhile(read).await {
                Ok(Ok(Input::Bytes(n))) if self.say(&buffer[..n], pace, &mut begun).await => {}
                Ok(Ok(_)) => return,
                Ok(Err(why)) => {
                    let why = format!("cannot read {}: {}", path.display(), plain(&why.to_string()));
                    return self.course.failed(Outcome::Failed, why);
                }
                Err(_) => return self.course.failed(Outcome::Timeout, silent()),
            }
        }
    }

    /// Says it all, a piece after the other. False when there is no use in saying more.
    pub(super) async fn say(&mut self, bytes: &[u8], pace: Option<Pace>, begun: &mut Begun) -> bool {
        if bytes.is_empty() {
            return self.write(bytes).await;
        }
        let size = pace.map_or(usize::MAX, |pace| pace.size.max(1));
        for piece in bytes.chunks(size) {
            if let Some(pace) = pace.filter(|_| begun.0 > 0) {
                self.meanwhile(sleep(pace.pause)).await;
            }
            begun.0 = begun.0.saturating_add(1);
            if begun.0.is_multiple_of(TURNS) {
                yield_now().await;
            }
            if let Err(why) = self.fits_terminal(piece) {
                self.course.failed(Outcome::Failed, why);
                return false;
            }
            self.transcript.passed(Direction::Said, piece, self.course.secrecy());
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

    /// Writes a piece; an empty one is a message where there are messages, and nothing elsewhere. What the peer says
    /// meanwhile is heard, as far as there is room for it: it may take nothing before it has got rid of that, and
    /// messages that nobody takes are lost. False when there is no use in writing more.
    async fn write(&mut self, piece: &[u8]) -> bool {
        let Conversation { course, endpoint, transcript, is_heard_out, .. } = self;
        let Some(Endpoint { source, sink, .. }) = endpoint else { return false };
        let has_messages = sink.has_messages();
        if piece.is_empty() && !has_messages {
            return true;
        }
        if let Some(why) = course.cut().filter(|_| has_messages).map(str::to_owned) {
            // A socket tells its error once, and it was told while we heard.
            course.failed(Outcome::Cut, why);
            return false;
        }
        let (patience, mut rest) = (course.patience(), piece);
        let why = loop {
            let written = poll_fn(|cx| {
                let written = sink.poll_write(cx, rest);
                if written.is_pending() || has_messages {
                    hear_what_there_is(source, course, transcript, is_heard_out, cx);
                }
                written
            });
            match timeout(patience, written).await {
                Ok(Ok(n)) => {
                    transcript.sent(n);
                    rest = &rest[n..];
                    if rest.is_empty() {
                        return true;
                    }
                }
                Ok(Err(why)) => break why,
                Err(_) => {
                    let why = format!("the peer takes nothing: {} bytes are left to be said", rest.len());
                    course.failed(Outcome::Timeout, why);
                    return false;
                }
            }
        };
        // Its last words may say why.
        poll_fn(|cx| {
            hear_what_there_is(source, course, transcript, is_heard_out, cx);
            Poll::Ready(())
        })
        .await;
        let left = rest.len();
        self.is_not_taken(&why, left);
        false
    }

    /// A write has failed, and so many bytes are left.
    fn is_not_taken(&mut self, why: &io::Error, left: usize) {
        let Some(Endpoint { sink, .. }) = &self.endpoint else { return };
        match sink.when_broken() {
            WhenBroken::Discard => {
                self.course.nobody_takes_it();
                self.transcript.lost();
            }
            _ if Errno::from_io_error(why) == Some(Errno::MSGSIZE) => {
                let why = format!("{left} bytes are too many for one message (.pace makes several of them)");
                self.course.failed(Outcome::Failed, why);
            }
            _ => self.course.failed(Outcome::Cut, cause(&Cause::of_write(Side::Right, why, sink))),
        }
    }

    /// Says our end.
    pub(super) async fn half_close(&mut self) {
        let Some(Endpoint { sink, .. }) = &mut self.endpoint else { return };
        poll_fn(|cx| sink.poll_half_close(cx)).await;
    }
}

/// How many pieces were said already; each but the first one waits.
#[derive(Default)]
pub(super) struct Begun(u32);

/// Room for whole pieces of a pace, so that the ends of reads do not show in it.
fn whole_pieces(room: usize, pace: Option<Pace>) -> usize {
    match pace.map(|pace| pace.size) {
        Some(size) if (1..=room).contains(&size) => room / size * size,
        _ => room,
    }
}
