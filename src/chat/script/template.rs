//! Texts and patterns with variables in them: filled in.

use std::collections::BTreeMap;
use std::fmt;

use regex::bytes::Regex;

use super::{Part, Pattern, Template};

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

impl Template {
    /// A text without variables.
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Template {
        let bytes = bytes.into();
        Template { parts: if bytes.is_empty() { Vec::new() } else { vec![Part::Bytes(bytes)] } }
    }

    /// Its bytes, if it has no variables.
    pub fn as_plain(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Bytes(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Its bytes. What the environment holds is found under `env:NAME`.
    pub fn render(&self, variables: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Missing> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(text) => bytes.extend_from_slice(text),
                Part::Variable(name) => {
                    bytes.extend_from_slice(variables.get(name).ok_or_else(|| Missing(name.clone()))?);
                }
            }
        }
        Ok(bytes)
    }
}

impl Pattern {
    /// Makes a regular expression of it. The error says why it is none, in one line.
    pub fn compile(&self, variables: &BTreeMap<String, Vec<u8>>) -> Result<Regex, String> {
        let mut source = String::new();
        for part in &self.source.parts {
            match part {
                Part::Bytes(text) => source.push_str(&String::from_utf8_lossy(text)),
                Part::Variable(name) => {
                    let value = variables.get(name).ok_or_else(|| Missing(name.clone()).to_string())?;
                    source.push_str(&regex::escape(&String::from_utf8_lossy(value)));
                }
            }
        }
        Regex::new(&source).map_err(|error| error.to_string())
    }
}
