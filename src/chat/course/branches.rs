//! The first of several things that may come: units, raw bytes, the peer's end.
//!
//! A unit comes where its terminator ends, raw bytes at the shortest prefix of the stream that fits. What comes first
//! is taken; of what comes at the same place, what is forbidden, then what stands first in the script.

use super::Ending;
use super::forbidden::Watch;
use super::hearing::{Bad, Branch, Good, Scene, Sign, Values, cut, groups};
use crate::chat::inbox::{Inbox, Unit};
use crate::chat::verdict::MOST_SHOWN;

/// What comes of what was heard so far.
pub enum Choice {
    /// Nothing yet.
    None,
    /// This is taken.
    Taken(Good),
    /// Something came that is forbidden.
    Forbidden(Bad),
    /// More came than is kept.
    TooLong,
}

/// Reads up to the first thing that fits one of `branches`.
pub fn judge(branches: &mut [Branch], watch: &mut Watch, scene: &mut Scene) -> Choice {
    let has_units = branches.iter().any(|branch| matches!(branch.when, Sign::Unit(_)));
    loop {
        let unit = if has_units { scene.unit() } else { Unit::Open };
        let (limit, text) = reach(unit, scene.inbox);
        let hit = first_hit(branches, scene.inbox, limit);
        if let Some(bad) = watch.bytes(scene.inbox, hit.map_or(limit, |(place, _)| place)) {
            return Choice::Forbidden(bad);
        }
        if let Some((place, index)) = hit
            && (place < limit || text.is_none())
        {
            return take_raw(&branches[index], scene.inbox);
        }
        let Some(length) = text else {
            if unit == Unit::TooLong {
                return Choice::TooLong;
            }
            if !has_units {
                scene.inbox.go_to(limit);
            }
            return at_end(branches, scene);
        };
        let text = &scene.inbox.unread()[..length];
        if let Some(bad) = watch.unit(text, scene.inbox.head()) {
            return Choice::Forbidden(bad);
        }
        match first_fit(branches, text) {
            Some((index, _)) if hit.is_some_and(|(_, raw)| raw < index) => {}
            Some((index, set)) => {
                let got = cut(text);
                scene.inbox.go_to(limit);
                return Choice::Taken(Good { got, set, to: branches[index].to });
            }
            None => {}
        }
        if let Some((_, index)) = hit {
            return take_raw(&branches[index], scene.inbox);
        }
        scene.inbox.go_to(limit);
    }
}

/// The place up to which is judged in one go, and the length of the unit that ends there.
fn reach(unit: Unit, inbox: &Inbox) -> (u64, Option<usize>) {
    match unit {
        Unit::Whole { length, end } => (inbox.head() + end as u64, Some(length)),
        Unit::TooLong => (inbox.head() + inbox.most_kept() as u64, None),
        Unit::Open => (inbox.end(), None),
    }
}

/// The first place up to `limit` where raw bytes fit, and the first branch that they fit there.
fn first_hit(branches: &mut [Branch], inbox: &Inbox, limit: u64) -> Option<(u64, usize)> {
    let mut first: Option<(u64, usize)> = None;
    for (index, branch) in branches.iter_mut().enumerate() {
        let Sign::Raw(_, search) = &mut branch.when else { continue };
        let hit = search.advance(inbox, first.map_or(limit, |(place, _)| place));
        if let Some(place) = hit.filter(|place| first.is_none_or(|(first, _)| *place < first)) {
            first = Some((place, index));
        }
    }
    first
}

/// The first branch that a unit fits, and the groups in it.
fn first_fit(branches: &[Branch], text: &[u8]) -> Option<(usize, Values)> {
    branches.iter().enumerate().find_map(|(index, branch)| match &branch.when {
        Sign::Unit(pattern) => groups(pattern, text).map(|set| (index, set)),
        _ => None,
    })
}

fn take_raw(branch: &Branch, inbox: &mut Inbox) -> Choice {
    let Sign::Raw(_, search) = &branch.when else { return Choice::None };
    match search.found(inbox, inbox.most_kept()) {
        Some(found) => {
            let first = found.start.max(found.end.saturating_sub(MOST_SHOWN as u64));
            let got = inbox.slice(first, found.end).to_vec();
            inbox.go_to(found.end);
            Choice::Taken(Good { got, set: found.groups, to: branch.to })
        }
        None => Choice::TooLong,
    }
}

fn at_end(branches: &[Branch], scene: &Scene) -> Choice {
    let end = branches.iter().find(|branch| matches!(branch.when, Sign::End));
    match end {
        Some(branch) if scene.ending == Some(&Ending::Said) => {
            Choice::Taken(Good { to: branch.to, ..Good::default() })
        }
        _ => Choice::None,
    }
}
