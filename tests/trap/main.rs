//! `spile trap`.

#[path = "../harness/mod.rs"]
mod harness;

mod actions;
mod ask;
mod ends;
mod faults;
mod group;
mod init;
mod proc;
mod send;
mod stalled;
mod storm;
mod terminal;
mod told;
