//! From an address to an open endpoint or listener; one file per family.

mod ahead;
mod alarm;
mod answer;
mod connect_timeout;
mod delay;
mod departure;
mod descriptor;
mod environment;
mod exchange;
mod exec;
mod file;
mod incoming;
mod kept;
mod known;
mod line_editor;
mod listener;
mod message;
mod overheard;
mod pace;
mod peer;
mod proxy;
mod proxy_header;
mod pty;
mod race;
mod record;
mod resolve;
mod retry;
mod session;
mod session_table;
mod sink;
mod socket;
mod source;
mod starttls;
mod stdio;
mod synthetic;
mod systemd;
mod tap;
mod tcp;
mod tls;
mod udp;
mod unix;
mod vsock;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use answer::{answer_with, check_answer, content, say_file};
pub use delay::{Delayed, Lateness};
pub use departure::forsaken;
pub use descriptor::{Descriptor, Kind};
pub use environment::{Connection, VariableNames};
pub use exec::open_command;
pub use incoming::{Incoming, Witness};
pub use kept::Kept;
pub use known::{HowOften, Known};
pub use line_editor::line_editor;
pub use listener::{Listener, local_of};
pub use overheard::{Overheard, Said};
pub use pace::Paced;
pub use peer::Peer;
pub use pty::{LONGEST_LINE, follow_our_terminal, reads_lines};
pub use resolve::numeric;
pub use retry::{Patience, persist};
pub use session::Losses;
pub use sink::{HalfClose, Sink, WhenBroken};
pub use socket::unsent_bytes;
pub use source::{CrLf, Input, Source};
pub use stdio::{Pump, RawTerminal, Stdin, Stdout, stdin_is_null, stdio};
pub use tap::{Capture, Finding, Tap};
pub use tls::{Acceptor, Connector, Handshake, Heard, Journey, Observer, Sights, Stage, Stream, Times};

use crate::address::{Address, End, Layer, Target};
use crate::error::Failure;
use crate::process::Child;

/// An open end of a session: where its bytes come from and where bytes for it go.
pub struct Endpoint {
    /// What it says.
    pub source: Source,
    /// What it is told.
    pub sink: Sink,
    /// The child behind it.
    pub child: Option<Box<Child>>,
    /// Whether the peer must be given time to read before the close.
    pub lingers: bool,
    /// What only few endpoints have.
    pub extras: Option<Box<Extras>>,
}

/// What only few endpoints have, kept apart because 10,000 sessions do not.
#[derive(Default)]
pub struct Extras {
    /// What has to be undone when the session is over (terminal mode, paths); dropping it does so.
    pub guards: Vec<Box<dyn Any>>,
    /// Threads that do blocking reads and writes.
    pub pumps: Vec<Pump>,
    /// Silence after which this datagram peer counts as gone, where its address says so.
    pub session_idle: Option<Duration>,
    /// What its user must be told to be able to use it (the name of a new terminal).
    pub note: Option<String>,
    /// How it came about, where somebody observes handshakes.
    pub handshake: Option<Box<Handshake>>,
}

impl Endpoint {
    /// An endpoint without a child.
    pub fn new(source: Source, sink: Sink) -> Endpoint {
        Endpoint { source, sink, child: None, lingers: false, extras: None }
    }

    /// A connected stream socket that is ours alone.
    pub fn stream_socket(fd: Arc<Descriptor>) -> Endpoint {
        let sink = Sink::socket(fd.clone());
        Endpoint { lingers: true, ..Endpoint::new(Source::Stream(fd), sink) }
    }

    /// The same endpoint, with something to undo at its end.
    pub fn guarded<G: 'static>(mut self, guard: Option<G>) -> Endpoint {
        if let Some(guard) = guard {
            self.extras.get_or_insert_default().guards.push(Box::new(guard));
        }
        self
    }

    /// The same endpoint, with a thread that does its blocking reads or writes.
    pub fn pumped_by(mut self, pump: Option<Pump>) -> Endpoint {
        if let Some(pump) = pump {
            self.extras.get_or_insert_default().pumps.push(pump);
        }
        self
    }

    /// The threads that do its blocking reads and writes.
    pub fn pumps(&self) -> &[Pump] {
        self.extras.as_ref().map_or(&[], |extras| &extras.pumps)
    }

    /// What its user must be told.
    pub fn note(&self) -> Option<&str> {
        self.extras.as_ref()?.note.as_deref()
    }

    /// Silence after which this datagram peer counts as gone, where its address says so.
    pub fn session_idle(&self) -> Option<Duration> {
        self.extras.as_ref()?.session_idle
    }

    /// What a child that serves this endpoint is told of it.
    pub fn connection(&self) -> Connection {
        let connection =
            self.source.stream().map_or_else(Connection::default, |fd| environment::connection_of(fd));
        Connection { tls: self.tls_facts(), ..connection }
    }

    /// What its TLS session has negotiated.
    pub fn tls_facts(&self) -> Option<Box<tls::Facts>> {
        self.source.tls().map(|stream| Box::new(stream.facts()))
    }

    /// True when the far side cannot tell us that it has ended.
    pub fn is_datagram(&self) -> bool {
        match self.source.innermost() {
            Source::Session(_) => true,
            Source::Messages(messages) => !messages.can_end(),
            _ => false,
        }
    }
}

/// Which way a file that is named without `read` or `write` is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is the left side: read it.
    Input,
    /// It is the right side: write it.
    Output,
}

/// An endpoint that is being opened. Boxed: a session keeps no room for it afterwards.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Endpoint, Failure>> + 'a>>;

/// Opens addresses that do not listen; made once, used for every connection.
pub enum Opener {
    /// The hot path of a server: everything about the target that can be known beforehand.
    Tcp(tcp::Connector),
    /// TLS over one of the others.
    Tls(Box<Connector>),
    /// One end of any other kind.
    End(Box<End>, Use),
    /// A read side and a write side.
    Dual(Box<(Half, Half)>),
}

/// One side of two that are joined: each is tried as patiently as its own options ask.
pub struct Half {
    opener: Opener,
    patience: Patience,
    name: String,
}

impl Half {
    fn new(end: &End, usage: Use) -> Result<Half, Failure> {
        let opener = Opener::of(end, usage)?;
        Ok(Half { opener, patience: Patience::of_end(end), name: end.describe() })
    }

    async fn open(&self, connection: &Connection) -> Result<Endpoint, Failure> {
        persist(self.patience, &self.name, || self.opener.open(connection)).await
    }
}

impl Opener {
    /// Prepares to open `address`. Files that its options name are read here: what is wrong with them is told
    /// before anything is opened.
    pub fn new(address: &Address, usage: Use) -> Result<Opener, Failure> {
        match address {
            Address::One(end) => Opener::of(end, usage),
            Address::Dual(read, write) => {
                let both = (Half::new(read, Use::Input)?, Half::new(write, Use::Output)?);
                Ok(Opener::Dual(Box::new(both)))
            }
        }
    }

    /// What a person should be told before it is opened, a line each.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Opener::Tls(connector) => connector.warnings().to_vec(),
            Opener::Dual(both) => [both.0.opener.warnings(), both.1.opener.warnings()].concat(),
            Opener::Tcp(_) | Opener::End(..) => Vec::new(),
        }
    }

    fn of(end: &End, usage: Use) -> Result<Opener, Failure> {
        if end.layer == Layer::Tls {
            return Ok(Opener::Tls(Box::new(Connector::new(end)?)));
        }
        Ok(match tcp::Connector::new(end)? {
            Some(connector) => Opener::Tcp(connector),
            None => Opener::End(Box::new(end.clone()), usage),
        })
    }

    /// What connects by TLS, where that is what it does.
    pub fn tls(&self) -> Option<&Connector> {
        match self {
            Opener::Tls(connector) => Some(connector),
            _ => None,
        }
    }

    /// True when what is opened is told of the peer that it serves.
    pub fn tells_of_peer(&self) -> bool {
        match self {
            Opener::Tcp(connector) => connector.tells_of_peer(),
            Opener::Tls(connector) => connector.tells_of_peer(),
            Opener::End(..) | Opener::Dual(_) => true,
        }
    }

    /// The same, with what is found on the way where TLS is spoken there.
    pub fn open_along<'a>(&'a self, connection: &'a Connection, journey: &'a Journey) -> Opening<'a> {
        match self {
            Opener::Tls(connector) => Box::pin(connector.connect_along(connection, journey)),
            other => other.open(connection),
        }
    }

    /// Opens it; `connection` is what it is told of the peer that it serves.
    pub fn open<'a>(&'a self, connection: &'a Connection) -> Opening<'a> {
        match self {
            Opener::Tls(connector) => Box::pin(connector.connect(connection)),
            Opener::Tcp(connector) => {
                Box::pin(async { connector.connect(connection).await.map(Endpoint::stream_socket) })
            }
            Opener::End(end, usage) => Box::pin(open_end(end, *usage, connection)),
            Opener::Dual(both) => Box::pin(async {
                let read = both.0.open(connection).await?;
                let write = both.1.open(connection).await?;
                Ok(join(read, write))
            }),
        }
    }
}

/// Takes the reading half of one endpoint and the writing half of another.
fn join(read: Endpoint, write: Endpoint) -> Endpoint {
    let joined = Endpoint { child: read.child.or(write.child), ..Endpoint::new(read.source, write.sink) };
    let (mut read, mut write) = (read.extras.unwrap_or_default(), write.extras.unwrap_or_default());
    let mut joined = joined;
    for pump in read.pumps.drain(..).chain(write.pumps.drain(..)) {
        joined = joined.pumped_by(Some(pump));
    }
    joined.guarded(Some((read, write)))
}

async fn open_end(end: &End, usage: Use, connection: &Connection) -> Result<Endpoint, Failure> {
    match &end.target {
        Target::Stdio => stdio::open(end),
        Target::Net { .. } => udp::connect(end).await,
        Target::Unix { kind, name } => unix::connect(end, *kind, name, connection).await,
        Target::Path(path) => file::open_path(end, path, usage, connection).await,
        Target::Vsock { cid, port } => vsock::connect(end, *cid, *port).await,
        Target::File(path) => file::open(end, path, usage),
        Target::Fifo(path) => file::open_fifo(end, path, usage).await,
        Target::Fd(number) => stdio::inherited(*number),
        Target::Exec(words) => exec::open_words(end, words, connection),
        Target::Shell(text) => exec::open_shell(end, text, connection),
        Target::Pty => pty::open(end),
        Target::Null => synthetic::null(),
        Target::Echo => synthetic::echo(),
        Target::Discard => synthetic::discard(),
        Target::Zero => synthetic::zero(),
        Target::Text(text) => Ok(synthetic::text(text)),
        Target::Systemd(_) => Err(Failure::usage("systemd", "is a listening address")
            .hint("put it on the left of relay, or use it with listen")),
    }
}
