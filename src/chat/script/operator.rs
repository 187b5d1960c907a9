//! One line of a script: its operator and what that is about. Labels are names here, not yet places.

use super::escape::shown;
use super::mistake::Slip;
use super::pattern::Scope;
use super::template::is_name;
use super::text::Text;
use super::{Count, Expect, Op, Pattern, Template, When, directive};
use crate::{address, suggest};

/// What a line says.
pub enum Saying {
    /// A step of its own.
    Step(Op),
    /// A line of `?`, and the label behind it.
    Alternative(When, String),
    /// `.goto`, and the label.
    Goto(String),
    /// `:LABEL`
    Label(String),
    /// `.loop`
    Loop(Option<u64>),
    /// `.end`
    End,
}

/// Every operator that has a sign; where one begins with another it comes first.
pub const SIGNS: [&str; 16] =
    [">>", ">@", ">", "<<", "<#", "<$", "<", "=", "~~", "~1", "~", "!", "?timeout", "?$", "??", "?"];

/// What other tools call it, and what it is here.
const HABITS: [(&str, &str); 2] = [("send", "> TEXT"), ("expect", "~ REGEX")];

/// Reads a line that is neither blank nor a comment.
pub fn read(line: Text) -> Result<Saying, Slip> {
    let (word, rest) = line.split_word();
    let step = |op| Ok(Saying::Step(op));
    match word.bytes {
        b">" => step(Op::Send { text: Template::parse(rest)?, has_eol: true }),
        b">>" => step(Op::Send { text: Template::parse(rest)?, has_eol: false }),
        b">@" => step(Op::SendFile(some_text(">@", rest)?)),
        b"<" => step(Op::Expect(Expect::Start(Template::parse(rest)?))),
        b"<<" => step(Op::Expect(Expect::RawStart(Template::parse(rest)?))),
        b"=" => step(Op::Expect(Expect::Equal(Template::parse(rest)?))),
        b"~" => step(Op::Expect(Expect::Skip(Pattern::parse(rest, Scope::Unit)?))),
        b"~1" => step(Op::Expect(Expect::Next(Pattern::parse(rest, Scope::Unit)?))),
        b"~~" => step(Op::Expect(Expect::RawSkip(Pattern::parse(rest, Scope::Raw)?))),
        b"<#" => step(Op::Expect(exactly(rest)?)),
        b"<$" => step(Op::Expect(Expect::End(rest.word("<$")?.map(name).transpose()?))),
        b"!" if rest.bytes.is_empty() => step(Op::Forbid(None)),
        b"!" => step(Op::Forbid(Some(Pattern::parse(rest, Scope::Unit)?))),
        b"?" | b"??" | b"?$" | b"?timeout" => alternative(word, rest),
        [b':', ..] => label(line),
        [b'.', ..] => directive::read(word, rest),
        _ => Err(unknown(line)),
    }
}

/// Text where there must be some.
pub fn some_text(whose: &str, text: Text) -> Result<Template, Slip> {
    match Template::parse(text)? {
        template if template.is_empty() => Err(Slip::new(format!("'{whose}' needs text after it"))),
        template => Ok(template),
    }
}

fn exactly(rest: Text) -> Result<Expect, Slip> {
    let (count, variable) = rest.trim().split_word();
    let what = || Slip::new("'<#' needs a number of bytes: <# N [NAME]");
    let count = count.word("<#")?.ok_or_else(what)?;
    let count = match count.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
        Some(variable) => Count::Variable(name(variable)?),
        None => Count::Number(amount("<#", count)?),
    };
    Ok(Expect::Exactly(count, variable.word("<#")?.map(name).transpose()?))
}

/// A number of bytes, 1 at least.
pub fn amount(whose: &str, word: &str) -> Result<usize, Slip> {
    let size = address::size(word)
        .ok()
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| Slip::new(format!("'{}' is no number of bytes", shown(word.as_bytes()))))?;
    match size {
        0 => Err(Slip::new(format!("'{whose}' of 0 bytes is nothing"))),
        size => Ok(size),
    }
}

/// The name of a variable that a step sets.
pub fn name(word: &str) -> Result<String, Slip> {
    match is_name(word) {
        true => Ok(word.to_owned()),
        false => {
            let slip = Slip::new(format!("'{}' is no name of a variable", shown(word.as_bytes())));
            Err(slip.hint("a name has letters, digits and _, and no digit first"))
        }
    }
}

/// `? REGEX -> LABEL` and its kin; the last arrow counts.
fn alternative(word: Text, rest: Text) -> Result<Saying, Slip> {
    const ARROW: &[u8] = b"-> ";
    let sign = String::from_utf8_lossy(word.bytes);
    let what = match &*sign {
        "?" | "??" => " REGEX",
        _ => "",
    };
    let missing = || {
        let slip = Slip::new(format!("'{sign}' does not say where it goes on"));
        slip.hint(format!("{sign}{what} -> LABEL"))
    };
    let at = rest.bytes.windows(ARROW.len()).rposition(|bytes| bytes == ARROW).ok_or_else(missing)?;
    let to = label_name(rest.skip(at + ARROW.len()).word("->")?.ok_or_else(missing)?)?;
    let before = rest.until(at);
    let when = match &*sign {
        "?" => When::Unit(Pattern::parse(before_arrow(before).ok_or_else(missing)?, Scope::Unit)?),
        "??" => When::Raw(Pattern::parse(before_arrow(before).ok_or_else(missing)?, Scope::Raw)?),
        _ if !before.trim().bytes.is_empty() => {
            let slip = Slip::new(format!("'{sign}' takes no '{}'", shown(before.trim().bytes)));
            return Err(slip.hint(format!("{sign} -> LABEL")));
        }
        "?$" => When::End,
        _ => When::Timeout,
    };
    Ok(Saying::Alternative(when, to))
}

/// The regular expression ends before the one space that the arrow has before it.
fn before_arrow(text: Text) -> Option<Text> {
    match text.bytes {
        [] => Some(text),
        [.., b' '] => Some(text.until(text.bytes.len() - 1)),
        _ => None,
    }
}

fn label(line: Text) -> Result<Saying, Slip> {
    match line.skip(1).word(":")? {
        Some(word) if !matches!(line.bytes[1], b' ' | b'\t') => Ok(Saying::Label(label_name(word)?)),
        Some(word) => {
            let word = label_name(word)?;
            Err(Slip::new("a label follows its ':' without a space").hint(format!(":{word}")))
        }
        None => Err(Slip::new("a label needs a name: :LABEL")),
    }
}

/// The name of a label.
pub fn label_name(word: &str) -> Result<String, Slip> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    match !word.is_empty() && word.bytes().all(is_fine) {
        true => Ok(word.to_owned()),
        false => {
            let slip = Slip::new(format!("'{}' is no label", shown(word.as_bytes())));
            Err(slip.hint("a label has letters, digits, '_', '-' and '.'"))
        }
    }
}

fn unknown(line: Text) -> Slip {
    let (word, rest) = line.split_word();
    let slip = Slip::new(format!("'{}' is no step", shown(word.bytes)));
    if let Some(sign) = SIGNS.iter().find(|sign| word.bytes.starts_with(sign.as_bytes())) {
        let text = line.skip(sign.len());
        return match sign.starts_with("?") && *sign != "?" && *sign != "??" {
            true => slip.hint(format!("a space follows '{sign}': {sign} -> LABEL")),
            false => slip.hint(format!("a space follows '{sign}': {sign} {}", shown(text.trim().bytes))),
        };
    }
    let typed = String::from_utf8_lossy(word.bytes).to_ascii_lowercase();
    let near = |words: &[&'static str], typed: &str| suggest::nearest(typed, words.iter().copied());
    if let Some((_, meant)) = HABITS.iter().find(|(habit, _)| *habit == typed) {
        return slip.hint(format!("here that is {meant}"));
    }
    if let Some(name) = near(&directive::NAMES, &format!(".{typed}")) {
        return slip.hint(format!("did you mean {name}?"));
    }
    match rest.bytes.is_empty() {
        true => slip.hint("a line begins with one of > < = ~ ! ? . : or, as a comment, with #"),
        false => slip.hint("a line begins with one of > < = ~ ! ? . : and then a space"),
    }
}
