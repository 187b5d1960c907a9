//! How a pipeline went, and what follows from it.

use std::time::{Duration, Instant, SystemTime};

use super::order::{Order, Progress};
use super::stage::{Body, Stage, Weight};
use super::verdict::{Decision, End, Ended, Verdict, decide, verdicts};
use crate::error::{Exit, Failure};
use crate::flow::{Captured, Ending};
use crate::process::tree::Seen;
use crate::process::{SpawnError, Started, Status, Transfer, Usage};
use crate::signal::Number;
use crate::supervise::{Handled, Job, Killed, Reason};

/// What became of a stage.
#[derive(Default)]
pub struct Seat {
    /// Its process.
    pub started: Option<Started>,
    /// Why it has none.
    pub refused: Option<SpawnError>,
    /// How it ended, what it used, and how long after the start that was.
    pub end: Option<(Status, Usage, Duration)>,
    /// When it ended, nobody read its output any more.
    pub unread: bool,
    /// How long what it wrote could not be passed on; unknown where spile does not do that.
    pub stalled: Option<Duration>,
    /// What it has read and written.
    pub transfer: Option<Transfer>,
    /// Its limits.
    pub job: Option<Job>,
    /// How the flow into it ended.
    pub ending: Option<Ending>,
    /// The flow into it was given up before its end.
    pub is_cut: bool,
    /// What was kept of its stderr.
    pub stderr: Option<Captured>,
    /// What spile could not do for it.
    pub failures: Vec<Failure>,
}

impl Seat {
    /// Its process id.
    pub fn pid(&self) -> Option<i32> {
        self.started.as_ref().map(|started| started.pid)
    }

    /// Its process id while it runs.
    pub fn running(&self) -> Option<i32> {
        self.pid().filter(|_| self.end.is_none())
    }

    /// The limit of its own that was passed.
    pub fn limit(&self) -> Option<Reason> {
        let reason = self.job.as_ref().map(Job::reason);
        reason.filter(|reason| matches!(reason, Reason::Timeout | Reason::IdleTimeout))
    }

    /// True when its limit was passed and to ask it to end was not enough.
    pub fn was_killed(&self) -> bool {
        self.job.as_ref().is_some_and(Job::was_killed)
    }

    fn how(&self, stage: &Stage) -> End {
        if let Some(refused) = &self.refused {
            return End::NotStarted(refused.failure.exit);
        }
        let passed = match (stage.body == Body::Passage, &self.end, &self.ending) {
            (false, Some(_), _) if self.limit().is_some() => End::TimedOut,
            (false, Some((status, ..)), _) => End::Program(*status),
            (false, None, _) if self.started.is_none() => End::NotStarted(Exit::OK),
            (true, _, Some(Ending::ReaderGone)) => End::Cut,
            (true, _, Some(Ending::EndOfData | Ending::Enough)) => End::Passed,
            (true, _, None) if !self.is_cut => End::NotStarted(Exit::OK),
            _ => End::Failed,
        };
        match passed {
            End::Program(status) if status.code().is_some_and(|code| stage.accepted.contains(&code)) => {
                if self.failures.is_empty() {
                    passed
                } else {
                    End::Failed
                }
            }
            End::Passed if !self.failures.is_empty() => End::Failed,
            other => other,
        }
    }
}

/// How a pipeline went.
pub struct Outcome {
    /// What became of each stage.
    pub seats: Vec<Seat>,
    /// Why it ended.
    pub reason: Reason,
    /// The signal that ended it.
    pub interrupted: Option<Number>,
    /// The stage whose failure ended the others.
    pub culprit: Option<usize>,
    /// From the start of the first stage to the end.
    pub wall: Duration,
    /// When it began.
    pub began: SystemTime,
    /// When the clock of `signals` began.
    pub start: Instant,
    /// Signals that were sent to spile.
    pub signals: Vec<Handled>,
    /// Who had to be signalled to end it, or to end a stage.
    pub killed: Vec<Killed>,
    /// It had to be killed as a whole.
    pub was_killed: bool,
    /// How many processes were reaped, stages and orphans.
    pub reaped: u64,
    /// What is left of it.
    pub left: Vec<Seen>,
    /// Some that should have ended go on, since nothing tells who they are.
    pub has_missed: bool,
    /// How far each stage came.
    pub progress: Vec<Progress>,
}

/// What follows from an outcome.
pub struct Judgement {
    /// On each stage.
    pub verdicts: Vec<Verdict>,
    /// The stage whose status is the pipeline's, if one's is.
    pub decided_by: Option<usize>,
    /// How spile ends.
    pub decision: Decision,
}

impl Outcome {
    /// Nothing was started, because one stage could not be.
    pub fn not_started(order: &Order, seats: Vec<Seat>) -> Outcome {
        Outcome {
            progress: order.stages.iter().map(|_| Progress::default()).collect(),
            seats,
            reason: Reason::Ended,
            interrupted: None,
            culprit: None,
            wall: Duration::ZERO,
            began: SystemTime::now(),
            start: Instant::now(),
            signals: Vec::new(),
            killed: Vec::new(),
            was_killed: false,
            reaped: 0,
            left: Vec::new(),
            has_missed: false,
        }
    }

    /// Applies the rules.
    pub fn judge(&self, order: &Order) -> Judgement {
        let ended: Vec<Ended<'_>> = self
            .seats
            .iter()
            .zip(&order.stages)
            .map(|(seat, stage)| Ended {
                end: seat.how(stage),
                unread: match stage.body {
                    Body::Passage => seat.ending == Some(Ending::ReaderGone),
                    _ => seat.unread,
                },
                output: stage.output,
                accepted: &stage.accepted,
                optional: stage.weight == Weight::Optional,
            })
            .collect();
        let verdicts = verdicts(&ended, order.strictness);
        let (decided_by, decision) = match (self.reason, self.interrupted, self.culprit) {
            (Reason::Timeout | Reason::IdleTimeout | Reason::CpuTimeout, ..) => {
                (None, Decision::Exit(Exit::TIMEOUT))
            }
            (_, Some(signal), _) => (None, Decision::Signal(signal)),
            (_, _, Some(at)) => (Some(at), decide(&ended[at..=at], &[Verdict::Failed], order.choice).1),
            _ => decide(&ended, &verdicts, order.choice),
        };
        Judgement { verdicts, decided_by, decision }
    }
}
