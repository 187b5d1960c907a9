//! The course of one conversation: which step it is at, and what that needs. It does no I/O and has no clock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::script::{Pace, Script, Terminator};
use super::verdict::Verdict;

/// What holds before the first step.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `>` adds.
    pub eol: Vec<u8>,
    /// What ends a unit.
    pub terminator: Terminator,
    /// How long each step may wait.
    pub timeout: Duration,
    /// How much of what was heard is kept for a step to decide; more is a failure.
    pub most_kept: usize,
    /// Variables and their values.
    pub variables: BTreeMap<String, Vec<u8>>,
    /// Whether something unread at the end is a failure.
    pub is_strict: bool,
}

/// What has to be done before the course can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Say these bytes, at this pace; then ask again.
    Say(Vec<u8>, Option<Pace>),
    /// Say what is in this file; then ask again.
    SayFile(PathBuf, Option<Pace>),
    /// Hear something (`Course::hear`, `Course::ended`), or ask again at this time.
    Hear(Instant),
    /// Wait until then, without hearing; then ask again.
    Pause(Instant),
    /// Begin TLS; then ask again.
    StartTls,
    /// Say our end.
    HalfClose,
    /// Say our end and take nothing more.
    Close,
    /// Reset the connection.
    Reset,
    /// It is over.
    Over(Box<Verdict>),
}

/// How a peer has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has said its end.
    Said,
    /// It was reset, or cut: why.
    Cut(String),
}

/// What happened to a step, for transcripts and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Which step (a place in `Script::steps`).
    pub step: usize,
    /// When it was over.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    /// What it read (the unit, the match), cut to a few hundred bytes; empty where it reads nothing.
    pub got: Vec<u8>,
    /// Variables that it set.
    pub set: Vec<(String, Vec<u8>)>,
    /// Whether it went well.
    pub is_good: bool,
}

/// One conversation on its way through a script.
pub struct Course {
    script: Rc<Script>,
    settings: Settings,
}
