//! What `.hide` hides, also where it comes up again later.

use std::collections::BTreeSet;

use super::Course;
use crate::chat::script::Secrecy;

/// What came of hidden steps and is here still.
#[derive(Default)]
pub struct Hidden {
    /// What stands before this place of the input was heard while nothing was told.
    pub before: u64,
    /// Whether the step at hand reads of that.
    pub is_read: bool,
    /// Variables that hold something hidden.
    names: BTreeSet<String>,
}

impl Hidden {
    /// These variables were set by a step of which this may be told.
    pub fn set<'a>(&mut self, names: impl Iterator<Item = &'a String>, secrecy: Secrecy) {
        for name in names {
            match secrecy {
                Secrecy::Hidden => drop(self.names.insert(name.clone())),
                Secrecy::Open => drop(self.names.remove(name)),
            }
        }
    }
}

impl Course {
    /// Whether what the step at hand says and hears may be told.
    pub fn secrecy(&self) -> Secrecy {
        let step = self.script.steps.get(self.at).filter(|_| !self.hidden.names.is_empty());
        let is_used = || step.is_some_and(|step| step.uses_one_of(&self.hidden.names));
        match self.secrecy == Secrecy::Hidden || self.hidden.is_read || is_used() {
            true => Secrecy::Hidden,
            false => Secrecy::Open,
        }
    }

    /// Whether what the peer says from here on may be told.
    pub(super) fn tell_from_here(&mut self, secrecy: Secrecy) {
        if self.secrecy == Secrecy::Hidden {
            self.hidden.before = self.inbox.end();
        }
        self.secrecy = secrecy;
    }
}
