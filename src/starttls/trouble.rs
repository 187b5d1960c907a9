//! Why there is no TLS, in words; what the server said is escaped and cut.

use std::fmt;

use crate::certificate::escaped;

/// Characters of a server's words that are shown.
const SHOWN: usize = 200;

/// Why the talk ended without a go-ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It said no, in these words.
    Refused(String),
    /// It names what it can do, and TLS is not among it.
    NotOffered(String),
    /// It does not speak the protocol.
    Garbled(String),
    /// It sent plaintext where only TLS may follow.
    Injected {
        /// So many bytes.
        count: usize,
        /// Their beginning.
        text: String,
    },
    /// One reply passed all bounds.
    Endless,
    /// It closed the connection, and these were its last words.
    Ended(String),
}

impl Trouble {
    /// It said no.
    pub fn refused(said: impl AsRef<[u8]>) -> Trouble {
        Trouble::Refused(shown(said.as_ref()))
    }

    /// It offers this, and TLS is not among it.
    pub fn not_offered(offer: impl AsRef<[u8]>) -> Trouble {
        Trouble::NotOffered(shown(offer.as_ref()))
    }

    /// This is not of the protocol.
    pub fn garbled(said: impl AsRef<[u8]>) -> Trouble {
        Trouble::Garbled(shown(said.as_ref()))
    }

    /// This came after the go-ahead.
    pub fn injected(bytes: &[u8]) -> Trouble {
        Trouble::Injected { count: bytes.len(), text: shown(bytes) }
    }

    /// The connection was closed after this.
    pub fn ended(rest: &[u8]) -> Trouble {
        Trouble::Ended(shown(rest))
    }

    /// What a person could look at.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Trouble::Injected { .. } => {
                Some("somebody on the way may have put them in, to be taken for words said under TLS")
            }
            Trouble::Garbled(_) | Trouble::Ended(_) => {
                Some("another protocol, or a port where TLS begins at once and starttls is not needed?")
            }
            Trouble::NotOffered(_) | Trouble::Refused(_) | Trouble::Endless => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused(said) if said.is_empty() => f.write_str("the server refused"),
            Trouble::Refused(said) => write!(f, "the server refused: {said}"),
            Trouble::NotOffered(offer) if offer.is_empty() => f.write_str("the server does not offer it"),
            Trouble::NotOffered(offer) => write!(f, "the server does not offer it; it offers: {offer}"),
            Trouble::Garbled(said) => write!(f, "the server does not speak the protocol; it said: {said}"),
            Trouble::Injected { count, text } => {
                let bytes = if *count == 1 { "byte" } else { "bytes" };
                write!(f, "{count} {bytes} of plaintext came where only TLS may follow: {text}")
            }
            Trouble::Endless => f.write_str("a reply of the server is longer than 64 KiB"),
            Trouble::Ended(rest) if rest.is_empty() => f.write_str("the server closed the connection"),
            Trouble::Ended(rest) => write!(f, "the server closed the connection after: {rest}"),
        }
    }
}

/// Foreign bytes as one line for a terminal: cut, lines joined, what is invisible or steers escaped.
fn shown(bytes: &[u8]) -> String {
    // A character has at most four bytes.
    let cut = &bytes[..bytes.len().min(4 * SHOWN)];
    let text = String::from_utf8_lossy(cut);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let one_line = lines.join(" / ");
    let mut shown: String = one_line.chars().take(SHOWN).collect();
    if one_line.chars().nth(SHOWN).is_some() || cut.len() < bytes.len() {
        shown.push('…');
    }
    escaped(&shown)
}
