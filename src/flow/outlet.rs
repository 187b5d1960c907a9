//! Where bytes go: an end, a name for messages, and the bytes that did not fit yet.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::end::End;
use crate::error::Failure;

/// Whether a file that exists is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Its content goes, as tee(1) and a shell's `>` do.
    Replaced,
    /// It is added to.
    Kept,
}

/// An end that is written to.
#[derive(Debug)]
pub struct Outlet {
    /// The descriptor.
    pub end: End,
    name: String,
    waiting: Vec<u8>,
    /// Bytes at the front of `waiting` that are written already.
    gone: usize,
}

impl Outlet {
    /// Bytes go to `end`, which messages call `name`.
    pub fn new(end: End, name: impl Into<String>) -> Outlet {
        Outlet { end, name: name.into(), waiting: Vec::new(), gone: 0 }
    }

    /// Opens a file for writing.
    pub fn file(path: &Path, existing: Existing) -> Result<Outlet, Failure> {
        let replaced = existing == Existing::Replaced;
        let file =
            OpenOptions::new().write(true).create(true).truncate(replaced).append(!replaced).open(path);
        let end = file.and_then(|file| End::own(OwnedFd::from(file)));
        let name = path.display().to_string();
        match end {
            Ok(end) => Ok(Outlet::new(end, name)),
            Err(why) => Err(Failure::other(format!("cannot write {name}"), why)),
        }
    }

    /// The same place once more, with nothing waiting.
    pub fn another(&self) -> io::Result<Outlet> {
        Ok(Outlet::new(self.end.another()?, self.name.clone()))
    }

    /// Writes bytes; what does not fit waits here.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.flush()? {
            self.waiting.extend_from_slice(bytes);
            return Ok(());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.end.write(rest)? {
                Some(n) => rest = &rest[n..],
                None => break,
            }
        }
        self.waiting.extend_from_slice(rest);
        Ok(())
    }

    /// Writes what waits; true when nothing waits any more.
    pub fn flush(&mut self) -> io::Result<bool> {
        while self.waiting() > 0 {
            match self.end.write(&self.waiting[self.gone..])? {
                Some(n) => self.gone += n,
                None => {
                    self.compact();
                    return Ok(false);
                }
            }
        }
        self.waiting.clear();
        self.gone = 0;
        Ok(true)
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len() - self.gone
    }

    /// Why writing failed, in a sentence.
    pub fn failure(&self, why: &io::Error) -> Failure {
        Failure::other(format!("cannot write {}", self.name), why)
    }

    /// Forgets the bytes that are written once they are the larger part: each is moved at most once.
    fn compact(&mut self) {
        if self.gone > self.waiting.len() / 2 {
            self.waiting.drain(..self.gone);
            self.gone = 0;
        }
    }
}
