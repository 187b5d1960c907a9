//! The report of a pipeline: every stage with its status and the verdict on it.

use std::borrow::Cow;
use std::ffi::OsString;

use serde_json::{Value, json};

use super::process::{
    base64, base64_of_all, error_json, limit_name, scope_name, signal_json, status_json, timestamp,
    tree_json, usage_json,
};
use crate::error::Exit;
use crate::flow::Captured;
use crate::pipeline::{Body, Decision, Judgement, Order, Outcome, Progress, Seat, Stage, Verdict};
use crate::supervise::Reason;

/// The report as one object.
pub fn pipe_json(order: &Order, outcome: &Outcome, judgement: &Judgement) -> Value {
    let exit = match judgement.decision {
        Decision::Exit(exit) => exit,
        Decision::Signal(signal) => Exit::from_signal(signal.raw()),
    };
    let stages = outcome.seats.iter().zip(&order.stages).zip(&outcome.progress).zip(&judgement.verdicts);
    let stages = stages
        .enumerate()
        .map(|(n, (((seat, stage), progress), verdict))| stage_json(n, seat, stage, progress, *verdict));
    json!({
        "schema": "spile.pipe/1",
        "spile": 1,
        "kind": "pipe",
        "exit": exit.0,
        "reason": reason(outcome, judgement),
        "decided_by": judgement.decided_by,
        "start": timestamp(outcome.began),
        "scope": scope_name(order.manner.scope),
        "wall": outcome.wall.as_secs_f64(),
        "stages": stages.collect::<Vec<_>>(),
        "signals": outcome.signals.iter().map(|handled| signal_json(handled, outcome.start)).collect::<Vec<_>>(),
        "tree": tree_json(outcome.reaped, &outcome.killed, &outcome.left),
    })
}

fn stage_json(n: usize, seat: &Seat, stage: &Stage, progress: &Progress, verdict: Verdict) -> Value {
    let argv: Vec<OsString> = match &stage.body {
        Body::Program(argv) => argv.clone(),
        Body::Address(address) => vec![address.into()],
        Body::Passage => Vec::new(),
    };
    let read = match stage.body {
        Body::Passage => progress.received,
        _ => seat.transfer.map(|transfer| transfer.read),
    };
    json!({
        "n": n,
        "name": stage.name,
        "argv": argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "argv_b64": base64_of_all(&argv),
        "path": seat.started.as_ref().map(|started| started.path.to_string_lossy()),
        "pid": seat.pid(),
        "status": seat.end.map(|(status, ..)| status_json(status)),
        "verdict": name(verdict),
        "limit": seat.limit().map(limit_name),
        "escalated": seat.was_killed(),
        "ended": seat.end.map(|(_, _, at)| at.as_secs_f64()),
        "wrote": progress.written,
        "read": read,
        "stalled_write": seat.stalled.map(|stalled| stalled.as_secs_f64()),
        "rusage": seat.end.map(|(_, usage, _)| usage_json(&usage)),
        "stderr": seat.stderr.as_ref().map(captured_json),
        "error": seat.refused.as_ref().map(error_json),
        "failures": seat.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Text with what is no UTF-8 replaced; then the very bytes, too.
fn captured_json(captured: &Captured) -> Value {
    let text = String::from_utf8_lossy(&captured.bytes);
    let is_text = matches!(text, Cow::Borrowed(_));
    json!({
        "bytes": captured.total,
        "text": text,
        "b64": (!is_text).then(|| base64(&captured.bytes)),
        "truncated": captured.gap.is_some(),
        "spill": captured.spill,
    })
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::PipeClosed => "pipe-closed",
        Verdict::Failed => "failed",
        Verdict::OptionalFailed => "optional-failed",
        Verdict::NotStarted => "not-started",
    }
}

fn reason(outcome: &Outcome, judgement: &Judgement) -> &'static str {
    match (outcome.reason, judgement.decision) {
        _ if outcome.seats.iter().any(|seat| seat.refused.is_some()) => "spawn-failed",
        (Reason::Timeout | Reason::IdleTimeout | Reason::CpuTimeout, _) => limit_name(outcome.reason),
        _ if outcome.interrupted.is_some() => "interrupted",
        _ if outcome.culprit.is_some() => "stopped",
        (Reason::Told, _) => "interrupted",
        (_, Decision::Signal(_)) => "signaled",
        _ => "exited",
    }
}
