//! Trying again: how often, for how long, with which pauses.

use std::time::{Duration, Instant};

use crate::address::{Address, End, Key};
use crate::error::{Exit, Failure};
use crate::event_loop::{sleep, timeout};

/// First pause between two tries.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Longest pause that doubling leads to.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// How patiently something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Further tries after the first; `None` with neither this nor `time` is a single try.
    pub tries: Option<u64>,
    /// Try until this much time has passed.
    pub time: Option<Duration>,
    /// First pause.
    pub delay: Option<Duration>,
    /// The flag that set `time`, for the message when it is over.
    pub flag: &'static str,
}

impl Patience {
    /// True for a single try.
    pub fn is_none(&self) -> bool {
        self.tries.is_none() && self.time.is_none()
    }

    /// A single try.
    const NONE: Patience = Patience { tries: None, time: None, delay: None, flag: "--retry-for" };

    /// What the options of an address ask for; where two are joined, each half sees to its own.
    pub fn of(address: &Address) -> Patience {
        match address {
            Address::One(end) => Patience::of_end(end),
            Address::Dual(..) => Patience::NONE,
        }
    }

    /// What the options of one end ask for.
    pub fn of_end(end: &End) -> Patience {
        let options = &end.options;
        let tries = match options.flag(Key::Forever) {
            Some(true) => Some(u64::MAX),
            _ => options.number(Key::Retry).and_then(|n| u64::try_from(n).ok()),
        };
        Patience {
            tries,
            time: options.time(Key::RetryFor),
            delay: options.time(Key::RetryDelay),
            ..Patience::NONE
        }
    }
}

/// True for what no further try will change: words that cannot be understood, our own files, and a verdict on who
/// the peer is, or of the peer on who we are.
fn is_final(exit: Exit) -> bool {
    let of_files = matches!(exit, Exit::USAGE | Exit::OWN_CERTIFICATE | Exit::AUTHORITY);
    of_files || matches!(exit, Exit::UNTRUSTED | Exit::PIN | Exit::STAPLE)
}

/// Runs `attempt` to reach `name` until it succeeds or patience ends; what is final is never tried again.
pub async fn persist<T, F>(
    patience: Patience,
    name: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let until = patience.time.map(|time| (Instant::now() + time, time));
    let mut tries_left = patience.tries.unwrap_or(if until.is_some() { u64::MAX } else { 0 });
    let mut delay = patience.delay.unwrap_or(FIRST_DELAY);
    let mut last: Option<Failure> = None;
    loop {
        let left = until.map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let result = match left {
            Some(left) => timeout(left, attempt()).await,
            None => Ok(attempt().await),
        };
        let failure = match (result, until) {
            (Ok(Ok(value)), _) => return Ok(value),
            (Ok(Err(failure)), _) if is_final(failure.exit) || tries_left == 0 => return Err(failure),
            (Ok(Err(failure)), _) => failure,
            (Err(_), Some((_, time))) => return Err(spent(name, last, time, patience.flag)),
            (Err(_), None) => Failure::timeout(format!("cannot connect to {name}"), "no answer"),
        };
        // A try that had no time at all knows less than the one before it.
        let failure = match (last.take(), left) {
            (Some(before), Some(Duration::ZERO)) => before,
            _ => failure,
        };
        let left = until.map(|(at, _)| at.saturating_duration_since(Instant::now()));
        if let (Some(Duration::ZERO), Some((_, time))) = (left, until) {
            return Err(spent(name, Some(failure), time, patience.flag));
        }
        last = Some(failure);
        tries_left = tries_left.saturating_sub(1);
        sleep(left.map_or(delay, |left| delay.min(left))).await;
        delay = (delay * 2).min(LONGEST_DELAY.max(delay));
    }
}

fn spent(name: &str, last: Option<Failure>, time: Duration, flag: &str) -> Failure {
    match last {
        Some(last) => Failure {
            // An answer that was not the expected one stays that; being late is not the point.
            exit: if last.exit == Exit::UNEXPECTED { last.exit } else { Exit::TIMEOUT },
            why: match time.is_zero() {
                true => format!("{} (tried once, {flag} 0)", last.why),
                false => format!("{} (still so after {time:?}, {flag})", last.why),
            },
            ..last
        },
        None if time.is_zero() => {
            Failure::timeout(format!("cannot connect to {name}"), format!("no answer at once ({flag} 0)"))
        }
        None => Failure::timeout(
            format!("cannot connect to {name}"),
            format!("no answer within {time:?} ({flag})"),
        ),
    }
}
