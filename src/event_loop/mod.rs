//! The event loop of the networking subcommands: one thread, epoll, tasks and timers.
//!
//! Moving small messages is what spile does all day, and here it costs three system calls a message and next to
//! nothing besides. An idle descriptor holds 32 bytes. Nothing here may be handed to another thread; only wakers
//! may be, by way of an eventfd.

mod blocking;
mod executor;
mod glance;
mod readiness;
mod stop;
mod timer;

pub use blocking::blocking;
pub use executor::{drop_tasks, run, spawn, yield_now};
pub use readiness::{Watched, glance_before_waiting};
pub use stop::{Never, Stop};
pub use timer::{Sleep, sleep, sleep_until, timeout};
