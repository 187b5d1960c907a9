//! `spile run`.

#[path = "../harness/mod.rs"]
mod harness;

mod capture;
mod endings;
mod examples;
mod limits;
mod pty;
mod report;
mod retries;
mod services;
mod signals;
mod status;
mod streams;
mod surroundings;
mod terminal;
