//! A shared datagram socket with a session for each peer: one reader sorts what comes, each session answers.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::Socket;
use tokio::sync::mpsc;

use super::descriptor::{Descriptor, Kind};
use super::{Endpoint, Incoming, Input, Peer, Sink, Source, udp};
use crate::address::{Key, Options};

/// Datagrams kept for a session that does not read; what comes beyond is dropped, as the kernel would.
const QUEUE: usize = 256;
/// Sessions at once when not said otherwise.
const MAX_SESSIONS: usize = 1024;
/// Room for the largest datagram.
const LARGEST: usize = 65_536;

/// A receiving socket and its sessions.
pub struct Datagrams {
    new: mpsc::Receiver<Incoming>,
}

impl Datagrams {
    /// Starts to receive; must be called inside a runtime.
    pub fn start(socket: Socket, options: &Options) -> io::Result<Datagrams> {
        let wildcard = socket.local_addr()?.as_socket();
        if let Some(local) = wildcard.filter(|local| local.ip().is_unspecified()) {
            // Tells which of our addresses was asked, so that the answer comes from the same one.
            match local.is_ipv4() {
                true => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
                false => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
            }
        }
        let max = options.number(Key::MaxSessions).and_then(|n| usize::try_from(n).ok());
        let shared = Arc::new(Shared {
            fd: Descriptor::new(socket.into(), Kind::Message)?,
            sessions: Mutex::default(),
            max: max.unwrap_or(MAX_SESSIONS).max(1),
            mtu: udp::mtu(options),
            eof_on_empty: options.flag(Key::EofOnEmpty).unwrap_or(false),
            idle: options.time(Key::SessionIdle),
        });
        let (sender, new) = mpsc::channel(64);
        tokio::spawn(read(shared, sender));
        Ok(Datagrams { new })
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
    sessions: Mutex<HashMap<SockaddrStorage, Arc<Mutex<Queue>>>>,
    max: usize,
    mtu: u32,
    eof_on_empty: bool,
    idle: Option<Duration>,
}

/// What has come from one peer and is not read yet.
struct Queue {
    datagrams: VecDeque<(Vec<u8>, usize)>,
    waker: Option<Waker>,
    last: Instant,
    evicted: bool,
}

struct Datagram {
    from: Option<SockaddrStorage>,
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A poisoned queue is still a queue: nothing here can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(shared: Arc<Shared>, new: mpsc::Sender<Incoming>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        match poll_fn(|cx| shared.poll_receive(cx, &mut buffer)).await {
            Ok(datagram) => {
                if let Some(incoming) = shared.sort(&datagram, &buffer[..datagram.len])
                    && new.send(incoming).await.is_err()
                {
                    // The listener serves one peer and is gone; go on feeding that one.
                    shared.forget_unread();
                }
            }
            // ECONNREFUSED and its like answer an earlier datagram of some session; the socket is fine.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

impl Shared {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Datagram>> {
        self.fd.poll_input(cx, |fd, _| {
            receive(fd.as_raw_fd(), buffer)
                .map(|d| (d, false))
                .map_err(|e| rustix::io::Errno::from_raw_os_error(e as i32))
        })
    }

    /// Hands a datagram to its session, or makes one.
    fn sort(self: &Arc<Self>, datagram: &Datagram, bytes: &[u8]) -> Option<Incoming> {
        let from = datagram.from.unwrap_or_else(unnamed);
        let mut sessions = lock(&self.sessions);
        if let Some(queue) = sessions.get(&from) {
            lock(queue).push(bytes, datagram.full);
            return None;
        }
        if sessions.len() >= self.max {
            evict_oldest(&mut sessions);
        }
        let mut queue =
            Queue { datagrams: VecDeque::new(), waker: None, last: Instant::now(), evicted: false };
        queue.push(bytes, datagram.full);
        let queue = Arc::new(Mutex::new(queue));
        sessions.insert(from, queue.clone());
        drop(sessions);
        let source = SessionSource { queue, shared: self.clone(), from };
        let sink = SessionSink { shared: self.clone(), to: from, local: datagram.to, waiting: None };
        let mut endpoint = Endpoint::new(Source::Session(Box::new(source)), Sink::Session(Box::new(sink)));
        endpoint.extras.get_or_insert_default().session_idle = self.idle;
        Some(Incoming { endpoint, peer: peer_of(&from) })
    }

    fn forget_unread(&self) {
        lock(&self.sessions).retain(|_, queue| Arc::strong_count(queue) > 1);
    }
}

fn evict_oldest(sessions: &mut HashMap<SockaddrStorage, Arc<Mutex<Queue>>>) {
    let oldest = sessions.iter().min_by_key(|(_, queue)| lock(queue).last).map(|(from, _)| *from);
    if let Some(queue) = oldest.and_then(|from| sessions.remove(&from)) {
        let mut queue = lock(&queue);
        queue.evicted = true;
        queue.wake();
    }
}

impl Queue {
    fn push(&mut self, bytes: &[u8], full: usize) {
        self.last = Instant::now();
        if self.datagrams.len() < QUEUE {
            self.datagrams.push_back((bytes.to_vec(), full));
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The datagrams of one peer.
pub struct SessionSource {
    queue: Arc<Mutex<Queue>>,
    shared: Arc<Shared>,
    from: SockaddrStorage,
}

impl SessionSource {
    /// The next datagram; the end when the session had to make room for a newer one.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Input> {
        let mut queue = lock(&self.queue);
        match queue.datagrams.pop_front() {
            Some((bytes, _)) if bytes.is_empty() && self.shared.eof_on_empty => Poll::Ready(Input::End),
            Some((bytes, full)) => {
                let len = bytes.len().min(buffer.len());
                buffer[..len].copy_from_slice(&bytes[..len]);
                Poll::Ready(Input::Message { len, full })
            }
            None if queue.evicted => Poll::Ready(Input::End),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for SessionSource {
    fn drop(&mut self) {
        let mut sessions = lock(&self.shared.sessions);
        if sessions.get(&self.from).is_some_and(|queue| Arc::ptr_eq(queue, &self.queue)) {
            sessions.remove(&self.from);
        }
    }
}

/// Answers to one peer.
pub struct SessionSink {
    shared: Arc<Shared>,
    to: SockaddrStorage,
    local: Option<Local>,
    /// The socket is shared by all sessions, so each waits with a registration of its own.
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
}

impl SessionSink {
    /// Most bytes of a stream to put in one datagram.
    pub fn mtu(&self) -> usize {
        self.shared.mtu as usize
    }

    /// Sends one datagram.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(cx))?;
                self.waiting = None;
            }
            match send(&self.shared.fd, &self.to, self.local, bytes) {
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    let shared = self.shared.clone();
                    self.waiting = Some(Box::pin(async move { shared.fd.writable_again().await }));
                }
                Err(Errno::EINTR) => {}
                // An answer to an earlier datagram: that peer's port was closed then; this one was not sent.
                Err(Errno::ECONNREFUSED) => return Poll::Ready(Ok(bytes.len())),
                Err(errno) => return Poll::Ready(Err(errno.into())),
                Ok(n) => return Poll::Ready(Ok(n)),
            }
        }
    }
}

fn receive(fd: i32, buffer: &mut [u8]) -> Result<Datagram, Errno> {
    let capacity = buffer.len();
    let mut room = nix::cmsg_space!(libc::in6_pktinfo);
    let mut slices = [IoSliceMut::new(buffer)];
    // MSG_TRUNC makes recvmsg answer the true length, so that a cut is seen.
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    let message = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(&mut room), flags)?;
    let to = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(Local::V4(info)),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Local::V6(info)),
        _ => None,
    });
    Ok(Datagram { from: message.address, to, len: message.bytes.min(capacity), full: message.bytes })
}

fn send(fd: &Descriptor, to: &SockaddrStorage, local: Option<Local>, bytes: &[u8]) -> Result<usize, Errno> {
    let slices = [IoSlice::new(bytes)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let fd = fd.as_fd().as_raw_fd();
    match local {
        // The source address is set and the interface left to routing: the peer may be reached by another.
        Some(Local::V4(mut info)) => {
            info.ipi_ifindex = 0;
            info.ipi_spec_dst = info.ipi_addr;
            sendmsg(fd, &slices, &[ControlMessage::Ipv4PacketInfo(&info)], flags, Some(to))
        }
        Some(Local::V6(info)) => {
            sendmsg(fd, &slices, &[ControlMessage::Ipv6PacketInfo(&info)], flags, Some(to))
        }
        None => sendmsg(fd, &slices, &[], flags, Some(to)),
    }
}

/// Stands for all peers that have no address to answer to (unbound Unix datagram sockets).
fn unnamed() -> SockaddrStorage {
    SockaddrStorage::from(std::net::SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 0))
}

fn peer_of(from: &SockaddrStorage) -> Peer {
    if let Some(v4) = from.as_sockaddr_in() {
        return Peer::ip(std::net::SocketAddrV4::from(*v4).into());
    }
    if let Some(v6) = from.as_sockaddr_in6() {
        return Peer::ip(std::net::SocketAddrV6::from(*v6).into());
    }
    let name = from.as_unix_addr().and_then(|unix| {
        let path = unix.path().map(|path| path.display().to_string());
        path.or_else(|| Some(format!("@{}", String::from_utf8_lossy(unix.as_abstract()?))))
    });
    Peer::Unix(name.unwrap_or_default())
}
