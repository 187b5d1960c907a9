//! A step that is over, among what was said and heard.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::bytes::escaped;
use super::failure::one_line;
use super::transcript::prefix;
use crate::chat::{News, Step};

/// A step as a comment in a transcript: where it stands, how it went and how long it took. `at` is counted from the
/// beginning of its conversation, `id` is the number of that where there are several.
pub fn step_text(id: Option<u64>, at: Duration, step: &Step, news: &News) -> String {
    let how = if news.is_good { "ok" } else { "failed" };
    let step = one_line(&format!("{}: {}", step.place, step.told(news.secrecy)));
    format!("{}{:8.3} # {step}: {how}, {:.3} s", prefix(id), at.as_secs_f64(), news.took.as_secs_f64())
}

/// The step as an event of a log.
pub fn step_json(id: Option<u64>, at: Duration, step: &Step, news: &News) -> Value {
    let set = news.set.iter().map(|capture| (capture.name.clone(), escaped(&capture.value).into()));
    json!({
        "event": "step",
        "id": id,
        "file": &*step.place.file,
        "line": step.place.line,
        "step": &*step.told(news.secrecy),
        "ok": news.is_good,
        "at": at.as_secs_f64(),
        "took": news.took.as_secs_f64(),
        "got": escaped(&news.got),
        "set": Value::Object(set.collect::<Map<String, Value>>()),
    })
}
