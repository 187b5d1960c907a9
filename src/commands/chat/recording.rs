//! The file of `--record`: a script that grows step by step while the session goes on.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::telling::Telling;
use crate::certificate::escaped;
use crate::chat::{Form, MOST_BYTES, Recorder, Speaker};
use crate::endpoint::{Endpoint, Overheard, Said, Source};
use crate::error::{Failure, plain};
use crate::report::chat::Direction;

/// A recording that goes on.
pub struct Recording(Rc<RefCell<Book>>);

impl Recording {
    /// Makes the file, for its owner alone: passwords may be said. One that is there already is left as it is.
    pub fn create(path: &Path, title: &str) -> Result<Recording, Failure> {
        let file = File::options().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|why| {
            let failure = Failure::other(format!("cannot record to {}", shown(path)), &why);
            match why.kind() {
                io::ErrorKind::AlreadyExists => {
                    failure.hint("a recording never replaces a file: remove it first")
                }
                _ => failure,
            }
        })?;
        Ok(Recording(Rc::new(RefCell::new(Book {
            recorder: Recorder::new(Form::Stream),
            head: format!(
                "# {}, recorded by spile chat --record; passwords that were said are in it\n",
                escaped(title)
            ),
            file,
            path: path.to_owned(),
            length: 0,
            spoken: Instant::now(),
            failed: None,
        }))))
    }

    /// Writes down what both ends say from now on: `left` is our side.
    pub fn overhear(&self, (left, right): (&mut Endpoint, &mut Endpoint), telling: &Telling) {
        let has_messages = left.source.has_messages() || right.source.has_messages();
        let form = if has_messages { Form::Messages } else { Form::Stream };
        let mut book = self.0.borrow_mut();
        book.recorder = Recorder::new(form);
        book.spoken = Instant::now();
        drop(book);
        for (source, speaker) in [(&mut left.source, Speaker::We), (&mut right.source, Speaker::Peer)] {
            let (book, telling, begun) = (self.0.clone(), telling.clone(), Instant::now());
            let listening = Box::new(move |said: Said<'_>| {
                if let Said::Bytes(bytes) = said {
                    telling.passed(None, begun, direction(speaker), bytes);
                }
                book.borrow_mut().hear(speaker, said);
            });
            *source = Overheard::around(std::mem::replace(source, Source::Ended), listening);
        }
    }

    /// Ends it. Fails where something is missing.
    pub fn finish(&self) -> Result<(), Failure> {
        let mut book = self.0.borrow_mut();
        book.recorder.finish();
        book.write();
        let incomplete =
            |why: &str| Failure::other(format!("the recording {} is not complete", shown(&book.path)), why);
        match &book.failed {
            Some(why) => Err(incomplete(why)),
            None if book.recorder.is_full() => {
                Err(incomplete(&format!("a script holds no more than {MOST_BYTES} bytes")))
            }
            None => Ok(()),
        }
    }
}

/// The file, and what is to be written there.
struct Book {
    recorder: Recorder,
    /// Comes before the first step.
    head: String,
    file: File,
    path: PathBuf,
    /// Bytes of whole steps in the file.
    length: u64,
    /// When somebody has spoken last.
    spoken: Instant,
    failed: Option<String>,
}

impl Book {
    fn hear(&mut self, speaker: Speaker, said: Said<'_>) {
        let now = Instant::now();
        self.recorder.pause(now - std::mem::replace(&mut self.spoken, now), speaker);
        match said {
            Said::Bytes(bytes) => self.recorder.said(speaker, bytes),
            Said::End => self.recorder.end(speaker),
            Said::Cut => self.recorder.cut(speaker),
        }
        self.write();
    }

    /// Writes the steps that are new. A full disk ends the recording and not the session; it is told at the end.
    fn write(&mut self) {
        let steps = self.recorder.take();
        if steps.is_empty() || self.failed.is_some() {
            return;
        }
        let text = std::mem::take(&mut self.head) + &steps;
        match self.file.write_all(text.as_bytes()) {
            Ok(()) => self.length += text.len() as u64,
            Err(why) => {
                self.failed = Some(plain(&why.to_string()));
                self.keep_whole_steps(text.as_bytes());
            }
        }
    }

    /// Only a part of `text` was written; half a step would be a mistake in the script.
    fn keep_whole_steps(&mut self, text: &[u8]) {
        let size = self.file.metadata().map_or(self.length, |about| about.len());
        let written = usize::try_from(size.saturating_sub(self.length)).unwrap_or(usize::MAX);
        let end = text[..written.min(text.len())].iter().rposition(|byte| *byte == b'\n');
        self.length += end.map_or(0, |end| end as u64 + 1);
        let _ = self.file.set_len(self.length);
    }
}

impl Drop for Book {
    /// A session of which nothing was written leaves no file.
    fn drop(&mut self) {
        if self.length == 0 {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn direction(speaker: Speaker) -> Direction {
    match speaker {
        Speaker::We => Direction::Said,
        Speaker::Peer => Direction::Heard,
    }
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
