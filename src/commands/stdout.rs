//! stdout, for the commands that print what they found. It is for data alone.

use std::io::{self, Write};

use crate::error::{Exit, Failure};

/// Writes `text` to stdout.
pub fn print(text: &str) -> Result<Exit, Failure> {
    let mut stdout = io::stdout();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// What became of a write to stdout: a reader that has closed it is no failure (141), a disk that is full is one.
pub fn written(result: io::Result<()>) -> Result<Exit, Failure> {
    match result {
        Ok(()) => Ok(Exit::OK),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::PIPE),
        Err(why) => Err(Failure::other("cannot write stdout", why)),
    }
}
