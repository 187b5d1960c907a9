//! `spile connect`: stdio, or a command, to one outgoing address.

use std::ffi::OsString;
use std::time::Instant;

use super::dial::Dial;
use super::flags::{EndArgs, Filters, ProgramArgs, SessionArgs, duration, key};
use super::outcome::exit;
use super::runtime::{Interrupts, run};
use super::tls_report::Place;
use super::words::{self, AddressFlags, Connects, WordsArgs};
use super::{Subcommand, wait};
use crate::address::{Address, Role};
use crate::endpoint::{Endpoint, Journey, RawTerminal, Stdin, Stdout, line_editor, open_command, stdio};
use crate::error::{Exit, Failure};
use crate::relay::{Finish, Limits, Relay, Report, Side};
use crate::report::{Event, Names};

/// What means something only where there is a session.
pub const SESSION: [&str; 26] = [
    "command",
    "quit_after",
    "datagrams",
    "keep_sending",
    "crlf",
    "preamble",
    "max_bytes",
    "reply_timeout",
    "raw",
    "readline",
    "pty",
    "ignore_child_status",
    "compat_env",
    "grace",
    "send_only",
    "recv_only",
    "stats",
    "capture",
    "digest",
    "progress",
    "rate",
    "delay",
    "jitter",
    "idle_timeout",
    "eof_timeout",
    "deadline",
];

/// What follows `spile connect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look at each address once and send nothing: does it answer? Several addresses and ranges of ports (20-25)
    /// are fine, -v tells of each; the status is 0 when all answer
    #[arg(short = 'z', long, conflicts_with_all = SESSION, conflicts_with = "json")]
    zero: bool,
    #[command(flatten)]
    client: Client<Connects>,
}

impl Subcommand for Args {
    const NAME: &'static str = "connect";
    const ABOUT: &'static str = "Connect stdin and stdout, or a command, to an address";
    const EXAMPLES: &'static str = "\
Examples:
  spile connect example.org 80                  or example.org:80, tcp://example.org:80
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | spile connect localhost:8080
  spile connect /run/app.sock                   a Unix socket; @name is an abstract one
  echo ping | spile connect -u -W1 localhost 9  one datagram out, one back
  spile connect db:5432 -- ./speak-to-db        the command's stdin and stdout are the connection
  spile connect --send-only --progress --digest sha256 host 9000 <file
  spile connect -z localhost 22 80 8000-8010    which of these ports answer?
";

    fn run(self) -> Result<Exit, Failure> {
        let Client { words, options, session, .. } = &self.client;
        match self.zero {
            true => wait::zero(words, &options.options, &session.log),
            false => self.client.run(Self::NAME),
        }
    }
}

/// What every command takes that connects stdio, or a command, to an address.
#[derive(Debug, clap::Args)]
pub struct Client<S: words::Side> {
    #[command(flatten)]
    words: WordsArgs,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    ends: EndArgs,
    /// How long to wait for answers after stdin has ended (datagrams)
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2s")]
    reply_timeout: std::time::Duration,
    /// Put the terminal in raw mode, and back at the end
    #[arg(long)]
    raw: bool,
    /// Edit lines before they are sent, with history; does nothing where stdin or stdout is no terminal
    #[arg(long, conflicts_with_all = ["raw", "command", "no_stdin", "recv_only"])]
    readline: bool,
    /// The key that ends a raw session
    #[arg(long, value_name = "KEY", value_parser = key, default_value = "^]", requires = "raw")]
    escape: u8,
    #[command(flatten)]
    program: ProgramArgs,
    /// How long the command may take to end once the peer is gone
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    grace: std::time::Duration,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    options: AddressFlags<S>,
}

/// Who is told of a session beside those whom its flags name.
pub trait Observer {
    /// Where the way to the peer is kept.
    fn journey(&self) -> &Journey;
    /// The peer is reached.
    fn opened(&self, _peer: &Endpoint) {}
    /// It is over; the answer is what is made of it.
    fn ended(&self, moved: Option<&Report>, result: Result<Exit, Failure>) -> Result<Exit, Failure>;
}

/// Nobody else.
struct Unobserved(Journey);

impl Observer for Unobserved {
    fn journey(&self) -> &Journey {
        &self.0
    }

    fn ended(&self, _: Option<&Report>, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        result
    }
}

impl<S: words::Side> Client<S> {
    /// Runs one session, for the subcommand of that name.
    pub fn run(self, name: &'static str) -> Result<Exit, Failure> {
        self.with_address(|address| {
            self.run_to_its_end(name, async {
                let dial = match self.dial(name, &address) {
                    Ok(dial) => dial,
                    Err(failure) => return Err(self.unopened(failure, &address)),
                };
                self.session(name, &address, &dial, &Unobserved(Journey::new())).await
            })
        })
    }

    /// Goes on with the address, unless it was only to be explained.
    pub fn with_address(&self, then: impl FnOnce(Address) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
        let address = self.words.one(Role::Connect, &self.options)?;
        if let Some(told) = self.words.explain(&[&address]) {
            return told;
        }
        self.ends.check(&address)?;
        then(address)
    }

    /// Runs what is to be done on the event loop, the progress of its bytes beside it.
    pub fn run_to_its_end(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        run(self.session.taps.progress(name).beside(work))
    }

    /// Prepares to reach the address.
    pub fn dial(&self, name: &'static str, address: &Address) -> Result<Dial, Failure> {
        Dial::new(address, self.session.time.deadline, &self.session.log.events(name))
    }

    /// The report that was asked for, where something else is to tell it.
    pub fn take_json(&mut self) -> Option<Place> {
        self.session.report.take_json()
    }

    fn names(&self, address: &Address) -> Names {
        Names { left: self.words.speaker(), right: address.describe() }
    }

    fn unopened(&self, failure: Failure, address: &Address) -> Failure {
        self.session.report.unopened(failure, &self.names(address), Instant::now())
    }

    /// One session with the peer at `address`, which `dial` reaches.
    pub async fn session(
        &self,
        name: &'static str,
        address: &Address,
        dial: &Dial,
        observer: &dyn Observer,
    ) -> Result<Exit, Failure> {
        let mut interrupts = if self.raw { Interrupts::with_raw_terminal()? } else { Interrupts::new()? };
        let events = self.session.log.events(name);
        let (started, names) = (Instant::now(), self.names(address));
        let remote = tokio::select! {
            remote = dial.open(observer.journey()) => match remote {
                Ok(remote) => remote,
                Err(failure) => {
                    let failure = self.session.report.unopened(failure, &names, started);
                    return observer.ended(None, Err(failure));
                }
            },
            () = interrupts.ended() => {
                return observer.ended(None, Ok(interrupts.exit().unwrap_or(Exit::FAILURE)));
            }
        };
        observer.opened(&remote);
        events(&Event::Connected { address: names.right.clone(), took: started.elapsed() });
        let report = self.relay(remote, started, &mut interrupts).await?;
        let told = self.session.report.tell(name, &report, &names);
        let result = match (told, interrupts.exit()) {
            (Err(failure), _) => Err(failure),
            (Ok(()), Some(exit)) => Ok(exit),
            (Ok(()), None) => exit(&report, &names, !self.program.ignore_child_status),
        };
        observer.ended(Some(&report), result)
    }

    /// Moves bytes between our side and the peer.
    async fn relay(
        &self,
        remote: Endpoint,
        started: Instant,
        interrupts: &mut Interrupts,
    ) -> Result<Report, Failure> {
        let terminal = if self.raw { RawTerminal::enter()? } else { None };
        let mut limits = self.limits(&remote);
        if terminal.is_some() && limits.finish == Finish::RightEnds {
            limits.finish = Finish::EitherEnds;
        }
        let local = self.local(&remote)?;
        let ends = self.session.direction.apply((local, remote));
        let ends = self.filters.apply(ends, self.raw.then_some(self.escape))?;
        let (local, remote) = self.session.pass(ends, Side::Right, 1)?;
        let relay = Relay::new(local, remote, limits).since(started);
        Ok(relay.run_until(interrupts, None, || ()).await)
    }

    fn local(&self, remote: &Endpoint) -> Result<Endpoint, Failure> {
        let command: &[OsString] = self.words.command();
        if self.readline
            && let Some(person) = line_editor()?
        {
            return Ok(person);
        }
        if command.is_empty() {
            let stdin = if self.session.direction.no_stdin() { Stdin::Ignore } else { Stdin::Read };
            return stdio(stdin, Stdout::Ends);
        }
        open_command(command, self.program.pty, &self.program.told(remote.connection()))
    }

    fn limits(&self, remote: &Endpoint) -> Limits {
        let is_command = !self.words.command().is_empty();
        let finish = self.ends.finish(match self.session.direction.send_only {
            true => Finish::LeftEnds,
            false if is_command || remote.is_datagram() => Finish::BothEnd,
            false => Finish::RightEnds,
        });
        let quiet = match (self.ends.quit_after(), remote.is_datagram()) {
            (Some(time), _) => Some(time),
            (None, true) => Some(self.reply_timeout),
            (None, false) => None,
        };
        let limits = Limits {
            finish,
            half_closed: quiet,
            half_closed_is_fine: quiet.is_some(),
            grace: self.grace,
            ..Limits::default()
        };
        self.session.time.apply(limits)
    }
}
