//! Bytes that are typed into a terminal: in its line mode it takes no line that is longer than its buffer, and two
//! keys that would be taken for more than themselves.

use std::os::fd::OwnedFd;

use rustix::termios::{LocalModes, SpecialCodeIndex, tcgetattr};

/// Of a longer line the kernel drops what is over 4095 bytes, without a word (n_tty, termios(3)).
const MOST: usize = 4000;

/// What is typed, and where.
#[derive(Debug)]
pub struct Typing {
    terminal: OwnedFd,
    /// Bytes of the line that has not ended yet.
    unfinished: usize,
}

/// The keys of a terminal in line mode.
#[derive(Clone, Copy, Debug)]
struct Keys {
    /// The end of input; within a line it hands over what there is of it, termios(3).
    end: u8,
    /// What makes the next byte no key.
    quote: Option<u8>,
}

impl Typing {
    /// Into this terminal, the master's side.
    pub fn new(terminal: OwnedFd) -> Typing {
        Typing { terminal, unfinished: 0 }
    }

    /// The bytes, keys among them quoted, and after each part of a long line what makes the terminal hand it over.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let keys = self.keys();
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 1);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = line;
            while self.unfinished + rest.len() > MOST {
                let (part, more) = rest.split_at(MOST - self.unfinished);
                put(&mut out, part, keys);
                out.extend(keys.map(|keys| keys.end));
                (rest, self.unfinished) = (more, 0);
            }
            put(&mut out, rest, keys);
            self.unfinished = if line.ends_with(b"\n") { 0 } else { self.unfinished + rest.len() };
        }
        out
    }

    /// `None` where the terminal takes every byte as it is.
    fn keys(&self) -> Option<Keys> {
        let modes = tcgetattr(&self.terminal).ok()?;
        let quotes = modes.local_modes.contains(LocalModes::IEXTEN);
        modes.local_modes.contains(LocalModes::ICANON).then(|| Keys {
            end: modes.special_codes[SpecialCodeIndex::VEOF],
            quote: quotes.then(|| modes.special_codes[SpecialCodeIndex::VLNEXT]),
        })
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8], keys: Option<Keys>) {
    let Some(Keys { end, quote: Some(quote) }) = keys else { return out.extend_from_slice(bytes) };
    for byte in bytes {
        if *byte == end || *byte == quote {
            out.push(quote);
        }
        out.push(*byte);
    }
}
