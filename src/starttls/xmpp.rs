//! XMPP: a stream is opened, offers starttls among its features, and says `<proceed/>` (RFC 6120, section 5).
//!
//! No XML parser: the tags of a stream's first elements are all that is looked at.

use super::received::Received;
use super::{Step, Talk, Trouble};

const STARTTLS: &[u8] = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

enum Waits {
    ToSpeak,
    ForFeatures,
    ForGoAhead,
}

pub struct Xmpp {
    opening: String,
    waits: Waits,
}

impl Xmpp {
    /// A stream of the given namespace to the domain `host`.
    pub fn new(namespace: &str, host: &str) -> Xmpp {
        let to: String = host.chars().map(in_attribute).collect();
        let opening = format!(
            "<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xmlns='{namespace}' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        Xmpp { opening, waits: Waits::ToSpeak }
    }

    /// The step, and how many bytes of `said` it has understood.
    fn features(&mut self, said: &[u8]) -> (usize, Step) {
        if said.first().is_some_and(|first| *first != b'<' && !first.is_ascii_whitespace()) {
            return (0, Step::Failed(Trouble::garbled(said)));
        }
        let mut offer = Vec::new();
        let mut inside = false;
        for tag in tags(said) {
            match (tag.name, tag.form) {
                ("features", Form::Open) => inside = true,
                ("features", _) if !offer.contains(&"starttls") => {
                    return (0, Step::Failed(Trouble::not_offered(offer.join(" "))));
                }
                ("features", _) => {
                    self.waits = Waits::ForGoAhead;
                    return (tag.end, Step::Say(STARTTLS.to_vec()));
                }
                (name, Form::Open | Form::Empty) if inside => offer.push(name),
                ("stream" | "?xml", Form::Open) => {}
                _ if inside => {}
                ("error", _) => return (0, error(said)),
                _ => return (0, Step::Failed(Trouble::garbled(said))),
            }
        }
        (0, Step::More)
    }
}

fn go_ahead(said: &[u8]) -> (usize, Step) {
    for tag in tags(said) {
        match (tag.name, tag.form) {
            ("proceed", Form::Empty | Form::Close) => return (tag.end, Step::Done),
            ("proceed", Form::Open) => {}
            ("failure" | "error", Form::Empty | Form::Open) => return (0, error(said)),
            _ => return (0, Step::Failed(Trouble::garbled(said))),
        }
    }
    (0, Step::More)
}

impl Talk for Xmpp {
    fn turn(&mut self, received: &mut Received) -> Step {
        let (used, step) = match self.waits {
            Waits::ToSpeak => {
                self.waits = Waits::ForFeatures;
                (0, Step::Say(self.opening.clone().into_bytes()))
            }
            Waits::ForFeatures => self.features(received.rest()),
            Waits::ForGoAhead => go_ahead(received.rest()),
        };
        received.take(used);
        step
    }
}

/// Waits for the end of the stream's or the negotiation's error, which says why.
fn error(said: &[u8]) -> Step {
    let is_end = |tag: &Tag<'_>| matches!(tag.name, "error" | "failure") && tag.form != Form::Open;
    match tags(said).find(is_end) {
        Some(tag) => Step::Failed(Trouble::refused(&said[..tag.end])),
        None => Step::More,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Open,
    Close,
    Empty,
}

struct Tag<'a> {
    /// Without its prefix.
    name: &'a str,
    form: Form,
    /// Where it ends.
    end: usize,
}

/// The whole tags of `bytes`; one that is not yet there to its end is none.
fn tags(bytes: &[u8]) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(|byte| *byte == b'<')?;
        at = start + 1 + end_of_tag(&bytes[start + 1..])?;
        let inside = &bytes[start + 1..at - 1];
        let (form, inside) = match inside {
            [b'/', rest @ ..] => (Form::Close, rest),
            [rest @ .., b'/'] => (Form::Empty, rest),
            rest => (Form::Open, rest),
        };
        let name = inside.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        Some(Tag { name: name.rsplit(':').next().unwrap_or_default(), form, end: at })
    })
}

/// Just behind the `>` that is not inside a value.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'\'' | b'"') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// A character inside a value in single quotes.
fn in_attribute(c: char) -> String {
    match c {
        '<' => "&lt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '\'' => "&apos;".to_owned(),
        c => c.to_string(),
    }
}
