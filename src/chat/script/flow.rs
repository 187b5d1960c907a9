//! What can be told about the ways through a script before it runs: steps that none leads to, and what can no longer be
//! said or heard.

use super::mistake::{Mistake, Slip};
use super::{Op, Step};

/// What holds before a step on every way that leads to it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Before {
    /// Our end was said.
    said_end: bool,
    /// Nothing is heard any more.
    is_deaf: bool,
    /// TLS has begun.
    has_tls: bool,
    /// What ends a unit.
    ends: Ends,
}

/// What ends a unit, as far as it can be told.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Ends {
    /// What did before the first step.
    #[default]
    AtFirst,
    /// What this step says.
    Since(usize),
    /// Not the same on every way.
    Unknown,
}

/// What ends a unit at each step; of one that is never reached nothing is known.
pub fn terminators(steps: &[Step]) -> Vec<Ends> {
    walk(steps).into_iter().map(|before| before.map_or(Ends::Unknown, |before| before.ends)).collect()
}

/// Finds steps that are never reached, and steps that can only fail.
pub fn check(steps: &[Step]) -> Vec<Mistake> {
    let before = walk(steps);
    let mut mistakes = Vec::new();
    let mut is_dark = false;
    for (at, (step, before)) in steps.iter().zip(&before).enumerate() {
        match before {
            Some(before) => mistakes.extend(before.objection(&step.op).map(|slip| slip.at(&step.place))),
            // A loop may be left by jumps alone.
            None if matches!(step.op, Op::End(_)) => continue,
            None if is_dark => {}
            None => mistakes.push(unreachable(steps, at).at(&step.place)),
        }
        is_dark = before.is_none();
    }
    mistakes
}

fn unreachable(steps: &[Step], at: usize) -> Slip {
    let slip = Slip::new("this step is never reached");
    if let Op::Label(label) = &steps[at].op {
        return slip.hint(format!("nothing jumps to '{label}'"));
    }
    match at.checked_sub(1).map(|before| &steps[before]) {
        Some(Step { op: Op::Choose(_), .. }) => {
            slip.hint("every '?' before it goes on at its label; a label here makes it one of them")
        }
        Some(Step { op: Op::End(start), .. }) if matches!(steps[*start].op, Op::Loop { times: None, .. }) => {
            slip.hint("the loop before it never ends; '.loop N' does")
        }
        _ => slip.hint("no way leads here; a label and a jump to it make one"),
    }
}

/// What holds before each step; nothing before those that are never reached.
fn walk(steps: &[Step]) -> Vec<Option<Before>> {
    let mut walk = Walk { before: vec![None; steps.len()], due: Vec::new() };
    walk.reach(0, Before::default());
    while let Some(at) = walk.due.pop() {
        let after = walk.before[at].unwrap_or_default().after(&steps[at].op, at);
        successors(steps, at).into_iter().for_each(|next| walk.reach(next, after));
    }
    walk.before
}

struct Walk {
    before: Vec<Option<Before>>,
    /// Steps before which something else holds than when they were looked at.
    due: Vec<usize>,
}

impl Walk {
    fn reach(&mut self, at: usize, now: Before) {
        // The end of the script is no step.
        let Some(before) = self.before.get_mut(at) else { return };
        let both = before.map_or(now, |other| other.and(now));
        if *before != Some(both) {
            *before = Some(both);
            self.due.push(at);
        }
    }
}

fn successors(steps: &[Step], at: usize) -> Vec<usize> {
    match &steps[at].op {
        Op::Choose(alternatives) => alternatives.iter().map(|alternative| alternative.to).collect(),
        Op::Exit(_) => Vec::new(),
        Op::Goto(to) => vec![*to],
        Op::End(start) => match &steps[*start].op {
            Op::Loop { times: Some(_), .. } => vec![start + 1, at + 1],
            _ => vec![start + 1],
        },
        _ => vec![at + 1],
    }
}

impl Before {
    fn and(self, other: Before) -> Before {
        Before {
            said_end: self.said_end && other.said_end,
            is_deaf: self.is_deaf && other.is_deaf,
            has_tls: self.has_tls && other.has_tls,
            ends: if self.ends == other.ends { self.ends } else { Ends::Unknown },
        }
    }

    fn after(self, op: &Op, at: usize) -> Before {
        match op {
            Op::HalfClose => Before { said_end: true, ..self },
            Op::Close | Op::Reset => Before { said_end: true, is_deaf: true, ..self },
            Op::StartTls => Before { has_tls: true, ..self },
            Op::Term(_) => Before { ends: Ends::Since(at), ..self },
            _ => self,
        }
    }

    /// Why a step can only fail here.
    fn objection(self, op: &Op) -> Option<Slip> {
        let says = matches!(op, Op::Send { .. } | Op::SendFile(_) | Op::HalfClose | Op::StartTls);
        let hears = matches!(op, Op::Expect(_) | Op::Choose(_));
        let ends = matches!(op, Op::Close | Op::Reset);
        match op {
            _ if self.is_deaf && (says || hears || ends) => Some(Slip::new("the connection is closed here")),
            _ if self.said_end && says => Some(
                Slip::new("nothing can be said here: our end is said before")
                    .hint("'.half-close' leaves hearing alone"),
            ),
            Op::StartTls if self.has_tls => Some(Slip::new("TLS has begun before; '.starttls' is for once")),
            _ => None,
        }
    }
}
