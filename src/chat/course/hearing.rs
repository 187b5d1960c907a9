//! A step that hears: what it waits for, and whether what was heard is that.
//!
//! A step reads in order and judges only what it reads, as if bytes came one at a time: no verdict depends on how
//! reads split the stream.

use std::rc::Rc;

use super::Ending;
use super::branches::{self, Choice};
use super::forbidden::Watch;
use crate::chat::inbox::{Ends, Inbox, Unit};
use crate::chat::pattern::{Compiled, Search};
use crate::chat::verdict::{MOST_SHOWN, Outcome};

/// Bytes that were read and are kept, to show them and to find what fitted best.
pub const MOST_HISTORY: usize = 16 * 1024;

/// What a step waits for.
pub enum Wish {
    /// A unit that starts with, or is, this text.
    Unit {
        /// The text.
        text: Vec<u8>,
        /// Whether nothing may follow it.
        is_all: bool,
    },
    /// These bytes next.
    Raw(Vec<u8>),
    /// The next unit fits.
    Next(Rc<Compiled>),
    /// The first of these.
    Any(Vec<Branch>),
    /// So many bytes, and the variable that they become.
    Exactly(usize, Option<String>),
    /// The peer's end; what comes before it becomes a variable.
    End(Option<String>),
    /// Nothing may come.
    Nothing,
}

/// One of several things that may come.
pub struct Branch {
    /// What.
    pub when: Sign,
    /// Where it goes on; without, at the next step.
    pub to: Option<usize>,
}

/// What a branch waits for.
pub enum Sign {
    /// A unit.
    Unit(Rc<Compiled>),
    /// Raw bytes.
    Raw(Rc<Compiled>, Box<Search>),
    /// The peer's end.
    End,
    /// The limit of the step.
    Timeout,
}

/// Variables and their values.
pub type Values = Vec<(String, Vec<u8>)>;

/// What comes of what was heard so far.
pub enum Judgement {
    /// More has to be heard.
    Wait,
    /// The step went well.
    Good(Good),
    /// It did not.
    Bad(Bad),
}

/// What a step read.
#[derive(Default)]
pub struct Good {
    /// Cut to what is shown.
    pub got: Vec<u8>,
    /// Variables that it sets.
    pub set: Values,
    /// Where it goes on; without, at the next step.
    pub to: Option<usize>,
}

/// What went wrong.
pub struct Bad {
    /// How it ends.
    pub outcome: Outcome,
    /// The bytes of the stream that show it best.
    pub shown: (u64, u64),
    /// The forbidden pattern that was heard: its place in the list.
    pub forbidden: Option<usize>,
}

/// A step that hears, on its way.
pub struct Hearing {
    /// Where it began in the stream.
    pub from: u64,
    /// What it waits for.
    pub wish: Wish,
    /// How many bytes of its text came.
    pub compared: usize,
    watch: Watch,
}

/// What all steps that hear look at.
pub struct Scene<'a> {
    /// What was heard.
    pub inbox: &'a mut Inbox,
    /// What ends a unit.
    pub ends: &'a Ends,
    /// How the peer has ended.
    pub ending: Option<&'a Ending>,
    /// Whether the unit is what was left at the peer's end, without a terminator.
    pub is_rest: bool,
}

impl Scene<'_> {
    /// The next unit; what is left when the peer has said its end is one. After a cut it is none: nobody knows how it
    /// would have gone on.
    pub fn unit(&mut self) -> Unit {
        let unit = self.inbox.unit(self.ends);
        let length = self.inbox.unread().len();
        self.is_rest = unit == Unit::Open && length > 0 && self.ending == Some(&Ending::Said);
        if self.is_rest { Unit::Whole { length, end: length } } else { unit }
    }
}

impl Hearing {
    /// Begins where nothing was read yet.
    pub fn new(wish: Wish, watch: Watch, inbox: &mut Inbox) -> Hearing {
        let most_kept = inbox.most_kept();
        let mut behind = most_kept.clamp(MOST_SHOWN, MOST_HISTORY);
        if let Wish::Any(branches) = &wish {
            for branch in branches {
                if let Sign::Raw(_, search) = &branch.when {
                    behind = behind.max(search.needs_behind(most_kept));
                }
            }
        }
        inbox.keep_behind(behind);
        Hearing { from: inbox.head(), wish, compared: 0, watch }
    }

    /// Judges what was heard, and reads it.
    pub fn judge(&mut self, scene: &mut Scene) -> Judgement {
        match &self.wish {
            Wish::Unit { .. } => self.judge_text(scene),
            Wish::Raw(_) => self.judge_raw_text(scene),
            Wish::Next(_) => self.judge_next(scene),
            Wish::Any(_) => self.judge_any(scene),
            Wish::Exactly(count, name) => {
                let (count, name) = (*count, name.clone());
                self.judge_length(count, name, scene)
            }
            Wish::End(name) => {
                let name = name.clone();
                self.judge_end(name, scene)
            }
            Wish::Nothing => self.judge_nothing(scene),
        }
    }

    /// What comes of it when the limit of the step is over.
    pub fn give_up(&self, inbox: &Inbox) -> Judgement {
        let branches = if let Wish::Any(branches) = &self.wish { branches.as_slice() } else { &[] };
        let timeout = branches.iter().find(|branch| matches!(branch.when, Sign::Timeout));
        match (timeout, &self.wish) {
            (Some(branch), _) => Judgement::Good(Good { to: branch.to, ..Good::default() }),
            (None, Wish::Nothing) => Judgement::Good(Good::default()),
            (None, _) => self.bad(Outcome::Timeout, inbox),
        }
    }

    /// The bytes that it looked at last.
    pub fn recent(&self, inbox: &Inbox) -> (u64, u64) {
        (self.from.max(inbox.end().saturating_sub(MOST_SHOWN as u64)), inbox.end())
    }

    fn judge_text(&mut self, scene: &mut Scene) -> Judgement {
        let Wish::Unit { text, is_all } = &self.wish else { return Judgement::Wait };
        let unit = scene.unit();
        let certain = match unit {
            Unit::Whole { length, .. } => length,
            Unit::Open | Unit::TooLong => scene.inbox.certain(scene.ends),
        };
        let content = &scene.inbox.unread()[..certain];
        self.compared += common(&content[self.compared.min(certain)..], &text[self.compared..]);
        let differs = self.compared < text.len().min(certain) || (*is_all && certain > text.len());
        let is_all_there = self.compared == text.len();
        match unit {
            _ if differs => self.mismatch(scene, unit),
            Unit::Whole { length, end } if is_all_there => self.read_unit(length, end, scene),
            // A beginning that the peer's end cut off is no other text.
            Unit::Whole { .. } if scene.is_rest => self.ended(scene),
            Unit::Whole { .. } => self.mismatch(scene, unit),
            Unit::TooLong => self.bad(Outcome::Overflow, scene.inbox),
            Unit::Open => self.wait(scene),
        }
    }

    fn judge_raw_text(&mut self, scene: &mut Scene) -> Judgement {
        let Wish::Raw(text) = &self.wish else { return Judgement::Wait };
        if text.is_empty() {
            return self.judge_empty(scene);
        }
        let kept = scene.inbox.kept();
        self.compared += common(&kept[self.compared..], &text[self.compared..]);
        let is_all_there = self.compared == text.len();
        let differs = !is_all_there && self.compared < kept.len();
        let passed = scene.inbox.head() + self.compared as u64 + u64::from(differs);
        if let Some(bad) = self.watch.bytes(scene.inbox, passed) {
            return Judgement::Bad(bad);
        }
        match () {
            () if differs => self.mismatch(scene, Unit::Open),
            () if is_all_there => self.read_to(passed, None, scene.inbox),
            () if scene.inbox.room() == 0 => self.bad(Outcome::Overflow, scene.inbox),
            () => self.wait(scene),
        }
    }

    /// An empty message is nothing but its end.
    fn judge_empty(&self, scene: &mut Scene) -> Judgement {
        if scene.inbox.has_empty() {
            scene.inbox.read(0);
            return Judgement::Good(Good::default());
        }
        match scene.inbox.unread() {
            [] => self.wait(scene),
            _ => self.mismatch(scene, Unit::Open),
        }
    }

    fn judge_next(&mut self, scene: &mut Scene) -> Judgement {
        let Wish::Next(pattern) = &self.wish else { return Judgement::Wait };
        let unit = scene.unit();
        match unit {
            Unit::Whole { length, end } => {
                let text = &scene.inbox.unread()[..length];
                if let Some(bad) = self.watch.unit(text, scene.inbox.head()) {
                    return Judgement::Bad(bad);
                }
                match groups(pattern, text) {
                    Some(set) => {
                        let got = cut(text);
                        scene.inbox.read(end);
                        Judgement::Good(Good { got, set, to: None })
                    }
                    None => self.mismatch(scene, unit),
                }
            }
            Unit::TooLong => self.bad(Outcome::Overflow, scene.inbox),
            Unit::Open => self.wait(scene),
        }
    }

    fn judge_length(&mut self, count: usize, name: Option<String>, scene: &mut Scene) -> Judgement {
        let end = self.from.saturating_add(count as u64);
        let most = if name.is_some() { scene.inbox.kept().len() } else { scene.inbox.unread().len() };
        let passed = end.min(scene.inbox.head() + most as u64);
        if let Some(bad) = self.watch.bytes(scene.inbox, passed) {
            return Judgement::Bad(bad);
        }
        match passed == end {
            true => self.read_to(end, name, scene.inbox),
            false if name.is_some() && scene.inbox.room() == 0 => self.bad(Outcome::Overflow, scene.inbox),
            false => {
                // What becomes no variable need not be kept.
                if name.is_none() {
                    scene.inbox.go_to(passed);
                }
                self.wait(scene)
            }
        }
    }

    fn judge_end(&mut self, name: Option<String>, scene: &mut Scene) -> Judgement {
        let most = if name.is_some() { scene.inbox.kept().len() } else { scene.inbox.unread().len() };
        let end = scene.inbox.head() + most as u64;
        if let Some(bad) = self.watch.bytes(scene.inbox, end) {
            return Judgement::Bad(bad);
        }
        match scene.ending {
            _ if name.is_some() && scene.inbox.room() == 0 => self.bad(Outcome::Overflow, scene.inbox),
            Some(Ending::Said) => self.read_to(end, name, scene.inbox),
            Some(Ending::Cut(_)) => self.bad(Outcome::Cut, scene.inbox),
            None => {
                if name.is_none() {
                    scene.inbox.go_to(end);
                }
                Judgement::Wait
            }
        }
    }

    fn judge_nothing(&self, scene: &Scene) -> Judgement {
        let head = scene.inbox.head();
        match scene.inbox.unread().len() {
            0 if scene.inbox.has_empty() => {
                Judgement::Bad(Bad { outcome: Outcome::Unread, shown: (head, head), forbidden: None })
            }
            0 if scene.ending.is_some() => Judgement::Good(Good::default()),
            0 => Judgement::Wait,
            count => {
                let shown = (head, head + count.min(MOST_SHOWN) as u64);
                Judgement::Bad(Bad { outcome: Outcome::Unread, shown, forbidden: None })
            }
        }
    }

    fn read_unit(&mut self, length: usize, end: usize, scene: &mut Scene) -> Judgement {
        let text = &scene.inbox.unread()[..length];
        if let Some(bad) = self.watch.unit(text, scene.inbox.head()) {
            return Judgement::Bad(bad);
        }
        let got = cut(text);
        scene.inbox.read(end);
        Judgement::Good(Good { got, ..Good::default() })
    }

    fn read_to(&self, place: u64, name: Option<String>, inbox: &mut Inbox) -> Judgement {
        let first = self.from.max(place.saturating_sub(MOST_SHOWN as u64));
        let got = inbox.slice(first, place).to_vec();
        let set = name.map(|name| (name, inbox.slice(self.from, place).to_vec())).into_iter().collect();
        inbox.go_to(place);
        Judgement::Good(Good { got, set, to: None })
    }

    /// Waits, unless there is nothing to wait for.
    fn wait(&self, scene: &Scene) -> Judgement {
        if scene.ending.is_some() { self.ended(scene) } else { Judgement::Wait }
    }

    fn ended(&self, scene: &Scene) -> Judgement {
        let cut = matches!(scene.ending, Some(Ending::Cut(_)));
        self.bad(if cut { Outcome::Cut } else { Outcome::Early }, scene.inbox)
    }

    /// A text differs at the byte that was compared last, or the whole unit does not fit.
    fn mismatch(&self, scene: &Scene, unit: Unit) -> Judgement {
        let inbox = &scene.inbox;
        let length = if let Unit::Whole { length, .. } = unit { length } else { inbox.unread().len() };
        let skipped = self.compared.saturating_sub(MOST_SHOWN / 2);
        let first = inbox.head() + skipped as u64;
        let last = (first + MOST_SHOWN as u64).min(inbox.head() + length as u64);
        Judgement::Bad(Bad { outcome: Outcome::Mismatch, shown: (first, last), forbidden: None })
    }

    /// Something ended it; the bytes that came last tell how far it was.
    fn bad(&self, outcome: Outcome, inbox: &Inbox) -> Judgement {
        Judgement::Bad(Bad { outcome, shown: self.recent(inbox), forbidden: None })
    }

    fn judge_any(&mut self, scene: &mut Scene) -> Judgement {
        let Wish::Any(branches) = &mut self.wish else { return Judgement::Wait };
        match branches::judge(branches, &mut self.watch, scene) {
            Choice::Taken(good) => Judgement::Good(good),
            Choice::Forbidden(bad) => Judgement::Bad(bad),
            Choice::TooLong => self.bad(Outcome::Overflow, scene.inbox),
            Choice::None => self.wait(scene),
        }
    }
}

/// The named groups of a pattern that fits `text`; none where it does not fit.
pub fn groups(pattern: &Compiled, text: &[u8]) -> Option<Values> {
    // Most texts do not fit, and that alone is told sooner.
    if !pattern.regex.is_match(text) {
        return None;
    }
    let captures = pattern.regex.captures(text)?;
    let named = pattern.regex.capture_names().flatten();
    Some(named.filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_bytes().to_vec()))).collect())
}

/// The beginning of what is shown.
pub fn cut(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(MOST_SHOWN)].to_vec()
}

fn common(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}
