//! Scripted conversations: a script becomes steps, steps and what a peer says become a verdict. No I/O here: who
//! drives a `Course` does what it needs and tells it what was heard.

mod course;
mod inbox;
mod pattern;
mod record;
mod script;
mod verdict;

pub use course::{Course, Ending, Need, News, Settings};
pub use pattern::Patterns;
pub use record::{Form, Recorder, Speaker};
pub use script::{
    Expect, LANGUAGE, MOST_BYTES, Mistake, Op, Pace, Place, Script, Secrecy, Step, Template, Terminator,
    escape, is_name,
};
pub use verdict::{MOST_SHOWN, Outcome, Status, Trouble, Verdict};
