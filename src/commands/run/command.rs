//! What is run: words, a line for the shell, a line split into words, or batches of arguments from a file.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::unistd::{SysconfVar, sysconf};

use crate::error::{Exit, Failure};
use crate::process::words;

/// Left free of what Linux takes as arguments and environment, as POSIX wants it of xargs(1).
const HEADROOM: usize = 2048;

/// The command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The command")]
pub struct CommandArgs {
    /// Run this line with /bin/sh -c; the words that follow are its $1, $2…
    #[arg(long, value_name = "LINE", conflicts_with_all = ["split", "args_from"])]
    shell: Option<OsString>,
    /// Run this line, split into words as a shell does it, quotes and all, but without a shell
    #[arg(long, value_name = "LINE")]
    split: Option<OsString>,
    /// Add the lines of this file (- is stdin) as arguments, in as many runs as they need; entries may also end in
    /// null bytes
    #[arg(long, value_name = "FILE")]
    args_from: Option<PathBuf>,
    /// Program and arguments
    #[arg(value_name = "CMD", trailing_var_arg = true)]
    command: Vec<OsString>,
}

impl CommandArgs {
    /// The words to run, once or several times.
    pub fn runs(&self) -> Result<Vec<Vec<OsString>>, Failure> {
        let mut argv = match (&self.shell, &self.split) {
            (Some(line), _) => vec!["/bin/sh".into(), "-c".into(), line.clone(), "sh".into()],
            (None, Some(line)) => {
                words::split(line).map_err(|why| Failure::usage("--split cannot be read:", why))?
            }
            (None, None) => Vec::new(),
        };
        argv.extend(self.command.iter().cloned());
        if argv.is_empty() {
            return Err(Failure::usage("no command is given", "").hint("spile run [OPTIONS] -- CMD ARG..."));
        }
        match &self.args_from {
            Some(path) => Ok(batches(&argv, &read(path)?, room())),
            None => Ok(vec![argv]),
        }
    }
}

fn read(path: &PathBuf) -> Result<Vec<OsString>, Failure> {
    let mut text = Vec::new();
    let result = match path.as_os_str() == "-" {
        true => std::io::stdin().read_to_end(&mut text),
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
    };
    let cannot = |why| Failure::new(Exit(125), format!("cannot read --args-from {}", path.display()), why);
    result.map_err(cannot)?;
    let separator = if text.contains(&0) { 0 } else { b'\n' };
    let entries = text.split(|byte| *byte == separator).filter(|entry| !entry.is_empty());
    Ok(entries.map(|entry| OsStr::from_bytes(entry).to_owned()).collect())
}

/// Bytes that arguments may take.
fn room() -> usize {
    let most = sysconf(SysconfVar::ARG_MAX).ok().flatten().and_then(|n| usize::try_from(n).ok());
    let environment: usize = std::env::vars_os().map(|(name, value)| name.len() + value.len() + 10).sum();
    most.unwrap_or(128 * 1024).saturating_sub(environment + HEADROOM)
}

/// `first` with as many of `more` as fit into `room` bytes, again and again. An argument that does not fit alone is
/// tried alone, so that the kernel's own answer is told.
fn batches(first: &[OsString], more: &[OsString], room: usize) -> Vec<Vec<OsString>> {
    // Each costs its null byte and a pointer, too.
    let cost = |word: &OsString| word.len() + 1 + size_of::<usize>();
    let fixed: usize = first.iter().map(cost).sum();
    let (mut all, mut used) = (vec![first.to_vec()], fixed);
    let mut is_empty = true;
    for word in more {
        used += cost(word);
        if used > room && !is_empty {
            all.push(first.to_vec());
            used = fixed + cost(word);
        }
        if let Some(last) = all.last_mut() {
            last.push(word.clone());
        }
        is_empty = false;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_batched_by_what_they_take() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let room = 3 * 10;
        assert_eq!(batches(&words("x"), &words("a b c"), room), [words("x a b"), words("x c")]);
        assert_eq!(batches(&words("x"), &[], room), [words("x")]);
        let long = "y".repeat(99);
        assert_eq!(batches(&words("x"), &words(&format!("a {long} b")), room).len(), 3);
    }
}
