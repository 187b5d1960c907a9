//! The databases of names: hosts, services(5), protocols(5), interfaces, this host.

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
mod sources;

use std::net::{IpAddr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo, getnameinfo};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use crate::address::Family;
use crate::error::Failure;
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
pub use sources::keep_to_built_in_sources;

/// What the resolver knows of a host.
pub struct Host {
    /// Each address once, in the resolver's order (RFC 6724); the port is 0, a zone is kept.
    pub addresses: Vec<SocketAddr>,
    /// The canonical name, when asked for.
    pub canonical: Option<String>,
}

/// The addresses of a name, of one IP version or of both.
pub fn addresses(name: &str, family: Family) -> Result<Host, Failure> {
    ask(name, family, 0)
}

/// The same with the canonical name.
pub fn canonical(name: &str, family: Family) -> Result<Host, Failure> {
    ask(name, family, nix::libc::AI_CANONNAME)
}

/// True for `localhost`, also with the dot of a full name: it is this host whatever a name server says
/// (RFC 6761, section 6.3).
pub fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
}

/// getaddrinfo(3); the answer is walked here and nowhere else.
fn ask(name: &str, family: Family, flags: i32) -> Result<Host, Failure> {
    let address = match family {
        Family::Any => 0,
        Family::V4 => nix::libc::AF_INET,
        Family::V6 => nix::libc::AF_INET6,
    };
    let hints =
        AddrInfoHints { socktype: SockType::Stream.into(), flags, address, ..AddrInfoHints::default() };
    let cannot = |why: String| Failure::resolve(format!("cannot resolve {name}"), why);
    let asked = if is_localhost(name) { "localhost" } else { name };
    let found = getaddrinfo(Some(asked), None, Some(hints)).map_err(|why| cannot(reason(&why, family)))?;
    let mut host = Host { addresses: Vec::new(), canonical: None };
    for info in found.flatten() {
        host.canonical = host.canonical.or(info.canonname);
        if !host.addresses.contains(&info.sockaddr) {
            host.addresses.push(info.sockaddr);
        }
    }
    match host.addresses.is_empty() {
        true => Err(cannot(nothing_found(family).to_owned())),
        false => Ok(host),
    }
}

fn reason(why: &LookupError, family: Family) -> String {
    match why.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => nothing_found(family).to_owned(),
        LookupErrorKind::Again => "the name server did not answer".to_owned(),
        _ => crate::error::plain(&why.to_string()),
    }
}

/// The resolver does not tell a name that does not exist from one without an address of the kind asked for.
fn nothing_found(family: Family) -> &'static str {
    match family {
        Family::Any => "no such host",
        Family::V4 => "no such host, or it has no IPv4 address",
        Family::V6 => "no such host, or it has no IPv6 address",
    }
}

/// getnameinfo(3): the name of an address.
pub fn of_address(ip: IpAddr) -> Result<String, Failure> {
    let cannot = |why: String| Failure::resolve(format!("cannot find the name of {ip}"), why);
    let asked = SocketAddr::new(ip, 0);
    let found = getnameinfo(&asked, nix::libc::NI_NAMEREQD | nix::libc::NI_NUMERICSERV);
    found.map(|(name, _)| name).map_err(|why| {
        cannot(match why.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => "it has none".to_owned(),
            _ => reason(&why, Family::Any),
        })
    })
}

/// A line of services(5) or protocols(5).
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its official name.
    pub name: String,
    /// Its number.
    pub number: u16,
}

/// A service by name, alias or port.
pub fn service(word: &str, protocol: &str) -> Result<Entry, Failure> {
    let table = std::fs::read_to_string("/etc/services").unwrap_or_default();
    find(&table, word, |number| {
        let (number, of) = number.split_once('/')?;
        (of == protocol).then(|| number.parse().ok())?
    })
    .ok_or_else(|| Failure::resolve(format!("'{word}' is no {protocol} service of /etc/services"), ""))
}

/// The port of a number or service name.
pub fn port(word: &str, protocol: &str) -> Result<u16, Failure> {
    match word.parse() {
        Ok(number) => Ok(number),
        Err(_) => service(word, protocol).map(|entry| entry.number),
    }
}

/// A protocol by name, alias or number.
pub fn protocol(word: &str) -> Result<Entry, Failure> {
    let table = std::fs::read_to_string("/etc/protocols").unwrap_or_default();
    find(&table, word, |number| number.parse().ok())
        .ok_or_else(|| Failure::resolve(format!("'{word}' is no protocol of /etc/protocols"), ""))
}

fn find(table: &str, word: &str, number: impl Fn(&str) -> Option<u16>) -> Option<Entry> {
    let wanted: Option<u16> = word.parse().ok();
    table.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, number) = (words.next()?, number(words.next()?)?);
        let matches = match wanted {
            Some(wanted) => number == wanted,
            None => name == word || words.any(|alias| alias == word),
        };
        matches.then(|| Entry { name: name.to_owned(), number })
    })
}

/// A network interface.
pub struct Interface {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// Its IP addresses.
    pub addresses: Vec<IpAddr>,
}

/// getifaddrs(3), gathered by interface.
pub fn interfaces() -> Result<Vec<Interface>, Failure> {
    let mut all: Vec<Interface> = Vec::new();
    for entry in getifaddrs().map_err(|why| Failure::other("cannot list interfaces", why.desc()))? {
        let name = entry.interface_name;
        let at = match all.iter().position(|interface| interface.name == name) {
            Some(at) => at,
            None => {
                let index = if_nametoindex(name.as_str()).unwrap_or(0);
                let up = entry.flags.contains(InterfaceFlags::IFF_UP);
                all.push(Interface { index, name, up, addresses: Vec::new() });
                all.len() - 1
            }
        };
        let address = entry.address.and_then(|address| {
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        });
        all[at].addresses.extend(address);
    }
    Ok(all)
}

/// This host's name, qualified where the resolver knows more (Python's getfqdn).
pub fn qualified_host() -> Result<String, Failure> {
    let name =
        nix::unistd::gethostname().map_err(|why| Failure::other("cannot read the host name", why.desc()))?;
    let name = name.to_string_lossy().into_owned();
    let known = canonical(&name, Family::Any).ok().and_then(|host| host.canonical);
    Ok(known.filter(|canonical| canonical.contains('.')).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: &str = "# comment\nhttp 80/tcp www # web\ndomain 53/tcp\ndomain 53/udp\n";

    fn udp(number: &str) -> Option<u16> {
        number.strip_suffix("/udp")?.parse().ok()
    }

    #[test]
    fn entries_are_found_by_name_alias_and_number() {
        let tcp = |number: &str| number.strip_suffix("/tcp")?.parse().ok();
        let http = Some(Entry { name: "http".into(), number: 80 });
        assert_eq!(find(SERVICES, "http", tcp), http);
        assert_eq!(find(SERVICES, "www", tcp), http);
        assert_eq!(find(SERVICES, "80", tcp), http);
        assert_eq!(find(SERVICES, "53", udp), Some(Entry { name: "domain".into(), number: 53 }));
        assert_eq!(find(SERVICES, "http", udp), None);
    }
}
