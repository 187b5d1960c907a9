//! What was done about signals and times, as JSON: the shape of `trap --report`.

use serde_json::{Value, json};

use super::process::status_json;
use super::signal::arrival_json;
use crate::error::Exit;
use crate::reaction::{Cause, Entry, HandlerResult, Reactions};

/// The report of a finished `trap`; `child` is that of its program.
pub fn trap_json(exit: Exit, reactions: &Reactions, restarts: u64, child: Value) -> Value {
    let log = reactions.log();
    json!({
        "schema": "spile.trap/1",
        "spile": 1,
        "kind": "trap",
        "exit": exit.0,
        "events": log.entries.iter().map(entry_json).collect::<Vec<_>>(),
        "more_events": log.more,
        "unhandled": reactions.unhandled(),
        "restarts": restarts,
        "child": child,
    })
}

fn entry_json(entry: &Entry) -> Value {
    let mut event = cause_json(&entry.cause);
    event["at"] = entry.at.as_secs_f64().into();
    event["action"] = entry.action.to_string().into();
    event["count"] = entry.count.into();
    event["refused"] = entry.refused.into();
    event["result"] = entry.result.as_ref().map(result_json).into();
    event
}

/// The signal, or the time.
pub fn cause_json(cause: &Cause) -> Value {
    match cause {
        Cause::Signal(arrival) => arrival_json(arrival),
        Cause::Timer(time) => json!({"timer": time}),
    }
}

/// How a handler has ended.
pub fn result_json(result: &HandlerResult) -> Value {
    match result {
        HandlerResult::Ended(status, wall) => {
            let mut value = status_json(*status);
            value["wall"] = wall.as_secs_f64().into();
            value
        }
        HandlerResult::Late(wall) => json!({"timeout": true, "wall": wall.as_secs_f64()}),
        HandlerResult::Cut(wall) => json!({"cut": true, "wall": wall.as_secs_f64()}),
        HandlerResult::Refused(failure) => json!({"error": failure.to_string()}),
    }
}
