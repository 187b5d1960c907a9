//! Children: starting one with given ends, learning that it ended, ending it with its whole process group.

mod child;
mod inherited;

pub use child::{Child, ChildStatus, Program, Stdio3, Terminal};
pub use inherited::{raise_open_files, seal_inherited};
