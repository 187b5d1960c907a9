//! Flags for what is told about a run, and where.

use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{OsStringValueParser, TypedValueParser};
use serde_json::{Value, json};

use super::events::EventLog;
use crate::commands::flags::file_name;
use crate::commands::log::say;
use crate::error::{Exit, Failure};
use crate::process::{Status, Usage};
use crate::report::{limit_name, signal_json, status_json};
use crate::signal::Number;
use crate::supervise::{Company, Happening, Outcome};

/// Statuses, reports, events.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Result")]
pub struct ResultArgs {
    /// Statuses that are a success, beside 0: 1,3-5,TERM; spile then exits 0
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    ok: Vec<Accepted>,
    /// Exit 128 + N when the program dies of signal N; else spile dies of it, too
    #[arg(long)]
    pub exit_128: bool,
    /// Write one JSON object at the end, to a file, a descriptor, or stdout (-)
    #[arg(long, value_name = "FILE|fd:N|-")]
    report: Option<PathBuf>,
    /// Write events as they happen, one JSON object a line. A reader who does not keep up holds nothing up, and is
    /// told how many lines were lost
    #[arg(long, value_name = "FILE|fd:N|-")]
    events: Option<PathBuf>,
    /// Say on stderr how long it took and what it used
    #[arg(long)]
    pub time: bool,
    /// A file with the program's process id while it runs
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file_name))]
    pid_file: Option<PathBuf>,
    /// Say as JSON what would be run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A status that is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// From the first to the second.
    Codes(u8, u8),
    /// A death by signal.
    Signal(Number),
}

impl std::str::FromStr for Accepted {
    type Err = String;

    fn from_str(text: &str) -> Result<Accepted, String> {
        let bad = || format!("'{text}' is neither a status from 0 to 255 nor a signal");
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return text.parse().map(Accepted::Signal).map_err(|_| bad());
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let code = |text: &str| text.parse::<u8>().map_err(|_| bad());
        match (code(first)?, code(last)?) {
            (first, last) if first <= last => Ok(Accepted::Codes(first, last)),
            _ => Err(bad()),
        }
    }
}

impl ResultArgs {
    /// True for a status that counts as a success.
    pub fn accepts(&self, status: Status) -> bool {
        let is = |accepted: &Accepted| match *accepted {
            Accepted::Codes(first, last) => status.code().is_some_and(|code| (first..=last).contains(&code)),
            Accepted::Signal(signal) => status.signal() == Some(signal),
        };
        status.code() == Some(0) || self.ok.iter().any(is)
    }

    /// Opens what will be written to, so that a bad path is found before anything runs.
    pub fn open(&self, start: Instant) -> Result<Telling, Failure> {
        let report = self.report.as_deref().map(|path| Place::open("--report", path)).transpose()?;
        let events = self.events.as_deref().map(|path| EventLog::open(path, start)).transpose()?;
        let pid_file = self.pid_file.as_deref().map(PidFile::open).transpose()?;
        Ok(Telling { report, events, pid_file, start, failure: None })
    }
}

/// A file or a descriptor that is told something.
pub struct Place {
    flag: &'static str,
    file: File,
}

impl Place {
    /// Opens `FILE` anew, or `fd:N` as we inherited it; `-` is stdout, as in `--stdout -`.
    pub fn open(flag: &'static str, path: &Path) -> Result<Place, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::new(Exit(125), format!("cannot write {flag} {}", path.display()), why)
        };
        let file = match inherited(path).map_err(|why| cannot(&why))? {
            Some(fd) => {
                let copy = rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|why| cannot(&why))?;
                File::from(copy)
            }
            None => File::create(path).map_err(|why| cannot(&why))?,
        };
        Ok(Place { flag, file })
    }

    /// Writes one line.
    pub fn tell(&mut self, value: &Value) -> Result<(), Failure> {
        let cannot = |why| Failure::other(format!("cannot write {}", self.flag), why);
        self.file.write_all(format!("{value}\n").as_bytes()).map_err(cannot)
    }
}

/// The descriptor that we inherited, where one is named: `fd:N`, or `-` for stdout, as in `--stdout -`.
pub fn inherited(path: &Path) -> Result<Option<BorrowedFd<'static>>, &'static str> {
    let number = match path.to_str() {
        Some("-") => "1",
        text => match text.and_then(|text| text.strip_prefix("fd:")) {
            Some(number) => number,
            None => return Ok(None),
        },
    };
    let fd = number.parse().ok().and_then(crate::process::descriptor);
    fd.map(Some).ok_or("that descriptor is not open")
}

/// A file with a process id, removed at the end.
struct PidFile {
    path: PathBuf,
    /// Beside it, so that whoever sees the file can read it whole.
    temporary: PathBuf,
    is_written: bool,
}

impl PidFile {
    /// Begins beside its place, so that a bad one is found before anything runs.
    fn open(path: &Path) -> Result<PidFile, Failure> {
        let what = format!("cannot write --pid-file {}", path.display());
        let cannot = |why: std::io::Error| Failure::new(Exit(125), what, why);
        if path.is_dir() {
            return Err(cannot(std::io::ErrorKind::IsADirectory.into()));
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        File::create(&temporary).map_err(cannot)?;
        Ok(PidFile { path: path.to_owned(), temporary: temporary.into(), is_written: false })
    }

    fn write(&mut self, pid: i32) -> std::io::Result<()> {
        std::fs::write(&self.temporary, format!("{pid}\n"))?;
        std::fs::rename(&self.temporary, &self.path)?;
        self.is_written = true;
        Ok(())
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // What stands there otherwise is somebody else's.
        let ours = if self.is_written { &self.path } else { &self.temporary };
        let _ = std::fs::remove_file(ours);
    }
}

/// Where the life of a program is told.
pub struct Telling {
    /// `--report`.
    pub report: Option<Place>,
    events: Option<EventLog>,
    pid_file: Option<PidFile>,
    start: Instant,
    /// What could not be told.
    pub failure: Option<Failure>,
}

impl Telling {
    /// True where events are told.
    pub fn has_events(&self) -> bool {
        self.events.is_some()
    }

    /// Tells one more event; its time is added.
    pub fn event(&mut self, mut event: Value) {
        event["at"] = self.start.elapsed().as_secs_f64().into();
        if let Some(events) = &self.events {
            let told = events.tell(&event);
            self.failure = self.failure.take().or(told.err());
        }
    }

    /// No more events; `name` is the subcommand.
    pub fn end(&mut self, name: &str) {
        let ended = self.events.take().map_or(Ok(()), |events| events.end(name));
        self.failure = self.failure.take().or(ended.err());
    }
}

impl Company for Telling {
    fn told(&mut self, happening: Happening<'_>) {
        if let (Happening::Started(member), Some(file)) = (happening, &mut self.pid_file) {
            let written = file.write(member.started.pid);
            let cannot =
                |why| Failure::other(format!("cannot write --pid-file {}", file.path.display()), why);
            self.failure = self.failure.take().or(written.map_err(cannot).err());
        }
        if let Some(events) = &self.events {
            let told = events.tell(&event(happening, self.start));
            self.failure = self.failure.take().or(told.err());
        }
    }
}

fn event(happening: Happening<'_>, start: Instant) -> Value {
    let at = start.elapsed().as_secs_f64();
    match happening {
        Happening::Started(member) => {
            json!({"at": at, "ev": "start", "pid": member.started.pid, "path": member.started.path.to_string_lossy()})
        }
        Happening::Signal(handled) => {
            json!({"at": at, "ev": "signal", "signal": signal_json(handled, start)})
        }
        Happening::KeysLost => json!({"at": at, "ev": "keys-lost"}),
        Happening::Ending(reason) => json!({"at": at, "ev": limit_name(reason)}),
        Happening::Ended(member) => {
            let status = member.end.map(|(status, ..)| status_json(status));
            json!({"at": at, "ev": "exit", "pid": member.started.pid, "status": status})
        }
    }
}

/// Says in the name of a subcommand that nothing can be made of keys any more: a terminal sends them to whoever may
/// read from it.
pub fn say_keys_are_lost(name: &str) {
    say(&format!(
        "spile {name}: the program uses the terminal: from now on keys reach it alone, and not spile"
    ));
}

/// Says in the name of a subcommand that some whom it was to end may go on.
pub fn say_missed(name: &str) {
    say(&format!("spile {name}: not all that was left could be ended: /proc does not show it"));
    say("hint: mount the /proc of this PID namespace, as 'unshare -pf --mount-proc' does");
}

/// `--time`, in the name of a subcommand.
pub fn tell_time(name: &str, outcome: &Outcome) {
    let usage = outcome.member().and_then(|member| member.end).map(|(_, usage, _)| usage);
    let Usage { user, system, max_resident, .. } = usage.unwrap_or_default();
    say(&format!(
        "spile {name}: {:.3} s real, {:.3} s user, {:.3} s system, {:.1} MiB",
        outcome.wall.as_secs_f64(),
        user.as_secs_f64(),
        system.as_secs_f64(),
        max_resident as f64 / f64::from(1 << 20),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_statuses_are_codes_ranges_and_signals() {
        assert_eq!("3".parse(), Ok(Accepted::Codes(3, 3)));
        assert_eq!("1-5".parse(), Ok(Accepted::Codes(1, 5)));
        assert_eq!("TERM".parse(), Ok(Accepted::Signal(Number::TERM)));
        for bad in ["", "256", "5-1", "x", "-1", "1-"] {
            assert!(bad.parse::<Accepted>().is_err(), "{bad}");
        }
    }
}
