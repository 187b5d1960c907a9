//! `spile wait`: until addresses answer, with one deadline. Also `connect -z`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::Subcommand;
use super::flags::duration;
use super::log::{Form, LogArgs, finish, say};
use super::probe::Probe;
use super::runtime::{Interrupts, run};
use super::words::{AddressFlags, Connects, WordsArgs};
use crate::address::{self, Address, Options, Role};
use crate::endpoint::{Patience, persist};
use crate::error::{Exit, Failure};
use crate::report::Event;

/// Most addresses that are listed as not answering.
const LISTED: usize = 10;

/// What follows `spile wait`.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("words", |arg| arg.help("Addresses, or a HOST and its PORTs, which may be ranges (8000-8010)")),
    mut_arg("command", |arg| arg.help("Command to become once all of them have answered"))
)]
pub struct Args {
    #[command(flatten)]
    words: WordsArgs,
    /// Give up after this long, all addresses together
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    timeout: Duration,
    /// What the server must say first: a regular expression; for datagrams, what it must answer
    #[arg(long, value_name = "REGEX")]
    expect: Option<Regex>,
    /// Send this first (\n, \r and \xHH are understood)
    #[arg(long, value_name = "TEXT")]
    send: Option<String>,
    /// The connection must stay open this long (a port behind a proxy may open and close at once)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    hold: Option<Duration>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    options: AddressFlags<Connects>,
}

impl Subcommand for Args {
    const NAME: &'static str = "wait";
    const ABOUT: &'static str = "Wait until addresses answer, all within one deadline";
    const EXAMPLES: &'static str = "\
Examples:
  spile wait localhost:5432                         up to 30 s, silently
  spile wait -t 2m db:5432 redis:6379 /run/app.sock all of them
  spile wait --expect '^220 ' mail:25               until it greets
  spile wait --hold 200ms localhost:8080            the port must stay open (behind a proxy)
  spile wait localhost:5432 -- ./migrate            then run a command
";

    fn run(self) -> Result<Exit, Failure> {
        let addresses = self.words.all(Role::Connect, &self.options.options)?;
        if let Some(told) = self.words.explain(&addresses.iter().collect::<Vec<_>>()) {
            return told;
        }
        let command = self.words.command().to_vec();
        let exit = run(self.wait_for_all(addresses))?;
        if exit == Exit::OK && !command.is_empty() { become_command(&command) } else { Ok(exit) }
    }
}

impl Args {
    async fn wait_for_all(self, addresses: Vec<Address>) -> Result<Exit, Failure> {
        let mut interrupts = Interrupts::new()?;
        let (events, started) = (self.log.events(Self::NAME), Instant::now());
        let patience = |address: &Address| {
            let asked = Patience::of(address);
            match asked.time {
                Some(_) => asked,
                None => Patience { time: Some(self.timeout), flag: "--timeout", ..asked },
            }
        };
        let send = self.send.as_deref().map(address::unescape);
        let probe = Probe { expect: self.expect, send, hold: self.hold };
        let all = async {
            let each = addresses.iter().map(async |address| {
                let (patience, name) = (patience(address), address.describe());
                let until = patience.time.map(|time| Instant::now() + time);
                let result = persist(patience, &name, || probe.look(address, until)).await;
                // A single address that fails in text is told by the failure itself.
                if result.is_ok() || addresses.len() > 1 || self.log.log == Form::Json {
                    events(&told(&name, &result, started.elapsed()));
                }
                result
            });
            every(&addresses, join_all(each).await)
        };
        tokio::select! {
            result = all => result,
            () = interrupts.ended() => Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
        }
    }
}

/// Runs all to their end, in turn on one thread; resolves when all have.
async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *slot = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn told(name: &str, result: &Result<(), Failure>, took: Duration) -> Event {
    let address = name.to_owned();
    match result {
        Ok(()) => Event::Connected { address, took },
        Err(failure) => Event::Unreachable { address, why: failure.to_string() },
    }
}

/// Fails where one of the addresses has not answered; where several have not, they are listed.
fn every(addresses: &[Address], results: Vec<Result<(), Failure>>) -> Result<Exit, Failure> {
    let mut failed: Vec<(String, Failure)> = addresses
        .iter()
        .zip(results)
        .filter_map(|(address, result)| Some((address.describe(), result.err()?)))
        .collect();
    if failed.len() > 1 {
        let what = format!("{} of {} addresses do not answer", failed.len(), addresses.len());
        let names: Vec<&str> = failed.iter().take(LISTED).map(|(name, _)| name.as_str()).collect();
        let more = match failed.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = format!("{}{more}", names.join(" "));
        return Err(Failure::new(failed[0].1.exit, what, why).hint("-v tells why of each"));
    }
    failed.pop().map_or(Ok(Exit::OK), |(_, failure)| Err(failure))
}

/// `connect -z`: a look at each address, without patience unless it was asked for.
pub fn zero(words: &WordsArgs, flags: &Options, log: &LogArgs) -> Result<Exit, Failure> {
    let addresses = words.all(Role::Connect, flags)?;
    if let Some(told) = words.explain(&addresses.iter().collect::<Vec<_>>()) {
        return told;
    }
    run(async {
        let mut interrupts = Interrupts::new()?;
        let all = async {
            let mut results = Vec::new();
            for address in &addresses {
                results.push(look_once(address, log).await);
            }
            match every(&addresses, results) {
                // It was told already, in the line of its address.
                Err(failure) if log.is_talkative() => Ok(failure.exit),
                result => result,
            }
        };
        tokio::select! {
            result = all => result,
            () = interrupts.ended() => Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
        }
    })
}

async fn look_once(address: &Address, log: &LogArgs) -> Result<(), Failure> {
    let (patience, name, started) = (Patience::of(address), address.describe(), Instant::now());
    let until = patience.time.map(|time| started + time);
    let probe = Probe::default();
    let result = persist(patience, &name, || probe.look(address, until)).await;
    if log.log == Form::Json {
        log.events("connect")(&told(&name, &result, started.elapsed()));
    } else if log.is_talkative() {
        say(&match &result {
            Ok(()) => format!("{name} open"),
            Err(failure) => format!("{name} closed: {}", failure.why),
        });
    }
    result
}

fn become_command(command: &[OsString]) -> Result<Exit, Failure> {
    finish();
    let why = std::process::Command::new(&command[0]).args(&command[1..]).exec();
    let exit = if why.kind() == std::io::ErrorKind::NotFound { Exit::NOT_FOUND } else { Exit::CANNOT_RUN };
    Err(Failure::new(exit, format!("cannot run {}", command[0].to_string_lossy()), why))
}
