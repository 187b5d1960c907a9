//! JSON: one object, of which each conversation is a line.

use serde_json::{Map, Value, json};

use super::document::{Form, Whole};
use super::minutes::{Minutes, Note};
use super::record::{End, Record};
use crate::certificate::is_hidden;
use crate::chat::{MOST_SHOWN, Secrecy, Step, Trouble, Verdict};
use crate::error::Exit;
use crate::process::ChildStatus;
use crate::report::process::{base64, timestamp};

/// The form.
#[derive(Debug)]
pub struct Json {
    target: String,
    has_some: bool,
}

impl Json {
    /// `target` is whom all conversations are held with.
    pub fn new(target: impl Into<String>) -> Json {
        Json { target: target.into(), has_some: false }
    }
}

impl Form for Json {
    fn head(&mut self) -> String {
        let target = written(&json!(self.target));
        format!(r#"{{"schema":"spile.chat/1","spile":1,"kind":"chat","target":{target},"conversations":["#)
    }

    fn conversation(&mut self, record: &Record<'_>) -> String {
        let comma = if std::mem::replace(&mut self.has_some, true) { "," } else { "" };
        format!("{comma}{}", written(&conversation_json(record)))
    }

    fn end(&mut self, whole: &Whole<'_>) -> String {
        let checks = whole
            .checks
            .iter()
            .map(|check| json!({"name": check.name, "ok": check.why.is_none(), "why": check.why}));
        let result = match whole.exit {
            _ if whole.is_interrupted => "interrupted",
            Exit::OK => "pass",
            _ => "fail",
        };
        let checks = written(&checks.collect());
        format!(r#"],"checks":{checks},"result":"{result}","exit":{}}}"#, whole.exit.0)
    }
}

fn conversation_json(record: &Record<'_>) -> Value {
    let minutes = record.minutes;
    let (verdict, program) = match record.end {
        End::Over(account) => (Some(account.verdict), account.program),
        End::NotBegun(_) | End::Interrupted => (None, None),
    };
    let complaint = record.complaint();
    json!({
        "id": minutes.id,
        "script": &*minutes.script.name,
        "peer": minutes.peer,
        "result": record.result(),
        "exit": record.exit().map(|exit| exit.0),
        "message": complaint.map(|complaint| complaint.line),
        "start": timestamp(minutes.start),
        "wall": minutes.wall.as_secs_f64(),
        "steps": minutes.notes().filter_map(|note| step_json(minutes, note)).collect::<Vec<_>>(),
        "steps_left_out": minutes.left_out(),
        "failed_step": minutes.notes().find(|note| !note.news.is_good).map(|note| note.number),
        "trouble": record.trouble().map(trouble_json),
        "unread": verdict.map(unread_json),
        "sent": minutes.sent,
        "received": minutes.received,
        "child": program.map(|program| child_json(program.status)),
    })
}

fn step_json(minutes: &Minutes, note: &Note) -> Option<Value> {
    let step: &Step = minutes.step(note)?;
    let typed = step.told(note.news.secrecy);
    let (op, want) = typed.split_once(' ').unwrap_or((&typed, ""));
    let mut object = Map::new();
    object.insert("n".to_owned(), note.number.into());
    object.insert("file".to_owned(), (*step.place.file).into());
    object.insert("line".to_owned(), step.place.line.into());
    object.insert("op".to_owned(), op.into());
    object.insert("want".to_owned(), want.into());
    object.insert("ok".to_owned(), note.news.is_good.into());
    object.insert("at".to_owned(), minutes.at(&note.news).as_secs_f64().into());
    object.insert("wait".to_owned(), note.news.took.as_secs_f64().into());
    put(&mut object, "got", &note.news.got);
    let (mut captures, mut cut) = (Map::new(), Map::new());
    for capture in &note.news.set {
        put(&mut captures, &capture.name, &capture.value);
        if capture.value.len() < capture.length {
            cut.insert(capture.name.clone(), capture.length.into());
        }
    }
    object.insert("captures".to_owned(), captures.into());
    if !cut.is_empty() {
        object.insert("captures_cut".to_owned(), cut.into());
    }
    Some(object.into())
}

fn trouble_json(trouble: &Trouble) -> Value {
    let mut object = Map::new();
    object.insert("file".to_owned(), (*trouble.place.file).into());
    object.insert("line".to_owned(), trouble.place.line.into());
    object.insert("step".to_owned(), trouble.step.as_str().into());
    object.insert("wanted".to_owned(), trouble.wanted.as_str().into());
    put(&mut object, "got", &trouble.got);
    object.insert("looked_at".to_owned(), trouble.looked_at.into());
    object.insert("nearest".to_owned(), trouble.nearest.as_deref().into());
    object.insert("waited".to_owned(), trouble.waited.as_secs_f64().into());
    object.insert("why".to_owned(), trouble.why.as_deref().into());
    object.insert("lost".to_owned(), trouble.lost.as_ref().map(ToString::to_string).into());
    object.insert("hidden".to_owned(), (trouble.secrecy == Secrecy::Hidden).into());
    object.into()
}

/// How much was left unread, and its beginning.
fn unread_json(verdict: &Verdict) -> Value {
    let unread = &verdict.unread;
    let mut object = Map::new();
    object.insert("bytes".to_owned(), unread.len().into());
    put(&mut object, "text", &unread[..unread.len().min(MOST_SHOWN)]);
    object.into()
}

fn child_json(status: ChildStatus) -> Value {
    match status {
        ChildStatus::Exited(code) => json!({"code": code, "signal": null}),
        ChildStatus::Killed(number) => {
            let name = crate::signal::Number::new(number).map(|number| number.to_string());
            json!({"code": null, "signal": name.unwrap_or_else(|| number.to_string())})
        }
        ChildStatus::Unknown => json!({"code": null, "signal": null}),
    }
}

/// Bytes as text; where they are none, in base64 as well, under the key with `_b64`.
fn put(object: &mut Map<String, Value>, key: &str, bytes: &[u8]) {
    object.insert(key.to_owned(), String::from_utf8_lossy(bytes).into());
    if std::str::from_utf8(bytes).is_err() {
        object.insert(format!("{key}_b64"), base64(bytes).into());
    }
}

/// A value in which nothing steers a terminal: what JSON leaves as it is, but should not be seen raw, is escaped.
fn written(value: &Value) -> String {
    let text = value.to_string();
    if !text.chars().any(is_hidden) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hidden(c) {
            true => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_steers_a_terminal_and_nothing_is_lost() {
        let text = "a\x1b\u{9b}\x7f\u{202e}\u{e0041}\"\\é";
        let json = written(&json!(text));
        assert!(!json.chars().any(is_hidden), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn bytes_that_are_no_text_are_told_in_base64_too() {
        let mut object = Map::new();
        put(&mut object, "got", b"\xff");
        put(&mut object, "text", b"ok");
        assert_eq!(Value::from(object), json!({"got": "\u{fffd}", "got_b64": "/w==", "text": "ok"}));
    }
}
