//! Lines become a script, or everything that is wrong with them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use super::jumps::Jumps;
use super::mistake::{MOST_MISTAKES, Mistake, Slip};
use super::operator::{self, Saying};
use super::text::Text;
use super::{Alternative, Op, Place, Script, Step, When, flow, variables};

/// How messages call steps that were given on the command line.
const WORDS: &str = "-e";

impl Script {
    /// Reads a file. `name` is how messages call it, `known` names the variables that are given from outside; what the
    /// environment holds is `env:NAME` there. Every mistake is told, in the order of lines.
    pub fn parse(name: &str, bytes: &[u8], known: &BTreeSet<String>) -> Result<Script, Vec<Mistake>> {
        read(name, &of_file(name, bytes), known)
    }

    /// Reads steps of the command line, a line each.
    pub fn of_steps(steps: &[OsString], known: &BTreeSet<String>) -> Result<Script, Vec<Mistake>> {
        read(WORDS, &of_words(steps), known)
    }

    /// Reads a file that steps of the command line follow, as one script.
    pub fn joined(
        name: &str,
        bytes: &[u8],
        steps: &[OsString],
        known: &BTreeSet<String>,
    ) -> Result<Script, Vec<Mistake>> {
        let mut lines = of_file(name, bytes);
        lines.extend(of_words(steps));
        read(name, &lines, known)
    }
}

struct Line<'a> {
    place: Place,
    bytes: &'a [u8],
}

fn of_file<'a>(name: &str, bytes: &'a [u8]) -> Vec<Line<'a>> {
    let file: Rc<str> = name.into();
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(at, bytes)| Line { place: Place { file: file.clone(), line: at + 1 }, bytes }).collect()
}

/// A step may have several lines; all have its place.
fn of_words(steps: &[OsString]) -> Vec<Line<'_>> {
    let file: Rc<str> = WORDS.into();
    let steps = steps.iter().enumerate();
    steps
        .flat_map(|(at, step)| step.as_bytes().split(|byte| *byte == b'\n').map(move |bytes| (at, bytes)))
        .map(|(at, bytes)| Line { place: Place { file: file.clone(), line: at + 1 }, bytes })
        .collect()
}

fn read(name: &str, lines: &[Line], known: &BTreeSet<String>) -> Result<Script, Vec<Mistake>> {
    if let Some(line) = lines.iter().find(|line| line.bytes.contains(&0)) {
        let slip = Slip::new("a NUL byte: this is no script");
        return Err(vec![slip.hint("a script is text; in what it sends a NUL is \\0").at(&line.place)]);
    }
    let mut draft = Draft::default();
    let mut broken = Vec::new();
    for line in lines {
        if let Err(slip) = draft.take(Text::line(line.bytes), &line.place) {
            draft.mistakes.push(slip.at(&line.place));
            broken.push(line.bytes);
            if broken.len() > MOST_MISTAKES {
                break;
            }
        }
    }
    let Draft { mut steps, jumps, mut mistakes } = draft;
    jumps.resolve(&mut steps, &mut mistakes);
    let is_sound = mistakes.is_empty();
    mistakes.extend(variables::check(&steps, known, &broken));
    if is_sound {
        // A jump that is missing would make right steps look wrong.
        mistakes.extend(flow::check(&steps));
    }
    match mistakes.is_empty() {
        true => Ok(Script { name: name.into(), steps }),
        false => {
            mistakes.sort_by_key(|mistake| (&*mistake.place.file != name, mistake.place.line));
            Err(told(mistakes))
        }
    }
}

/// Most of them are told; what looks like no script at all is not told line by line.
fn told(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    if mistakes.len() > MOST_MISTAKES {
        mistakes.truncate(MOST_MISTAKES + 1);
        let last = &mut mistakes[MOST_MISTAKES];
        *last = Slip::new("more is wrong from here on").hint("is this a script of chat?").at(&last.place);
    }
    mistakes
}

/// A script while it is read.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    jumps: Jumps,
    mistakes: Vec<Mistake>,
}

impl Draft {
    fn take(&mut self, line: Text, place: &Place) -> Result<(), Slip> {
        if line.bytes.is_empty() || line.bytes.starts_with(b"#") {
            return Ok(());
        }
        let at = self.steps.len();
        let saying = operator::read(line).inspect_err(|_| self.nest(line, place));
        let op = match saying? {
            Saying::Step(op) => op,
            Saying::Alternative(when, label) => return self.alternative(when, label, line, place),
            Saying::Goto(label) => {
                self.jumps.jump(at, None, label, place);
                Op::Goto(at)
            }
            Saying::Label(label) => {
                self.jumps.mark(&label, at, place)?;
                Op::Label(label)
            }
            Saying::Loop(times) => {
                self.jumps.open(at);
                Op::Loop { times, end: at }
            }
            Saying::End => Op::End(self.jumps.close(&mut self.steps, at)?),
        };
        self.push(op, line, place);
        Ok(())
    }

    /// A wrong `.loop` or `.end` is one all the same, so that the other one is not taken for wrong.
    fn nest(&mut self, line: Text, place: &Place) {
        let at = self.steps.len();
        match line.split_word().0.bytes {
            b".loop" => {
                self.jumps.open(at);
                self.push(Op::Loop { times: None, end: at }, line, place);
            }
            b".end" => drop(self.jumps.close(&mut self.steps, at)),
            _ => {}
        }
    }

    fn push(&mut self, op: Op, line: Text, place: &Place) {
        let text = String::from_utf8_lossy(line.bytes).into();
        self.steps.push(Step { place: place.clone(), text, op });
    }

    /// Lines of `?` in a row are one step.
    fn alternative(&mut self, when: When, label: String, line: Text, place: &Place) -> Result<(), Slip> {
        if !matches!(self.steps.last(), Some(Step { op: Op::Choose(_), .. })) {
            self.push(Op::Choose(Vec::new()), line, place);
        }
        let at = self.steps.len() - 1;
        let Op::Choose(alternatives) = &mut self.steps[at].op else { return Ok(()) };
        let is_single = matches!(when, When::End | When::Timeout);
        if is_single && alternatives.iter().any(|other| other.when == when) {
            return Err(Slip::new("the same alternative stands twice"));
        }
        self.jumps.jump(at, Some(alternatives.len()), label, place);
        alternatives.push(Alternative { place: place.clone(), when, to: at });
        Ok(())
    }
}
