//! The table of schemes: the words that open an address, what follows them, and which options they take.

use super::option_table::{
    CONTENT, DATAGRAM, EXEC, FILE, IP, MESSAGES, NEW_TERMINAL, PASSED, PATH, PROXIED, PTY, SOCKET, STREAM,
    TCP, TERMINAL, TLS, UDP, UNIX, V6,
};
use super::{Family, Layer, Net, UnixKind};

/// What a scheme names; decides how its REST is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Standard input and output.
    Stdio,
    /// HOST:PORT.
    Net(Net, Family),
    /// A path, or `@NAME`.
    Unix(UnixKind),
    /// An abstract name.
    Abstract,
    /// CID:PORT or PORT.
    Vsock,
    /// A path.
    File,
    /// A path.
    Fifo,
    /// A number.
    Fd,
    /// A program with arguments, verbatim.
    Exec,
    /// A shell command line, verbatim.
    Shell,
    /// Nothing.
    Pty,
    /// Nothing.
    Null,
    /// Nothing.
    Echo,
    /// Nothing.
    Discard,
    /// Nothing.
    Zero,
    /// Text, verbatim but for escapes.
    Text,
    /// Nothing or a name.
    Systemd,
}

impl Kind {
    /// True when everything after the colon belongs to the command or text.
    pub fn is_verbatim(self) -> bool {
        matches!(self, Kind::Exec | Kind::Shell | Kind::Text)
    }
}

/// A row: one scheme.
#[derive(Debug)]
pub struct Scheme {
    /// The word, in lower case.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What is spoken through it.
    pub layer: Layer,
    /// What follows, for help.
    pub syntax: &'static str,
    /// Whether `-l` can follow the word.
    pub listens: bool,
    /// Which groups of options it takes.
    pub groups: u32,
    /// One line of help.
    pub help: &'static str,
}

const fn row(
    name: &'static str,
    kind: Kind,
    syntax: &'static str,
    listens: bool,
    groups: u32,
    help: &'static str,
) -> Scheme {
    Scheme { name, kind, layer: Layer::Plain, syntax, listens, groups, help }
}

/// The same through TLS.
const fn over_tls(row: Scheme) -> Scheme {
    Scheme { layer: Layer::Tls, groups: row.groups | TLS, ..row }
}

const TCP4: u32 = IP | TCP | SOCKET | STREAM | PROXIED;
const UDP4: u32 = IP | UDP | SOCKET | DATAGRAM | MESSAGES;
const LOCAL: u32 = UNIX | SOCKET;
const PROGRAM: u32 = EXEC | TERMINAL | NEW_TERMINAL;

/// Every scheme.
pub const SCHEMES: &[Scheme] = &[
    row(
        "tcp",
        Kind::Net(Net::Tcp, Family::Any),
        "HOST:PORT",
        true,
        TCP4 | V6,
        "TCP; both IP versions are tried",
    ),
    row("tcp4", Kind::Net(Net::Tcp, Family::V4), "HOST:PORT", true, TCP4, "TCP over IPv4"),
    row("tcp6", Kind::Net(Net::Tcp, Family::V6), "HOST:PORT", true, TCP4 | V6, "TCP over IPv6"),
    row(
        "udp",
        Kind::Net(Net::Udp, Family::Any),
        "HOST:PORT",
        true,
        UDP4 | V6,
        "UDP; a listener has a session per peer",
    ),
    row("udp4", Kind::Net(Net::Udp, Family::V4), "HOST:PORT", true, UDP4, "UDP over IPv4"),
    row("udp6", Kind::Net(Net::Udp, Family::V6), "HOST:PORT", true, UDP4 | V6, "UDP over IPv6"),
    row(
        "unix",
        Kind::Unix(UnixKind::Stream),
        "PATH",
        true,
        LOCAL | PATH | STREAM | PROXIED,
        "a Unix stream socket; @NAME is abstract",
    ),
    row(
        "unix-dgram",
        Kind::Unix(UnixKind::Datagram),
        "PATH",
        true,
        LOCAL | PATH | DATAGRAM | MESSAGES,
        "a Unix datagram socket",
    ),
    row(
        "seqpacket",
        Kind::Unix(UnixKind::SeqPacket),
        "PATH",
        true,
        LOCAL | PATH | STREAM | MESSAGES,
        "a Unix seqpacket socket",
    ),
    row(
        "abstract",
        Kind::Abstract,
        "NAME",
        true,
        LOCAL | STREAM | PROXIED,
        "a Unix stream socket with an abstract name",
    ),
    row(
        "vsock",
        Kind::Vsock,
        "[CID:]PORT",
        true,
        SOCKET | STREAM,
        "a virtual machine's socket; without CID the host",
    ),
    over_tls(row(
        "tls",
        Kind::Net(Net::Tcp, Family::Any),
        "HOST:PORT",
        true,
        TCP4 | V6,
        "TLS over TCP; the peer is verified",
    )),
    over_tls(row("tls4", Kind::Net(Net::Tcp, Family::V4), "HOST:PORT", true, TCP4, "TLS over TCP and IPv4")),
    over_tls(row(
        "tls6",
        Kind::Net(Net::Tcp, Family::V6),
        "HOST:PORT",
        true,
        TCP4 | V6,
        "TLS over TCP and IPv6",
    )),
    over_tls(row(
        "tls+unix",
        Kind::Unix(UnixKind::Stream),
        "PATH",
        true,
        LOCAL | PATH | STREAM,
        "TLS over a Unix stream socket",
    )),
    over_tls(row(
        "tls+vsock",
        Kind::Vsock,
        "[CID:]PORT",
        true,
        SOCKET | STREAM,
        "TLS over a virtual machine's socket",
    )),
    row("stdio", Kind::Stdio, "", false, TERMINAL, "stdin and stdout; '-' for short"),
    row("fd", Kind::Fd, "N", false, 0, "an inherited descriptor"),
    row(
        "file",
        Kind::File,
        "PATH",
        false,
        FILE | CONTENT,
        "a file or device; read on the left, written on the right",
    ),
    row("fifo", Kind::Fifo, "PATH", false, FILE, "a named pipe, made when missing"),
    row("exec", Kind::Exec, "PROG ARG…", false, PROGRAM, "a program, without a shell; run: is the same"),
    row("sh", Kind::Shell, "TEXT", false, PROGRAM, "a command line for /bin/sh"),
    row(
        "pty",
        Kind::Pty,
        "[PROG ARG…]",
        false,
        TERMINAL | NEW_TERMINAL | PTY,
        "a program on a new terminal; without one, a terminal for others, which link=PATH names",
    ),
    row("null", Kind::Null, "", false, 0, "ends at once, takes everything"),
    row("echo", Kind::Echo, "", false, 0, "what goes in comes out"),
    row("discard", Kind::Discard, "", false, 0, "takes everything, ends when its input ends"),
    row("zero", Kind::Zero, "", false, 0, "NUL bytes for ever, takes everything"),
    row("text", Kind::Text, "TEXT", false, 0, r"says TEXT (\n \r \t \0 \\ \xHH), takes everything"),
    row("systemd", Kind::Systemd, "[NAME]", true, PASSED, "a listening or datagram socket from LISTEN_FDS"),
];

/// The same scheme through TLS; `None` where there is none.
pub fn secured(plain: &Scheme) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|row| row.layer == Layer::Tls && (row.kind == plain.kind))
}

/// The row of a word in lower case, without `-l`.
pub fn scheme(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.name == name)
}
