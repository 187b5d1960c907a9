//! A job: children with limits, and the way to their end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::ending::{self, Killed, Manner, Orphans, Scope};
use super::forward::Addressee;
use super::limits::{Limits, Passed, Watch};
use super::unsent::Unsent;
use super::{Event, Supervisor};
use crate::process::tree::{self, CpuClock, Seen};
use crate::process::{Started, Status, Usage};
use crate::signal::{self, Number};

/// After this long without anybody dying of KILL, who is left cannot be killed: it waits for hardware, or it is
/// another user's.
const HOPELESS: Duration = Duration::from_secs(3);
/// Between two rounds of killing where nothing else wakes us.
const ROUND: Duration = Duration::from_millis(2);

/// A child of a job.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its id and file.
    pub started: Started,
    /// How and when it ended.
    pub end: Option<(Status, Usage, Instant)>,
    /// Job control has stopped it.
    pub stopped: bool,
}

/// Why a job came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// By itself.
    Ended,
    /// Its time limit.
    Timeout,
    /// Nothing came out of it for too long.
    IdleTimeout,
    /// Its limit of CPU time.
    CpuTimeout,
    /// Somebody told us to end it.
    Told,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At least one member runs.
    Running,
    /// The members have ended; we wait for what they left.
    Waiting,
    /// Asked to end; killed at this time.
    Asked(Instant),
    /// Being killed; nobody has died since.
    Killing(Instant),
    /// Nothing of it is left, or nothing that concerns us.
    Over,
}

/// Children with limits.
pub struct Job {
    members: Vec<Member>,
    watch: Watch,
    manner: Manner,
    phase: Phase,
    reason: Reason,
    killed: Vec<Killed>,
    reaped: u64,
    /// CPU time of those who are reaped: its own children, and orphans, of which nobody can tell whose they were.
    spent: Usage,
    request: Request,
    unsent: Unsent,
    addressee: Addressee,
}

/// Whether somebody has asked the children to end, past us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    None,
    Made,
}

impl Job {
    /// A job without children; its clock starts now, before the first is spawned.
    pub fn new(limits: Limits, manner: Manner) -> Job {
        Job {
            members: Vec::new(),
            watch: Watch::new(limits, Instant::now()),
            manner,
            phase: Phase::Running,
            reason: Reason::Ended,
            killed: Vec::new(),
            reaped: 0,
            spent: Usage::default(),
            request: Request::None,
            unsent: Unsent::default(),
            addressee: Addressee::default(),
        }
    }

    /// The same, with signals passed on to these.
    pub fn hears(self, addressee: Addressee) -> Job {
        Job { addressee, ..self }
    }

    /// Adds a child that the supervisor has started.
    pub fn add(&mut self, started: Started) {
        self.members.push(Member { started, end: None, stopped: false });
    }

    /// Its children, in the order in which they were added.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Why it ended, or is being ended.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// True when to ask it to end was not enough: it had to be killed.
    pub fn was_killed(&self) -> bool {
        self.manner.signal != Number::KILL && self.killed.iter().any(|killed| killed.signal == Number::KILL)
    }

    /// Whom it took signals to end.
    pub fn killed(&self) -> &[Killed] {
        &self.killed
    }

    /// True when there is nothing more to wait for.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// True once it was asked to end.
    pub fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Asked(_) | Phase::Killing(_) | Phase::Over)
    }

    /// Takes note of what happened to its children. True when the event was about one of them.
    pub fn note(&mut self, event: &Event) -> bool {
        let (Event::Ended(pid, ..) | Event::Stopped(pid, _) | Event::Continued(pid)) = event else {
            match event {
                Event::Resumed(how_long) => self.watch.was_stopped(*how_long, Instant::now()),
                Event::OrphanEnded(usage) => self.spent.add_cpu(usage),
                _ => {}
            }
            return false;
        };
        let member =
            self.members.iter_mut().find(|member| member.started.pid == *pid && member.end.is_none());
        let Some(member) = member else { return false };
        match event {
            Event::Ended(_, status, usage) => {
                member.end = Some((*status, *usage, Instant::now()));
                self.spent.add_cpu(usage);
                self.unsent.forget(*pid);
            }
            _ => member.stopped = matches!(event, Event::Stopped(..)),
        }
        true
    }

    /// There was output: its time of silence begins anew.
    pub fn is_active(&mut self, now: Instant) {
        self.watch.is_active(now);
    }

    /// When its time is over, if it has a limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.watch.deadline()
    }

    /// When it must be looked after even if nothing happens.
    pub fn due(&self) -> Option<Instant> {
        let round = || Some(Instant::now() + ROUND);
        let due = match self.phase {
            Phase::Running | Phase::Waiting => self.watch.due(),
            Phase::Asked(until) => Some(until),
            Phase::Killing(_) => round(),
            Phase::Over => None,
        };
        let unsent = if self.unsent.is_empty() { None } else { round() };
        [due, unsent].into_iter().flatten().min()
    }

    /// Sends a signal to the children that have not ended: what a terminal sends goes to whole groups, as it does
    /// there, and so does everything if that was asked for, if one of the children leads them: a group keeps its
    /// number as long as somebody is in it. Only to a process can a value be sent (sigqueue(3)): the children get it,
    /// and others of their groups the signal without it. The keys that stop do nothing in a session whose leader is the
    /// child: nobody is there to continue it (orphaned process group, POSIX), so STOP is sent. Who is stopped must go
    /// on to be able to end.
    pub fn send(&mut self, signal: Number, value: Option<i32>) {
        let to_groups =
            self.addressee == Addressee::Group || signal.is_from_terminals() || signal.asks_to_stop();
        // Where nobody can tell who is in a group, it is all of it without the value.
        let value = value.filter(|_| !to_groups || tree::is_visible());
        let mut groups = BTreeSet::new();
        for member in self.members.iter().filter(|member| member.end.is_none()) {
            let pid = member.started.pid;
            let is_ours = |pid: i32| self.members.iter().any(|member| member.started.pid == pid);
            let group = group_of(pid).filter(|group| to_groups && is_ours(*group));
            let to = group.map_or(pid, |group| -group);
            let its = if signal.asks_to_stop() && leads_session(pid) { Number::STOP } else { signal };
            let is_first = group.is_none_or(|group| groups.insert(group));
            match (value, group) {
                (Some(value), _) => {
                    self.unsent.send(pid, its, value);
                    let others = group.filter(|_| is_first).map(tree::in_group).unwrap_or_default();
                    for other in others.into_iter().filter(|other| !is_ours(other.pid)) {
                        tree::signal(other, its);
                    }
                }
                (None, _) if is_first => _ = signal::send(to, its),
                (None, _) => {}
            }
            if member.stopped && signal.asks_to_end() {
                let _ = signal::send(to, Number::CONT);
            }
        }
    }

    /// Signals that could not be passed on, since nobody had a place for them.
    pub fn lost_signals(&self) -> u64 {
        self.unsent.lost()
    }

    /// Somebody's signal, not ours, has reached the children. How they take it is their business; but when it asks
    /// to end and they do, so does everything they leave behind.
    pub fn was_sent(&mut self, signal: Number, supervisor: &Supervisor) {
        if !signal.asks_to_end() {
            return;
        }
        self.request = Request::Made;
        if self.phase == Phase::Waiting {
            self.ask(self.manner.signal, supervisor);
        }
    }

    /// True once somebody's signal has asked the children to end.
    pub fn was_asked_to_end(&self) -> bool {
        self.request == Request::Made
    }

    /// The children that have not ended, and so are not reaped.
    fn running(&self) -> impl Iterator<Item = i32> {
        self.members.iter().filter(|member| member.end.is_none()).map(|member| member.started.pid)
    }

    /// Begins to end it.
    pub fn end(&mut self, reason: Reason, supervisor: &Supervisor) {
        if self.is_ending() {
            return;
        }
        self.reason = reason;
        match self.manner.signal {
            Number::KILL => self.kill(),
            signal => self.ask(signal, supervisor),
        }
    }

    /// Gives it this long between the asking and the killing; from now on, where it was asked already.
    pub fn set_grace(&mut self, grace: Duration) {
        self.manner.grace = grace;
        if let Phase::Asked(until) = &mut self.phase {
            *until = Instant::now() + grace;
        }
    }

    /// Kills it now.
    pub fn kill(&mut self) {
        if !self.is_over() {
            self.phase = Phase::Killing(Instant::now());
        }
    }

    fn ask(&mut self, signal: Number, supervisor: &Supervisor) {
        ending::ask(&self.processes(supervisor), signal, &mut self.killed);
        self.phase = Phase::Asked(Instant::now() + self.manner.grace);
    }

    /// Everything that belongs to it now, by its scope.
    fn processes(&self, supervisor: &Supervisor) -> Vec<Seen> {
        let groups: Vec<i32> = self.members.iter().map(|member| member.started.pid).collect();
        ending::reach(self.manner.scope, &self.running().collect::<Vec<_>>(), &groups, supervisor)
    }

    /// The CPU time that it has used: what runs of it, and what has ended.
    pub fn cpu_time(&self, clock: CpuClock, supervisor: &Supervisor) -> Duration {
        let running: Vec<i32> = self.running().collect();
        tree::cpu_time(&supervisor.tree_of(&running), clock) + self.spent.cpu(clock)
    }

    /// What is left of it, for the report.
    pub fn left(&self, supervisor: &Supervisor) -> Vec<Seen> {
        supervisor.tree_of(&self.running().collect::<Vec<_>>())
    }

    /// Does what is due: a limit that was passed, the next step of the ending. Call it after each `wait`.
    pub fn tick(&mut self, now: Instant, supervisor: &Supervisor) {
        self.unsent.flush();
        let has_ended = self.running().next().is_none();
        match self.phase {
            Phase::Running if has_ended => self.settle(supervisor),
            Phase::Running | Phase::Waiting => {
                let mut watch = self.watch;
                let passed = watch.passed(now, || self.cpu_time(CpuClock::All, supervisor));
                self.watch = watch;
                match passed {
                    Some(limit) => self.end(reason(limit), supervisor),
                    None if self.phase == Phase::Waiting && !self.is_awaited(supervisor) => {
                        self.phase = Phase::Over;
                    }
                    None => {}
                }
            }
            Phase::Asked(until) => {
                if has_ended && self.processes(supervisor).is_empty() {
                    self.phase = Phase::Over;
                } else if now >= until {
                    self.phase = Phase::Killing(now);
                }
            }
            Phase::Killing(_) | Phase::Over => {}
        }
        if let Phase::Killing(since) = self.phase {
            self.kill_round(now, since, supervisor);
        }
    }

    /// The children have ended by themselves.
    fn settle(&mut self, supervisor: &Supervisor) {
        match (self.manner.orphans, self.request) {
            (Orphans::Leave, _) | (Orphans::Usual, Request::None) => self.phase = Phase::Over,
            (Orphans::Wait, Request::None) => self.phase = Phase::Waiting,
            (Orphans::Kill, _) => self.kill(),
            (Orphans::Term, _) | (Orphans::Usual | Orphans::Wait, Request::Made) => {
                self.ask(self.manner.signal, supervisor);
            }
        }
        let is_over = match self.phase {
            Phase::Waiting => !self.is_awaited(supervisor),
            Phase::Asked(_) => self.processes(supervisor).is_empty(),
            _ => false,
        };
        if is_over {
            self.phase = Phase::Over;
        }
    }

    /// True while there is somebody to wait for: that is known also of those whom nobody can tell.
    fn is_awaited(&self, supervisor: &Supervisor) -> bool {
        supervisor.has_unseen() || !self.processes(supervisor).is_empty()
    }

    /// True when some of it should have ended and goes on, since nothing tells who they are.
    pub fn has_missed(&self, supervisor: &Supervisor) -> bool {
        let orphans_end = match self.manner.orphans {
            Orphans::Leave => false,
            Orphans::Usual | Orphans::Wait => self.request == Request::Made,
            Orphans::Term | Orphans::Kill => true,
        };
        let is_meant = self.manner.scope == Scope::Tree && (orphans_end || self.reason != Reason::Ended);
        is_meant && supervisor.has_unseen()
    }

    /// Stopped first, so that nobody forks away from the kill; round by round, since orphans come to us only when
    /// their parents are dead.
    fn kill_round(&mut self, now: Instant, since: Instant, supervisor: &Supervisor) {
        let processes = self.processes(supervisor);
        if processes.is_empty() {
            self.phase = Phase::Over;
            return;
        }
        ending::stop_all(&processes);
        ending::signal_all(&self.processes(supervisor), Number::KILL, &mut self.killed);
        if supervisor.reaped() > self.reaped {
            self.reaped = supervisor.reaped();
            self.phase = Phase::Killing(now);
        } else if now >= since + HOPELESS {
            self.phase = Phase::Over;
        }
    }
}

fn reason(limit: Passed) -> Reason {
    match limit {
        Passed::Total => Reason::Timeout,
        Passed::Idle => Reason::IdleTimeout,
        Passed::Cpu => Reason::CpuTimeout,
    }
}

fn leads_session(pid: i32) -> bool {
    let process = Pid::from_raw(pid);
    nix::unistd::getsid(Some(process)).is_ok_and(|session| session == process)
}

fn group_of(pid: i32) -> Option<i32> {
    nix::unistd::getpgid(Some(Pid::from_raw(pid))).ok().map(Pid::as_raw)
}
