//! The address language: text to `Address` and back. Pure: nothing here opens, resolves or prints.

mod options;
mod parse;
mod print;
mod scheme;
mod socat;
mod suggest;
mod table;
mod value;

pub use options::{Key, Options};
pub use scheme::{Family, Host, Net, Port, Scheme, Target, UnixKind, UnixName};
pub use value::Value;

use crate::error::Failure;

/// What an address is read for; it decides what a bare `PORT` or path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `connect`, `wait`: a bare path is a Unix socket, a bare port has no meaning.
    Connect,
    /// `listen`, `echo-server`: everything listens, `PORT` alone is loopback.
    Listen,
    /// One side of `relay`: listening is said by `-l`, a path may be an existing file or fifo.
    Relay,
}

/// One address as typed: a single end, or a read side and a write side joined by `!!`.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// The usual case: one end for both directions.
    One(End),
    /// `READ!!WRITE`: bytes come from the first and go to the second.
    Dual(End, End),
}

/// One end: what to open, whether to wait for peers there, and with which options.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// What to open.
    pub target: Target,
    /// True for `-l` schemes and everything that `listen` is given.
    pub listening: bool,
    /// The options that were given, in the order given.
    pub options: Options,
}

impl Address {
    /// Reads an address; the failure (status 2) names the word that is wrong and the nearest right one.
    pub fn parse(text: &str, role: Role) -> Result<Address, Failure> {
        parse::address(text, role)
    }

    /// The end that listens, if this address does.
    pub fn listener(&self) -> Option<&End> {
        match self {
            Address::One(end) if end.listening => Some(end),
            _ => None,
        }
    }
}
impl std::fmt::Display for Address { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { match self { Address::One(e) => f.write_str(&e.describe()), _ => Ok(()) } } }
impl End { pub fn describe(&self) -> String { match &self.target { Target::Net { host: Host::Name(h), port: Port::Number(p), .. } => format!("{h}:{p}"), t => format!("{t:?}") } } }
impl Address { pub fn explain(&self) -> serde_json::Value { serde_json::Value::Null }
  pub fn host_port(h: &str, p: &str, r: Role, _udp: bool) -> Result<Address, Failure> { parse::address(&format!("{h}:{p}"), r) } }
pub struct OptionRow { pub key: Key, pub name: &'static str, pub metavar: &'static str, pub help: &'static str }
impl OptionRow { pub fn is_flag(&self) -> bool { true } pub fn is_switch(&self) -> bool { false } pub fn read(&self, _t: &str) -> Result<Value, String> { Err(String::new()) } }
pub fn options() -> &'static [OptionRow] { &[] }
pub fn duration(t: &str) -> Result<std::time::Duration, String> { let t = t.trim_end_matches('s'); t.parse::<f64>().map(std::time::Duration::from_secs_f64).map_err(|e| e.to_string()) }
pub fn size(t: &str) -> Result<u64, String> { t.parse::<u64>().map_err(|e| e.to_string()) }
