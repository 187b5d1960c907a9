//! `--dry-run`: what would be run, and how, as JSON; nothing is started or opened.

use std::ffi::{CString, OsString};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Args;
use crate::commands::stdout;
use crate::error::{Exit, Failure};
use crate::process::{self, Change};
use crate::report::scope_name;
use crate::services::{Ready, Wanted};
use crate::streams::{Input, Joining, Output, Plan, Tty};
use crate::supervise::{Clock, Limits, Manner, Orphans};

impl Args {
    /// Prints the plan for `runs`.
    pub(super) fn tell_plan(&self, runs: &[Vec<OsString>]) -> Result<Exit, Failure> {
        let program = self.surroundings.program(runs[0].clone())?;
        let found = found(&process::candidates(&program)?);
        let plan = json!({
            "schema": "spile.plan/1",
            "kind": "run",
            "runs": runs.iter().map(|argv| words(argv)).collect::<Vec<_>>(),
            "path": found,
            "cwd": program.dir.or_else(|| std::env::current_dir().ok()),
            "environment": program.environment.changes.iter().map(change).collect::<Vec<_>>(),
            "streams": streams_json(&self.plan(&runs[0]), self.io.order()),
            "limits": limits_json(&self.limits.limits(), &self.limits.manner()),
            "retries": self.retries.plan_json(),
            "services": self.services.wanted.iter().map(service_json).collect::<Vec<_>>(),
            "ready_timeout": self.services.patience.as_secs_f64(),
        });
        let told = stdout::print(&format!("{plan:#}\n"))?;
        Ok(if told == Exit::OK && found.is_none() { Exit::NOT_FOUND } else { told })
    }
}

/// The file that would be run.
pub fn found(candidates: &[CString]) -> Option<String> {
    let paths = candidates.iter().map(|path| path.to_string_lossy().into_owned());
    paths.into_iter().find(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok())
}

/// `NAME=VALUE`, or `-NAME` for one that is taken away.
pub fn change(change: &Change) -> String {
    match change {
        Change::Set(name, value) => format!("{}={}", name.to_string_lossy(), value.to_string_lossy()),
        Change::Unset(name) => format!("-{}", name.to_string_lossy()),
    }
}

/// As text, what is none replaced.
pub fn words(argv: &[OsString]) -> Vec<String> {
    argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Each as it would be typed.
fn streams_json(plan: &Plan, order: &str) -> Value {
    let joined = match plan.joining {
        Joining::Apart => None,
        Joining::Merged => Some("merged"),
        Joining::Swapped => Some("swapped"),
    };
    let tty = match plan.tty {
        Tty::None => None,
        Tty::All(None) => Some("all".to_owned()),
        Tty::All(Some(size)) => Some(format!("{}x{}", size.ws_col, size.ws_row)),
        Tty::Stdout => Some("stdout".to_owned()),
    };
    json!({
        "stdin": input(&plan.stdin),
        "stdout": output(&plan.stdout),
        "stderr": output(&plan.stderr),
        "joined": joined,
        "tee": plan.tee.as_ref().map(output),
        "prefix": plan.prefix,
        "timestamps": plan.timestamps,
        "pass_through_spile": plan.owns_output(),
        "order": order,
        "pty": tty,
        "max_capture": plan.keep_most,
        "spill": plan.spill,
    })
}

fn input(from: &Input) -> String {
    match from {
        Input::Ours => "-".to_owned(),
        Input::Null => "null".to_owned(),
        Input::Text(text) => format!("text:{}", String::from_utf8_lossy(text)),
        Input::File(path) => file(path),
        Input::Descriptor(number) => format!("fd:{number}"),
        Input::Address(address) => address.clone(),
    }
}

fn output(to: &Output) -> String {
    match to {
        Output::Ours => "-".to_owned(),
        Output::Null => "null".to_owned(),
        Output::Capture => "capture".to_owned(),
        Output::File(path) => file(path),
        Output::Descriptor(number) => format!("fd:{number}"),
        Output::Append(path) => format!("append:{}", path.display()),
        Output::Address(address) => address.clone(),
    }
}

fn file(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// Limits, and how the end comes.
pub fn limits_json(limits: &Limits, manner: &Manner) -> Value {
    json!({
        "timeout": limits.total.as_ref().map(Duration::as_secs_f64),
        "timeout_clock": match limits.clock {
            Clock::Running => "running",
            Clock::Wall => "wall",
        },
        "idle_timeout": limits.idle.as_ref().map(Duration::as_secs_f64),
        "cpu_timeout": limits.cpu.as_ref().map(Duration::as_secs_f64),
        "signal": manner.signal.to_string(),
        "grace": manner.grace.as_secs_f64(),
        "scope": scope_name(manner.scope),
        "orphans": match manner.orphans {
            Orphans::Usual => None,
            Orphans::Leave => Some("leave"),
            Orphans::Wait => Some("wait"),
            Orphans::Term => Some("term"),
            Orphans::Kill => Some("kill"),
        },
    })
}

fn service_json(service: &Wanted) -> Value {
    let sign = |ready: &Ready| match ready {
        Ready::Address(address) => address.clone(),
        Ready::Http { address, path, .. } => format!("GET {path} from {address}"),
        Ready::Line(pattern) => format!("line:{pattern}"),
        Ready::Command(argv) => format!("cmd:{}", words(argv).join(" ")),
    };
    json!({
        "name": service.name,
        "argv": words(&service.argv),
        "ready": service.ready.iter().map(sign).collect::<Vec<_>>(),
    })
}
