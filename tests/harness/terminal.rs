//! A terminal of the test's own, with a program on it as the leader of its session.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::{DEADLINE, SPILE};

/// A Python program that counts the interrupts of half a second, for stderr: "ready", then NAME and their number.
const COUNTER: &str = "
import os, signal, sys, time
count = 0
def note(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, note)
print(\"ready\", file=sys.stderr, flush=True)
while not count:
    time.sleep(.01)
time.sleep(.4)
os.write(2, f\"{sys.argv[1]} {count}\\n\".encode())
";

/// The file of a program that counts its interrupts; it is run as `python3 FILE NAME`.
pub fn interrupt_counter() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, COUNTER).unwrap();
    file
}

/// A program on a terminal; both end with the test.
pub struct Terminal {
    child: Child,
    keys: std::fs::File,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts a shell line in which `$SPILE` is the binary under test.
    pub fn shell(line: &str) -> Terminal {
        Terminal::start(&["bash", "--norc", "--noprofile", "-c", line])
    }

    /// Starts a shell that has job control and whose prompt is `$ `.
    pub fn interactive() -> Terminal {
        Terminal::start(&["bash", "--norc", "--noprofile", "-i"]).sees("$ ")
    }

    fn start(words: &[&str]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || Stdio::from(std::fs::File::options().read(true).write(true).open(&name).unwrap());
        let mut command = Command::new("setsid");
        command.arg("-c").args(words).stdin(slave()).stdout(slave()).stderr(slave());
        command.env("SPILE", SPILE).env("PS1", "$ ").env("TERM", "dumb").env_remove("PROMPT_COMMAND");
        let child = command.spawn().unwrap();
        drop(command);
        let mut screen = std::fs::File::from(master.try_clone().unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end is an error, EIO; nothing at all was read where a key has just emptied the queue.
            loop {
                match screen.read(&mut buffer) {
                    Ok(n) if sender.send(buffer[..n].to_vec()).is_ok() => {}
                    Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
                    _ => return,
                }
            }
        });
        Terminal { child, keys: OwnedFd::into(master), output, seen: String::new() }
    }

    /// Types.
    pub fn types(mut self, keys: &str) -> Terminal {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits until this has been shown, and forgets everything up to it.
    pub fn sees(self, wanted: &str) -> Terminal {
        self.shows(wanted).0
    }

    /// The same, and answers what it forgets.
    pub fn shows(mut self, wanted: &str) -> (Terminal, String) {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.seen.find(wanted) {
                let shown = self.seen.drain(..at + wanted.len()).collect();
                return (self, shown);
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("'{wanted}' was not shown; this was: {:?}", self.seen),
            }
        }
    }

    /// True while what is typed is shown.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.keys).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end; answers what was shown and not yet seen.
    pub fn ends(mut self) -> String {
        let end = Instant::now() + DEADLINE;
        while let Ok(bytes) = self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        assert!(Instant::now() < end, "still running; shown: {:?}", self.seen);
        self.seen.clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The hang-up of the terminal ends the rest of its session.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
