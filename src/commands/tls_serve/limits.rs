//! How many connections are served, and what holds for them where nothing is said.

use std::time::Duration;

use super::target::Target;
use crate::address::{Address, Key, Value};
use crate::commands::flags::{StreamEndArgs, TimeArgs};
use crate::relay::{Finish, Limits};

/// Connections at once.
const MAX_CONNS: i64 = 256;
/// Silence that ends a connection.
const IDLE: Duration = Duration::from_secs(600);

/// How many connections are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// One, whose end is ours.
    One,
    /// One after the other, over stdin and stdout.
    Sequence,
    /// All at once.
    Many,
}

/// How many connections are served.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub struct LimitArgs {
    /// Serve one connection, then end as it has ended (over stdin and stdout always). A handshake that fails
    /// does not count
    #[arg(long, conflicts_with_all = ["max_total", "keep"])]
    once: bool,
    /// Over stdin and stdout: serve one connection after the other for ever
    #[arg(short = 'k', long)]
    keep: bool,
}

impl LimitArgs {
    /// How many are meant; `count` is that of `--count`.
    pub fn number(self, target: &Target, count: Option<u64>) -> Number {
        match target {
            _ if self.once || count == Some(1) => Number::One,
            Target::Stdio if count.is_some() || self.keep => Number::Sequence,
            Target::Stdio => Number::One,
            _ => Number::Many,
        }
    }
}

/// Fills in what holds where nothing is said.
pub fn apply(address: &mut Address, number: Number) {
    for end in address.ends() {
        if !end.options.has(Key::MaxConns) {
            end.options.push(Key::MaxConns, Value::Number(MAX_CONNS));
        }
        // Whoever comes once has no use for a ticket, and may be gone before it is sent.
        if number == Number::One && !end.options.has(Key::Tickets) {
            end.options.push(Key::Tickets, Value::Number(0));
        }
    }
}

/// The limits of one connection.
pub fn of_session(time: TimeArgs, ends: StreamEndArgs, finish: Finish, grace: Duration) -> Limits {
    let limits = time.apply(Limits {
        finish: ends.finish(finish),
        idle: Some(IDLE),
        half_closed: ends.quit_after,
        half_closed_is_fine: ends.quit_after.is_some(),
        grace,
        ..Limits::default()
    });
    Limits { idle: limits.idle.filter(|idle| !idle.is_zero()), ..limits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_limited_where_nothing_is_said() {
        let limits =
            of_session(TimeArgs::default(), StreamEndArgs::default(), Finish::BothEnd, Duration::ZERO);
        assert_eq!(limits.idle, Some(IDLE));
    }
}
