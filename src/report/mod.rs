//! What is told to people and scripts: events while things happen, one report at the end; text and JSON.

mod event;
mod process;
mod session;

pub use event::{Event, Events};
pub use process::{error_json, run_json, signal_json, status_json, timestamp, tree_json, usage_json};
pub use session::{Names, session_json, session_text};
