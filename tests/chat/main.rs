//! `spile chat`.

#[path = "../harness/mod.rs"]
mod harness;

mod adversity;
mod client;
mod expect;
mod faults;
mod formats;
mod library;
mod messages;
mod mock;
mod programs;
mod readers;
mod record;
mod secrets;
mod splits;
mod tls;
