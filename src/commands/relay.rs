//! `spile relay`: any address to any address.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Subcommand;
use super::flags::{ProgramArgs, SessionArgs};
use super::outcome::exit;
use super::runtime::{Interrupts, run};
use super::service::{BadPeers, Server, ServerArgs, accept_one, session_id, tell_closed, tell_findings};
use super::words::{AddressFlags, Either, WordsArgs};
use crate::address::{Address, Target};
use crate::endpoint::{Connection, Endpoint, Incoming, Opener, Patience, Use, open_command, persist};
use crate::error::{Exit, Failure};
use crate::relay::{Finish, Limits, Outcome, Relay, Side};
use crate::report::{Event, Events, Names};

/// How long a half-closed session may say nothing.
const EOF_TIMEOUT: Duration = Duration::from_secs(300);

/// What follows `spile relay`.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("words", |arg| arg.help("The left address, and the right one where no command is given")),
    mut_arg("command", |arg| arg.help("Command to run for each connection as the right side"))
)]
pub struct Args {
    #[command(flatten)]
    words: WordsArgs,
    /// Serve one connection, then end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: AddressFlags<Either>,
}

impl Subcommand for Args {
    const NAME: &'static str = "relay";
    const ABOUT: &'static str = "Move bytes between any two addresses; a listening left side serves for ever";
    const EXAMPLES: &'static str = "\
Examples:
  spile relay tcp-l:8080 10.0.0.5:80                   a port here is a port there
  spile relay tcp-l::8080 10.0.0.5:80                  the same on all interfaces
  spile relay unix-l:pg.sock,mode=600 db:5432          a Unix socket in front of TCP
  spile relay tcp-l:2375 /var/run/docker.sock          and the other way round
  spile relay tcp-l:7000 sh:'wc -c | tr a b'           a shell for each connection
  spile relay tcp-l:7000 -- grep -c error              a command for each connection
  spile relay udp-l:5353 udp:127.0.0.1:53              datagrams, a session for each peer
  spile relay --rate 64K/s --delay 200ms tcp-l:8080 host:80   a slow and long line
  spile relay --capture in-{id},out-{id} tcp-l:8080 host:80   what each peer says and hears
  spile relay file:in.bin tcp:host:9000                a file to a server
";

    fn run(self) -> Result<Exit, Failure> {
        let (left, right) = self.words.two(&self.options.options)?;
        let addresses: Vec<&Address> = std::iter::once(&left).chain(right.as_ref()).collect();
        if let Some(told) = self.words.explain(&addresses) {
            return told;
        }
        let progress = self.session.taps.progress(Self::NAME);
        match left.listener() {
            Some(_) if self.once => run(progress.beside(self.serve(left, right))),
            Some(_) => {
                self.session.taps.serve_many()?;
                run(progress.beside(self.serve(left, right)))
            }
            None => run(progress.beside(self.between(left, right))),
        }
    }
}

impl Args {
    /// Neither side is a server: one session.
    async fn between(self, left: Address, right: Option<Address>) -> Result<Exit, Failure> {
        let mut interrupts = Interrupts::new()?;
        let started = Instant::now();
        let names = Names { left: left.describe(), right: self.right_name(right.as_ref()) };
        let events = self.session.log.events(Self::NAME);
        let opening = async {
            let (opener, nobody) = (Opener::new(&left, Use::Input)?, Connection::default());
            let far = Far::new(&self, right)?;
            tell(&events, opener.warnings());
            far.warn(&events);
            let near = persist(Patience::of(&left), &names.left, || opener.open(&nobody)).await?;
            let far = far.open(&self.program.told(near.connection())).await?;
            Ok::<_, Failure>((near, far))
        };
        let (near, far) = tokio::select! {
            opened = opening => {
                opened.map_err(|failure| self.session.report.unopened(failure, &names, started))?
            }
            () = interrupts.ended() => return Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
        };
        note(&events, [&near, &far]);
        let limits = self.limits([&near, &far]);
        let (near, far) = self.pass((near, far), 1)?;
        let relay = Relay::new(near, far, limits).since(started);
        let report = relay.run_until(&mut interrupts, None, || ()).await;
        self.session.report.tell(Self::NAME, &report, &names)?;
        if let Some(exit) = interrupts.exit() {
            return Ok(exit);
        }
        exit(&report, &names, !self.program.ignore_child_status)
    }

    async fn serve(self, left: Address, right: Option<Address>) -> Result<Exit, Failure> {
        let events = self.session.log.events(Self::NAME);
        let (right_name, is_program) = (self.right_name(right.as_ref()), runs_programs(right.as_ref()));
        let far = Far::new(&self, right)?;
        far.warn(&events);
        let mut server =
            Server::open(&left, &self.server, events.clone(), self.session.log.is_talkative(), is_program)
                .await?;
        if self.once {
            return self.serve_one(&mut server, &far, &right_name).await;
        }
        let (protocol, verbose) = (server.protocol.clone(), self.session.log.is_talkative());
        let limits = Arc::new(self.stream_limits());
        let context = Arc::new(Context { args: self, far, right_name, limits });
        server
            .serve(move |incoming: Incoming, id| {
                // Told only to those who want to know; asking the kernel for it costs a call for each connection.
                let connection = match context.far.needs_environment() {
                    true => context.args.program.told(session_id(&incoming, &protocol, id)),
                    false => Connection { id, ..Connection::default() },
                };
                let left = verbose.then(|| incoming.peer.to_string());
                let opening = Box::pin(open_session(context.clone(), incoming, connection));
                let (context, events) = (context.clone(), events.clone());
                // Once the session runs, its task holds little more than the session.
                async move {
                    let report = match opening.await {
                        Ok(relay) => relay.run().await,
                        Err(failure) => return events(&Event::Failed { id, why: failure.to_string() }),
                    };
                    tell_findings(&events, id, &report);
                    if let Some(left) = left {
                        let names = Names { left, right: context.right_name.clone() };
                        tell_closed(&events, id, &report, &names);
                    }
                }
            })
            .await
    }

    async fn serve_one(&self, server: &mut Server, far: &Far, right_name: &str) -> Result<Exit, Failure> {
        let Some((incoming, id)) = accept_one(server, BadPeers::EndIt).await? else {
            return Ok(server.interrupts.exit().unwrap_or(Exit::OK));
        };
        server.stop_listening_after(&incoming);
        let accepted = Instant::now();
        let names = Names { left: incoming.peer.to_string(), right: right_name.to_owned() };
        let connection = self.program.told(session_id(&incoming, &server.protocol, id));
        let far = match far.open(&connection).await {
            Ok(far) => far,
            Err(failure) => {
                reject(incoming.endpoint);
                return Err(self.session.report.unopened(failure, &names, accepted));
            }
        };
        let limits = self.limits([&incoming.endpoint, &far]);
        let waits = !incoming.endpoint.is_datagram();
        let (near, far) = self.pass((incoming.endpoint, far), id)?;
        let report = server.run(Relay::new(near, far, limits), waits).await;
        server.closed(id, &report, &names);
        self.session.report.tell(Self::NAME, &report, &names)?;
        match server.interrupts.exit() {
            Some(exit) if report.outcome == Outcome::Stopped => Ok(exit),
            _ => exit(&report, &names, !self.program.ignore_child_status),
        }
    }

    /// What is done with the bytes of a session.
    fn pass(&self, ends: (Endpoint, Endpoint), id: u64) -> Result<(Endpoint, Endpoint), Failure> {
        self.session.pass(self.session.direction.apply(ends), Side::Left, id)
    }

    fn right_name(&self, right: Option<&Address>) -> String {
        match (right, self.words.command().first()) {
            (Some(address), _) => address.describe(),
            (None, Some(program)) => program.to_string_lossy().into_owned(),
            (None, None) => String::new(),
        }
    }

    fn limits(&self, ends: [&Endpoint; 2]) -> Limits {
        ends.into_iter().fold(self.stream_limits(), |limits, end| self.server.for_peer(limits, end))
    }

    /// The limits of every session in which no datagram socket takes part.
    fn stream_limits(&self) -> Limits {
        let finish = if self.session.direction.send_only { Finish::LeftEnds } else { Finish::BothEnd };
        let limits =
            Limits { finish, half_closed: Some(EOF_TIMEOUT), grace: self.server.grace, ..Limits::default() };
        self.session.time.apply(limits)
    }
}

/// True when the right side is a command or a program.
fn runs_programs(right: Option<&Address>) -> bool {
    match right {
        None => true,
        Some(Address::One(end)) => matches!(end.target, Target::Exec(_) | Target::Shell(_)),
        Some(Address::Dual(..)) => false,
    }
}

/// What every connection of a service needs.
struct Context {
    args: Args,
    far: Far,
    right_name: String,
    /// Shared by all sessions of streams.
    limits: Arc<Limits>,
}

/// Opens the right side for a peer; the peer is told when that fails.
async fn open_session(
    context: Arc<Context>,
    incoming: Incoming,
    connection: Connection,
) -> Result<Box<Relay>, Failure> {
    let args = &context.args;
    let far = match context.far.open(&connection).await {
        Ok(far) => far,
        Err(failure) => {
            reject(incoming.endpoint);
            return Err(failure);
        }
    };
    let limits = match incoming.endpoint.is_datagram() || far.is_datagram() {
        true => Arc::new(args.limits([&incoming.endpoint, &far])),
        false => context.limits.clone(),
    };
    let (near, far) = args.pass((incoming.endpoint, far), connection.id)?;
    Ok(Relay::new(near, far, limits))
}

/// The right side: opened anew for every connection.
enum Far {
    Address { opener: Box<Opener>, patience: Patience, name: String },
    Command(Vec<std::ffi::OsString>, bool),
}

impl Far {
    fn new(args: &Args, right: Option<Address>) -> Result<Far, Failure> {
        Ok(match right {
            Some(address) => Far::Address {
                opener: Box::new(Opener::new(&address, Use::Output)?),
                patience: Patience::of(&address),
                name: address.describe(),
            },
            None => Far::Command(args.words.command().to_vec(), args.program.pty),
        })
    }

    /// Tells what a person should know of the right side before it is opened.
    fn warn(&self, events: &Events) {
        if let Far::Address { opener, .. } = self {
            tell(events, opener.warnings());
        }
    }

    fn needs_environment(&self) -> bool {
        match self {
            Far::Address { opener, .. } => opener.tells_of_peer(),
            Far::Command(..) => true,
        }
    }

    async fn open(&self, connection: &Connection) -> Result<Endpoint, Failure> {
        match self {
            Far::Address { opener, patience, .. } if patience.is_none() => opener.open(connection).await,
            Far::Address { opener, patience, name } => {
                persist(*patience, name, || opener.open(connection)).await
            }
            Far::Command(argv, pty) => open_command(argv, *pty, connection),
        }
    }
}

/// A peer whose service is not there is told so at once, with a reset.
fn reject(endpoint: Endpoint) {
    crate::relay::abort(&endpoint);
}

fn note(events: &Events, ends: [&Endpoint; 2]) {
    tell(events, ends.into_iter().filter_map(|end| end.note().map(str::to_owned)));
}

fn tell(events: &Events, notes: impl IntoIterator<Item = String>) {
    for text in notes {
        events(&Event::Note(text));
    }
}
