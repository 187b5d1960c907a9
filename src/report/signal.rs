//! Signals, what came of them and what processes do about them, as text and JSON.

use serde_json::{Value, json};

use crate::signal::{Arrival, Number, Sender, Set, State};

/// A signal: number, name, meaning.
pub fn number_json(signal: Number) -> Value {
    json!({
        "number": signal.raw(),
        "name": signal.to_string(),
        "description": signal.description(),
        "default": signal.effect().word(),
        "catchable": signal.is_settable(),
        "status": 128 + signal.raw(),
    })
}

/// A signal that was sent, with what siginfo_t says of it.
pub fn arrival_json(arrival: &Arrival) -> Value {
    let (pid, uid) = match arrival.sender {
        Sender::Kernel => (None, None),
        Sender::Process { pid, uid } => (Some(pid), Some(uid)),
    };
    json!({
        "signal": arrival.signal.to_string(),
        "number": arrival.signal.raw(),
        "code": arrival.code.to_string(),
        "pid": pid,
        "uid": uid,
        "value": arrival.value,
    })
}

/// The same as one line: the name, then `key=value`.
pub fn arrival_text(arrival: &Arrival) -> String {
    let mut text = format!("{} number={} code={}", arrival.signal, arrival.signal.raw(), arrival.code);
    if let Sender::Process { pid, uid } = arrival.sender {
        text += &format!(" pid={pid} uid={uid}");
    }
    if let Some(value) = arrival.value {
        text += &format!(" value={value}");
    }
    text
}

/// What a process does about signals.
pub fn state_json(pid: i32, state: &State) -> Value {
    json!({
        "pid": pid,
        "name": state.name,
        "pending": names(state.pending),
        "blocked": names(state.blocked),
        "ignored": names(state.ignored),
        "caught": names(state.caught),
        "queued": state.queued.0,
        "queue_limit": state.queued.1,
    })
}

/// The same as lines; what is named nowhere has its default.
pub fn state_text(pid: i32, state: &State) -> String {
    let list = |set: Set| match names(set) {
        names if names.is_empty() => "-".to_owned(),
        names => names.join(","),
    };
    format!(
        "process {pid} {}\npending {}\nblocked {}\nignored {}\ncaught  {}\nqueued  {} of {}\n",
        state.name,
        list(state.pending),
        list(state.blocked),
        list(state.ignored),
        list(state.caught),
        state.queued.0,
        state.queued.1,
    )
}

fn names(set: Set) -> Vec<String> {
    set.iter().map(|signal| signal.to_string()).collect()
}
