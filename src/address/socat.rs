//! socat's spellings: its type names, and options that ask for what spile does anyway.

use std::borrow::Cow;

use super::option_table::{EXEC, FILE, IP, NEW_TERMINAL, PATH, PTY, Part, TERMINAL, UDP, option};
use super::scheme_table::{Kind, Scheme};
use super::{Family, Key, Options, Value};

/// A socat type name that is spelt otherwise here.
pub struct Spelling {
    /// socat's word in lower case.
    pub word: &'static str,
    /// Our word.
    pub scheme: &'static str,
    /// Whether it listens.
    pub listening: bool,
}

const fn spelling(word: &'static str, scheme: &'static str, listening: bool) -> Spelling {
    Spelling { word, scheme, listening }
}

/// Words beyond our own with `-l` or `-listen`.
pub const SPELLINGS: &[Spelling] = &[
    spelling("tcp-connect", "tcp", false),
    spelling("tcp4-connect", "tcp4", false),
    spelling("tcp6-connect", "tcp6", false),
    spelling("udp-connect", "udp", false),
    spelling("udp4-connect", "udp4", false),
    spelling("udp6-connect", "udp6", false),
    spelling("udp-sendto", "udp", false),
    spelling("udp4-sendto", "udp4", false),
    spelling("udp6-sendto", "udp6", false),
    spelling("udp-recvfrom", "udp", true),
    spelling("udp4-recvfrom", "udp4", true),
    spelling("udp6-recvfrom", "udp6", true),
    spelling("udp-recv", "udp", true),
    spelling("udp4-recv", "udp4", true),
    spelling("udp6-recv", "udp6", true),
    spelling("unix-connect", "unix", false),
    spelling("unix-client", "unix", false),
    spelling("local", "unix", false),
    spelling("unix-sendto", "unix-dgram", false),
    spelling("unix-recvfrom", "unix-dgram", true),
    spelling("unix-recv", "unix-dgram", true),
    spelling("abstract-connect", "abstract", false),
    spelling("abstract-client", "abstract", false),
    spelling("vsock-connect", "vsock", false),
    spelling("openssl", "tls", false),
    spelling("openssl-connect", "tls", false),
    spelling("openssl-l", "tls", true),
    spelling("openssl-listen", "tls", true),
    spelling("ssl", "tls", false),
    spelling("ssl-l", "tls", true),
    spelling("ssl-listen", "tls", true),
    spelling("tls+tcp", "tls", false),
    spelling("tls+tcp-l", "tls", true),
    spelling("tls+tcp-listen", "tls", true),
    spelling("open", "file", false),
    spelling("gopen", "file", false),
    spelling("create", "file", false),
    spelling("creat", "file", false),
    spelling("run", "exec", false),
    spelling("system", "sh", false),
    spelling("shell", "sh", false),
    spelling("stdin", "stdio", false),
    spelling("stdout", "stdio", false),
];

/// The spelling of a word in lower case.
pub fn spelling_of(word: &str) -> Option<&'static Spelling> {
    SPELLINGS.iter().find(|spelling| spelling.word == word)
}

/// The option that a word stands for: `CREATE:path` is `file:path,create`, `pty:CMD` is `exec,pty:CMD`.
pub fn implied(word: &str, scheme: &Scheme) -> Option<(Key, Value)> {
    let key = match (word, scheme.kind) {
        ("create" | "creat", _) => Key::Create,
        ("pty", Kind::Exec) => Key::PtyFlag,
        _ => return None,
    };
    Some((key, Value::Flag(true)))
}

/// Options that ask for what spile does anyway, and the groups of schemes where that is so: where they connect
/// or are opened, and where they listen.
const ALWAYS: &[(&str, u32, u32)] = &[
    ("fork", NONE, ANY),
    ("unlink-early", PATH, PATH),
    ("reuseaddr", IP | PATH, PATH),
    ("so-reuseaddr", IP | PATH, PATH),
    ("broadcast", NONE, UDP),
    ("so-broadcast", NONE, UDP),
    ("cloexec", ANY, ANY),
    ("o-cloexec", ANY, ANY),
    ("nonblock", ANY, ANY),
    ("o-nonblock", ANY, ANY),
    ("cool-write", ANY, ANY),
    ("noctty", FILE, NONE),
    ("o-noctty", FILE, NONE),
    ("setsid", EXEC, NONE),
    ("ctty", EXEC, NONE),
    ("controlling-tty", EXEC, NONE),
    ("wait-slave", PTY, NONE),
    ("waitslave", PTY, NONE),
    ("pty-wait-slave", PTY, NONE),
];

const ANY: u32 = u32::MAX;
const NONE: u32 = 0;

/// Options of socat's that mean something spile does not do (yet): refused by name, not as unknown.
const ELSEWHERE: &[&str] = &[
    "chroot",
    "compress",
    "cr",
    "crlf",
    "crnl",
    "dh",
    "dhparam",
    "dhparams",
    "egd",
    "end-close",
    "escape",
    "excl",
    "fips",
    "history",
    "icanon",
    "ignoreeof",
    "linger",
    "lockfile",
    "lowport",
    "maxfraglen",
    "maxsendfrag",
    "method",
    "nofork",
    "noecho",
    "o-excl",
    "perm-early",
    "openssl-compress",
    "openssl-dhparam",
    "openssl-method",
    "prompt",
    "pseudo",
    "readbytes",
    "sane",
    "setgid",
    "setpgid",
    "setuid",
    "shut-close",
    "shut-down",
    "shut-none",
    "shut-null",
    "sighup",
    "sigint",
    "sigquit",
    "so-linger",
    "socksport",
    "su",
    "su-d",
    "substuser",
    "substuser-delayed",
    "tcpwrap",
    "umask",
    "waitlock",
];

/// True for an option that changes nothing in a scheme of `groups` that plays `part`.
pub fn is_default(name: &str, value: Option<&str>, groups: u32, part: Part) -> bool {
    let takers = |connecting, listening| if part == Part::Listening { listening } else { connecting };
    let is_there = |of: u32| of == ANY || of & groups != 0;
    matches!(value, None | Some("1" | "yes"))
        && ALWAYS.iter().any(|(always, connecting, listening)| {
            *always == name && is_there(takers(*connecting, *listening))
        })
}

/// True for an option that socat has and spile has not.
pub fn is_known(name: &str) -> bool {
    ELSEWHERE.contains(&name) || ALWAYS.iter().any(|(always, ..)| *always == name)
}

/// Several of our options in one word.
pub fn stands_for(name: &str) -> Option<&'static [&'static str]> {
    matches!(name, "rdwr" | "o-rdwr").then_some(&["read", "write"])
}

/// A value as our option of the same meaning takes it: `setsockopt=6:9:30` is `sockopt=6:9=30`.
pub fn value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    match (name, value.rsplit_once(':')) {
        ("setsockopt" | "setsockopt-int", Some((option, number))) if !value.contains('=') => {
            format!("{option}={number}").into()
        }
        // A floor below ours is no floor.
        ("openssl-min-proto-version", _) if matches!(value, "SSL2" | "SSL3" | "TLS1.0" | "TLS1.1") => {
            "1.2".into()
        }
        ("openssl-min-proto-version" | "openssl-max-proto-version", _) => {
            value.strip_prefix("TLS").unwrap_or(value).into()
        }
        _ => value.into(),
    }
}

/// The options that socat would find after a command; here the command is everything after the colon.
pub fn options_after_command(rest: &str) -> Option<(&str, &str)> {
    let groups = EXEC | TERMINAL | NEW_TERMINAL;
    let is_option = |piece: &str| {
        let name = piece.split('=').next().unwrap_or_default().to_ascii_lowercase();
        is_known(&name) || option(&name).is_some_and(|row| row.fits(groups, Part::Connecting))
    };
    let mut end = rest.len();
    while let Some((before, _)) = rest[..end].rsplit_once(',').filter(|(_, piece)| is_option(piece)) {
        end = before.len();
    }
    (end < rest.len()).then(|| (&rest[..end], &rest[end + 1..]))
}

/// `pf=ip4` and its kin.
pub fn protocol_family(name: &str, value: Option<&str>) -> Option<Result<Family, String>> {
    if name != "pf" && name != "protocol-family" {
        return None;
    }
    Some(match value {
        Some("ip4" | "ipv4" | "inet" | "2" | "4") => Ok(Family::V4),
        Some("ip6" | "ipv6" | "inet6" | "10" | "6") => Ok(Family::V6),
        other => Err(format!("'{}' is neither ip4 nor ip6", other.unwrap_or_default().escape_debug())),
    })
}

/// Options of OPENSSL addresses whose meaning depends on the part: socat verifies clients like servers, and lets in
/// whoever the authorities vouch for. Answers whether `name` is one of them.
pub fn tls(options: &mut Options, name: &str, value: Option<&str>, part: Part) -> Option<Result<(), String>> {
    let text =
        |key: Key| value.filter(|value| !value.is_empty()).map(|value| (key, Value::Text(value.to_owned())));
    let yes = (Key::AllowAny, Value::Flag(true));
    let pairs = match (name, part) {
        ("verify" | "openssl-verify", _) => match super::value::flag(value.unwrap_or("yes")) {
            Err(why) => return Some(Err(why)),
            Ok(true) if part == Part::Listening => vec![yes],
            Ok(false) if part == Part::Connecting => vec![(Key::Insecure, Value::Flag(true))],
            Ok(_) => vec![],
        },
        ("cafile" | "capath" | "openssl-cafile" | "openssl-capath", Part::Listening) => {
            let mut pairs: Vec<_> = text(Key::ClientCa).into_iter().collect();
            pairs.extend((!options.has(Key::AllowCn)).then_some(yes));
            pairs
        }
        ("commonname" | "openssl-commonname", Part::Connecting) => text(Key::Name).into_iter().collect(),
        ("commonname" | "openssl-commonname", Part::Listening) => {
            options.forget(Key::AllowAny);
            text(Key::AllowCn).into_iter().collect()
        }
        _ => return None,
    };
    options.extend(pairs);
    Some(Ok(()))
}
