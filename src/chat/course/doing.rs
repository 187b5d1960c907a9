//! What each step does when its turn comes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::forbidden::{Forbidden, Watch};
use super::hearing::{Branch, Good, Sign, Wish};
use super::trouble::quoted;
use super::{Course, Need, State, Voice};
use crate::chat::inbox::Ends;
use crate::chat::pattern::{Compiled, Search};
use crate::chat::script::{
    Alternative, Count, Expect, MOST_BYTES, Missing, Op, Pattern, Template, Terminator, When,
};
use crate::chat::verdict::{Outcome, Status};

/// How long nothing may come where nothing may be left unread: what is on its way arrives.
const SETTLE: Duration = Duration::from_millis(100);

/// Most bytes of a text with its variables, or twice of what is kept where that is more: one that is made of itself
/// again and again ends here, and not where memory does.
const MOST_TEXT: usize = 2 * MOST_BYTES;

impl Course {
    /// Begins the step at hand: what it needs, or nothing where the next turn can follow at once.
    pub(super) fn begin(&mut self) -> Result<Option<Need>, String> {
        let script = self.script.clone();
        let Some(step) = script.steps.get(self.at) else {
            return self.end(Status::Number(0));
        };
        match &step.op {
            Op::Send { .. } | Op::SendFile(_) | Op::StartTls | Op::HalfClose | Op::Close | Op::Reset => {
                self.speak(&step.op)
            }
            Op::Expect(expect) => self.expect(expect).map(|()| None),
            Op::Choose(alternatives) => self.choose(alternatives).map(|()| None),
            Op::RestEmpty => {
                self.settings.is_strict = true;
                self.expect_nothing().map(|()| None)
            }
            Op::Sleep(time) => Ok(self.sleep(*time)),
            Op::Exit(status) => self.end(status.map_or(Status::Child, Status::Number)),
            Op::Goto(_) | Op::Loop { .. } | Op::End(_) | Op::Label(_) => {
                self.jump(&step.op);
                Ok(None)
            }
            op => {
                let set = self.set(op)?;
                self.done(Good { set, ..Good::default() });
                Ok(None)
            }
        }
    }

    /// Steps that need our side of the connection.
    fn speak(&mut self, op: &Op) -> Result<Option<Need>, String> {
        let need = match op {
            Op::Send { text, has_eol } => {
                let mut bytes = self.rendered(text)?;
                if *has_eol {
                    bytes.extend_from_slice(&self.settings.eol);
                }
                Need::Say(bytes, self.pace)
            }
            Op::SendFile(name) => {
                Need::SayFile(PathBuf::from(OsString::from_vec(self.rendered(name)?)), self.pace)
            }
            Op::StartTls => self.start_tls()?,
            Op::HalfClose => Need::HalfClose,
            Op::Close => Need::Close,
            _ => Need::Reset,
        };
        match (self.voice, op) {
            (Voice::Closed, _) => return Err("the script has closed the connection before".to_owned()),
            (Voice::HalfClosed, Op::Send { .. } | Op::SendFile(_) | Op::StartTls | Op::HalfClose) => {
                return Err("the script has said its end before".to_owned());
            }
            _ => {}
        }
        self.voice = match need {
            Need::HalfClose => Voice::HalfClosed,
            Need::Close | Need::Reset => Voice::Closed,
            _ => self.voice,
        };
        self.state = State::Doing;
        Ok(Some(need))
    }

    /// What was heard before TLS was not said under it; whoever put it there wants it taken for that
    /// (CVE-2011-0411).
    fn start_tls(&self) -> Result<Need, String> {
        match self.inbox.unread().len() {
            0 => Ok(Need::StartTls),
            count => Err(format!("{count} bytes came in plaintext before TLS began (CVE-2011-0411)")),
        }
    }

    fn expect(&mut self, expect: &Expect) -> Result<(), String> {
        let wish = match expect {
            Expect::Start(text) => Wish::Unit { text: self.rendered(text)?, is_all: false },
            Expect::Equal(text) => Wish::Unit { text: self.rendered(text)?, is_all: true },
            Expect::RawStart(text) => Wish::Raw(self.rendered(text)?),
            Expect::Next(pattern) => Wish::Next(self.compiled(pattern)?),
            Expect::Skip(pattern) => Wish::Any(vec![Branch { when: self.unit(pattern)?, to: None }]),
            Expect::RawSkip(pattern) => Wish::Any(vec![Branch { when: self.raw(pattern)?, to: None }]),
            Expect::Exactly(count, name) => Wish::Exactly(self.counted(count)?, name.clone()),
            Expect::End(name) => Wish::End(name.clone()),
        };
        self.hear_wish(wish)
    }

    fn choose(&mut self, alternatives: &[Alternative]) -> Result<(), String> {
        let branches = alternatives.iter().map(|alternative| {
            let when = match &alternative.when {
                When::Unit(pattern) => self.unit(pattern)?,
                When::Raw(pattern) => self.raw(pattern)?,
                When::End => Sign::End,
                When::Timeout => Sign::Timeout,
            };
            Ok(Branch { when, to: Some(alternative.to) })
        });
        let branches = branches.collect::<Result<_, String>>()?;
        self.hear_wish(Wish::Any(branches))
    }

    fn hear_wish(&mut self, wish: Wish) -> Result<(), String> {
        match self.voice {
            Voice::Closed => Err("the script has closed the connection before".to_owned()),
            _ => self.hear_for(wish, self.settings.timeout),
        }
    }

    fn expect_nothing(&mut self) -> Result<(), String> {
        let is_closed = self.voice == Voice::Closed;
        self.hear_for(Wish::Nothing, if is_closed { Duration::ZERO } else { SETTLE })
    }

    /// The end of the script.
    fn end(&mut self, status: Status) -> Result<Option<Need>, String> {
        if !self.settings.is_strict {
            self.leave(status);
            return Ok(None);
        }
        self.leaving = Some(status);
        self.expect_nothing().map(|()| None)
    }

    fn sleep(&mut self, time: Duration) -> Option<Need> {
        match self.begun.checked_add(time) {
            Some(until) if until > self.now => {
                self.state = State::Pausing(until);
                Some(Need::Pause(until))
            }
            Some(_) => {
                self.done(Good::default());
                None
            }
            None => {
                self.fail(Outcome::Failed, "a pause this long never ends");
                None
            }
        }
    }

    fn jump(&mut self, op: &Op) {
        self.at = match op {
            Op::Goto(to) => *to,
            Op::Loop { times: Some(0), end } => *end,
            Op::Loop { times, .. } => {
                self.rounds.insert(self.at, *times);
                self.at + 1
            }
            Op::End(start) => match self.rounds.get_mut(start) {
                Some(None) => start + 1,
                Some(Some(left)) if *left > 1 => {
                    *left -= 1;
                    start + 1
                }
                // Over, or jumped into from outside.
                _ => self.at + 1,
            },
            _ => self.at + 1,
        };
    }

    /// Steps that only change what holds from here on; tells the variables that they set.
    fn set(&mut self, op: &Op) -> Result<Vec<(String, Vec<u8>)>, String> {
        match op {
            Op::Forbid(None) => self.forbidden.clear(),
            Op::Forbid(Some(pattern)) => {
                let pattern = self.compiled(&pattern.of_lines())?;
                self.forbidden.retain(|forbidden| forbidden.step != self.at);
                self.forbidden.push(Forbidden { pattern, step: self.at, secrecy: self.secrecy() });
            }
            Op::Term(terminator) => self.end_units_with(terminator.clone())?,
            Op::Eol(text) => self.settings.eol = self.rendered(text)?,
            Op::Timeout(time) => self.settings.timeout = *time,
            Op::Pace(pace) => self.pace = *pace,
            Op::DropInput => self.inbox.forget(),
            Op::Tell(secrecy) => self.tell_from_here(*secrecy),
            Op::Default(name, _) if self.settings.variables.contains_key(name) => {}
            Op::Set(name, text) | Op::Default(name, text) => {
                return Ok(vec![(name.clone(), self.rendered(text)?)]);
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Something else ends units from here on.
    pub(super) fn end_units_with(&mut self, terminator: Terminator) -> Result<(), String> {
        let text = match &terminator {
            Terminator::Text(text) => self.rendered(text)?,
            _ => Vec::new(),
        };
        self.ends = Ends::new(&terminator, &text)?;
        self.inbox.end_units_anew();
        Ok(())
    }

    /// The forbidden patterns for a step with this wish.
    pub(super) fn watch(&self, wish: &Wish) -> Result<Watch, String> {
        let is_raw = match wish {
            Wish::Unit { .. } | Wish::Next(_) | Wish::Nothing => false,
            Wish::Raw(_) | Wish::Exactly(..) | Wish::End(_) => true,
            Wish::Any(branches) => {
                let has_units = branches.iter().any(|branch| matches!(branch.when, Sign::Unit(_)));
                !has_units || branches.iter().any(|branch| matches!(branch.when, Sign::Raw(..)))
            }
        };
        Watch::new(&self.forbidden, is_raw.then(|| self.inbox.head()))
    }

    fn rendered(&self, text: &Template) -> Result<Vec<u8>, String> {
        let most = MOST_TEXT.max(self.settings.most_kept.saturating_mul(2));
        let bytes = text.render(&self.settings.variables).map_err(|missing| missing.to_string())?;
        match bytes.len() <= most {
            true => Ok(bytes),
            false => {
                Err(format!("with its variables the text has {} bytes, {most} are the most", bytes.len()))
            }
        }
    }

    /// What a variable says may be the peer's word.
    fn counted(&self, count: &Count) -> Result<usize, String> {
        let name = match count {
            Count::Number(count) => return Ok(*count),
            Count::Variable(name) => name,
        };
        let value = self.settings.variables.get(name).ok_or_else(|| Missing(name.clone()).to_string())?;
        let digits =
            std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let count = digits.and_then(|digits| digits.parse().ok());
        count.ok_or_else(|| format!("${{{name}}} is {}, which is no number of bytes", quoted(value)))
    }

    fn compiled(&self, pattern: &Pattern) -> Result<Rc<Compiled>, String> {
        self.settings.patterns.compiled(pattern, &self.settings.variables)
    }

    fn unit(&self, pattern: &Pattern) -> Result<Sign, String> {
        Ok(Sign::Unit(self.compiled(pattern)?))
    }

    fn raw(&self, pattern: &Pattern) -> Result<Sign, String> {
        let compiled = self.compiled(pattern)?;
        let search = Search::new(compiled.raw()?, self.inbox.head());
        Ok(Sign::Raw(compiled, Box::new(search)))
    }
}
