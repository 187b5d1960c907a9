//! Whether files have changed since they were read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Files as they are at one moment; of a directory, those that are in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Snapshot(Vec<Option<Identity>>);

/// Every write and every replacement changes one of these (stat(2)): device, inode, size, time of the last change.
type Identity = (u64, u64, u64, i64, i64);

impl Snapshot {
    /// The files as they are now.
    pub fn of(paths: &[&Path]) -> Snapshot {
        let mut all = Vec::new();
        for path in paths {
            all.push(identity(std::fs::metadata(path)));
            let mut entries: Vec<_> =
                std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            entries.sort();
            all.extend(entries.iter().map(|path| identity(std::fs::metadata(path))));
        }
        Snapshot(all)
    }
}

fn identity(about: std::io::Result<Metadata>) -> Option<Identity> {
    let about = about.ok()?;
    Some((about.dev(), about.ino(), about.size(), about.ctime(), about.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_or_goes_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "one").unwrap();
        let both = [file.as_path(), dir.path()];
        let before = Snapshot::of(&both);
        assert_eq!(before, Snapshot::of(&both));
        let aside = dir.path().join("aside");
        std::fs::write(&aside, "two").unwrap();
        assert_ne!(before, Snapshot::of(&both), "a new file in the directory");
        std::fs::rename(&aside, &file).unwrap();
        let after = Snapshot::of(&both);
        assert_ne!(before, after, "another file of the same name and length");
        std::fs::remove_file(&file).unwrap();
        assert_ne!(after, Snapshot::of(&both));
    }
}
