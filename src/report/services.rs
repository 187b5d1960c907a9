//! Attempts and services, as JSON: parts of the report of `run`.

use std::time::Duration;

use serde_json::{Value, json};

use super::process::{reason, status_json};
use crate::error::Exit;
use crate::services::Told;
use crate::supervise::Outcome;

/// One attempt; `slept` is the pause before it.
pub fn attempt_json(n: u32, outcome: &Outcome, exit: Exit, slept: Duration) -> Value {
    json!({
        "n": n,
        "reason": reason(outcome),
        "exit": exit.0,
        "wall": outcome.wall.as_secs_f64(),
        "slept": slept.as_secs_f64(),
    })
}

/// One service.
pub fn service_json(told: &Told) -> Value {
    let reason = match (told.ready_after, told.is_early) {
        (_, true) => "ended",
        (Some(_), false) => "stopped",
        (None, false) => "not-ready",
    };
    json!({
        "name": told.name,
        "pid": told.pid,
        "ready_after": told.ready_after.as_ref().map(Duration::as_secs_f64),
        "reason": reason,
        "status": told.status.map(status_json),
        "output": told.last_words,
    })
}

/// The report of a program that did not get its turn.
pub fn unready_json(exit: Exit) -> Value {
    json!({"schema": "spile.run/1", "spile": 1, "kind": "run", "reason": "not-ready", "exit": exit.0})
}
