//! From the report of a session to an exit status, and the line that explains it.

use std::time::Instant;

use crate::error::{Exit, Failure};
use crate::relay::{Outcome, Report, Side};
use crate::report::{Names, digest_lines, session_json, session_text, unopened_json};

use super::log::{Form, say};

/// What to tell about a session at its end.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct ReportArgs {
    /// Say at the end what was moved and how it ended, as text or JSON
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    stats: Option<Form>,
    /// The same as --stats=json
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    fn is_json(self) -> bool {
        self.json || self.stats == Some(Form::Json)
    }

    /// Tells of a session that could not begin, to whoever waits for an object. The failure is handed on.
    pub fn unopened(self, failure: Failure, names: &Names, started: Instant) -> Failure {
        if self.is_json() {
            say(&unopened_json(&failure, names, started.elapsed()).to_string());
        }
        failure
    }

    /// Tells what was asked for.
    pub fn tell(self, name: &str, report: &Report, names: &Names) {
        if self.is_json() {
            return say(&session_json(report, names).to_string());
        }
        if self.stats.is_some() {
            say(&format!("spile {name}: {}", session_text(report, names)));
        }
        for line in digest_lines(report) {
            say(&format!("spile {name}: {line}"));
        }
    }
}

/// The status that a one-shot session ends with. `command` says whether a child's own status is ours.
pub fn exit(report: &Report, names: &Names, command: bool) -> Result<Exit, Failure> {
    let what = || format!("{} bytes sent to {}, {} received", report.sent, names.right, report.received);
    let side = |side: Side| match side {
        Side::Left => names.left.as_str(),
        Side::Right => names.right.as_str(),
    };
    let child = report.child.filter(|_| command).map(crate::process::ChildStatus::exit);
    if report.refused_messages > 0 {
        return Err(Failure::other(
            format!("{} messages were too long to pass on", report.refused_messages),
            what(),
        ));
    }
    if report.cut_messages > 0 {
        let text =
            format!("{} messages were too long to read whole and lost their ends", report.cut_messages);
        return Err(Failure::new(Exit::TRUNCATED, text, what()));
    }
    match &report.outcome {
        Outcome::Complete | Outcome::Quiet | Outcome::ChildExited(_) | Outcome::Departed(_) => {
            match report.taps().find_map(|tap| tap.capture_failed.as_ref()) {
                Some(why) => Err(Failure::other("the capture is not complete", why)),
                None => Ok(child.unwrap_or(Exit::OK)),
            }
        }
        Outcome::Reset(from) => {
            Err(Failure::new(Exit::TRUNCATED, format!("connection reset by {}", side(*from)), what()))
        }
        Outcome::Vanished(from) => {
            let text = format!("{} answers no more", side(*from));
            Err(Failure::new(Exit::TRUNCATED, text, what()).hint("the kernel gave up: see --keepalive"))
        }
        Outcome::Truncated(from) => {
            let text = format!("{} was cut off: no close_notify came before the end", side(*from));
            Err(Failure::new(Exit::TRUNCATED, text, what())
                .hint("where its peer never sends one, --ignore-unexpected-eof takes that for the end"))
        }
        Outcome::Broken(_, failure) => Err(failure.clone()),
        Outcome::Refused(from) => Err(Failure::connect(
            format!("{} refused", side(*from)),
            "nobody receives on that port (ICMP port unreachable)",
        )),
        Outcome::OutputClosed => Ok(Exit::PIPE),
        Outcome::Limit(limit) => {
            Err(Failure::timeout(format!("time limit {} ran out", limit.flag()), what()))
        }
        Outcome::Stopped => Ok(Exit::FAILURE),
        Outcome::Failed(from, why) => Err(Failure::other(format!("{} failed", side(*from)), why)),
    }
}
