//! What all conversations of one run have in common.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::conversation::{Bounds, Peer, hold};
use super::telling::Telling;
use crate::chat::{Script, Settings};
use crate::error::Exit;
use crate::report::Events;

/// What all conversations of one run have in common.
pub struct Talk {
    /// One for each conversation; never empty.
    pub scripts: Vec<Rc<Script>>,
    /// What holds before the first step.
    pub settings: Settings,
    /// How long a whole conversation may take, and the command of a mock server without one.
    pub deadline: Option<Duration>,
    /// How long a program may take to end.
    pub grace: Duration,
    /// Where it is told how conversations go.
    pub telling: Telling,
    /// Where all else is told.
    pub events: Events,
}

impl Talk {
    /// The script of the n-th conversation, from 0; the last one is that of all further ones.
    pub fn script(&self, number: u64) -> &Rc<Script> {
        let last = self.scripts.len() - 1;
        &self.scripts[usize::try_from(number).map_or(last, |number| number.min(last))]
    }

    /// When a conversation that begins now must be over.
    pub fn until(&self) -> Option<Instant> {
        self.deadline.and_then(|time| Instant::now().checked_add(time))
    }

    /// Holds one and tells what went wrong; `id` is its number where there are several at once.
    pub async fn hold(
        &self,
        script: &Rc<Script>,
        peer: Peer,
        until: Option<Instant>,
        id: Option<u64>,
    ) -> Exit {
        let bounds = Bounds { until, grace: self.grace };
        let transcript = self.telling.transcript(script, &peer.name, id);
        hold(script.clone(), self.settings.clone(), peer, bounds, transcript).await.tell()
    }
}
