//! The search of a pattern in a stream: where it first fits, and what it then stands for.

use std::rc::Rc;

use regex_automata::Input;

use super::automaton::Automaton;
use super::raw::Raw;
use crate::chat::inbox::Inbox;

/// A search from a place in the stream on.
pub struct Search {
    raw: Rc<Raw>,
    automaton: Automaton,
    from: u64,
    at: u64,
    hit: Option<u64>,
}

/// A match.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it begins in the stream.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Its named groups that took part.
    pub groups: Vec<(String, Vec<u8>)>,
}

impl Search {
    /// Looks for `raw` in what comes from `from` on, as if nothing had been before.
    pub fn new(raw: Rc<Raw>, from: u64) -> Search {
        let mut automaton = raw.forward();
        let hit = automaton.fits().then_some(from);
        Search { raw, automaton, from, at: from, hit }
    }

    /// Searches up to the place `limit`, if it was not there yet: where the shortest prefix ends that fits.
    pub fn advance(&mut self, inbox: &Inbox, limit: u64) -> Option<u64> {
        if self.hit.is_none() && self.at < limit {
            let bytes = inbox.slice(self.at, limit);
            let count = self.automaton.advance(bytes);
            self.at += count.unwrap_or(bytes.len()) as u64;
            self.hit = count.map(|_| self.at);
        }
        self.hit.filter(|hit| *hit <= limit)
    }

    /// How much of what it passed it may need to see again.
    pub fn needs_behind(&self, most_kept: usize) -> usize {
        self.window(most_kept).saturating_add(1)
    }

    /// The match that ends at the hit, leftmost of all that do; none if it may have begun before what is kept.
    pub fn found(&self, inbox: &Inbox, most_kept: usize) -> Option<Found> {
        let hit = self.hit?;
        let start = self.from.max(hit.saturating_sub(self.window(most_kept) as u64));
        if start > self.from && !self.is_bounded(most_kept) && !self.begins_after(inbox, start, hit) {
            return None;
        }
        // The byte before is there to be looked at only.
        let base = if start > self.from { start - 1 } else { start };
        let text = inbox.slice(base, hit);
        let mut captures = self.raw.groups.create_captures();
        self.raw.groups.captures(Input::new(text).range((start - base) as usize..), &mut captures);
        let whole = captures.get_match()?;
        let names = captures.group_info().pattern_names(whole.pattern());
        let groups = names.enumerate().filter_map(|(index, name)| {
            let span = captures.get_group(index)?;
            Some((name?.to_owned(), text[span.range()].to_vec()))
        });
        Some(Found {
            start: base + whole.start() as u64,
            end: base + whole.end() as u64,
            groups: groups.collect(),
        })
    }

    fn is_bounded(&self, most_kept: usize) -> bool {
        self.raw.longest.is_some_and(|longest| longest < most_kept)
    }

    fn window(&self, most_kept: usize) -> usize {
        // One more than the longest: what a pattern looks at behind its end.
        self.raw.longest.map_or(most_kept, |longest| most_kept.min(longest + 1))
    }

    fn begins_after(&self, inbox: &Inbox, start: u64, hit: u64) -> bool {
        let Ok(mut backward) = self.raw.backward() else { return false };
        for byte in inbox.slice(start, hit).iter().rev() {
            backward.advance(std::slice::from_ref(byte));
            if backward.is_dead() {
                return true;
            }
        }
        false
    }
}
