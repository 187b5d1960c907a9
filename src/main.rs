//! argv in, exit status out; nothing else lives here.

mod address;
mod cli;
mod commands;
mod endpoint;
mod error;
#[cfg(test)]
mod generated;
mod names;
mod process;
mod relay;
mod report;
mod server;
mod signal;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
