//! Which variables a script uses, and whether anything gives them a value.

use std::collections::BTreeSet;

use super::mistake::{MOST_MISTAKES, Mistake, Slip};
use super::{Count, Expect, Op, Pattern, Place, Script, Step, Template, Terminator, When};
use crate::suggest;

impl Script {
    /// The variables of the environment that its steps name, without `env:`.
    pub fn environment(&self) -> BTreeSet<&str> {
        let names = self.steps.iter().flat_map(uses);
        names.filter_map(|(_, name)| name.strip_prefix("env:")).collect()
    }
}

/// Finds variables that nothing ever gives a value. A line that could not be read is taken to set all it names.
pub fn check(steps: &[Step], known: &BTreeSet<String>, broken: &[&[u8]]) -> Vec<Mistake> {
    let set: BTreeSet<&str> = steps.iter().flat_map(sets).chain(known.iter().map(String::as_str)).collect();
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let perhaps: BTreeSet<&[u8]> =
        broken.iter().flat_map(|line| line.split(move |byte| !is_of_name(byte))).collect();
    let uses = steps.iter().flat_map(uses);
    let is_unset = |name: &str| !set.contains(name) && !perhaps.contains(name.as_bytes());
    let mut mistakes: Vec<Mistake> = uses
        .filter(|(_, name)| is_unset(name))
        .take(MOST_MISTAKES)
        .map(|(place, name)| unset(name, &set).at(place))
        .collect();
    mistakes.dedup();
    mistakes
}

fn unset(name: &str, set: &BTreeSet<&str>) -> Slip {
    if let Some(name) = name.strip_prefix("env:") {
        return Slip::new(format!("variable {name} is not in the environment"));
    }
    let slip = Slip::new(format!("nothing gives variable ${{{name}}} a value"));
    let own = set.iter().filter(|name| !name.starts_with("env:"));
    match suggest::nearest(name, own.copied()) {
        Some(near) => slip.hint(format!("did you mean ${{{near}}}?")),
        None => {
            slip.hint(format!("'.set {name} TEXT', or a group (?<{name}>…) in a regular expression, does"))
        }
    }
}

/// The variables that a step sets.
fn sets(step: &Step) -> Vec<&str> {
    match &step.op {
        Op::Set(name, _)
        | Op::Default(name, _)
        | Op::Expect(Expect::Exactly(_, Some(name)) | Expect::End(Some(name))) => {
            vec![name]
        }
        Op::Expect(Expect::Skip(pattern) | Expect::Next(pattern) | Expect::RawSkip(pattern)) => {
            pattern.captures()
        }
        Op::Choose(alternatives) => {
            let patterns = alternatives.iter().filter_map(|alternative| pattern_of(&alternative.when));
            patterns.flat_map(Pattern::captures).collect()
        }
        _ => Vec::new(),
    }
}

impl Step {
    /// Whether it uses one of these variables.
    pub fn uses_one_of(&self, names: &BTreeSet<String>) -> bool {
        uses(self).into_iter().any(|(_, name)| names.contains(name))
    }
}

/// The variables that a step uses, and where.
fn uses(step: &Step) -> Vec<(&Place, &str)> {
    match &step.op {
        Op::Choose(alternatives) => alternatives
            .iter()
            .filter_map(|alternative| Some((&alternative.place, pattern_of(&alternative.when)?)))
            .flat_map(|(place, pattern)| pattern.source.variables().map(move |name| (place, name)))
            .collect(),
        Op::Expect(Expect::Exactly(Count::Variable(name), _)) => vec![(&step.place, name)],
        op => template_of(op)
            .into_iter()
            .flat_map(Template::variables)
            .map(|name| (&step.place, name))
            .collect(),
    }
}

fn pattern_of(when: &When) -> Option<&Pattern> {
    match when {
        When::Unit(pattern) | When::Raw(pattern) => Some(pattern),
        When::End | When::Timeout => None,
    }
}

/// The text, or the source of the pattern, of a step.
fn template_of(op: &Op) -> Option<&Template> {
    match op {
        Op::Send { text, .. } | Op::SendFile(text) | Op::Eol(text) => Some(text),
        Op::Set(_, text) | Op::Default(_, text) => Some(text),
        Op::Term(Terminator::Text(text)) => Some(text),
        Op::Expect(Expect::Start(text) | Expect::RawStart(text) | Expect::Equal(text)) => Some(text),
        Op::Expect(Expect::Skip(pattern) | Expect::Next(pattern) | Expect::RawSkip(pattern))
        | Op::Forbid(Some(pattern)) => Some(&pattern.source),
        _ => None,
    }
}
