//! The manual's pages for people who come from Python's modules.

#[path = "../harness/mod.rs"]
mod harness;

mod asynchat;
mod asyncore;
mod popen2;
mod signal;
mod ssl;
mod subprocess;
