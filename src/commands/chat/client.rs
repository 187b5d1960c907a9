//! Our side calls: one conversation after the other, each with a connection of its own.

use std::rc::Rc;
use std::time::Instant;

use super::conversation::{Peer, Security};
use super::talk::Talk;
use super::target::{StartTls, Target};
use crate::address::Address;
use crate::chat::Script;
use crate::commands::dial::Dial;
use crate::commands::runtime::Interrupts;
use crate::endpoint::{Connector, Journey};
use crate::error::{Exit, Failure};
use crate::event_loop::glance_before_waiting;
use crate::process::end_left_behind;
use crate::report::Event;

/// Runs them all; the status is that of the first that did not go well.
pub async fn run(talk: &Talk, target: &Target) -> Result<Exit, Failure> {
    let mut interrupts = Interrupts::new()?;
    glance_before_waiting();
    let ways =
        talk.scripts.iter().map(|script| Way::new(talk, target, script)).collect::<Result<Vec<_>, _>>()?;
    let mut status = Exit::OK;
    for (script, way) in talk.scripts.iter().zip(&ways) {
        let result = tokio::select! {
            result = way.talk(talk, script) => result,
            () = interrupts.ended() => {
                talk.telling.interrupted();
                end_left_behind(talk.grace, interrupts.ended()).await;
                return Ok(interrupts.exit().unwrap_or(Exit::FAILURE));
            }
        };
        status = status.or(match result {
            Ok(exit) => exit,
            Err(failure) => {
                talk.telling.not_begun(script, way.dial.name(), None, &failure);
                if talk.scripts.len() == 1 {
                    return Err(failure);
                }
                talk.telling.refused(script, &failure);
                failure.exit
            }
        });
    }
    Ok(status)
}

/// How the peer of one script is reached.
struct Way {
    dial: Dial,
    /// What TLS begins with at a step.
    connector: Option<Rc<Connector>>,
}

impl Way {
    /// Reads what the address names; what is wrong with that comes before any conversation.
    fn new(talk: &Talk, target: &Target, script: &Script) -> Result<Way, Failure> {
        let dial = Dial::new(&target.address_for(script), talk.deadline, &talk.events)?;
        let connector = match (StartTls::of([script]), &target.address) {
            (StartTls::ByStep, Address::One(end)) => {
                let connector = Connector::new(end)?;
                connector.warnings().iter().for_each(|warning| (talk.events)(&Event::Note(warning.clone())));
                Some(Rc::new(connector))
            }
            _ => None,
        };
        Ok(Way { dial, connector })
    }

    async fn talk(&self, talk: &Talk, script: &Rc<Script>) -> Result<Exit, Failure> {
        let (started, until) = (Instant::now(), talk.until());
        let endpoint = self.dial.open(&Journey::new()).await?;
        let name = self.dial.name().to_owned();
        (talk.events)(&Event::Connected { address: name.clone(), took: started.elapsed() });
        if let Some(note) = endpoint.note() {
            (talk.events)(&Event::Note(note.to_owned()));
        }
        let security = self.connector.clone().map(Security::Connecting);
        Ok(talk.hold(script, Peer { endpoint, name, security }, until, None).await)
    }
}
