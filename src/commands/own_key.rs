//! Keys of one's own: read with a warning where others can read them, opened with a passphrase from a file or, on a
//! terminal, from whoever sits there.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::SignalFd;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::log::say;
use crate::certificate::{Key, KeyFile, Passphrase, Signer, permissions_warning};
use crate::error::{Exit, Failure};
use crate::process::keep_memory_secret;

/// Most bytes that are taken for a passphrase.
const LONGEST: usize = 1024;

/// A key file and what was said about it.
pub struct OwnKey<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// The file whose first line opens it.
    pub pass_file: Option<&'a Path>,
    /// The flag that names such a file, for the hint.
    pub pass_flag: &'static str,
    /// Others who can read it are a reason to stop.
    pub strict_perms: bool,
}

impl OwnKey<'_> {
    /// Reads and opens it. Status 58 where that cannot be.
    pub fn read(&self) -> Result<Key, Failure> {
        keep_memory_secret();
        let key = KeyFile::read(self.path)?;
        if let Some(warning) = permissions_warning(self.path) {
            match self.strict_perms {
                true => return Err(Failure::new(Exit::OWN_CERTIFICATE, warning, "")),
                false => say(&format!("warning: {warning}")),
            }
        }
        let passphrase = match self.pass_file {
            Some(path) => Some(Passphrase::read(path)?),
            None if key.is_encrypted() => ask(&format!("passphrase of {}: ", self.path.display()))?,
            None => None,
        };
        key.open(passphrase.as_ref()).map_err(|failure| match (&failure.hint, passphrase.is_none()) {
            (Some(hint), true) => {
                let hint = hint.replace("--pass-file", self.pass_flag);
                failure.hint(hint)
            }
            _ => failure,
        })
    }

    /// The same, ready to sign.
    pub fn signer(&self) -> Result<Signer, Failure> {
        let key = self.read()?;
        Signer::of(&key).map_err(|why| {
            Failure::new(Exit::OWN_CERTIFICATE, format!("key file {}", self.path.display()), why)
        })
    }
}

/// Asks on the controlling terminal without showing what is typed; nothing where nobody is there to answer.
fn ask(prompt: &str) -> Result<Option<Passphrase>, Failure> {
    if !io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else { return Ok(None) };
    let fail = |why: io::Error| Failure::new(Exit::OWN_CERTIFICATE, "cannot ask for a passphrase", why);
    loop {
        if let Some(typed) = typed(&terminal, prompt).map_err(fail)? {
            let passphrase = Passphrase::first_line(&typed);
            return Ok(Some(passphrase).filter(|passphrase| !passphrase.bytes().is_empty()));
        }
    }
}

/// A line from the terminal; none where a signal came first and we live on, as after a stop.
fn typed(terminal: &File, prompt: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Dropped in the other order: the terminal is as it was before a signal ends us.
    let signals = Held::take()?;
    let quiet = Quiet::on(terminal)?;
    let mut screen = terminal;
    screen.write_all(prompt.as_bytes())?;
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    while !line.contains(&b'\n') {
        let mut ready = [PollFd::new(terminal, PollFlags::IN), PollFd::new(&signals.arrived, PollFlags::IN)];
        match poll(&mut ready, None) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result?,
        };
        if !ready[1].revents().is_empty() {
            screen.write_all(b"\n")?;
            return Ok(None);
        }
        let mut bytes = Zeroizing::new([0; LONGEST]);
        match screen.read(&mut *bytes)? {
            0 => break,
            n if line.len() + n > LONGEST => return Err(io::Error::other("it is too long")),
            n => line.extend_from_slice(&bytes[..n]),
        }
    }
    drop(quiet);
    Ok(Some(line))
}

/// A terminal that shows nothing of what is typed but its end, until this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl Quiet<'_> {
    fn on(terminal: &File) -> io::Result<Quiet<'_>> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        modes.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        tcsetattr(terminal, OptionalActions::Flush, &modes)?;
        Ok(Quiet { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// The signals that would end or stop us, held back until this is dropped.
struct Held {
    before: SigSet,
    /// Readable once one has come; it is never read, so that it takes effect afterwards.
    arrived: SignalFd,
}

impl Held {
    fn take() -> io::Result<Held> {
        let held = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP];
        let held: SigSet = held.into_iter().collect();
        let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Held { before, arrived: SignalFd::new(&held)? })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}
