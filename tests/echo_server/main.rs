//! `spile echo-server`.

#[path = "../harness/mod.rs"]
mod harness;

mod faults;
mod http;
mod http_rules;
mod load;
mod rules;
mod services;
