//! argv in, exit status out; nothing else lives here.

#![warn(missing_docs)]
#![cfg_attr(all(target_env = "gnu", not(test)), no_main)]
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
mod certificate;
mod chat;
mod cli;
mod commands;
mod echo;
mod endpoint;
mod error;
mod event_loop;
mod flow;
#[cfg(test)]
mod generated;
mod names;
mod pipeline;
mod pool;
mod process;
mod reaction;
mod relay;
mod report;
mod server;
mod services;
mod signal;
mod starttls;
mod streams;
mod suggest;
mod supervise;
mod tls;

/// Called by the C library, in the place of Rust's start-up code: that looks for its stack in /proc/self/maps first,
/// a twentieth of the time in which `spile run` starts a program.
#[cfg(all(target_env = "gnu", not(test)))]
#[unsafe(no_mangle)]
extern "C" fn main() -> std::ffi::c_int {
    std::process::exit(start().into())
}

/// Where the C library does not hand the command line to Rust by itself.
#[cfg(any(not(target_env = "gnu"), test))]
fn main() -> std::process::ExitCode {
    start().into()
}

/// What Rust's start-up code does for us otherwise, then the work. Answers the exit status.
fn start() -> u8 {
    signal::ignore_broken_pipes();
    process::fill_standard_streams();
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    names::keep_to_built_in_sources();
    cli::main().0
}
