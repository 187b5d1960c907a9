//! The standard streams of a program: where they come from and go to, and what happens on the way.
//! Nothing here knows flags or prints.
//!
//! Every pipe that is made here is read until its end, whatever becomes of the bytes: no program is ever held up
//! because somebody looks at its other stream.

mod feed;
mod holders;
mod open;
mod ordered;
mod plan;
mod spool;
mod terminal;

use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

pub use holders::Holder;
pub use plan::{Input, Joining, Newlines, Output, Plan, Sequence, Showing, Tty};

use crate::error::{Exit, Failure};
use crate::flow::{Captured, Ending, Flow, View};
use crate::process::Status;
use crate::signal::{self, Number};
use crate::supervise::{Company, Event, Happening};
use feed::Feed;
use ordered::Ordered;
use spool::Spool;
use terminal::Keyboard;

/// Between two looks for who still holds the output, where the kernel does not tell.
const LOOK: Duration = Duration::from_millis(10);

/// One stream that passes through us.
struct Passing {
    /// 0: stdout, 1: stderr.
    stream: usize,
    flow: Flow,
    /// The pipe, seen from outside.
    view: Option<View>,
    /// Bytes after which nothing more is read, once the patience is over.
    last: Option<u64>,
    /// Bytes that its destination has.
    sent: u64,
}

/// A program of ours that reads or writes an address.
struct Helper {
    pid: i32,
    /// `--stdout tcp:…`, for messages.
    what: String,
    /// It writes, so that its end is waited for.
    writes: bool,
    status: Option<Status>,
}

/// The streams of one program.
pub struct Streams {
    feed: Option<Feed>,
    keyboard: Option<Keyboard>,
    passing: Vec<Passing>,
    ordered: Option<Ordered>,
    spool: Option<Spool>,
    helpers: Vec<Helper>,
    /// What the program's ends are called in /proc/PID/fd.
    names: Vec<OsString>,
    holders: Vec<Holder>,
    has_ended: bool,
    has_hung_up: bool,
    failures: Vec<Failure>,
}

/// What is known of the streams at the end.
#[derive(Debug, Default)]
pub struct Told {
    /// stdout and stderr, as far as they passed through us.
    pub streams: [Option<Stream>; 2],
    /// Bytes of a text on stdin that nobody has read.
    pub stdin_unread: u64,
    /// Who still had the output open when we gave up waiting for its end.
    pub holders: Vec<Holder>,
    /// What could not be done.
    pub failures: Vec<Failure>,
    is_cut: bool,
    held_back: Option<Spool>,
}

/// One stream at the end.
#[derive(Debug, Default)]
pub struct Stream {
    /// Bytes that came.
    pub bytes: u64,
    /// What was kept, where that was asked for.
    pub captured: Option<Captured>,
}

impl Company for Streams {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        if let Some(feed) = &self.feed {
            feed.waits(fds);
        }
        let typed = self.keyboard.as_ref().and_then(|keyboard| keyboard.waits(fds));
        let mut looked = None;
        if let Some(ordered) = &self.ordered {
            ordered.waits(fds);
            looked = self.has_ended.then(|| Instant::now() + LOOK);
        }
        let moving = self.passing.iter().map(|passing| &passing.flow).filter(|flow| !flow.is_over());
        moving.filter_map(|flow| flow.waits(fds)).chain(typed).chain(looked).min()
    }

    fn advance(&mut self, now: Instant) -> bool {
        if let Some(feed) = &mut self.feed {
            feed.advance();
        }
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.advance(now);
        }
        let before = self.received();
        self.advance_ordered(now);
        for passing in &mut self.passing {
            passing.advance(now);
            passing.account(&mut self.spool);
            self.failures.extend(passing.flow.failures());
        }
        // Nobody sees any more what is on its terminal: that is a hang-up, and not an end of typing alone.
        if self.keyboard.is_some() && self.passing.iter().any(Passing::is_unread) {
            self.keyboard = None;
        }
        self.received() > before
    }

    fn is_over(&self) -> bool {
        let waited_for = |helper: &Helper| helper.status.is_none() && (helper.writes || !self.has_hung_up);
        self.passing.iter().all(|passing| passing.flow.is_over()) && !self.helpers.iter().any(waited_for)
    }

    fn hang_up(&mut self) {
        self.has_hung_up = true;
        if self.passing.iter().any(|passing| passing.flow.ending().is_none()) {
            self.holders = holders::of(&self.names);
        }
        self.ordered = None;
        for passing in &mut self.passing {
            passing.hang_up();
        }
    }

    fn note(&mut self, event: &Event) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.note(event);
        }
        if let Event::Ended(pid, status, _) = event {
            for helper in self.helpers.iter_mut().filter(|helper| helper.pid == *pid) {
                helper.status = Some(*status);
                if helper.has_failed(*status) {
                    self.failures.push(Failure::new(
                        status.exit(),
                        &helper.what,
                        "not everything could be moved",
                    ));
                }
            }
        }
    }

    fn told(&mut self, happening: Happening<'_>) {
        if matches!(happening, Happening::Ended(_)) {
            self.has_ended = true;
            // What a helper has failed of before, also if that was the program's end, is its status all the same.
            for pid in self.reading_helpers() {
                let _ = signal::send(pid, Number::TERM);
            }
        }
    }
}

impl Helper {
    /// Who only reads for the program may be cut short by its end.
    fn has_failed(&self, status: Status) -> bool {
        let by = |signal: Number| status.exit() == Exit::from_signal(signal.raw());
        status.code() != Some(0) && (self.writes || !(by(Number::PIPE) || by(Number::TERM)))
    }
}

impl Passing {
    fn is_unread(&self) -> bool {
        matches!(self.flow.ending(), Some(Ending::ReaderGone | Ending::Failed(_)))
    }

    fn advance(&mut self, now: Instant) {
        self.flow.advance(now);
        if self.last.is_some_and(|last| self.flow.received() >= last) {
            self.flow.stop_reading();
            self.flow.advance(now);
        }
    }

    /// From now on, only what is there already.
    fn hang_up(&mut self) {
        let there = self.view.as_ref().and_then(View::fill).unwrap_or(0);
        self.last = Some(self.flow.received() + there);
        self.advance(Instant::now());
    }

    fn account(&mut self, spool: &mut Option<Spool>) {
        let sent = self.flow.sent();
        if let Some(spool) = spool {
            spool.wrote(self.stream, sent - self.sent);
        }
        self.sent = sent;
    }
}

impl Streams {
    fn received(&self) -> u64 {
        self.passing.iter().map(|passing| passing.flow.received()).sum()
    }

    /// Datagrams have no end: it has come when nobody is left who could write one.
    fn advance_ordered(&mut self, now: Instant) {
        let Streams { ordered, passing, spool, .. } = self;
        let (Some(receiver), [out, err]) = (ordered.as_mut(), &mut passing[..]) else { return };
        let mut sent = [out.sent, err.sent];
        let is_empty = receiver.advance(now, [&mut out.flow, &mut err.flow], |whose, flow| {
            if let Some(spool) = spool {
                spool.wrote(whose, flow.sent() - sent[whose]);
            }
            sent[whose] = flow.sent();
        });
        (out.sent, err.sent) = (sent[0], sent[1]);
        if is_empty && self.has_ended && holders::of(&self.names).is_empty() {
            self.ordered = None;
        }
    }

    fn reading_helpers(&self) -> impl Iterator<Item = i32> {
        let reads = |helper: &&Helper| helper.status.is_none() && !helper.writes;
        self.helpers.iter().filter(reads).map(|helper| helper.pid)
    }

    /// The helpers that still run.
    pub fn helpers(&self) -> impl Iterator<Item = i32> {
        self.helpers.iter().filter(|helper| helper.status.is_none()).map(|helper| helper.pid)
    }

    /// Tells what is known.
    pub fn finish(self) -> Told {
        let mut told = Told {
            stdin_unread: self.feed.as_ref().map_or(0, Feed::unread),
            holders: self.holders,
            failures: self.failures,
            is_cut: self.passing.iter().any(|passing| !passing.flow.is_over()),
            held_back: self.spool,
            ..Told::default()
        };
        for passing in self.passing {
            if let Some(Ending::Failed(failure)) = passing.flow.ending() {
                told.failures.push(failure.clone());
            }
            let (stream, bytes) = (passing.stream, passing.flow.received());
            let captured = passing.flow.captured().pop();
            told.streams[stream] = Some(Stream { bytes, captured });
        }
        told
    }
}

impl Told {
    /// Shows what was held back, where the program has failed; where it has not, output that was cut off is one.
    pub fn end(&mut self, has_failed: bool) {
        if let Some(spool) = self.held_back.take().filter(|_| has_failed) {
            let ours = [rustix::stdio::stdout(), rustix::stdio::stderr()];
            let cannot = |why| Failure::other("cannot show the output", why);
            self.failures.extend(spool.play(ours).err().filter(|why| !is_broken(why)).map(cannot));
        }
        if self.is_cut && !has_failed {
            self.failures.push(Failure::other("not all output was passed on", "spile was told to end"));
        }
    }
}

fn is_broken(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::BrokenPipe
}
