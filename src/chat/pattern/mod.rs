//! Patterns at work: over units with the regex crate, over raw bytes at the shortest prefix that fits.

mod automaton;
mod nearest;
mod raw;
mod search;
#[cfg(test)]
mod tests;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use regex::bytes::Regex;

use super::script::Pattern;

pub use nearest::nearest;
pub use raw::Raw;
pub use search::Search;

/// Patterns that are kept; more are compiled again.
const MOST_PATTERNS: usize = 1024;

/// A pattern whose variables have their values.
#[derive(Debug)]
pub struct Compiled {
    /// For units.
    pub regex: Regex,
    raw: OnceCell<Result<Rc<Raw>, String>>,
}

impl Compiled {
    /// A pattern that was compiled.
    pub fn new(regex: Regex) -> Compiled {
        Compiled { regex, raw: OnceCell::new() }
    }

    /// The same for raw bytes. An error says why there is none.
    pub fn raw(&self) -> Result<Rc<Raw>, String> {
        self.raw.get_or_init(|| Raw::new(self.regex.as_str()).map(Rc::new)).clone()
    }
}

/// Patterns without variables, each compiled once for all conversations that share them.
#[derive(Clone, Default)]
pub struct Patterns {
    known: Rc<RefCell<HashMap<Vec<u8>, Rc<Compiled>>>>,
}

impl Patterns {
    /// The pattern with these variables. An error says why there is none.
    pub fn compiled(
        &self,
        pattern: &Pattern,
        variables: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Rc<Compiled>, String> {
        let compile = || pattern.compile(variables).map(|regex| Rc::new(Compiled::new(regex)));
        let Some(source) = pattern.source.as_plain() else { return compile() };
        if let Some(known) = self.known.borrow().get(source) {
            return Ok(known.clone());
        }
        let compiled = compile()?;
        let mut known = self.known.borrow_mut();
        if known.len() < MOST_PATTERNS {
            known.insert(source.to_vec(), compiled.clone());
        }
        Ok(compiled)
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patterns({})", self.known.borrow().len())
    }
}
