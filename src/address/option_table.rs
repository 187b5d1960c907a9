//! The table of options: one row each. Parsing, --help, man page and completions read it.

use super::Value;
pub use super::key::Key;
use super::value;

/// Schemes that bind or connect over IP.
pub const IP: u32 = 1;
/// TCP.
pub const TCP: u32 = 1 << 1;
/// UDP.
pub const UDP: u32 = 1 << 2;
/// Unix sockets, which live at a path.
pub const PATH: u32 = 1 << 3;
/// Listening datagram sockets that have no connections of their own: a session per peer.
pub const SESSIONS: u32 = 1 << 4;
/// Everything that connects.
pub const CONNECT: u32 = 1 << 5;
/// Everything that listens.
pub const LISTEN: u32 = 1 << 6;
/// What is opened by its path: files and fifos.
pub const FILE: u32 = 1 << 7;
/// Programs.
pub const EXEC: u32 = 1 << 8;
/// Terminals, ours or new.
pub const TERMINAL: u32 = 1 << 9;
/// Terminals that are made, whose size is ours to say.
pub const NEW_TERMINAL: u32 = 1 << 10;
/// Terminals for other programs to find.
pub const PTY: u32 = 1 << 11;
/// Files alone: what cannot be said of a fifo.
pub const CONTENT: u32 = 1 << 12;
/// Sockets that keep the boundaries of messages.
pub const MESSAGES: u32 = 1 << 13;

/// The kind of value that an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// yes or no; the bare name is yes.
    Flag,
    /// A duration.
    Time,
    /// A number of bytes.
    Size,
    /// A number from the first to the second.
    Number(i64, i64),
    /// How often something is tried again: a number, or `forever`.
    Tries,
    /// Octal permission bits.
    Mode,
    /// Any text.
    Text,
    /// One of a few words; the bare name is the first.
    Word(&'static [&'static str]),
}

/// A row: one option.
#[derive(Debug)]
pub struct OptionRow {
    /// What it means to the rest of the program.
    pub key: Key,
    /// What is typed: `name=value` in an address, `--name value` as a flag.
    pub name: &'static str,
    /// Other spellings, socat's among them.
    pub aliases: &'static [&'static str],
    /// Its values.
    pub takes: Takes,
    /// What the value is called in help.
    pub metavar: &'static str,
    /// Which schemes take it; any common bit will do.
    pub groups: u32,
    /// One line of help.
    pub help: &'static str,
}

impl OptionRow {
    /// Reads a value; `None` is the bare name.
    pub fn read(&self, text: Option<&str>) -> Result<Value, String> {
        let missing = || format!("needs a value: {}={}", self.name, self.metavar);
        let given = || text.ok_or_else(missing);
        match self.takes {
            Flag => value::flag(text.unwrap_or("yes")).map(Value::Flag),
            Time => value::duration(given()?).map(Value::Time),
            Size => value::size(given()?).map(Value::Size),
            Number(low, high) => {
                let number = value::number(given()?)?;
                match (low..=high).contains(&number) {
                    true => Ok(Value::Number(number)),
                    false => Err(format!("{number} is not within {low} to {high}")),
                }
            }
            Tries => value::tries(given()?).map(Value::Number),
            Mode => value::mode(given()?).map(Value::Mode),
            Text => match given()? {
                "" => Err(missing()),
                text => Ok(Value::Text(text.to_owned())),
            },
            Word(words) => match text.map_or(Some(&words[0]), |text| words.iter().find(|w| **w == text)) {
                Some(word) => Ok(Value::Text((*word).to_owned())),
                None => Err(format!("'{}' is none of {}", text.unwrap_or_default(), words.join(" "))),
            },
        }
    }

    /// True for what can be typed as a flag of the network side of connect, listen and relay.
    pub fn is_flag(&self) -> bool {
        self.groups & (IP | TCP | UDP | PATH | CONNECT | LISTEN | SESSIONS | MESSAGES) != 0
    }

    /// True when the bare name is enough.
    pub fn is_switch(&self) -> bool {
        matches!(self.takes, Flag)
    }
}

macro_rules! options {
    ($($key:ident $name:literal [$($alias:literal)*] $takes:expr, $metavar:literal, $groups:expr, $help:literal;)*) => {
        /// Every option.
        pub const OPTIONS: &[OptionRow] = &[$(OptionRow {
            key: Key::$key, name: $name, aliases: &[$($alias),*], takes: $takes, metavar: $metavar,
            groups: $groups, help: $help,
        }),*];
    };
}

use Takes::{Flag, Mode, Number, Size, Text, Time, Tries, Word};

const PORT: Takes = Number(0, 65_535);
const COUNT: Takes = Number(1, i32::MAX as i64);
const BYTE: Takes = Number(0, 255);

options! {
    Bind "bind" [] Text, "ADDR[:PORT]", IP | PATH, "Local address to connect from or listen on";
    SourcePort "source-port" ["sp" "sourceport"] PORT, "PORT", IP, "Local port to connect from";
    Device "device" ["so-bindtodevice" "bindtodevice" "interface" "if"] Text, "IF", IP, "Use this network interface alone (SO_BINDTODEVICE)";
    Nodelay "nodelay" ["tcp-nodelay"] Flag, "YES", TCP, "Send small pieces at once (TCP_NODELAY; yes by default)";
    Keepalive "keepalive" ["so-keepalive"] Flag, "YES", TCP, "Probe a silent peer (SO_KEEPALIVE; yes by default)";
    Keepidle "keepidle" ["tcp-keepidle"] Time, "TIME", TCP, "Silence before the first probe (60s)";
    Keepintvl "keepintvl" ["tcp-keepintvl"] Time, "TIME", TCP, "Time between probes (10s)";
    Keepcnt "keepcnt" ["tcp-keepcnt"] COUNT, "N", TCP, "Probes without answer before the peer is dead (3)";
    Fastopen "fastopen" ["tcp-fastopen-connect"] Flag, "YES", TCP, "TCP Fast Open when connecting";
    Sndbuf "sndbuf" ["so-sndbuf"] Size, "SIZE", CONNECT | LISTEN, "Send buffer of the kernel (SO_SNDBUF)";
    Rcvbuf "rcvbuf" ["so-rcvbuf"] Size, "SIZE", CONNECT | LISTEN, "Receive buffer of the kernel (SO_RCVBUF)";
    Reuseaddr "reuseaddr" ["so-reuseaddr"] Flag, "YES", IP, "Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)";
    Reuseport "reuseport" ["so-reuseport"] Flag, "YES", IP, "Share the port with other servers (SO_REUSEPORT)";
    Ttl "ttl" ["ip-ttl" "ipttl"] BYTE, "N", IP, "Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)";
    Tos "tos" ["ip-tos" "iptos"] BYTE, "N", IP, "Type of service (IP_TOS, IPV6_TCLASS)";
    Mark "mark" ["so-mark"] Number(0, u32::MAX as i64), "N", IP, "Firewall mark (SO_MARK)";
    V6only "v6only" ["ipv6-v6only" "ipv6only"] Flag, "YES", IP, "An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)";
    Backlog "backlog" [] COUNT, "N", LISTEN, "Peers that may wait to be accepted (1024)";
    Sockopt "sockopt" ["setsockopt-int" "setsockopt"] Text, "LEVEL:NAME=INT", CONNECT | LISTEN, "Any socket option by number; may repeat";
    ConnectTimeout "connect-timeout" [] Time, "TIME", CONNECT, "How long one try to connect may take (10s)";
    AcceptTimeout "accept-timeout" [] Time, "TIME", LISTEN, "How long to wait for the first peer";
    Retry "retry" [] Tries, "N", CONNECT, "Try again so many times, or 'forever'";
    Forever "forever" [] Flag, "YES", CONNECT, "Try again for ever";
    RetryDelay "retry-delay" ["interval" "intervall"] Time, "TIME", CONNECT, "First pause between tries (100ms; it grows to 2s)";
    RetryFor "retry-for" [] Time, "TIME", CONNECT, "Try again until this much time has passed";
    MaxConns "max-conns" ["max-children"] COUNT, "N", LISTEN, "Connections served at once; more wait";
    Allow "allow" ["range"] Text, "CIDR", LISTEN, "Networks that may connect; may repeat";
    Deny "deny" [] Text, "CIDR", LISTEN, "Networks that may not connect; may repeat";
    Broadcast "broadcast" ["so-broadcast"] Flag, "YES", UDP, "Allow broadcast addresses (SO_BROADCAST)";
    Join "join" ["ip-add-membership" "ipv6-join-group" "ipv6-add-membership"] Text, "GROUP[:IF]", UDP, "Multicast group to receive; may repeat";
    MulticastTtl "multicast-ttl" ["ip-multicast-ttl"] BYTE, "N", UDP, "Hops that multicast lives";
    MulticastLoop "multicast-loop" ["ip-multicast-loop"] Flag, "YES", UDP, "Hear our own multicast";
    MulticastIf "multicast-if" ["ip-multicast-if"] Text, "IF", UDP, "Interface that multicast leaves by";
    SessionIdle "session-idle" [] Time, "TIME", SESSIONS, "Silence that ends a datagram peer's session (60s)";
    MaxSessions "max-sessions" [] COUNT, "N", SESSIONS, "Datagram peers at once; the longest silent one makes room (1024)";
    Mtu "mtu" [] Size, "SIZE", MESSAGES, "Most bytes of a stream in one datagram (8192)";
    EofOnEmpty "eof-on-empty" ["null-eof"] Flag, "YES", MESSAGES, "An empty datagram is the end";
    Mode "mode" ["perm" "unlink-mode"] Mode, "OCTAL", PATH | FILE, "Permissions of the path that is made";
    User "user" ["uid" "owner"] Text, "USER", PATH | FILE | PTY, "Owner of the path that is made";
    Group "group" ["gid"] Text, "GROUP", PATH | FILE | PTY, "Group of the path that is made";
    Unlink "unlink" ["unlink-close"] Flag, "YES", PATH, "Remove the path at the end (yes by default)";
    Read "read" ["rdonly" "o-rdonly"] Flag, "YES", FILE, "Open for reading";
    Write "write" ["wronly" "o-wronly"] Flag, "YES", FILE, "Open for writing";
    Append "append" ["o-append"] Flag, "YES", CONTENT, "Write at the end of the file, made when missing";
    Create "create" ["creat" "o-creat" "trunc" "o-trunc"] Flag, "YES", CONTENT, "Make the file, or empty it";
    Pipes "pipes" [] Flag, "YES", EXEC, "Two pipes (the default); pipes=no is a socket pair";
    PtyFlag "pty" [] Flag, "YES", EXEC, "Give the program a terminal";
    Stderr "stderr" [] Word(&["merge", "inherit", "null"]), "WHERE", EXEC, "The program's stderr: merge with stdout, inherit (default), null";
    Dir "dir" ["cd" "chdir"] Text, "DIR", EXEC, "Working directory of the program";
    Link "link" ["symbolic-link"] Text, "PATH", PTY, "Symbolic link to the terminal that is made";
    Raw "raw" ["rawer" "cfmakeraw"] Flag, "YES", TERMINAL, "Terminal in raw mode";
    Echo "echo" [] Flag, "YES", TERMINAL, "Terminal echo";
    Rows "rows" [] Number(1, 65_535), "N", NEW_TERMINAL, "Rows of the terminal";
    Cols "cols" ["columns"] Number(1, 65_535), "N", NEW_TERMINAL, "Columns of the terminal";
}

/// The row of a name or alias in lower case.
pub fn option(name: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.name == name || row.aliases.contains(&name))
}

/// The groups that count for an end: what is only for connecting means nothing to a listener, and the reverse.
pub fn groups_of(scheme: u32, listening: bool) -> u32 {
    scheme & if listening { !CONNECT } else { !(LISTEN | SESSIONS) }
}

/// The row of a key.
pub fn row_of(key: Key) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.key == key)
}
