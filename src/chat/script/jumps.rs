//! Labels and loops: where steps go on becomes places in their list.

use std::collections::BTreeMap;

use super::mistake::{MOST_MISTAKES, Mistake, Slip};
use super::{Op, Place, Step};
use crate::suggest;

/// The labels, jumps and loops of a script, gathered while it is read.
#[derive(Default)]
pub struct Jumps {
    labels: BTreeMap<String, Mark>,
    wanted: Vec<Jump>,
    /// The loops that are open, innermost last.
    open: Vec<usize>,
}

/// A label.
struct Mark {
    at: usize,
    place: Place,
    /// The innermost loop around it.
    home: Option<usize>,
}

/// A step, or one of its alternatives, that goes on at a label.
struct Jump {
    step: usize,
    alternative: Option<usize>,
    label: String,
    place: Place,
}

impl Jumps {
    /// A label that marks the place `at`.
    pub fn mark(&mut self, label: &str, at: usize, place: &Place) -> Result<(), Slip> {
        if let Some(first) = self.labels.get(label) {
            let slip = Slip::new(format!("label '{label}' stands twice"));
            return Err(slip.hint(format!("the first is at {}", first.place)));
        }
        let home = self.open.last().copied();
        self.labels.insert(label.to_owned(), Mark { at, place: place.clone(), home });
        Ok(())
    }

    /// A step, or one of its alternatives, goes on at `label`.
    pub fn jump(&mut self, step: usize, alternative: Option<usize>, label: String, place: &Place) {
        self.wanted.push(Jump { step, alternative, label, place: place.clone() });
    }

    /// A loop begins at this step.
    pub fn open(&mut self, at: usize) {
        self.open.push(at);
    }

    /// The innermost loop ends at the step `at`: where it began.
    pub fn close(&mut self, steps: &mut [Step], at: usize) -> Result<usize, Slip> {
        let start = self.open.pop().ok_or_else(|| Slip::new("'.end' ends no '.loop'"))?;
        if let Op::Loop { end, .. } = &mut steps[start].op {
            *end = at + 1;
        }
        Ok(start)
    }

    /// Makes every jump know its place.
    pub fn resolve(mut self, steps: &mut [Step], mistakes: &mut Vec<Mistake>) {
        for start in std::mem::take(&mut self.open) {
            let end = steps.len();
            let step = &mut steps[start];
            if let Op::Loop { end: place, .. } = &mut step.op {
                *place = end;
            }
            mistakes.push(Slip::new("'.loop' has no '.end'").at(&step.place));
        }
        for jump in &self.wanted {
            if mistakes.len() > MOST_MISTAKES {
                break;
            }
            match self.place_of(jump, steps) {
                Ok(to) => jump.set(to, steps),
                Err(slip) => mistakes.push(slip.at(&jump.place)),
            }
        }
    }

    fn place_of(&self, jump: &Jump, steps: &[Step]) -> Result<usize, Slip> {
        let label = &jump.label;
        let Some(mark) = self.labels.get(label) else {
            let slip = Slip::new(format!("label '{label}' is nowhere"));
            return Err(match suggest::nearest(label, self.labels.keys().map(String::as_str)) {
                Some(near) => slip.hint(format!("did you mean {near}?")),
                None => slip.hint(format!("a line ':{label}' marks the place")),
            });
        };
        match mark.home.map(|home| (home, &steps[home])) {
            Some((home, Step { op: Op::Loop { end, .. }, place, .. }))
                if !(home..*end).contains(&jump.step) =>
            {
                let slip = Slip::new(format!("label '{label}' is inside a loop, and this step outside"));
                Err(slip.hint(format!("jump to a place before '.loop' at {place}")))
            }
            _ => Ok(mark.at),
        }
    }
}

impl Jump {
    fn set(&self, to: usize, steps: &mut [Step]) {
        match (&mut steps[self.step].op, self.alternative) {
            (Op::Goto(place), _) => *place = to,
            (Op::Choose(alternatives), Some(at)) => alternatives[at].to = to,
            _ => {}
        }
    }
}
