//! Flags for what a program finds when it starts: directory, environment, user, limits, descriptors.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::users;
use crate::error::{Exit, Failure};
use crate::process::{Base, Change, Environment, Group, Inherits, Limit, Program, limit};
use crate::signal::Number;

/// Process settings.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Surroundings")]
pub struct SurroundingArgs {
    /// Start in this directory; a relative path of the program is still meant from here
    #[arg(short = 'C', long = "dir", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Set a variable; NAME alone keeps ours in spite of -i
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// Remove a variable
    #[arg(short = 'u', long = "unset", value_name = "NAME")]
    unset: Vec<OsString>,
    /// Begin with an empty environment
    #[arg(short = 'i', long)]
    ignore_environment: bool,
    /// Set the variables of this file: NAME=VALUE lines, one pair of quotes around a value is taken off
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// What the program sees as its own name
    #[arg(long, value_name = "NAME")]
    argv0: Option<OsString>,
    /// Run as this user, with its groups
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Run as this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Supplementary groups
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    groups: Option<Vec<String>>,
    /// File mode creation mask, octal
    #[arg(long, value_name = "MASK", value_parser = octal)]
    umask: Option<u32>,
    /// Add to the nice value
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        default_value_t = 0,
        hide_default_value = true
    )]
    nice: i32,
    /// Resource limit, as ulimit and prlimit name them: nofile=4096, as=1G, core=0, cpu=10:20 (soft:hard)
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit::parse)]
    rlimit: Vec<Limit>,
    /// Inherit no descriptor above 2
    #[arg(long)]
    close_fds: bool,
    /// Inherit these alone
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pass_fd: Vec<RawFd>,
    /// The process group: a new one or ours; usually a new one, but ours in a terminal's foreground. In ours, what the
    /// terminal sends reaches the program whatever spile makes of it
    #[arg(long, value_name = "GROUP", value_enum, hide_possible_values = true, conflicts_with = "to_group")]
    pgroup: Option<GroupName>,
    /// Start in a session of its own, without a terminal
    #[arg(long, conflicts_with = "pgroup")]
    session: bool,
    /// Sent to the program when spile itself is killed
    #[arg(long, value_name = "SIGNAL")]
    pdeath: Option<Number>,
}

/// `--pgroup`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupName {
    New,
    Same,
}

fn octal(text: &str) -> Result<u32, String> {
    let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777);
    mask.ok_or_else(|| format!("'{text}' is no mask; for example 027"))
}

impl SurroundingArgs {
    /// A program in these surroundings.
    pub fn program(&self, argv: Vec<OsString>) -> Result<Program, Failure> {
        let inherits = match self.close_fds || !self.pass_fd.is_empty() {
            true => Inherits::Only(self.pass_fd.clone()),
            false => Inherits::All,
        };
        Ok(Program {
            argv0: self.argv0.clone(),
            environment: self.environment()?,
            dir: self.dir.clone(),
            umask: self.umask,
            nice: self.nice,
            limits: self.rlimit.clone(),
            identity: users::identity(self.user.as_deref(), self.group.as_deref(), self.groups.as_deref())?,
            inherits,
            parent_death: self.pdeath,
            ..Program::new(argv)
        })
    }

    /// The process group asked for, if one was.
    pub fn group(&self) -> Option<Group> {
        match (self.session, self.pgroup) {
            (true, _) => Some(Group::Session),
            (_, Some(GroupName::New)) => Some(Group::New),
            (_, Some(GroupName::Same)) => Some(Group::Same),
            (_, None) => None,
        }
    }

    /// Files first, then what is removed, then what is set.
    fn environment(&self) -> Result<Environment, Failure> {
        let base = if self.ignore_environment { Base::Empty } else { Base::Inherited };
        let mut changes = Vec::new();
        for file in &self.env_file {
            changes.extend(read_variables(file)?);
        }
        changes.extend(self.unset.iter().cloned().map(Change::Unset));
        for word in &self.env {
            match split(word.as_bytes()) {
                Some((b"", _)) => {
                    return Err(Failure::usage(format!("--env '{}'", word.to_string_lossy()), "has no name"));
                }
                Some((name, value)) => changes.push(Change::Set(owned(name), owned(value))),
                None => {
                    changes.extend(std::env::var_os(word).map(|value| Change::Set(word.clone(), value)));
                }
            }
        }
        Ok(Environment { base, changes })
    }
}

fn owned(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}

fn split(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|byte| *byte == b'=')?;
    Some((&word[..at], &word[at + 1..]))
}

/// The variables of a file; empty lines and those that open with `#` are skipped, `export ` is too.
fn read_variables(path: &Path) -> Result<Vec<Change>, Failure> {
    let what = || format!("cannot read --env-file {}", path.display());
    let text = std::fs::read(path).map_err(|why| Failure::new(Exit(125), what(), why))?;
    let mut changes = Vec::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let Some((name, value)) = split(line).filter(|(name, _)| !name.is_empty()) else {
            let line = OsString::from_vec(line.to_vec());
            let why = format!("line {}: '{}' is not NAME=VALUE", number + 1, line.to_string_lossy());
            return Err(Failure::new(Exit(125), what(), why));
        };
        changes.push(Change::Set(owned(name.trim_ascii()), owned(unquoted(value.trim_ascii()))));
    }
    Ok(changes)
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => value,
    }
}
