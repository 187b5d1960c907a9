//! Children under supervision: one thread, one signalfd, one poll(2). Nothing here knows flags or prints.
//!
//! A `Supervisor` starts children, reaps every child there is (orphans of theirs come to it, too) and reads the
//! signals sent to spile. A `Job` is one or several of its children with limits and a way to be ended: an attempt
//! of `run`, a service, all stages of a pipeline. The owner of the loop asks each job and each flow when it is
//! due, calls `Supervisor::wait`, and hands the events round:
//!
//! ```text
//! while !job.is_over() {
//!     for event in supervisor.wait(&fds, job.due())? {
//!         job.note(&event);                        // ends, stops
//!         if let Event::Signal(arrival) = event {  // decide, then job.send or job.end
//!             ...
//!         }
//!     }
//!     flow.advance(now);
//!     job.tick(now, &supervisor);                  // fires limits, ends the tree
//! }
//! ```

mod attempt;
mod companions;
mod ending;
mod foreground;
mod forward;
mod job;
mod limits;
mod unsent;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::libc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use attempt::{Company, Happening, Order, Outcome, attempt};
pub use companions::{Companions, end, keep_company, pause, sweep};
pub use ending::{Killed, Manner, Orphans, Scope};
pub use foreground::{Foreground, Keys};
pub use forward::{Act, Addressee, Forwarding, Handled, Insistence};
pub use job::{Job, Member, Reason};
pub use limits::{Clock, Limits};

use crate::error::{Exit, Failure};
use crate::process::tree::{self, Seen};
use crate::process::{
    self, Ends, Program, SpawnError, Started, StateChange, Status, Transfer, Usage, Waited,
};
use crate::signal::{Arrival, Arrivals, Number, Sender};

/// How long we may be stopped unnoticed while a running clock counts.
const BEAT: Duration = Duration::from_millis(100);

/// How many descriptors looking for descendants takes at once.
const ROOM: usize = 5;

/// How many signals are read in one round.
const AT_ONCE: usize = 256;

/// Something that has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A child that we started has ended and is reaped.
    Ended(i32, Status, Usage),
    /// An orphan that had come to us has ended and is reaped: this is what it has used.
    OrphanEnded(Usage),
    /// Job control has stopped a child.
    Stopped(i32, Number),
    /// A child goes on.
    Continued(i32),
    /// A signal was sent to us.
    Signal(Arrival),
    /// We ourselves were stopped, about so long.
    Resumed(Duration),
}

/// Owns the signals and the children of this process. There is one, on the main thread.
pub struct Supervisor {
    arrivals: Arrivals,
    /// Children that we started and that have not ended.
    roots: BTreeSet<i32>,
    /// Children reaped so far, orphans included.
    reaped: u64,
    /// Those among them that we had not started.
    orphans: u64,
    began: Instant,
    /// When we last looked at the signals that had come; we were not stopped between the two.
    awake: Instant,
    /// Time in which we were stopped.
    stopped: Duration,
    /// A child has changed its state since we have last asked.
    has_news: bool,
    /// What our children that have ended had read and written, where somebody wants to know.
    transfers: Option<BTreeMap<i32, Transfer>>,
}

impl Supervisor {
    /// Takes over all signals, and the orphans of our descendants: none of them gets lost, whatever session it
    /// moves to (PR_SET_CHILD_SUBREAPER). Call it before any thread is started.
    pub fn new() -> Result<Supervisor, Failure> {
        let cannot = |why: io::Error| {
            let failure = Failure::new(Exit(125), "cannot watch children", &why);
            match why.raw_os_error() == Some(libc::EMFILE) {
                true => failure
                    .hint("more descriptors are needed: see 'ulimit -n', and whether many are inherited"),
                false => failure,
            }
        };
        let arrivals = Arrivals::take().map_err(|why| cannot(why.into()))?;
        ensure_room(&arrivals).map_err(cannot)?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|why| cannot(why.into()))?;
        let began = Instant::now();
        let mut supervisor = Supervisor {
            arrivals,
            roots: BTreeSet::new(),
            reaped: 0,
            orphans: 0,
            began,
            awake: began,
            stopped: Duration::ZERO,
            has_news: false,
            transfers: None,
        };
        // Of children that we have inherited the kernel may have told before.
        supervisor.reap().map_err(cannot)?;
        Ok(supervisor)
    }

    /// Starts a child.
    pub fn spawn(&mut self, program: &Program, ends: Ends) -> Result<Started, SpawnError> {
        let started = process::spawn(program, ends)?;
        self.roots.insert(started.pid);
        Ok(started)
    }

    /// When `wait` came back, or we began. A limit is judged by this time and no other: every stop of ours before it
    /// has been told, which is not so for a stop between an `Instant::now()` and what is done with it.
    pub fn now(&self) -> Instant {
        self.awake
    }

    /// How long we have been at work, by this clock.
    pub fn elapsed(&self, clock: Clock) -> Duration {
        let all = self.awake.saturating_duration_since(self.began);
        match clock {
            Clock::Running => all.saturating_sub(self.stopped),
            Clock::Wall => all,
        }
    }

    /// From now on notes what each child had read and written when it ended.
    pub fn count_transfers(&mut self) {
        self.transfers = Some(BTreeMap::new());
    }

    /// What a child that has ended had read and written, if that was to be counted.
    pub fn transfer_of(&self, pid: i32) -> Option<Transfer> {
        self.transfers.as_ref()?.get(&pid).copied()
    }

    /// Children reaped so far, orphans included.
    pub fn reaped(&self) -> u64 {
        self.reaped
    }

    /// Orphans that had come to us and are reaped.
    pub fn orphans(&self) -> u64 {
        self.orphans
    }

    /// Waits until a child changes its state, a signal comes, one of `fds` is ready or the time has come, whatever
    /// is first. Ends of children stand before signals: nobody signals a child that has ended.
    pub fn wait(
        &mut self,
        fds: &[(BorrowedFd<'_>, PollFlags)],
        until: Option<Instant>,
    ) -> io::Result<Vec<Event>> {
        let mut polled = vec![PollFd::from_borrowed_fd(self.arrivals.as_fd(), PollFlags::IN)];
        polled.extend(fds.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)));
        let awake = sleep(&mut polled, until)?.unwrap_or(self.awake);
        let mut woken = Instant::now();
        let mut gap = None;
        let mut signals = Vec::new();
        // A storm of them must not keep us from everything else: what is left is read in the next round.
        let mut asks = true;
        for _ in 0..AT_ONCE {
            let Some(arrival) = self.arrivals.next()? else {
                asks = std::mem::take(&mut self.has_news);
                break;
            };
            match arrival.signal {
                Number::CHLD => self.has_news = true,
                // A write of our own into a broken pipe: blocked, it is queued in spite of being ignored.
                Number::PIPE if matches!(arrival.sender, Sender::Process { pid, .. } if pid == tree::me()) => {
                }
                Number::CONT => {
                    woken = Instant::now();
                    gap = Some(woken.saturating_duration_since(awake));
                    signals.push(Event::Signal(arrival));
                }
                _ => signals.push(Event::Signal(arrival)),
            }
        }
        self.awake = woken;
        // Not without CHLD: what a child has sent before its end would be read only after that.
        let mut events = if asks { self.reap()? } else { Vec::new() };
        // Shorter than a beat, it was none: somebody has sent CONT to who was not stopped.
        if let Some(gap) = gap.filter(|gap| *gap > BEAT) {
            self.stopped += gap;
            events.push(Event::Resumed(gap));
        }
        events.extend(signals);
        Ok(events)
    }

    /// The real-time signals that wait, a few of them at once, past all others.
    pub fn real_time_signals(&mut self) -> io::Result<Vec<Arrival>> {
        Ok(self.arrivals.next_real_time(AT_ONCE)?)
    }

    /// SIGCHLD is merged when many end at once, so every one is asked for.
    fn reap(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Waited::Changed(pid, status, usage) = self.next_change()? {
            events.push(match status.change() {
                StateChange::Stopped(signal) => Event::Stopped(pid, signal),
                StateChange::Continued => Event::Continued(pid),
                StateChange::Exited(_) | StateChange::Killed(_) => {
                    self.reaped += 1;
                    match self.roots.remove(&pid) {
                        true => Event::Ended(pid, status, usage),
                        false => {
                            self.orphans += 1;
                            Event::OrphanEnded(usage)
                        }
                    }
                }
            });
        }
        Ok(events)
    }

    /// Once a child is reaped, the kernel has forgotten what it had read and written.
    fn next_change(&mut self) -> io::Result<Waited> {
        let Some(transfers) = &mut self.transfers else { return Ok(process::wait_any()?) };
        let Some(pid) = process::next_to_tell() else { return Ok(Waited::Nothing) };
        if let Some(transfer) = self.roots.get(&pid).and_then(|root| Transfer::of(*root)) {
            transfers.insert(pid, transfer);
        }
        Ok(process::wait_for(pid)?)
    }

    /// The processes below `roots`, and with them the orphans that have come to us: nobody can tell any more
    /// whose they were.
    pub fn tree_of(&self, roots: &[i32]) -> Vec<Seen> {
        let is_others = |child: &Seen| self.roots.contains(&child.pid) && !roots.contains(&child.pid);
        let mut ours = tree::children(tree::me());
        ours.retain(|child| !is_others(child));
        // What /proc does not show, as one that is missing or another namespace's, is ours all the same.
        let unseen = roots.iter().filter(|root| !ours.iter().any(|child| child.pid == **root));
        let unseen: Vec<Seen> = unseen.map(|root| Seen { pid: *root, parent: tree::me() }).collect();
        ours.extend(unseen);
        tree::below(ours)
    }

    /// True where orphans have come to us and nothing tells which; never while children of ours run, since nobody can
    /// say then.
    pub fn has_unseen(&self) -> bool {
        !tree::is_visible() && self.roots.is_empty() && process::has_children()
    }

    /// Everybody at once, where nothing tells who is in the tree of `roots`, but we are process 1, whom kill(2) lets
    /// reach them all the same, and nobody else.
    pub fn everybody(&self, roots: &[i32]) -> Option<Seen> {
        let are_all = self.roots.iter().all(|root| roots.contains(root));
        let is_apt = tree::me() == 1 && !tree::is_visible() && are_all && process::has_children();
        is_apt.then_some(Seen::EVERYBODY)
    }
}

/// Fails where few descriptors are left. Whoever is to be ended is looked up in /proc and opened first: without a
/// descriptor for that, they would be left alive without a word.
fn ensure_room(fd: impl AsFd) -> io::Result<()> {
    let copies: Result<Vec<_>, _> = (0..ROOM).map(|_| rustix::io::fcntl_dupfd_cloexec(&fd, 3)).collect();
    copies.map(drop).map_err(io::Error::from)
}

/// Sleeps in short pieces where a limit counts: only so can we tell for how long we were stopped. Answers when we
/// were last awake in between, if we were.
fn sleep(polled: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<Option<Instant>> {
    let mut awake = None;
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let nap = left.map(|left| left.min(BEAT));
        let timeout =
            nap.map(|nap| Timespec { tv_sec: nap.as_secs() as i64, tv_nsec: nap.subsec_nanos().into() });
        match poll(polled, timeout.as_ref()) {
            Ok(0) if left > nap => awake = Some(Instant::now()),
            Ok(_) => return Ok(awake),
            Err(rustix::io::Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}
