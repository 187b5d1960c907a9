//! One direction of a relay: bytes from a source to a sink, with one bounded buffer between them.

use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::pipe::SpliceFlags;

use crate::endpoint::{Input, Sink, Source, WhenBroken};
use crate::pool::{Buffer, LARGE, Pipe};

/// A direction lets others run after this many bytes.
const BUDGET: usize = 4 * 1024 * 1024;
/// Full reads in a row after which a flow counts as bulk.
const BULK_AFTER: u8 = 2;

/// How a direction came to its end.
#[derive(Debug)]
pub enum Ending {
    /// The source ended; everything was written and the end passed on.
    Eof,
    /// Reading failed.
    SourceFailed(io::Error),
    /// Writing failed.
    SinkFailed(io::Error),
}

/// The state between one source and one sink.
#[derive(Default)]
pub struct Direction {
    buffer: Option<Buffer>,
    /// What of the buffer is still to be written; an empty message is `Some` with nothing left.
    pending: Option<(u32, u32)>,
    pipe: Option<Pipe>,
    in_pipe: u32,
    full_reads: u8,
    /// The sink was told that bulk comes.
    tuned: bool,
    state: State,
    /// Keep the end of the source to ourselves: it follows an error that must be passed on as a reset.
    pub withhold_end: bool,
    /// Bytes written so far.
    pub bytes: u64,
    /// Messages read so far.
    pub messages: u32,
    /// Read no more messages than this.
    most_messages: Option<u32>,
    /// Messages that were longer than the buffer and lost their tail.
    pub cut_messages: u32,
    /// Messages that the sink refused as too long.
    pub refused_messages: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Flowing,
    /// The source has ended; what is in hand must still be written.
    Flushing,
    Done,
}

impl Direction {
    /// A direction that reads no more than so many messages.
    pub fn up_to(most_messages: Option<u32>) -> Direction {
        let mut direction = Direction::default();
        direction.most_messages = most_messages;
        direction
    }

    /// A direction that has so much of `buffer` still to write.
    pub fn holding(buffer: Buffer, unsent: std::ops::Range<usize>) -> Direction {
        let mut direction = Direction::default();
        direction.pending = (!unsent.is_empty()).then_some((unsent.start as u32, unsent.end as u32));
        direction.buffer = Some(buffer);
        direction
    }

    /// True once the end was reached, in whatever way.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// True when the source has ended.
    pub fn source_ended(&self) -> bool {
        matches!(self.state, State::Flushing | State::Done)
    }

    /// True when bytes were read that are not yet written.
    pub fn has_unsent(&self) -> bool {
        self.pending.is_some() || self.in_pipe > 0
    }

    /// True when an end now would be one before the end: something of `source` is known not to have arrived.
    pub fn is_cut_short(&self, source: &Source) -> bool {
        !self.is_done() && (self.has_unsent() || self.state == State::Flowing && source.has_more())
    }

    /// Moves what can be moved now. Ready once, at the end; call it no more after that.
    pub fn poll(&mut self, cx: &mut Context<'_>, source: &mut Source, sink: &mut Sink) -> Poll<Ending> {
        let start = self.bytes;
        let ending = loop {
            match ready!(self.poll_drain(cx, sink)) {
                Ok(()) => {}
                Err(error) if self.tolerates(&error, sink) => continue,
                Err(error) => break Ending::SinkFailed(error),
            }
            if self.state == State::Flushing {
                if !self.withhold_end {
                    ready!(sink.poll_half_close(cx));
                }
                break Ending::Eof;
            }
            if self.most_messages.is_some_and(|most| self.messages >= most) {
                self.release();
                return Poll::Pending;
            }
            if self.bytes - start >= BUDGET as u64 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.poll_fill(cx, source, sink) {
                Poll::Pending => {
                    self.release();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break Ending::SourceFailed(error),
            }
        };
        self.release();
        self.state = State::Done;
        Poll::Ready(ending)
    }

    /// Writes what is in hand, without reading more. True when all is written.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>, sink: &mut Sink) -> Poll<io::Result<()>> {
        self.poll_drain(cx, sink)
    }

    /// A child that closed its stdin does not end the conversation: the rest of its input is thrown away.
    fn tolerates(&mut self, error: &io::Error, sink: &mut Sink) -> bool {
        let broken = matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset);
        if !broken || sink.when_broken() != WhenBroken::Discard {
            return false;
        }
        // What is in the buffer goes the same way as the rest: past the taps, then nowhere.
        self.drop_spliced();
        sink.discard_rest();
        true
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, sink: &mut Sink) -> Poll<io::Result<()>> {
        while self.in_pipe > 0 {
            let n = ready!(self.poll_splice_out(cx, sink))?;
            self.in_pipe -= n;
            self.bytes += u64::from(n);
        }
        while let (Some((start, end)), Some(buffer)) = (self.pending, &self.buffer) {
            let chunk = &buffer[start as usize..end as usize];
            match sink.poll_write(cx, chunk) {
                Poll::Ready(Ok(n)) => {
                    self.bytes += n as u64;
                    let start = start + n as u32;
                    self.pending = (start < end).then_some((start, end));
                }
                Poll::Ready(Err(error)) if sink.has_messages() && is_too_long(&error) => {
                    self.refused_messages += 1;
                    self.pending = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.shrink_when_scarce();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source,
        sink: &mut Sink,
    ) -> Poll<io::Result<()>> {
        let bulk = self.full_reads >= BULK_AFTER;
        if bulk && !self.tuned {
            self.tuned = true;
            sink.expect_bulk();
        }
        if bulk && let Some(result) = self.poll_splice_in(cx, source, sink) {
            return result;
        }
        // Asked before a buffer is borrowed: a direction that waits does not even touch one.
        ready!(source.poll_ready(cx));
        let keep = self.buffer.take().filter(|buffer| !bulk || buffer.len() == LARGE);
        let buffer = self.buffer.insert(keep.unwrap_or_else(|| Buffer::lend(bulk)));
        let limit = buffer.len().min(sink.largest_write());
        let limit = if source.has_messages() { buffer.len() } else { limit };
        match ready!(source.poll_read(cx, &mut buffer[..limit]))? {
            Input::End => self.state = State::Flushing,
            Input::Bytes(n) => {
                self.full_reads = match source.was_filled(n, limit) {
                    true => self.full_reads.saturating_add(1),
                    false => 0,
                };
                self.pending = Some((0, n as u32));
            }
            Input::Message { len, full } => {
                self.messages += 1;
                self.cut_messages += u32::from(full > len);
                // An empty message is data for a sink that keeps messages, and nothing for a stream.
                self.pending = (len > 0 || sink.has_messages()).then_some((0, len as u32));
            }
            Input::Long { bytes, full } => {
                self.messages += 1;
                self.cut_messages += u32::from(full > bytes.len());
                self.pending = Some((0, bytes.len() as u32));
                self.buffer = Some(Buffer::own(bytes));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads through a pipe in the kernel; `None` where this flow has to be copied.
    /// The pipe is empty here, so EAGAIN can only mean that the source has nothing.
    fn poll_splice_in(
        &mut self,
        cx: &mut Context<'_>,
        source: &Source,
        sink: &mut Sink,
    ) -> Option<Poll<io::Result<()>>> {
        let from = source.plain_stream().filter(|fd| fd.can_splice())?;
        sink.stream().filter(|(fd, _)| fd.can_splice())?;
        if self.pipe.is_none() {
            self.pipe = Some(Pipe::lend()?);
            self.buffer = None;
        }
        let into = self.pipe.as_ref()?.into.as_fd();
        let read = from.poll_input(cx, |fd, _| {
            let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
            rustix::pipe::splice(fd, None, into, None, LARGE, flags).map(|n| (n, false))
        });
        Some(read.map_ok(|n| match n {
            0 => self.state = State::Flushing,
            n => {
                self.in_pipe = n as u32;
                if n < crate::pool::SMALL / 4 {
                    self.full_reads = 0;
                }
            }
        }))
    }

    fn poll_splice_out(&mut self, cx: &mut Context<'_>, sink: &mut Sink) -> Poll<io::Result<u32>> {
        let (Some(pipe), Some((to, stalled))) = (&self.pipe, sink.stream()) else {
            return Poll::Ready(Err(Errno::PIPE.into()));
        };
        let left = self.in_pipe as usize;
        to.poll_output(cx, stalled, |fd, _| {
            let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
            let n = rustix::pipe::splice(&pipe.out, None, fd, None, left, flags)?;
            Ok((n as u32, n < left))
        })
    }

    /// A stalled peer may hold its buffer for hours: when buffers run short, keep just what is in it.
    fn shrink_when_scarce(&mut self) {
        if let (Some((start, end)), Some(buffer)) = (self.pending, &self.buffer)
            && Buffer::are_scarce()
            && buffer.len() >= crate::pool::SMALL
        {
            self.buffer = Some(Buffer::exact(&buffer[start as usize..end as usize]));
            self.pending = Some((0, end - start));
        }
    }

    fn drop_spliced(&mut self) {
        if let (true, Some(pipe)) = (self.in_pipe > 0, self.pipe.take()) {
            pipe.discard();
            self.in_pipe = 0;
        }
    }

    fn release(&mut self) {
        if self.pending.is_none() {
            self.buffer = None;
        }
        if let Some(pipe) = self.pipe.take() {
            match self.in_pipe {
                0 => pipe.give_back(),
                _ => self.pipe = Some(pipe),
            }
        }
    }
}

impl Drop for Direction {
    fn drop(&mut self) {
        self.pending = None;
        self.drop_spliced();
        self.release();
    }
}

fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error())
}
