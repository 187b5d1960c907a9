//! A live session that is recorded: stdin and stdout with an address, as `connect` and `listen` do it, or two addresses,
//! as `relay` does it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::recording::Recording;
use super::target::Target;
use super::telling::Telling;
use super::{Args, NAME};
use crate::address::Address;
use crate::commands::dial::Dial;
use crate::commands::outcome::exit;
use crate::commands::runtime::Interrupts;
use crate::commands::service::{BadPeers, Server, ServerArgs, accept_one};
use crate::endpoint::{Endpoint, Journey, Stdin, Stdout, stdio};
use crate::error::{Exit, Failure};
use crate::relay::{Finish, Limits, Relay, Report, Side, abort};
use crate::report::{Event, Events, Names};

/// How long to wait for answers after stdin has ended, where nobody hears of that end (datagrams).
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What means something only where a script is held.
const SCRIPTED: [&str; 14] = [
    "steps",
    "variables",
    "swap",
    "check",
    "format",
    "report",
    "eol",
    "term",
    "step_timeout",
    "max_buffer",
    "strict",
    "clients",
    "concurrent",
    "then",
];

/// Flags of a live session.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Recording a live session")]
pub struct RecordArgs {
    /// Hold no script: connect stdin and stdout with TARGET, or TARGET with a second address after it, and write what
    /// both say to this new file as a script; passwords are in it, too
    #[arg(long, value_name = "FILE", conflicts_with_all = SCRIPTED)]
    record: Option<PathBuf>,
}

impl RecordArgs {
    /// Where to, if that was asked for.
    pub fn file(&self) -> Option<PathBuf> {
        self.record.clone()
    }
}

/// A session that is to be.
pub struct Live<'a> {
    /// None for stdin and stdout.
    left: Option<&'a Address>,
    right: &'a Address,
    deadline: Option<Duration>,
    grace: Duration,
    server: ServerArgs,
    telling: Telling,
    events: Events,
    is_talkative: bool,
}

impl<'a> Live<'a> {
    /// Between these targets, or our stdin and stdout and the only one.
    pub fn new(targets: &'a [Target], args: &Args) -> Result<Live<'a>, Failure> {
        let (left, right) = match targets {
            [right] => (None, &right.address),
            [left, right, ..] => (Some(&left.address), &right.address),
            [] => return Err(Failure::usage("a target", "is missing")),
        };
        let are_stdio = targets.iter().filter(|target| target.is_stdio()).count();
        if are_stdio + usize::from(left.is_none()) > 1 {
            return Err(Failure::usage("-", "cannot be both ends of the session"));
        }
        let listening = targets.iter().filter(|target| target.address.listener().is_some());
        match listening.count() {
            0 | 1 => {}
            _ => return Err(Failure::usage(right.to_string(), "cannot listen, too: one end has to connect")),
        }
        args.mock.check(left.filter(|left| left.listener().is_some()).unwrap_or(right))?;
        Ok(Live {
            left,
            right,
            deadline: args.deadline,
            grace: args.program.grace,
            server: args.mock.door(Some(1)),
            telling: Telling::new(&args.log, None),
            events: args.log.events(NAME),
            is_talkative: args.log.is_talkative(),
        })
    }

    /// Has the session and records it.
    pub async fn record(&self, path: &Path) -> Result<Exit, Failure> {
        let names = Names {
            left: self.left.map_or_else(|| "stdio".to_owned(), Address::describe),
            right: self.right.describe(),
        };
        let recording = Recording::create(path, &format!("{} with {}", names.left, names.right))?;
        let listens = |address: &Address| address.listener().is_some();
        let result = match self.left {
            Some(left) if listens(left) => self.serve(Side::Left, left, Some(self.right), &recording).await,
            left if listens(self.right) => self.serve(Side::Right, self.right, left, &recording).await,
            left => self.between(left, &recording).await,
        };
        let recorded = recording.finish();
        let status = match result? {
            Over::Report(report) => exit(&report, &names, true)?,
            Over::Interrupted(status) => status,
        };
        recorded.map(|()| status)
    }

    /// Both ends are opened by us.
    async fn between(&self, left: Option<&Address>, recording: &Recording) -> Result<Over, Failure> {
        let mut interrupts = Interrupts::new()?;
        let (left, right) = (self.way(left)?, self.way(Some(self.right))?);
        let opening = async { Ok::<_, Failure>((self.open(&left).await?, self.open(&right).await?)) };
        let ends = tokio::select! {
            opened = opening => opened?,
            () = interrupts.ended() => return Ok(Over::interrupted(&interrupts)),
        };
        let report = self.session(ends, recording).run_until(&mut interrupts, None, || ()).await;
        Ok(Over::new(report, &interrupts))
    }

    /// One end is the first client that comes; the other one is opened for it.
    async fn serve(
        &self,
        side: Side,
        address: &Address,
        other: Option<&Address>,
        recording: &Recording,
    ) -> Result<Over, Failure> {
        let other = self.way(other)?;
        let mut server =
            Server::open(address, &self.server, self.events.clone(), self.is_talkative, false).await?;
        let Some((incoming, _)) = accept_one(&mut server, BadPeers::AreTold).await? else {
            return Ok(Over::interrupted(&server.interrupts));
        };
        server.stop_listening_after(&incoming);
        let client = incoming.endpoint;
        let other = match self.open(&other).await {
            Ok(other) => other,
            Err(failure) => {
                // It is told at once that nobody is there.
                abort(&client);
                return Err(failure);
            }
        };
        let ends = match side {
            Side::Left => (client, other),
            Side::Right => (other, client),
        };
        let report = server.run(self.session(ends, recording), false).await;
        Ok(Over::new(report, &server.interrupts))
    }

    /// How an end is reached that does not listen; none where it is stdin and stdout.
    fn way(&self, address: Option<&Address>) -> Result<Option<Dial>, Failure> {
        address.map(|address| Dial::new(address, self.deadline, &self.events)).transpose()
    }

    async fn open(&self, way: &Option<Dial>) -> Result<Endpoint, Failure> {
        let Some(dial) = way else { return stdio(Stdin::Read, Stdout::Ends) };
        let started = Instant::now();
        let endpoint = dial.open(&Journey::new()).await?;
        (self.events)(&Event::Connected { address: dial.name().to_owned(), took: started.elapsed() });
        if let Some(note) = endpoint.note() {
            (self.events)(&Event::Note(note.to_owned()));
        }
        Ok(endpoint)
    }

    fn session(&self, (mut left, mut right): (Endpoint, Endpoint), recording: &Recording) -> Box<Relay> {
        let limits = self.limits([&left, &right]);
        recording.overhear((&mut left, &mut right), &self.telling);
        Relay::new(left, right, limits)
    }

    fn limits(&self, ends: [&Endpoint; 2]) -> Limits {
        let has_datagrams = ends.iter().any(|end| end.is_datagram());
        let limits = Limits { grace: self.grace, deadline: self.deadline, ..Limits::default() };
        match (self.left, has_datagrams) {
            (None, false) => Limits { finish: Finish::RightEnds, ..limits },
            (None, true) => Limits { half_closed: Some(LAST_ANSWERS), half_closed_is_fine: true, ..limits },
            (Some(_), _) => ends.into_iter().fold(limits, |limits, end| self.server.for_peer(limits, end)),
        }
    }
}

/// How a session has ended.
enum Over {
    /// By itself, or by a limit.
    Report(Box<Report>),
    /// By a signal, which is the status.
    Interrupted(Exit),
}

impl Over {
    fn new(report: Report, interrupts: &Interrupts) -> Over {
        match interrupts.last {
            Some(_) => Over::interrupted(interrupts),
            None => Over::Report(Box::new(report)),
        }
    }

    fn interrupted(interrupts: &Interrupts) -> Over {
        Over::Interrupted(interrupts.exit().unwrap_or(Exit::FAILURE))
    }
}
