//! Terminals for programs: master and slave, and the size of ours.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, Winsize, tcgetattr,
    tcgetwinsize, tcsetattr, tcsetwinsize,
};

/// In the place of a key: there is none (_POSIX_VDISABLE).
const NO_KEY: u8 = 0;

/// Who types into a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typist {
    /// A person, who wants to see what he types.
    Person,
    /// A program: what it writes is data.
    Program,
}

/// Master and slave of a terminal that passes output on as it is: line ends stay what the program writes.
pub fn open_output() -> io::Result<(OwnedFd, OwnedFd)> {
    let (master, slave) = open(None, Typist::Person)?;
    let mut modes = tcgetattr(&slave)?;
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&slave, OptionalActions::Now, &modes)?;
    Ok((master, slave))
}

/// Master and slave of a terminal; `None` is the size of ours.
pub fn open(size: Option<Winsize>, typist: Typist) -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let usual = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size.or_else(our_size).unwrap_or(usual))?;
    if typist == Typist::Program {
        let mut modes = tcgetattr(&slave)?;
        take_as_data(&mut modes);
        tcsetattr(&slave, OptionalActions::Now, &modes)?;
    }
    Ok((master, slave))
}

/// No byte is a key (^C, ^Z, ^S, erase...), becomes another one or comes back as output. Lines and the key that is
/// their end stay, or a program could not be told the end of its input; with it the key that quotes it, termios(3).
fn take_as_data(modes: &mut Termios) {
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    modes.input_modes.remove(InputModes::IXON | InputModes::ICRNL);
    for key in [
        SpecialCodeIndex::VERASE,
        SpecialCodeIndex::VKILL,
        SpecialCodeIndex::VWERASE,
        SpecialCodeIndex::VREPRINT,
        SpecialCodeIndex::VEOL,
        SpecialCodeIndex::VEOL2,
    ] {
        modes.special_codes[key] = NO_KEY;
    }
}

/// Gives a terminal, through its master, the size of ours; its programs learn of it by SIGWINCH.
pub fn follow_ours(master: impl AsFd) {
    if let Some(size) = our_size() {
        let _ = tcsetwinsize(master, size);
    }
}

/// The size of the terminal that we stand on, if there is one.
pub fn our_size() -> Option<Winsize> {
    let ours = tcgetwinsize(rustix::stdio::stderr());
    ours.or_else(|_| tcgetwinsize(rustix::stdio::stdin()))
        .or_else(|_| tcgetwinsize(rustix::stdio::stdout()))
        .ok()
}
