//! One file per subcommand: what can be typed (`Args`) and what is then done (`run`).

mod causes;
pub mod cert;
pub mod chat;
pub mod connect;
mod dial;
pub mod echo_server;
mod flags;
pub mod listen;
pub mod log;
pub mod nc_letters;
mod opening;
mod outcome;
mod own_key;
pub mod pipe;
mod probe;
mod progress;
mod reading;
pub mod relay;
pub mod resolve;
pub mod run;
mod runtime;
mod service;
mod shape;
pub mod stdout;
mod taps;
pub mod tls_connect;
mod tls_report;
pub mod tls_serve;
pub mod trap;
pub mod wait;
mod words;

use crate::error::{Exit, Failure};

/// In whose name a subcommand speaks: its own, or that of `run` or `pipe` where they have started it to move bytes
/// to an address, which our own name then tells.
pub fn speaker(own: &'static str) -> &'static str {
    let name = std::env::args_os().next().unwrap_or_default();
    let callers = [run::Args::NAME, pipe::Args::NAME];
    callers.into_iter().find(|caller| name == *format!("spile {caller}")).unwrap_or(own)
}

/// A subcommand.
pub trait Subcommand: clap::Args + clap::FromArgMatches {
    /// What is typed.
    const NAME: &'static str;
    /// What it is, in one line.
    const ABOUT: &'static str;
    /// What opens its long help.
    const EXAMPLES: &'static str;
    /// The status for words that cannot be understood; 125 where 2 belongs to the program that is run.
    const USAGE: Exit = Exit::USAGE;
    /// Whether its words are addresses; if not, they are left as they are typed.
    const TAKES_ADDRESSES: bool = true;
    /// The language that its files are written in, for its long help and its man page.
    const LANGUAGE: Option<&'static str> = None;

    /// Does it.
    fn run(self) -> Result<Exit, Failure>;
}
