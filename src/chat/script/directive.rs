//! The steps that are words: `.term`, `.timeout` and their kin.

use std::time::Duration;

use super::escape::shown;
use super::mistake::Slip;
use super::operator::{Saying, amount, label_name, name, some_text};
use super::text::Text;
use super::{Op, Pace, Secrecy, Template, Terminator};
use crate::{address, suggest};

/// All of them.
pub const NAMES: [&str; 19] = [
    ".term",
    ".eol",
    ".timeout",
    ".pace",
    ".sleep",
    ".set",
    ".default",
    ".starttls",
    ".half-close",
    ".close",
    ".reset",
    ".drop-input",
    ".rest-empty",
    ".hide",
    ".show",
    ".exit",
    ".goto",
    ".loop",
    ".end",
];

/// Reads what the directive `word` is about.
pub fn read(word: Text, rest: Text) -> Result<Saying, Slip> {
    let typed = String::from_utf8_lossy(word.bytes);
    let word = NAMES.into_iter().find(|name| *name == typed).ok_or_else(|| unknown(&typed))?;
    let step = |op| Ok(Saying::Step(op));
    match word {
        ".term" => step(Op::Term(terminator(rest)?)),
        ".eol" => step(Op::Eol(end_of_line(rest)?)),
        ".timeout" => step(Op::Timeout(limit(rest)?)),
        ".pace" => step(Op::Pace(pace(rest)?)),
        ".sleep" => step(Op::Sleep(time(needed(word, "TIME", rest)?)?)),
        ".set" | ".default" => {
            let (variable, text) = rest.split_word();
            let variable = name(needed(word, "NAME TEXT", variable)?)?;
            let text = Template::parse(text)?;
            step(if word == ".set" { Op::Set(variable, text) } else { Op::Default(variable, text) })
        }
        ".exit" => step(Op::Exit(rest.word(word)?.map(status).transpose()?)),
        ".goto" => Ok(Saying::Goto(label_name(needed(word, "LABEL", rest)?)?)),
        ".loop" => Ok(Saying::Loop(rest.word(word)?.map(times).transpose()?)),
        word => match rest.trim().bytes {
            b"" => Ok(alone(word)),
            text => Err(Slip::new(format!("'{word}' takes nothing, not '{}'", shown(text)))),
        },
    }
}

/// What takes nothing after it.
fn alone(word: &str) -> Saying {
    Saying::Step(match word {
        ".starttls" => Op::StartTls,
        ".half-close" => Op::HalfClose,
        ".close" => Op::Close,
        ".reset" => Op::Reset,
        ".drop-input" => Op::DropInput,
        ".rest-empty" => Op::RestEmpty,
        ".hide" => Op::Tell(Secrecy::Hidden),
        ".show" => Op::Tell(Secrecy::Open),
        _ => return Saying::End,
    })
}

fn needed<'a>(word: &str, what: &str, rest: Text<'a>) -> Result<&'a str, Slip> {
    rest.word(word)?.ok_or_else(|| Slip::new(format!("'{word}' needs more: {word} {what}")))
}

fn terminator(rest: Text) -> Result<Terminator, Slip> {
    match rest.bytes {
        b"none" => Ok(Terminator::None),
        b"line" => Ok(Terminator::Line),
        digits if is_number(digits) => {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            Ok(Terminator::Length(amount(".term", digits)?))
        }
        _ => some_text(".term", rest).map(Terminator::Text),
    }
}

/// Whether a terminator is a length.
pub fn is_number(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

fn end_of_line(rest: Text) -> Result<Template, Slip> {
    match rest.bytes {
        b"none" => Ok(Template::default()),
        b"" => Err(Slip::new("'.eol' needs text after it").hint("'.eol none' adds nothing")),
        _ => Template::parse(rest),
    }
}

fn time(word: &str) -> Result<Duration, Slip> {
    address::duration(word).map_err(|why| {
        // What was typed stands in it as it is.
        let why = why.replacen(word, &shown(word.as_bytes()), 1);
        match why.split_once("; ") {
            Some((what, hint)) => Slip::new(what).hint(hint),
            None => Slip::new(why),
        }
    })
}

fn limit(rest: Text) -> Result<Duration, Slip> {
    let word = needed(".timeout", "TIME", rest)?;
    let endless = |what: &str| {
        let slip = Slip::new(format!("'.timeout {what}': every step has a limit"));
        Err(slip.hint("a long one is, for example, 1h"))
    };
    match word {
        "none" | "never" | "off" | "inf" => endless(word),
        word => match time(word)? {
            Duration::ZERO => endless(word),
            limit => Ok(limit),
        },
    }
}

fn pace(rest: Text) -> Result<Option<Pace>, Slip> {
    let word = needed(".pace", "SIZE/TIME, or none", rest)?;
    if word == "none" {
        return Ok(None);
    }
    let Some((size, pause)) = word.split_once('/') else {
        let slip = Slip::new(format!("'{}' is no pace", shown(word.as_bytes())));
        return Err(slip.hint("SIZE/TIME: so many bytes, then a pause; for example 1/10ms"));
    };
    Ok(Some(Pace { size: amount(".pace", size)?, pause: time(pause)? }))
}

fn status(word: &str) -> Result<u8, Slip> {
    word.parse().map_err(|_| Slip::new(format!("'{}' is no exit status (0 to 255)", shown(word.as_bytes()))))
}

fn times(word: &str) -> Result<u64, Slip> {
    match word.parse() {
        Ok(0) => Err(Slip::new("'.loop 0' does nothing")),
        Ok(times) => Ok(times),
        Err(_) => {
            let slip = Slip::new(format!("'{}' does not tell how often", shown(word.as_bytes())));
            Err(slip.hint(".loop N, or .loop alone for ever"))
        }
    }
}

fn unknown(typed: &str) -> Slip {
    let slip = Slip::new(format!("'{}' is unknown", shown(typed.as_bytes())));
    match suggest::nearest(typed, NAMES) {
        Some(near) => slip.hint(format!("did you mean {near}?")),
        None => slip.hint(format!("there are {}", NAMES.join(" "))),
    }
}
