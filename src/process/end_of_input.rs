//! The end of what is typed into a program's terminal: a key that the program must be there to read.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};
use rustix::termios::{LocalModes, SpecialCodeIndex, tcgetattr};

use crate::flow::is_ready;

/// ^D, for who reads the terminal without its line mode (readline).
const EOT: u8 = 4;
/// First pause between two looks at what is left to be read, and the longest one.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];
/// First pause between saying it and saying it again, and the longest one; most programs have ended by then.
const AGAIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// Says the end of input, as script(1) does: only once all that was typed before is taken, since the key is lost where a
/// program changes the modes of its terminal (termios(3), TCSAFLUSH; a key that is kept over ICANON is a NUL). It is
/// said again for as long as a program takes it and reads on, as the end of a pipe stays one.
#[derive(Debug)]
pub struct EndOfInput {
    look: Duration,
    again: Duration,
}

impl EndOfInput {
    /// Not said yet.
    pub fn new() -> EndOfInput {
        EndOfInput { look: LOOK[0], again: AGAIN[0] }
    }

    /// Says it through the terminal's master, if that is of use now. Answers when it may be again; `None` once nobody
    /// has the terminal open.
    pub fn say(&mut self, master: impl AsFd) -> Option<Duration> {
        let master = master.as_fd();
        if is_ready(master, PollFlags::empty()) {
            return None;
        }
        if has_unread(master) {
            return Some(doubled(&mut self.look, LOOK[1]));
        }
        // EAGAIN: it is full, and will be read.
        let _ = rustix::io::write(master, &[end_key(master)]);
        Some(doubled(&mut self.again, AGAIN[1]))
    }
}

/// The pause that is due; the next one is twice as long.
fn doubled(pause: &mut Duration, longest: Duration) -> Duration {
    let next = (*pause * 2).min(longest);
    std::mem::replace(pause, next)
}

/// The key that is the end of input on a terminal in line mode, or what stands for it in others.
fn end_key(terminal: BorrowedFd<'_>) -> u8 {
    match tcgetattr(terminal) {
        Ok(modes) if modes.local_modes.contains(LocalModes::ICANON) => {
            modes.special_codes[SpecialCodeIndex::VEOF]
        }
        _ => EOT,
    }
}

/// True when what was typed waits to be read; only the slave tells, and it is open here no longer than that takes.
fn has_unread(master: BorrowedFd<'_>) -> bool {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    ioctl_tiocgptpeer(master, flags).is_ok_and(|slave| is_ready(slave.as_fd(), PollFlags::IN))
}

#[cfg(test)]
mod tests {
    use rustix::termios::{OptionalActions, tcsetattr};

    use super::super::pty::{self, Typist};
    use super::*;

    #[test]
    fn it_is_said_once_all_is_taken_and_again_to_who_reads_on() {
        let (master, slave) = pty::open(None, Typist::Program).unwrap();
        let read = || {
            let mut buffer = [0; 8];
            let n = rustix::io::read(&slave, &mut buffer).unwrap();
            buffer[..n].to_vec()
        };
        let mut end = EndOfInput::new();
        rustix::io::write(&master, b"a\n").unwrap();
        assert_eq!(end.say(&master), Some(LOOK[0]));
        assert_eq!(read(), b"a\n");
        assert_eq!(end.say(&master), Some(AGAIN[0]));
        // It waits there, and is not said on top of that.
        assert_eq!(end.say(&master), Some(LOOK[0] * 2));
        assert_eq!(read(), b"");
        assert_eq!(end.say(&master), Some(AGAIN[0] * 2));
        assert_eq!(read(), b"");
        assert!(!is_ready(slave.as_fd(), PollFlags::IN));
        let mut modes = tcgetattr(&slave).unwrap();
        modes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        end.say(&master);
        assert_eq!(read(), [EOT]);
        drop(slave);
        assert_eq!(end.say(&master), None);
    }
}
