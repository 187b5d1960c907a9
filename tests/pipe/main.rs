//! `spile pipe`.

#[path = "../harness/mod.rs"]
mod harness;

mod events;
mod examples;
mod limits;
mod modifiers;
mod plan;
mod stages;
mod status;
mod terminal;
