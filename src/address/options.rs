//! The options of one end, and the typed questions that opening code asks of them.

use std::time::Duration;

use super::Value;
pub use super::key::Key;

/// Options in the order given; a key given twice keeps both (`sockopt=` may repeat), the last one wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    given: Vec<(Key, Value)>,
}

impl Options {
    /// Adds one option; later ones win.
    pub fn push(&mut self, key: Key, value: Value) {
        self.given.push((key, value));
    }

    /// Adds several.
    pub fn extend(&mut self, more: impl IntoIterator<Item = (Key, Value)>) {
        self.given.extend(more);
    }

    /// As if `key` had not been given.
    pub fn forget(&mut self, key: Key) {
        self.given.retain(|(given, _)| *given != key);
    }

    /// All options in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Value)> {
        self.given.iter().map(|(key, value)| (*key, value))
    }

    /// True when nothing was given.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    fn last(&self, key: Key) -> Option<&Value> {
        self.given.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// True when `key` was given at all.
    pub fn has(&self, key: Key) -> bool {
        self.last(key).is_some()
    }

    /// A yes/no option; `None` when not given.
    pub fn flag(&self, key: Key) -> Option<bool> {
        match self.last(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A duration.
    pub fn time(&self, key: Key) -> Option<Duration> {
        match self.last(key) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// A size in bytes.
    pub fn size(&self, key: Key) -> Option<u64> {
        match self.last(key) {
            Some(Value::Size(size)) => Some(*size),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&self, key: Key) -> Option<i64> {
        match self.last(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Permission bits.
    pub fn mode(&self, key: Key) -> Option<u32> {
        match self.last(key) {
            Some(Value::Mode(mode)) => Some(*mode),
            _ => None,
        }
    }

    /// Text.
    pub fn text(&self, key: Key) -> Option<&str> {
        match self.last(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Every value of a text option that may repeat.
    pub fn texts(&self, key: Key) -> impl Iterator<Item = &str> {
        self.given.iter().filter_map(move |(k, value)| match value {
            Value::Text(text) if *k == key => Some(text.as_str()),
            _ => None,
        })
    }
}
impl Options {
    /// These options under `own`: what is said in an address wins over what is said by a flag.
    pub fn under(&self, own: &Options) -> Options {
        let given = self.given.iter().chain(&own.given).cloned().collect();
        Options { given }
    }
}
