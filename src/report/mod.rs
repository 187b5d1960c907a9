//! What is told to people and scripts: events while things happen, one report at the end; text and JSON.

pub mod chat;
mod echo;
mod event;
mod pipeline;
mod process;
mod reaction;
mod services;
mod session;
mod signal;
mod streams;
pub mod tls;
mod writer;

pub use echo::{counters_json, counters_text};
pub use event::{Event, Events, failure_json, losses_json};
pub use pipeline::pipe_json;
pub use process::{limit_name, run_json, scope_name, signal_json, status_json, tree_json};
pub use reaction::{cause_json, result_json, trap_json};
pub use services::{attempt_json, service_json, unready_json};
pub use session::{Names, digest_lines, outcome_text, session_json, session_text, unopened_json};
pub use signal::{arrival_json, arrival_text, number_json, state_json, state_text};
pub use streams::streams_json;
pub use writer::{MOST_WAITING, PATIENCE, Writer};
