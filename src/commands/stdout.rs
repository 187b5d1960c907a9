//! stdout, for the commands that print what they found. It is for data alone.

use std::io::{self, Write};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::{Exit, Failure};

/// Writes `text` to stdout.
pub fn print(text: &str) -> Result<Exit, Failure> {
    let mut stdout = io::stdout();
    written(can_be_written().and_then(|()| stdout.write_all(text.as_bytes())).and_then(|()| stdout.flush()))
}

/// Fails where stdout was closed at the start, or opened for reading: Rust's own takes that for a success.
pub fn can_be_written() -> io::Result<()> {
    match rustix::fs::fcntl_getfl(rustix::stdio::stdout())? & OFlags::RWMODE {
        OFlags::RDONLY => Err(Errno::BADF.into()),
        _ => Ok(()),
    }
}

/// What became of a write to stdout: a reader that has closed it is no failure (141), a disk that is full is one.
pub fn written(result: io::Result<()>) -> Result<Exit, Failure> {
    match result {
        Ok(()) => Ok(Exit::OK),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::PIPE),
        Err(why) => Err(Failure::other("cannot write stdout", why)),
    }
}
