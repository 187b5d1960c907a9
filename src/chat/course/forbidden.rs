//! What must not be heard: patterns that are judged on everything that a step reads.

use std::rc::Rc;

use super::hearing::Bad;
use crate::chat::inbox::Inbox;
use crate::chat::pattern::{Compiled, Search};
use crate::chat::script::Secrecy;
use crate::chat::verdict::{MOST_SHOWN, Outcome};

/// A forbidden pattern, and the step that forbids it.
#[derive(Clone)]
pub struct Forbidden {
    /// The pattern.
    pub pattern: Rc<Compiled>,
    /// The place of the step in the script.
    pub step: usize,
    /// Whether it may be told.
    pub secrecy: Secrecy,
}

/// The forbidden patterns, for one step.
#[derive(Default)]
pub struct Watch {
    patterns: Vec<Forbidden>,
    searches: Vec<Search>,
    from: u64,
}

impl Watch {
    /// For a step that reads units, raw bytes from the place `raw` on, or both. An error says why a pattern cannot be
    /// looked for.
    pub fn new(patterns: &[Forbidden], raw: Option<u64>) -> Result<Watch, String> {
        let mut searches = Vec::new();
        if let Some(from) = raw {
            for forbidden in patterns {
                searches.push(Search::new(forbidden.pattern.raw()?, from));
            }
        }
        Ok(Watch { patterns: patterns.to_vec(), searches, from: raw.unwrap_or_default() })
    }

    /// Judges a unit that begins at the place `head`.
    pub fn unit(&self, text: &[u8], head: u64) -> Option<Bad> {
        let index = self.patterns.iter().position(|forbidden| forbidden.pattern.regex.is_match(text))?;
        let shown = (head, head + text.len().min(MOST_SHOWN) as u64);
        Some(Bad { outcome: Outcome::Forbidden, shown, forbidden: Some(self.patterns[index].step) })
    }

    /// Judges raw bytes up to the place `limit`.
    pub fn bytes(&mut self, inbox: &Inbox, limit: u64) -> Option<Bad> {
        let mut first: Option<(u64, usize)> = None;
        for (index, search) in self.searches.iter_mut().enumerate() {
            let limit = first.map_or(limit, |(place, _)| place);
            let hit = search.advance(inbox, limit);
            if let Some(place) = hit.filter(|place| first.is_none_or(|(first, _)| *place < first)) {
                first = Some((place, index));
            }
        }
        let (place, index) = first?;
        let shown = (self.from.max(place.saturating_sub(MOST_SHOWN as u64)), place);
        Some(Bad { outcome: Outcome::Forbidden, shown, forbidden: Some(self.patterns[index].step) })
    }
}
