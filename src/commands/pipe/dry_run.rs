//! `pipe --dry-run`: what would be run, with the ends of each stage, as JSON; nothing is started or opened.

use std::time::Duration;

use serde_json::{Value, json};

use crate::commands::run::dry_run::{change, found, limits_json, words};
use crate::commands::stdout;
use crate::error::{Exit, Failure};
use crate::flow::{Existing, Extent};
use crate::pipeline::{self, Body, Copy, Errors, Modifier, Order, Output, Stage, Time, Weight};
use crate::process::{self, Program};

/// Tells the plan; fails as the pipeline would if a program is not there.
pub fn tell(order: &Order) -> Result<Exit, Failure> {
    let programs = pipeline::programs(&order.stages, order.signals);
    let stages = order.stages.iter().zip(&programs).enumerate();
    let stages = stages.map(|(n, (stage, program))| stage_json(n, order, stage, program.as_ref()));
    let plan = json!({
        "schema": "spile.plan/1",
        "kind": "pipe",
        "stages": stages.collect::<Vec<_>>(),
        "limits": limits_json(&order.limits, &order.manner),
    });
    let told = stdout::print(&format!("{plan:#}\n"))?;
    match programs.iter().flatten().find_map(|program| process::lookup(program).err()) {
        Some(refused) => Err(*refused.failure),
        None => Ok(told),
    }
}

fn stage_json(n: usize, order: &Order, stage: &Stage, program: Option<&Program>) -> Value {
    let argv = match &stage.body {
        Body::Program(argv) => words(argv),
        Body::Address(address) => vec![address.clone()],
        Body::Passage => Vec::new(),
    };
    let own = program.filter(|_| matches!(stage.body, Body::Program(_)));
    let path = own.and_then(|program| found(&process::candidates(program).ok()?));
    let inner = |is_outer, outer| if is_outer { outer } else { "pipe" };
    json!({
        "n": n,
        "name": stage.name,
        "argv": argv,
        "path": path,
        "stdin": inner(n == 0, "stdin"),
        "input": stage.inlet.iter().map(modifier).collect::<Vec<_>>(),
        "stdout": inner(n + 1 == order.stages.len(), "stdout"),
        "terminal": stage.output == Output::Terminal,
        "stderr": errors(stage.errors.as_ref().unwrap_or(&order.common.errors)),
        "cwd": stage.dir,
        "environment": stage.environment.iter().map(change).collect::<Vec<_>>(),
        "timeout": seconds(stage.timeout),
        "idle": seconds(stage.idle),
        "ok": stage.accepted,
        "optional": stage.weight == Weight::Optional,
    })
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64())
}

fn file(path: &std::path::Path, existing: Existing) -> String {
    let prefix = if existing == Existing::Kept { "append:" } else { "" };
    format!("{prefix}{}", path.display())
}

/// The word of `@err`.
fn errors(errors: &Errors) -> String {
    match errors {
        Errors::Pass => "pass".to_owned(),
        Errors::Label => "label".to_owned(),
        Errors::Null => "null".to_owned(),
        Errors::Merge => "merge".to_owned(),
        Errors::Capture => "capture".to_owned(),
        Errors::File(path, existing) => file(path, *existing),
    }
}

/// A modifier as it is written.
fn modifier(modifier: &Modifier) -> String {
    match modifier {
        Modifier::Tee(Copy::File(path, existing)) => format!("@tee={}", file(path, *existing)),
        Modifier::Tee(Copy::Address(address)) => format!("@tee={address}"),
        Modifier::Meter => "@meter".to_owned(),
        Modifier::Limit(rate) => format!("@limit={rate}"),
        Modifier::Buffer(size) => format!("@buffer={size}"),
        Modifier::Time(Time::Clock) => "@ts=clock".to_owned(),
        Modifier::Time(Time::Elapsed) => "@ts=elapsed".to_owned(),
        Modifier::Time(Time::Delta) => "@ts=delta".to_owned(),
        Modifier::Head(Extent::Lines(lines)) => format!("@head={lines}"),
        Modifier::Head(Extent::Bytes(bytes)) => format!("@head={bytes}B"),
    }
}
