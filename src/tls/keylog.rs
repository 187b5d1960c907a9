//! Session secrets for Wireshark, written where the user said so and nowhere else: rustls' own `KeyLogFile` obeys
//! SSLKEYLOGFILE, and a variable of the environment must not give secrets away.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Mutex;

use nix::libc;

use crate::error::Failure;

/// A file in the NSS key log format, opened for appending.
pub(super) struct KeyLog(Mutex<File>);

impl KeyLog {
    /// Opens it, or makes it with mode 0600. A symbolic link, what is no file, and what others may read are refused.
    pub(super) fn open(path: &Path) -> Result<KeyLog, Failure> {
        let what = format!("cannot log keys to {}", path.display());
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ELOOP) => Failure::other(&what, "it is a symbolic link"),
                _ => Failure::other(&what, error),
            })?;
        let about = file.metadata().map_err(|error| Failure::other(&what, error))?;
        if !about.is_file() {
            return Err(Failure::other(what, "it is not a regular file"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(Failure::other(what, "it belongs to somebody else, and it would hold secrets"));
        }
        if about.mode() & 0o077 != 0 {
            let hint = format!("chmod 600 {}", path.display());
            return Err(Failure::other(what, "others may read it, and it would hold secrets").hint(hint));
        }
        Ok(KeyLog(Mutex::new(file)))
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLog")
    }
}

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        // A full disk costs the log a line, never the session: rustls has no way to be told.
        if let Ok(mut file) = self.0.lock() {
            let _ = file.write_all(line.as_bytes());
        }
    }
}
