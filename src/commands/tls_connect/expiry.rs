//! `--expires-in`: whether what the server has shown is good for long enough.

use std::time::{Duration, SystemTime};

use super::call::Course;
use crate::certificate::Facts;
use crate::error::{Exit, Failure};

/// Fails with status 3 for the certificate that expires first, if that is within this time.
pub fn check(course: &Course, within: Duration, peer: &str) -> Result<(), Failure> {
    let sights = course.journey.sights();
    let Some((seen, terms)) = &sights.handshake else { return Ok(()) };
    let now = terms.at.unwrap_or_else(SystemTime::now);
    let chain = seen.chain.iter().enumerate();
    let first = chain.filter_map(|(depth, der)| Facts::of(der, depth, now).ok());
    match first.min_by_key(|facts| facts.seconds_left) {
        Some(facts) if facts.seconds_left < i64::try_from(within.as_secs()).unwrap_or(i64::MAX) => {
            Err(failure(&facts, peer))
        }
        _ => Ok(()),
    }
}

fn failure(facts: &Facts, peer: &str) -> Failure {
    let whose = match facts.depth {
        0 => format!("certificate of {peer}"),
        depth => format!("certificate {depth} in the chain of {peer}, '{}'", facts.subject),
    };
    let when = match (facts.seconds_left, facts.days_left) {
        (left, _) if left < 0 => format!("has expired on {}", facts.not_after),
        (_, 0) => format!("expires on {}, within a day", facts.not_after),
        (_, 1) => format!("expires on {}, in 1 day", facts.not_after),
        (_, days) => format!("expires on {}, in {days} days", facts.not_after),
    };
    Failure::new(Exit::EXPIRING, whose, format!("it {when}"))
}
