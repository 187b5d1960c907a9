//! What a connection gets to hear by itself, whatever its peer says.

use std::rc::Rc;

use time::OffsetDateTime;

use super::mode::Mode;
use super::words;
use crate::endpoint::{HowOften, Incoming, Known, Source};

/// What is said once it is time.
pub enum Speech {
    /// RFC 864's pattern, for ever.
    Pattern,
    /// The date and time at which it is said, for people.
    Daytime,
    /// The same as a number.
    Time,
    /// This.
    Words(Rc<[u8]>),
}

impl Speech {
    /// What `mode` has for this peer; `None` where all depends on what it says.
    pub fn of(mode: &Mode, incoming: &Incoming) -> Option<Speech> {
        match mode {
            Mode::Echo | Mode::Discard | Mode::Http(_) => None,
            Mode::Chargen => Some(Speech::Pattern),
            Mode::Daytime => Some(Speech::Daytime),
            Mode::Time => Some(Speech::Time),
            Mode::Whoami => Some(Speech::Words(words::whoami(incoming).into_bytes().into())),
            Mode::Fixed(bytes) => Some(Speech::Words(bytes.clone())),
        }
    }

    /// Begins to say it.
    pub fn begin(&self) -> Source {
        let now = OffsetDateTime::now_utc();
        let (bytes, often): (Rc<[u8]>, _) = match self {
            Speech::Pattern => (words::pattern(), HowOften::ForEver),
            Speech::Daytime => (words::daytime(now).into_bytes().into(), HowOften::Once),
            Speech::Time => (words::seconds(now).as_slice().into(), HowOften::Once),
            Speech::Words(bytes) => (bytes.clone(), HowOften::Once),
        };
        Source::Known(Box::new(Known::new(bytes, often)))
    }
}
