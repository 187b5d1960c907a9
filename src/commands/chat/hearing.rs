//! What a peer says, and how it ends, as a course is told of it.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::telling::Transcript;
use crate::chat::{Course, Ending};
use crate::endpoint::{Input, Source};
use crate::event_loop::sleep;
use crate::pool::Buffer;
use crate::process::Child;
use crate::relay::{Outcome as Cause, Side};
use crate::report::chat::Direction;

/// How long a program's output may stay silent once the program itself has ended: others may have inherited it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Hears once and tells the course of it; the end is handed on.
pub fn poll_hear(
    source: &mut Source,
    course: &mut Course,
    transcript: &mut Transcript,
    cx: &mut Context<'_>,
) -> Poll<Option<Ending>> {
    // Asked before a buffer is borrowed: who waits holds none.
    ready!(source.poll_ready(cx));
    let mut buffer = Buffer::lend(false);
    // A message is heard whole.
    let room = if source.has_messages() { buffer.len() } else { course.room().clamp(1, buffer.len()) };
    let read = ready!(source.poll_read(cx, &mut buffer[..room]));
    Poll::Ready(match read {
        Ok(Input::Bytes(n)) => {
            transcript.passed(Direction::Heard, &buffer[..n], course.secrecy());
            course.hear(&buffer[..n]);
            None
        }
        Ok(Input::Message { len, .. }) => {
            transcript.passed(Direction::Heard, &buffer[..len], course.secrecy());
            course.hear_message(&buffer[..len]);
            None
        }
        Ok(Input::Long { bytes, .. }) => {
            transcript.passed(Direction::Heard, &bytes, course.secrecy());
            course.hear_message(&bytes);
            None
        }
        Ok(Input::End) => Some(Ending::Said),
        Err(why) => Some(Ending::Cut(cause(&Cause::of_read(Side::Right, &why)))),
    })
}

/// Hears all that has come already and that there is room for.
pub fn hear_what_there_is(
    source: &mut Source,
    course: &mut Course,
    transcript: &mut Transcript,
    is_heard_out: &mut bool,
    cx: &mut Context<'_>,
) {
    while !*is_heard_out && course.room() > 0 {
        match poll_hear(source, course, transcript, cx) {
            Poll::Ready(Some(how)) => {
                *is_heard_out = true;
                course.ended(how);
            }
            Poll::Ready(None) => {}
            Poll::Pending => return,
        }
    }
}

/// Resolves when a program has ended and its output has been silent for a while, though somebody has it open still.
pub async fn silence_after(child: &mut Option<Box<Child>>) {
    match child {
        Some(child) => {
            child.exited().await;
            sleep(LAST_WORDS).await;
        }
        None => std::future::pending().await,
    }
}

/// Why a connection has ended that should not have, in words.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Reset(_) => "the connection was reset".to_owned(),
        Cause::Vanished(_) => "the peer answers no more".to_owned(),
        Cause::Truncated(_) => "the connection has ended without the end of its TLS session".to_owned(),
        Cause::Refused(_) => "nobody listens there (port unreachable)".to_owned(),
        Cause::Broken(_, failure) => failure.to_string(),
        Cause::OutputClosed | Cause::Complete => "nobody reads it any more".to_owned(),
        Cause::Failed(_, why) => why.clone(),
        _ => "the connection has failed".to_owned(),
    }
}
