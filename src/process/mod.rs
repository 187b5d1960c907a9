//! Children: what is to run and how, starting it, learning that it ended, ending it with all its descendants.

mod child;
mod end_of_input;
mod failure;
mod inherited;
pub mod limit;
mod lookup;
mod memory;
mod plan;
mod proc;
mod program;
pub mod pty;
mod secret;
mod spawn;
mod status;
mod sys;
pub mod terminal;
mod transfer;
pub mod tree;
pub mod words;

pub use child::{Child, ChildStatus, end_left_behind};
pub use end_of_input::EndOfInput;
pub use failure::SpawnError;
pub use inherited::{descriptor, fill_standard_streams, raise_open_files, seal_inherited, take_descriptor};
pub use lookup::lookup;
pub use memory::release_start;
pub use program::{
    Base, Change, Ends, Environment, Group, Identity, Inherits, Limit, Program, SignalBase, Signals,
};
pub use secret::keep_memory_secret;
pub use spawn::{Started, candidates, spawn};
pub use status::{Change as StateChange, Status, Usage};
pub use sys::{Waited, has_children, next_to_tell, wait_any, wait_for};
pub use transfer::Transfer;
