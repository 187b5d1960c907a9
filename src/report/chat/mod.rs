//! What is told of a scripted conversation: what is said while it goes on, and what went wrong at its end.

mod bytes;
mod failure;
mod step;
mod transcript;

pub use failure::{Account, failure_json, failure_text};
pub use step::step_json;
pub use transcript::{Direction, transcript_json, transcript_text};
