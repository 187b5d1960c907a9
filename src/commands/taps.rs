//! Flags that look at what passes: captures, digests, progress.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

use super::progress::{Progress, When};
use crate::endpoint::{Capture, Endpoint, Sink, Tap};
use crate::error::Failure;
use crate::relay::Side;

/// What a session of these flags tells about its bytes. A direction that is looked at is copied, never spliced.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Looking at what passes")]
pub struct TapArgs {
    /// Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is
    /// the number of the connection. IN or OUT may be empty
    #[arg(long, value_name = "IN,OUT", value_parser = capture_files)]
    capture: Option<CaptureFiles>,
    /// Tell the digests of what was sent and received at the end, on stderr and in --json
    #[arg(long, value_name = "KIND", value_enum)]
    digest: Option<DigestKind>,
    /// Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second
    #[arg(long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    progress: Option<When>,
    #[arg(skip)]
    meter: Meter,
}

/// A digest that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DigestKind {
    /// SHA-256, FIPS 180-4.
    Sha256,
}

/// Bytes of all sessions together.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Meter {
    /// Bytes from left to right.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes from right to left.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Where the two directions are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CaptureFiles {
    from_peer: Option<String>,
    to_peer: Option<String>,
}

/// Stands for the number of the connection in a file's name.
const ID: &str = "{id}";

fn capture_files(text: &str) -> Result<CaptureFiles, String> {
    let (from, to) = text.split_once(',').unwrap_or((text, ""));
    let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let files = CaptureFiles { from_peer: name(from), to_peer: name(to) };
    match files.names().count() {
        0 => Err("names no file".to_owned()),
        2 if from == to => Err("each direction needs a file of its own".to_owned()),
        _ => Ok(files),
    }
}

impl CaptureFiles {
    fn names(&self) -> impl Iterator<Item = &String> {
        self.from_peer.iter().chain(&self.to_peer)
    }
}

impl TapArgs {
    /// Refuses a file that each of many connections would empty again.
    pub fn serve_many(&self) -> Result<(), Failure> {
        match self.capture.iter().flat_map(CaptureFiles::names).find(|name| !name.contains(ID)) {
            Some(name) => {
                Err(Failure::usage(format!("--capture {name}"), "would be written anew by each connection")
                    .hint(format!("put the connection's number in the name: {name}.{ID}")))
            }
            None => Ok(()),
        }
    }

    /// Puts taps between the two ends of connection `id`; `peer` is the side that is captured.
    pub fn apply(
        &self,
        (mut left, mut right): (Endpoint, Endpoint),
        peer: Side,
        id: u64,
    ) -> Result<(Endpoint, Endpoint), Failure> {
        let files = self.capture.as_ref().map(|files| (files.from_peer.as_ref(), files.to_peer.as_ref()));
        let (from_peer, to_peer) = files.unwrap_or_default();
        let (to_left, to_right) = match peer {
            Side::Right => (from_peer, to_peer),
            Side::Left => (to_peer, from_peer),
        };
        left.sink = self.tapped(left.sink, to_left, &self.meter.received, id)?;
        right.sink = self.tapped(right.sink, to_right, &self.meter.sent, id)?;
        Ok((left, right))
    }

    fn tapped(
        &self,
        sink: Sink,
        capture: Option<&String>,
        counter: &Arc<AtomicU64>,
        id: u64,
    ) -> Result<Sink, Failure> {
        if capture.is_none() && self.digest.is_none() && self.progress.is_none() {
            return Ok(sink);
        }
        let file = capture.map(|name| PathBuf::from(name.replace(ID, &id.to_string())));
        let tap = Tap {
            counter: self.progress.map(|_| counter.clone()),
            sha256: self.digest.map(|DigestKind::Sha256| Default::default()),
            capture: file.map(|path| Capture::create(&path)).transpose()?,
            gate: None,
        };
        Ok(sink.tapped(tap))
    }

    /// What shows how far it is, beside the work itself.
    pub fn progress(&self, name: &'static str) -> Progress {
        Progress::new(name, self.progress, self.meter.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_names_one_or_two_files() {
        let files = |text| capture_files(text).map(|files| (files.from_peer, files.to_peer));
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(files("in,out"), Ok((name("in"), name("out"))));
        assert_eq!(files("in"), Ok((name("in"), None)));
        assert_eq!(files(",out"), Ok((None, name("out"))));
        for bad in ["", ",", "same,same"] {
            assert!(files(bad).is_err(), "{bad}");
        }
    }
}
