//! The words that open an encrypted key. They come from a file, a descriptor or a terminal, never from arguments or
//! the environment, which others can read.

use std::path::Path;

use zeroize::Zeroizing;

use super::file;
use crate::error::{Exit, Failure};

/// A passphrase, wiped when dropped. It has no text form.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// The first line of a file or of `/dev/fd/N`. Status 58 where there is none.
    pub fn read(path: &Path) -> Result<Passphrase, Failure> {
        let fail = |why: String| {
            Failure::new(Exit::OWN_CERTIFICATE, format!("passphrase of {}", path.display()), why)
        };
        let content = file::read(path, file::LIMIT).map_err(fail)?;
        match Passphrase::first_line(&content) {
            passphrase if passphrase.0.is_empty() => Err(fail("its first line is empty".to_owned())),
            passphrase => Ok(passphrase),
        }
    }

    /// What stands before the end of the first line.
    pub fn first_line(content: &[u8]) -> Passphrase {
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Passphrase(Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
    }

    /// The bytes, for the derivation of the key.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_without_its_end() {
        for text in ["secret", "secret\n", "secret\r\nmore", "secret\nmore\n"] {
            assert_eq!(Passphrase::first_line(text.as_bytes()).bytes(), b"secret");
        }
        assert_eq!(Passphrase::first_line(b" with blanks \n").bytes(), b" with blanks ");
    }
}
