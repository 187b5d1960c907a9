//! A small HTTP/1.1 responder for smoke tests, after RFC 9110 and 9112: strict about where a message ends, content
//! with any path.

mod body;
mod conversation;
mod refusal;
mod reply;
mod request;

pub use conversation::Conversation;
pub use reply::{Site, content_type};
