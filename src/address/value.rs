//! Typed option values: reading and printing them.

use std::fmt;
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

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(true) => f.write_str("yes"),
            Value::Flag(false) => f.write_str("no"),
            Value::Time(time) => f.write_str(&print_duration(*time)),
            Value::Size(size) => size.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Mode(mode) => write!(f, "{mode:o}"),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// A hundred years: more cannot be added to a clock's reading without overflow, and nobody waits for it.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Splits `12.5ms` into its number and its unit.
fn number_and_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// Reads a duration: `500ms`, `5s`, `2m`, `1h`, `1.5s`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is no duration; for example 500ms, 5s, 2m, 1h");
    let (number, unit) = number_and_unit(text);
    let nanos: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "" | "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return Err(bad()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || number == "." || fraction.contains('.') || fraction.len() > 9 {
        return Err(bad());
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
    let part: u64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| bad())? };
    let scale = 10_u64.pow(fraction.len() as u32);
    let part = u128::from(part) * u128::from(nanos) / u128::from(scale);
    let total = u128::from(whole) * u128::from(nanos) + part;
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| bad())?;
    let time = Duration::new(seconds, (total % 1_000_000_000) as u32);
    match time > LONGEST {
        true => Err(format!("'{text}' is longer than 100 years")),
        false => Ok(time),
    }
}

/// Writes a duration so that `duration` reads the same.
pub fn print_duration(time: Duration) -> String {
    let (seconds, nanos) = (time.as_secs(), time.subsec_nanos());
    match nanos {
        0 => format!("{seconds}s"),
        n if n % 1_000_000 == 0 && seconds < 1_000_000 => format!("{}ms", time.as_millis()),
        _ => format!("{seconds}.{nanos:09}s"),
    }
}

/// Reads a size: `4096`, `64K`, `64KiB`, `1M`; K, M, G are powers of 1024, kB, MB, GB of 1000.
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("'{text}' is no size; for example 4096, 64K, 1MiB");
    let (number, unit) = number_and_unit(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        "t" | "T" | "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(factor).ok_or_else(bad)
}

/// Reads yes or no.
pub fn flag(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "1" | "true" | "on" => Ok(true),
        "no" | "0" | "false" | "off" => Ok(false),
        _ => Err(format!("'{text}' is neither yes nor no")),
    }
}

/// Reads a decimal or 0x number.
pub fn number(text: &str) -> Result<i64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("'{text}' is no number"))
}

/// Reads how often to try again: a number, or `forever`, which is the largest.
pub fn tries(text: &str) -> Result<i64, String> {
    match text {
        "forever" => Ok(i64::MAX),
        text => number(text)
            .ok()
            .filter(|n| *n >= 0)
            .ok_or_else(|| format!("'{text}' is neither a number of tries nor 'forever'")),
    }
}

/// Reads octal permission bits.
pub fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err(format!("'{text}' is no octal mode; for example 600")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            ".",
            "s",
            "5x",
            "-1s",
            "1.2.3",
            "99999999999999999999h",
            "5 s",
            "1e3",
            "18446744073709551615",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("1M"), Ok(1 << 20));
        assert_eq!(size("2kB"), Ok(2000));
        for bad in ["", "K", "1.5M", "99999999999T", "-1", "5x"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
