//! A step that is over, for programs.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::bytes::escaped;
use crate::chat::{News, Script};

/// The step as an event of a log. `begun` is when its conversation began, `id` its number where there are several.
pub fn step_json(id: Option<u64>, begun: Instant, script: &Script, news: &News) -> Value {
    let step = script.steps.get(news.step);
    let set = news.set.iter().map(|(name, value)| (name.clone(), escaped(value).into()));
    json!({
        "event": "step",
        "id": id,
        "file": step.map(|step| &*step.place.file),
        "line": step.map(|step| step.place.line),
        "step": step.map(|step| &*step.text),
        "ok": news.is_good,
        "at": news.at.saturating_duration_since(begun).as_secs_f64(),
        "took": news.took.as_secs_f64(),
        "got": escaped(&news.got),
        "set": Value::Object(set.collect::<Map<String, Value>>()),
    })
}
