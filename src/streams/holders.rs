//! Who still has a program's output open after its end.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};

use crate::process::tree;

/// A process that holds an end of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: i32,
    /// The first word of its command line.
    pub name: String,
}

/// What a descriptor is called in /proc/PID/fd: for a pipe or socket, a name of its own.
pub fn name_of(fd: impl AsFd) -> Option<OsString> {
    let link = fs::read_link(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())).ok()?;
    Some(link.into_os_string())
}

/// Our descendants that hold one of these.
pub fn of(names: &[OsString]) -> Vec<Holder> {
    let holds = |pid: i32| tree::open_files(pid).iter().any(|file| names.contains(file));
    let all = tree::below(tree::children(tree::me()));
    let holding = all.into_iter().filter(|seen| holds(seen.pid));
    holding.map(|seen| Holder { pid: seen.pid, name: tree::name(seen.pid) }).collect()
}
