//! Children: starting one with given ends, learning that it ended, ending it with its whole process group.

mod child;
mod inherited;
mod spawn;

pub use child::{Child, ChildStatus};
pub use inherited::{descriptor, raise_open_files, seal_inherited, take_descriptor};
pub use spawn::{Program, Stdio3};
