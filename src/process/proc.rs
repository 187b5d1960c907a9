//! The /proc that knows processes by the numbers by which we know them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;

use rustix::fs::{Dir, Mode, OFlags, PROC_SUPER_MAGIC, openat, readlinkat, statfs};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// Where it is.
enum Proc {
    /// In its usual place.
    Mounted,
    /// Mounted by us and in no place: what is in the usual one is another PID namespace's, or missing.
    Detached(OwnedFd),
    /// We may not mount one, which takes CAP_SYS_ADMIN.
    Nowhere,
}

fn proc() -> &'static Proc {
    static PROC: OnceLock<Proc> = OnceLock::new();
    let is_ours =
        || fs::read_link("/proc/self").is_ok_and(|to| to.as_os_str() == &*std::process::id().to_string());
    PROC.get_or_init(|| match is_ours() {
        true => Proc::Mounted,
        false => detached().map_or(Proc::Nowhere, Proc::Detached),
    })
}

/// A mount that only this descriptor leads to, and that is gone with it (fsmount(2)).
fn detached() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Whether its usual place has one, whosever it is.
pub fn is_mounted() -> bool {
    statfs("/proc").is_ok_and(|place| place.f_type == PROC_SUPER_MAGIC)
}

/// Whether there is one at all.
pub fn is_there() -> bool {
    !matches!(proc(), Proc::Nowhere)
}

/// Opens a file or directory; `path` is relative to /proc.
fn open(path: &str) -> io::Result<OwnedFd> {
    match proc() {
        Proc::Mounted => Ok(File::open(format!("/proc/{path}"))?.into()),
        Proc::Detached(dir) => Ok(openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?),
        Proc::Nowhere => Err(io::ErrorKind::NotFound.into()),
    }
}

/// What is in a file.
pub fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::from(open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in a directory.
pub fn list(path: &str) -> io::Result<Vec<OsString>> {
    let entries = Dir::new(open(path)?)?.flatten();
    let names = entries.map(|entry| OsString::from_vec(entry.file_name().to_bytes().to_vec()));
    Ok(names.filter(|name| !name.as_bytes().starts_with(b".")).collect())
}

/// Where the links in a directory lead to.
pub fn links(path: &str) -> io::Result<Vec<OsString>> {
    let dir = open(path)?;
    let names = list(path)?;
    let links = names.iter().filter_map(|name| readlinkat(&dir, name, Vec::new()).ok());
    Ok(links.map(|link| OsString::from_vec(link.into_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_our_own() {
        let me = std::process::id();
        assert!(read(&format!("{me}/stat")).unwrap().starts_with(me.to_string().as_bytes()));
        assert!(list(&format!("{me}/task")).unwrap().iter().any(|name| *name == *me.to_string()));
        let null = File::open("/dev/null").unwrap();
        assert!(links(&format!("{me}/fd")).unwrap().iter().any(|to| to == "/dev/null"));
        drop(null);
    }
}
