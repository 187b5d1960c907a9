//! What a pipeline is asked to do, and who hears about it meanwhile.

use std::time::Duration;

use super::plumbing::Common;
use super::stage::Stage;
use super::verdict::{Choice, Strictness};
use crate::error::Failure;
use crate::process::{Signals, Started, Status};
use crate::supervise::{Forwarding, Handled, Limits, Manner, Reason};

/// What is to be done.
pub struct Order {
    /// The stages, first to last; never empty.
    pub stages: Vec<Stage>,
    /// What they share.
    pub common: Common,
    /// Limits of the pipeline as a whole.
    pub limits: Limits,
    /// How it, or a stage that has passed a limit of its own, is ended.
    pub manner: Manner,
    /// Signals as the stages find them.
    pub signals: Signals,
    /// Which signals they get.
    pub forwarding: Forwarding,
    /// How broken pipes are seen.
    pub strictness: Strictness,
    /// Whose status counts.
    pub choice: Choice,
    /// What a failure does to the others.
    pub on_failure: OnFailure,
    /// How long a pipe may stay silent that is held open when all stages have ended.
    pub linger: Duration,
}

/// What the failure of a stage does to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing: they see the end of their input, or a broken pipe.
    #[default]
    Drain,
    /// They are ended.
    Stop,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have passed the modifiers of its input.
    pub received: Option<u64>,
    /// Bytes that it has written, to whatever place.
    pub written: Option<u64>,
    /// Bytes behind it that the next stage has not read yet.
    pub waiting: Option<u64>,
    /// How long it has been running, or did.
    pub elapsed: Duration,
}

/// Something that spile could not do for a stage while the data went on.
pub struct Trouble<'a> {
    /// The stage.
    pub stage: &'a str,
    /// What.
    pub failure: &'a Failure,
}

/// A step in the life of a pipeline.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// The process of this stage runs.
    Started(usize, &'a Started),
    /// The process of this stage, with this id, has ended.
    Ended(usize, i32, Status),
    /// A limit was passed: that of this stage, or of all together.
    OutOfTime(Option<usize>, Reason),
    /// This stage, or all together, had not ended after the grace, and is being killed.
    Killed(Option<usize>),
    /// They use the terminal, whose keys were ours until now and reach them alone from now on.
    KeysLost,
    /// A signal was sent to spile.
    Signal(&'a Handled),
}

/// Who hears about a pipeline while it runs.
pub trait Audience {
    /// How often `progress` is wanted.
    fn interval(&self) -> Option<Duration>;
    /// How far the stages are.
    fn progress(&mut self, stages: &[Progress]);
    /// Something went wrong beside the data.
    fn trouble(&mut self, trouble: &Trouble<'_>);
    /// A step in its life.
    fn told(&mut self, happening: Happening<'_>);
    /// How far the stages were at the end.
    fn end(&mut self, stages: &[Progress]);
}
