//! Bytes that are typed into a terminal: in its line mode it takes no line that is longer than its buffer.

use std::os::fd::OwnedFd;

use rustix::termios::{LocalModes, tcgetattr};

/// The end of input as a terminal in line mode is told; within a line it hands over what there is of it, termios(3).
const EOT: u8 = 4;
/// Of a longer line the kernel drops what is over 4095 bytes, without a word (n_tty, termios(3)).
const MOST: usize = 4000;

/// What is typed, and where.
#[derive(Debug)]
pub struct Typing {
    terminal: OwnedFd,
    /// Bytes of the line that has not ended yet.
    unfinished: usize,
}

impl Typing {
    /// Into this terminal, the master's side.
    pub fn new(terminal: OwnedFd) -> Typing {
        Typing { terminal, unfinished: 0 }
    }

    /// The bytes, and after each part of a long line what makes the terminal hand it over.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / MOST + 1);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = line;
            while self.unfinished + rest.len() > MOST {
                let (part, more) = rest.split_at(MOST - self.unfinished);
                out.extend_from_slice(part);
                if self.takes_lines() {
                    out.push(EOT);
                }
                (rest, self.unfinished) = (more, 0);
            }
            out.extend_from_slice(rest);
            self.unfinished = if line.ends_with(b"\n") { 0 } else { self.unfinished + rest.len() };
        }
        out
    }

    /// The first hands over an unfinished line, if there is one; the next is the end then.
    pub fn end(&self) -> [u8; 2] {
        [EOT, EOT]
    }

    fn takes_lines(&self) -> bool {
        tcgetattr(&self.terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
    }
}
