//! socat's spellings: its type names, and options that ask for what spile does anyway.

use super::{Key, Value};

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
    spelling("open", "file", false),
    spelling("gopen", "file", false),
    spelling("create", "file", false),
    spelling("creat", "file", false),
    spelling("system", "sh", false),
    spelling("shell", "sh", false),
    spelling("stdin", "stdio", false),
    spelling("stdout", "stdio", false),
];

/// The spelling of a word in lower case.
pub fn spelling_of(word: &str) -> Option<&'static Spelling> {
    SPELLINGS.iter().find(|spelling| spelling.word == word)
}

/// The option that a type name stands for: `CREATE:path` is `file:path,create`.
pub fn implied(word: &str) -> Option<(Key, Value)> {
    matches!(word, "create" | "creat").then_some((Key::Create, Value::Flag(true)))
}

/// Options that ask for what spile always does, so that they say nothing.
const ALWAYS: &[&str] = &[
    "fork",
    "unlink-early",
    "cloexec",
    "o-cloexec",
    "nonblock",
    "o-nonblock",
    "setsid",
    "ctty",
    "waitslave",
    "pty-wait-slave",
    "noctty",
    "o-noctty",
    "cool-write",
];

/// True for an option that changes nothing.
pub fn is_default(name: &str) -> bool {
    ALWAYS.contains(&name)
}

/// `pf=ip4` and its kin: the version, 4 or 6.
pub fn protocol_family(name: &str, value: Option<&str>) -> Option<Result<u8, String>> {
    if name != "pf" && name != "protocol-family" {
        return None;
    }
    Some(match value {
        Some("ip4" | "ipv4" | "inet" | "2") => Ok(4),
        Some("ip6" | "ipv6" | "inet6" | "10") => Ok(6),
        other => Err(format!("'{}' is neither ip4 nor ip6", other.unwrap_or_default())),
    })
}
