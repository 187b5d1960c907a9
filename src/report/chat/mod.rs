//! What is told of scripted conversations: what is said while they go on, what went wrong, and documents about them.

mod bytes;
mod document;
mod failure;
mod json;
mod junit;
mod minutes;
mod record;
mod step;
mod tap;
mod transcript;

pub use document::{Check, Form, Whole};
pub use failure::{Account, ProgramEnd, ended, failure_json, failure_text};
pub use json::Json;
pub use junit::Junit;
pub use minutes::Minutes;
pub use record::{End, Record};
pub use step::{step_json, step_text};
pub use tap::Tap;
pub use transcript::{
    Direction, hidden_json, hidden_text, lost_json, lost_text, transcript_json, transcript_text,
};
