//! TAP, the Test Anything Protocol: a point for each conversation, its expectations below it as a subtest.
//!
//! Version 13 is what prove(1) reads. To it a subtest is no more than text; readers of version 14 see the points in it.

use super::document::{Form, Whole};
use super::failure::one_line;
use super::record::{Complaint, Record};

/// The points so far.
#[derive(Debug, Default)]
pub struct Tap {
    count: u64,
}

impl Form for Tap {
    fn head(&mut self) -> String {
        "TAP version 13".to_owned()
    }

    fn conversation(&mut self, record: &Record<'_>) -> String {
        let points = record.points();
        let name = described(&record.name());
        let mut lines = vec![format!("# Subtest: {name}")];
        for (point, number) in points.iter().zip(1..) {
            lines.push(format!("    {} {number} - {}", verdict(point.is_good), described(&point.name)));
        }
        match record.minutes.left_out() {
            0 => {}
            count => lines.push(format!("    # {count} steps in the middle are left out")),
        }
        lines.push(format!("    1..{}", points.len()));
        lines.push(self.point(record.is_good(), &name));
        if let Some(complaint) = record.complaint() {
            lines.extend(diagnosis(&complaint, record.result()));
        }
        lines.join("\n")
    }

    fn end(&mut self, whole: &Whole<'_>) -> String {
        let mut lines = Vec::new();
        for check in whole.checks {
            lines.push(self.point(check.why.is_none(), &described(&one_line(&check.name))));
            if let Some(why) = &check.why {
                let complaint = Complaint { line: one_line(why), facts: Vec::new() };
                lines.extend(diagnosis(&complaint, "failed"));
            }
        }
        lines.push(format!("1..{}", self.count));
        if whole.is_interrupted {
            lines.push("Bail out! interrupted".to_owned());
        }
        lines.join("\n")
    }
}

impl Tap {
    fn point(&mut self, is_good: bool, name: &str) -> String {
        self.count += 1;
        format!("{} {} - {name}", verdict(is_good), self.count)
    }
}

fn verdict(is_good: bool) -> &'static str {
    if is_good { "ok" } else { "not ok" }
}

/// A description, in which `#` would begin a directive: `# SKIP` makes a success of a failure.
fn described(name: &str) -> String {
    name.replace('\\', "\\\\").replace('#', "\\#")
}

/// The YAML below a point. The facts are a block: prove's reader takes colons in a list for keys.
fn diagnosis(complaint: &Complaint, result: &str) -> Vec<String> {
    let quoted = complaint.line.replace('\\', "\\\\").replace('"', "\\\"");
    let mut lines =
        vec!["  ---".to_owned(), format!("  message: \"{quoted}\""), format!("  result: {result}")];
    if !complaint.facts.is_empty() {
        lines.push("  facts: |".to_owned());
        lines.extend(complaint.facts.iter().map(|fact| format!("    {fact}")));
    }
    lines.push("  ...".to_owned());
    lines
}
