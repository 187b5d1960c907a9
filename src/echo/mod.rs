//! What an echo server does with its peers: the small services of RFC 862 to 868, and more of that kind for tests.
//! Accepting them is not done here, nor are flags read.

mod after_end;
mod answers;
mod counters;
mod cut;
mod flow;
mod http;
mod mode;
mod session;
mod short_way;
mod speech;
mod words;

pub use counters::{Counters, Totals};
pub use cut::{Amount, Cut, How};
pub use http::{LastCall, LetGo, Site, content_type};
pub use mode::Mode;
pub use session::{Begin, Service, Shape, serve};
pub use words::is_small_service;
