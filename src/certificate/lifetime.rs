//! From when to when a certificate or a revocation list is good.

use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use crate::error::Failure;

/// The years that X.509 can write, less those that nobody means.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;
/// A certificate is good from an hour ago: clocks differ.
const HEAD_START: Duration = Duration::HOUR;

/// A moment as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// RFC 3339, or a date alone: midnight UTC.
    At(OffsetDateTime),
    /// `-10d`, `+1h`: so long from now; `now` is 0.
    FromNow(Duration),
}

impl Moment {
    /// Reads a moment.
    pub fn parse(text: &str) -> Result<Moment, String> {
        let bad = || {
            format!(
                "'{}' is no time; for example 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now",
                super::escaped(text)
            )
        };
        if text == "now" {
            return Ok(Moment::FromNow(Duration::ZERO));
        }
        if let Some(distance) = text.strip_prefix(['+', '-']) {
            let distance = Duration::try_from(crate::address::duration(distance)?).map_err(|_| bad())?;
            return Ok(Moment::FromNow(if text.starts_with('-') { -distance } else { distance }));
        }
        let date =
            time::format_description::parse_borrowed::<2>("[year]-[month]-[day]").map_err(|_| bad())?;
        let midnight = || Date::parse(text, &date).map(|date| date.midnight().assume_utc());
        OffsetDateTime::parse(text, &Rfc3339).or_else(|_| midnight()).map(Moment::At).map_err(|_| bad())
    }

    /// When that is, to the second, in UTC.
    pub fn on(self, now: OffsetDateTime) -> Result<OffsetDateTime, Failure> {
        writable(match self {
            Moment::At(time) => time.checked_to_offset(UtcOffset::UTC),
            Moment::FromNow(distance) => now.checked_add(distance),
        })
    }
}

/// A time that X.509 can write; none is one that is beyond even that.
fn writable(time: Option<OffsetDateTime>) -> Result<OffsetDateTime, Failure> {
    let time = time.filter(|time| YEARS.contains(&time.year()));
    let time = time.and_then(|time| time.replace_nanosecond(0).ok());
    time.ok_or_else(|| Failure::usage("a time", "is outside of the years 1900 to 9999"))
}

/// A lifetime as it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lifetime {
    /// So many days from now on.
    pub days: Option<u32>,
    /// Good from then on.
    pub not_before: Option<Moment>,
    /// Good until then.
    pub not_after: Option<Moment>,
}

/// A lifetime, settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: OffsetDateTime,
    /// The last second.
    pub until: OffsetDateTime,
}

impl Lifetime {
    /// What is not asked for: from an hour ago (or a day before an end that has passed), for `days`.
    pub fn settle(&self, days: u32, now: OffsetDateTime) -> Result<Validity, Failure> {
        let typed = |moment: Option<Moment>| moment.map(|moment| moment.on(now)).transpose();
        let (from, until) = (typed(self.not_before)?, typed(self.not_after)?);
        let days = Duration::days(self.days.unwrap_or(days).into());
        let until = match until {
            Some(until) => until,
            None => writable(from.unwrap_or(now).checked_add(days))?,
        };
        let from = match from {
            Some(from) => from,
            None => writable(Some((now - HEAD_START).min(until - Duration::DAY)))?,
        };
        match from < until {
            true => Ok(Validity { from, until }),
            false => Err(Failure::usage("a certificate that ends before it begins", "is good for nothing")
                .hint("--not-before and --not-after say from when to when, --days for how long")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).unwrap()
    }

    #[test]
    fn moments_are_read() {
        let now = at("2026-11-22T12:00:00.5Z");
        for (text, moment) in [
            ("now", "2026-11-22T12:00:00Z"),
            ("-10d", "2026-11-12T12:00:00Z"),
            ("+1h", "2026-11-22T13:00:00Z"),
            ("2027-01-01", "2027-01-01T00:00:00Z"),
            ("2027-01-01T02:00:00+02:00", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(Moment::parse(text).unwrap().on(now).unwrap(), at(moment), "{text}");
        }
        for text in ["", "+", "tomorrow", "10d", "2027-13-01", "2027-01-01T00:00:00", "-x"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
        assert!(Moment::At(at("0001-01-01T00:00:00Z")).on(now).is_err());
    }

    #[test]
    fn what_is_not_asked_for_is_sensible() {
        let now = at("2026-11-22T12:00:00Z");
        let settle = |days, from: Option<&str>, until: Option<&str>| {
            let moment = |text: Option<&str>| text.map(|text| Moment::parse(text).unwrap());
            Lifetime { days, not_before: moment(from), not_after: moment(until) }.settle(30, now)
        };
        let spans = |from, until| Validity { from: at(from), until: at(until) };
        assert_eq!(settle(None, None, None).unwrap(), spans("2026-11-22T11:00:00Z", "2026-12-22T12:00:00Z"));
        assert_eq!(
            settle(Some(2), Some("-10d"), None).unwrap(),
            spans("2026-11-12T12:00:00Z", "2026-11-14T12:00:00Z")
        );
        assert_eq!(
            settle(None, None, Some("-1d")).unwrap(),
            spans("2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z")
        );
        assert!(settle(None, Some("+1d"), Some("-1d")).is_err());
        assert!(settle(Some(u32::MAX), None, None).is_err());
    }
}
