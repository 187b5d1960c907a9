//! Regular files, devices and fifos.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::OFlags;

use super::descriptor::{Descriptor, Kind};
use super::{Connection, Endpoint, HalfClose, Sink, Source, Use, WhenBroken, unix};
use crate::address::{End, Key, Options, Target, UnixKind, UnixName};
use crate::error::Failure;
use crate::event_loop::blocking;

/// Which ways a file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Both,
}

fn access(options: &Options, usage: Use) -> Access {
    let is = |key| options.flag(key).unwrap_or(false);
    match (is(Key::Read), is(Key::Write) || is(Key::Append) || is(Key::Create), usage) {
        (true, true, _) => Access::Both,
        (true, false, _) | (false, false, Use::Input) => Access::Read,
        (false, true, _) | (false, false, Use::Output) => Access::Write,
    }
}

/// A bare path: an existing file, device or fifo is that; anything else is a Unix socket.
pub async fn open_path(
    end: &End,
    path: &Path,
    usage: Use,
    connection: &Connection,
) -> Result<Endpoint, Failure> {
    // What it is decides which options mean something.
    let check = |target| End { target, ..end.clone() }.check();
    match std::fs::metadata(path) {
        Ok(meta) if meta.file_type().is_fifo() => {
            check(Target::Fifo(path.to_owned()))?;
            open_fifo(end, path, usage).await
        }
        Ok(meta) if !meta.file_type().is_socket() => {
            check(Target::File(path.to_owned()))?;
            open(end, path, usage)
        }
        _ => {
            let (kind, name) = (UnixKind::Stream, UnixName::Path(path.to_owned()));
            check(Target::Unix { kind, name: name.clone() })?;
            unix::connect(end, kind, &name, connection).await
        }
    }
}

/// `file:PATH`: read on the left, written on the right, unless the options say otherwise.
pub fn open(end: &End, path: &Path, usage: Use) -> Result<Endpoint, Failure> {
    let options = &end.options;
    let access = access(options, usage);
    let is = |key| options.flag(key).unwrap_or(false);
    let (append, create) = (is(Key::Append), is(Key::Create));
    let meta = std::fs::metadata(path).ok();
    if access == Access::Write
        && !append
        && !create
        && meta.as_ref().is_some_and(|m| m.is_file() && m.len() > 0)
    {
        return Err(Failure::misuse(format!("cannot write {}", path.display()), "it has content already")
            .hint("say file:PATH,append to add to it or file:PATH,create to replace it"));
    }
    let file = OpenOptions::new()
        .read(access != Access::Write)
        .write(access != Access::Read && !append)
        .append(append)
        .create(access != Access::Read)
        .truncate(create && !append)
        .mode(options.mode(Key::Mode).unwrap_or(0o666))
        .custom_flags(nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK)
        .open(path)
        .map_err(|why| cannot_open(path, &why))?;
    if meta.is_none() {
        give_to(path, options)?;
    }
    let stat = file.metadata().map_err(|why| cannot_open(path, &why))?;
    let kind = if stat.file_type().is_char_device() { Kind::Terminal } else { Kind::File };
    let fd = Arc::new(Descriptor::new(file.into(), kind).map_err(|why| cannot_open(path, &why))?);
    Ok(endpoint(fd, access))
}

/// `fifo:PATH`: made when missing; the open waits for the other side, as open(2) does.
pub async fn open_fifo(end: &End, path: &Path, usage: Use) -> Result<Endpoint, Failure> {
    let mode = nix::sys::stat::Mode::from_bits_truncate(end.options.mode(Key::Mode).unwrap_or(0o666));
    match nix::unistd::mkfifo(path, mode) {
        Ok(()) => give_to(path, &end.options)?,
        Err(nix::errno::Errno::EEXIST) => {}
        Err(why) => return Err(Failure::connect(format!("cannot make the fifo {}", path.display()), why)),
    }
    let access = access(&end.options, usage);
    Ok(endpoint(join_fifo(path, access).await?, access))
}

/// What comes out of a pipe that is there already, by its path.
pub async fn read_pipe(path: &Path) -> Result<Source, Failure> {
    join_fifo(path, Access::Read).await.map(Source::Stream)
}

/// Waits for the other side.
async fn join_fifo(path: &Path, access: Access) -> Result<Arc<Descriptor>, Failure> {
    let owned = path.to_owned();
    let open = move || {
        let mut options = OpenOptions::new();
        options.read(access != Access::Write).write(access != Access::Read).open(owned)
    };
    let file = match blocking(open).await {
        Ok(result) => result.map_err(|why| cannot_open(path, &why))?,
        Err(why) => return Err(Failure::other(format!("cannot open {}", path.display()), why)),
    };
    rustix::fs::fcntl_setfl(&file, OFlags::NONBLOCK).map_err(|why| cannot_open(path, &why.into()))?;
    Descriptor::new(file.into(), Kind::Pipe).map(Arc::new).map_err(|why| cannot_open(path, &why))
}

fn endpoint(fd: Arc<Descriptor>, access: Access) -> Endpoint {
    let sink =
        |fd| Sink::Stream { fd, stalled: false, half_close: HalfClose::Close, when_broken: WhenBroken::Cut };
    match access {
        Access::Read => Endpoint::new(Source::Stream(fd), Sink::Discard),
        Access::Write => Endpoint::new(Source::Ended, sink(fd)),
        Access::Both => Endpoint::new(Source::Stream(fd.clone()), sink(fd)),
    }
}

fn cannot_open(path: &Path, why: &io::Error) -> Failure {
    Failure::connect(format!("cannot open {}", path.display()), why)
}

/// Gives a path that we made to the user and group of the options.
pub fn give_to(path: &Path, options: &Options) -> Result<(), Failure> {
    let unknown = |kind: &str, name: &str| Failure::usage(format!("{kind}={name}"), "is unknown here");
    let uid = match options.text(Key::User) {
        None => None,
        Some(name) => Some(match name.parse() {
            Ok(number) => Uid::from_raw(number),
            Err(_) => User::from_name(name).ok().flatten().ok_or_else(|| unknown("user", name))?.uid,
        }),
    };
    let gid = match options.text(Key::Group) {
        None => None,
        Some(name) => Some(match name.parse() {
            Ok(number) => Gid::from_raw(number),
            Err(_) => Group::from_name(name).ok().flatten().ok_or_else(|| unknown("group", name))?.gid,
        }),
    };
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    nix::unistd::chown(path, uid, gid)
        .map_err(|why| Failure::other(format!("cannot change the owner of {}", path.display()), why.desc()))
}
