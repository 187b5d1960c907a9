//! The scripts of a run: files, stdin, and steps of the command line; what is wrong with them is told all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;

use crate::certificate::escaped;
use crate::chat::{MOST_BYTES, Mistake, Script, Step, Terminator, is_name};
use crate::error::Failure;

/// What is said, and what is to be heard.
#[derive(Clone, Debug, clap::Args)]
pub struct ScriptArgs {
    /// Scripts, one a conversation; - is stdin
    #[arg(value_name = "SCRIPT")]
    pub scripts: Vec<OsString>,
    /// A step, after those of each script or without any; may repeat
    #[arg(short = 'e', long = "step", value_name = "STEP", allow_hyphen_values = true)]
    steps: Vec<OsString>,
    /// Give a variable of the scripts a value: ${NAME}; may repeat
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, Vec<u8>)>,
    /// Play the other side: hear what the scripts say, and say what they hear; --eol and --term change sides, too
    #[arg(long)]
    pub swap: bool,
}

impl ScriptArgs {
    /// Reads them all. What flags say of both sides are the steps `before` the first one where sides are changed, and
    /// what ends units then is `terminator` elsewhere. Fails with all that is wrong with any of them.
    pub fn read(&self, before: &[Step], terminator: &Terminator) -> Result<Vec<Rc<Script>>, Vec<Failure>> {
        let side = |script: Script| {
            let script = if self.swap { script.swapped(before)? } else { script };
            match script.unheard(terminator) {
                mistakes if mistakes.is_empty() => Ok(script),
                mistakes => Err(mistakes),
            }
        };
        let known = self.known();
        if self.scripts.is_empty() {
            if self.steps.is_empty() {
                return Err(vec![
                    Failure::usage("a script", "is missing")
                        .hint("a file, or -e STEP for each step: -e '> hello' -e '< hi'"),
                ]);
            }
            let script = Script::of_steps(&self.steps, &known).and_then(side);
            return script.map(|script| vec![Rc::new(script)]).map_err(failures);
        }
        if self.reads_stdin() > 1 {
            return Err(vec![Failure::usage("-", "can be one of the scripts only once")]);
        }
        let (mut scripts, mut wrong) = (Vec::new(), Vec::new());
        for path in &self.scripts {
            let name = path.to_string_lossy();
            let bytes = match content(path) {
                Ok(bytes) => bytes,
                Err(failure) => {
                    wrong.push(failure);
                    continue;
                }
            };
            let script = match self.steps.is_empty() {
                true => Script::parse(&name, &bytes, &known),
                false => Script::joined(&name, &bytes, &self.steps, &known),
            };
            match script.and_then(side) {
                // Nothing would be tried, and nothing could fail.
                Ok(script) if script.steps.is_empty() => {
                    wrong.push(Failure::usage(escaped(&name), "has no steps"));
                }
                Ok(script) => scripts.push(Rc::new(script)),
                Err(mistakes) => wrong.extend(failures(mistakes)),
            }
        }
        if wrong.is_empty() { Ok(scripts) } else { Err(wrong) }
    }

    /// The names of variables that may have a value before the first step.
    fn known(&self) -> BTreeSet<String> {
        let names = self.variables.iter().map(|(name, _)| name.clone());
        let environment = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names.chain(environment.map(|name| format!("env:{name}"))).collect()
    }

    /// How many of them are stdin.
    pub fn reads_stdin(&self) -> usize {
        self.scripts.iter().filter(|path| *path == "-").count()
    }

    /// The variables that have a value before the first step, those of the environment that `scripts` name among them.
    pub fn variables(&self, scripts: &[Rc<Script>]) -> BTreeMap<String, Vec<u8>> {
        let of_environment = scripts.iter().flat_map(|script| script.environment()).filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((format!("env:{name}"), value.into_vec()))
        });
        self.variables.iter().cloned().chain(of_environment).collect()
    }
}

/// Mistakes as they are told.
fn failures(mistakes: Vec<Mistake>) -> Vec<Failure> {
    let failure = |mistake: Mistake| Failure {
        hint: mistake.hint,
        ..Failure::misuse(escaped(&mistake.place.to_string()), &mistake.what)
    };
    mistakes.into_iter().map(failure).collect()
}

/// The content of a script.
fn content(path: &OsStr) -> Result<Vec<u8>, Failure> {
    let name = path.to_string_lossy();
    let cannot =
        |why: io::Error| Failure::misuse(format!("cannot read the script {}", name.escape_debug()), why);
    let mut bytes = Vec::new();
    let read = match path == "-" {
        true => io::stdin().lock().take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)),
    };
    read.map_err(cannot)?;
    match bytes.len() > MOST_BYTES {
        true => {
            Err(cannot(io::Error::other(format!("it is no script: it has more than {MOST_BYTES} bytes"))))
        }
        false => Ok(bytes),
    }
}

/// A clap value parser for `NAME=VALUE`; the value is taken as it is.
fn variable(text: &str) -> Result<(String, Vec<u8>), String> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), OsStr::new(value).as_bytes().to_vec())),
        // In the form of clap's own tips, which are our hints.
        _ => {
            Err("it is NAME=VALUE\n\n  tip: a name has letters, digits and _, and no digit first".to_owned())
        }
    }
}
