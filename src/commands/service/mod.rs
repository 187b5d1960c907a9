//! What `listen` and `relay` share: opening a service, announcing it, serving it until a signal.

mod accepting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use accepting::{BadPeers, accept_one};

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::flags::{duration, file_name};
use super::opening::{self, announce, reloading};
use super::runtime::Interrupts;
use crate::address::{Address, Host, Key, Target};
use crate::endpoint::{Connection, Endpoint, Incoming, Listener, Losses, Observer, VariableNames, local_of};
use crate::error::{Exit, Failure};
use crate::relay::{Limits, Relay, Report};
use crate::report::{Event, Events, Names, digest_lines, session_json, session_text};
use crate::server::{Door, End, PortFile, Rules, serve};
use accepting::Handshakes;

/// Silence after which a datagram peer's session ends.
const SESSION_IDLE: Duration = Duration::from_secs(60);

/// Flags of everything that listens.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub struct ServerArgs {
    /// Serve this many connections in all, then end; a datagram peer is one until it falls silent, for --grace at most
    #[arg(long, visible_alias = "count", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_total: Option<u64>,
    /// Networks that may connect, one a line; read again on HUP
    #[arg(long, value_name = "FILE")]
    pub allow_file: Option<PathBuf>,
    /// Write the port number to this file once peers can connect
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file_name))]
    pub port_file: Option<PathBuf>,
    /// Write a newline to this descriptor once peers can connect
    #[arg(long, value_name = "N")]
    pub ready_fd: Option<i32>,
    /// How long open connections may take to finish after TERM; a second TERM ends them at once
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub grace: Duration,
}

impl ServerArgs {
    /// Limits of one session: a datagram peer cannot say the end, so silence is its end.
    pub fn for_peer(&self, limits: Limits, peer: &Endpoint) -> Limits {
        if !peer.is_datagram() {
            return limits;
        }
        let (idle, idle_is_fine) = match (limits.idle, peer.session_idle()) {
            (None, own) => (own.unwrap_or(SESSION_IDLE), true),
            (Some(asked), Some(own)) if own <= asked => (own, true),
            (Some(asked), _) => (asked, limits.idle_is_fine),
        };
        Limits { idle: Some(idle), idle_is_fine, half_closed_is_fine: true, ..limits }
    }
}

/// A service that peers can reach.
pub struct Server {
    listener: Option<Listener>,
    rules: Arc<Rules>,
    /// Where events go.
    pub events: Events,
    /// Signals that end it.
    pub interrupts: Interrupts,
    /// `tcp`, `udp`, `unix`…
    pub protocol: String,
    accepted: u64,
    served: u64,
    handshakes: Handshakes,
    losses: Losses,
    _port_file: Option<PortFile>,
}

impl Server {
    /// Opens the service and announces it.
    pub async fn open(
        address: &Address,
        args: &ServerArgs,
        events: Events,
        talkative: bool,
        runs_programs: bool,
    ) -> Result<Server, Failure> {
        let door = opening::open(address, args, &events, talkative).await?;
        if runs_programs && is_open_to_all(address, args) {
            events(&Event::Note(OPEN_TO_ALL.to_owned()));
        }
        let doors = [door];
        let interrupts = reloading(&doors, &events)?;
        for note in doors[0].listener.notes() {
            events(&Event::Note(note));
        }
        let port_file = announce(&doors, args, &events)?;
        let [Door { listener, rules }] = doors;
        let losses = listener.losses().clone();
        let protocol =
            listener.names().first().and_then(|name| name.split(' ').next()).unwrap_or("").to_owned();
        Ok(Server {
            listener: Some(listener),
            handshakes: Handshakes::new(rules.max_handshakes),
            losses,
            rules,
            events,
            interrupts,
            protocol,
            accepted: 0,
            served: 0,
            _port_file: port_file,
        })
    }

    /// From now on `observer` is told of every handshake.
    pub fn observe(&self, observer: Observer) {
        if let Some(acceptor) = self.listener.as_ref().and_then(Listener::acceptor) {
            acceptor.observe(observer);
        }
    }

    /// Serves until a signal or `--max-total`; then 0 when all could finish.
    pub async fn serve<F>(mut self, handle: impl Fn(Incoming, u64) -> F + 'static) -> Result<Exit, Failure>
    where
        F: Future<Output = ()> + 'static,
    {
        let Some(listener) = self.listener.take() else { return Ok(Exit::FAILURE) };
        let doors = vec![Door { listener, rules: self.rules.clone() }];
        let handle = move |incoming, id| Some(handle(incoming, id));
        let end = serve(doors, &self.events, &mut self.interrupts, handle).await;
        ended(end, &self.interrupts)
    }

    /// Closes the listening sockets: later peers are refused at once instead of waiting for nothing.
    /// A datagram peer goes on sending to the same socket, and by the same path.
    pub fn stop_listening_after(&mut self, last: &Incoming) {
        self.handshakes.end();
        match &mut self.listener {
            Some(listener) if last.endpoint.is_datagram() => listener.accept_no_more(),
            listener => *listener = None,
        }
    }

    /// Runs the one session that there is. TERM lets it finish within the grace, and nobody else in.
    pub async fn run(&mut self, relay: Box<Relay>, waits: bool) -> Report {
        let Server { listener, interrupts, rules, .. } = self;
        relay.run_until(interrupts, waits.then_some(rules.grace), || *listener = None).await
    }

    /// True when `--max-total` connections were served.
    pub fn is_spent(&self) -> bool {
        self.rules.max_total.is_some_and(|total| self.served >= total)
    }

    /// Tells that a connection is over.
    pub fn closed(&self, id: u64, report: &Report, names: &Names) {
        tell_closed(&self.events, id, report, names);
    }
}

impl Drop for Server {
    /// Tells of datagrams that were lost here.
    fn drop(&mut self) {
        let count = self.losses.count();
        if count > 0 {
            let why = "whom they were for had not taken those before them";
            (self.events)(&Event::Note(format!("{count} datagrams were received and dropped: {why}")));
        }
    }
}

/// A program that whoever can reach this host may run deserves a word.
const OPEN_TO_ALL: &str = "warning: every host that can reach this one may run the program; --allow names who may, a bare PORT is loopback";

fn is_open_to_all(address: &Address, args: &ServerArgs) -> bool {
    address.listener().is_some_and(|end| {
        let open = matches!(end.target, Target::Net { host: Host::Any, .. }) && !end.options.has(Key::Bind);
        open && !end.options.has(Key::Allow) && !end.options.has(Key::Deny) && args.allow_file.is_none()
    })
}

/// The status of a service that has ended.
pub fn ended(end: End, interrupts: &Interrupts) -> Result<Exit, Failure> {
    match end {
        End::Drained => Ok(Exit::OK),
        End::Cut => Ok(interrupts.exit().unwrap_or(Exit::OK)),
        End::NobodyCame => Err(nobody_came()),
    }
}

fn nobody_came() -> Failure {
    Failure::timeout("nobody connected", "time limit --accept-timeout ran out")
}

/// What a child is told of the connection that it serves.
pub fn session_id(incoming: &Incoming, protocol: &str, id: u64) -> Connection {
    let own = || incoming.endpoint.source.stream().and_then(|fd| local_of(fd));
    let local = incoming.local.clone().or_else(own);
    Connection {
        protocol: protocol.to_owned(),
        peer: Some(incoming.peer.clone()),
        local,
        id,
        names: VariableNames::Own,
        tls: incoming.endpoint.tls_facts(),
    }
}

/// Tells what must not need -v to be seen: what was lost, and the digests that were asked for.
pub fn tell_findings(events: &Events, id: u64, report: &Report) {
    let lost = report.cut_messages + report.refused_messages;
    if lost > 0 {
        events(&Event::Failed { id, why: format!("{lost} messages were too long to pass on whole") });
    }
    for why in report.taps().filter_map(|tap| tap.capture_failed.as_ref()) {
        events(&Event::Failed { id, why: format!("the capture is not complete: {why}") });
    }
    for text in digest_lines(report) {
        events(&Event::Digest { id, text });
    }
}

/// Tells that a connection is over.
pub fn tell_closed(events: &Events, id: u64, report: &Report, names: &Names) {
    events(&Event::Closed { id, text: session_text(report, names), report: session_json(report, names) });
}
