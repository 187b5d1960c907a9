//! What is wrong with a script, line by line.

use std::fmt;

use super::Place;

/// One thing that is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, in one line; what was typed is escaped in it.
    pub what: String,
    /// What could be done about it, in one line.
    pub hint: Option<String>,
}

/// Most mistakes of a script that are told.
pub const MOST_MISTAKES: usize = 100;

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A mistake whose place is not known to who finds it.
#[derive(Debug)]
pub struct Slip {
    what: String,
    hint: Option<String>,
}

impl Slip {
    /// What is wrong.
    pub fn new(what: impl Into<String>) -> Slip {
        Slip { what: what.into(), hint: None }
    }

    /// Adds what could be done about it.
    pub fn hint(self, hint: impl Into<String>) -> Slip {
        Slip { hint: Some(hint.into()), ..self }
    }

    /// The mistake that it is here.
    pub fn at(self, place: &Place) -> Mistake {
        Mistake { place: place.clone(), what: self.what, hint: self.hint }
    }
}
