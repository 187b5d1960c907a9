//! How a signal came to be sent, as the kernel tells it: si_code (sigaction(2)).

use std::fmt;

use nix::libc;

/// A value of si_code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub i32);

/// Those that mean the same whatever the signal is.
const NAMES: [(i32, &str); 9] = [
    (libc::SI_USER, "SI_USER"),
    (libc::SI_KERNEL, "SI_KERNEL"),
    (libc::SI_QUEUE, "SI_QUEUE"),
    (libc::SI_TIMER, "SI_TIMER"),
    (libc::SI_MESGQ, "SI_MESGQ"),
    (libc::SI_ASYNCIO, "SI_ASYNCIO"),
    (libc::SI_SIGIO, "SI_SIGIO"),
    (libc::SI_TKILL, "SI_TKILL"),
    (libc::SI_ASYNCNL, "SI_ASYNCNL"),
];

impl Code {
    /// kill(2).
    #[cfg(test)]
    pub const USER: Code = Code(libc::SI_USER);

    /// True for a signal that a process has sent; what is above 0 is of the kernel.
    pub fn is_of_a_process(self) -> bool {
        self.0 <= 0
    }
}

impl fmt::Display for Code {
    /// Its name; the number of one that has another meaning for every signal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(code, _)| *code == self.0) {
            Some((_, name)) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_name_or_is_a_number() {
        assert_eq!(Code(0).to_string(), "SI_USER");
        assert_eq!(Code(-1).to_string(), "SI_QUEUE");
        assert_eq!(Code(128).to_string(), "SI_KERNEL");
        assert_eq!(Code(3).to_string(), "3");
        assert!(Code(-6).is_of_a_process() && !Code(128).is_of_a_process());
    }
}
