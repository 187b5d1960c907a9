//! STARTTLS: the words in plaintext by which a client asks a server to go on in TLS. Pure: bytes in, bytes out.
//!
//! Three rules hold for every protocol. Without the server's go-ahead there is no TLS and nothing goes on in
//! plaintext. Nothing that the server says is believed beyond its own reply. After the go-ahead not one more byte
//! may come in plaintext: whoever put it there wants it taken for something said under TLS (CVE-2011-0411).

mod ftp;
mod imap;
mod irc;
mod ldap;
mod mysql;
mod nntp;
mod pop3;
mod postgres;
mod received;
mod sieve;
mod smtp;
mod telnet;
#[cfg(test)]
mod tests;
mod trouble;
mod xmpp;

use std::fmt;
use std::str::FromStr;

pub use trouble::Trouble;

use received::Received;

/// Bytes that one reply of a server may have.
const LONGEST_REPLY: usize = 64 * 1024;

/// A protocol in which a connection can begin in plaintext and go on in TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Mail between servers and from clients (RFC 3207).
    Smtp,
    /// Local mail delivery: SMTP with another greeting (RFC 2033).
    Lmtp,
    /// Mail access (RFC 9051, section 6.2.1).
    Imap,
    /// Mail access (RFC 2595).
    Pop3,
    /// File transfer: `AUTH TLS` (RFC 4217).
    Ftp,
    /// News (RFC 4642).
    Nntp,
    /// Chat, a client to its server (RFC 6120).
    Xmpp,
    /// Chat, between servers (RFC 6120).
    XmppServer,
    /// PostgreSQL's SSLRequest.
    Postgres,
    /// MySQL's and MariaDB's SSLRequest.
    Mysql,
    /// Directories: an extended request (RFC 4511, section 4.14).
    Ldap,
    /// Mail filters, ManageSieve (RFC 5804).
    Sieve,
    /// Chat: IRCv3's STARTTLS.
    Irc,
    /// Terminals: the option START_TLS.
    Telnet,
}

const PROTOCOLS: &[(&str, Protocol)] = &[
    ("smtp", Protocol::Smtp),
    ("lmtp", Protocol::Lmtp),
    ("imap", Protocol::Imap),
    ("pop3", Protocol::Pop3),
    ("ftp", Protocol::Ftp),
    ("nntp", Protocol::Nntp),
    ("xmpp", Protocol::Xmpp),
    ("xmpp-server", Protocol::XmppServer),
    ("postgres", Protocol::Postgres),
    ("mysql", Protocol::Mysql),
    ("ldap", Protocol::Ldap),
    ("sieve", Protocol::Sieve),
    ("irc", Protocol::Irc),
    ("telnet", Protocol::Telnet),
];

/// What can be typed for a protocol.
pub const NAMES: &[&str] = &{
    let mut names = [""; PROTOCOLS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PROTOCOLS[at].0;
        at += 1;
    }
    names
};

impl Protocol {
    /// What is typed for it.
    pub fn name(self) -> &'static str {
        PROTOCOLS.iter().find(|(_, protocol)| *protocol == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    /// Reads a name.
    fn from_str(text: &str) -> Result<Protocol, String> {
        let found = PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, protocol)| *protocol);
        found.ok_or_else(|| format!("'{}' is none of {}", text.escape_debug(), NAMES.join(" ")))
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, then ask again with nothing new.
    Say(Vec<u8>),
    /// Wait for more from the server.
    More,
    /// TLS begins with the very next byte, in both directions.
    Done,
    /// There will be no TLS; nothing may be sent any more.
    Failed(Trouble),
}

impl Step {
    fn say(line: impl AsRef<str>) -> Step {
        Step::Say(format!("{}\r\n", line.as_ref()).into_bytes())
    }
}

/// One protocol's side of the talk.
trait Talk {
    /// What follows from what has come; takes out of it what it has understood.
    fn turn(&mut self, received: &mut Received) -> Step;
}

/// The talk with one server, from its first byte to the go-ahead.
pub struct Dialogue {
    talk: Box<dyn Talk>,
    received: Received,
    /// Bytes that came since we last spoke.
    since_said: usize,
}

impl Dialogue {
    /// Begins to talk to the server of `host`, the name that it is to answer for.
    pub fn start(protocol: Protocol, host: &str) -> Dialogue {
        let talk: Box<dyn Talk> = match protocol {
            Protocol::Smtp => Box::new(smtp::Smtp::new("EHLO")),
            Protocol::Lmtp => Box::new(smtp::Smtp::new("LHLO")),
            Protocol::Imap => Box::new(imap::Imap::default()),
            Protocol::Pop3 => Box::new(pop3::Pop3::default()),
            Protocol::Ftp => Box::new(ftp::Ftp::default()),
            Protocol::Nntp => Box::new(nntp::Nntp::default()),
            Protocol::Xmpp => Box::new(xmpp::Xmpp::new("jabber:client", host)),
            Protocol::XmppServer => Box::new(xmpp::Xmpp::new("jabber:server", host)),
            Protocol::Postgres => Box::new(postgres::Postgres::default()),
            Protocol::Mysql => Box::new(mysql::Mysql::default()),
            Protocol::Ldap => Box::new(ldap::Ldap::default()),
            Protocol::Sieve => Box::new(sieve::Sieve::default()),
            Protocol::Irc => Box::new(irc::Irc::default()),
            Protocol::Telnet => Box::new(telnet::Telnet::default()),
        };
        Dialogue { talk, received: Received::default(), since_said: 0 }
    }

    /// What follows from `input`, which is what came since the last call: nothing at first and after `Step::Say`.
    /// After `Done` and `Failed` the talk is over.
    pub fn next(&mut self, input: &[u8]) -> Step {
        self.since_said = self.since_said.saturating_add(input.len());
        if self.since_said > LONGEST_REPLY {
            return Step::Failed(Trouble::Endless);
        }
        self.received.push(input);
        let step = self.talk.turn(&mut self.received);
        match step {
            Step::Say(_) => self.since_said = self.received.rest().len(),
            Step::Done if !self.received.rest().is_empty() => {
                return Step::Failed(Trouble::injected(self.received.rest()));
            }
            _ => {}
        }
        step
    }

    /// What it means that the server has closed the connection here.
    pub fn ended(&self) -> Trouble {
        Trouble::ended(self.received.rest())
    }
}
