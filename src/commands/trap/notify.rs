//! `--notify`: a line for each signal, to a file, a fifo or a descriptor that a program reads.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::event::PollFlags;

use crate::error::{Exit, Failure};
use crate::flow::{End, Outlet, Way};
use crate::process;
use crate::report::MOST_WAITING;
use crate::signal::{Arrival, Sender};

/// Where lines go. Nobody who does not read them holds us up.
pub struct Notify {
    outlet: Outlet,
    lost: u64,
}

impl Notify {
    /// Opens `FILE`, or `fd:N` as we inherited it. A fifo needs no reader yet.
    pub fn open(path: &Path) -> Result<Notify, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::new(Exit(125), format!("cannot write --notify {}", path.display()), why)
        };
        let number = path.to_str().and_then(|text| text.strip_prefix("fd:"));
        let end = match number {
            Some(number) => {
                let fd = number.parse().ok().and_then(process::descriptor);
                End::inherited(fd.ok_or_else(|| cannot(&"that descriptor is not open"))?, Way::Out)
            }
            None => {
                let is_fifo = std::fs::metadata(path)
                    .is_ok_and(|file| std::os::unix::fs::FileTypeExt::is_fifo(&file.file_type()));
                // Opened for both ways, a fifo has a reader at once (fifo(7)).
                let file = OpenOptions::new().read(is_fifo).append(true).create(!is_fifo).open(path);
                file.and_then(|file| End::own(file.into()))
            }
        };
        let end = end.map_err(|why| cannot(&why))?;
        Ok(Notify { outlet: Outlet::new(end, format!("--notify {}", path.display())), lost: 0 })
    }

    /// `NAME NUMBER PID UID VALUE`, with `-` for what there is not.
    pub fn put(&mut self, arrival: &Arrival) -> Result<(), Failure> {
        let word = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let (pid, uid) = match arrival.sender {
            Sender::Kernel => (None, None),
            Sender::Process { pid, uid } => (Some(pid.to_string()), Some(uid.to_string())),
        };
        let value = word(arrival.value.map(|value| value.to_string()));
        let (signal, number) = (arrival.signal, arrival.signal.raw());
        let line = format!("{signal} {number} {} {} {value}\n", word(pid), word(uid));
        if self.outlet.waiting() + line.len() > MOST_WAITING {
            self.lost += 1;
            return Ok(());
        }
        self.outlet.put(line.as_bytes()).map_err(|why| self.outlet.failure(&why))
    }

    /// What to wait for, where something waits.
    pub fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        if self.outlet.waiting() > 0 {
            fds.push((self.outlet.end.as_fd(), PollFlags::OUT));
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.outlet.flush().map(drop).map_err(|why| self.outlet.failure(&why))
    }

    /// What nobody has read, where that is so.
    pub fn failure(&self) -> Option<Failure> {
        let (lost, waiting) = (self.lost, self.outlet.waiting());
        let why = format!("{lost} lines were not kept, and {waiting} bytes not read");
        (lost + waiting as u64 > 0).then(|| Failure::other("--notify is not read", why))
    }
}
