//! A directory in which certificates are made and looked at, by spile and by OpenSSL.

use std::path::PathBuf;
use std::process::Command;

use super::{DEADLINE, Ended, SPILE, start};

/// A directory that goes with the test.
pub struct Workshop {
    dir: tempfile::TempDir,
}

impl Workshop {
    pub fn new() -> Workshop {
        Workshop { dir: tempfile::tempdir().unwrap() }
    }

    /// What a shell line does here; `spile` is the binary under test, the roots of the system are its own.
    pub fn runs(&self, line: &str) -> Ended {
        let bin = self.path(".bin");
        if !bin.exists() {
            std::fs::create_dir(&bin).unwrap();
            std::os::unix::fs::symlink(SPILE, bin.join("spile")).unwrap();
        }
        let mut command = Command::new("bash");
        command.args(["-c", line]).current_dir(&self.dir);
        command.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        // Keys for RSA take long to be found, and passphrases to be tried.
        start(command).eof().ends_within(5 * DEADLINE)
    }

    /// The same, which must succeed; its stdout as text.
    pub fn says(&self, line: &str) -> String {
        let ended = self.runs(line);
        assert_eq!(ended.status, 0, "{line}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The permission bits of a file.
    pub fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    /// The names of what is here, in order.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.dir).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| name != ".bin");
        names.sort();
        names
    }
}
