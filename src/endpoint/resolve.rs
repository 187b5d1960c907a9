//! Names to addresses: numeric at once, `localhost` as both loopbacks, everything else through getaddrinfo(3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::address::{Family, Host, Net, Port};
use crate::error::Failure;
use crate::event_loop::blocking;

/// A question for the resolver.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// TCP or UDP, for service names.
    pub net: Net,
    /// Restrict the answer to one IP version.
    pub family: Family,
    /// The name.
    pub host: Host,
    /// The port or service.
    pub port: Port,
}

impl Lookup {
    fn allows(&self, ip: IpAddr) -> bool {
        match self.family {
            Family::Any => true,
            Family::V4 => ip.is_ipv4(),
            Family::V6 => ip.is_ipv6(),
        }
    }

    /// The answer, where it is known without asking anybody.
    pub fn known(&self) -> Option<Result<Vec<SocketAddr>, Failure>> {
        let Port::Number(port) = self.port else { return None };
        let both = || {
            [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
                .into_iter()
                .filter(|ip| self.allows(*ip))
                .map(|ip| SocketAddr::new(ip, port))
                .collect()
        };
        match &self.host {
            Host::Any | Host::Loopback => Some(Ok(both())),
            Host::Name(name) if crate::names::is_localhost(name) => Some(Ok(both())),
            Host::Name(name) => numeric(name, port).map(|address| match self.allows(address.ip()) {
                true => Ok(vec![address]),
                false => Err(Failure::usage(
                    format!("address {name}"),
                    "is of the other IP version than the one asked for",
                )),
            }),
        }
    }
}

/// A numeric address, which may carry a zone (`fe80::1%eth0`, RFC 4007).
pub fn numeric(host: &str, port: u16) -> Option<SocketAddr> {
    if let Some((ip, zone)) = host.split_once('%') {
        let ip = ip.parse().ok()?;
        let scope = zone.parse().or_else(|_| nix::net::if_::if_nametoindex(zone)).ok()?;
        return Some(SocketAddrV6::new(ip, port, 0, scope).into());
    }
    host.parse().ok().map(|ip| SocketAddr::new(ip, port))
}

/// All addresses of a name, interleaved by IP version as RFC 8305 asks.
pub async fn lookup(question: &Lookup) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(answer) = question.known() {
        return answer;
    }
    let asked = question.clone();
    let answer = blocking(move || ask(&asked)).await;
    let addresses = answer.unwrap_or_else(|why| Err(Failure::resolve("the resolver stopped", why)))?;
    Ok(interleave(addresses))
}

fn ask(question: &Lookup) -> Result<Vec<SocketAddr>, Failure> {
    let port = match &question.port {
        Port::Number(port) => *port,
        Port::Service(name) => crate::names::port(name, protocol(question.net))?,
    };
    let number = Lookup { port: Port::Number(port), ..question.clone() };
    if let Some(answer) = number.known() {
        return answer;
    }
    let Host::Name(name) = &question.host else { return Ok(Vec::new()) };
    let mut addresses = crate::names::addresses(name, question.family)?.addresses;
    addresses.iter_mut().for_each(|address| address.set_port(port));
    Ok(addresses)
}

fn protocol(net: Net) -> &'static str {
    match net {
        Net::Tcp => "tcp",
        Net::Udp => "udp",
    }
}

fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().copied() else { return addresses };
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first.is_ipv6());
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let mut mixed = Vec::new();
    loop {
        match (same.next(), other.next()) {
            (None, None) => return mixed,
            (a, b) => mixed.extend(a.into_iter().chain(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(host: &str, family: Family) -> Lookup {
        Lookup { net: Net::Tcp, family, host: Host::Name(host.into()), port: Port::Number(80) }
    }

    #[test]
    fn localhost_is_both_loopbacks_whatever_the_hosts_file_says() {
        for name in ["localhost", "localhost.", "LocalHost"] {
            let answer = question(name, Family::Any).known().unwrap().unwrap();
            assert_eq!(answer, ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]);
        }
    }

    #[test]
    fn a_numeric_address_of_the_wrong_version_is_refused() {
        assert!(question("127.0.0.1", Family::V6).known().unwrap().is_err());
    }

    #[test]
    fn versions_alternate() {
        let parse = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = interleave(parse(&["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1"]));
        assert_eq!(mixed, parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
    }
}
