//! `spile tls-connect` and `spile tls-serve`, and TLS addresses.

#[path = "../harness/mod.rs"]
mod harness;

mod connect;
mod cpython;
mod crowds;
mod examples;
mod examples_server;
mod interop;
mod last_words;
mod limits;
mod options;
mod relay;
mod resumption;
mod rules_client;
mod rules_mutual;
mod rules_server;
mod serve;
mod staples;
mod starttls;
mod testssl;
mod verdicts;
