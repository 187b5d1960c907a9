//! A small HTTP/1.1 responder for smoke tests, after RFC 9110 and 9112: strict about where a message ends, content
//! with any path.

mod body;
mod conversation;
mod grammar;
mod last_call;
mod refusal;
mod reply;
mod request;
mod status;

pub use conversation::Conversation;
pub use last_call::{LastCall, LetGo};
pub use reply::{Site, content_type};
