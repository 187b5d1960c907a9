//! `spile echo-server`: the small services of RFC 862 to 868, and more for tests, on any number of addresses.

mod effect;
mod modes;
mod telling;

use std::rc::Rc;
use std::sync::Arc;

use super::Subcommand;
use super::flags::TimeArgs;
use super::log::LogArgs;
use super::opening::{announce, open, reloading};
use super::runtime::run;
use super::service::{ServerArgs, ended, tell_closed};
use super::shape::ShapeArgs;
use super::words::{AddressFlags, ListensToAny, WordsArgs};
use crate::address::Address;
use crate::echo::{Counters, LetGo, Service, is_small_service};
use crate::endpoint::{Incoming, Peer};
use crate::error::{Exit, Failure};
use crate::relay::{Limits, Outcome, Report};
use crate::report::{Event, Names, outcome_text};
use crate::server::{Door, serve};
use modes::ModeArgs;
use telling::{Telling, TellingArgs};

/// What follows `spile echo-server`.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("words", |arg| arg.help("Addresses to listen on; a port alone is TCP on both loopbacks")),
    mut_arg("command", |arg| arg.hide(true)),
    mut_arg("port_file", |arg| arg.help(
        "Write the port numbers to this file once peers can connect: a line for each address in their order, - where \
         it has none. It is removed at the end"
    )),
    mut_arg("rate", |arg| arg.help("Answer with no more than this a second, on each connection")),
    mut_arg("delay", |arg| arg.help("Answer this much later (at most 4 MiB are under way)")),
)]
pub struct Args {
    #[command(flatten)]
    words: WordsArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    modes: ModeArgs,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    time: TimeArgs,
    #[command(flatten)]
    options: AddressFlags<ListensToAny>,
}

impl Subcommand for Args {
    const NAME: &'static str = "echo-server";
    const ABOUT: &'static str =
        "Serve echo, discard, chargen, daytime, time, whoami, a file or HTTP for tests";
    const EXAMPLES: &'static str = "\
Examples:
  spile echo-server 7000                          what comes goes back, on both loopbacks
  spile echo-server :7000 udp-l::7000             TCP and UDP on all interfaces
  spile echo-server tcp-l:0 udp-l:0 --port-file p two free ports, a line each in the file p
  spile echo-server --self-signed tls-l:8443 unix-l:/run/echo.sock
  spile echo-server --mode http 8080              200 and what was asked for, for any path
  spile echo-server --mode http --status 503 8080 a server that is not well
  spile echo-server --fixed banner.txt 2525       the same file for everybody
  spile echo-server --mode whoami :7001           who am I behind this NAT?
  spile echo-server --delay 200ms --rate 64K/s 7000   slow and late answers
  spile echo-server --rst-after 100 7000          a reset in the middle of an answer
  spile echo-server --half-close-test 7000        answers once the half-close has come
";

    fn run(self) -> Result<Exit, Failure> {
        let addresses = self.words.listening(&self.options)?;
        if let Some(told) = self.words.explain(&addresses.iter().collect::<Vec<_>>()) {
            return told;
        }
        let counters = Arc::new(Counters::default());
        let service = self.modes.service(self.shape, &counters)?;
        effect::check(&service, &addresses)?;
        let telling = Rc::new(Telling::new(&self.telling, &self.log, service.mode.name(), counters)?);
        let result = run(self.serve(addresses, Rc::new(service), &telling));
        telling.end();
        result
    }
}

impl Args {
    async fn serve(
        self,
        addresses: Vec<Address>,
        service: Rc<Service>,
        telling: &Rc<Telling>,
    ) -> Result<Exit, Failure> {
        let (events, is_talkative) = (telling.events(), telling.is_talkative());
        let mut doors = Vec::new();
        for address in &addresses {
            doors.push(open(address, &self.server, &events, is_talkative).await?);
        }
        effect::check_passed(&service, &addresses, &doors)?;
        self.modes.check_doors(&service.mode, &doors)?;
        service.counters.watch(doors.iter().map(|door| door.listener.losses().clone()).collect());
        for note in doors.iter().flat_map(|door| door.listener.notes()) {
            events(&Event::Note(note));
        }
        let reporting = telling.clone();
        let interrupts = reloading(&doors, &events)?.on_user_signal(move || reporting.counters())?;
        let ending = service.clone();
        let mut interrupts = interrupts.on_drain(move |signal| {
            // Without a signal it is --max-total: whoever came last was let in to be answered.
            ending.mode.give_last_call(if signal.is_some() { LetGo::Everybody } else { LetGo::Answered });
        });
        let _port_file = announce(&doors, &self.server, &events)?;
        let host = Host { own_ports: datagram_ports(&doors), service, telling: telling.clone(), args: self };
        let limits = Arc::new(host.args.time.apply(Limits::default()));
        let host = Rc::new(host);
        let end = serve(doors, &events, &mut interrupts, move |incoming, id| {
            let (peer, teller) = (incoming.peer.clone(), host.clone());
            host.receive(incoming, &limits, move |report| teller.tell(id, &peer, &report))
        })
        .await;
        ended(end, &interrupts)
    }
}

/// All that a peer's session needs.
struct Host {
    args: Args,
    service: Rc<Service>,
    telling: Rc<Telling>,
    /// Where datagrams come in.
    own_ports: Vec<u16>,
}

impl Host {
    /// The session of a peer, at whose end `tell` is called; `None` where it is not answered.
    fn receive<T: FnOnce(Report) + 'static>(
        &self,
        incoming: Incoming,
        limits: &Arc<Limits>,
        tell: T,
    ) -> Option<impl Future<Output = ()> + use<T>> {
        let is_datagram = incoming.endpoint.is_datagram();
        if is_datagram && self.service.mode.answers() && self.would_answer_us(&incoming.peer) {
            self.service.counters.count_refused();
            self.telling.refused(&incoming.peer);
            return None;
        }
        let limits = match is_datagram {
            true => Arc::new(self.args.server.for_peer(**limits, &incoming.endpoint)),
            false => limits.clone(),
        };
        Some(crate::echo::serve(self.service.clone(), incoming, limits, tell))
    }

    /// True for another echo server, or whom a forged sender makes look like one: each answer would be answered.
    fn would_answer_us(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Ip(address) => is_small_service(*address) || self.own_ports.contains(&address.port()),
            _ => false,
        }
    }

    /// Tells of a session that is over: of each where that is asked for, else of those that have failed.
    fn tell(&self, id: u64, peer: &Peer, report: &Report) {
        let is_talkative = self.telling.is_talkative();
        if !is_talkative && !has_failed(&report.outcome) {
            return;
        }
        let names = Names { left: self.service.mode.name().to_owned(), right: peer.to_string() };
        let events = self.telling.events();
        match is_talkative {
            true => tell_closed(&events, id, report, &names),
            false => events(&Event::Failed { id, why: outcome_text(&report.outcome, &names) }),
        }
    }
}

/// A peer that goes, in whatever way, is no failure, and neither is what flags ask for.
fn has_failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(..) | Outcome::Broken(..))
}

fn datagram_ports(doors: &[Door]) -> Vec<u16> {
    let datagrams = doors.iter().filter(|door| door.listener.has_datagrams());
    datagrams.filter_map(|door| door.listener.port()).collect()
}
