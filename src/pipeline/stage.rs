//! What a stage is: plain data, as the grammar reads it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::flow::Existing;
use crate::process::Change;

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What it is called in messages and in the report.
    pub name: String,
    /// What it consists of.
    pub body: Body,
    /// Exit statuses that are no failure; 0 always is among them.
    pub accepted: Vec<u8>,
    /// Whether its failure counts.
    pub weight: Weight,
    /// Where its stderr goes, if not where all stages' goes.
    pub errors: Option<Errors>,
    /// It is ended after this long.
    pub timeout: Option<Duration>,
    /// It is ended when it has written nothing for this long.
    pub idle: Option<Duration>,
    /// Environment variables of its own.
    pub environment: Vec<Change>,
    /// Its working directory.
    pub dir: Option<PathBuf>,
    /// What its stdout is.
    pub output: Output,
    /// What happens to its input on the way, in this order.
    pub inlet: Vec<Modifier>,
}

/// What a stage consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A program and its arguments; never empty.
    Program(Vec<OsString>),
    /// An address of spile's, as the first or last stage.
    Address(String),
    /// Modifiers alone: bytes pass through spile.
    Passage,
}

/// Whether the failure of a stage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It makes the pipeline fail.
    Required,
    /// It is reported and does no more.
    Optional,
}

/// What a stage writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A pipe, or spile's own stdout behind the last stage.
    Plain,
    /// A terminal, whose content is passed on.
    Terminal,
}

/// Where stderr of a stage goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errors {
    /// To spile's, as it is.
    Pass,
    /// To spile's, each line with the name of the stage.
    Label,
    /// Nowhere.
    Null,
    /// Into the stage's stdout.
    Merge,
    /// Into the report.
    Capture,
    /// Into a file, which all stages that name it share.
    File(PathBuf, Existing),
}

/// What happens to bytes on their way into a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// They are copied to one more place.
    Tee(Copy),
    /// They are counted, and the rate is told.
    Meter,
    /// At most so many pass in a second.
    Limit(u64),
    /// So many may wait for the stage.
    Buffer(usize),
    /// Each line gets the time.
    Time(Time),
    /// No more than these pass.
    Head(crate::flow::Extent),
}

/// Where a copy goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copy {
    /// Into a file.
    File(PathBuf, Existing),
    /// To an address of spile's.
    Address(String),
}

/// Which time stands before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The time of day, UTC.
    Clock,
    /// Since the start.
    Elapsed,
    /// Since the line before.
    Delta,
}
