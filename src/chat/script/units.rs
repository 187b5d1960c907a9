//! Units that cannot be: what a step wants to hear as one would end before its end.

use memchr::memmem;

use super::flow::{Ends, terminators};
use super::mistake::{Mistake, Slip};
use super::{Expect, Op, Script, Step, Template, Terminator};

impl Script {
    /// Finds steps that want a unit which can never be heard; `first` is what ends units before the first step. A step
    /// is judged only where the terminator is the same on every way to it.
    pub fn unheard(&self, first: &Terminator) -> Vec<Mistake> {
        let steps = self.steps.iter().zip(terminators(&self.steps));
        let wrong = steps.filter_map(|(step, ends)| {
            let terminator = match ends {
                Ends::AtFirst => first,
                Ends::Since(at) => terminator_of(&self.steps[at])?,
                Ends::Unknown => return None,
            };
            objection(&step.op, terminator).map(|slip| slip.at(&step.place))
        });
        wrong.collect()
    }
}

fn terminator_of(step: &Step) -> Option<&Terminator> {
    match &step.op {
        Op::Term(terminator) => Some(terminator),
        _ => None,
    }
}

/// Why what a step wants to hear cannot be a unit, or the beginning of one.
fn objection(op: &Op, terminator: &Terminator) -> Option<Slip> {
    let Op::Expect(Expect::Equal(text) | Expect::Start(text)) = op else { return None };
    let text = text.as_plain()?;
    let (what, length) = match terminator {
        Terminator::Line => ("a line ends at its first \\n".to_owned(), memchr::memchr(b'\n', text)?),
        Terminator::Text(end) => {
            let bytes = end.as_plain()?;
            // A text that is a unit only where no terminator follows it (the last one, a message) can be heard.
            let at = memmem::find(text, bytes)?;
            (format!("a unit ends at the first {}", Template::plain(bytes)), at)
        }
        Terminator::Length(length) if text.len() > *length => (format!("a unit has {length} bytes"), *length),
        Terminator::Length(_) | Terminator::None => return None,
    };
    let slip = Slip::new(format!("this is never heard: {what}, which is after {length} of its bytes"));
    Some(slip.hint("'<<' hears bytes whatever ends a unit; the terminator itself is not part of one"))
}
