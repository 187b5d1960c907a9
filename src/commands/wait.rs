//! `spile wait`: until addresses answer, with one deadline. Also `connect -z`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::Subcommand;
use super::flags::duration;
use super::log::{LogArgs, say};
use super::runtime::{Interrupts, run};
use super::words::{AddressFlags, Connects, WordsArgs};
use crate::address::{self, Address, Options, Role};
use crate::endpoint::{Connection, Endpoint, Input, Opener, Patience, Use, persist};
use crate::error::{Exit, Failure};
use crate::event_loop::timeout;
use crate::report::Event;

/// How long a server has for its greeting in one try.
const GREETING: Duration = Duration::from_secs(10);
/// Most bytes of a greeting that are looked at.
const GREETING_SIZE: usize = 64 * 1024;
/// How long an ICMP refusal may take to come back.
const REFUSAL: Duration = Duration::from_secs(1);

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
        let check = Check { expect: self.expect, send, hold: self.hold };
        let all = async {
            let each = addresses.iter().map(async |address| {
                persist(patience(address), &address.describe(), || check.run(address)).await?;
                events(&Event::Connected { address: address.describe(), took: started.elapsed() });
                Ok(())
            });
            for result in join_all(each).await {
                result?;
            }
            Ok(Exit::OK)
        };
        tokio::select! {
            result = all => result,
            () = interrupts.ended() => Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
        }
    }
}

/// What one try has to see.
struct Check {
    expect: Option<Regex>,
    send: Option<Vec<u8>>,
    hold: Option<Duration>,
}

impl Check {
    async fn run(&self, address: &Address) -> Result<(), Failure> {
        let mut endpoint = Opener::new(address, Use::Output).open(&Connection::default()).await?;
        let result = self.look(address, &mut endpoint).await;
        // A reset leaves no TIME_WAIT behind: a loop of probes would use up the local ports.
        crate::relay::abort(&endpoint);
        result
    }

    async fn look(&self, address: &Address, endpoint: &mut Endpoint) -> Result<(), Failure> {
        let is_datagram = endpoint.is_datagram();
        if is_datagram || self.send.is_some() {
            send(address, endpoint, self.send.as_deref().unwrap_or_default()).await?;
        }
        if let Some(expect) = &self.expect {
            greeting(address, endpoint, expect).await?;
        } else if is_datagram {
            is_not_refused(address, endpoint).await?;
        }
        match self.hold {
            Some(hold) => stays_open(address, endpoint, hold).await,
            None => Ok(()),
        }
    }
}

async fn read(endpoint: &mut Endpoint, buffer: &mut [u8]) -> std::io::Result<Input> {
    std::future::poll_fn(|cx| endpoint.source.poll_read(cx, buffer)).await
}

async fn send(address: &Address, endpoint: &mut Endpoint, mut bytes: &[u8]) -> Result<(), Failure> {
    let cannot = |why| Failure::connect(format!("cannot send to {}", address.describe()), why);
    loop {
        let n = std::future::poll_fn(|cx| endpoint.sink.poll_write(cx, bytes)).await.map_err(cannot)?;
        bytes = &bytes[n..];
        if bytes.is_empty() {
            return Ok(());
        }
    }
}

/// A datagram port says nothing when it is open; a closed one refuses. Silence counts as an answer.
async fn is_not_refused(address: &Address, endpoint: &mut Endpoint) -> Result<(), Failure> {
    match timeout(REFUSAL, read(endpoint, &mut [0; 512])).await {
        Ok(Err(why)) => Err(Failure::connect(format!("{} refused", address.describe()), why)),
        _ => Ok(()),
    }
}

async fn greeting(address: &Address, endpoint: &mut Endpoint, expect: &Regex) -> Result<(), Failure> {
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 4096];
    let looking = async {
        while !expect.is_match(&seen) && seen.len() < GREETING_SIZE {
            match read(endpoint, &mut buffer).await {
                Ok(Input::Bytes(n) | Input::Message { len: n, .. }) => seen.extend_from_slice(&buffer[..n]),
                Ok(Input::Long { bytes, .. }) => seen.extend(bytes),
                Ok(Input::End) => break,
                Err(why) => return Err(why),
            }
        }
        Ok(())
    };
    let late = match timeout(GREETING, looking).await {
        Ok(Err(why)) if seen.is_empty() => {
            return Err(Failure::connect(format!("{} says nothing", address.describe()), why));
        }
        answered => answered.is_err(),
    };
    if expect.is_match(&seen) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&seen[..seen.len().min(80)]).escape_debug().to_string();
    let why = match (seen.is_empty(), late) {
        (true, true) => "it says nothing".to_owned(),
        (true, false) => "it ends without a word".to_owned(),
        _ => format!("it says '{said}'"),
    };
    Err(Failure::new(Exit::UNEXPECTED, format!("{} does not say /{expect}/", address.describe()), why))
}

async fn stays_open(address: &Address, endpoint: &mut Endpoint, hold: Duration) -> Result<(), Failure> {
    let mut buffer = vec![0; 4096];
    let watching = async {
        loop {
            match read(endpoint, &mut buffer).await {
                Ok(Input::End) => return "it was closed at once".to_owned(),
                Err(why) => return crate::error::plain(&why.to_string()),
                Ok(_) => {}
            }
        }
    };
    match timeout(hold, watching).await {
        Ok(why) => Err(Failure::connect(format!("{} does not stay open", address.describe()), why)),
        Err(_) => Ok(()),
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

/// `connect -z`: a look at each address, without patience unless it was asked for.
pub fn zero(words: &WordsArgs, flags: &Options, log: &LogArgs) -> Result<Exit, Failure> {
    let addresses = words.all(Role::Connect, flags)?;
    if let Some(told) = words.explain(&addresses.iter().collect::<Vec<_>>()) {
        return told;
    }
    run(async {
        let mut interrupts = Interrupts::new()?;
        let check = Check { expect: None, send: None, hold: None };
        let look = async |address: &Address| {
            let result = persist(Patience::of(address), &address.describe(), || check.run(address)).await;
            if log.is_talkative() {
                say(&match &result {
                    Ok(()) => format!("{} open", address.describe()),
                    Err(failure) => format!("{} closed: {}", address.describe(), failure.why),
                });
            }
            result
        };
        let all = async {
            let mut failed = None;
            for address in &addresses {
                if let Err(failure) = look(address).await {
                    failed.get_or_insert(failure);
                }
            }
            match failed {
                None => Ok(Exit::OK),
                // It was told already, in the line of its address.
                Some(failure) if log.is_talkative() => Ok(failure.exit),
                Some(failure) => Err(failure),
            }
        };
        tokio::select! {
            result = all => result,
            () = interrupts.ended() => Ok(interrupts.exit().unwrap_or(Exit::FAILURE)),
        }
    })
}

fn become_command(command: &[OsString]) -> Result<Exit, Failure> {
    let why = std::process::Command::new(&command[0]).args(&command[1..]).exec();
    let exit = if why.kind() == std::io::ErrorKind::NotFound { Exit::NOT_FOUND } else { Exit::CANNOT_RUN };
    Err(Failure::new(exit, format!("cannot run {}", command[0].to_string_lossy()), why))
}
