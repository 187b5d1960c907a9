//! Standard input and output, and other inherited descriptors.
//!
//! They are shared with whoever started us, so they never get O_NONBLOCK: pipes and terminals are opened
//! again through /proc for a description of our own, sockets are used with MSG_DONTWAIT, files are always
//! ready, and what is left over gets a thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::descriptor::{Descriptor, Kind};
use super::message::{DEFAULT_MTU, MessageSource, Messages};
use super::{Endpoint, HalfClose, Sink, Source, WhenBroken, pty};
use crate::address::End;
use crate::error::Failure;

/// What an inherited pipe is grown to: the size of the largest buffer.
const PIPE_SIZE: usize = 1024 * 1024;

/// What becomes of standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// It is read.
    Read,
    /// It is left alone and never ends (`--no-stdin`).
    Ignore,
}

/// What becomes of standard output when a session has no more to write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// Its reader sees the end.
    Ends,
    /// It stays open for the sessions that come after this one.
    StaysOpen,
}

/// The endpoint `-` in an address.
pub fn open(end: &End) -> Result<Endpoint, Failure> {
    let modes = pty::Modes::set(rustix::stdio::stdin(), &end.options)
        .map_err(|why| Failure::other("cannot set the modes of the terminal", why))?;
    Ok(stdio(Stdin::Read, Stdout::Ends)?.guarded(modes))
}

/// Standard input and output as one endpoint.
pub fn stdio(stdin: Stdin, stdout: Stdout) -> Result<Endpoint, Failure> {
    let (source, reader) = match stdin {
        Stdin::Read => {
            reading(rustix::stdio::stdin()).map_err(|why| Failure::other("cannot read stdin", why))?
        }
        Stdin::Ignore => (Source::Silent, None),
    };
    let (sink, writer) =
        writing(rustix::stdio::stdout(), stdout).map_err(|why| Failure::other("cannot write stdout", why))?;
    Ok(Endpoint::new(source, sink).pumped_by(reader).pumped_by(writer))
}

/// `fd:N`, for both directions as far as it was opened for them.
pub fn inherited(number: i32) -> Result<Endpoint, Failure> {
    let what = || format!("cannot use fd:{number}");
    let Some(fd) = crate::process::descriptor(number) else {
        return Err(Failure::connect(what(), "it is not open")
            .hint("open it in the shell first, for example with 3<>FILE"));
    };
    let access = rustix::fs::fcntl_getfl(fd).map_err(|why| Failure::other(what(), why))? & OFlags::RWMODE;
    let failed = |why: io::Error| Failure::other(what(), why);
    let (source, reader) = match access {
        OFlags::WRONLY => (Source::Ended, None),
        _ => reading(fd).map_err(failed)?,
    };
    if access == OFlags::RDONLY {
        return Ok(Endpoint::new(source, Sink::Discard).pumped_by(reader));
    }
    let (sink, writer) = writing(fd, Stdout::Ends).map_err(failed)?;
    let sink = match sink {
        Sink::Stream { fd, half_close: HalfClose::Stdout, .. } => {
            Sink::Stream { fd, stalled: false, half_close: HalfClose::Close, when_broken: WhenBroken::Cut }
        }
        other => other,
    };
    Ok(Endpoint::new(source, sink).pumped_by(reader).pumped_by(writer))
}

/// True when stdin is /dev/null, as a shell makes it for `command &`.
pub fn stdin_is_null() -> bool {
    match (rustix::fs::fstat(rustix::stdio::stdin()), rustix::fs::stat("/dev/null")) {
        (Ok(stdin), Ok(null)) => {
            FileType::from_raw_mode(stdin.st_mode).is_char_device() && stdin.st_rdev == null.st_rdev
        }
        _ => false,
    }
}

/// Puts /dev/null in place of stdout, so that whoever reads it sees the end.
pub fn close_stdout() {
    if let Ok(null) = rustix::fs::open("/dev/null", OFlags::WRONLY, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

fn reading(fd: BorrowedFd<'static>) -> io::Result<(Source, Option<Pump>)> {
    let stat = rustix::fs::fstat(fd)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => {
            let kind = socket_kind(fd)?;
            let fd = Arc::new(Descriptor::new(duplicate(fd)?, kind)?);
            let source = match kind {
                Kind::Message => {
                    let messages = Messages::of(fd.as_fd())?;
                    Source::Messages(MessageSource::new(fd, messages, false))
                }
                _ => Source::Stream(fd),
            };
            Ok((source, None))
        }
        FileType::RegularFile | FileType::BlockDevice | FileType::Directory => {
            Ok((Source::Stream(Arc::new(Descriptor::new(duplicate(fd)?, Kind::File)?)), None))
        }
        file_type => match open_again(fd, file_type, OFlags::RDONLY) {
            Ok(own) => Ok((Source::Stream(Arc::new(own)), None)),
            Err(_) => {
                let pump = Pump::start(Task::Reads, move |into, told| match pump(fd, into.as_fd()) {
                    // EPIPE: the session has ended first.
                    Ok(()) | Err(Errno::PIPE) => {}
                    Err(why) => {
                        let _ = told.set(why);
                    }
                })?;
                Ok((pump.source(), Some(pump)))
            }
        },
    }
}

fn writing(fd: BorrowedFd<'static>, stdout: Stdout) -> io::Result<(Sink, Option<Pump>)> {
    let stat = rustix::fs::fstat(fd)?;
    let is_read_only = rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE == OFlags::RDONLY;
    let stream = |fd, half_close| Sink::Stream {
        fd: Arc::new(fd),
        stalled: false,
        half_close: if stdout == Stdout::Ends { half_close } else { HalfClose::Nothing },
        when_broken: WhenBroken::Stop,
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => {
            let kind = socket_kind(fd)?;
            let own = Descriptor::new(duplicate(fd)?, kind)?;
            Ok(match kind {
                Kind::Message => {
                    let ends = Messages::of(own.as_fd())?.can_end();
                    let fd = Arc::new(own);
                    (Sink::Messages { fd, stalled: false, mtu: DEFAULT_MTU, ends }, None)
                }
                _ => (stream(own, HalfClose::Shutdown), None),
            })
        }
        FileType::RegularFile | FileType::BlockDevice | FileType::Directory => {
            Ok((stream(Descriptor::new(duplicate(fd)?, Kind::File)?, HalfClose::Stdout), None))
        }
        // Opened again it could be written to, and nobody would have what is written.
        _ if is_read_only => {
            Ok((stream(Descriptor::new(duplicate(fd)?, Kind::File)?, HalfClose::Stdout), None))
        }
        file_type => match open_again(fd, file_type, OFlags::WRONLY) {
            Ok(own) => Ok((stream(own, HalfClose::Stdout), None)),
            Err(_) => {
                let pump = Pump::start(Task::Writes, move |out, told| {
                    if let Err(why) = pump(out.as_fd(), fd) {
                        let _ = told.set(why);
                    }
                })?;
                Ok((pump.sink(), Some(pump)))
            }
        },
    }
}

fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

fn socket_kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    use rustix::net::sockopt::socket_type;
    Ok(match socket_type(fd)? {
        // Whatever its family: it is not ours to make non-blocking, and splice(2) has no flag that stands in for it.
        SocketType::STREAM => Kind::OtherStream,
        _ => Kind::Message,
    })
}

/// A non-blocking description of our own for the same pipe, terminal or device.
fn open_again(fd: BorrowedFd<'_>, file_type: FileType, access: OFlags) -> io::Result<Descriptor> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let own = rustix::fs::open(path, flags, Mode::empty())?;
    let kind = match file_type {
        FileType::Fifo => {
            // EPERM beyond the user's share (pipe-user-pages-soft): the size it has will do.
            let _ = rustix::pipe::fcntl_setpipe_size(&own, PIPE_SIZE);
            Kind::Pipe
        }
        _ => Kind::Terminal,
    };
    Descriptor::new(own, kind)
}

/// What a pump does for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It reads, and may do so for ever.
    Reads,
    /// It writes what it is given.
    Writes,
}

/// A thread that moves bytes between a descriptor that can only be used blocking and a socket pair. It may be
/// stuck for ever, so that nobody joins it.
pub struct Pump {
    task: Task,
    ours: Arc<Descriptor>,
    error: Arc<OnceLock<Errno>>,
}

impl Pump {
    /// Waits until the thread has written all that it was given, and ended.
    pub async fn finished(&self) {
        if self.task == Task::Writes {
            self.ours.hung_up().await;
        }
    }

    /// What has gone wrong on the blocking side.
    pub fn error(&self) -> Option<Errno> {
        self.error.get().copied()
    }

    /// Starts a thread that `work`s on the other end of a pair. What goes wrong is to be told before that end is
    /// closed.
    pub fn start(
        task: Task,
        work: impl FnOnce(OwnedFd, &OnceLock<Errno>) + Send + 'static,
    ) -> io::Result<Pump> {
        let (theirs, ours) = pair()?;
        let error = Arc::new(OnceLock::new());
        let told = error.clone();
        std::thread::Builder::new().name("pump".into()).spawn(move || work(theirs, &told))?;
        Ok(Pump { task, ours: Arc::new(ours), error })
    }

    /// What the thread has read.
    pub fn source(&self) -> Source {
        Source::Stream(self.ours.clone())
    }

    /// What the thread is to write.
    pub fn sink(&self) -> Sink {
        Sink::Stream {
            fd: self.ours.clone(),
            stalled: false,
            half_close: HalfClose::Shutdown,
            when_broken: WhenBroken::Stop,
        }
    }
}

/// A socket pair: the blocking end for a thread, ours for the event loop.
fn pair() -> io::Result<(OwnedFd, Descriptor)> {
    let (theirs, ours) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::fs::fcntl_setfl(&ours, OFlags::RDWR | OFlags::NONBLOCK)?;
    Ok((theirs, Descriptor::new(ours, Kind::Local)?))
}

/// Moves bytes until one side ends.
fn pump(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut buffer[..]))?;
        if n == 0 {
            return Ok(());
        }
        write_all(to, &buffer[..n])?;
    }
}

/// Writes everything, blocking.
pub fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let n = rustix::io::retry_on_intr(|| rustix::io::write(to, bytes))?;
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Raw mode of the controlling terminal, until dropped.
pub struct RawTerminal(());

impl RawTerminal {
    /// Enters raw mode; does nothing where stdin is no terminal.
    pub fn enter() -> Result<Option<RawTerminal>, Failure> {
        if !pty::is_terminal(rustix::stdio::stdin()) {
            return Ok(None);
        }
        restore_after_panic();
        crossterm::terminal::enable_raw_mode()
            .map_err(|why| Failure::other("cannot put the terminal in raw mode", why))?;
        Ok(Some(RawTerminal(())))
    }
}

/// A panic aborts and drops nothing; its message, too, wants a terminal that is as it was.
fn restore_after_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = crossterm::terminal::disable_raw_mode();
        report(panic);
    }));
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = crossterm::terminal::disable_raw_mode();
    }
}
