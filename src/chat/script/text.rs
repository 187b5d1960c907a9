//! A part of a line that knows its column.

use super::escape::shown;
use super::mistake::Slip;

/// A part of a line.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The column of its first byte, in characters from 1.
    pub column: usize,
}

impl<'a> Text<'a> {
    /// A line without the blanks before it and the CR of its end.
    pub fn line(bytes: &'a [u8]) -> Text<'a> {
        let end = bytes.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
        Text { bytes: &bytes[..end], column: 1 }.trim_start()
    }

    /// What follows the first `count` bytes.
    pub fn skip(self, count: usize) -> Text<'a> {
        let (before, bytes) = self.bytes.split_at(count);
        // Bytes that continue a character of UTF-8 have no column of their own.
        let width = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Text { bytes, column: self.column + width }
    }

    /// The first `count` bytes.
    pub fn until(self, count: usize) -> Text<'a> {
        Text { bytes: &self.bytes[..count], ..self }
    }

    /// The first word, and what follows the one space after it.
    pub fn split_word(self) -> (Text<'a>, Text<'a>) {
        match self.bytes.iter().position(|byte| *byte == b' ') {
            Some(at) => (self.until(at), self.skip(at + 1)),
            None => (self, self.skip(self.bytes.len())),
        }
    }

    fn trim_start(self) -> Text<'a> {
        self.skip(self.bytes.iter().take_while(|byte| is_blank(byte)).count())
    }

    /// Without the blanks around it.
    pub fn trim(self) -> Text<'a> {
        let end = self.bytes.iter().rposition(|byte| !is_blank(byte)).map_or(0, |at| at + 1);
        self.until(end).trim_start()
    }

    /// The one word that `whose` takes, if there is any.
    pub fn word(self, whose: &str) -> Result<Option<&'a str>, Slip> {
        let text = self.trim().bytes;
        if text.is_empty() {
            return Ok(None);
        }
        match std::str::from_utf8(text) {
            Ok(word) if !text.iter().any(is_blank) => Ok(Some(word)),
            _ => Err(Slip::new(format!("'{whose}' takes one word, not '{}'", shown(text)))),
        }
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
