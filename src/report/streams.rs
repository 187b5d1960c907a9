//! The standard streams of a program, as JSON: parts of the report of `run`.

use serde_json::{Value, json};

use super::process::base64;
use crate::streams::{Stream, Told};

/// Adds what is known of the streams to a report.
pub fn streams_json(report: &mut Value, told: &Told, order: &str) {
    let [out, err] = &told.streams;
    report["stdout"] = out.as_ref().map(stream_json).into();
    report["stderr"] = err.as_ref().map(stream_json).into();
    report["order"] = order.into();
    report["stdin_unread"] = told.stdin_unread.into();
    report["output_open"] = (!told.holders.is_empty()).into();
    report["failures"] = told.failures.iter().map(ToString::to_string).collect();
    report["holders"] =
        told.holders.iter().map(|holder| json!({"pid": holder.pid, "argv0": holder.name})).collect();
}

/// One stream: how much came, what was kept, and where something is missing.
fn stream_json(stream: &Stream) -> Value {
    let captured = stream.captured.as_ref();
    let is_text = captured.is_none_or(|captured| std::str::from_utf8(&captured.bytes).is_ok());
    json!({
        "bytes": stream.bytes,
        "text": captured.map(|captured| String::from_utf8_lossy(&captured.bytes)),
        "b64": captured.filter(|_| !is_text).map(|captured| base64(&captured.bytes)),
        "truncated": captured.is_some_and(|captured| captured.gap.is_some()),
        "gap": captured.and_then(|captured| captured.gap),
        "spill": captured.and_then(|captured| captured.spill.as_ref()),
    })
}
