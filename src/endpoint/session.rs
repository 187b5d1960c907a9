//! A shared datagram socket with a session for each peer: one reader sorts what comes, each session answers.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{SockAddr, SockRef, Socket};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::descriptor::{Descriptor, Kind};
use super::message::{self, Messages, next_length};
use super::session_table::{Pair, Queue, Sessions, Sorted, lock};
use super::socket::make_room;
use super::{Endpoint, Incoming, Input, Sink, Source, peer};
use crate::address::{Key, Options};
use crate::event_loop::{spawn, yield_now};

/// New peers kept until they are accepted.
const WAITING: usize = 1024;
/// Datagrams sorted before those that they are for get a turn.
const BATCH: u32 = 64;
/// Receive buffer when not said otherwise, as far as the kernel grants it (net.core.rmem_max): it bridges the time in
/// which we are not looked after.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
/// Sessions at once when not said otherwise.
const MAX_SESSIONS: usize = 1024;
/// Room for the largest UDP datagram.
const LARGEST: usize = 65_536;

/// How many datagrams were received and given up, because nobody took them in time.
#[derive(Clone, Debug, Default)]
pub struct Losses(Arc<AtomicU64>);

impl Losses {
    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many until now.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A receiving socket and its sessions.
pub struct Datagrams {
    new: mpsc::Receiver<Incoming>,
}

impl Datagrams {
    /// Starts to receive, and counts in `losses` what is lost; must be called inside a runtime.
    pub fn start(socket: Socket, options: &Options, losses: Losses) -> io::Result<Datagrams> {
        let wildcard = socket.local_addr()?.as_socket().filter(|local| local.ip().is_unspecified());
        if let Some(local) = wildcard {
            // Tells which of our addresses was asked, so that the answer comes from the same one.
            match local.is_ipv4() {
                true => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
                false => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
            }
        }
        let messages = Messages::of(socket.as_fd())?;
        if messages == Messages::Udp && !options.has(Key::Rcvbuf) {
            enlarge(&socket);
        }
        let max = options.number(Key::MaxSessions).and_then(|n| usize::try_from(n).ok());
        let shared = Arc::new(Shared {
            fd: Descriptor::new(socket.into(), Kind::Message)?,
            sessions: Mutex::default(),
            max: max.unwrap_or(MAX_SESSIONS).max(1),
            mtu: message::mtu(options, messages),
            eof_on_empty: options.flag(Key::EofOnEmpty).unwrap_or(false),
            idle: options.time(Key::SessionIdle),
            tells_local: wildcard.is_some(),
            messages,
            losses,
        });
        let (sender, new) = mpsc::channel(WAITING);
        spawn(read(shared, sender));
        Ok(Datagrams { new })
    }

    /// New peers are dropped from now on.
    pub fn accept_no_more(&mut self) {
        self.new.close();
    }

    /// The next peer that was not known before.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        match ready!(self.new.poll_recv(cx)) {
            Some(incoming) => Poll::Ready(incoming),
            None => Poll::Pending,
        }
    }
}

struct Shared {
    fd: Descriptor,
    sessions: Mutex<Sessions>,
    max: usize,
    mtu: u32,
    eof_on_empty: bool,
    idle: Option<Duration>,
    /// The socket listens on every address, and each datagram tells which one was asked.
    tells_local: bool,
    messages: Messages,
    losses: Losses,
}

struct Datagram {
    from: SockAddr,
    to: Option<Local>,
    len: usize,
    full: usize,
}

/// The one of our addresses that a datagram was sent to.
#[derive(Clone, Copy)]
enum Local {
    V4(libc::in_pktinfo),
    V6(libc::in6_pktinfo),
}

impl Local {
    fn ip(self) -> IpAddr {
        match self {
            Local::V4(info) => Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into(),
            Local::V6(info) => Ipv6Addr::from(info.ipi6_addr.s6_addr).into(),
        }
    }
}

/// Never a smaller one than the kernel gives by itself.
fn enlarge(socket: &Socket) {
    if socket.recv_buffer_size().is_ok_and(|size| size < RECEIVE_BUFFER) {
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    }
}

async fn read(shared: Arc<Shared>, new: mpsc::Sender<Incoming>) {
    let (mut buffer, mut in_a_row) = (vec![0; LARGEST], 0_u32);
    loop {
        match poll_fn(|cx| shared.poll_receive(cx, &mut buffer)).await {
            Ok(datagram) => {
                if let Some(incoming) = shared.sort(&datagram, &buffer[..datagram.len]) {
                    shared.hand_over(incoming, &new).await;
                }
                in_a_row += 1;
            }
            // ECONNREFUSED and its like answer an earlier datagram of some session; the socket is fine.
            Err(_) => in_a_row = BATCH,
        }
        if in_a_row >= BATCH {
            in_a_row = 0;
            yield_now().await;
        }
    }
}

impl Shared {
    /// Has a new peer accepted. Where they come faster than they are, those who accept get a turn; but they are never
    /// waited for, since all others are fed by this very task.
    async fn hand_over(&self, incoming: Incoming, new: &mpsc::Sender<Incoming>) {
        if new.capacity() == 0 {
            yield_now().await;
        }
        if let Err(TrySendError::Full(_)) = new.try_send(incoming) {
            self.losses.add_one();
        }
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<Datagram>> {
        self.fd.poll_input(cx, |fd, _| {
            if self.messages != Messages::Udp {
                buffer.resize(next_length(fd)?.max(LARGEST), 0);
                buffer.shrink_to_fit();
            }
            let received = match self.tells_local {
                true => receive_with_local(&self.fd, buffer),
                false => receive_plain(&self.fd, buffer),
            };
            received.map(|datagram| (datagram, false)).map_err(errno)
        })
    }

    /// Hands a datagram to its session, or makes one.
    fn sort(self: &Arc<Self>, datagram: &Datagram, bytes: &[u8]) -> Option<Incoming> {
        let key: Pair = (datagram.from.clone(), datagram.to.map(Local::ip));
        let queue = match lock(&self.sessions).sort(&key, bytes, datagram.full, self.max) {
            Sorted::New(queue) => queue,
            Sorted::Kept => return None,
            Sorted::Lost => {
                self.losses.add_one();
                return None;
            }
        };
        let source = SessionSource { queue, shared: self.clone(), key };
        let sink = SessionSink {
            shared: self.clone(),
            to: datagram.from.clone(),
            local: datagram.to,
            stalled: false,
        };
        let mut endpoint = Endpoint::new(Source::Session(Box::new(source)), Sink::Session(Box::new(sink)));
        endpoint.extras.get_or_insert_default().session_idle = self.idle;
        Some(Incoming::new(endpoint, peer::of(&datagram.from)))
    }
}

/// The datagrams of one peer.
pub struct SessionSource {
    queue: Arc<Mutex<Queue>>,
    shared: Arc<Shared>,
    key: Pair,
}

impl SessionSource {
    /// The next datagram; the end when the session had to make room for a newer one.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Input> {
        let mut queue = lock(&self.queue);
        match queue.take() {
            Some((bytes, _)) if bytes.is_empty() && self.shared.eof_on_empty => Poll::Ready(Input::End),
            Some((bytes, full)) if bytes.len() > buffer.len() => Poll::Ready(Input::Long { bytes, full }),
            Some((bytes, full)) => {
                let len = bytes.len().min(buffer.len());
                buffer[..len].copy_from_slice(&bytes[..len]);
                Poll::Ready(Input::Message { len, full })
            }
            None => queue.poll_more(cx).map(|()| Input::End),
        }
    }
}

impl Drop for SessionSource {
    fn drop(&mut self) {
        lock(&self.shared.sessions).forget(&self.key, &self.queue);
    }
}

/// Answers to one peer.
pub struct SessionSink {
    shared: Arc<Shared>,
    to: SockAddr,
    local: Option<Local>,
    /// The last datagram did not fit into the socket, which all sessions share; wait before the next try.
    stalled: bool,
}

impl SessionSink {
    /// Most bytes of a stream to put in one datagram.
    pub fn mtu(&self) -> usize {
        self.shared.mtu as usize
    }

    /// Sends one datagram.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let SessionSink { shared, to, local, stalled } = self;
        shared.fd.poll_output(cx, stalled, |_, _| match send(&shared.fd, to, *local, bytes).map_err(errno) {
            Ok(n) => Ok((n, false)),
            Err(rustix::io::Errno::MSGSIZE) if make_room(shared.fd.as_fd(), bytes.len()) => {
                send(&shared.fd, to, *local, bytes).map(|n| (n, false)).map_err(errno)
            }
            Err(rustix::io::Errno::NOBUFS) => Err(rustix::io::Errno::AGAIN),
            Err(errno) => Err(errno),
        })
    }
}

fn errno(why: io::Error) -> rustix::io::Errno {
    rustix::io::Errno::from_io_error(&why).unwrap_or(rustix::io::Errno::IO)
}

/// Without packet information: any family, and the address is exactly what the kernel said.
fn receive_plain(fd: &Descriptor, buffer: &mut [u8]) -> io::Result<Datagram> {
    let capacity = buffer.len();
    // MSG_TRUNC makes recvfrom answer the true length, so that a cut is seen.
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    let (full, from) = SockRef::from(fd).recv_from_with_flags(as_uninit(buffer), flags)?;
    Ok(Datagram { from, to: None, len: full.min(capacity), full })
}

fn as_uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: both have the same layout, and recvfrom(2) writes only initialised bytes into it.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

fn receive_with_local(fd: &Descriptor, buffer: &mut [u8]) -> io::Result<Datagram> {
    let capacity = buffer.len();
    let mut room = nix::cmsg_space!(libc::in6_pktinfo);
    let mut slices = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    let message = recvmsg::<SockaddrStorage>(fd.as_raw_fd(), &mut slices, Some(&mut room), flags)?;
    let to = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(Local::V4(info)),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Local::V6(info)),
        _ => None,
    });
    let from = message.address.as_ref().and_then(internet_address).ok_or(Errno::EAFNOSUPPORT)?;
    Ok(Datagram { from: from.into(), to, len: message.bytes.min(capacity), full: message.bytes })
}

fn internet_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

fn send(fd: &Descriptor, to: &SockAddr, local: Option<Local>, bytes: &[u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let (Some(local), Some(ip)) = (local, to.as_socket()) else {
        return SockRef::from(fd).send_to_with_flags(bytes, to, flags.bits());
    };
    let (slices, to) = ([IoSlice::new(bytes)], SockaddrStorage::from(ip));
    let sent = match local {
        // The source address is set and the interface left to routing: the peer may be reached by another.
        Local::V4(mut info) => {
            info.ipi_ifindex = 0;
            info.ipi_spec_dst = info.ipi_addr;
            sendmsg(fd.as_raw_fd(), &slices, &[ControlMessage::Ipv4PacketInfo(&info)], flags, Some(&to))
        }
        Local::V6(mut info) => {
            if !Ipv6Addr::from(info.ipi6_addr.s6_addr).is_unicast_link_local() {
                info.ipi6_ifindex = 0;
            }
            sendmsg(fd.as_raw_fd(), &slices, &[ControlMessage::Ipv6PacketInfo(&info)], flags, Some(&to))
        }
    };
    Ok(sent?)
}
