//! Certificates whose time is over or has not come.

use std::time::Duration;

use time::OffsetDateTime;
use x509_parser::prelude::X509Certificate;

use super::{Case, issuer, parse};
use crate::certificate::time_text;
use crate::tls::{Code, Refusal};

pub(super) fn expired(case: &Case<'_>) -> Refusal {
    let now = seconds(case);
    let over = |certificate: &X509Certificate<'_>| certificate.validity().not_after.timestamp() < now;
    let Some((depth, end)) = first(case, over, |certificate| certificate.validity().not_after.to_datetime())
    else {
        if let Some((name, end)) = issuer::expired(case) {
            let since = span(now - end.unix_timestamp());
            let message =
                format!("the trusted authority '{name}' itself expired on {}, {since} ago", time_text(end));
            return Refusal::new(Code::Expired, message)
                .hint("its new certificate must take the old one's place");
        }
        // webpki calls a validity that ends before it begins expired, too.
        return Refusal::new(Code::Expired, "certificate was never valid: it ends before it begins");
    };
    let message = format!(
        "{} expired on {}, {} ago",
        case.whose(depth),
        time_text(end),
        span(now - end.unix_timestamp())
    );
    Refusal::new(Code::Expired, message).hint(clock(case))
}

pub(super) fn not_yet(case: &Case<'_>) -> Refusal {
    let now = seconds(case);
    let early = |certificate: &X509Certificate<'_>| certificate.validity().not_before.timestamp() > now;
    let begin = first(case, early, |certificate| certificate.validity().not_before.to_datetime());
    let Some((depth, begin)) = begin else {
        return Refusal::new(Code::NotYetValid, "certificate is not valid yet");
    };
    let wait = span(begin.unix_timestamp() - now);
    let message = format!("{} is valid from {} on, in {wait}", case.whose(depth), time_text(begin));
    Refusal::new(Code::NotYetValid, message).hint(clock(case))
}

fn first(
    case: &Case<'_>,
    is_wrong: impl Fn(&X509Certificate<'_>) -> bool,
    time: impl Fn(&X509Certificate<'_>) -> OffsetDateTime,
) -> Option<(usize, OffsetDateTime)> {
    case.chain.iter().enumerate().find_map(|(depth, der)| {
        let certificate = parse(der)?;
        is_wrong(&certificate).then(|| (depth, time(&certificate)))
    })
}

pub(super) fn seconds(case: &Case<'_>) -> i64 {
    i64::try_from(case.now.as_secs()).unwrap_or(i64::MAX)
}

fn clock(case: &Case<'_>) -> String {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(case.now.as_secs().min(LAST_SECOND));
    format!("it was judged at {}; is that the time?", time_text(now))
}

/// The end of the year 9999, the last that RFC 3339 can write.
const LAST_SECOND: u64 = 253_402_300_799;

/// `3 days`, `5 hours`, `40 seconds`: the largest unit that is at least two, but for seconds.
pub(super) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    for (unit, length) in [("days", 86_400), ("hours", 3_600), ("minutes", 60)] {
        if seconds >= 2 * length {
            return format!("{} {unit}", seconds / length);
        }
    }
    match seconds {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}
