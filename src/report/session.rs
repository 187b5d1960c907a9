//! The report of one session, as a line and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::endpoint::Finding;
use crate::error::Failure;
use crate::relay::{Outcome, Report, Side};

/// What the two sides are called.
#[derive(Clone, Debug)]
pub struct Names {
    /// The left side.
    pub left: String,
    /// The right side.
    pub right: String,
}

impl Names {
    fn of(&self, side: Side) -> &str {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// How a session ended, in a few words.
pub fn outcome_text(outcome: &Outcome, names: &Names) -> String {
    match outcome {
        Outcome::Complete | Outcome::Quiet => "complete".to_owned(),
        Outcome::Cut(flag) => format!("ended on purpose ({flag})"),
        Outcome::ChildExited(side) => format!("{} ended", names.of(*side)),
        Outcome::Departed(side) => format!("{} has gone", names.of(*side)),
        Outcome::Reset(side) => format!("connection reset by {}", names.of(*side)),
        Outcome::Vanished(side) => format!("{} answers no more", names.of(*side)),
        Outcome::Truncated(side) => format!("{} was cut off: no close_notify", names.of(*side)),
        Outcome::Broken(_, failure) => failure.to_string(),
        Outcome::Refused(side) => format!("{} refused: nobody receives on that port", names.of(*side)),
        Outcome::OutputClosed => "the reader of stdout closed it".to_owned(),
        Outcome::Limit(limit) => format!("time limit {} ran out", limit.flag()),
        Outcome::Stopped => "stopped by a signal".to_owned(),
        Outcome::Failed(side, why) => format!("{} failed: {why}", names.of(*side)),
    }
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Cut(_) => "cut",
        Outcome::Quiet => "quiet",
        Outcome::ChildExited(_) => "child-exited",
        Outcome::Departed(_) => "departed",
        Outcome::Reset(_) => "reset",
        Outcome::Vanished(_) => "vanished",
        Outcome::Truncated(_) => "truncated",
        Outcome::Broken(..) => "broken",
        Outcome::Refused(_) => "refused",
        Outcome::OutputClosed => "output-closed",
        Outcome::Limit(_) => "timeout",
        Outcome::Stopped => "stopped",
        Outcome::Failed(..) => "failed",
    }
}

/// One line for a person.
pub fn session_text(report: &Report, names: &Names) -> String {
    let mut line = format!(
        "{}; {} bytes to {}, {} bytes from it, {:.3} s",
        outcome_text(&report.outcome, names),
        report.sent,
        names.right,
        report.received,
        report.elapsed.as_secs_f64()
    );
    if report.cut_messages > 0 {
        line += &format!("; {} messages cut short", report.cut_messages);
    }
    if report.refused_messages > 0 {
        line += &format!("; {} messages too long to pass on", report.refused_messages);
    }
    line
}

/// The digests of both directions, a line each; none where none was asked for.
pub fn digest_lines(report: &Report) -> Vec<String> {
    [("sent", &report.sent_tap), ("received", &report.received_tap)]
        .into_iter()
        .filter_map(|(way, tap)| Some(format!("sha256 {way}: {}", tap.as_ref()?.sha256.as_ref()?)))
        .collect()
}

/// One object for a program.
pub fn session_json(report: &Report, names: &Names) -> Value {
    let sha256 = |tap: &Option<Finding>| tap.as_ref().and_then(|tap| tap.sha256.clone());
    json!({
        "schema": "spile.session/1",
        "left": names.left,
        "right": names.right,
        "sent": report.sent,
        "received": report.received,
        "cut_messages": report.cut_messages,
        "refused_messages": report.refused_messages,
        "sent_sha256": sha256(&report.sent_tap),
        "received_sha256": sha256(&report.received_tap),
        "seconds": report.elapsed.as_secs_f64(),
        "outcome": outcome_word(&report.outcome),
        "detail": outcome_text(&report.outcome, names),
        "child_status": report.child.map(|child| child.exit().0),
    })
}

/// The object of a session that never began.
pub fn unopened_json(failure: &Failure, names: &Names, elapsed: Duration) -> Value {
    let report = Report {
        sent: 0,
        received: 0,
        cut_messages: 0,
        refused_messages: 0,
        sent_tap: None,
        received_tap: None,
        elapsed,
        outcome: Outcome::Failed(Side::Right, String::new()),
        child: None,
    };
    let mut object = session_json(&report, names);
    object["detail"] = failure.to_string().into();
    object
}
