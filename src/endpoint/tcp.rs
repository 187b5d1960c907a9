//! TCP: connecting, and the sockets to listen on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};

use super::ahead::Ahead;
use super::descriptor::{Descriptor, Kind};
use super::race::race;
use super::resolve::{Lookup, lookup, numeric};
use super::{Connection, connect_timeout, socket};
use crate::address::{End, Host, Key, Net, Options, Target};
use crate::error::Failure;
use crate::event_loop::timeout;

/// A TCP address to connect to, with all that can be known before the first connection.
pub struct Connector {
    question: Lookup,
    known: Option<Result<Vec<SocketAddr>, Failure>>,
    options: Options,
    limit: Duration,
    name: String,
    ahead: Option<Box<Ahead>>,
}

impl Connector {
    /// `None` when `end` is not TCP.
    pub fn new(end: &End) -> Result<Option<Connector>, Failure> {
        let Target::Net { net: Net::Tcp, family, host, port } = &end.target else { return Ok(None) };
        let target = Lookup { net: Net::Tcp, family: *family, host: host.clone(), port: port.clone() };
        let ahead = Ahead::new(end, Some(&target))?;
        let (question, name) = match ahead.as_ref().and_then(|ahead| ahead.tunnel()) {
            Some(tunnel) => (tunnel.first_hop(), tunnel.proxy_name()),
            None => (target, end.describe()),
        };
        Ok(Some(Connector {
            known: question.known(),
            question,
            options: end.options.clone(),
            limit: connect_timeout::limit(&end.options),
            name,
            ahead,
        }))
    }

    /// True when the server is told for whom we connect.
    pub fn tells_of_peer(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.tells_of_peer())
    }

    /// Connects, and says what goes ahead; what then comes is the session's.
    pub async fn connect(&self, connection: &Connection) -> Result<Arc<Descriptor>, Failure> {
        self.connect_telling(connection, &|| ()).await
    }

    /// The same; calls `resolved` once the addresses are known.
    pub async fn connect_telling(
        &self,
        connection: &Connection,
        resolved: &dyn Fn(),
    ) -> Result<Arc<Descriptor>, Failure> {
        let fd = self.reach(resolved).await?;
        if let Some(ahead) = &self.ahead {
            Box::pin(ahead.say(&fd, connection)).await?;
        }
        Ok(fd)
    }

    /// Connects to the first address that answers. What takes time is boxed: a server opens thousands of
    /// these, most of them to one loopback address that answers at once.
    async fn reach(&self, resolved: &dyn Fn()) -> Result<Arc<Descriptor>, Failure> {
        match &self.known {
            Some(Ok(addresses)) => {
                resolved();
                self.connect_to_any(addresses).await
            }
            Some(Err(failure)) => Err(failure.clone()),
            None => Box::pin(timeout(self.limit, self.look_up_and_connect(resolved)))
                .await
                .map_err(|_| self.late())?,
        }
    }

    async fn look_up_and_connect(&self, resolved: &dyn Fn()) -> Result<Arc<Descriptor>, Failure> {
        let addresses = lookup(&self.question).await?;
        resolved();
        self.connect_to_any(&addresses).await
    }

    async fn connect_to_any(&self, addresses: &[SocketAddr]) -> Result<Arc<Descriptor>, Failure> {
        let [only] = addresses[..] else {
            return Box::pin(timeout(self.limit, self.race(addresses))).await.map_err(|_| self.late())?;
        };
        let socket = prepare(only, &self.options)?;
        let connected = match start(&socket, only) {
            Ok(Progress::UnderWay) => {
                Box::pin(timeout(self.limit, established(socket))).await.map_err(|_| self.late())?
            }
            Ok(progress) => register(socket, progress),
            Err(why) => Err(why),
        };
        connected.map_err(|why| self.failed(&[(only, why)]))
    }

    async fn race(&self, addresses: &[SocketAddr]) -> Result<Arc<Descriptor>, Failure> {
        // A bad option is the same for every address: hear of it once, and before anything is tried.
        prepare(addresses[0], &self.options)?;
        let attempt = |address| async move {
            let socket =
                prepare(address, &self.options).map_err(|failure| io::Error::other(failure.to_string()))?;
            match start(&socket, address)? {
                Progress::UnderWay => established(socket).await,
                progress => register(socket, progress),
            }
        };
        race(addresses, attempt).await.map_err(|failures| self.failed(&failures))
    }

    fn late(&self) -> Failure {
        connect_timeout::late(&self.name, self.limit)
    }

    fn failed(&self, failures: &[(SocketAddr, io::Error)]) -> Failure {
        let plain = |why: &io::Error| crate::error::plain(&why.to_string());
        let why = match failures {
            [(address, why)] if self.name.contains(&address.ip().to_string()) => plain(why),
            all => {
                let lines: Vec<_> =
                    all.iter().map(|(address, why)| format!("{address}: {}", plain(why))).collect();
                lines.join("; ")
            }
        };
        let failure = Failure::connect(format!("cannot connect to {}", self.name), why);
        match failures.iter().all(|(_, why)| why.kind() == io::ErrorKind::AddrNotAvailable) {
            true => {
                failure.hint("the local ports may be used up, or --bind names an address this host lacks")
            }
            false => failure,
        }
    }
}

fn prepare(address: SocketAddr, options: &Options) -> Result<Socket, Failure> {
    let socket = socket::open(Domain::for_address(address), Type::STREAM)
        .map_err(|why| Failure::connect("cannot make a socket", why))?;
    socket::apply(&socket, options)?;
    socket::apply_tcp(&socket, options, address.ip().is_loopback())?;
    if !options.is_empty() {
        socket::apply_ip(&socket, address.is_ipv6(), options)?;
        bind_local(&socket, address, options)?;
    }
    Ok(socket)
}

/// Binds to `bind=` and `source-port=` before connecting.
pub fn bind_local(socket: &Socket, remote: SocketAddr, options: &Options) -> Result<(), Failure> {
    let port = options.number(Key::SourcePort).and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
    let local = match options.text(Key::Bind) {
        Some(text) => parse_local(text, port)?,
        None if port == 0 => return Ok(()),
        None if remote.is_ipv6() => (Ipv6Addr::UNSPECIFIED, port).into(),
        None => (Ipv4Addr::UNSPECIFIED, port).into(),
    };
    let cannot = |why: io::Error| Failure::connect(format!("cannot bind to {local}"), why);
    socket.set_reuse_address(true).map_err(cannot)?;
    socket.bind(&local.into()).map_err(cannot)
}

/// Reads `IP`, `[IP]`, `IP:PORT` or `[IP]:PORT`.
pub fn parse_local(text: &str, port: u16) -> Result<SocketAddr, Failure> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    numeric(bare, port).or_else(|| text.parse().ok()).ok_or_else(|| {
        Failure::usage(format!("bind={text}"), "is no numeric address")
            .hint("give an address of this host, such as 127.0.0.1 or [::1]")
    })
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    UnderWay,
    Made,
    /// Made, and reset since, which is told no more: what came on it can be read.
    Reset(Errno),
}

/// Starts connecting; that is already done then, as it mostly is on loopback.
fn start(socket: &Socket, address: SocketAddr) -> io::Result<Progress> {
    match socket.connect(&address.into()) {
        Ok(()) => progress(socket),
        // On loopback the handshake runs inside connect(2), which does not look again before it answers. A second one
        // would, and throw away what has come on a connection that was reset since.
        Err(why) if Errno::from_io_error(&why) == Some(Errno::INPROGRESS) => match address.ip().is_loopback()
        {
            true => progress(socket),
            false => Ok(Progress::UnderWay),
        },
        Err(why) => Err(why),
    }
}

async fn established(socket: Socket) -> io::Result<Arc<Descriptor>> {
    let fd = Descriptor::new(socket.into(), Kind::Tcp)?;
    fd.writable().await;
    let progress = progress(&SockRef::from(&fd))?;
    Ok(made(fd, progress))
}

fn register(socket: Socket, progress: Progress) -> io::Result<Arc<Descriptor>> {
    Ok(made(Descriptor::new(socket.into(), Kind::Tcp)?, progress))
}

fn made(mut fd: Descriptor, progress: Progress) -> Arc<Descriptor> {
    if let Progress::Reset(errno) = progress {
        fd.remember_reset(errno);
    }
    Arc::new(fd)
}

/// Linux tells a reset in answer to a SYN as ECONNREFUSED, a later one as ECONNRESET, or EPIPE after the peer's end.
fn progress(socket: &Socket) -> io::Result<Progress> {
    if let Ok(peer) = socket.peer_addr() {
        peer.as_socket().map_or(Ok(()), |peer| refuse_self_connect(socket, peer))?;
        return Ok(Progress::Made);
    }
    let Some(why) = socket.take_error()? else { return Ok(Progress::UnderWay) };
    match Errno::from_io_error(&why) {
        Some(errno @ (Errno::CONNRESET | Errno::PIPE)) => Ok(Progress::Reset(errno)),
        _ => Err(why),
    }
}

/// With no listener there, a connection from a port to the same port is made to itself
/// (RFC 9293, simultaneous open); to a script that waits for a server it would look like success.
fn refuse_self_connect(socket: &Socket, peer: SocketAddr) -> io::Result<()> {
    let possible = peer.ip().is_loopback() && peer.port() >= first_ephemeral_port();
    if possible && socket.local_addr()?.as_socket() == Some(peer) {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

fn first_ephemeral_port() -> u16 {
    static FIRST: OnceLock<u16> = OnceLock::new();
    *FIRST.get_or_init(|| {
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(1)
    })
}

/// The sockets that `end` listens on: one, or one for each loopback, on the same port.
pub async fn listen(end: &End) -> Result<Vec<Socket>, Failure> {
    let Target::Net { family, host, port, .. } = &end.target else { return Ok(Vec::new()) };
    let question = Lookup { net: Net::Tcp, family: *family, host: host.clone(), port: port.clone() };
    let addresses = listening_addresses(&question, &end.options).await?;
    bind_all(&addresses, |address| listen_on(address, &question, &end.options))
        .map_err(|(address, why)| cannot_listen("tcp", address, &why))
}

/// The addresses to listen on for a host part.
pub async fn listening_addresses(question: &Lookup, options: &Options) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(text) = options.text(Key::Bind) {
        let addresses = lookup(&Lookup { host: Host::Loopback, ..question.clone() }).await?;
        let port = addresses.first().map_or(0, SocketAddr::port);
        return Ok(vec![parse_local(text, port)?]);
    }
    let found = lookup(question).await?;
    let wildcard = |v6: bool| -> SocketAddr {
        let port = found.first().map_or(0, SocketAddr::port);
        if v6 { (Ipv6Addr::UNSPECIFIED, port).into() } else { (Ipv4Addr::UNSPECIFIED, port).into() }
    };
    Ok(match (&question.host, question.family) {
        (Host::Any, crate::address::Family::V4) => vec![wildcard(false)],
        (Host::Any, _) => vec![wildcard(true)],
        _ => found,
    })
}

/// Opens one socket for each address, all on the port that the first one got; a host without IPv6
/// makes do with IPv4, and the other way round.
pub fn bind_all(
    addresses: &[SocketAddr],
    open: impl Fn(SocketAddr) -> io::Result<Socket>,
) -> Result<Vec<Socket>, (SocketAddr, io::Error)> {
    let mut sockets: Vec<Socket> = Vec::new();
    let mut lacking = None;
    for &address in addresses {
        let mut address = address;
        if let (0, Some(first)) = (address.port(), sockets.first()) {
            let local = first.local_addr().map_err(|why| (address, why))?;
            address.set_port(local.as_socket().map_or(0, |local| local.port()));
        }
        match open(address) {
            Ok(socket) => sockets.push(socket),
            Err(why) if addresses.len() > 1 && lacks_version(&why) => lacking = Some((address, why)),
            Err(why) => return Err((address, why)),
        }
    }
    match (sockets.is_empty(), lacking) {
        (true, Some(lacking)) => Err(lacking),
        _ => Ok(sockets),
    }
}

fn lacks_version(why: &io::Error) -> bool {
    matches!(Errno::from_io_error(why), Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL))
}

fn listen_on(address: SocketAddr, question: &Lookup, options: &Options) -> io::Result<Socket> {
    let plain = |failure: Failure| io::Error::other(failure.to_string());
    let wildcard_v6 = address.ip() == Ipv6Addr::UNSPECIFIED;
    let socket = match socket::open(Domain::for_address(address), Type::STREAM) {
        Err(why) if wildcard_v6 && lacks_version(&why) => {
            return listen_on((Ipv4Addr::UNSPECIFIED, address.port()).into(), question, options);
        }
        other => other?,
    };
    if wildcard_v6 {
        // Said outright, not left to the bindv6only sysctl.
        socket.set_only_v6(question.family == crate::address::Family::V6)?;
    }
    socket.set_reuse_address(options.flag(Key::Reuseaddr).unwrap_or(true))?;
    socket::apply(&socket, options).map_err(plain)?;
    // Accepted sockets inherit these: no call is needed for each connection.
    socket::apply_tcp(&socket, options, address.ip().is_loopback()).map_err(plain)?;
    socket::apply_ip(&socket, address.is_ipv6(), options).map_err(plain)?;
    socket.bind(&address.into())?;
    socket.listen(socket::backlog(options))?;
    Ok(socket)
}

/// The failure to listen, with what a person can do about the usual causes.
pub fn cannot_listen(scheme: &str, address: SocketAddr, why: &io::Error) -> Failure {
    let failure = Failure::connect(format!("cannot listen on {scheme} {address}"), why);
    match why.kind() {
        io::ErrorKind::AddrInUse => failure.hint("another program listens there; port 0 takes a free one"),
        io::ErrorKind::PermissionDenied => failure.hint("ports below 1024 need root or CAP_NET_BIND_SERVICE"),
        io::ErrorKind::AddrNotAvailable => {
            failure.hint("this host has no such address; 'spile resolve --interfaces' lists them")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
