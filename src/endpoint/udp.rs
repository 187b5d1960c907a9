//! UDP: connected clients, and the sockets that servers receive on.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use super::descriptor::{Descriptor, Kind};
use super::message::{self, Messages};
use super::resolve::{Lookup, lookup};
use super::tcp::{bind_all, bind_local, cannot_listen, listening_addresses};
use super::{Endpoint, connect_timeout, socket};
use crate::address::{End, Family, Host, Key, Net, Options, Target};
use crate::error::Failure;

/// A socket that sends to one peer and hears only that one.
pub async fn connect(end: &End) -> Result<Endpoint, Failure> {
    let Target::Net { family, host, port, .. } = &end.target else {
        return Err(Failure::usage(end.describe(), "is not an Internet address"));
    };
    let question = Lookup { net: Net::Udp, family: *family, host: host.clone(), port: port.clone() };
    // Nobody answers a datagram socket's connect; what can take time is the name server.
    let limit = connect_timeout::limit(&end.options);
    let addresses = connect_timeout::within(limit, &end.describe(), lookup(&question)).await?;
    let mut failures = Vec::new();
    for address in addresses {
        match connect_to(address, &end.options) {
            Ok(fd) => return Ok(message::connected(fd, Messages::Udp, &end.options)),
            Err(failure) => failures.push(failure),
        }
    }
    let nothing = || Failure::resolve(format!("cannot resolve {}", end.describe()), "no address");
    Err(failures.into_iter().next().unwrap_or_else(nothing))
}

fn connect_to(address: SocketAddr, options: &Options) -> Result<Arc<Descriptor>, Failure> {
    let cannot = |why: io::Error| Failure::connect(format!("cannot send to udp {address}"), why);
    let socket = socket::open(Domain::for_address(address), Type::DGRAM).map_err(cannot)?;
    socket::apply(&socket, options)?;
    socket::apply_ip(&socket, address.is_ipv6(), options)?;
    outgoing_multicast(&socket, address, options)?;
    bind_local(&socket, address, options)?;
    socket.connect(&address.into()).map_err(|why| match why.kind() {
        io::ErrorKind::PermissionDenied => cannot(why).hint("a broadcast address needs the option broadcast"),
        _ => cannot(why),
    })?;
    Descriptor::new(socket.into(), Kind::Message).map(Arc::new).map_err(cannot)
}

fn outgoing_multicast(socket: &Socket, address: SocketAddr, options: &Options) -> Result<(), Failure> {
    let Some(text) = options.text(Key::MulticastIf) else { return Ok(()) };
    let result = match address {
        SocketAddr::V4(_) => interface_v4(text).and_then(|ip| socket.set_multicast_if_v4(&ip)),
        SocketAddr::V6(_) => interface_index(text).and_then(|index| socket.set_multicast_if_v6(index)),
    };
    result.map_err(|why| Failure::connect(format!("cannot send multicast by {text}"), why))
}

/// The sockets to receive on: one, or one for each loopback.
pub async fn listen(end: &End) -> Result<Vec<Socket>, Failure> {
    let Target::Net { family, host, port, .. } = &end.target else { return Ok(Vec::new()) };
    let question = Lookup { net: Net::Udp, family: *family, host: host.clone(), port: port.clone() };
    let mut addresses = listening_addresses(&question, &end.options).await?;
    let joins: Vec<&str> = end.options.texts(Key::Join).collect();
    if let (Host::Loopback, Some(group)) = (host, joins.first()) {
        // Group members receive on the group's port of every interface; loopback alone would hear nothing.
        let port = addresses.first().map_or(0, SocketAddr::port);
        let v6 = group.starts_with('[') || group.matches(':').count() > 1;
        let any: IpAddr = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        addresses = vec![SocketAddr::new(any, port)];
    }
    let sockets = bind_all(&addresses, |address| bind(address, *family, &end.options))
        .map_err(|(address, why)| cannot_listen("udp", address, &why))?;
    for text in joins {
        join(&sockets[0], text)?;
    }
    Ok(sockets)
}

fn bind(address: SocketAddr, family: Family, options: &Options) -> io::Result<Socket> {
    let plain = |failure: Failure| io::Error::other(failure.to_string());
    let wildcard_v6 = address.ip() == Ipv6Addr::UNSPECIFIED;
    let socket = match socket::open(Domain::for_address(address), Type::DGRAM) {
        Err(_) if wildcard_v6 => {
            return bind((Ipv4Addr::UNSPECIFIED, address.port()).into(), family, options);
        }
        other => other?,
    };
    if wildcard_v6 {
        socket.set_only_v6(family == Family::V6)?;
    }
    if options.has(Key::Join) || options.flag(Key::Reuseaddr) == Some(true) {
        // Several members of a group on one host share its port; for unicast that would be theft.
        socket.set_reuse_address(true)?;
    }
    socket::apply(&socket, options).map_err(plain)?;
    socket::apply_ip(&socket, address.is_ipv6(), options).map_err(plain)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Joins `GROUP` or `GROUP:INTERFACE` (a name or, for IPv4, an address).
fn join(socket: &Socket, text: &str) -> Result<(), Failure> {
    let cannot = |why: io::Error| Failure::connect(format!("cannot join {text}"), why);
    let not_a_group = || Failure::usage(format!("join={text}"), "is not GROUP or GROUP:INTERFACE");
    if let Ok(group) = text.parse::<Ipv6Addr>() {
        return socket.join_multicast_v6(&group, 0).map_err(cannot);
    }
    if let Some((group, interface)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let group: Ipv6Addr = group.parse().map_err(|_| not_a_group())?;
        let index = match interface.strip_prefix(':') {
            Some(name) => interface_index(name).map_err(cannot)?,
            None => 0,
        };
        return socket.join_multicast_v6(&group, index).map_err(cannot);
    }
    let (group, interface) = text.split_once(':').unwrap_or((text, ""));
    let group: Ipv4Addr = group.parse().map_err(|_| not_a_group())?;
    let interface =
        if interface.is_empty() { Ipv4Addr::UNSPECIFIED } else { interface_v4(interface).map_err(cannot)? };
    socket.join_multicast_v4(&group, &interface).map_err(cannot)
}

fn interface_index(name: &str) -> io::Result<u32> {
    match name.parse() {
        Ok(index) => Ok(index),
        Err(_) => Ok(nix::net::if_::if_nametoindex(name)?),
    }
}

fn interface_v4(text: &str) -> io::Result<Ipv4Addr> {
    if let Ok(ip) = text.parse() {
        return Ok(ip);
    }
    let found = nix::ifaddrs::getifaddrs()?
        .filter(|interface| interface.interface_name == text)
        .find_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip()));
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such interface with an IPv4 address"))
}
