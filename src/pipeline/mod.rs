//! Pipelines without a shell: stages, the pipes and flows between them, and the status that comes of it.
//! Nothing here knows flags or prints.

pub mod grammar;
mod launch;
mod live;
mod modifier;
mod order;
mod outcome;
mod plumbing;
mod stage;
mod verdict;

pub use launch::programs;
pub use live::run;
pub use modifier::errors;
pub use order::{Audience, Happening, OnFailure, Order, Progress, Trouble};
pub use outcome::{Judgement, Outcome, Seat};
pub use plumbing::Common;
pub use stage::{Body, Copy, Errors, Modifier, Output, Stage, Time, Weight};
pub use verdict::{Choice, Decision, Strictness, Verdict};
