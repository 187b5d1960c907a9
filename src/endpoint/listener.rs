//! Listening sockets of every family behind one `accept`.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockAddr, SockRef, Socket};

use super::descriptor::{Descriptor, Kind};
use super::message::{self, Messages};
use super::session::{Datagrams, Losses};
use super::{Endpoint, Incoming, Peer, peer, socket, systemd, tcp, tls, udp, unix, vsock};
use crate::address::{End, Key, Layer, Net, Options, Target, UnixKind};
use crate::error::Failure;
use crate::event_loop::Watched;

/// Open listening sockets.
pub struct Listener {
    sockets: Vec<Listening>,
    /// Turn of the socket to ask first, so that none starves.
    turn: usize,
    names: Vec<String>,
    port: Option<u16>,
    losses: Losses,
    /// How long the PROXY header may take with which every connection begins.
    header_limit: Option<Duration>,
    /// The TLS with which it goes on.
    acceptor: Option<tls::Acceptor>,
    _path: Option<unix::PathGuard>,
}

enum Listening {
    Stream(Accepting),
    Datagrams(Datagrams),
}

/// A socket on which connections are accepted.
struct Accepting {
    socket: Watched<Socket>,
    /// What the connections are.
    kind: Kind,
    /// What accept(2) does not pass on to them.
    options: Options,
}

impl Listener {
    /// Opens the sockets that `end` names; after this peers can connect.
    pub async fn open(end: &End) -> Result<Listener, Failure> {
        let header_limit = match end.options.flag(Key::AcceptProxy) {
            Some(true) => Some(tls::handshake_limit(&end.options)),
            _ => None,
        };
        Ok(Listener { header_limit, ..Listener::open_layers(end).await? })
    }

    async fn open_layers(end: &End) -> Result<Listener, Failure> {
        if end.layer == Layer::Plain {
            return Listener::open_plain(end).await;
        }
        let acceptor = tls::Acceptor::new(&end.options)?;
        let plain = Listener::open_plain(&End { layer: Layer::Plain, ..end.clone() }).await?;
        let over = |name: &String| match name.strip_prefix("tcp ") {
            Some(rest) => format!("tls {rest}"),
            None => format!("tls+{name}"),
        };
        let names = plain.names.iter().map(over).collect();
        Ok(Listener { names, acceptor: Some(acceptor), ..plain })
    }

    async fn open_plain(end: &End) -> Result<Listener, Failure> {
        match &end.target {
            Target::Net { net: Net::Tcp, .. } => {
                Listener::streams("tcp", Kind::Tcp, tcp::listen(end).await?, &Options::default(), None)
            }
            Target::Net { net: Net::Udp, .. } => {
                let sockets = udp::listen(end).await?;
                Listener::datagrams("udp", sockets, end, None)
            }
            Target::Unix { kind, name } => {
                let (socket, path) = unix::listen(end, *kind, name)?;
                let (scheme, accepted) = match kind {
                    UnixKind::Stream => ("unix", Kind::Local),
                    UnixKind::SeqPacket => ("seqpacket", Kind::Message),
                    UnixKind::Datagram => return Listener::datagrams("unix-dgram", vec![socket], end, path),
                };
                Listener::streams(scheme, accepted, vec![socket], &end.options, path)
            }
            Target::Vsock { cid, port } => {
                let socket = vsock::listen(end, *cid, *port)?;
                Listener::streams("vsock", Kind::OtherStream, vec![socket], &end.options, None)
            }
            Target::Systemd(name) => {
                let (socket, passed) = systemd::take(name.as_deref())?;
                end.check_as(passed.scheme())?;
                socket::apply(&socket, &end.options)?;
                match passed.accepted() {
                    Some(kind) => Listener::streams("systemd", kind, vec![socket], &end.options, None),
                    None => Listener::datagrams("systemd", vec![socket], end, None),
                }
            }
            _ => Err(Failure::usage(end.describe(), "cannot be listened on")),
        }
    }

    fn streams(
        scheme: &str,
        kind: Kind,
        sockets: Vec<Socket>,
        options: &Options,
        path: Option<unix::PathGuard>,
    ) -> Result<Listener, Failure> {
        let (names, port) = describe(scheme, &sockets);
        let accepting = |socket| Listening::Stream(Accepting { socket, kind, options: options.clone() });
        let register = |socket| Watched::new(socket).map(accepting).map_err(|(_, why)| why);
        let sockets = sockets.into_iter().map(register).collect::<io::Result<_>>();
        let sockets = sockets.map_err(|why| Failure::connect("cannot watch the listening socket", why))?;
        Ok(Listener::of(sockets, names, port, Losses::default(), path))
    }

    fn datagrams(
        scheme: &str,
        sockets: Vec<Socket>,
        end: &End,
        path: Option<unix::PathGuard>,
    ) -> Result<Listener, Failure> {
        let (names, port) = describe(scheme, &sockets);
        let losses = Losses::default();
        let start = |socket| Datagrams::start(socket, &end.options, losses.clone()).map(Listening::Datagrams);
        let sockets = sockets.into_iter().map(start).collect::<io::Result<_>>();
        let sockets = sockets.map_err(|why| Failure::connect("cannot watch the socket", why))?;
        Ok(Listener::of(sockets, names, port, losses, path))
    }

    fn of(
        sockets: Vec<Listening>,
        names: Vec<String>,
        port: Option<u16>,
        losses: Losses,
        path: Option<unix::PathGuard>,
    ) -> Listener {
        Listener { sockets, turn: 0, names, port, losses, header_limit: None, acceptor: None, _path: path }
    }

    /// What is listened on, `tcp 127.0.0.1:8080`, one for each socket.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The port, where there is one; never 0.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// True where connections from other hosts can come.
    pub fn is_exposed(&self) -> bool {
        let local = |accepting: &Accepting| accepting.socket.get_ref().local_addr().ok()?.as_socket();
        self.sockets.iter().any(|socket| match socket {
            Listening::Stream(accepting) => {
                local(accepting).is_some_and(|local| !local.ip().to_canonical().is_loopback())
            }
            Listening::Datagrams(_) => false,
        })
    }

    /// True where datagrams are received.
    pub fn has_datagrams(&self) -> bool {
        self.sockets.iter().any(|socket| matches!(socket, Listening::Datagrams(_)))
    }

    /// What peers speak to.
    pub fn kind(&self) -> Kind {
        match self.sockets.first() {
            Some(Listening::Stream(accepting)) => accepting.kind,
            Some(Listening::Datagrams(_)) | None => Kind::Message,
        }
    }

    /// What is lost of them on our side.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// True where they can come from other hosts.
    pub fn hears_datagrams_of_others(&self) -> bool {
        let address = |name: &String| name.split_once(' ')?.1.parse::<std::net::SocketAddr>().ok();
        let is_local = |address: std::net::SocketAddr| address.ip().to_canonical().is_loopback();
        self.has_datagrams() && !self.names.iter().filter_map(address).all(is_local)
    }

    /// What every connection begins with, where that is TLS.
    pub fn acceptor(&self) -> Option<&tls::Acceptor> {
        self.acceptor.as_ref()
    }

    /// What a person should be told before anybody connects, a line each.
    pub fn notes(&self) -> Vec<String> {
        let address = self.names.first().and_then(|name| name.split_once(' '));
        let address = match address {
            Some(("tls", address)) => address.to_owned(),
            Some((_, path)) => format!("unix:{path}"),
            None => String::new(),
        };
        self.acceptor.as_ref().map_or_else(Vec::new, |acceptor| acceptor.notes(&address))
    }

    /// Takes no new datagram peers; those that are known go on.
    pub fn accept_no_more(&mut self) {
        for socket in &mut self.sockets {
            if let Listening::Datagrams(datagrams) = socket {
                datagrams.accept_no_more();
            }
        }
    }

    /// The next peer. An error here is about accepting, not about one peer.
    pub async fn accept(&mut self) -> io::Result<Incoming> {
        std::future::poll_fn(|cx| {
            for step in 0..self.sockets.len() {
                let at = (self.turn + step) % self.sockets.len();
                let polled = match &mut self.sockets[at] {
                    Listening::Stream(accepting) => poll_accept(accepting, cx),
                    Listening::Datagrams(datagrams) => datagrams.poll_accept(cx).map(Ok),
                };
                if polled.is_ready() {
                    self.turn = at + 1;
                    return polled
                        .map_ok(|incoming| incoming.after(self.header_limit, self.acceptor.clone()));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

fn poll_accept(
    accepting: &Accepting,
    cx: &mut std::task::Context<'_>,
) -> std::task::Poll<io::Result<Incoming>> {
    use std::task::{Poll, ready};
    let listener = &accepting.socket;
    loop {
        ready!(listener.poll_readable(cx));
        match accept(listener.get_ref()) {
            Ok((socket, address)) => return Poll::Ready(accepting.incoming(socket, &address)),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => listener.clear_readable(),
            Err(why) if is_about_one_peer(&why) => {}
            Err(why) => return Poll::Ready(Err(why)),
        }
    }
}

/// One accept4(2) with both flags; socket2's `accept` needs a second call for O_NONBLOCK.
fn accept(listener: &Socket) -> io::Result<(OwnedFd, SockAddr)> {
    use rustix::net::SocketFlags;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (fd, address) = rustix::net::acceptfrom_with(listener, flags)?;
    let address = address.and_then(|any| std::net::SocketAddr::try_from(any).ok());
    let address = match address {
        Some(ip) => ip.into(),
        None => SockRef::from(&fd).peer_addr()?,
    };
    Ok((fd, address))
}

/// accept(2) also hands on errors of the connection that it would have returned.
fn is_about_one_peer(why: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(why),
        Some(
            Errno::INTR
                | Errno::CONNABORTED
                | Errno::PROTO
                | Errno::NETDOWN
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::NONET
                | Errno::HOSTUNREACH
                | Errno::NETUNREACH
                | Errno::NOTCONN
        )
    )
}

impl Accepting {
    fn incoming(&self, socket: OwnedFd, address: &SockAddr) -> io::Result<Incoming> {
        socket::apply(&SockRef::from(&socket), &self.options).map_err(io::Error::other)?;
        let fd = Arc::new(Descriptor::new(socket, self.kind)?);
        let endpoint = match self.kind {
            Kind::Message => message::connected(fd, Messages::SeqPacket, &self.options),
            _ => Endpoint::stream_socket(fd),
        };
        Ok(Incoming::new(endpoint, peer::of(address)))
    }
}

/// Our own end of an accepted connection.
pub fn local_of(fd: &Descriptor) -> Option<Peer> {
    SockRef::from(&fd.as_fd()).local_addr().ok().map(|address| peer::of(&address))
}

fn describe(scheme: &str, sockets: &[Socket]) -> (Vec<String>, Option<u16>) {
    let locals: Vec<SockAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let port = locals.iter().find_map(|local| Some(local.as_socket()?.port()));
    let name = |local: &SockAddr| match local.as_socket() {
        Some(ip) => format!("{scheme} {ip}"),
        None => format!("{scheme} {}", peer::of(local)),
    };
    (locals.iter().map(name).collect(), port)
}
