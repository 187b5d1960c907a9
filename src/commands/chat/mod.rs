//! `spile chat`: a scripted conversation, as the client of any address, with a program, or as a mock server.

mod client;
mod client_command;
mod conversation;
mod ending;
mod hearing;
mod live;
mod mock;
mod patience;
mod recording;
mod report;
mod rules;
mod scripts;
mod talk;
mod target;
mod telling;

use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::Subcommand;
use super::flags::duration;
use super::log::{Form, LogArgs, finish_patiently, say};
use super::reading::ReadingArgs;
use super::runtime::run;
use super::words::{AddressFlags, Converses};
use crate::certificate::escaped;
use crate::chat::{LANGUAGE, Script};
use crate::error::{Exit, Failure};
use crate::report::failure_json;
use live::{Live, RecordArgs};
use mock::MockArgs;
use report::ReportArgs;
use rules::RuleArgs;
use scripts::ScriptArgs;
use talk::Talk;
use target::{ProgramArgs, StartTls, Target};
use telling::Telling;

const NAME: &str = "chat";

/// What follows `spile chat`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("verbose", |arg| arg.help("Say more on stderr: what is said and heard, and when")))]
pub struct Args {
    /// Whom to talk to: an address, run:'CMD', pty:'CMD' (on a terminal), or listen:ADDR to be the server
    #[arg(value_name = "TARGET", required_unless_present = "check")]
    target: Option<OsString>,
    #[command(flatten)]
    scripts: ScriptArgs,
    /// Read the scripts, say what is wrong with them, and talk to nobody; a target is not needed, but may stand there
    #[arg(long)]
    check: bool,
    /// How long a whole conversation may take, and the command of --then where none goes on
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration)]
    deadline: Option<Duration>,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    mock: MockArgs,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    options: AddressFlags<Converses>,
}

impl Subcommand for Args {
    const NAME: &'static str = NAME;
    const ABOUT: &'static str =
        "Hold a scripted conversation with an address or a program, or be the server of one";
    const EXAMPLES: &'static str = "\
Examples:
  spile chat mail:25 -e '< 220' -e '> EHLO x' -e '~ ^250 ' -e '> QUIT' -e '< 221'
  spile chat pty:'psql -U app' login.chat --strict   a program on a terminal
  spile chat run:'bc -q' -e '> 6*7' -e '= 42'        a program over pipes
  spile chat listen:0 moved.chat --then './client_test --port $SPILE_PORT'   a mock server; both must pass
  spile chat listen:7000 a.chat b.chat --port-file p the first client gets a, the second one b
  spile chat tls:api:443 --cafile ca.pem -v x.chat   over TLS, with what is said and heard on stderr
  spile chat --check *.chat                          what is wrong with these scripts?
  spile chat mail:25 a.chat b.chat --format junit > chat.xml   a test result for a CI server
  prove --exec 'spile chat --format tap mail:25' *.chat        or for prove
  spile chat --record new.chat mail:25               a live session becomes a script
  spile chat listen:7000 new.chat --swap             and then the server of such sessions

Status 4 is an expectation that was not met, 124 a time limit, 18 a cut connection,
7 a peer that cannot be reached, 2 a script with mistakes.
";
    const LANGUAGE: Option<&'static str> = Some(LANGUAGE);

    fn run(mut self) -> Result<Exit, Failure> {
        if self.check && !self.names_target() {
            let first = self.target.take();
            self.scripts.scripts.splice(0..0, first);
        }
        if let Some(path) = self.record.file() {
            return self.live(&path);
        }
        let before = if self.scripts.swap { self.rules.take_steps() } else { Vec::new() };
        let scripts = match self.scripts.read(&before, &self.rules.terminator()) {
            Ok(scripts) => scripts,
            Err(wrong) => return Ok(self.tell(&wrong)),
        };
        let Some(typed) = self.target.take() else { return Ok(Exit::OK) };
        let target = self.targets(&[typed], &scripts)?.swap_remove(0);
        if let Some(told) = self.reading.explain(&[&target.address]) {
            return told;
        }
        self.check(&target, &scripts)?;
        if self.check {
            return Ok(Exit::OK);
        }
        let telling = Telling::new(&self.log, self.report.open(&target)?);
        let talk = Talk {
            settings: self.rules.settings(target.eol(), self.scripts.variables(&scripts)),
            scripts,
            deadline: self.deadline,
            grace: self.program.grace,
            telling: telling.clone(),
            events: self.log.events(NAME),
        };
        let ended = telling.end(match target.address.listener() {
            Some(_) => run(mock::run(talk, &target, &self.mock)),
            None => run(client::run(&talk, &target)),
        });
        // A transcript may be read with a pager; a limit or a signal is to end us, whoever reads.
        if !matches!(ended, Ok(Exit::TIMEOUT | Exit(129..))) {
            finish_patiently();
        }
        ended
    }
}

impl Args {
    /// No script is held: a live session becomes one.
    fn live(mut self, path: &Path) -> Result<Exit, Failure> {
        let mut words: Vec<OsString> = self.target.take().into_iter().collect();
        words.append(&mut self.scripts.scripts);
        if let Some(word) = words.get(2) {
            let word = escaped(&word.to_string_lossy());
            return Err(Failure::usage(format!("'{word}'"), "is a third address: a session has two ends"));
        }
        let targets = self.targets(&words, &[])?;
        let addresses: Vec<_> = targets.iter().map(|target| &target.address).collect();
        if let Some(told) = self.reading.explain(&addresses) {
            return told;
        }
        let live = Live::new(&targets, &self)?;
        run(live.record(path))
    }

    fn targets(&self, words: &[OsString], scripts: &[Rc<Script>]) -> Result<Vec<Target>, Failure> {
        let no_text = |word: &OsString| {
            Failure::usage(format!("target '{}'", word.to_string_lossy().escape_debug()), "is no text")
        };
        let texts: Vec<&str> =
            words.iter().map(|word| word.to_str().ok_or_else(|| no_text(word))).collect::<Result<_, _>>()?;
        let starttls = StartTls::of(scripts.iter().map(Rc::as_ref));
        Target::read(&texts, starttls, &self.reading, self.program, &self.options)
    }

    /// What means nothing for this target.
    fn check(&self, target: &Target, scripts: &[Rc<Script>]) -> Result<(), Failure> {
        self.mock.check(&target.address)?;
        if target.is_stdio() && self.scripts.reads_stdin() > 0 {
            return Err(Failure::usage("-", "cannot be the target and a script"));
        }
        let mut steps = scripts.iter().flat_map(|script| &script.steps);
        steps.try_for_each(|step| target.check(step))
    }

    /// Whether the first word is whom to talk to, and no script: no file has that name.
    fn names_target(&self) -> bool {
        let Some(word) = &self.target else { return false };
        let is_address = |text: &str| text.contains(':') && target::parse(text).is_ok();
        !Path::new(word).exists() && word.to_str().is_some_and(is_address)
    }

    /// Tells all that is wrong with the scripts.
    fn tell(&self, wrong: &[Failure]) -> Exit {
        for failure in wrong {
            let hint = failure.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            match self.log.log {
                Form::Json => say(&failure_json(failure).to_string()),
                Form::Text => say(&format!("spile {}: {failure}{hint}", super::speaker(NAME))),
            }
        }
        Exit::USAGE
    }
}
