//! `spile chat`.

#[path = "../harness/mod.rs"]
mod harness;

mod adversity;
mod client;
mod expect;
mod faults;
mod formats;
mod library;
mod mock;
mod programs;
mod record;
mod splits;
mod tls;
