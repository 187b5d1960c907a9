//! What went wrong, as a person reads it and as a script reads it: one `Failure`, one exit status.

use std::fmt;

/// An exit status; the meaning of each number is fixed for every subcommand (README, "Exit status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Done; nothing lost.
    pub const OK: Exit = Exit(0);
    /// Anything that has no number of its own.
    pub const FAILURE: Exit = Exit(1);
    /// The command line or an address cannot be read.
    pub const USAGE: Exit = Exit(2);
    /// A certificate expires within the window that was asked for.
    pub const EXPIRING: Exit = Exit(3);
    /// An expectation was not met.
    pub const UNEXPECTED: Exit = Exit(4);
    /// A name could not be resolved (curl's number).
    pub const RESOLVE: Exit = Exit(6);
    /// Could not connect or bind (curl's number).
    pub const CONNECT: Exit = Exit(7);
    /// The stream was cut: a reset, or bytes that could not be delivered (curl's number).
    pub const TRUNCATED: Exit = Exit(18);
    /// TLS could not be agreed on, or the peer does not speak it (curl's number).
    pub const HANDSHAKE: Exit = Exit(35);
    /// One's own certificate or key is of no use (curl's number).
    pub const OWN_CERTIFICATE: Exit = Exit(58);
    /// A certificate is not trusted (curl's number).
    pub const UNTRUSTED: Exit = Exit(60);
    /// The certificates to be trusted, or revocation lists, cannot be read (curl's number).
    pub const AUTHORITY: Exit = Exit(77);
    /// The peer's key is none of those that are pinned (curl's number).
    pub const PIN: Exit = Exit(90);
    /// A stapled OCSP response is of no use (curl's number).
    pub const STAPLE: Exit = Exit(91);
    /// A time limit that spile was given has run out (timeout(1)'s number).
    pub const TIMEOUT: Exit = Exit(124);
    /// A program was found but cannot be run (POSIX shell's number).
    pub const CANNOT_RUN: Exit = Exit(126);
    /// A program was not found (POSIX shell's number).
    pub const NOT_FOUND: Exit = Exit(127);
    /// stdout was closed by its reader; what a death by SIGPIPE looks like to a shell.
    pub const PIPE: Exit = Exit(141);

    /// The first of several that is not 0.
    pub fn or(self, next: Exit) -> Exit {
        if self == Exit::OK { next } else { self }
    }

    /// The status a shell reports for a death by `signal`.
    pub fn from_signal(signal: i32) -> Exit {
        Exit(u8::try_from(128 + signal).unwrap_or(u8::MAX))
    }
}

/// What failed, why, what a person could do about it, and the status to exit with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit status that stands for this failure.
    pub exit: Exit,
    /// What was being done, without the reason: `cannot connect to localhost:80`.
    pub what: String,
    /// The reason in words; empty where `what` says it all.
    pub why: String,
    /// What a person could try next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with the given status; `why` may be an error or a sentence.
    pub fn new(exit: Exit, what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure { exit, what: what.into(), why: plain(&why.to_string()), hint: None }
    }

    /// The words typed cannot be understood (status 2), in one sentence: `option 'x'` + `is unknown`.
    pub fn usage(word: impl Into<String>, why: impl fmt::Display) -> Failure {
        let sentence = format!("{} {why}", word.into());
        Failure::new(Exit::USAGE, sentence.trim_end(), "")
    }

    /// The same where the reason is a sentence of its own: `option 'retry'` + `'x' is no number`.
    pub fn misuse(what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure::new(Exit::USAGE, what, why)
    }

    /// Could not connect or bind (status 7).
    pub fn connect(what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure::new(Exit::CONNECT, what, why)
    }

    /// A name could not be resolved (status 6).
    pub fn resolve(what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure::new(Exit::RESOLVE, what, why)
    }

    /// A time limit ran out (status 124).
    pub fn timeout(what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure::new(Exit::TIMEOUT, what, why)
    }

    /// A failure without a number of its own (status 1).
    pub fn other(what: impl Into<String>, why: impl fmt::Display) -> Failure {
        Failure::new(Exit::FAILURE, what, why)
    }

    /// Adds what a person could try.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{}: {}", self.what, self.why),
        }
    }
}

impl std::error::Error for Failure {}

/// Rust's text of an OS error without its ` (os error N)` tail, which helps nobody.
pub fn plain(text: &str) -> String {
    match text.find(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_errors_read_as_words() {
        let error = std::io::Error::from_raw_os_error(111);
        assert_eq!(
            Failure::connect("cannot connect", error).to_string(),
            "cannot connect: Connection refused"
        );
    }
}
