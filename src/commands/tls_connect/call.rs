//! One server, and what there is to tell of each connection to it.

use std::cell::Cell;

use super::LookArgs;
use crate::address::{End, Host, Key, Port, Target as Named};
use crate::certificate::{pin_text, spki_pin};
use crate::commands::dial::Dial;
use crate::commands::tls_report::Outlet;
use crate::endpoint::{Endpoint, Journey, Sights, Stream};
use crate::error::{Exit, Failure};
use crate::report::tls::{Accepted, Account, Close, End as Role, PeerClose, Pem, Stage, Target, tls_json};

/// A server that is called.
pub struct Call {
    dial: Dial,
    target: Target,
    outlet: Option<Outlet>,
    pem: Pem,
    tells_pin: bool,
}

impl Call {
    /// A server whose files are read, or were to be read: that is reported, too.
    pub fn new(
        dial: Result<Dial, Failure>,
        end: &End,
        look: &LookArgs,
        outlet: Option<Outlet>,
    ) -> Result<Call, Failure> {
        let mut target = target(end);
        let dial = match dial {
            Ok(dial) => dial,
            Err(failure) => {
                if let Some(outlet) = &outlet {
                    Course::new().tell(outlet, &target, Err(&failure), look.pem())?;
                }
                return Err(failure);
            }
        };
        if let Some((name, sni)) = dial.names() {
            (target.name, target.sni) = (Some(name), sni);
        }
        Ok(Call { dial, target, outlet, pem: look.pem(), tells_pin: look.show_pin })
    }

    /// What reaches it.
    pub fn dial(&self) -> &Dial {
        &self.dial
    }

    /// How messages call it.
    pub fn name(&self) -> &str {
        self.dial.name()
    }

    /// What it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// True when a line of text would stand among reports.
    pub fn reports_to_stdout(&self) -> bool {
        matches!(self.outlet, Some(Outlet::Stdout))
    }

    /// Calls it.
    pub async fn open(&self, course: &Course) -> Result<Endpoint, Failure> {
        self.dial.open(&course.journey).await.map_err(|failure| self.with_pin(failure, course))
    }

    /// The pin that would do is a temptation (trust on first use): it is told to those who ask.
    pub fn with_pin(&self, failure: Failure, course: &Course) -> Failure {
        if failure.exit != Exit::PIN || !self.tells_pin {
            return failure;
        }
        let sights = course.journey.sights();
        let leaf = sights.handshake.as_ref().and_then(|(seen, _)| seen.chain.first());
        match leaf.and_then(|leaf| spki_pin(leaf)) {
            Some(pin) => {
                let hint = failure.hint.clone().unwrap_or_default();
                failure.hint(format!("it has {}; {hint}", pin_text(&pin)))
            }
            None => failure,
        }
    }

    /// Writes the report, where one was asked for. The answer is the status of writing it.
    pub fn tell(&self, course: &Course, result: Result<Exit, &Failure>) -> Result<Exit, Failure> {
        match &self.outlet {
            Some(outlet) => course.tell(outlet, &self.target, result, self.pem),
            None => Ok(Exit::OK),
        }
    }
}

/// What becomes of one connection.
pub struct Course {
    /// The way to it.
    pub journey: Journey,
    accepted: Cell<Accepted>,
    close: Cell<Close>,
    tickets: Cell<u32>,
}

impl Course {
    /// Before it begins.
    pub fn new() -> Course {
        Course {
            journey: Journey::remembered(),
            accepted: Cell::default(),
            close: Cell::default(),
            tickets: Cell::default(),
        }
    }

    /// So many bytes of data have come and gone.
    pub fn moves(&self, bytes_in: u64, bytes_out: u64) {
        self.close.set(Close { bytes_in, bytes_out, ..self.close.get() });
    }

    /// The connection is over: what it was like. `otherwise` is how the peer has ended it where TLS does not tell.
    pub fn ends(&self, stream: &Stream, otherwise: Option<PeerClose>) {
        self.tickets.set(stream.tickets());
        let peer = match (stream.peer_has_ended(), stream.was_cut()) {
            (true, _) => Some(PeerClose::CloseNotify),
            (false, true) => Some(PeerClose::Eof),
            (false, false) => otherwise,
        };
        self.close.set(Close { peer, sent_close_notify: stream.has_said_end(), ..self.close.get() });
        self.journey.reaches(Stage::Closed);
    }

    /// The server has shown that it takes us: by TLS 1.2 it has, once the handshake is over.
    pub fn judges_acceptance(&self, has_spoken: bool, failure: Option<&Failure>) {
        let version = self.journey.sights().negotiated.map(|negotiated| negotiated.version);
        self.accepted.set(match failure.map(|failure| failure.exit) {
            Some(Exit::OWN_CERTIFICATE) => Accepted::No,
            _ if version == Some("1.2") || (version.is_some() && has_spoken) => Accepted::Yes,
            _ => Accepted::Unknown,
        });
    }

    /// Hands the account of it to `tell`.
    pub fn account<T>(
        &self,
        target: &Target,
        failure: Option<&Failure>,
        pem: Pem,
        tell: impl FnOnce(&Account<'_>) -> T,
    ) -> T {
        let Sights { handshake, negotiated } = self.journey.sights();
        let addr = self.journey.address();
        tell(&Account {
            end: Role::Client { target: Target { addr, ..target.clone() }, accepted: self.accepted.get() },
            stage: self.journey.stage(),
            failure,
            times: self.journey.times(),
            negotiated,
            tickets: self.tickets.get(),
            handshake: handshake.as_ref().map(|(seen, terms)| (seen, terms)),
            close: self.close.get(),
            pem,
        })
    }

    fn tell(
        &self,
        outlet: &Outlet,
        target: &Target,
        result: Result<Exit, &Failure>,
        pem: Pem,
    ) -> Result<Exit, Failure> {
        let mut report = self.account(target, result.err(), pem, tls_json);
        if let Ok(exit) = result {
            // That of a command, or of a signal to us.
            report["exit_code"] = exit.0.into();
        }
        outlet.line(&report.to_string())
    }
}

/// What is called, as far as its address tells.
fn target(end: &End) -> Target {
    let (host, port) = match &end.target {
        Named::Net { host: Host::Name(name), port, .. } => (Some(name.clone()), Some(port)),
        Named::Net { port, .. } => (Some("localhost".to_owned()), Some(port)),
        _ => (Some(end.describe()), None),
    };
    let port = port.and_then(|port| match port {
        Port::Number(number) => Some(*number),
        Port::Service(_) => None,
    });
    let starttls = end.options.text(Key::Starttls).map(str::to_owned);
    Target { host, port, starttls, ..Target::default() }
}
