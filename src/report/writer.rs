//! Lines about what we do, for a reader who may not read them: nothing waits for that one but a thread of its own.
//!
//! A line is written at once as long as the place takes it. What it does not take waits, within a bound, for a thread
//! that is started then and ends with the last of it. What finds no room is counted, and told where there is room again.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::flow::End;
use crate::signal::undisturbed;

/// How many bytes wait for a reader that does not read; more are not kept.
pub const MOST_WAITING: usize = 1 << 20;

/// How long what waits is given at the end.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// The line, with its end, that tells how many were lost.
type Note = Box<dyn Fn(u64) -> String + Send + Sync>;

/// A place for lines.
pub struct Writer(Arc<Shared>);

/// What a writer and its thread share.
struct Shared {
    state: Mutex<State>,
    /// The thread has ended.
    idle: Condvar,
    /// Missing as long as a fifo has no reader, for which the thread waits.
    end: OnceLock<End>,
    fifo: PathBuf,
    note: Note,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    /// Bytes in `waiting`.
    bytes: usize,
    /// Bytes of the first line that are written already.
    gone: usize,
    /// Lines that found no room, and were not told yet.
    lost: u64,
    has_thread: bool,
    /// What the thread met.
    failure: Option<io::Error>,
}

impl Writer {
    /// Lines go to `end`, which is used without ever blocking.
    pub fn new(end: End, note: impl Fn(u64) -> String + Send + Sync + 'static) -> Writer {
        Writer::with(OnceLock::from(end), PathBuf::new(), note)
    }

    /// Makes a file anew. A fifo needs no reader yet.
    pub fn create(path: &Path, note: impl Fn(u64) -> String + Send + Sync + 'static) -> io::Result<Writer> {
        let is_fifo = std::fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo());
        let flags = if is_fifo { OFlags::NONBLOCK } else { OFlags::empty() }.bits().cast_signed();
        let file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path);
        match file {
            Ok(file) => Ok(Writer::new(End::own(file.into())?, note)),
            // Nobody has opened it for reading, fifo(7).
            Err(why) if is_fifo && Errno::from_io_error(&why) == Some(Errno::NXIO) => {
                Ok(Writer::with(OnceLock::new(), path.to_owned(), note))
            }
            Err(why) => Err(why),
        }
    }

    fn with(
        end: OnceLock<End>,
        fifo: PathBuf,
        note: impl Fn(u64) -> String + Send + Sync + 'static,
    ) -> Writer {
        let (state, idle, note) = (Mutex::default(), Condvar::new(), Box::new(note));
        Writer(Arc::new(Shared { state, idle, end, fifo, note }))
    }

    /// Writes text that ends a line, or keeps it until its place takes it. Fails as the last write has, maybe that of
    /// an earlier line.
    pub fn write(&self, text: String) -> io::Result<()> {
        let mut state = self.0.lock();
        state.add(text, &self.0.note);
        if !state.has_thread {
            match state.flush(self.0.end.get()) {
                Ok(true) => {}
                Ok(false) => state.has_thread = self.start(),
                Err(why) => {
                    state.forget();
                    return Err(why);
                }
            }
        }
        state.failure.take().map_or(Ok(()), Err)
    }

    /// Gives what waits a while to be read. Answers how many lines were not, or why they could not be written.
    pub fn finish(&self, patience: Duration) -> io::Result<u64> {
        let waited = self.0.idle.wait_timeout_while(self.0.lock(), patience, |state| state.has_thread);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.failure.take() {
            Some(why) => Err(why),
            None => Ok(state.lost + state.waiting.len() as u64),
        }
    }

    /// True when a thread could be started; signals are none of its business. Without one, the next line tries again.
    fn start(&self) -> bool {
        let shared = self.0.clone();
        let thread = std::thread::Builder::new().name("writer".into());
        undisturbed(|| thread.spawn(move || shared.empty())).is_ok()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, as fast as it is read.
    fn empty(&self) {
        loop {
            let opened = self.open();
            let mut state = self.lock();
            match opened.and_then(|()| state.flush(self.end.get())) {
                Ok(false) => {}
                Ok(true) if state.lost > 0 => state.tell_losses(&self.note),
                done => {
                    if done.is_err() {
                        state.forget();
                    }
                    state.failure = done.err();
                    state.has_thread = false;
                    return self.idle.notify_all();
                }
            }
            drop(state);
            if let Some(end) = self.end.get() {
                let _ = poll(&mut [PollFd::new(end, PollFlags::OUT)], None);
            }
        }
    }

    /// Waits until a fifo has a reader.
    fn open(&self) -> io::Result<()> {
        if self.end.get().is_none() {
            let end = End::own(OpenOptions::new().write(true).open(&self.fifo)?.into())?;
            let _ = self.end.set(end);
        }
        Ok(())
    }
}

impl State {
    /// Keeps a line if there is room. After a loss there must be plenty of it, or every other line would be about losses.
    fn add(&mut self, text: String, note: &Note) {
        let has_room = match self.lost {
            0 => self.bytes == 0 || self.bytes + text.len() <= MOST_WAITING,
            _ => self.bytes <= MOST_WAITING / 2,
        };
        if !has_room {
            self.lost += 1;
            return;
        }
        if self.lost > 0 {
            self.tell_losses(note);
        }
        self.push(text);
    }

    fn tell_losses(&mut self, note: &Note) {
        let lost = std::mem::take(&mut self.lost);
        self.push(note(lost));
    }

    fn push(&mut self, text: String) {
        self.bytes += text.len();
        self.waiting.push_back(text.into_bytes());
    }

    /// Writes what fits, a line at a time: the place may keep records apart. True when nothing waits any more.
    fn flush(&mut self, end: Option<&End>) -> io::Result<bool> {
        let Some(end) = end else { return Ok(self.waiting.is_empty()) };
        while let Some(line) = self.waiting.front() {
            match end.write(&line[self.gone..])? {
                Some(n) => self.gone += n,
                None => return Ok(false),
            }
            if self.gone == line.len() {
                self.bytes -= line.len();
                self.gone = 0;
                self.waiting.pop_front();
            }
        }
        Ok(true)
    }

    /// What waits can never be written.
    fn forget(&mut self) {
        *self = State { has_thread: self.has_thread, ..State::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;
    use crate::flow::{Way, pipe};

    fn writer() -> (std::fs::File, OwnedFd, Writer) {
        let (out, into) = pipe().unwrap();
        let end = End::beside(into.as_fd(), Way::Out).unwrap();
        (out.into(), into, Writer::new(end, |lost| format!("{lost} lost\n")))
    }

    fn line(n: usize) -> String {
        format!("{n:>99}\n")
    }

    #[test]
    fn who_reads_gets_all_in_order_and_there_is_no_thread() {
        let (mut out, _into, writer) = writer();
        for n in 0..1000 {
            writer.write(line(n)).unwrap();
            let mut got = [0; 100];
            out.read_exact(&mut got).unwrap();
            assert_eq!(got, *line(n).as_bytes());
            assert!(!writer.0.lock().has_thread);
        }
        assert_eq!(writer.finish(Duration::ZERO).unwrap(), 0);
    }

    #[test]
    fn what_is_not_read_waits_then_is_counted_and_told_where_it_is_missing() {
        const LINES: usize = 20_000;
        let (mut out, into, writer) = writer();
        for n in 0..LINES {
            writer.write(line(n)).unwrap();
        }
        assert!(writer.0.lock().bytes <= MOST_WAITING);
        let unread = writer.finish(Duration::ZERO).unwrap() as usize;
        assert!(unread > LINES / 2 && unread < LINES, "{unread}");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text).unwrap()
        });
        assert_eq!(writer.finish(Duration::from_secs(20)).unwrap(), 0);
        writer.write("after\n".to_owned()).unwrap();
        drop((writer, into));
        let text = reader.join().unwrap();
        let got: Vec<&str> = text.lines().collect();
        let kept = got.len() - 2;
        assert_eq!(&got[kept..], [&format!("{} lost", LINES - kept), "after"]);
        assert!(got[..kept].iter().enumerate().all(|(n, got)| *got == line(n).trim_end_matches('\n')));
    }

    #[test]
    fn a_line_longer_than_the_pipe_and_all_that_may_wait_goes_piecewise() {
        let (mut out, into, writer) = writer();
        let long = "x".repeat(3 * MOST_WAITING) + "\n";
        writer.write(long.clone()).unwrap();
        writer.write("no room\n".to_owned()).unwrap();
        let mut got = vec![0; long.len()];
        out.read_exact(&mut got).unwrap();
        assert_eq!(got, long.as_bytes());
        assert_eq!(writer.finish(Duration::from_secs(20)).unwrap(), 0);
        drop((writer, into));
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "1 lost\n");
    }

    #[test]
    fn a_reader_that_goes_is_told_by_the_next_line_or_at_the_end() {
        let (out, _into, writer) = writer();
        for n in 0..1000 {
            writer.write(line(n)).unwrap();
        }
        drop(out);
        let why = writer.finish(Duration::from_secs(20)).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(writer.write(line(0)).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(writer.finish(Duration::ZERO).unwrap(), 0);
    }

    #[test]
    fn a_fifo_is_opened_when_its_reader_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = Writer::create(&path, |lost| format!("{lost} lost\n")).unwrap();
        writer.write("one\n".to_owned()).unwrap();
        assert_eq!(writer.finish(Duration::from_millis(1)).unwrap(), 1);
        let mut fifo = std::fs::File::open(&path).unwrap();
        assert_eq!(writer.finish(Duration::from_secs(20)).unwrap(), 0);
        drop(writer);
        let mut got = String::new();
        fifo.read_to_string(&mut got).unwrap();
        assert_eq!(got, "one\n");
    }
}
