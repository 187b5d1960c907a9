//! How long a mock server waits for clients and for the command that is one.

use std::time::Duration;

use crate::address::{Address, Key};

/// How long nobody may come where somebody is waited for, when not said otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same where a command runs, which may do other things than to connect.
const PATIENCE_WITH_COMMAND: Duration = Duration::from_secs(600);

/// How long a mock server may be without a conversation; none for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// It.
    pub limit: Option<Duration>,
    /// The flag that says so.
    pub flag: &'static str,
}

impl Patience {
    /// Clients have to come; the limit of the address is for each of them here.
    pub fn new(address: &mut Address, has_command: bool, deadline: Option<Duration>) -> Patience {
        let given = address.listener().and_then(|end| end.options.time(Key::AcceptTimeout));
        address.ends().into_iter().for_each(|end| end.options.forget(Key::AcceptTimeout));
        match has_command {
            false => Patience::accepting(given.unwrap_or(PATIENCE)),
            true => Patience::with_command(given, deadline),
        }
    }

    fn accepting(limit: Duration) -> Patience {
        Patience { limit: Some(limit).filter(|limit| !limit.is_zero()), flag: "--accept-timeout" }
    }

    /// The limit of a conversation is that of the command, too; where both limits are given, it is the shorter one.
    fn with_command(given: Option<Duration>, deadline: Option<Duration>) -> Patience {
        let accepting = given.map(Patience::accepting);
        match (deadline, accepting.and_then(|accepting| accepting.limit)) {
            (Some(deadline), limit) if limit.is_none_or(|limit| deadline <= limit) => {
                Patience { limit: Some(deadline), flag: "--deadline" }
            }
            _ => accepting.unwrap_or(Patience::accepting(PATIENCE_WITH_COMMAND)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_shorter_limit_and_ten_minutes_without_one() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (given, deadline, limit, flag) in [
            (None, None, seconds(600), "--accept-timeout"),
            (None, seconds(3600), seconds(3600), "--deadline"),
            (seconds(5), None, seconds(5), "--accept-timeout"),
            (seconds(5), seconds(7), seconds(5), "--accept-timeout"),
            (seconds(7), seconds(5), seconds(5), "--deadline"),
            (seconds(0), seconds(5), seconds(5), "--deadline"),
            (seconds(0), None, None, "--accept-timeout"),
        ] {
            assert_eq!(
                Patience::with_command(given, deadline),
                Patience { limit, flag },
                "{given:?} {deadline:?}"
            );
        }
    }
}
