//! Decides byte by byte whether a pattern fits what has come so far, were it to end there. Its states are made when
//! they are first needed.
//!
//! An automaton of the regex crates tells a match one byte late, because what follows may matter (`$`, `\b`). Here
//! nothing follows: every state says itself whether the pattern fits, so the search costs one look-up a byte and its
//! result does not depend on how the bytes come.

use std::collections::HashMap;
use std::rc::Rc;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Memory of the states that are kept; beyond it they are forgotten and made anew.
const MOST_MEMORY: usize = 4 << 20;

/// The pattern fits in the state that this leads to.
const FITS: u32 = 1 << 31;
/// Nobody has gone this way yet.
const UNKNOWN: u32 = u32::MAX;

/// A pattern, and the states that it was in.
pub struct Automaton {
    nfa: NFA,
    /// Whether the pattern has to begin where the search does.
    is_anchored: bool,
    /// The class of each byte: what the pattern does not tell apart.
    classes: [u8; 256],
    class_count: usize,
    /// For each state and class what follows: a state's number times `class_count`, with `FITS`.
    moves: Vec<u32>,
    states: Vec<Rc<Set>>,
    numbers: HashMap<Rc<Set>, u32>,
    memory: usize,
    current: u32,
    walk: Walk,
}

/// A state: where in the pattern one may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Set {
    places: Box<[StateID]>,
    /// The byte before, where the pattern looks at it; none at the start.
    before: Option<u8>,
}

impl Automaton {
    /// Begins a search.
    pub fn new(nfa: NFA, is_anchored: bool) -> Automaton {
        let mut classes = [0; 256];
        for byte in 0..=255u8 {
            classes[usize::from(byte)] = nfa.byte_classes().get(byte);
        }
        let class_count = classes.iter().map(|class| usize::from(*class) + 1).max().unwrap_or(1);
        let first = Set { places: Box::new([nfa.start_anchored()]), before: None };
        let mut automaton = Automaton {
            walk: Walk { seen: vec![0; nfa.states().len()], ..Walk::default() },
            nfa,
            is_anchored,
            classes,
            class_count,
            moves: Vec::new(),
            states: Vec::new(),
            numbers: HashMap::new(),
            memory: 0,
            current: 0,
        };
        automaton.current = automaton.number(first);
        automaton
    }

    /// Whether the pattern fits what has come.
    pub fn fits(&mut self) -> bool {
        let set = self.states[self.index(self.current)].clone();
        self.walk.reach(&self.nfa, &set, None)
    }

    /// Whether nothing that may still come can make it fit.
    pub fn is_dead(&self) -> bool {
        self.states[self.index(self.current)].places.is_empty()
    }

    /// Goes on with `bytes` and stops after the first with which the pattern fits: their number up to there.
    pub fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let next = self.run(bytes, &mut at)?;
            let next = if next == UNKNOWN { self.discover(bytes[at]) } else { next };
            at += 1;
            self.current = next & !FITS;
            if next & FITS != 0 {
                return Some(at);
            }
        }
        None
    }

    /// The short way: moves that are known and fit nothing. Otherwise the move at `at`, not yet made.
    fn run(&mut self, bytes: &[u8], at: &mut usize) -> Option<u32> {
        let moves = self.moves.as_slice();
        let mut current = self.current;
        for (index, byte) in bytes.iter().enumerate().skip(*at) {
            let next = moves[current as usize + usize::from(self.classes[usize::from(*byte)])];
            if next >= FITS {
                self.current = current;
                *at = index;
                return Some(next);
            }
            current = next;
        }
        self.current = current;
        *at = bytes.len();
        None
    }

    /// Finds out what follows the current state with `byte`.
    fn discover(&mut self, byte: u8) -> u32 {
        let from = self.states[self.index(self.current)].clone();
        // What waited for this byte to follow (`-\b`) fits now, though it ended before.
        let fitted = self.walk.reach(&self.nfa, &from, Some(byte));
        let mut places: Vec<StateID> =
            self.walk.leaves.iter().filter_map(|id| self.target(*id, byte)).collect();
        if !self.is_anchored {
            places.push(self.nfa.start_anchored());
        }
        places.sort_unstable();
        places.dedup();
        let before = (!self.nfa.look_set_any().is_empty()).then(|| self.representative(byte));
        let next = Set { places: places.into(), before };
        let fits = fitted || self.walk.reach(&self.nfa, &next, None);
        let forgotten = self.memory > MOST_MEMORY;
        if forgotten {
            self.forget();
        }
        let next = self.number(next) | if fits { FITS } else { 0 };
        if !forgotten {
            self.moves[self.current as usize + usize::from(self.classes[usize::from(byte)])] = next;
        }
        next
    }

    fn target(&self, id: StateID, byte: u8) -> Option<StateID> {
        match self.nfa.state(id) {
            State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
            State::Sparse(moves) => moves.matches_byte(byte),
            State::Dense(moves) => moves.matches_byte(byte),
            _ => None,
        }
    }

    /// One byte for all of its class, so that states do not differ where the pattern does not.
    fn representative(&self, byte: u8) -> u8 {
        let class = self.classes[usize::from(byte)];
        (0..=byte).find(|other| self.classes[usize::from(*other)] == class).unwrap_or(byte)
    }

    fn index(&self, number: u32) -> usize {
        number as usize / self.class_count
    }

    fn number(&mut self, set: Set) -> u32 {
        if let Some(number) = self.numbers.get(&set) {
            return *number;
        }
        // `MOST_MEMORY` keeps it far below `FITS`.
        let number = self.moves.len() as u32;
        self.memory += size_of_val(&*set.places) + size_of::<Set>() * 2 + self.class_count * size_of::<u32>();
        let set = Rc::new(set);
        self.states.push(set.clone());
        self.numbers.insert(set, number);
        self.moves.resize(self.moves.len() + self.class_count, UNKNOWN);
        number
    }

    fn forget(&mut self) {
        self.moves.clear();
        self.states.clear();
        self.numbers.clear();
        self.memory = 0;
    }
}

/// The way through what takes no byte.
#[derive(Default)]
struct Walk {
    open: Vec<StateID>,
    /// When a place was last seen, so that nothing has to be wiped.
    seen: Vec<u32>,
    round: u32,
    /// The places that take a byte.
    leaves: Vec<StateID>,
}

impl Walk {
    /// Goes everywhere from `set` when `next` follows (none: nothing does), and tells whether the pattern fits.
    fn reach(&mut self, nfa: &NFA, set: &Set, next: Option<u8>) -> bool {
        let around: Vec<u8> = set.before.into_iter().chain(next).collect();
        let here = usize::from(set.before.is_some());
        self.begin();
        self.open.extend_from_slice(&set.places);
        let mut fits = false;
        while let Some(id) = self.open.pop() {
            let seen = &mut self.seen[id.as_usize()];
            if *seen == self.round {
                continue;
            }
            *seen = self.round;
            match nfa.state(id) {
                State::Look { look, next } => {
                    if nfa.look_matcher().matches(*look, &around, here) {
                        self.open.push(*next);
                    }
                }
                State::Union { alternates } => self.open.extend_from_slice(alternates),
                State::BinaryUnion { alt1, alt2 } => self.open.extend([*alt1, *alt2]),
                State::Capture { next, .. } => self.open.push(*next),
                State::Match { .. } => fits = true,
                State::Fail => {}
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => self.leaves.push(id),
            }
        }
        fits
    }

    fn begin(&mut self) {
        self.leaves.clear();
        self.open.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.round = 1;
        }
    }
}
