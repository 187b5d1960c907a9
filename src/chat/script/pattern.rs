//! Regular expressions with variables in them: read, checked and compiled.

use std::collections::BTreeMap;
use std::fmt::Write;

use regex::bytes::Regex;

use super::mistake::Slip;
use super::template::{Parts, value, variable};
use super::text::Text;
use super::{Part, Pattern, Template};

/// What a pattern is looked for in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A unit.
    Unit,
    /// Bytes as they come: what fits nothing at all would fit at once.
    Raw,
}

/// A shorter pattern in which nothing is counted cannot be too big, and compiling it only to know that takes long.
const SHORT: usize = 200;

impl Pattern {
    /// Reads a pattern and makes sure that it is right.
    pub(super) fn parse(text: Text, scope: Scope) -> Result<Pattern, Slip> {
        if let Err(error) = std::str::from_utf8(text.bytes) {
            let column = text.skip(error.valid_up_to()).column;
            let slip = Slip::new(format!("a regular expression is UTF-8, which ends at column {column}"));
            return Err(slip.hint("(?-u:\\xNN) is a byte"));
        }
        let mut parts = Parts::default();
        let mut rest = text;
        while let [byte, after @ ..] = rest.bytes {
            rest = match (byte, after) {
                (b'$', [b'{', ..]) => variable(rest, &mut parts)?,
                (b'\\', [next, ..]) => {
                    // `\$` is a dollar sign, whatever follows.
                    parts.byte(*byte);
                    parts.byte(*next);
                    rest.skip(2)
                }
                _ => {
                    parts.byte(*byte);
                    rest.skip(1)
                }
            };
        }
        let pattern = Pattern { source: parts.template() };
        pattern.check(text.column, scope)?;
        Ok(pattern)
    }

    /// The same pattern with `^` and `$` for each line, whatever it is looked for in.
    pub fn of_lines(&self) -> Pattern {
        const LINES: &[u8] = b"(?m)";
        let mut parts = self.source.parts.clone();
        match parts.first_mut() {
            Some(Part::Bytes(bytes)) => drop(bytes.splice(..0, LINES.iter().copied())),
            _ => parts.insert(0, Part::Bytes(LINES.to_vec())),
        }
        Pattern { source: Template { parts } }
    }

    /// Makes a regular expression of it. The error says why it is none, in one line.
    pub fn compile(&self, variables: &BTreeMap<String, Vec<u8>>) -> Result<Regex, String> {
        let source = self.filled(|name, source| {
            let value = value(name, variables).map_err(|missing| missing.to_string())?;
            source.push_str("(?:");
            quote(&value, source);
            source.push(')');
            Ok(())
        })?;
        regex(&source)
    }

    /// The names of its groups, which become variables.
    pub fn captures(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.source.parts {
            let Part::Bytes(bytes) = part else { continue };
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            names.extend(text.split("(?").skip(1).filter_map(|group| {
                let name = group.strip_prefix("P<").or_else(|| group.strip_prefix('<'))?;
                name.split_once('>').map(|(name, _)| name)
            }));
        }
        names
    }

    fn check(&self, column: usize, scope: Scope) -> Result<(), Slip> {
        if self.source.is_empty() {
            return Err(Slip::new("a regular expression is missing").hint("'.*' fits everything"));
        }
        // A group stands for each variable; where it is none, it was taken for single characters.
        let mut count = 0;
        let source = self
            .filled(|_, source| {
                count += 1;
                // Writing to a string cannot fail.
                let _ = write!(source, "(?<_variable_{count}_>a)");
                Ok(())
            })
            .map_err(Slip::new)?;
        let structure = regex_syntax::ParserBuilder::new().utf8(false).build().parse(&source);
        let structure = structure.map_err(|error| reason(&error, (count == 0).then_some(column)))?;
        if scope == Scope::Raw && structure.properties().minimum_len() == Some(0) {
            let slip = Slip::new("this regular expression fits nothing at all, so it would fit at once");
            return Err(slip.hint("a regular expression over raw bytes has to ask for one at least"));
        }
        if count == 0 && source.len() < SHORT && !source.contains('{') {
            return Ok(());
        }
        let compiled = regex(&source).map_err(Slip::new)?;
        let names = compiled.capture_names().flatten().filter(|name| name.starts_with("_variable_"));
        match names.count() == count {
            true => Ok(()),
            false => Err(Slip::new("a variable cannot stand within [ ] or in a comment")
                .hint("it stands for its whole text; single characters are written out")),
        }
    }

    fn filled(
        &self,
        mut fill: impl FnMut(&str, &mut String) -> Result<(), String>,
    ) -> Result<String, String> {
        let mut source = String::new();
        for part in &self.source.parts {
            match part {
                Part::Bytes(bytes) => source.push_str(&String::from_utf8_lossy(bytes)),
                Part::Variable(name) => fill(name, &mut source)?,
            }
        }
        Ok(source)
    }
}

fn regex(source: &str) -> Result<Regex, String> {
    Regex::new(source).map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("this regular expression is too big: compiled it takes more than {} MiB", limit >> 20)
        }
        error => format!("no regular expression: {}", last_line(&error.to_string())),
    })
}

/// Where several lines explain a regular expression, the last says why it is none.
fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

fn reason(error: &regex_syntax::Error, column: Option<usize>) -> Slip {
    let (why, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span()),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span()),
        error => return Slip::new(format!("no regular expression: {}", last_line(&error.to_string()))),
    };
    let place = column.map(|column| format!(" at column {}", column + span.start.column - 1));
    Slip::new(format!("no regular expression{}: {why}", place.unwrap_or_default()))
}

/// Appends a pattern that fits `value` and nothing else, under any flags.
fn quote(value: &[u8], source: &mut String) {
    for chunk in value.utf8_chunks() {
        for letter in chunk.valid().chars() {
            // Writing to a string cannot fail.
            let _ = match letter {
                letter if letter.is_ascii_alphanumeric() => write!(source, "{letter}"),
                letter if letter.is_ascii() => write!(source, "\\x{:02x}", u32::from(letter)),
                letter => write!(source, "(?u:\\u{{{:x}}})", u32::from(letter)),
            };
        }
        for byte in chunk.invalid() {
            let _ = write!(source, "(?-u:\\x{byte:02x})");
        }
    }
}
