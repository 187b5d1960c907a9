//! Files written safely: keys for their owner alone from the first moment on, nothing overwritten unasked, never
//! through a link that somebody else may have put there, and all of them or none.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::place::{Found, look, parent};
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

/// Files that lie ready, each beside its place or in it where there was nothing; dropped, they are removed again and
/// what they have replaced is put back.
#[derive(Default)]
pub struct Ready {
    /// In their place, where there was none before.
    new: Vec<PathBuf>,
    /// Written beside the file that each is to replace.
    beside: Vec<Beside>,
    /// In their place already, with the file that was there under another name.
    replaced: Vec<Beside>,
}

struct Beside {
    name: PathBuf,
    place: PathBuf,
}

/// Writes all files, or none where one of them cannot be.
pub fn write(outputs: &[Output], existing: Existing) -> Result<(), Failure> {
    prepare(outputs, existing)?.keep()
}

/// Writes all files without replacing any yet. Pipes and devices come last: they take nothing back.
pub fn prepare(outputs: &[Output], existing: Existing) -> Result<Ready, Failure> {
    let found: Vec<Found> = outputs.iter().map(|output| look(output, existing)).collect::<Result<_, _>>()?;
    let mut places = HashSet::new();
    for (output, found) in outputs.iter().zip(&found) {
        if let Found::Nothing(place) | Found::File(place) = found
            && !places.insert(place)
        {
            let path = output.path.display();
            return Err(Failure::usage(format!("'{path}'"), "is given for two different files"));
        }
    }
    let mut ready = Ready::default();
    let is_stream = |(_, found): &(&Output, &Found)| matches!(found, Found::Stream(_));
    let (streams, files): (Vec<_>, Vec<_>) = outputs.iter().zip(&found).partition(is_stream);
    for (output, found) in files.into_iter().chain(streams) {
        ready.write(output, found).map_err(|why| failed(&output.path, why))?;
    }
    Ok(ready)
}

impl Ready {
    fn write(&mut self, output: &Output, found: &Found) -> io::Result<()> {
        let path = &output.path;
        let mut file = match found {
            Found::Stream(stream) => return stream.open(path)?.write_all(&output.content),
            Found::Nothing(_) => {
                let file = create(path, output.readers)?;
                self.new.push(path.clone());
                file
            }
            Found::File(_) => {
                let name = beside(path)?;
                let file = create(&name, output.readers)?;
                self.beside.push(Beside { name, place: path.clone() });
                file
            }
        };
        file.write_all(&output.content)?;
        file.sync_all()
    }

    /// Puts everything in its place, for good. POSIX replaces one file at a time: a kill or a power cut between two
    /// of them leaves some new and some old, and the old ones of the new under their other name.
    pub fn keep(mut self) -> Result<(), Failure> {
        while let Some(next) = self.beside.pop() {
            if let Err(why) = self.replace(&next) {
                let failure = failed(&next.place, why);
                self.beside.push(next);
                return Err(failure);
            }
        }
        let replaced = std::mem::take(&mut self.replaced);
        for old in &replaced {
            let _ = fs::remove_file(&old.name);
        }
        let places = replaced.into_iter().map(|old| old.place).chain(std::mem::take(&mut self.new));
        for place in places {
            // A directory that cannot be synced (on some network file systems) still has the file.
            let _ = File::open(parent(&place)).and_then(|dir| dir.sync_all());
        }
        Ok(())
    }

    fn replace(&mut self, new: &Beside) -> io::Result<()> {
        let old = beside(&new.place)?;
        // As a link, so that the place is never empty; some file systems have none.
        fs::hard_link(&new.place, &old).or_else(|_| fs::rename(&new.place, &old))?;
        self.replaced.push(Beside { name: old, place: new.place.clone() });
        fs::rename(&new.name, &new.place)
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        for path in self.new.iter().chain(self.beside.iter().map(|new| &new.name)) {
            let _ = fs::remove_file(path);
        }
        for old in &self.replaced {
            let _ = fs::rename(&old.name, &old.place);
            // Two links to one file are both left by a rename.
            if fs::symlink_metadata(&old.place).is_ok() {
                let _ = fs::remove_file(&old.name);
            }
        }
    }
}

fn failed(path: &Path, why: io::Error) -> Failure {
    Failure::other(format!("cannot write {}", path.display()), why)
}

/// Made by us, never found: neither a file nor a link that is there already is opened.
fn create(path: &Path, readers: Readers) -> io::Result<File> {
    let mode = match readers {
        Readers::Anybody => 0o644,
        Readers::Owner => 0o600,
    };
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC;
    File::options().write(true).create_new(true).mode(mode).custom_flags(flags).open(path)
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
    fn the_same_place_is_not_given_twice_however_it_is_spelled() {
        let dir = tempfile::tempdir().unwrap();
        let (name, link) = (dir.path().join("a"), dir.path().join("link"));
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        for other in [name.clone(), dir.path().join("./a"), link.join("a")] {
            let both = [output(name.clone(), "1", Readers::Owner), output(other, "2", Readers::Anybody)];
            for existing in [Existing::Kept, Existing::Replaced] {
                assert!(write(&both, existing).unwrap_err().to_string().contains("two different files"));
                fs::write(&name, "old").unwrap();
                assert!(write(&both, existing).is_err());
                fs::remove_file(&name).unwrap();
            }
        }
    }

    #[test]
    fn what_was_replaced_before_a_failure_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
        paths[..2].iter().for_each(|path| fs::write(path, "old").unwrap());
        let outputs = paths.each_ref().map(|path| output(path.clone(), "new", Readers::Owner));
        let ready = prepare(&outputs, Existing::Replaced).unwrap();
        // b is replaced first; a cannot be.
        assert_eq!(ready.beside.len(), 2);
        fs::remove_file(&ready.beside[0].name).unwrap();
        assert!(ready.keep().unwrap_err().what.ends_with("/a"));
        assert_eq!(names(dir.path()), ["a", "b"]);
        paths[..2].iter().for_each(|path| assert_eq!(fs::read(path).unwrap(), b"old"));
    }

    #[test]
    fn what_is_not_kept_was_never_there() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        fs::write(&old, "old").unwrap();
        let both = [output(old.clone(), "1", Readers::Owner), output(new, "2", Readers::Anybody)];
        drop(prepare(&both, Existing::Replaced).unwrap());
        assert_eq!((names(dir.path()), fs::read(&old).unwrap()), (vec!["old".to_owned()], b"old".to_vec()));
    }
}
