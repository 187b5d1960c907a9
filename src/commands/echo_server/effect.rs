//! Which service and which of its flags go with which address: what would do nothing there is refused.

use crate::address::{Address, Net, Target, UnixKind};
use crate::echo::{Begin, Cut, How, Mode, Service};
use crate::endpoint::{Kind, Listener};
use crate::error::Failure;
use crate::server::Door;

/// Most bytes of a UDP datagram over IPv4.
const LONGEST_DATAGRAM: usize = 65_507;

/// What peers come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// A stream that can be reset.
    Tcp,
    /// One that cannot.
    Stream,
    /// Connections that keep records apart.
    Records,
    /// Datagrams of UDP.
    Udp,
    /// Those of a Unix socket.
    UnixDatagrams,
}

impl Line {
    /// That of an address; `None` for a socket that systemd passes, which has to be looked at.
    fn of_target(target: &Target) -> Option<Line> {
        match target {
            Target::Net { net: Net::Tcp, .. } => Some(Line::Tcp),
            Target::Net { net: Net::Udp, .. } => Some(Line::Udp),
            Target::Unix { kind: UnixKind::Datagram, .. } => Some(Line::UnixDatagrams),
            Target::Unix { kind: UnixKind::SeqPacket, .. } => Some(Line::Records),
            Target::Systemd(_) => None,
            _ => Some(Line::Stream),
        }
    }

    fn of_listener(listener: &Listener) -> Line {
        match listener.kind() {
            Kind::Tcp => Line::Tcp,
            Kind::Message if !listener.has_datagrams() => Line::Records,
            Kind::Message if listener.port().is_some() => Line::Udp,
            Kind::Message => Line::UnixDatagrams,
            _ => Line::Stream,
        }
    }

    fn is_stream(self) -> bool {
        matches!(self, Line::Tcp | Line::Stream)
    }

    fn has_connections(self) -> bool {
        self.is_stream() || self == Line::Records
    }
}

/// Fails where a service does not go with an address, or a flag of it would do nothing there.
pub fn check(service: &Service, addresses: &[Address]) -> Result<(), Failure> {
    for end in addresses.iter().filter_map(Address::listener) {
        if let Some(line) = Line::of_target(&end.target) {
            check_line(service, line, &end.to_string())?;
        }
    }
    Ok(())
}

/// The same for what is known only once it is open.
pub fn check_passed(service: &Service, addresses: &[Address], doors: &[Door]) -> Result<(), Failure> {
    for (address, door) in addresses.iter().zip(doors) {
        if let Some(end) = address.listener().filter(|end| Line::of_target(&end.target).is_none()) {
            check_line(service, Line::of_listener(&door.listener), &end.to_string())?;
        }
    }
    Ok(())
}

fn check_line(service: &Service, line: Line, name: &str) -> Result<(), Failure> {
    let Service { mode, shape, begin, cut, .. } = service;
    let refused = |what: &str, why: &str| Err(Failure::usage(what, format!("is for {why}")));
    let is_echo = matches!(mode, Mode::Echo | Mode::Discard);
    match mode {
        Mode::Http(_) if !line.is_stream() => {
            return refused("--mode http", &format!("streams, and {name} is none"));
        }
        Mode::Http(site) if site.status == 206 && site.content.as_ref().is_some_and(|all| all.is_empty()) => {
            return Err(Failure::usage("flag --status 206", "is a part of something, and --fixed is empty"));
        }
        Mode::Fixed(content) if line == Line::Udp && content.len() > LONGEST_DATAGRAM => {
            let why = format!("has {} bytes, and a datagram {LONGEST_DATAGRAM} at most", content.len());
            return Err(Failure::usage("the content of --fixed", why));
        }
        _ => {}
    }
    if shape.chunk.is_some() && !(line.is_stream() || line == Line::Records && !is_echo) {
        return refused("flag --chunk", &format!("streams, and {name} is none"));
    }
    if shape.rate.is_some() && !line.has_connections() && !is_echo {
        let why = format!("has no meaning for --mode {} on {name}: each datagram is answered", mode.name());
        return Err(Failure::usage("flag --rate", why));
    }
    match cut {
        Some(Cut { how: How::Reset, .. }) if line != Line::Tcp => {
            return refused("flag --rst-after", &format!("TCP, and {name} knows no reset"));
        }
        Some(cut) if !line.has_connections() => {
            return refused(&format!("flag {}", cut.flag()), &format!("connections, and {name} has none"));
        }
        _ => {}
    }
    if *begin == Begin::AfterEnd && !line.has_connections() {
        return refused("flag --half-close-test", &format!("connections, and {name} has none"));
    }
    Ok(())
}
