//! Typed option values.

use std::time::Duration;

/// The value of one option; its kind is fixed by the option's row in the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `key`, `key=yes`, `key=no` (also 1/0, true/false, on/off).
    Flag(bool),
    /// `500ms`, `5s`, `2m`, `1h`; a bare number is seconds.
    Time(Duration),
    /// Bytes: `64KiB`, `1M`, `4096`.
    Size(u64),
    /// A decimal or 0x number.
    Number(i64),
    /// Octal permission bits.
    Mode(u32),
    /// Any text: a host, an interface, a path, one of a few words.
    Text(String),
}
