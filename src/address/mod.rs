//! The address language: text to `Address` and back. Pure: nothing here opens, resolves or prints.

mod body;
mod check;
mod explain;
mod given;
mod host;
mod key;
mod option_table;
mod options;
mod parse;
mod print;
mod proxy;
mod scan;
mod scheme;
mod scheme_table;
mod socat;
#[cfg(test)]
mod tests;
mod value;

pub use key::Key;
pub use option_table::{OPTIONS, OptionRow, Part};
pub use options::Options;
pub use proxy::{Proxy, ProxyKind};
pub use scan::unescape;
pub use scheme::{Family, Host, Layer, Net, Port, Target, UnixKind, UnixName};
pub use scheme_table::{SCHEMES, Scheme};
pub use value::{Value, duration, print_duration, size};

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
    /// What is spoken through it.
    pub layer: Layer,
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

    /// The same for somebody who always speaks `layer`: what is named without it is meant with it.
    pub fn parse_over(layer: Layer, text: &str, role: Role) -> Result<Address, Failure> {
        match layer {
            Layer::Plain => parse::address(text, role),
            Layer::Tls => parse::tls(text, role),
        }
    }

    /// The same address with `layer` through it.
    pub fn over(mut self, layer: Layer) -> Address {
        for end in self.ends() {
            end.layer = layer;
        }
        self
    }

    /// Reads the right side of a relay, which cannot listen.
    pub fn parse_right(text: &str) -> Result<Address, Failure> {
        let address = Address::parse(text, Role::Relay)?;
        match address.listener() {
            Some(_) => Err(Failure::usage(format!("'{address}'"), "listens, but is on the right")
                .hint("the listening side of a relay is the left one")),
            None => Ok(address),
        }
    }

    /// Fails for an option that means nothing to its end.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Address::One(end) => end.check(),
            Address::Dual(read, write) => read.check().and_then(|()| write.check()),
        }
    }

    /// Reads `HOST PORT` in two words; the host may be a bare IPv6 address.
    pub fn host_port(host: &str, port: &str, role: Role, net: Net) -> Result<Address, Failure> {
        parse::two_words(host, port, role, net)
    }

    /// Its ends: one, or the read side and the write side.
    pub fn ends(&mut self) -> Vec<&mut End> {
        match self {
            Address::One(end) => vec![end],
            Address::Dual(read, write) => vec![read, write],
        }
    }

    /// The end that listens, if this address does.
    pub fn listener(&self) -> Option<&End> {
        match self {
            Address::One(end) if end.listening => Some(end),
            _ => None,
        }
    }
}
