//! Our side is called: a server that holds a conversation with each client, and a command that is such a client.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use tokio::sync::Notify;

use super::client_command::ClientCommand;
use super::conversation::{Peer, Security};
use super::patience::Patience;
use super::talk::Talk;
use super::target::{StartTls, Target};
use crate::address::{Address, Key, Layer, Value};
use crate::commands::flags::file_name;
use crate::commands::opening::{announce, open, reloading};
use crate::commands::runtime::Interrupts;
use crate::commands::service::{ServerArgs, ended};
use crate::endpoint::{Acceptor, Incoming};
use crate::error::{Exit, Failure};
use crate::event_loop::{Stop, sleep, timeout};
use crate::process::ChildStatus;
use crate::report::Event;
use crate::report::chat::ended as in_words;
use crate::server::serve;

/// Flags of a mock server.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Being the server (listen:ADDR)")]
pub struct MockArgs {
    /// Talk to this many clients, then end; the n-th one gets the n-th script, the last script is that of all further
    /// ones (one for each script; with --then, until the command ends). Each has to come within a minute, or
    /// --accept-timeout, of which 0 is for ever; with --then the command has to end, or the next client to come, within
    /// the time of -t or --accept-timeout, or 10 minutes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    clients: Option<u64>,
    /// Talk to clients at once, to N at most; without this, one after the other
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(i64).range(1..))]
    concurrent: Option<Option<i64>>,
    /// Run this shell line once clients can connect, told where by SPILE_PORT and SPILE_ADDR (HOST:PORT, or the address
    /// of what has no port); it must pass, too (where --format has stdout, what it prints goes to stderr)
    #[arg(long, value_name = "CMD")]
    then: Option<String>,
    /// Write the port number to this file once clients can connect
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file_name))]
    port_file: Option<PathBuf>,
    /// Write a newline to this descriptor once clients can connect
    #[arg(long, value_name = "N")]
    ready_fd: Option<i32>,
}

impl MockArgs {
    /// Fails for a flag that means nothing where nobody listens.
    pub fn check(&self, address: &Address) -> Result<(), Failure> {
        let given = [
            ("--clients", self.clients.is_some()),
            ("--concurrent", self.concurrent.is_some()),
            ("--then", self.then.is_some()),
            ("--port-file", self.port_file.is_some()),
            ("--ready-fd", self.ready_fd.is_some()),
        ];
        match given.iter().find(|(_, given)| *given && address.listener().is_none()) {
            Some((flag, _)) => Err(Failure::usage(*flag, format!("is not for {address}"))
                .hint("listen:ADDR is a server, listen:0 one on a free port")),
            None => Ok(()),
        }
    }

    /// How many clients may come; any number where none is said.
    fn most(&self, talk: &Talk) -> Option<u64> {
        self.clients.or_else(|| self.then.is_none().then_some(talk.scripts.len() as u64))
    }

    /// What is said of the listener; so many clients may come.
    pub fn door(&self, most: Option<u64>) -> ServerArgs {
        ServerArgs {
            max_total: most,
            allow_file: None,
            port_file: self.port_file.clone(),
            ready_fd: self.ready_fd,
            // Conversations have limits of their own.
            grace: Duration::MAX,
        }
    }
}

/// Serves, until as many clients have come as are wanted, the command has ended, or a signal comes.
pub async fn run(talk: Talk, target: &Target, args: &MockArgs) -> Result<Exit, Failure> {
    let server = args.door(args.most(&talk));
    let events = talk.events.clone();
    let (mut address, acceptor) = late(target, &talk)?;
    let patience = Patience::new(&mut address, args.then.is_some(), talk.deadline);
    let door = open(&one_after_the_other(address, args), &server, &events, false).await?;
    let name = door.listener.names().first().map_or_else(String::new, |name| reached_at(name));
    for note in acceptor.iter().flat_map(|acceptor| acceptor.notes(&name)).chain(door.listener.notes()) {
        events(&Event::Note(note));
    }
    let doors = vec![door];
    let interrupts = reloading(&doors, &events)?;
    let _port_file = announce(&doors, &server, &events)?;
    let host = Rc::new(Host::new(talk, acceptor, target.layer()));
    let (port, output) = (doors[0].listener.port(), host.talk.telling.output());
    let command = args.then.as_ref().map(|line| ClientCommand::start(line, port, &name, output));
    let (command, host_too) = (command.transpose()?, host.clone());
    let mut stop =
        Ends { interrupts, command, host: host_too, patience, is_told: false, is_over_time: false };
    let wanted = args.clients.unwrap_or(host.talk.scripts.len() as u64);
    let serving = host.clone();
    let end = serve(doors, &events, &mut stop, move |incoming, _| {
        let (host, number) = (serving.clone(), serving.begin());
        Some(async move { host.converse(number, incoming).await })
    })
    .await;
    stop.settle().await;
    if let Some(exit) = stop.interrupts.exit() {
        host.talk.telling.interrupted();
        return Ok(exit);
    }
    ended(end, &stop.interrupts)?;
    let Ends { command, patience, is_over_time, .. } = stop;
    host.verdict(wanted, command, is_over_time.then_some(patience))
}

/// What a client calls that listens by this name: HOST:PORT, a path that is seen to be one, or an address with its
/// scheme.
fn reached_at(name: &str) -> String {
    let (scheme, rest) = name.split_once(' ').unwrap_or(("", name));
    match scheme.strip_prefix("tls+").unwrap_or(scheme) {
        "unix" if rest.contains('/') => rest.to_owned(),
        scheme @ ("unix" | "seqpacket" | "unix-dgram" | "vsock") => format!("{scheme}:{rest}"),
        _ => rest.to_owned(),
    }
}

/// Where clients connect; and what TLS begins with, where a step begins it.
fn late(target: &Target, talk: &Talk) -> Result<(Address, Option<Acceptor>), Failure> {
    match (StartTls::of(talk.scripts.iter().map(Rc::as_ref)), target.address.listener()) {
        (StartTls::ByStep, Some(end)) => {
            Ok((target.address.clone().over(Layer::Plain), Some(Acceptor::new(&end.options)?)))
        }
        _ => Ok((target.address.clone(), None)),
    }
}

/// The same address with so many clients at once as are wanted.
fn one_after_the_other(mut address: Address, args: &MockArgs) -> Address {
    let at_once = match args.concurrent {
        None => Some(1),
        Some(number) => number,
    };
    for end in address.ends() {
        if let Some(number) = at_once.filter(|_| !end.options.has(Key::MaxConns)) {
            end.options.push(Key::MaxConns, Value::Number(number));
        }
    }
    address
}

/// What becomes of the clients.
struct Host {
    talk: Talk,
    acceptor: Option<Acceptor>,
    /// What scripts speak that do not begin TLS.
    layer: Layer,
    begun: Cell<u64>,
    over: Cell<u64>,
    /// Of the first conversation that did not go well.
    status: RefCell<Exit>,
    changed: Notify,
}

impl Host {
    fn new(talk: Talk, acceptor: Option<Acceptor>, layer: Layer) -> Host {
        Host {
            talk,
            acceptor,
            layer,
            begun: Cell::default(),
            over: Cell::default(),
            status: RefCell::new(Exit::OK),
            changed: Notify::new(),
        }
    }

    /// One more has come: its number, from 0.
    fn begin(&self) -> u64 {
        let number = self.begun.get();
        self.begun.set(number + 1);
        self.changed.notify_waiters();
        number
    }

    async fn converse(&self, number: u64, incoming: Incoming) {
        let exit = match self.talk_to(number, incoming).await {
            Ok(exit) => exit,
            Err(failure) => {
                (self.talk.events)(&Event::Failed { id: number + 1, why: failure.to_string() });
                failure.exit
            }
        };
        let status = self.status.borrow().or(exit);
        self.status.replace(status);
        self.over.set(self.over.get() + 1);
        self.changed.notify_waiters();
    }

    async fn talk_to(&self, number: u64, incoming: Incoming) -> Result<Exit, Failure> {
        let until = self.talk.until();
        let name = incoming.peer.to_string();
        let script = self.talk.script(number);
        let (mut endpoint, mut security, id) = (incoming.endpoint, None, Some(number + 1));
        if let Some(acceptor) = &self.acceptor {
            match (StartTls::of([&**script]), self.layer) {
                (StartTls::ByStep, _) => security = Some(Security::Accepting(acceptor.clone())),
                (StartTls::Never, Layer::Tls) => {
                    let accepted = acceptor.accept(endpoint, &name).await;
                    endpoint = accepted
                        .inspect_err(|failure| self.talk.telling.not_begun(script, &name, id, failure))?;
                }
                (StartTls::Never, Layer::Plain) => {}
            }
        }
        Ok(self.talk.hold(script, Peer { endpoint, name, security }, until, id).await)
    }

    /// Resolves when all that have begun are over: nobody else waits for datagram peers.
    async fn is_idle(&self) {
        loop {
            let changed = self.changed.notified();
            if self.over.get() == self.begun.get() {
                return;
            }
            changed.await;
        }
    }

    /// Resolves when there was no conversation for so long.
    async fn is_quiet(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            let changed = self.changed.notified();
            let is_idle = self.over.get() == self.begun.get();
            if timeout(if is_idle { limit } else { Duration::MAX }, changed).await.is_err() {
                return;
            }
        }
    }

    /// Takes down how the command has ended.
    fn judge(&self, status: ChildStatus, is_over_time: bool) -> Exit {
        let why = match is_over_time {
            true => Some("it did not end in time".to_owned()),
            false => (status.exit() != Exit::OK).then(|| in_words(status)),
        };
        self.talk.telling.checked("the command of --then", why);
        if is_over_time { Exit::TIMEOUT } else { status.exit() }
    }

    /// The conversations first, then the command, then whoever did not come; `over_time` is what ended the wait.
    fn verdict(
        &self,
        wanted: u64,
        command: Option<ClientCommand>,
        over_time: Option<Patience>,
    ) -> Result<Exit, Failure> {
        let (came, status) = (self.begun.get(), *self.status.borrow());
        let limit = over_time.map(|Patience { flag, .. }| format!("time limit {flag} ran out"));
        let has_command = command.is_some();
        let command = command.map_or(Exit::OK, |command| self.judge(command.status(), limit.is_some()));
        if let (Some(limit), true) = (&limit, has_command) {
            let exit = status.or(Exit::TIMEOUT);
            return Err(Failure::new(exit, "the command of --then does not end", limit)
                .hint("-t and --accept-timeout are its limits wherever no conversation goes on"));
        }
        if came < wanted {
            let (what, why) = (format!("{came} of {wanted} clients came"), "the others are missed");
            let what = if came == 0 { "no client came".to_owned() } else { what };
            let why = if came == 0 { "there was nobody to talk to" } else { why };
            self.talk.telling.checked("all clients come", Some(what.clone()));
            let exit = status.or(command);
            return Err(match limit {
                Some(limit) => Failure::new(exit.or(Exit::TIMEOUT), what, limit)
                    .hint("--accept-timeout TIME waits longer for each, 0 for ever"),
                None => Failure::new(exit.or(Exit::UNEXPECTED), what, why),
            });
        }
        match (status, command) {
            (Exit::OK, Exit::OK) => Ok(Exit::OK),
            (Exit::OK, exit) => Err(Failure::new(
                exit,
                "the command of --then has failed",
                format!("its status is {}", exit.0),
            )),
            (exit, _) => Ok(exit),
        }
    }
}

/// What ends a mock server beside the number of its clients.
struct Ends {
    interrupts: Interrupts,
    command: Option<ClientCommand>,
    host: Rc<Host>,
    patience: Patience,
    /// The end of the command was told.
    is_told: bool,
    /// Nobody has come for too long.
    is_over_time: bool,
}

impl Stop for Ends {
    fn requested(&mut self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        let Ends { interrupts, command, host, patience, is_told, is_over_time } = self;
        Box::pin(async move {
            if interrupts.last.is_some() {
                tokio::select! {
                    () = sleep(host.talk.grace) => {}
                    () = interrupts.ended() => {}
                }
                return;
            }
            let command = command.as_mut().filter(|_| !*is_told);
            let limit = patience.limit.filter(|_| !*is_told && !*is_over_time);
            tokio::select! {
                () = ended_command(command) => *is_told = true,
                () = host.is_quiet(limit) => *is_over_time = true,
                () = interrupts.ended() => {}
            }
        })
    }

    fn is_urgent(&self) -> bool {
        self.interrupts.is_urgent()
    }
}

impl Ends {
    /// Waits for the conversations and the command, unless a signal has come or comes.
    async fn settle(&mut self) {
        let Ends { interrupts, command, host, patience, is_over_time, .. } = self;
        if interrupts.last.is_none() && !*is_over_time {
            tokio::select! {
                () = async {
                    host.is_idle().await;
                    if let Some(command) = command.as_mut() {
                        command.ended().await;
                    }
                } => {}
                () = host.is_quiet(patience.limit) => *is_over_time = true,
                () = interrupts.ended() => {}
            }
        }
        match command {
            Some(command) if *is_over_time || interrupts.last.is_some() => {
                command.stop(host.talk.grace).await;
            }
            _ => {}
        }
    }
}

/// Resolves when the command has ended; never where there is none.
async fn ended_command(command: Option<&mut ClientCommand>) {
    match command {
        Some(command) => command.ended().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Role;

    #[test]
    fn what_a_client_is_told_is_an_address() {
        for (name, told) in [
            ("tcp 127.0.0.1:80", "127.0.0.1:80"),
            ("tls [::1]:80", "[::1]:80"),
            ("unix u6.sock", "unix:u6.sock"),
            ("tls+unix u6.sock", "unix:u6.sock"),
            ("unix ./u6.sock", "./u6.sock"),
            ("seqpacket /tmp/x", "seqpacket:/tmp/x"),
            ("vsock 2:80", "vsock:2:80"),
        ] {
            assert_eq!(reached_at(name), told);
            Address::parse(told, Role::Connect).unwrap_or_else(|failure| panic!("{told}: {failure}"));
        }
    }
}
