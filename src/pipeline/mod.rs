//! Pipelines without a shell: stages, the pipes and flows between them, and the status that comes of it.
//! Nothing here knows flags or prints.

pub mod grammar;
mod modifier;
mod plumbing;
mod stage;
mod verdict;

pub use modifier::{MODIFIERS, errors};
pub use stage::{Body, Copy, Errors, Modifier, Output, Stage, Time, Weight};
