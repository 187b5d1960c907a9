//! The other side of a conversation: what is said becomes what must be heard, and the other way round.

use super::mistake::{Mistake, Slip};
use super::{Expect, Op, Part, Script, Step, Template, Terminator, flow};

impl Script {
    /// The script of the peer: what this one says it expects, byte for byte, and what this one expects it says. What
    /// `<` leaves open is not said. A side whose ends of lines differ from the other's says so with `.eol` and `.term`;
    /// `before` are steps of that kind that come before the first one, and change sides with it.
    ///
    /// Every step that has no other side is told.
    pub fn swapped(&self, before: &[Step]) -> Result<Script, Vec<Mistake>> {
        let mut swap = Swap::default();
        for step in before {
            if let Err(slip) = swap.step(step) {
                swap.mistakes.push(slip.at(&step.place));
            }
        }
        let mut starts = Vec::new();
        for step in &self.steps {
            starts.push(swap.steps.len());
            if let Err(slip) = swap.step(step) {
                swap.mistakes.push(slip.at(&step.place));
            }
        }
        starts.push(swap.steps.len());
        let Swap { mut steps, mistakes, .. } = swap;
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        relocate(&mut steps, &starts);
        let typed: Vec<String> = steps.iter().map(|step| step.op.typed(&steps)).collect();
        for (step, typed) in steps.iter_mut().zip(typed) {
            step.text = typed.into();
        }
        let mistakes = flow::check(&steps);
        match mistakes.is_empty() {
            true => Ok(Script { name: self.name.clone(), steps }),
            false => Err(mistakes),
        }
    }
}

/// What `>` adds in the script that is swapped.
#[derive(Default)]
enum Eol {
    /// What the settings say: LF, with or without CR before it.
    #[default]
    Line,
    Text(Template),
}

/// The other side while it is made, and what holds in the script that is swapped.
#[derive(Default)]
struct Swap {
    steps: Vec<Step>,
    mistakes: Vec<Mistake>,
    eol: Eol,
    /// None stands for `.term line`.
    terminator: Option<Terminator>,
    /// Whether steps may run in another order than they stand in.
    has_jumps: bool,
    /// Whether the other side has said its end.
    has_ended: bool,
}

impl Swap {
    fn push(&mut self, step: &Step, op: Op) {
        self.steps.push(Step { place: step.place.clone(), text: step.text.clone(), op });
    }

    fn step(&mut self, step: &Step) -> Result<(), Slip> {
        match &step.op {
            Op::Send { text, has_eol: true } => self.hear_line(step, text),
            Op::Send { text, has_eol: false } => self.push(step, raw_start(text)),
            Op::Expect(Expect::RawStart(text)) => self.push(step, say(text, false)),
            Op::Expect(Expect::Equal(text)) => self.say_unit(step, text)?,
            Op::Expect(Expect::Start(text)) => match &self.terminator {
                Some(Terminator::Length(_)) => {
                    return Err(open("the rest of the unit is not known", "'=' has all of it"));
                }
                _ => self.say_unit(step, text)?,
            },
            Op::Expect(Expect::End(None)) => self.end(step),
            Op::HalfClose | Op::Close => self.push(step, Op::Expect(Expect::End(None))),
            Op::Eol(text) => self.eol(step, text)?,
            Op::Term(terminator) => self.term(step, terminator)?,
            Op::Exit(_) => self.push(step, Op::Exit(Some(0))),
            Op::Pace(_) | Op::Forbid(_) | Op::DropInput | Op::RestEmpty => {}
            Op::Label(_) | Op::Goto(_) | Op::Loop { .. } | Op::End(_) => {
                self.has_jumps = true;
                self.push(step, step.op.clone());
            }
            Op::Set(..) | Op::Default(..) | Op::Timeout(_) | Op::Sleep(_) | Op::StartTls | Op::Tell(_) => {
                self.push(step, step.op.clone());
            }
            Op::Expect(_) | Op::Choose(_) => {
                let hint = "the other side says what '=', '<' or '<<' has";
                return Err(open("what would fit is not known byte for byte", hint));
            }
            Op::SendFile(_) => {
                return Err(open("what the file holds is not known", "'>>' has bytes that are known"));
            }
            Op::Reset => return Err(open("nothing expects a reset", "'.close' has another side")),
        }
        Ok(())
    }

    /// `> TEXT` is a line to the other side; where a line would end elsewhere, raw bytes and an empty line.
    fn hear_line(&mut self, step: &Step, text: &Template) {
        let is_line = match (&self.eol, text.as_plain()) {
            (_, None) => false,
            (Eol::Line, Some(text)) => !text.contains(&b'\n') && !text.ends_with(b"\r"),
            (Eol::Text(eol), Some(text)) => eol.as_plain().is_some_and(|eol| ends_first(text, eol)),
        };
        let has_eol = !matches!(&self.eol, Eol::Text(eol) if eol.is_empty());
        match (is_line, has_eol) {
            (true, true) => self.push(step, Op::Expect(Expect::Equal(text.clone()))),
            (_, has_eol) => {
                if !text.is_empty() {
                    self.push(step, raw_start(text));
                }
                if has_eol {
                    self.push(step, Op::Expect(Expect::Equal(Template::default())));
                }
            }
        }
    }

    /// A unit that is expected is said with what ends it.
    fn say_unit(&mut self, step: &Step, text: &Template) -> Result<(), Slip> {
        let ends_in_cr = matches!(text.parts.last(), Some(Part::Bytes(bytes)) if bytes.ends_with(b"\r"));
        match &self.terminator {
            // A CR before LF would be taken for the end of the line.
            None if ends_in_cr => {
                let mut whole = text.clone();
                if let Some(Part::Bytes(bytes)) = whole.parts.last_mut() {
                    bytes.extend_from_slice(b"\r\n");
                }
                self.push(step, say(&whole, false));
            }
            None | Some(Terminator::Line | Terminator::Text(_)) => self.push(step, say(text, true)),
            Some(Terminator::Length(length)) => match text.as_plain() {
                Some(plain) if plain.len() == *length => self.push(step, say(text, false)),
                _ => {
                    let hint = format!("a unit has {length} bytes here");
                    return Err(open("its length is not that of a unit", &hint));
                }
            },
            Some(Terminator::None) => {
                if !text.is_empty() {
                    self.push(step, say(text, false));
                }
                self.end(step);
            }
        }
        Ok(())
    }

    fn end(&mut self, step: &Step) {
        if !self.has_ended {
            self.has_ended = true;
            self.push(step, Op::HalfClose);
        }
    }

    fn eol(&mut self, step: &Step, text: &Template) -> Result<(), Slip> {
        self.no_jumps()?;
        if !text.is_empty() {
            self.push(step, Op::Term(Terminator::Text(text.clone())));
        }
        self.eol = Eol::Text(text.clone());
        Ok(())
    }

    fn term(&mut self, step: &Step, terminator: &Terminator) -> Result<(), Slip> {
        self.no_jumps()?;
        self.terminator = Some(terminator.clone());
        match terminator {
            Terminator::Text(text) => self.push(step, Op::Eol(text.clone())),
            Terminator::Line => {
                self.terminator = None;
                self.push(step, Op::Eol(Template::plain(b"\r\n")));
            }
            Terminator::Length(_) | Terminator::None => {}
        }
        Ok(())
    }

    /// What holds at a step has to be known from the steps above it.
    fn no_jumps(&self) -> Result<(), Slip> {
        match self.has_jumps {
            true => Err(open(
                "it stands after a label or in a loop, and would change what stands above it",
                "before the first label and loop it can be exchanged",
            )),
            false => Ok(()),
        }
    }
}

fn open(why: &str, hint: &str) -> Slip {
    Slip::new(format!("this step has no other side: {why}")).hint(hint)
}

fn say(text: &Template, has_eol: bool) -> Op {
    Op::Send { text: text.clone(), has_eol }
}

fn raw_start(text: &Template) -> Op {
    Op::Expect(Expect::RawStart(text.clone()))
}

/// Whether `eol` behind `text` is found there first, and not earlier.
fn ends_first(text: &[u8], eol: &[u8]) -> bool {
    let whole = [text, eol].concat();
    !eol.is_empty() && whole.windows(eol.len()).position(|bytes| bytes == eol) == Some(text.len())
}

/// Jumps know places of the old list; `starts` tells where each step is in the new one.
fn relocate(steps: &mut [Step], starts: &[usize]) {
    for step in steps {
        match &mut step.op {
            Op::Goto(to) | Op::Loop { end: to, .. } | Op::End(to) => *to = starts[*to],
            _ => {}
        }
    }
}
