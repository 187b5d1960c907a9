//! Sessions between two sides: how bytes go, how they end, what peers get wrong.

#[path = "../harness/mod.rs"]
mod harness;

mod bounds;
mod bulk;
mod cpu_time;
mod endings;
mod failures;
mod matrix;
mod model;
mod namespaces;
mod peers;
mod probes;
mod reaping;
mod semantics_bytes;
mod semantics_clients;
mod semantics_closing;
mod semantics_datagrams;
mod semantics_listeners;
mod semantics_programs;
mod shaping;
mod short_reads;
mod taps;
