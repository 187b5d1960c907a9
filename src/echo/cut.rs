//! Connections that our side ends before their time, to see how peers take it.

use std::time::Duration;

/// When our side ends a connection, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// After how much.
    pub after: Amount,
    /// In which way.
    pub how: How,
}

/// How much of a connection there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many bytes told to the peer, or taken from it by who only listens.
    Bytes(u64),
    /// So much time since it was accepted.
    Time(Duration),
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// In order: the end is said, and the peer can read what it was told.
    Close,
    /// With a reset.
    Reset,
}

impl Cut {
    /// The bytes after which nothing more is said.
    pub fn bytes(self) -> Option<u64> {
        match self.after {
            Amount::Bytes(bytes) => Some(bytes),
            Amount::Time(_) => None,
        }
    }

    /// The time after which it ends.
    pub fn time(self) -> Option<Duration> {
        match self.after {
            Amount::Time(time) => Some(time),
            Amount::Bytes(_) => None,
        }
    }

    /// The flag that asks for it.
    pub fn flag(self) -> &'static str {
        match self.how {
            How::Close => "--close-after",
            How::Reset => "--rst-after",
        }
    }
}
