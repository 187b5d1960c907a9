//! How a program went, as JSON: the shape of `run --report`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::error::Exit;
use crate::process::{SpawnError, Status, Usage, tree};
use crate::signal::Sender;
use crate::supervise::{Act, Handled, Killed, Limits, Manner, Outcome, Reason, Scope};

/// The report of a finished `run`.
pub fn run_json(argv: &[OsString], limits: &Limits, manner: &Manner, outcome: &Outcome, exit: Exit) -> Value {
    let member = outcome.member();
    let end = member.and_then(|member| member.end);
    json!({
        "schema": "spile.run/1",
        "spile": 1,
        "kind": "run",
        "reason": reason(outcome),
        "exit": exit.0,
        "argv": argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "argv_b64": base64_of_all(argv),
        "path": member.map(|member| member.started.path.to_string_lossy()),
        "cwd": std::env::current_dir().ok(),
        "pid": member.map(|member| member.started.pid),
        "start": timestamp(outcome.began),
        "wall": outcome.wall.as_secs_f64(),
        "status": end.map(|(status, ..)| status_json(status)),
        "scope": scope_name(manner.scope),
        "limit": {
            "timeout": limits.total.as_ref().map(Duration::as_secs_f64),
            "idle": limits.idle.as_ref().map(Duration::as_secs_f64),
            "cpu": limits.cpu.as_ref().map(Duration::as_secs_f64),
            "grace": manner.grace.as_secs_f64(),
            "fired": outcome.passed_a_limit(),
            "escalated": outcome.job.was_killed(),
        },
        "rusage": end.map(|(_, usage, _)| usage_json(&usage)),
        "signals": outcome.signals.iter().map(|handled| signal_json(handled, outcome.start)).collect::<Vec<_>>(),
        "more_signals": outcome.more_signals,
        "lost_signals": outcome.job.lost_signals(),
        "error": outcome.refused.as_ref().map(error_json),
    })
}

/// The word for why a program was ended.
pub fn limit_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Timeout => "timeout",
        Reason::IdleTimeout => "idle-timeout",
        Reason::CpuTimeout => "cpu-timeout",
        Reason::Told | Reason::Ended => "interrupted",
    }
}

/// The word of `--scope`.
pub fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Child => "child",
        Scope::Group => "group",
        Scope::Tree => "tree",
    }
}

/// What became of the descendants. `reaped` counts the programs and the orphans that have come to us.
pub fn tree_json(reaped: u64, killed: &[Killed], left: &[tree::Seen]) -> Value {
    let killed = killed.iter().map(|killed| {
        json!({
            "pid": killed.pid,
            "argv0": killed.name,
            "signal": killed.signal.to_string(),
            "sid_escaped": killed.left_session,
        })
    });
    let left = left.iter().map(|seen| json!({"pid": seen.pid, "argv0": tree::name(seen.pid)}));
    json!({"reaped": reaped, "killed": killed.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>()})
}

pub(super) fn reason(outcome: &Outcome) -> &'static str {
    let died = outcome.member().and_then(|member| member.end).and_then(|(status, ..)| status.signal());
    match outcome.job.reason() {
        _ if outcome.refused.is_some() => "spawn-failed",
        Reason::Timeout => "timeout",
        Reason::IdleTimeout => "idle-timeout",
        Reason::CpuTimeout => "cpu-timeout",
        Reason::Told => "interrupted",
        Reason::Ended if outcome.interrupted.is_some() => "interrupted",
        Reason::Ended if died.is_some() => "signaled",
        Reason::Ended => "exited",
    }
}

/// A status: code or signal, and the raw word of wait(2).
pub fn status_json(status: Status) -> Value {
    json!({
        "code": status.code(),
        "signal": status.signal().map(|signal| signal.to_string()),
        "core": status.dumped_core(),
        "raw": status.raw(),
    })
}

/// What getrusage(2) counts; times in seconds, sizes in bytes.
pub fn usage_json(usage: &Usage) -> Value {
    json!({
        "user": usage.user.as_secs_f64(),
        "sys": usage.system.as_secs_f64(),
        "maxrss": usage.max_resident,
        "minflt": usage.minor_faults,
        "majflt": usage.major_faults,
        "nvcsw": usage.voluntary_switches,
        "nivcsw": usage.involuntary_switches,
    })
}

/// A signal that was sent to spile, with what was done about it.
pub fn signal_json(handled: &Handled, start: Instant) -> Value {
    let (action, to) = match handled.act {
        Act::Forward(signal) => ("forward", Some(signal.to_string())),
        Act::Shared => ("shared", None),
        Act::Ignore => ("ignore", None),
        Act::Taken => ("action", None),
        Act::End => ("end", None),
        Act::Kill => ("kill", None),
    };
    let from = match handled.arrival.sender {
        Sender::Kernel => None,
        Sender::Process { pid, .. } => Some(pid),
    };
    json!({
        "at": handled.at.saturating_duration_since(start).as_secs_f64(),
        "name": handled.arrival.signal.to_string(),
        "from_pid": from,
        "kernel": from.is_none(),
        "action": action,
        "to": to,
    })
}

/// Why a program could not be started.
pub fn error_json(error: &SpawnError) -> Value {
    json!({
        "step": error.step,
        "errno": format!("{:?}", error.errno),
        "what": error.subject,
        "path": error.path.as_ref().map(|path| path.to_string_lossy()),
        "message": error.failure.to_string(),
    })
}

/// The words in base64, where one of them is not UTF-8 and so was changed in the text.
pub fn base64_of_all(words: &[OsString]) -> Option<Vec<String>> {
    let is_text = words.iter().all(|word| word.to_str().is_some());
    (!is_text).then(|| words.iter().map(|word| base64(word.as_bytes())).collect())
}

/// RFC 4648, section 4.
pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// UTC with milliseconds, RFC 3339.
pub fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (year, month, day) = civil((seconds / 86_400) as i64);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Days since 1970 as year, month, day: Howard Hinnant's `civil_from_days`, eras of 400 years from March 1st.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc_3339_has_it() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_795_545_600), "2026-11-24T18:40:00.000Z");
    }

    #[test]
    fn words_that_are_no_text_are_told_in_base64() {
        assert_eq!(base64(b"\xff"), "/w==");
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        assert_eq!(base64_of_all(&["a".into()]), None);
    }
}
