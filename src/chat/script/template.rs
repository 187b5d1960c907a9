//! Texts with variables in them: read, and filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::escape::{LETTERS, shown};
use super::mistake::Slip;
use super::text::Text;
use super::{Part, Template};

/// A variable that has no value (yet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(
    /// Its name.
    pub String,
);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variable ${{{}}} has no value", self.0)
    }
}

impl std::error::Error for Missing {}

impl Template {
    /// Reads a text: escapes and variables.
    pub(super) fn parse(text: Text) -> Result<Template, Slip> {
        let mut parts = Parts::default();
        let mut rest = text;
        loop {
            rest = match rest.bytes {
                [] => return Ok(parts.template()),
                [b'\\', ..] => escaped(rest, &mut parts)?,
                [b'$', b'{', ..] => variable(rest, &mut parts)?,
                [_, after @ ..] => {
                    let plain = 1 + memchr::memchr2(b'\\', b'$', after).unwrap_or(after.len());
                    parts.bytes(&rest.bytes[..plain]);
                    rest.skip(plain)
                }
            };
        }
    }

    /// A text without variables.
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Template {
        let bytes = bytes.into();
        Template { parts: if bytes.is_empty() { Vec::new() } else { vec![Part::Bytes(bytes)] } }
    }

    /// Whether it stands for no bytes whatever its variables are.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its bytes, if it has no variables.
    pub fn as_plain(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Bytes(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// The names of its variables, without `base64:`.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Bytes(_) => None,
            Part::Variable(name) => Some(name.strip_prefix(BASE64).unwrap_or(name)),
        })
    }

    /// Its bytes. What the environment holds is found under `env:NAME`.
    pub fn render(&self, variables: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Missing> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(text) => bytes.extend_from_slice(text),
                Part::Variable(name) => bytes.extend_from_slice(&value(name, variables)?),
            }
        }
        Ok(bytes)
    }
}

/// What stands before the name of a variable whose value is wanted in base64.
const BASE64: &str = "base64:";

/// The value of a variable as it is named in a text or a pattern.
pub fn value<'a>(name: &str, variables: &'a BTreeMap<String, Vec<u8>>) -> Result<Cow<'a, [u8]>, Missing> {
    let plain = name.strip_prefix(BASE64);
    let bytes = variables.get(plain.unwrap_or(name)).ok_or_else(|| Missing(name.to_owned()))?;
    match plain {
        Some(_) => Ok(BASE64_STANDARD.encode(bytes).into_bytes().into()),
        None => Ok(bytes.into()),
    }
}

/// Parts as they are read; bytes that follow bytes are one part.
#[derive(Default)]
pub struct Parts(Vec<Part>);

impl Parts {
    /// Appends a byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    /// Appends bytes.
    fn bytes(&mut self, more: &[u8]) {
        match self.0.last_mut() {
            Some(Part::Bytes(bytes)) => bytes.extend_from_slice(more),
            _ => self.0.push(Part::Bytes(more.to_vec())),
        }
    }

    /// What they make.
    pub fn template(self) -> Template {
        Template { parts: self.0 }
    }
}

/// Reads the escape that `text` begins with, and tells what follows it.
fn escaped<'a>(text: Text<'a>, parts: &mut Parts) -> Result<Text<'a>, Slip> {
    let bad = |what: &str| {
        Slip::new(format!("'{what}' at column {} is no escape", text.column))
            .hint("escapes are \\r \\n \\t \\0 \\e \\s (a space) \\xNN \\\\ \\$; a backslash itself is \\\\")
    };
    match text.bytes {
        [_, b'x', digits @ ..] => {
            let digits = digits.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| bad(&shown(&text.bytes[..text.bytes.len().min(4)])))?;
            parts.byte(byte);
            Ok(text.skip(4))
        }
        [_, letter, ..] => {
            let known = LETTERS.iter().find(|(short, _)| short == letter);
            let first = String::from_utf8_lossy(&text.bytes[1..text.bytes.len().min(5)]);
            let letter: String = first.chars().take(1).collect();
            let (_, byte) = known.ok_or_else(|| bad(&format!("\\{}", shown(letter.as_bytes()))))?;
            parts.byte(*byte);
            Ok(text.skip(2))
        }
        _ => Err(bad("\\")),
    }
}

/// Reads the `${NAME}` that `text` begins with, and tells what follows it.
pub fn variable<'a>(text: Text<'a>, parts: &mut Parts) -> Result<Text<'a>, Slip> {
    // A name is short: what has no `}` soon has none, and the search stays linear.
    let end = text.bytes.iter().take(LONGEST_NAME).position(|byte| *byte == b'}');
    let name = end.and_then(|end| std::str::from_utf8(&text.bytes[2..end]).ok());
    match (name, end) {
        (Some(name), Some(end)) if is_reference(name) => {
            parts.0.push(Part::Variable(name.to_owned()));
            Ok(text.skip(end + 1))
        }
        _ => {
            let typed = &text.bytes[..end.map_or(text.bytes.len().min(12), |end| end + 1)];
            let slip = Slip::new(format!("'{}' at column {} is no variable", shown(typed), text.column));
            Err(slip
                .hint("a variable is ${NAME}, ${env:NAME} or ${base64:NAME}, of letters, digits and _; a '$' itself is \\$"))
        }
    }
}

const LONGEST_NAME: usize = 260;

/// Whether it is a name with what may stand before one.
fn is_reference(name: &str) -> bool {
    let name = name.strip_prefix(BASE64).unwrap_or(name);
    is_name(name.strip_prefix("env:").unwrap_or(name))
}

/// Whether a variable may be called so.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
