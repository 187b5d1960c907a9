//! The services that there are.

use std::rc::Rc;

use super::http::{LetGo, Site};

/// What peers are served with.
#[derive(Clone)]
pub enum Mode {
    /// What a peer says comes back (RFC 862).
    Echo,
    /// It goes nowhere (RFC 863).
    Discard,
    /// Characters for ever (RFC 864).
    Chargen,
    /// Date and time for people (RFC 867).
    Daytime,
    /// The time as a number (RFC 868).
    Time,
    /// Who the peer is, as far as we know.
    Whoami,
    /// The same bytes for everybody.
    Fixed(Rc<[u8]>),
    /// Answers to HTTP requests.
    Http(Rc<Site>),
}

impl Mode {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Mode::Echo => "echo",
            Mode::Discard => "discard",
            Mode::Chargen => "chargen",
            Mode::Daytime => "daytime",
            Mode::Time => "time",
            Mode::Whoami => "whoami",
            Mode::Fixed(_) => "fixed",
            Mode::Http(_) => "http",
        }
    }

    /// The service ends: connections that would be kept for more requests are kept no longer.
    pub fn give_last_call(&self, who: LetGo) {
        if let Mode::Http(site) = self {
            site.last_call.give(who);
        }
    }

    /// True where peers hear anything at all.
    pub fn answers(&self) -> bool {
        !matches!(self, Mode::Discard)
    }

    /// True where a datagram may be answered with more than it had: whoever forges a sender makes us send that
    /// somebody more than they sent themselves.
    pub fn amplifies(&self) -> bool {
        !matches!(self, Mode::Echo | Mode::Discard)
    }
}
