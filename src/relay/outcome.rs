//! Why a session ended, and what it moved.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::endpoint::{Finding, Sink, WhenBroken};
use crate::error::Failure;
use crate::process::ChildStatus;

/// One of the two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first address; stdio in `connect` and `listen`'s right.
    Left,
    /// The second address.
    Right,
}

impl Side {
    /// The opposite one.
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// Which limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing moved for that long.
    Idle,
    /// Nothing moved for that long after one side had ended.
    HalfClosed,
    /// The whole session took too long.
    Session,
}

impl Limit {
    /// The flag that sets this limit.
    pub fn flag(self) -> &'static str {
        match self {
            Limit::Idle => "--idle-timeout",
            Limit::HalfClosed => "--eof-timeout",
            Limit::Session => "--deadline",
        }
    }
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was said was passed on.
    Complete,
    /// Our side has ended it before that on purpose, as this flag asks.
    Cut(&'static str),
    /// The child on that side ended and its output was passed on.
    ChildExited(Side),
    /// That side left altogether, and the child that served it had no more to do.
    Departed(Side),
    /// After an end that datagrams cannot tell, nothing more came; that is how they end.
    Quiet,
    /// That side reset the connection, or closed it on bytes still in flight.
    Reset(Side),
    /// That side answers no more, not even keepalive probes.
    Vanished(Side),
    /// That side's connection ended without the end of its TLS session: more may have been on its way.
    Truncated(Side),
    /// That side broke the rules of its TLS session, or refused us by an alert.
    Broken(Side, Failure),
    /// A datagram peer answered "port unreachable".
    Refused(Side),
    /// Whoever read our stdout closed it.
    OutputClosed,
    /// A limit ran out.
    Limit(Limit),
    /// A signal asked for the end.
    Stopped,
    /// Reading or writing that side failed in another way.
    Failed(Side, String),
}

impl Outcome {
    /// What a failed read from `side` means.
    pub fn of_read(side: Side, error: &io::Error) -> Outcome {
        if let Some(failure) = error.get_ref().and_then(|error| error.downcast_ref::<Failure>()) {
            return Outcome::Broken(side, failure.clone());
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Outcome::Truncated(side);
        }
        match Errno::from_io_error(error) {
            Some(Errno::CONNRESET | Errno::PIPE | Errno::CONNABORTED) => Outcome::Reset(side),
            // The kernel has given up on it: no answer to data or to keepalive probes.
            Some(Errno::TIMEDOUT | Errno::HOSTUNREACH | Errno::NETUNREACH) => Outcome::Vanished(side),
            Some(Errno::CONNREFUSED) => Outcome::Refused(side),
            _ => Outcome::Failed(side, crate::error::plain(&error.to_string())),
        }
    }

    /// What a failed write to `side` means.
    pub fn of_write(side: Side, error: &io::Error, sink: &Sink) -> Outcome {
        match Errno::from_io_error(error) {
            Some(Errno::PIPE) if sink.when_broken() == WhenBroken::Stop => Outcome::OutputClosed,
            Some(Errno::PIPE) if sink.when_broken() == WhenBroken::Enough => Outcome::Complete,
            Some(Errno::PIPE | Errno::NOTCONN) => Outcome::Reset(side),
            _ => Outcome::of_read(side, error),
        }
    }
}

/// What a session moved and how it ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// Bytes from left to right.
    pub sent: u64,
    /// Bytes from right to left.
    pub received: u64,
    /// Messages that were longer than a datagram can be read in one piece.
    pub cut_messages: u32,
    /// Messages that the receiving socket refused as too long.
    pub refused_messages: u32,
    /// What a tap on the right side's sink found.
    pub sent_tap: Option<Finding>,
    /// What a tap on the left side's sink found.
    pub received_tap: Option<Finding>,
    /// From the opening of both ends to the close of both.
    pub elapsed: Duration,
    /// Why it ended.
    pub outcome: Outcome,
    /// How the child on either side ended.
    pub child: Option<ChildStatus>,
}

impl Report {
    /// Both taps; what was sent comes first.
    pub fn taps(&self) -> impl Iterator<Item = &Finding> {
        self.sent_tap.iter().chain(&self.received_tap)
    }
}
