//! An endpoint that answers: it has something to say, but speaks only once it was spoken to.

use std::fs::File;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::descriptor::{Descriptor, Kind};
use super::tap::Tap;
use super::{Endpoint, Sink, Source};
use crate::error::Failure;

/// Holds one direction back until the other has begun. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: bool,
    waker: Option<Waker>,
}

impl Gate {
    /// Lets through whoever waits, now and ever after.
    pub fn open(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.open = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Ready once it is open.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Lets `endpoint` say the content of a file, once it has been told something or the end. Many a client takes
/// an answer that comes before its request for a mistake.
pub fn answer_with(endpoint: Endpoint, path: &Path) -> Result<Endpoint, Failure> {
    let fd = Descriptor::new(open(path)?.into(), Kind::File);
    let fd = fd.map_err(|why| Failure::other(format!("cannot read {}", path.display()), why))?;
    let gate = Gate::default();
    let source = Source::Gated(Box::new((gate.clone(), Source::Stream(Arc::new(fd)))));
    let sink = endpoint.sink.tapped(Tap { gate: Some(gate), ..Tap::default() });
    Ok(Endpoint { source, sink, ..endpoint })
}

/// Says the content of a file at once, and takes everything.
pub fn say_file(path: &Path) -> Result<Endpoint, Failure> {
    let fd = Descriptor::new(open(path)?.into(), Kind::File);
    let fd = fd.map_err(|why| Failure::other(format!("cannot read {}", path.display()), why))?;
    Ok(Endpoint::new(Source::Stream(Arc::new(fd)), Sink::Discard))
}

/// What a file holds, or what comes out of a pipe until nobody has it open for writing; its first writer is waited for.
pub async fn content(path: &Path) -> Result<Source, Failure> {
    let cannot = |why: std::io::Error| Failure::other(format!("cannot read {}", path.display()), why);
    let kind = std::fs::metadata(path).map_err(cannot)?.file_type();
    match (kind.is_fifo(), kind.is_file()) {
        (true, _) => super::file::read_pipe(path).await,
        (_, true) => say_file(path).map(|endpoint| endpoint.source),
        _ => Err(cannot(std::io::Error::other("it is neither a file nor a pipe"))),
    }
}

/// Fails where `answer_with` and `say_file` would.
pub fn check_answer(path: &Path) -> Result<(), Failure> {
    open(path).map(drop)
}

fn open(path: &Path) -> Result<File, Failure> {
    let cannot = |why: std::io::Error| Failure::other(format!("cannot read {}", path.display()), why);
    let file = File::open(path).map_err(cannot)?;
    match file.metadata().map_err(cannot)?.is_file() {
        true => Ok(file),
        false => {
            Err(Failure::other(format!("cannot answer with {}", path.display()), "it is no regular file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_stays_open() {
        let gate = Gate::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(gate.poll(&mut cx).is_pending());
        gate.clone().open();
        assert!(gate.poll(&mut cx).is_ready() && gate.poll(&mut cx).is_ready());
    }
}
