//! What an address can name, as types.

use std::path::PathBuf;

/// What one end of an address names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `-`, `stdio`: standard input and output.
    Stdio,
    /// `tcp:`, `udp:` and their `4` and `6` forms, and bare `HOST:PORT`.
    Net {
        /// TCP or UDP.
        net: Net,
        /// The IP version asked for.
        family: Family,
        /// The host part.
        host: Host,
        /// The port part.
        port: Port,
    },
    /// `unix:`, `unix-dgram:`, `seqpacket:`, `abstract:`.
    Unix {
        /// The socket type.
        kind: UnixKind,
        /// Path or abstract name.
        name: UnixName,
    },
    /// A bare path in `relay`: an existing file or fifo is opened, anything else is a Unix socket.
    Path(PathBuf),
    /// `vsock:CID:PORT`; `None` is any CID (listening) or the host.
    Vsock {
        /// Context id of the peer or the address to listen on.
        cid: Option<u32>,
        /// The port.
        port: u32,
    },
    /// `file:PATH`: a regular file or device.
    File(PathBuf),
    /// `fifo:PATH`: a named pipe, created when it does not exist.
    Fifo(PathBuf),
    /// `fd:N`: an inherited descriptor.
    Fd(i32),
    /// `exec:PROG ARG…`: a program without a shell.
    Exec(Vec<String>),
    /// `sh:TEXT`: a command line for /bin/sh.
    Shell(String),
    /// `pty`: a new pseudo-terminal, `link=PATH` names it.
    Pty,
    /// `null`: ends at once, takes everything.
    Null,
    /// `echo`: what goes in comes out.
    Echo,
    /// `discard`: takes everything, says nothing, ends when its input ends.
    Discard,
    /// `zero`: NUL bytes for ever, takes everything.
    Zero,
    /// `text:TEXT`: says TEXT, then ends.
    Text(Vec<u8>),
    /// `systemd`, `systemd:NAME`: a listening socket passed in LISTEN_FDS.
    Systemd(Option<String>),
}

/// What is put between a stream and what passes through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// Nothing.
    #[default]
    Plain,
    /// TLS.
    Tls,
}

/// The Internet transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// A byte stream.
    Tcp,
    /// Datagrams.
    Udp,
}

/// The IP version asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Whatever the host has.
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// The host part of `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or a numeric address, brackets removed; a zone stays (`fe80::1%eth0`).
    Name(String),
    /// `:PORT`, `*:PORT`: every interface when listening, this host when connecting.
    Any,
    /// `PORT` alone: both loopbacks.
    Loopback,
}

/// The port part: a number, or a service name to look up (`https`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// 0 when listening: let the kernel choose.
    Number(u16),
    /// A name from services(5).
    Service(String),
}

/// The type of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixKind {
    /// SOCK_STREAM.
    Stream,
    /// SOCK_DGRAM.
    Datagram,
    /// SOCK_SEQPACKET.
    SeqPacket,
}

/// Where a Unix socket lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixName {
    /// A path in the file system.
    Path(PathBuf),
    /// A name in Linux' abstract namespace, without its leading NUL.
    Abstract(String),
}
