//! What is kept of a server's handshake for a report, where one is asked for.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::tls::{Negotiated, Seen, Terms};

/// One handshake that is over.
#[derive(Debug, Default)]
pub struct Handshake {
    /// With whom.
    pub peer: String,
    /// How long it took, from the client's first word.
    pub took: Duration,
    /// What was agreed on, as far as it got.
    pub negotiated: Option<Negotiated>,
    /// What the client has shown.
    pub seen: Seen,
    /// By what it was judged.
    pub terms: Terms,
    /// Why it came to nothing.
    pub failure: Option<Failure>,
}

impl Handshake {
    /// One that has yet to begin.
    pub fn with(peer: &str) -> Handshake {
        Handshake { peer: peer.to_owned(), ..Handshake::default() }
    }
}

/// Who is told of handshakes.
pub type Observer = Rc<dyn Fn(&Handshake)>;
