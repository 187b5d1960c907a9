//! What moves in a pipeline that runs: its flows are driven, and whoever shows how far they are is told.

use std::time::{Duration, Instant};

use super::Live;
use crate::flow::Ending;
use crate::pipeline::order::{Audience, Progress, Trouble};
use crate::pipeline::outcome::Seat;
use crate::pipeline::plumbing::Carries;
use crate::pipeline::stage::Body;
use crate::process::Transfer;
use crate::supervise::Supervisor;

impl Live<'_> {
    pub(super) fn move_bytes(&mut self, now: Instant, audience: &mut dyn Audience) {
        for pump in &mut self.plumbing.pumps {
            let before = pump.flow.received();
            pump.flow.advance(now);
            if pump.flow.received() > before {
                self.quiet_since = None;
                self.whole.is_active(now);
            }
            for failure in pump.flow.failures() {
                audience.trouble(&Trouble { stage: &self.order.stages[pump.stage].name, failure: &failure });
                self.seats[pump.stage].failures.push(failure);
            }
            if let (Some(Ending::Failed(failure)), Carries::Input | Carries::Output) =
                (pump.flow.ending(), pump.carries)
                && !self.seats[pump.stage].failures.contains(failure)
            {
                audience.trouble(&Trouble { stage: &self.order.stages[pump.stage].name, failure });
                self.seats[pump.stage].failures.push(failure.clone());
            }
        }
    }

    /// How often to look whether anything moves, where a limit depends on it.
    pub(super) fn idle_interval(&self) -> Option<Duration> {
        let stages = self.order.stages.iter().filter_map(|stage| stage.idle);
        let shortest = stages.chain(self.order.limits.idle).min()?;
        Some((shortest / 10).clamp(Duration::from_millis(10), Duration::from_millis(500)))
    }

    /// A stage is active when it or a process below it writes; the pipeline when any of its processes does.
    pub(super) fn look_for_activity(&mut self, now: Instant, supervisor: &Supervisor) {
        if self.idle_interval().is_none_or(|interval| now < self.looked + interval) {
            return;
        }
        self.looked = now;
        let mut all = Transfer::default();
        for seat in &mut self.seats {
            let Some(pid) = seat.running() else { continue };
            let transfer = Transfer::of_all(&supervisor.tree_of(&[pid]));
            all.read += transfer.read;
            all.written += transfer.written;
            if seat.transfer.replace(transfer).is_none_or(|before| before.written != transfer.written)
                && let Some(job) = &mut seat.job
            {
                job.is_active(now);
            }
        }
        if all != self.transferred {
            self.transferred = all;
            self.whole.is_active(now);
        }
    }

    pub(super) fn show(&mut self, now: Instant, audience: &mut dyn Audience) {
        if audience.interval().is_some_and(|interval| now >= self.shown + interval) {
            self.shown = now;
            audience.progress(&self.progress());
        }
    }

    pub(super) fn progress(&self) -> Vec<Progress> {
        let of = |(at, seat): (usize, &Seat)| {
            let input =
                self.plumbing.pumps.iter().find(|pump| pump.stage == at && pump.carries == Carries::Input);
            let transfer = seat.running().and_then(Transfer::of).or(seat.transfer);
            let passes = self.order.stages[at].body == Body::Passage;
            Progress {
                received: input.map(|pump| pump.flow.received()),
                written: match input.filter(|_| passes) {
                    Some(pump) => Some(pump.flow.sent()),
                    None => transfer.map(|transfer| transfer.written),
                },
                waiting: self.plumbing.views[at].as_ref().and_then(crate::flow::View::fill),
                elapsed: seat.end.map_or_else(|| self.start.elapsed(), |(_, _, at)| at),
            }
        };
        self.seats.iter().enumerate().map(of).collect()
    }
}
