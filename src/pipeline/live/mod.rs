//! The life of a pipeline: one loop over its processes, its flows, its limits and the signals sent to spile.

mod flowing;

use std::time::{Instant, SystemTime};

use crate::error::{Exit, Failure};
use crate::pipeline::launch::{self, Grouping};
use crate::pipeline::order::{Audience, Happening, OnFailure, Order};
use crate::pipeline::outcome::{Outcome, Seat};
use crate::pipeline::plumbing::{Carries, Plumbing, lay};
use crate::pipeline::stage::{Body, Weight};
use crate::pipeline::verdict::{Strictness, is_broken_off};
use crate::process::{Program, Status, Transfer};
use crate::signal::{Arrival, Number};
use crate::supervise::{Act, Event, Forwarding, Handled, Job, Limits, Manner, Orphans, Reason, Supervisor};

/// Runs a pipeline to its end. A stage that cannot be started is an outcome, too; a failure is that spile itself
/// could not do its part.
pub fn run(
    order: &Order,
    supervisor: &mut Supervisor,
    audience: &mut dyn Audience,
) -> Result<Outcome, Failure> {
    let programs = launch::programs(&order.stages, order.signals);
    let mut seats: Vec<Seat> = order.stages.iter().map(|_| Seat::default()).collect();
    if let Err((at, refused)) = launch::lookup(&programs) {
        seats[at].refused = Some(refused);
        return Ok(Outcome::not_started(order, seats));
    }
    let plumbing = lay(&order.stages, &order.common)?;
    let mut live = Live {
        order,
        whole: Job::new(order.limits, order.manner).hears(order.forwarding.to()),
        seats,
        plumbing,
        grouping: Grouping::arrange(&order.forwarding),
        forwarding: order.forwarding.clone(),
        couriers: Vec::new(),
        began: SystemTime::now(),
        start: Instant::now(),
        interrupted: None,
        out_of_time: false,
        culprit: None,
        signals: Vec::new(),
        quiet_since: None,
        looked: Instant::now(),
        transferred: Transfer::default(),
        shown: Instant::now(),
    };
    live.start(programs, supervisor, audience);
    live.go_on(supervisor, audience)?;
    Ok(live.finish(supervisor, audience))
}

/// A pipeline that runs.
struct Live<'a> {
    order: &'a Order,
    /// All processes together: the limits of the pipeline.
    whole: Job,
    seats: Vec<Seat>,
    plumbing: Plumbing,
    grouping: Grouping,
    forwarding: Forwarding,
    /// Processes that write copies, and whose input they copy.
    couriers: Vec<(i32, usize)>,
    began: SystemTime,
    start: Instant,
    interrupted: Option<Number>,
    /// The time limit was passed when no process was left, only flows.
    out_of_time: bool,
    /// The stage whose failure stopped all others.
    culprit: Option<usize>,
    signals: Vec<Handled>,
    /// Since when nothing but silence is left to wait for.
    quiet_since: Option<Instant>,
    looked: Instant,
    transferred: Transfer,
    shown: Instant,
}

impl Live<'_> {
    /// Starts all stages; when one cannot be, those before it are ended.
    fn start(
        &mut self,
        programs: Vec<Option<Program>>,
        supervisor: &mut Supervisor,
        audience: &mut dyn Audience,
    ) {
        let ends = std::mem::take(&mut self.plumbing.ends);
        let couriers = std::mem::take(&mut self.plumbing.couriers);
        for (at, (program, ends)) in programs.into_iter().zip(ends).enumerate() {
            let Some(program) = program else { continue };
            let stage = &self.order.stages[at];
            let job = (stage.timeout.is_some() || stage.idle.is_some()).then(|| {
                let limits = Limits { total: stage.timeout, idle: stage.idle, ..self.order.limits };
                Job::new(limits, Manner { orphans: Orphans::Leave, ..self.order.manner })
            });
            match self.grouping.spawn(supervisor, program, stage.output, ends) {
                Ok(started) => {
                    audience.told(Happening::Started(at, &started));
                    self.whole.add(started.clone());
                    self.seats[at].job = job.map(|mut job| {
                        job.add(started.clone());
                        job
                    });
                    self.seats[at].started = Some(started);
                }
                Err(refused) => {
                    self.seats[at].refused = Some(refused);
                    self.plumbing.pumps.clear();
                    self.whole.end(Reason::Told, supervisor);
                    return;
                }
            }
        }
        for courier in couriers {
            let program = launch::courier(&courier);
            let ends = crate::process::Ends::inherited().stdin(courier.stdin);
            match self.grouping.spawn(supervisor, program, super::Output::Plain, ends) {
                Ok(started) => {
                    self.couriers.push((started.pid, courier.stage));
                    self.whole.add(started);
                }
                Err(refused) => self.seats[courier.stage].failures.push(*refused.failure),
            }
        }
        self.plumbing.close();
    }

    fn go_on(&mut self, supervisor: &mut Supervisor, audience: &mut dyn Audience) -> Result<(), Failure> {
        loop {
            let events = {
                let mut fds = Vec::new();
                let flows = self.plumbing.pumps.iter().filter_map(|pump| pump.flow.waits(&mut fds)).min();
                let until = [flows, self.due(audience)].into_iter().flatten().min();
                supervisor.wait(&fds, until)
            };
            let cannot = |why| Failure::new(Exit(125), "cannot wait for the stages", why);
            let events = events.map_err(cannot)?;
            // All of them are reaped by now: because of one that has ended, no other one is to be signalled.
            for event in events.iter().filter(|event| matches!(event, Event::Ended(..))) {
                self.note(event);
            }
            for event in &events {
                self.hear(event, supervisor, audience);
            }
            for at in (0..self.seats.len()).filter(|at| self.seats[*at].end.is_some()) {
                self.plumbing.let_go(at);
            }
            let now = supervisor.now();
            self.move_bytes(now, audience);
            self.plumbing.hang_up(|at| self.seats[at].end.is_some());
            self.look_for_activity(now, supervisor);
            self.tick(now, supervisor, audience);
            self.show(now, audience);
            if self.whole.is_over() && self.is_done(now) {
                return Ok(());
            }
        }
    }

    /// Fires the limits, of stages and of all together.
    fn tick(&mut self, now: Instant, supervisor: &Supervisor, audience: &mut dyn Audience) {
        let jobs = self.seats.iter_mut().enumerate();
        let jobs = jobs.filter_map(|(at, seat)| Some((Some(at), seat.job.as_mut()?)));
        for (stage, job) in jobs.chain([(None, &mut self.whole)]) {
            let (reason, was_killed) = (job.reason(), job.was_killed());
            job.tick(now, supervisor);
            if job.reason() != reason {
                audience.told(Happening::OutOfTime(stage, job.reason()));
            }
            if job.was_killed() != was_killed {
                audience.told(Happening::Killed(stage));
            }
        }
    }

    /// When something is to be done even if nothing happens.
    fn due(&self, audience: &dyn Audience) -> Option<Instant> {
        let jobs = self.seats.iter().filter_map(|seat| seat.job.as_ref()?.due());
        let quiet = self.quiet_since.map(|since| since + self.order.linger);
        let shown = audience.interval().map(|interval| self.shown + interval);
        let looked = self.idle_interval().map(|interval| self.looked + interval);
        let total = self.whole.deadline().filter(|_| self.whole.is_over());
        jobs.chain(self.whole.due()).chain(quiet).chain(shown).chain(looked).chain(total).min()
    }

    /// True when it was about one of the processes, and is news.
    fn note(&mut self, event: &Event) -> bool {
        for job in self.seats.iter_mut().filter_map(|seat| seat.job.as_mut()) {
            job.note(event);
        }
        self.whole.note(event)
    }

    fn hear(&mut self, event: &Event, supervisor: &Supervisor, audience: &mut dyn Audience) {
        let is_about_us = self.note(event);
        match event {
            Event::Ended(pid, status, usage) => {
                if let Some(at) = self.seats.iter().position(|seat| seat.pid() == Some(*pid)) {
                    audience.told(Happening::Ended(at, *pid, *status));
                    self.seats[at].unread = self.plumbing.is_unread(at);
                    self.seats[at].end = Some((*status, *usage, self.start.elapsed()));
                    self.seats[at].transfer = supervisor.transfer_of(*pid);
                    self.stop_after(at, *status, supervisor);
                } else if let Some((_, at)) = self.couriers.iter().find(|(courier, _)| courier == pid)
                    && status.code() != Some(0)
                {
                    let why = format!("it ended with status {}", status.exit().0);
                    self.seats[*at].failures.push(Failure::other("the copy is not complete", why));
                }
            }
            Event::Stopped(pid, by) if is_about_us => self.stopped(*pid, *by, audience),
            Event::Signal(arrival) => self.signal(arrival, supervisor, audience),
            _ => {}
        }
    }

    /// `OnFailure::Stop`: the first failure ends the others. A broken pipe may be none.
    fn stop_after(&mut self, at: usize, status: Status, supervisor: &Supervisor) {
        let stage = &self.order.stages[at];
        let has_reader = at + 1 < self.seats.len() && self.order.strictness == Strictness::Tolerant;
        let is_accepted = status.code().is_some_and(|code| stage.accepted.contains(&code));
        let is_fine = stage.weight == Weight::Optional
            || (is_accepted && self.seats[at].limit().is_none())
            || (has_reader && is_broken_off(status, stage.output));
        if self.order.on_failure == OnFailure::Stop && !is_fine && !self.whole.is_ending() {
            self.culprit = Some(at);
            self.whole.end(Reason::Told, supervisor);
        }
    }

    /// Job control: once all stages are stopped, so are we.
    fn stopped(&mut self, pid: i32, by: Number, audience: &mut dyn Audience) {
        if self.whole.members().iter().all(|member| member.stopped || member.end.is_some()) {
            let leader = self.grouping.leader().unwrap_or(pid);
            let foreground = &mut self.grouping.foreground;
            let keys = foreground.keys();
            foreground.stopped(leader, by);
            if foreground.keys() != keys {
                audience.told(Happening::KeysLost);
            }
        }
    }

    fn signal(&mut self, arrival: &Arrival, supervisor: &Supervisor, audience: &mut dyn Audience) {
        let now = Instant::now();
        let act = self.forwarding.decide(arrival, self.grouping.foreground.together(), now);
        if arrival.signal == Number::WINCH {
            self.plumbing.resize();
        }
        let running = self.whole.members().iter().filter(|member| member.end.is_none());
        if arrival.signal == Number::CONT {
            for pid in running.clone().map(|member| member.started.pid) {
                self.grouping.foreground.continued(self.grouping.leader().unwrap_or(pid));
            }
        }
        if self.whole.is_over() {
            // There is nobody to pass it on to.
            let asks_to_end = arrival.signal.asks_to_end();
            self.interrupted = self.interrupted.or(asks_to_end.then_some(arrival.signal));
        } else {
            match act {
                Act::Forward(signal) => self.whole.send(signal, arrival.value),
                Act::End => self.whole.end(Reason::Told, supervisor),
                Act::Kill => self.whole.kill(),
                Act::Shared | Act::Ignore | Act::Taken => {}
            }
            match act {
                Act::Forward(signal) => {
                    if signal.asks_to_stop() {
                        self.grouping.foreground.asked_to_stop(*arrival);
                    }
                    self.whole.was_sent(signal, supervisor);
                }
                Act::Shared => self.whole.was_sent(arrival.signal, supervisor),
                _ => {}
            }
        }
        let handled = Handled { at: now, arrival: *arrival, act };
        audience.told(Happening::Signal(&handled));
        self.signals.push(handled);
    }

    /// No process is left that counts. Are the flows through, too? Bytes for a slow reader are waited for, silence
    /// of a pipe that some left-behind process holds open is not, and nothing is once we were told to end.
    fn is_done(&mut self, now: Instant) -> bool {
        if self.whole.deadline().is_some_and(|deadline| now >= deadline) {
            self.out_of_time |= self.plumbing.pumps.iter().any(|pump| !pump.flow.is_over());
        }
        let told = self.whole.reason() != Reason::Ended || self.interrupted.is_some() || self.out_of_time;
        let stages = &self.order.stages;
        let from_us = |at: usize| stages[..=at].iter().all(|stage| stage.body == Body::Passage);
        let mut waits = self.plumbing.pumps.iter().filter(|pump| !pump.flow.is_over()).peekable();
        if waits.peek().is_none() || self.interrupted.is_some() || self.out_of_time {
            return true;
        }
        let has_work = waits.any(|pump| {
            let is_input = pump.carries == Carries::Input;
            !pump.flow.is_waiting_for_bytes() || (is_input && from_us(pump.stage))
        });
        if has_work && !told {
            self.quiet_since = None;
            return false;
        }
        now >= *self.quiet_since.get_or_insert(now) + self.order.linger
    }

    fn finish(mut self, supervisor: &Supervisor, audience: &mut dyn Audience) -> Outcome {
        let progress = self.progress();
        for (at, seat) in self.seats.iter_mut().enumerate() {
            seat.stalled = self.plumbing.stalled(at, &self.order.stages[at]);
        }
        for pump in &mut self.plumbing.pumps {
            if !pump.flow.is_over() {
                pump.flow.stop_reading();
                pump.flow.advance(Instant::now());
                self.seats[pump.stage].is_cut |= pump.carries == Carries::Input;
            } else if pump.carries == Carries::Input {
                self.seats[pump.stage].ending = pump.flow.ending().cloned();
            }
        }
        for pump in std::mem::take(&mut self.plumbing.pumps) {
            let stderr = pump.flow.captured().pop();
            self.seats[pump.stage].stderr = self.seats[pump.stage].stderr.take().or(stderr);
        }
        audience.end(&progress);
        let died = self.seats.iter().any(|seat| {
            seat.end.is_some_and(|(status, ..)| status.signal().is_some_and(|signal| signal != Number::PIPE))
        });
        self.grouping.foreground.over(died);
        let reason = if self.out_of_time { Reason::Timeout } else { self.whole.reason() };
        if reason != self.whole.reason() {
            audience.told(Happening::OutOfTime(None, reason));
        }
        let left = self.whole.left(supervisor);
        // What writes copies for us is not theirs.
        let ended = self.seats.iter().filter(|seat| seat.end.is_some()).count() as u64;
        let jobs = self.seats.iter().filter_map(|seat| seat.job.as_ref()).chain([&self.whole]);
        let killed = jobs.flat_map(Job::killed).cloned().collect();
        Outcome {
            seats: self.seats,
            reason,
            interrupted: self.interrupted,
            culprit: self.culprit,
            wall: self.start.elapsed(),
            began: self.began,
            start: self.start,
            signals: self.signals,
            killed,
            was_killed: self.whole.was_killed(),
            reaped: supervisor.orphans() + ended,
            left,
            has_missed: self.whole.has_missed(supervisor),
            progress,
        }
    }
}
