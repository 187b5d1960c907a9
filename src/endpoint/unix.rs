//! Unix sockets: stream, seqpacket and datagram, by path or abstract name, with a safe life of the path.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::stat::{Mode, umask};
use socket2::{Domain, SockAddr, Socket, Type};

use super::ahead::Ahead;
use super::descriptor::{Descriptor, Kind};
use super::message::{self, Messages};
use super::{Connection, Endpoint, connect_timeout, socket};
use crate::address::{End, Key, Options, UnixKind, UnixName};
use crate::error::Failure;
use crate::event_loop::sleep;

/// Bytes that a path may have: sun_path less its NUL, unix(7).
const LONGEST_PATH: usize = 107;

/// Removes the socket's path at the end, if it is still the one that we made.
pub struct PathGuard {
    path: PathBuf,
    identity: (u64, u64),
}

impl PathGuard {
    fn new(path: &Path) -> Option<PathGuard> {
        identity(path).map(|identity| PathGuard { path: path.to_owned(), identity })
    }
}

impl Drop for PathGuard {
    fn drop(&mut self) {
        if identity(&self.path) == Some(self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn kind_of(kind: UnixKind) -> (Type, Kind) {
    match kind {
        UnixKind::Stream => (Type::STREAM, Kind::Local),
        UnixKind::Datagram => (Type::DGRAM, Kind::Message),
        UnixKind::SeqPacket => (Type::SEQPACKET, Kind::Message),
    }
}

fn address(name: &UnixName) -> Result<SockAddr, Failure> {
    let address = match name {
        UnixName::Path(path) => SockAddr::unix(path),
        UnixName::Abstract(name) => SockAddr::unix(format!("\0{name}")),
    };
    address.map_err(|_| {
        Failure::usage(format!("socket path {}", show(name)), format!("is longer than {LONGEST_PATH} bytes"))
            .hint("change to its directory first and use a relative path")
    })
}

fn show(name: &UnixName) -> String {
    match name {
        UnixName::Path(path) => path.display().to_string(),
        UnixName::Abstract(name) => format!("@{name}"),
    }
}

/// Connects.
pub async fn connect(
    end: &End,
    kind: UnixKind,
    name: &UnixName,
    connection: &Connection,
) -> Result<Endpoint, Failure> {
    let to = address(name)?;
    let (socket_type, descriptor_kind) = kind_of(kind);
    let cannot = |why: io::Error| cannot_connect(name, &why);
    let socket = socket::open(Domain::UNIX, socket_type).map_err(cannot)?;
    socket::apply(&socket, &end.options)?;
    let mut guard = None;
    if let Some(path) = end.options.text(Key::Bind) {
        guard = bind_path(&socket, Path::new(path), &end.options)?;
    } else if kind == UnixKind::Datagram {
        // A name that the kernel chooses (autobind, unix(7)): without one nobody could answer.
        socket.bind(&autobind().map_err(cannot)?).map_err(cannot)?;
    }
    let connecting = async { connect_when_there_is_room(&socket, &to).await.map_err(cannot) };
    connect_timeout::within(connect_timeout::limit(&end.options), &show(name), connecting).await?;
    let fd = Arc::new(Descriptor::new(socket.into(), descriptor_kind).map_err(cannot)?);
    if let Some(ahead) = Ahead::new(end, None)? {
        ahead.say(&fd, connection).await?;
    }
    let endpoint = match kind {
        UnixKind::Stream => Endpoint::stream_socket(fd),
        UnixKind::Datagram => message::connected(fd, Messages::UnixDatagram, &end.options),
        UnixKind::SeqPacket => message::connected(fd, Messages::SeqPacket, &end.options),
    };
    Ok(endpoint.guarded(guard))
}

fn autobind() -> io::Result<SockAddr> {
    // SAFETY: only the family is set, and the length covers no more than the family.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            (*storage.cast::<nix::libc::sockaddr_un>()).sun_family = nix::libc::AF_UNIX as _;
            *length = size_of::<nix::libc::sa_family_t>() as _;
            Ok(())
        })
    }?;
    Ok(address)
}

/// A Unix connect answers EAGAIN while the listener's queue is full, and no event tells when it is not.
async fn connect_when_there_is_room(socket: &Socket, to: &SockAddr) -> io::Result<()> {
    let mut pause = std::time::Duration::from_millis(1);
    let limit = std::time::Duration::from_millis(500);
    loop {
        match socket.connect(to) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                sleep(pause).await;
                pause = (pause * 2).min(limit);
            }
            result => return result,
        }
    }
}

fn cannot_connect(name: &UnixName, why: &io::Error) -> Failure {
    let failure = Failure::connect(format!("cannot connect to {}", show(name)), why);
    match why.kind() {
        io::ErrorKind::ConnectionRefused => failure.hint(what_refuses(name)),
        io::ErrorKind::NotFound => failure.hint("a bare path is a Unix socket; 'file:PATH' is a file"),
        _ if why.raw_os_error() == Some(nix::libc::EPROTOTYPE) => {
            failure.hint("the socket is of another type: try unix:, unix-dgram: or seqpacket:")
        }
        _ => failure,
    }
}

/// connect(2) refuses what is no socket as it refuses a socket without a listener; unix(7).
fn what_refuses(name: &UnixName) -> &'static str {
    let UnixName::Path(path) = name else { return "no socket has that abstract name" };
    match std::fs::metadata(path).map(|meta| meta.file_type()) {
        Ok(kind) if kind.is_dir() => "it is a directory; a Unix socket has a path of its own",
        Ok(kind) if !kind.is_socket() => "it is no socket; 'spile relay' takes files, and 'file:PATH' is one",
        _ => "the socket is there, but nobody listens on it",
    }
}

/// Opens a listening (or, for datagrams, bound) socket.
pub fn listen(end: &End, kind: UnixKind, name: &UnixName) -> Result<(Socket, Option<PathGuard>), Failure> {
    let cannot = |why: io::Error| Failure::connect(format!("cannot listen on {}", show(name)), why);
    let socket = socket::open(Domain::UNIX, kind_of(kind).0).map_err(cannot)?;
    socket::apply(&socket, &end.options)?;
    let guard = match name {
        UnixName::Path(path) => bind_path(&socket, path, &end.options)?,
        UnixName::Abstract(_) => {
            socket.bind(&address(name)?).map_err(cannot)?;
            None
        }
    };
    if kind != UnixKind::Datagram {
        socket.listen(socket::backlog(&end.options)).map_err(cannot)?;
    }
    Ok((socket, guard))
}

fn bind_path(socket: &Socket, path: &Path, options: &Options) -> Result<Option<PathGuard>, Failure> {
    let to = address(&UnixName::Path(path.to_owned()))?;
    let cannot = |why: io::Error| Failure::connect(format!("cannot listen on {}", path.display()), why);
    remove_if_dead(path, &to, socket.r#type().map_err(cannot)?)?;
    // The mode is right from the start: a chmod afterwards would leave a moment in which anybody can connect.
    let old = options.mode(Key::Mode).map(|mode| umask(Mode::from_bits_truncate(!mode & 0o777)));
    let bound = socket.bind(&to);
    if let Some(old) = old {
        umask(old);
    }
    bound.map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => cannot(why).hint("its directory does not exist"),
        _ => cannot(why),
    })?;
    let guard = PathGuard::new(path);
    super::file::give_to(path, options)?;
    Ok(guard.filter(|_| options.flag(Key::Unlink).unwrap_or(true)))
}

/// Removes a socket that nobody listens on any more; never a live one, nor a file of another type.
fn remove_if_dead(path: &Path, to: &SockAddr, kind: Type) -> Result<(), Failure> {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let what = format!("cannot listen on {}", path.display());
    if !meta.file_type().is_socket() {
        return Err(Failure::connect(what, "a file that is no socket is in the way"));
    }
    let probe = socket::open(Domain::UNIX, kind).and_then(|probe| probe.connect(to));
    match probe {
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|why| Failure::connect(what, why))
        }
        _ => Err(Failure::connect(what, "address in use").hint("another program listens there")),
    }
}
