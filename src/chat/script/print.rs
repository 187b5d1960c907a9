//! Steps as they are typed: what is printed reads as the same steps again.

use std::fmt::{self, Display, Formatter};

use super::directive::is_number;
use super::escape::{escape, push_byte};
use super::{
    Alternative, Count, Expect, Op, Part, Pattern, Script, Secrecy, Step, Template, Terminator, When,
};
use crate::address::print_duration;

impl Display for Script {
    /// A step a line, without the comments.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{}", step.op.typed(&self.steps)))
    }
}

impl Op {
    /// How it is typed, without the line's end; `steps` know the names of labels.
    pub fn typed(&self, steps: &[Step]) -> String {
        match self {
            Op::Send { text, has_eol: true } => with_text(">", text),
            Op::Send { text, has_eol: false } => with_text(">>", text),
            Op::SendFile(text) => with_text(">@", text),
            Op::Expect(expect) => expect.to_string(),
            Op::Choose(alternatives) => {
                let lines: Vec<String> = alternatives.iter().map(|one| alternative(one, steps)).collect();
                lines.join("\n")
            }
            Op::Forbid(None) => "!".to_owned(),
            Op::Forbid(Some(pattern)) => format!("! {pattern}"),
            Op::Eol(text) if text.is_empty() => ".eol none".to_owned(),
            Op::Eol(text) => format!(".eol {}", no_word(text, |text| text == b"none")),
            Op::Set(name, text) => with_text(&format!(".set {name}"), text),
            Op::Default(name, text) => with_text(&format!(".default {name}"), text),
            Op::Goto(to) => format!(".goto {}", label(*to, steps)),
            Op::Label(name) => format!(":{name}"),
            op => op.typed_directive(),
        }
    }

    fn typed_directive(&self) -> String {
        match self {
            Op::Term(terminator) => format!(".term {terminator}"),
            Op::Timeout(limit) => format!(".timeout {}", print_duration(*limit)),
            Op::Pace(None) => ".pace none".to_owned(),
            Op::Pace(Some(pace)) => format!(".pace {}/{}", pace.size, print_duration(pace.pause)),
            Op::Sleep(time) => format!(".sleep {}", print_duration(*time)),
            Op::Exit(Some(status)) => format!(".exit {status}"),
            Op::Loop { times: Some(times), .. } => format!(".loop {times}"),
            op => op.typed_alone().to_owned(),
        }
    }

    fn typed_alone(&self) -> &'static str {
        match self {
            Op::StartTls => ".starttls",
            Op::HalfClose => ".half-close",
            Op::Close => ".close",
            Op::Reset => ".reset",
            Op::DropInput => ".drop-input",
            Op::RestEmpty => ".rest-empty",
            Op::Tell(Secrecy::Hidden) => ".hide",
            Op::Tell(Secrecy::Open) => ".show",
            Op::Exit(_) => ".exit",
            Op::Loop { .. } => ".loop",
            _ => ".end",
        }
    }
}

impl Display for Expect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expect::Start(text) => f.write_str(&with_text("<", text)),
            Expect::RawStart(text) => f.write_str(&with_text("<<", text)),
            Expect::Equal(text) => f.write_str(&with_text("=", text)),
            Expect::Skip(pattern) => write!(f, "~ {pattern}"),
            Expect::Next(pattern) => write!(f, "~1 {pattern}"),
            Expect::RawSkip(pattern) => write!(f, "~~ {pattern}"),
            Expect::Exactly(count, None) => write!(f, "<# {count}"),
            Expect::Exactly(count, Some(name)) => write!(f, "<# {count} {name}"),
            Expect::End(None) => f.write_str("<$"),
            Expect::End(Some(name)) => write!(f, "<$ {name}"),
        }
    }
}

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Count::Number(number) => number.fmt(f),
            Count::Variable(name) => write!(f, "${{{name}}}"),
        }
    }
}

impl Display for Terminator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Terminator::Line => f.write_str("line"),
            Terminator::None => f.write_str("none"),
            Terminator::Length(length) => length.fmt(f),
            Terminator::Text(text) => {
                let is_word = |text: &[u8]| text == b"none" || text == b"line" || is_number(text);
                f.write_str(&no_word(text, is_word))
            }
        }
    }
}

impl Display for Template {
    /// With escapes, so that it reads as the same again; blanks at its ends are escaped, as nobody would see them.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => escape(bytes, &mut text),
                Part::Variable(name) => text.extend(["${", name, "}"]),
            }
        }
        let (start, rest) = match text.strip_prefix(' ') {
            Some(rest) => ("\\s", rest),
            None => ("", text.as_str()),
        };
        match rest.strip_suffix(' ') {
            Some(rest) => write!(f, "{start}{rest}\\s"),
            None => write!(f, "{start}{rest}"),
        }
    }
}

impl Display for Pattern {
    /// As it was typed.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in &self.source.parts {
            match part {
                Part::Bytes(bytes) => f.write_str(&String::from_utf8_lossy(bytes))?,
                Part::Variable(name) => write!(f, "${{{name}}}")?,
            }
        }
        Ok(())
    }
}

fn with_text(operator: &str, text: &Template) -> String {
    match text.is_empty() {
        true => operator.to_owned(),
        false => format!("{operator} {text}"),
    }
}

/// A text that must not be taken for a word of the language: if it would, its first byte is escaped.
fn no_word(text: &Template, is_word: impl Fn(&[u8]) -> bool) -> String {
    match text.as_plain() {
        Some(plain) if is_word(plain) => {
            let mut typed = String::new();
            push_byte(plain[0], &mut typed);
            escape(&plain[1..], &mut typed);
            typed
        }
        _ => text.to_string(),
    }
}

fn alternative(alternative: &Alternative, steps: &[Step]) -> String {
    let to = label(alternative.to, steps);
    match &alternative.when {
        When::Unit(pattern) => format!("? {pattern} -> {to}"),
        When::Raw(pattern) => format!("?? {pattern} -> {to}"),
        When::End => format!("?$ -> {to}"),
        When::Timeout => format!("?timeout -> {to}"),
    }
}

/// Jumps go to labels alone.
fn label(to: usize, steps: &[Step]) -> &str {
    match steps.get(to).map(|step| &step.op) {
        Some(Op::Label(name)) => name,
        _ => "?",
    }
}
