//! `spile tls-serve`: stdio, a command per connection, a plain server or a file, to incoming connections by TLS.

mod course;
mod limits;
mod target;
mod telling;

use std::rc::Rc;

use super::Subcommand;
use super::flags::{Direction, Filters, ProgramArgs, StreamEndArgs, TimeArgs};
use super::log::LogArgs;
use super::runtime::run;
use super::service::ServerArgs;
use super::shape::ShapeArgs;
use super::taps::TapArgs;
use super::words::{AddressFlags, ListensTls, WordsArgs};
use crate::address::Role;
use crate::endpoint::Endpoint;
use crate::error::{Exit, Failure};
use crate::relay::Side;
use limits::LimitArgs;
use target::{Target, TargetArgs};
use telling::{Telling, TellingArgs};

/// What follows `spile tls-serve`.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("command", |arg| arg.help("Command to run for each connection in place of stdin and stdout")),
    // TLS is not for datagrams.
    mut_arg("udp", |arg| arg.hide(true)),
    mut_arg("idle_timeout", |arg| arg.help("End a connection when nothing has moved for this long (10m; 0 is never)"))
)]
pub struct Args {
    #[command(flatten)]
    words: WordsArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    ends: StreamEndArgs,
    #[command(flatten)]
    direction: Direction,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    taps: TapArgs,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    time: TimeArgs,
    #[command(flatten)]
    options: AddressFlags<ListensTls>,
}

impl Subcommand for Args {
    const NAME: &'static str = "tls-serve";
    const ABOUT: &'static str =
        "Serve stdin and stdout, a command, a plain server or a file on an address by TLS";
    const EXAMPLES: &'static str = "\
Examples:
  spile tls-serve --self-signed 8443 -- cat                 throwaway echo; says how clients connect
  spile tls-serve --cert s.pem --key s.key 8443 >file       one connection on both loopbacks, to stdout
  spile tls-serve --cert s.pem --key s.key :8443 -- ./serve a program for each client, all interfaces
  spile tls-serve --cert s.pem --key s.key 0.0.0.0:8443 --forward 127.0.0.1:8080 --proxy-protocol v2
  spile tls-serve --cert s.pem --key s.key 8443 --client-ca ca.pem --allow-dns client.internal --echo
  spile tls-serve --cert rsa.pem --key rsa.key --cert ec.pem --key ec.key 8443 --send motd
  spile tls-serve --self-signed 0 --port-file p --once --show-hello --json   what does my client send?
  spile tls-serve --cert s.pem --reload-every 1h 8443 --discard              HUP reads them again, too
";

    fn run(self) -> Result<Exit, Failure> {
        let mut address = self.words.one(Role::Listen, &self.options)?;
        let target = self.target.read(self.words.command())?;
        let number = self.limits.number(&target, self.server.max_total);
        limits::apply(&mut address, number);
        if let Some(told) = self.words.explain(&[&address]) {
            return told;
        }
        if number == limits::Number::Many {
            self.taps.serve_many()?;
        }
        let telling = Rc::new(Telling::new(&self.telling, &self.log, Self::NAME)?);
        let progress = self.taps.progress(Self::NAME);
        let course = course::Course { args: self, target, telling: telling.clone() };
        let result = run(progress.beside(course.run(address, number)));
        telling.end();
        result
    }
}

impl Args {
    /// Who speaks on our side, for messages.
    fn speaker(&self, target: &Target) -> String {
        match target {
            Target::Stdio | Target::Command => self.words.speaker(),
            other => other.name(),
        }
    }

    /// What is done with the bytes of connection `id`; the peer is on the right.
    fn pass(&self, ends: (Endpoint, Endpoint), id: u64) -> Result<(Endpoint, Endpoint), Failure> {
        let ends = self.filters.apply(self.direction.apply(ends), None)?;
        self.taps.apply(self.shape.apply(ends), Side::Right, id)
    }
}
