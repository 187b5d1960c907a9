//! Pseudo-terminals: as an address of its own, and under a program.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::descriptor::{Descriptor, Kind};
use super::{Endpoint, HalfClose, Sink, Source, WhenBroken};
use crate::address::{End, Key, Options};
use crate::error::Failure;
use crate::event_loop::{sleep, spawn};
use crate::flow::is_ready;
use crate::process::EndOfInput;

/// A master and its slave.
pub struct Pair {
    master: OwnedFd,
    slave: OwnedFd,
    /// Its path.
    pub name: PathBuf,
    /// Its size is that of our terminal, also when that changes.
    follows: bool,
    half_close: HalfClose,
}

thread_local! {
    /// The masters whose size follows our terminal's.
    static FOLLOWING: RefCell<Vec<Weak<Descriptor>>> = const { RefCell::new(Vec::new()) };
}

/// Gives the terminals that were made the size of ours; called on SIGWINCH.
pub fn follow_our_terminal() {
    let Ok(size) = tcgetwinsize(rustix::stdio::stdin()) else { return };
    FOLLOWING.with_borrow(|all| {
        for master in all.iter().filter_map(Weak::upgrade) {
            let _ = tcsetwinsize(&*master, size);
        }
    });
}

impl Pair {
    /// Makes a terminal of the size and modes asked for; without a size it takes ours.
    pub fn open(options: &Options) -> io::Result<Pair> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let name = PathBuf::from(name.to_string_lossy().into_owned());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&name, flags, Mode::empty())?;
        let _ = tcsetwinsize(&slave, size(options));
        set_modes(slave.as_fd(), options)?;
        let has_size = options.has(Key::Rows) || options.has(Key::Cols);
        let follows = !has_size && is_terminal(rustix::stdio::stdin());
        let is_raw = options.flag(Key::Raw) == Some(true);
        let half_close = if is_raw { HalfClose::HangUp } else { HalfClose::Terminal };
        Ok(Pair { master, slave, name, follows, half_close })
    }

    /// The slave, and the master as both directions of an endpoint. Once the slave is closed here, its last user's
    /// end is seen.
    pub fn into_ends(self) -> io::Result<(OwnedFd, Source, Sink)> {
        let flags = rustix::fs::fcntl_getfl(&self.master)?;
        rustix::fs::fcntl_setfl(&self.master, flags | OFlags::NONBLOCK)?;
        let fd = Arc::new(Descriptor::new(self.master, Kind::Terminal)?);
        if self.follows {
            FOLLOWING.with_borrow_mut(|all| {
                all.retain(|master| master.strong_count() > 0);
                all.push(Arc::downgrade(&fd));
            });
        }
        let sink = Sink::Stream {
            fd: fd.clone(),
            stalled: false,
            half_close: self.half_close,
            when_broken: WhenBroken::Discard,
        };
        Ok((self.slave, Source::Stream(fd), sink))
    }
}

fn size(options: &Options) -> Winsize {
    let ours = tcgetwinsize(rustix::stdio::stdin()).ok();
    let asked = |key| options.number(key).and_then(|n| u16::try_from(n).ok());
    Winsize {
        ws_row: asked(Key::Rows).or(ours.map(|size| size.ws_row)).unwrap_or(24),
        ws_col: asked(Key::Cols).or(ours.map(|size| size.ws_col)).unwrap_or(80),
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// Sets what `raw` and `echo` ask for; answers the modes of before where that changed anything.
fn set_modes(terminal: BorrowedFd<'_>, options: &Options) -> io::Result<Option<Termios>> {
    let (raw, echo) = (options.flag(Key::Raw), options.flag(Key::Echo));
    if raw.is_none() && echo.is_none() {
        return Ok(None);
    }
    let before = tcgetattr(terminal)?;
    let mut modes = before.clone();
    if raw == Some(true) {
        modes.make_raw();
    }
    if let Some(echo) = echo {
        modes.local_modes.set(LocalModes::ECHO, echo);
    }
    tcsetattr(terminal, OptionalActions::Now, &modes)?;
    Ok(Some(before))
}

/// Other modes of a terminal that is not ours, until dropped.
pub struct Modes {
    terminal: BorrowedFd<'static>,
    before: Termios,
}

impl Modes {
    /// Sets what `raw` and `echo` ask for; does nothing where there is no terminal.
    pub fn set(terminal: BorrowedFd<'static>, options: &Options) -> io::Result<Option<Modes>> {
        match is_terminal(terminal) {
            true => Ok(set_modes(terminal, options)?.map(|before| Modes { terminal, before })),
            false => Ok(None),
        }
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Keeps the terminal open while no program has it, and removes the link at the end.
struct Kept {
    _slave: OwnedFd,
    link: Option<PathBuf>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link);
        }
    }
}

/// The address `pty`: a terminal for programs started by others, found under `link=`.
pub fn open(end: &End) -> Result<Endpoint, Failure> {
    let cannot = |why: io::Error| Failure::other("cannot make a terminal", why);
    let pair = Pair::open(&end.options).map_err(cannot)?;
    let link = match end.options.text(Key::Link) {
        Some(text) => Some(make_link(&pair.name, Path::new(text))?),
        None => None,
    };
    super::file::give_to(&pair.name, &end.options)?;
    let note = format!("pty {}", pair.name.display());
    let (slave, source, sink) = pair.into_ends().map_err(cannot)?;
    let mut endpoint = Endpoint::new(source, sink).guarded(Some(Kept { _slave: slave, link }));
    endpoint.extras.get_or_insert_default().note = Some(note);
    Ok(endpoint)
}

/// Replaces a link that points nowhere, and nothing else.
fn make_link(name: &Path, link: &Path) -> Result<PathBuf, Failure> {
    let is_dangling = link.is_symlink() && !link.exists();
    if is_dangling {
        let _ = std::fs::remove_file(link);
    }
    symlink(name, link)
        .map_err(|why| Failure::connect(format!("cannot make the link {}", link.display()), why))?;
    Ok(link.to_owned())
}

/// Says the end of input to who reads a terminal, until it is heard or the terminal closed.
pub fn say_end(master: &Arc<Descriptor>) {
    let mut end = EndOfInput::new();
    let mut next = end.say(&**master);
    let master = Arc::downgrade(master);
    spawn(async move {
        while let Some(pause) = next {
            sleep(pause).await;
            next = master.upgrade().and_then(|master| end.say(&*master));
        }
    });
}

/// Most bytes of a line that a program on a terminal can be told, without its end; what is more the kernel drops
/// (termios(3), "Canonical and noncanonical mode").
pub const LONGEST_LINE: usize = 4095;

/// Whether it is a terminal on which a program reads lines.
pub fn reads_lines(terminal: &Descriptor) -> bool {
    terminal.kind() == Kind::Terminal
        && tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
}

/// True when the other side of a terminal is gone: for its master all who had it open, for others the terminal itself.
pub fn is_hung_up(terminal: BorrowedFd<'_>) -> bool {
    is_ready(terminal, PollFlags::empty())
}

/// True when it is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    rustix::termios::isatty(fd)
}
