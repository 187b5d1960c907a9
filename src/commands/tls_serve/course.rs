//! The course of the service: one connection, one after the other, or all at once.

use std::rc::Rc;

use super::Args;
use super::limits::{self, Number};
use super::target::Target;
use super::telling::{Session, Telling};
use crate::address::Address;
use crate::commands::outcome::exit;
use crate::commands::service::{BadPeers, Server, accept_one, session_id, tell_closed, tell_findings};
use crate::endpoint::{Connection, Endpoint, Incoming, Stdin, Stdout, open_command, stdin_is_null, stdio};
use crate::error::{Exit, Failure};
use crate::relay::{Finish, Limits, Outcome, Relay, Report, abort};
use crate::report::{Event, Events, Names};

/// All that a connection needs of the command line.
pub struct Course {
    pub args: Args,
    pub target: Target,
    pub telling: Rc<Telling>,
}

impl Course {
    /// Serves.
    pub async fn run(self, address: Address, number: Number) -> Result<Exit, Failure> {
        let events = self.telling.events();
        let runs_programs = matches!(self.target, Target::Command);
        let mut server = Server::open(
            &address,
            &self.args.server,
            events.clone(),
            self.args.log.is_talkative(),
            runs_programs,
        )
        .await?;
        for note in self.target.warnings() {
            events(&Event::Note(note));
        }
        if let Some(observer) = Telling::observer(&self.telling) {
            server.observe(observer);
        }
        match number {
            Number::Many => Rc::new(self).many(server).await,
            Number::One => match self.next(&mut server, number).await? {
                Some(result) => result,
                None => Ok(server.interrupts.exit().unwrap_or(Exit::OK)),
            },
            Number::Sequence => self.sequence(&mut server).await,
        }
    }

    /// One connection after the other.
    async fn sequence(&self, server: &mut Server) -> Result<Exit, Failure> {
        let mut status = Exit::OK;
        while let Some(result) = self.next(server, Number::Sequence).await? {
            // One bad connection never ends a service; it is remembered for its status.
            status = status.or(match result {
                Ok(exit) => exit,
                Err(failure) => {
                    (server.events)(&Event::Failed { id: 0, why: failure.to_string() });
                    failure.exit
                }
            });
            if server.interrupts.last.is_some() || server.is_spent() {
                break;
            }
        }
        Ok(server.interrupts.exit().unwrap_or(status))
    }

    /// The next connection, from its handshake to its end; `None` when a signal came first.
    async fn next(
        &self,
        server: &mut Server,
        number: Number,
    ) -> Result<Option<Result<Exit, Failure>>, Failure> {
        let bad_peers = match number == Number::One && self.telling.shows_hello() {
            // What it offers is what was asked for.
            true => BadPeers::EndIt,
            false => BadPeers::AreTold,
        };
        let Some((mut incoming, id)) = accept_one(server, bad_peers).await? else {
            return Ok(None);
        };
        if number == Number::One || server.is_spent() {
            server.stop_listening_after(&incoming);
        }
        let session = Session::of(&mut incoming);
        let names = self.names(&incoming);
        let connection = self.connection(&incoming, server.protocol.clone(), id);
        let relay = match self.relay(incoming, &connection, number, id).await {
            Ok(relay) => relay,
            Err(failure) => {
                self.telling.unopened(&session, &failure);
                return Ok(Some(Err(failure)));
            }
        };
        let report = server.run(relay, true).await;
        server.closed(id, &report, &names);
        let result = self.ended(&session, &report, &names);
        match server.interrupts.exit().filter(|_| report.outcome == Outcome::Stopped) {
            Some(exit) => Ok(Some(Ok(exit))),
            None => Ok(Some(result)),
        }
    }

    async fn many(self: Rc<Self>, server: Server) -> Result<Exit, Failure> {
        let (events, protocol) = (server.events.clone(), server.protocol.clone());
        let is_talkative = self.args.log.is_talkative();
        server
            .serve(move |mut incoming: Incoming, id| {
                let (course, events) = (self.clone(), events.clone());
                let session = Session::of(&mut incoming);
                let connection = self.connection(&incoming, protocol.clone(), id);
                async move {
                    let names = course.names(&incoming);
                    let opened = Box::pin(course.relay(incoming, &connection, Number::Many, id)).await;
                    match opened {
                        Ok(relay) => {
                            let report = relay.run().await;
                            course.tell(&events, is_talkative, id, &report, &names);
                            let _ = course.ended(&session, &report, &names);
                        }
                        Err(failure) => {
                            course.telling.unopened(&session, &failure);
                            events(&Event::Failed { id, why: failure.to_string() });
                        }
                    }
                }
            })
            .await
    }

    fn tell(&self, events: &Events, is_talkative: bool, id: u64, report: &Report, names: &Names) {
        tell_findings(events, id, report);
        if is_talkative {
            tell_closed(events, id, report, names);
        }
    }

    /// What a connection comes to, told to whoever asked for reports.
    fn ended(&self, session: &Session, report: &Report, names: &Names) -> Result<Exit, Failure> {
        let result = exit(report, names, !self.args.program.ignore_child_status);
        self.telling.ended(session, report, &result);
        result
    }

    fn names(&self, incoming: &Incoming) -> Names {
        Names { left: self.args.speaker(&self.target), right: incoming.peer.to_string() }
    }

    fn connection(&self, incoming: &Incoming, protocol: String, id: u64) -> Connection {
        match self.target {
            Target::Stdio | Target::File(_) => Connection { id, ..Connection::default() },
            _ => self.args.program.told(session_id(incoming, &protocol, id)),
        }
    }

    /// Our side and the client's, ready to run. A client that cannot be served is reset.
    async fn relay(
        &self,
        incoming: Incoming,
        connection: &Connection,
        number: Number,
        id: u64,
    ) -> Result<Box<Relay>, Failure> {
        let ours = match self.target.open(connection).await {
            Some(opened) => opened,
            None => self.own(connection, number),
        };
        let ours = match ours {
            Ok(ours) => ours,
            Err(failure) => {
                abort(&incoming.endpoint);
                return Err(failure);
            }
        };
        let (ours, client) = self.args.pass((ours, incoming.endpoint), id)?;
        Ok(Relay::new(ours, client, self.limits()))
    }

    /// Stdin and stdout, or the command.
    fn own(&self, connection: &Connection, number: Number) -> Result<Endpoint, Failure> {
        let command = self.args.words.command();
        if !command.is_empty() {
            return open_command(command, self.args.program.pty, connection);
        }
        // A shell gives a background job /dev/null: that is nobody typing, not the end of what is typed.
        let is_ignored = self.args.direction.no_stdin() || stdin_is_null();
        let stdout = if number == Number::One { Stdout::Ends } else { Stdout::StaysOpen };
        stdio(if is_ignored { Stdin::Ignore } else { Stdin::Read }, stdout)
    }

    fn limits(&self) -> Limits {
        let finish = if self.args.direction.send_only { Finish::LeftEnds } else { self.target.finish() };
        limits::of_session(self.args.time, self.args.ends, finish, self.args.server.grace)
    }
}
