//! Places that are to be written to: what is there, and whether it may be written to.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{Existing, Output};
use crate::error::Failure;

/// Major number of the memory devices: null, zero, full. Nobody reads what is written to them.
const MEMORY_DEVICES: u64 = 1;

/// What is at a place before it is written to.
pub enum Found {
    /// Nothing yet.
    Nothing(Place),
    /// A file that may be replaced.
    File(Place),
    /// What is written into.
    Stream(Stream),
}

/// A place whatever the path that leads to it: the directory, by device and inode, and the name in it.
#[derive(PartialEq, Eq, Hash)]
pub struct Place(u64, u64, Option<OsString>);

/// What is written into, and takes nothing back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// One of our own descriptors, by a path such as /dev/stdout.
    Descriptor,
    /// A pipe or a device.
    Special,
}

/// Whether a file can be written here, before any is.
pub fn look(output: &Output, existing: Existing) -> Result<Found, Failure> {
    let path = &output.path;
    let fail = |why: String| Failure::other(format!("cannot write {}", path.display()), why);
    if is_descriptor(path) {
        return Ok(Found::Stream(Stream::Descriptor));
    }
    let metadata = match fs::symlink_metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        found => Some(found.map_err(|why| fail(why.to_string()))?),
    };
    let place = || place(path).map_err(|why| fail(why.to_string()));
    let Some(metadata) = metadata else { return Ok(Found::Nothing(place()?)) };
    let kind = metadata.file_type();
    match existing {
        _ if kind.is_symlink() => {
            Err(fail("it is a symbolic link".to_owned()).hint("name the file itself, or remove the link"))
        }
        _ if kind.is_dir() => Err(fail("it is a directory".to_owned())),
        _ if kind.is_fifo() || kind.is_char_device() => {
            check_owner(&metadata).map_err(fail)?;
            Ok(Found::Stream(Stream::Special))
        }
        _ if !kind.is_file() => Err(fail("it is neither a file nor a pipe".to_owned())),
        Existing::Replaced => Ok(Found::File(place()?)),
        Existing::Kept => Err(fail("it exists already".to_owned()).hint("--force replaces it")),
    }
}

impl Stream {
    /// Opens it. A pipe or a device must still be one that may be written to.
    pub fn open(self, path: &Path) -> io::Result<File> {
        let mut options = File::options();
        let flags = nix::libc::O_CLOEXEC | nix::libc::O_NOCTTY;
        match self {
            // Links to what is open already lead nowhere else; of a file, what is there is kept.
            Stream::Descriptor => options.append(true).custom_flags(flags).open(path),
            Stream::Special => {
                let file = options.write(true).custom_flags(flags | nix::libc::O_NOFOLLOW).open(path)?;
                let metadata = file.metadata()?;
                let kind = metadata.file_type();
                if !kind.is_fifo() && !kind.is_char_device() {
                    return Err(io::Error::other("it has been replaced meanwhile"));
                }
                check_owner(&metadata).map_err(io::Error::other)?;
                Ok(file)
            }
        }
    }
}

/// True for a path to one of our own descriptors; nobody else can put anything there.
fn is_descriptor(path: &Path) -> bool {
    let is_number = |path: &Path| {
        let name = path.to_str().filter(|name| !name.is_empty());
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["/dev/stdout", "/dev/stderr"].iter().any(|own| path == Path::new(own))
        || ["/dev/fd", "/proc/self/fd"].iter().any(|dir| path.strip_prefix(dir).is_ok_and(is_number))
}

/// A pipe or a device of somebody else would hand a key to them.
fn check_owner(metadata: &Metadata) -> Result<(), String> {
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let is_device = metadata.file_type().is_char_device();
    let is_of_system = is_device && (owner == 0 || nix::sys::stat::major(metadata.rdev()) == MEMORY_DEVICES);
    match owner == own || is_of_system {
        true => Ok(()),
        false => Err(format!("it belongs to another user ({owner}), who could read along")),
    }
}

fn place(path: &Path) -> io::Result<Place> {
    let metadata = fs::metadata(parent(path))?;
    match metadata.is_dir() {
        true => Ok(Place(metadata.dev(), metadata.ino(), path.file_name().map(OsString::from))),
        false => Err(io::Error::other(format!("{} is no directory", parent(path).display()))),
    }
}

/// The directory of a file.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_descriptors_are_known_by_their_paths() {
        for path in ["/dev/stdout", "/dev/stderr", "/dev/fd/63", "/proc/self/fd/3"] {
            assert!(is_descriptor(Path::new(path)), "{path}");
        }
        for path in
            ["/dev/stdin", "/dev/fd", "/dev/fd/", "/dev/fd/../sda", "/dev/fd/3/x", "/proc/1/fd/3", "3"]
        {
            assert!(!is_descriptor(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_pipe_of_another_user_is_refused_and_devices_of_the_system_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        check_owner(&fs::metadata(&pipe).unwrap()).unwrap();
        for device in ["/dev/null", "/dev/full", "/dev/tty"] {
            check_owner(&fs::metadata(device).unwrap()).unwrap();
        }
        if rustix::process::geteuid().is_root() {
            nix::unistd::chown(&pipe, Some(65_534.into()), None).unwrap();
            assert!(check_owner(&fs::metadata(&pipe).unwrap()).unwrap_err().contains("(65534)"));
        }
    }
}
