//! `spile listen`: stdio, or a command per connection, to incoming connections.

use std::path::PathBuf;
use std::sync::Arc;

use super::Subcommand;
use super::flags::{EndArgs, Filters, ProgramArgs, SessionArgs};
use super::outcome::exit;
use super::runtime::run;
use super::service::{BadPeers, Server, ServerArgs, accept_one, session_id};
use super::words::{AddressFlags, Listens, WordsArgs};
use crate::address::{Address, Role};
use crate::endpoint::{
    Endpoint, Incoming, Stdin, Stdout, answer_with, check_answer, open_command, stdin_is_null, stdio,
};
use crate::error::{Exit, Failure};
use crate::relay::{Finish, Limits, Outcome, Relay, Side};
use crate::report::{Event, Names};

/// What follows `spile listen`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("command", |arg| arg.help("Command to run for the connection in place of stdin and stdout, with -k for each")))]
pub struct Args {
    #[command(flatten)]
    words: WordsArgs,
    /// Serve one connection after the other for ever, with a command all at once
    #[arg(short = 'k', long)]
    keep: bool,
    /// Serve one connection, then end (the default without -k)
    #[arg(long, conflicts_with = "keep")]
    once: bool,
    /// A connection that ends without a byte does not count as the one (a port probe)
    #[arg(long)]
    ignore_empty: bool,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    ends: EndArgs,
    /// Answer with this file once the peer has said something, in place of stdin (a mock server)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "datagrams"])]
    reply_file: Option<PathBuf>,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: AddressFlags<Listens>,
    /// Whether many connections are served.
    #[arg(skip)]
    many: bool,
}

impl Subcommand for Args {
    const NAME: &'static str = "listen";
    const ABOUT: &'static str = "Serve stdin and stdout, or a command per connection, on an address";
    const EXAMPLES: &'static str = "\
Examples:
  spile listen 9000                      one connection on both loopbacks, to stdout
  spile listen :9000 >file               on all interfaces
  spile listen -k 7000 -- grep -c error  a grep for each connection, for ever
  spile listen -k --pty 2023 -- bash     a terminal for each connection
  spile listen /run/app.sock             a Unix socket
  spile listen -u 514                    datagrams
  spile listen --port-file p 0           a free port, its number in the file p
  spile listen --ignore-empty --capture req --reply-file resp.http 8080   a server for one request
";

    fn run(mut self) -> Result<Exit, Failure> {
        let address = self.words.one(Role::Listen, &self.options)?;
        if let Some(told) = self.words.explain(&[&address]) {
            return told;
        }
        self.ends.check(&address)?;
        if let Some(path) = &self.reply_file {
            check_answer(path)?;
        }
        self.many = self.keep || self.server.max_total.is_some_and(|total| total > 1);
        if self.many {
            self.session.taps.serve_many()?;
        }
        run(self.session.taps.progress(Self::NAME).beside(self.serve(address)))
    }
}

impl Args {
    async fn serve(self, address: Address) -> Result<Exit, Failure> {
        let events = self.session.log.events(Self::NAME);
        let mut server = Server::open(
            &address,
            &self.server,
            events,
            self.session.log.is_talkative(),
            !self.words.command().is_empty(),
        )
        .await?;
        match (self.many, self.words.command().is_empty()) {
            (true, false) => self.command_for_each(server).await,
            (true, true) => {
                let mut status = Exit::OK;
                loop {
                    let exit = self.one(&mut server).await?;
                    if server.interrupts.last.is_some() {
                        return Ok(exit);
                    }
                    status = status.or(exit);
                    if server.is_spent() {
                        return Ok(status);
                    }
                }
            }
            (false, _) => self.one(&mut server).await,
        }
    }

    /// One connection at a time, over stdio or with one command.
    async fn one(&self, server: &mut Server) -> Result<Exit, Failure> {
        loop {
            let Some((incoming, id)) = accept_one(server, self.bad_peers()).await? else {
                return Ok(server.interrupts.exit().unwrap_or(Exit::OK));
            };
            let names = Names { left: self.words.speaker(), right: incoming.peer.to_string() };
            if !self.ignore_empty && (!self.many || server.is_spent()) {
                server.stop_listening_after(&incoming);
            }
            let local = self.local(&incoming, &server.protocol, id)?;
            let limits = self.limits(&incoming);
            let waits = !incoming.endpoint.is_datagram();
            let (local, remote) = self.pass((local, incoming.endpoint), id)?;
            let report = server.run(Relay::new(local, remote, limits), waits).await;
            server.closed(id, &report, &names);
            if self.ignore_empty && report.received == 0 && server.interrupts.last.is_none() {
                continue;
            }
            self.session.report.tell(Self::NAME, &report, &names)?;
            if let Some(exit) = server.interrupts.exit().filter(|_| report.outcome == Outcome::Stopped) {
                return Ok(exit);
            }
            return match (exit(&report, &names, !self.program.ignore_child_status), self.many) {
                // One bad connection never ends a service; it is remembered for its status.
                (Err(failure), true) => {
                    (server.events)(&Event::Failed { id, why: failure.to_string() });
                    Ok(failure.exit)
                }
                (result, _) => result,
            };
        }
    }

    /// One bad connection never ends a service.
    fn bad_peers(&self) -> BadPeers {
        if self.many || self.ignore_empty { BadPeers::AreTold } else { BadPeers::EndIt }
    }

    async fn command_for_each(self, server: Server) -> Result<Exit, Failure> {
        let shared = Arc::new(self);
        let protocol = server.protocol.clone();
        let events = server.events.clone();
        server
            .serve(move |incoming: Incoming, id| {
                let (args, protocol, events) = (shared.clone(), protocol.clone(), events.clone());
                async move {
                    let names = Names { left: args.words.speaker(), right: incoming.peer.to_string() };
                    let limits = args.limits(&incoming);
                    let local = args.local(&incoming, &protocol, id);
                    match local.and_then(|local| args.pass((local, incoming.endpoint), id)) {
                        Ok((local, remote)) => {
                            let report = Relay::new(local, remote, limits).run().await;
                            super::service::tell_findings(&events, id, &report);
                            super::service::tell_closed(&events, id, &report, &names);
                        }
                        Err(failure) => events(&Event::Failed { id, why: failure.to_string() }),
                    }
                }
            })
            .await
    }

    /// What is done with the bytes of either kind of session.
    fn pass(&self, ends: (Endpoint, Endpoint), id: u64) -> Result<(Endpoint, Endpoint), Failure> {
        let ends = self.filters.apply(self.session.direction.apply(ends), None)?;
        self.session.pass(ends, Side::Right, id)
    }

    fn local(&self, incoming: &Incoming, protocol: &str, id: u64) -> Result<Endpoint, Failure> {
        let command = self.words.command();
        let stdout = match self.many || self.ignore_empty {
            true => Stdout::StaysOpen,
            false => Stdout::Ends,
        };
        if let Some(path) = &self.reply_file {
            return answer_with(stdio(Stdin::Ignore, stdout)?, path);
        }
        if command.is_empty() {
            // A shell gives a background job /dev/null: that is nobody typing, not the end of what is typed.
            let ignore = self.session.direction.no_stdin() || stdin_is_null();
            return stdio(if ignore { Stdin::Ignore } else { Stdin::Read }, stdout);
        }
        let connection = self.program.told(session_id(incoming, protocol, id));
        open_command(command, self.program.pty, &connection)
    }

    fn limits(&self, incoming: &Incoming) -> Limits {
        let both_matter = !self.words.command().is_empty() || self.reply_file.is_some();
        let finish = self.ends.finish(match self.session.direction.send_only {
            true => Finish::LeftEnds,
            false if both_matter => Finish::BothEnd,
            false => Finish::RightEnds,
        });
        let limits = Limits {
            finish,
            half_closed: self.ends.quit_after(),
            half_closed_is_fine: self.ends.quit_after().is_some(),
            grace: self.server.grace,
            ..Limits::default()
        };
        self.server.for_peer(self.session.time.apply(limits), &incoming.endpoint)
    }
}
