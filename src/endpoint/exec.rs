//! Programs as endpoints: `exec:`, `sh:` and `-- CMD`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

use super::descriptor::{Descriptor, Kind};
use super::environment::Connection;
use super::{Endpoint, HalfClose, Sink, Source, WhenBroken, pty};
use crate::address::{End, Key, Options};
use crate::error::Failure;
use crate::process::{Change, Child, Ends, Environment, Group, Program, SignalBase, Signals};

/// What a service manager told us and means nobody else (sd_notify(3), sd_listen_fds(3)).
const FOR_US: [&str; 4] = ["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// `exec:PROG ARG…`.
pub fn open_words(end: &End, words: &[String], connection: &Connection) -> Result<Endpoint, Failure> {
    let opened = open_program(words.iter().map(OsString::from).collect(), &end.options, connection);
    match words.iter().any(|word| is_for_shell(word)) {
        true => opened.map_err(|failure| failure.hint("no shell reads this; one reads sh:'…'")),
        false => opened,
    }
}

/// Whether a word means something to a shell and is hardly meant for a program.
fn is_for_shell(word: &str) -> bool {
    word.ends_with(';')
        || word.contains(['|', '&', '<', '>', '$', '`'])
        || matches!(word, "cd" | "exit" | "export" | "read" | "set" | "source" | "trap" | "ulimit" | "umask")
}

/// `sh:TEXT`.
pub fn open_shell(end: &End, text: &str, connection: &Connection) -> Result<Endpoint, Failure> {
    let argv = ["/bin/sh", "-c", text].map(OsString::from).to_vec();
    open_program(argv, &end.options, connection)
}

/// `-- CMD ARG…`.
pub fn open_command(
    argv: &[OsString],
    on_terminal: bool,
    connection: &Connection,
) -> Result<Endpoint, Failure> {
    let mut options = Options::default();
    if on_terminal {
        options.push(Key::PtyFlag, crate::address::Value::Flag(true));
    }
    open_program(argv.to_vec(), &options, connection)
}

/// Starts a program whose stdin and stdout are the endpoint.
pub fn open_program(
    argv: Vec<OsString>,
    options: &Options,
    connection: &Connection,
) -> Result<Endpoint, Failure> {
    let dir = options.text(Key::Dir).map(PathBuf::from);
    let mut environment = Environment::default();
    environment.changes.extend(FOR_US.iter().map(|name| Change::Unset(name.into())));
    // A peer that has shown no certificate must not pass for one that has.
    let about_peers = super::tls::Facts::default();
    environment.changes.extend(about_peers.variables().map(|(name, _)| Change::Unset(name.into())));
    for (name, value) in connection.environment() {
        environment.set(name, value);
    }
    let program = Program {
        environment,
        dir,
        group: Group::New,
        signals: Signals { base: SignalBase::Default, ..Signals::default() },
        ..Program::new(argv)
    };
    let cannot = |why: io::Error| Failure::other("cannot connect to the program", why);
    if options.flag(Key::PtyFlag) == Some(true) {
        return on_terminal(&program, options);
    }
    let (stdin, stdout, source, sink) = match options.flag(Key::Pipes) {
        Some(false) => over_socket_pair().map_err(cannot)?,
        _ => over_pipes().map_err(cannot)?,
    };
    let stderr = stderr(options, &stdout).map_err(cannot)?;
    let mut ends = Ends::inherited().stdin(stdin).stdout(stdout);
    if let Some(stderr) = stderr {
        ends = ends.stderr(stderr);
    }
    let child = Child::spawn(&program, ends)?;
    Ok(Endpoint { child: Some(Box::new(child)), ..Endpoint::new(source, sink) })
}

/// The program's stdin and stdout, and our side of both.
type Joined = (OwnedFd, OwnedFd, Source, Sink);

fn over_pipes() -> io::Result<Joined> {
    let (stdin, into) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (out, stdout) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    // Each end has a description of its own: the child's ends stay blocking.
    for ours in [&into, &out] {
        let flags = rustix::fs::fcntl_getfl(ours)?;
        rustix::fs::fcntl_setfl(ours, flags | OFlags::NONBLOCK)?;
    }
    let source = Source::Stream(Arc::new(Descriptor::new(out, Kind::Pipe)?));
    let sink = child_sink(Descriptor::new(into, Kind::Pipe)?, HalfClose::Close);
    Ok((stdin, stdout, source, sink))
}

fn over_socket_pair() -> io::Result<Joined> {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let second = rustix::io::fcntl_dupfd_cloexec(&theirs, 3)?;
    // For our end alone; splice(2) has no flag that stands in for it.
    rustix::fs::fcntl_setfl(&ours, OFlags::RDWR | OFlags::NONBLOCK)?;
    let ours = Arc::new(Descriptor::new(ours, Kind::Local)?);
    let sink = Sink::Stream {
        fd: ours.clone(),
        stalled: false,
        half_close: HalfClose::Shutdown,
        when_broken: WhenBroken::Discard,
    };
    Ok((theirs, second, Source::Stream(ours), sink))
}

fn child_sink(fd: Descriptor, half_close: HalfClose) -> Sink {
    Sink::Stream { fd: Arc::new(fd), stalled: false, half_close, when_broken: WhenBroken::Discard }
}

fn stderr(options: &Options, stdout: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    Ok(match options.text(Key::Stderr) {
        Some("merge") => Some(rustix::io::fcntl_dupfd_cloexec(stdout, 3)?),
        Some("null") => Some(File::options().write(true).open("/dev/null")?.into()),
        _ => None,
    })
}

fn on_terminal(program: &Program, options: &Options) -> Result<Endpoint, Failure> {
    let cannot = |why: io::Error| Failure::other("cannot make a terminal", why);
    let pair = pty::Pair::open(options).map_err(cannot)?;
    let (slave, source, sink) = pair.into_ends().map_err(cannot)?;
    let child = Child::spawn(program, Ends::on_terminal(slave))?;
    Ok(Endpoint { child: Some(Box::new(child)), ..Endpoint::new(source, sink) })
}
