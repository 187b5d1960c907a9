//! argv in, exit status out; nothing else lives here.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

mod address;
mod cli;
mod commands;
mod endpoint;
mod error;
mod event_loop;
mod flow;
#[cfg(test)]
mod generated;
mod names;
mod pipeline;
mod process;
mod relay;
mod report;
mod server;
mod services;
mod signal;
mod streams;
mod supervise;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
