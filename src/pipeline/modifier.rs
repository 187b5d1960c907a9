//! The words before a stage that begin with `@`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::grammar::is_address;
use super::stage::{Copy, Errors, Modifier, Output, Stage, Time, Weight};
use crate::address::{Address, duration, size};
use crate::error::Failure;
use crate::flow::{Existing, Extent};
use crate::process::Change;
use crate::suggest::nearest;

/// Every modifier but `@sh`, which is the stage itself; with what its value is, empty where there is none.
const MODIFIERS: &[(&str, &str)] = &[
    ("name", "NAME"),
    ("ok", "STATUS,..."),
    ("optional", ""),
    ("err", "label|pass|null|merge|capture|[append:]FILE"),
    ("timeout", "TIME"),
    ("idle", "TIME"),
    ("env", "NAME=VALUE"),
    ("cwd", "DIR"),
    ("pty", ""),
    ("tee", "[append:]FILE|ADDR"),
    ("meter", "[NAME]"),
    ("limit", "RATE"),
    ("buffer", "SIZE"),
    ("ts", "[clock|elapsed|delta]"),
    ("head", "LINES|SIZE"),
];

/// Reads one word that begins with `@` into the stage.
pub fn read(word: &OsStr, stage: &mut Stage) -> Result<(), Failure> {
    let bytes = word.as_bytes().strip_prefix(b"@").unwrap_or_default();
    let (name, value) = match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => (&bytes[..at], Some(OsStr::from_bytes(&bytes[at + 1..]))),
        None => (bytes, None),
    };
    let name = String::from_utf8_lossy(name);
    let Some((name, takes)) = MODIFIERS.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(&name));
    };
    let needs = || Failure::usage(format!("'@{name}'"), format!("needs a value: @{name}={takes}"));
    let value = match (value, *takes) {
        (Some(_), "") => return Err(Failure::usage(format!("'@{name}'"), "takes no value")),
        (Some(value), _) => Some(value),
        (None, takes) if takes.is_empty() || takes.starts_with('[') => None,
        (None, _) => return Err(needs()),
    };
    // The few that are paths or go to a program may be any bytes, the others are text.
    match (*name, value) {
        ("cwd", Some(value)) => stage.dir = Some(PathBuf::from(value)),
        ("env", Some(value)) => stage.environment.push(variable(value)?),
        ("err", Some(value)) => stage.errors = Some(errors(value)),
        ("tee", Some(value)) => stage.inlet.push(Modifier::Tee(copy(value)?)),
        (_, value) => {
            let text = match value.map(OsStr::to_str) {
                Some(None) => return Err(Failure::usage(format!("'@{name}'"), "is no text in UTF-8")),
                text => text.flatten(),
            };
            text_value(name, text, stage).map_err(|why| Failure::usage(format!("'@{name}':"), why))?;
        }
    }
    Ok(())
}

fn text_value(name: &str, value: Option<&str>, stage: &mut Stage) -> Result<(), String> {
    let text = value.unwrap_or_default();
    match name {
        "name" => stage.name = text.to_owned(),
        "ok" => stage.accepted.extend(accepted(text)?),
        "optional" => stage.weight = Weight::Optional,
        "timeout" => stage.timeout = Some(duration(text)?).filter(|time| !time.is_zero()),
        "idle" => stage.idle = Some(duration(text)?).filter(|time| !time.is_zero()),
        "pty" => stage.output = Output::Terminal,
        "meter" => {
            if let Some(name) = value {
                stage.name = name.to_owned();
            }
            stage.inlet.push(Modifier::Meter);
        }
        "limit" => match size(text.strip_suffix("/s").unwrap_or(text))? {
            0 => return Err("nothing at all could pass".to_owned()),
            rate => stage.inlet.push(Modifier::Limit(rate)),
        },
        "buffer" => {
            let size = usize::try_from(size(text)?).map_err(|_| "is too large".to_owned())?;
            stage.inlet.push(Modifier::Buffer(size));
        }
        "ts" => stage.inlet.push(Modifier::Time(match value {
            None | Some("clock") => Time::Clock,
            Some("elapsed") => Time::Elapsed,
            Some("delta") => Time::Delta,
            Some(other) => return Err(format!("'{other}' is none of clock, elapsed, delta")),
        })),
        _ => stage.inlet.push(Modifier::Head(extent(text)?)),
    }
    Ok(())
}

/// A bare number is lines, one with a unit is bytes.
fn extent(text: &str) -> Result<Extent, String> {
    if let Ok(lines) = text.parse() {
        return Ok(Extent::Lines(lines));
    }
    Ok(Extent::Bytes(size(text)?))
}

fn accepted(text: &str) -> Result<Vec<u8>, String> {
    text.split(',')
        .map(|code| code.parse().map_err(|_| format!("'{code}' is no exit status (0 to 255)")))
        .collect()
}

fn variable(value: &OsStr) -> Result<Change, Failure> {
    let bytes = value.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
    let at = at.ok_or_else(|| {
        Failure::usage(format!("'@env={}'", value.display()), "sets nothing: @env=NAME=VALUE")
    })?;
    let word = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    Ok(Change::Set(word(&bytes[..at]), word(&bytes[at + 1..])))
}

/// The words of `@err` and `--err`.
pub fn errors(value: &OsStr) -> Errors {
    match value.as_bytes() {
        b"label" => Errors::Label,
        b"pass" => Errors::Pass,
        b"null" => Errors::Null,
        b"merge" => Errors::Merge,
        b"capture" => Errors::Capture,
        _ => {
            let (path, existing) = file(value);
            Errors::File(path, existing)
        }
    }
}

/// `FILE`, or `append:FILE`.
fn file(value: &OsStr) -> (PathBuf, Existing) {
    match value.as_bytes().strip_prefix(b"append:") {
        Some(path) => (OsStr::from_bytes(path).into(), Existing::Kept),
        None => (value.into(), Existing::Replaced),
    }
}

fn copy(value: &OsStr) -> Result<Copy, Failure> {
    if let Some(address) = is_address(value) {
        Address::parse_right(address)?.check()?;
        return Ok(Copy::Address(address.to_owned()));
    }
    let (path, existing) = file(value);
    Ok(Copy::File(path, existing))
}

fn unknown(name: &str) -> Failure {
    let failure = Failure::usage(format!("modifier '@{name}'"), "is unknown");
    let known = MODIFIERS.iter().map(|(name, _)| *name);
    match nearest(name, known.clone().chain(["sh"])) {
        Some(near) => failure.hint(format!("did you mean @{near}?")),
        None => failure.hint(format!(
            "there are @{} @sh; a program whose name begins so: ./@{name}",
            known.collect::<Vec<_>>().join(" @")
        )),
    }
}
