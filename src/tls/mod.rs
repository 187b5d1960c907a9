//! TLS without I/O: what a session says and hears, and how it is set up.

mod session;

pub use session::{HEADROOM, Progress, Session};
