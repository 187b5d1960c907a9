//! The table of options: one row each. Parsing, --help, man page and completions read it.

pub use super::key::Key;
use super::value;
use super::{Layer, Proxy, Value};
use crate::starttls;
use crate::suggest::nearest;

/// Internet sockets.
pub const IP: u32 = 1;
/// Internet sockets that may be IPv6.
pub const V6: u32 = 1 << 1;
/// TCP.
pub const TCP: u32 = 1 << 2;
/// UDP.
pub const UDP: u32 = 1 << 3;
/// Unix sockets.
pub const UNIX: u32 = 1 << 4;
/// Unix sockets that live at a path: the one that is listened on, or our own end's (`bind=`).
pub const PATH: u32 = 1 << 5;
/// Sockets that we make, of whatever kind.
pub const SOCKET: u32 = 1 << 6;
/// Sockets on which connections are accepted.
pub const STREAM: u32 = 1 << 7;
/// Sockets without connections: a listening one has a session per peer.
pub const DATAGRAM: u32 = 1 << 8;
/// Sockets that keep the boundaries of messages.
pub const MESSAGES: u32 = 1 << 9;
/// Sockets that were opened by somebody else; what they are is known only once they are looked at.
pub const PASSED: u32 = 1 << 10;
/// What is opened by its path: files and fifos.
pub const FILE: u32 = 1 << 11;
/// Files alone: what cannot be said of a fifo.
pub const CONTENT: u32 = 1 << 12;
/// Programs.
pub const EXEC: u32 = 1 << 13;
/// Terminals, ours or new.
pub const TERMINAL: u32 = 1 << 14;
/// Terminals that are made, whose size is ours to say.
pub const NEW_TERMINAL: u32 = 1 << 15;
/// Terminals for other programs to find.
pub const PTY: u32 = 1 << 16;
/// TLS over whatever stream.
pub const TLS: u32 = 1 << 17;

/// Streams of bytes that may begin with a PROXY header.
pub const PROXIED: u32 = 1 << 18;

/// What the options of the commands are about; those of files and programs are said in the address alone.
const NETWORK: u32 =
    IP | V6 | TCP | UDP | UNIX | PATH | SOCKET | STREAM | DATAGRAM | MESSAGES | PASSED | PROXIED;
/// The same where the commands speak TLS.
const SECURED: u32 = IP | V6 | TCP | UNIX | PATH | SOCKET | STREAM | TLS | PROXIED;

/// The part that an end plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It connects, or is opened without a peer.
    Connecting,
    /// It waits for peers.
    Listening,
}

impl Part {
    /// Both.
    pub const ALL: [Part; 2] = [Part::Connecting, Part::Listening];
}

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
    /// Any text; the bare name is this.
    Or(&'static str),
    /// One of many words.
    Choice(&'static [&'static str]),
    /// The URL of a proxy.
    Url,
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
    /// Which schemes take it where they connect or are opened; any common bit will do.
    pub connecting: u32,
    /// Which schemes take it where they listen.
    pub listening: u32,
    /// One line of help.
    pub help: &'static str,
}

impl OptionRow {
    /// Reads a value; `None` is the bare name.
    pub fn read(&self, text: Option<&str>) -> Result<Value, String> {
        let missing = || format!("a value is missing: {}={}", self.name, self.metavar);
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
            Or(usual) => match text.unwrap_or(usual) {
                "" => Err(missing()),
                text => Ok(Value::Text(text.to_owned())),
            },
            Choice(words) => {
                let text = given()?.to_ascii_lowercase();
                match (words.contains(&&*text), nearest(&text, words.iter().copied())) {
                    (true, _) => Ok(Value::Text(text)),
                    (false, Some(near)) => {
                        Err(format!("'{}' is not known; did you mean '{near}'?", text.escape_debug()))
                    }
                    (false, None) => Err(format!("'{}' is none of {}", text.escape_debug(), words.join(" "))),
                }
            }
            Url => {
                let text = given()?;
                Proxy::read(text).map(|_| Value::Text(text.to_owned()))
            }
            Word(words) => match text.map_or(Some(&words[0]), |text| words.iter().find(|w| **w == text)) {
                Some(word) => Ok(Value::Text((*word).to_owned())),
                None => Err(format!("'{}' is none of {}", text.unwrap_or_default(), words.join(" "))),
            },
        }
    }

    /// True when a value that is refused must not be repeated: it may hold a password.
    pub fn may_be_secret(&self) -> bool {
        self.takes == Url
    }

    /// Which schemes take it in that part.
    pub fn groups(&self, part: Part) -> u32 {
        match part {
            Part::Connecting => self.connecting,
            Part::Listening => self.listening,
        }
    }

    /// True when a scheme of `groups` takes it in that part.
    pub fn fits(&self, groups: u32, part: Part) -> bool {
        self.groups(part) & groups != 0
    }

    /// True for what can be typed as a flag of a command whose network side plays that part and speaks that.
    pub fn is_flag(&self, part: Part, layer: Layer) -> bool {
        match layer {
            Layer::Plain => self.fits(NETWORK, part),
            Layer::Tls => self.fits(SECURED, part),
        }
    }

    /// What the bare name of a flag stands for, where it is enough.
    pub fn bare(&self) -> Option<&'static str> {
        match self.takes {
            Flag => Some("yes"),
            Or(usual) => Some(usual),
            _ => None,
        }
    }
}

macro_rules! options {
    ($($key:ident $name:literal [$($alias:literal)*] $takes:expr, $metavar:literal, $connecting:expr, $listening:expr, $help:literal;)*) => {
        /// Every option.
        pub const OPTIONS: &[OptionRow] = &[$(OptionRow {
            key: Key::$key, name: $name, aliases: &[$($alias),*], takes: $takes, metavar: $metavar,
            connecting: $connecting, listening: $listening, help: $help,
        }),*];
    };
}

use Takes::{Choice, Flag, Mode, Number, Or, Size, Text, Time, Tries, Url, Word};

const PORT: Takes = Number(0, 65_535);
const COUNT: Takes = Number(1, i32::MAX as i64);
const BYTE: Takes = Number(0, 255);
const NONE: u32 = 0;

options! {
    Bind "bind" [] Text, "ADDR[:PORT]", IP | PATH, IP, "Local address to connect from or listen on";
    SourcePort "source-port" ["sp" "sourceport"] PORT, "PORT", IP, NONE, "Local port to connect from";
    Device "device" ["so-bindtodevice" "bindtodevice" "interface" "if"] Text, "IF", IP, IP, "Use this network interface alone (SO_BINDTODEVICE)";
    Nodelay "nodelay" ["tcp-nodelay"] Flag, "YES", TCP, TCP, "Send small pieces at once (TCP_NODELAY; yes by default)";
    Keepalive "keepalive" ["so-keepalive"] Flag, "YES", TCP, TCP, "Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)";
    Keepidle "keepidle" ["tcp-keepidle"] Time, "TIME", TCP, TCP, "Silence before the first probe (60s)";
    Keepintvl "keepintvl" ["tcp-keepintvl"] Time, "TIME", TCP, TCP, "Time between probes (10s)";
    Keepcnt "keepcnt" ["tcp-keepcnt"] COUNT, "N", TCP, TCP, "Probes without answer before the peer is dead (3)";
    Fastopen "fastopen" ["tcp-fastopen-connect"] Flag, "YES", TCP, NONE, "TCP Fast Open when connecting";
    Sndbuf "sndbuf" ["so-sndbuf"] Size, "SIZE", IP | UNIX, IP | UNIX | PASSED, "Send buffer of the kernel (SO_SNDBUF)";
    Rcvbuf "rcvbuf" ["so-rcvbuf"] Size, "SIZE", IP, IP | PASSED, "Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)";
    Reuseaddr "reuseaddr" ["so-reuseaddr"] Flag, "YES", NONE, IP, "Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)";
    Reuseport "reuseport" ["so-reuseport"] Flag, "YES", IP, IP, "Share the port with other servers (SO_REUSEPORT)";
    Ttl "ttl" ["ip-ttl" "ipttl"] BYTE, "N", IP, IP, "Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)";
    Tos "tos" ["ip-tos" "iptos"] BYTE, "N", IP, IP, "Type of service (IP_TOS, IPV6_TCLASS)";
    Mark "mark" ["so-mark"] Number(0, u32::MAX as i64), "N", IP, IP, "Firewall mark (SO_MARK)";
    V6only "v6only" ["ipv6-v6only" "ipv6only"] Flag, "YES", NONE, V6, "An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)";
    Backlog "backlog" [] COUNT, "N", NONE, STREAM, "Peers that may wait to be accepted (1024)";
    Sockopt "sockopt" ["setsockopt-int" "setsockopt"] Text, "LEVEL:NAME=INT", SOCKET, SOCKET | PASSED, "Any socket option by number; may repeat";
    ConnectTimeout "connect-timeout" [] Time, "TIME", SOCKET, NONE, "How long one try to connect may take, a TLS handshake included (10s)";
    AcceptTimeout "accept-timeout" [] Time, "TIME", NONE, SOCKET | PASSED, "How long to wait for the first peer";
    Retry "retry" [] Tries, "N", SOCKET, NONE, "Try again so many times, or 'forever'";
    Forever "forever" [] Flag, "YES", SOCKET, NONE, "Try again for ever";
    RetryDelay "retry-delay" ["interval" "intervall"] Time, "TIME", SOCKET, NONE, "First pause between tries (100ms; it grows to 2s)";
    RetryFor "retry-for" [] Time, "TIME", SOCKET, NONE, "Try again until this much time has passed";
    MaxConns "max-conns" ["max-children"] COUNT, "N", NONE, STREAM | PASSED, "Connections served at once; more wait. Who has still to shake hands is not counted";
    Allow "allow" ["range"] Text, "CIDR", NONE, IP | PASSED, "Networks that may connect; may repeat";
    Deny "deny" [] Text, "CIDR", NONE, IP | PASSED, "Networks that may not connect; may repeat";
    Proxy "proxy" [] Url, "URL", TCP, NONE, "Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT";
    ProxyAuthFile "proxy-auth-file" [] Text, "FILE", TCP, NONE, "Who we are to the proxy: the first line of FILE is USER:PASSWORD";
    ProxyProtocol "proxy-protocol" ["proxy-send" "send-proxy"] Word(&["v2", "v1", "v2-tls", "v2-tls-cert"]), "FORM", PROXIED, NONE, "Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert";
    AcceptProxy "accept-proxy" ["proxy-recv"] Flag, "YES", NONE, PROXIED | PASSED, "Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may";
    Broadcast "broadcast" ["so-broadcast"] Flag, "YES", UDP, NONE, "Allow broadcast addresses (SO_BROADCAST)";
    Join "join" ["ip-add-membership" "ipv6-join-group" "ipv6-add-membership"] Text, "GROUP[:IF]", NONE, UDP, "Multicast group to receive; may repeat";
    MulticastTtl "multicast-ttl" ["ip-multicast-ttl"] BYTE, "N", UDP, NONE, "Hops that multicast lives";
    MulticastLoop "multicast-loop" ["ip-multicast-loop"] Flag, "YES", UDP, NONE, "Hear our own multicast";
    MulticastIf "multicast-if" ["ip-multicast-if"] Text, "IF", UDP, NONE, "Interface that multicast leaves by";
    SessionIdle "session-idle" [] Time, "TIME", NONE, DATAGRAM | PASSED, "Silence that ends a datagram peer's session (60s)";
    MaxSessions "max-sessions" [] COUNT, "N", NONE, DATAGRAM | PASSED, "Datagram peers at once; the longest silent one makes room (1024)";
    Mtu "mtu" [] Size, "SIZE", MESSAGES, MESSAGES | PASSED, "Most bytes of a stream in one datagram (8192)";
    EofOnEmpty "eof-on-empty" ["null-eof"] Flag, "YES", MESSAGES, MESSAGES | PASSED, "An empty datagram is the end";
    Mode "mode" ["perm" "unlink-mode"] Mode, "OCTAL", PATH | FILE, PATH, "Permissions of the path that is made";
    User "user" ["uid" "owner"] Text, "USER", PATH | FILE | PTY, PATH, "Owner of the path that is made";
    Group "group" ["gid"] Text, "GROUP", PATH | FILE | PTY, PATH, "Group of the path that is made";
    Unlink "unlink" ["unlink-close"] Flag, "YES", PATH, PATH, "Remove the path at the end (yes by default)";
    Read "read" ["rdonly" "o-rdonly"] Flag, "YES", FILE, NONE, "Open for reading";
    Write "write" ["wronly" "o-wronly"] Flag, "YES", FILE, NONE, "Open for writing";
    Append "append" ["o-append"] Flag, "YES", CONTENT, NONE, "Write at the end of the file, made when missing";
    Create "create" ["creat" "o-creat" "trunc" "o-trunc"] Flag, "YES", CONTENT, NONE, "Make the file, or empty it";
    Pipes "pipes" [] Flag, "YES", EXEC, NONE, "Two pipes (the default); pipes=no is a socket pair";
    PtyFlag "pty" [] Flag, "YES", EXEC, NONE, "Give the program a terminal";
    Stderr "stderr" [] Word(&["merge", "inherit", "null"]), "WHERE", EXEC, NONE, "The program's stderr: merge with stdout, inherit (default), null";
    Dir "dir" ["cd" "chdir"] Text, "DIR", EXEC, NONE, "Working directory of the program";
    Link "link" ["symbolic-link"] Text, "PATH", PTY, NONE, "Symbolic link to the terminal that is made";
    Raw "raw" ["rawer" "cfmakeraw"] Flag, "YES", TERMINAL, NONE, "Terminal in raw mode";
    Echo "echo" [] Flag, "YES", TERMINAL, NONE, "Terminal echo";
    Rows "rows" [] Number(1, 65_535), "N", NEW_TERMINAL, NONE, "Rows of the terminal";
    Cols "cols" ["columns"] Number(1, 65_535), "N", NEW_TERMINAL, NONE, "Columns of the terminal";
    Cafile "cafile" ["capath" "openssl-cafile" "openssl-capath"] Text, "FILE", TLS, NONE, "Authorities to trust instead of the system's: a file or a directory; may repeat";
    CaAdd "ca-add" [] Text, "FILE", TLS, NONE, "Authorities to trust beside the others; may repeat";
    Roots "roots" [] Word(&["system", "mozilla", "none"]), "WHICH", TLS, NONE, "Whose authorities to trust: system, mozilla (built in) or none";
    TrustCert "trust-cert" [] Text, "FILE", TLS, NONE, "Trust exactly this certificate, an authority or not; may repeat";
    Pin "pin" [] Text, "sha256//B64", TLS, NONE, "The peer's key must be this one, too; may repeat";
    PinOnly "pin-only" [] Flag, "YES", TLS, NONE, "The pin stands in for names, dates and authorities";
    Crl "crl" [] Text, "FILE", TLS, TLS, "Revocation list; one that has expired is an error; may repeat";
    CrlSoft "crl-soft" [] Flag, "YES", TLS, TLS, "Certificates that no list is about are fine";
    Staple "staple" [] Word(&["check", "require", "ignore"]), "WHAT", TLS, NONE, "The OCSP response that a server staples: check it where there is one, require one, or ignore it (check)";
    Insecure "insecure" [] Flag, "YES", TLS, NONE, "Go on whoever the peer is; what is wrong is still told";
    Name "name" [] Text, "HOST", TLS, NONE, "Who the peer must be, and is asked for (HOST of the address)";
    Sni "sni" ["snihost" "openssl-snihost"] Text, "HOST", TLS, NONE, "The host that is asked for, if another than the one verified";
    NoSni "no-sni" ["nosni" "openssl-no-sni"] Flag, "YES", TLS, NONE, "Ask for no host";
    Cert "cert" ["certificate" "openssl-certificate"] Text, "FILE", TLS, TLS, "Our certificate and what leads to its authority; the key may be in it";
    Private "key" ["openssl-key"] Text, "FILE", TLS, TLS, "Our key, where the certificate's file has none";
    PassFile "pass-file" [] Text, "FILE", TLS, TLS, "The passphrase of the key: the first line of a file or /dev/fd/N";
    Min "min" ["openssl-min-proto-version" "min-version"] Word(&["1.2", "1.3"]), "VERSION", TLS, TLS, "Oldest version of TLS (1.2)";
    Max "max" ["openssl-max-proto-version" "max-version"] Word(&["1.3", "1.2"]), "VERSION", TLS, TLS, "Newest version of TLS (1.3)";
    Groups "groups" ["curves"] Text, "LIST", TLS, TLS, "Key exchange groups, such as x25519:secp256r1; the order of the client counts";
    Ciphers "ciphers" ["cipher" "cipherlist" "openssl-cipherlist"] Text, "LIST", TLS, TLS, "Cipher suites, preferred ones first, such as TLS_AES_128_GCM_SHA256";
    Alpn "alpn" ["openssl-alpn"] Text, "LIST", TLS, TLS, "Application protocols to offer or to take: h2,http/1.1";
    ExpectAlpn "expect-alpn" [] Text, "NAME", TLS, NONE, "The application protocol that must come of it";
    Starttls "starttls" [] Choice(starttls::NAMES), "PROTOCOL", TLS, NONE, "Begin in plain text and ask for TLS as this protocol does: smtp lmtp imap pop3 ftp nntp xmpp xmpp-server postgres mysql ldap sieve irc telnet";
    NoHalfClose "no-half-close" [] Flag, "YES", TLS, TLS, "Keep our end (close_notify) back until the peer has said its own";
    Linger "linger" [] Time, "TIME", TLS, TLS, "How long to wait at the end for the peer to have read everything (5s)";
    IgnoreUnexpectedEof "ignore-unexpected-eof" [] Flag, "YES", TLS, TLS, "A connection that ends without close_notify has ended well";
    HandshakeTimeout "handshake-timeout" [] Time, "TIME", TLS, TLS | PROXIED | PASSED, "How long a handshake or a PROXY header may take (10s)";
    Keylog "keylog" [] Text, "FILE", TLS, TLS, "Write the keys of sessions to this file, for wireshark: whoever has it can read them";
    StrictPerms "strict-perms" [] Flag, "YES", TLS, TLS, "A key that others can read is an error";
    At "at" [] Text, "TIME", TLS, TLS, "Judge certificates as if it were then (RFC 3339)";
    SelfSigned "self-signed" [] Or("localhost"), "NAMES", NONE, TLS, "Make a certificate for these names, for this run alone (localhost)";
    SniCert "sni-cert" [] Text, "NAME=FILE", NONE, TLS, "Another certificate, for clients that ask for NAME; may repeat";
    StrictSni "strict-sni" [] Flag, "YES", NONE, TLS, "Refuse clients that ask for a host we have no certificate for";
    Ocsp "ocsp" [] Text, "FILE", NONE, TLS, "OCSP response to staple to the certificate (DER)";
    ClientCa "client-ca" [] Text, "FILE", NONE, TLS, "Clients must show a certificate of these authorities; may repeat";
    ClientOptional "client-optional" [] Flag, "YES", NONE, TLS, "Clients may also show none";
    AllowAny "allow-any" [] Flag, "YES", NONE, TLS, "Any certificate of the client authorities will do";
    AllowDns "allow-dns" [] Text, "NAME", NONE, TLS, "Clients whose certificate names this host; may repeat";
    AllowUri "allow-uri" [] Text, "URI", NONE, TLS, "Clients whose certificate names this URI; * is one segment of its path; may repeat";
    AllowCn "allow-cn" [] Text, "NAME", NONE, TLS, "Clients with this common name; may repeat";
    AllowOu "allow-ou" [] Text, "UNIT", NONE, TLS, "Clients of this organizational unit; may repeat";
    AllowPin "allow-pin" [] Text, "sha256//B64", NONE, TLS, "Clients with this key; may repeat";
    Tickets "tickets" [] Number(0, 16), "N", NONE, TLS, "Tickets for quicker handshakes to give to each client (2)";
    MaxHandshakes "max-handshakes" [] COUNT, "N", NONE, TLS | PROXIED | PASSED, "Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)";
    ReloadEvery "reload-every" [] Time, "TIME", NONE, TLS, "Look this often whether certificates, keys and lists have changed, and read them again";
    CertOut "cert-out" [] Text, "FILE", NONE, TLS, "Write the certificate of --self-signed to this file, for clients to trust";
}

/// The row of a name or alias in lower case.
pub fn option(name: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.name == name || row.aliases.contains(&name))
}

/// The row of a key.
pub fn row_of(key: Key) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.key == key)
}
