//! From the report of a session to an exit status, and the line that explains it.

use std::time::Instant;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::error::{Exit, Failure};
use crate::relay::{Outcome, Report, Side};
use crate::report::{Names, digest_lines, session_json, session_text, unopened_json};

use super::log::{Form, say};
use super::tls_report::{Outlet, Place};

/// What to tell about a session at its end.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReportArgs {
    /// Say at the end what was moved and how it ended, as text or JSON
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    stats: Option<Form>,
    /// The same as --stats=json; into a file where one is named
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-",
          value_parser = OsStringValueParser::new().try_map(Place::parse))]
    json: Option<Place>,
}

impl ReportArgs {
    /// Takes `--json` away, for those who have a report of their own in its place.
    pub fn take_json(&mut self) -> Option<Place> {
        self.json.take()
    }

    /// Where JSON is to go, if it was asked for.
    fn json(&self) -> Result<Option<Outlet>, Failure> {
        match &self.json {
            None if self.stats == Some(Form::Json) => Ok(Some(Outlet::Stderr)),
            None => Ok(None),
            Some(place) => place.open(Outlet::Stderr).map(Some),
        }
    }

    /// Tells of a session that could not begin, to whoever waits for an object. The failure is handed on.
    pub fn unopened(&self, failure: Failure, names: &Names, started: Instant) -> Failure {
        let told = self.json().and_then(|outlet| match outlet {
            Some(outlet) => {
                outlet.line(&unopened_json(&failure, names, started.elapsed()).to_string()).map(|_| ())
            }
            None => Ok(()),
        });
        if let Err(why) = told {
            say(&why.to_string());
        }
        failure
    }

    /// Tells what was asked for. Status 1 where it cannot be written.
    pub fn tell(&self, name: &str, report: &Report, names: &Names) -> Result<(), Failure> {
        if let Some(outlet) = self.json()? {
            return outlet.line(&session_json(report, names).to_string()).map(|_| ());
        }
        if self.stats.is_some() {
            say(&format!("spile {name}: {}", session_text(report, names)));
        }
        for line in digest_lines(report) {
            say(&format!("spile {name}: {line}"));
        }
        Ok(())
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
        Outcome::Complete
        | Outcome::Cut(_)
        | Outcome::Quiet
        | Outcome::ChildExited(_)
        | Outcome::Departed(_) => match report.taps().find_map(|tap| tap.capture_failed.as_ref()) {
            Some(why) => Err(Failure::other("the capture is not complete", why)),
            None => Ok(child.unwrap_or(Exit::OK)),
        },
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
