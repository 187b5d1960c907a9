//! Connecting through a proxy: what is said to it before the connection is the target's own.

mod http;
mod socks;

use std::io;
use std::path::Path;

use super::descriptor::Descriptor;
use super::exchange::Exchange;
use super::resolve::{Lookup, lookup};
use crate::address::{Family, Host, Key, Net, Options, Port, Proxy, ProxyKind};
use crate::certificate::{Passphrase, escaped};
use crate::error::{Exit, Failure};

/// A way through a proxy to one target.
pub struct Tunnel {
    proxy: Proxy,
    credentials: Option<Credentials>,
    target: Lookup,
    host: String,
}

/// Who we are to a proxy.
struct Credentials {
    user: String,
    password: Password,
}

/// All of the first line of a file, or what comes after so many bytes of it; none without a file.
enum Password {
    None,
    From(Passphrase, usize),
}

impl Credentials {
    fn password(&self) -> &[u8] {
        match &self.password {
            Password::None => &[],
            Password::From(line, at) => &line.bytes()[*at..],
        }
    }
}

/// Where a tunnel is to end.
struct Place<'a> {
    host: &'a str,
    port: u16,
}

/// Why there is no tunnel.
enum Refusal {
    /// The proxy said so, in these words.
    Said(String),
    /// What it said is not of its protocol.
    Garbled(Vec<u8>),
    /// The connection failed.
    Io(io::Error),
    /// What was asked for cannot be said in its protocol.
    Ours(&'static str),
}

impl From<io::Error> for Refusal {
    fn from(why: io::Error) -> Refusal {
        Refusal::Io(why)
    }
}

impl Tunnel {
    /// The tunnel that `options` ask for, to `target`. Reads the file of the password.
    pub fn new(options: &Options, target: &Lookup) -> Result<Option<Tunnel>, Failure> {
        let Some(text) = options.text(Key::Proxy) else { return Ok(None) };
        let proxy = Proxy::read(text).map_err(|why| Failure::misuse("option 'proxy'", why))?;
        let Host::Name(host) = &target.host else {
            return Err(Failure::usage(
                "option 'proxy'",
                "needs the name or address of a host to connect to",
            )
            .hint("this host is another one to a proxy than to us; 'localhost' is the proxy itself"));
        };
        let host = match host.is_ascii() {
            true => host.clone(),
            false => idna::domain_to_ascii(host).map_err(|_| {
                Failure::resolve(format!("cannot resolve {}", escaped(host)), "it is no name")
            })?,
        };
        let credentials = credentials(&proxy, options.text(Key::ProxyAuthFile))?;
        Ok(Some(Tunnel { proxy, credentials, target: target.clone(), host }))
    }

    /// What is to be connected to: the proxy. The IP version that is asked for is that of the way to it, unless we
    /// resolve the target.
    pub fn first_hop(&self) -> Lookup {
        let family = if self.proxy.kind == ProxyKind::Socks5 { Family::Any } else { self.target.family };
        Lookup { net: Net::Tcp, family, host: self.proxy.host.clone(), port: self.proxy.port.clone() }
    }

    /// The proxy, as messages name it.
    pub fn proxy_name(&self) -> String {
        format!("the proxy {}", self.proxy)
    }

    /// Asks the proxy behind `fd` for a connection to the target; what then comes is the target's, from its first
    /// byte. Status 7 when the proxy does not give one.
    pub async fn open(&self, fd: &Descriptor, name: &str) -> Result<(), Failure> {
        let target = match self.proxy.kind {
            ProxyKind::Socks5 => lookup(&self.target).await?.first().copied(),
            _ => None,
        };
        let port = match (&self.target.port, target) {
            (Port::Number(port), _) => *port,
            (_, Some(target)) => target.port(),
            (Port::Service(service), None) => crate::names::port(service, "tcp")?,
        };
        let resolved = target.map(|address| address.ip().to_string());
        let place = Place { host: resolved.as_deref().unwrap_or(&self.host), port };
        let exchange = Exchange::new(fd);
        let asked = match self.proxy.kind {
            ProxyKind::Http => http::connect(exchange, &place, self.credentials.as_ref()).await,
            ProxyKind::Socks5 | ProxyKind::Socks5h => {
                socks::connect_5(exchange, &place, self.credentials.as_ref()).await
            }
            ProxyKind::Socks4a => socks::connect_4a(exchange, &place, self.credentials.as_ref()).await,
        };
        asked.map_err(|refusal| self.refused(name, refusal))
    }

    fn refused(&self, name: &str, refusal: Refusal) -> Failure {
        let why = match refusal {
            Refusal::Said(said) => format!("the proxy said: {}", escaped(&said)),
            Refusal::Garbled(said) => {
                let said = escaped(&String::from_utf8_lossy(&said[..said.len().min(200)]));
                format!("the proxy does not speak its protocol; it said: {said}")
            }
            Refusal::Io(why) if why.kind() == io::ErrorKind::UnexpectedEof => {
                "the proxy closed the connection".to_owned()
            }
            Refusal::Io(why) => crate::error::plain(&why.to_string()),
            Refusal::Ours(why) => why.to_owned(),
        };
        let wants_to_know_us = why.starts_with("the proxy said: HTTP/") && why.contains(" 407 ");
        let failure = Failure::connect(format!("cannot connect to {name} through {}", self.proxy), why);
        match wants_to_know_us {
            true => failure.hint("--proxy-auth-file FILE, whose first line is USER:PASSWORD"),
            false => failure,
        }
    }
}

/// Who we are: the user of the URL and the password of the file, or both from the file.
fn credentials(proxy: &Proxy, file: Option<&str>) -> Result<Option<Credentials>, Failure> {
    let line = file.map(|path| {
        Passphrase::read(Path::new(path))
            .map_err(|failure| Failure::new(Exit::USAGE, format!("--proxy-auth-file {path}"), failure.why))
    });
    let line = line.transpose()?;
    Ok(match (&proxy.user, line) {
        (None, None) => None,
        (Some(user), None) => Some(Credentials { user: user.clone(), password: Password::None }),
        (Some(user), Some(line)) => {
            Some(Credentials { user: user.clone(), password: Password::From(line, 0) })
        }
        (None, Some(line)) => {
            let colon = line.bytes().iter().position(|byte| *byte == b':').ok_or_else(|| {
                Failure::misuse("option 'proxy-auth-file'", "its first line is not USER:PASSWORD")
                    .hint("or name the user in the URL: http://USER@HOST:PORT")
            })?;
            let user = String::from_utf8_lossy(&line.bytes()[..colon]).into_owned();
            Some(Credentials { user, password: Password::From(line, colon + 1) })
        }
    })
}
