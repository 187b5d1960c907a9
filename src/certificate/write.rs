//! Files written safely: keys for their owner alone from the first moment on, nothing overwritten unasked, never
//! through a link that somebody else may have put there, and all of them or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::signer::fill;
use super::words::hex;
use crate::error::Failure;

/// A file to be written.
pub struct Output {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub content: Zeroizing<Vec<u8>>,
    /// Who may read it.
    pub readers: Readers,
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whom the umask allows: a certificate.
    Anybody,
    /// Its owner (mode 0600): a key, also together with its certificate.
    Owner,
}

/// What happens where there is a file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is left alone, and nothing is written at all.
    Kept,
    /// It is replaced at once by the new one, written beside it.
    Replaced,
}

/// What is at a place before it is written to.
enum Found {
    Nothing,
    File,
    /// A pipe or a device, which is written into.
    Stream,
}

/// Writes all files, or none where one of them cannot be.
pub fn write(outputs: &[Output], existing: Existing) -> Result<(), Failure> {
    for (at, output) in outputs.iter().enumerate() {
        if outputs[..at].iter().any(|other| other.path == output.path) {
            return Err(Failure::usage(
                format!("'{}'", output.path.display()),
                "is given for two different files",
            ));
        }
        look(output, existing)?;
    }
    let mut written = Written::default();
    for output in outputs {
        let result = written.write(output, existing);
        result.map_err(|why| Failure::other(format!("cannot write {}", output.path.display()), why))?;
    }
    written.keep()
}

/// Whether a file can be written here, before any is.
fn look(output: &Output, existing: Existing) -> Result<Found, Failure> {
    let shown = output.path.display();
    let fail = |why: String| Failure::other(format!("cannot write {shown}"), why);
    match fs::symlink_metadata(&output.path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let metadata = fs::metadata(parent(&output.path)).map_err(|why| fail(why.to_string()))?;
            match metadata.is_dir() {
                true => Ok(Found::Nothing),
                false => Err(fail(format!("{} is no directory", parent(&output.path).display()))),
            }
        }
        Err(why) => Err(fail(why.to_string())),
        Ok(metadata) if metadata.file_type().is_symlink() => {
            Err(fail("it is a symbolic link".to_owned()).hint("name the file itself, or remove the link"))
        }
        Ok(metadata) if metadata.is_dir() => Err(fail("it is a directory".to_owned())),
        Ok(metadata) if metadata.file_type().is_fifo() || metadata.file_type().is_char_device() => {
            Ok(Found::Stream)
        }
        Ok(_) if existing == Existing::Replaced => Ok(Found::File),
        Ok(_) => Err(fail("it exists already".to_owned()).hint("--force replaces it")),
    }
}

/// The files that are new so far; dropped, they are removed again.
#[derive(Default)]
struct Written {
    new: Vec<PathBuf>,
    /// Written beside a file that each is to replace.
    beside: Vec<(PathBuf, PathBuf)>,
}

impl Written {
    fn write(&mut self, output: &Output, existing: Existing) -> io::Result<()> {
        let path = &output.path;
        let found = look(output, existing).map_err(|failure| io::Error::other(failure.why))?;
        let mut file = match found {
            Found::Stream => {
                let mut file = options(output.readers).create_new(false).open(path)?;
                return file.write_all(&output.content);
            }
            Found::Nothing => {
                let file = options(output.readers).open(path)?;
                self.new.push(path.clone());
                file
            }
            Found::File => {
                let beside = beside(path)?;
                let file = options(output.readers).open(&beside)?;
                self.beside.push((beside, path.clone()));
                file
            }
        };
        file.write_all(&output.content)?;
        file.sync_all()
    }

    /// Puts everything in its place, for good.
    fn keep(mut self) -> Result<(), Failure> {
        let mut places = Vec::new();
        while let Some((beside, path)) = self.beside.pop() {
            if let Err(why) = fs::rename(&beside, &path) {
                let failure = Failure::other(format!("cannot write {}", path.display()), why);
                self.beside.push((beside, path));
                return Err(failure);
            }
            places.push(path);
        }
        places.append(&mut self.new);
        for path in places {
            // A directory that cannot be synced (on some network file systems) still has the file.
            let _ = File::open(parent(&path)).and_then(|dir| dir.sync_all());
        }
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for path in self.new.iter().chain(self.beside.iter().map(|(beside, _)| beside)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Made by us, never found: neither a file nor a link that is there already is opened.
fn options(readers: Readers) -> fs::OpenOptions {
    let mode = match readers {
        Readers::Anybody => 0o644,
        Readers::Owner => 0o600,
    };
    let mut options = File::options();
    options
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC);
    options
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name in the same directory that nobody can guess.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    fill(&mut random).map_err(|failure| io::Error::other(failure.what))?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    Ok(path.with_file_name(format!(".{name}.{}", hex(&random))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn output(path: PathBuf, content: &str, readers: Readers) -> Output {
        Output { path, content: Zeroizing::new(content.into()), readers }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_written_where_one_file_exists_unless_it_is_to_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        fs::write(&old, "old").unwrap();
        let both = || [output(new.clone(), "1", Readers::Anybody), output(old.clone(), "2", Readers::Owner)];
        let failure = write(&both(), Existing::Kept).unwrap_err();
        assert!(failure.hint.unwrap().contains("--force"));
        assert_eq!((names(dir.path()), fs::read(&old).unwrap()), (vec!["old".to_owned()], b"old".to_vec()));
        write(&both(), Existing::Replaced).unwrap();
        assert_eq!((fs::read(&new).unwrap(), fs::read(&old).unwrap()), (b"1".to_vec(), b"2".to_vec()));
        assert_eq!(names(dir.path()), ["new", "old"]);
        assert_eq!(fs::metadata(&old).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_is_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (link, victim) = (dir.path().join("link"), dir.path().join("victim"));
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        for existing in [Existing::Kept, Existing::Replaced] {
            let failure = write(&[output(link.clone(), "x", Readers::Owner)], existing).unwrap_err();
            assert_eq!(failure.why, "it is a symbolic link");
        }
        assert!(!victim.exists());
    }

    #[test]
    fn what_was_written_before_a_failure_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let full = PathBuf::from("/dev/full");
        let both = [output(dir.path().join("a"), "1", Readers::Owner), output(full, "2", Readers::Owner)];
        assert!(write(&both, Existing::Kept).is_err());
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn the_same_place_is_not_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let both = || output(dir.path().join("a"), "1", Readers::Owner);
        assert!(write(&[both(), both()], Existing::Replaced).is_err());
    }
}
