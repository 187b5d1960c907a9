//! JUnit's XML as CI servers read it (Jenkins: junit-10.xsd): a suite for each conversation, a case for each
//! expectation.

use std::time::Duration;

use super::document::{Check, Form, Whole};
use super::record::{Complaint, Record};
use crate::certificate::is_hidden;
use crate::report::process::timestamp;

/// The form.
#[derive(Debug)]
pub struct Junit;

impl Form for Junit {
    fn head(&mut self) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spile chat\">".to_owned()
    }

    fn conversation(&mut self, record: &Record<'_>) -> String {
        let points = record.points();
        let bad = u8::from(!record.is_good());
        let failures = if record.is_unmet() { bad } else { 0 };
        let class = xml(&record.minutes.script.name);
        let mut lines = vec![format!(
            r#"  <testsuite name="{}" tests="{}" failures="{failures}" errors="{}" time="{}" timestamp="{}">"#,
            xml(&record.name()),
            points.len(),
            bad - failures,
            seconds(record.minutes.wall),
            // In UTC, as the schemas have it: no fraction, no zone.
            &timestamp(record.minutes.start)[..19],
        )];
        lines.push(properties(record));
        let complaint = record.complaint();
        for point in &points {
            let case = format!(
                r#"    <testcase classname="{class}" name="{}" time="{}""#,
                xml(&point.name),
                seconds(point.took)
            );
            match complaint.as_ref().filter(|_| !point.is_good) {
                None => lines.push(format!("{case}/>")),
                Some(complaint) => {
                    let element = if record.is_unmet() { "failure" } else { "error" };
                    lines.push(format!("{case}>"));
                    lines.push(trouble(element, record.result(), complaint));
                    lines.push("    </testcase>".to_owned());
                }
            }
        }
        lines.push("  </testsuite>".to_owned());
        lines.join("\n")
    }

    fn end(&mut self, whole: &Whole<'_>) -> String {
        let mut lines = Vec::new();
        if !whole.checks.is_empty() {
            lines.extend(checks(whole.checks));
        }
        lines.push("</testsuites>".to_owned());
        lines.join("\n")
    }
}

/// What had to be right beside the conversations, as a suite of its own.
fn checks(checks: &[Check]) -> Vec<String> {
    let bad = checks.iter().filter(|check| check.why.is_some()).count();
    let mut lines = vec![format!(
        r#"  <testsuite name="spile chat" tests="{}" failures="{bad}" errors="0">"#,
        checks.len()
    )];
    for check in checks {
        let case = format!(r#"    <testcase classname="spile chat" name="{}""#, xml(&check.name));
        match &check.why {
            None => lines.push(format!("{case}/>")),
            Some(why) => {
                let complaint = Complaint { line: why.clone(), facts: Vec::new() };
                lines.push(format!("{case}>"));
                lines.push(trouble("failure", "failed", &complaint));
                lines.push("    </testcase>".to_owned());
            }
        }
    }
    lines.push("  </testsuite>".to_owned());
    lines
}

fn properties(record: &Record<'_>) -> String {
    let minutes = record.minutes;
    let counts =
        [("sent", minutes.sent), ("received", minutes.received), ("steps_left_out", minutes.left_out())];
    let counts = counts.map(|(name, count)| format!(r#"<property name="{name}" value="{count}"/>"#));
    let peer = xml(&minutes.peer);
    format!(r#"    <properties><property name="peer" value="{peer}"/>{}</properties>"#, counts.concat())
}

/// The message stands in the text, too: some readers show but one of them.
fn trouble(element: &str, result: &str, complaint: &Complaint) -> String {
    let message = xml(&complaint.line);
    let facts: String = complaint.facts.iter().map(|fact| format!("\n  {}", xml(fact))).collect();
    format!(r#"      <{element} type="{result}" message="{message}">{message}{facts}</{element}>"#)
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Text as content or in quotes. What XML 1.0 cannot hold, and what cannot be seen, is written out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_written_out() {
        for (text, written) in [
            ("a]]>b", "a]]&gt;b"),
            ("<a href=\"'&\">", "&lt;a href=&quot;&apos;&amp;&quot;&gt;"),
            ("\0\x1b\n\u{fffe}\u{202e}", "\\u{0}\\u{1b}\\u{a}\\u{fffe}\\u{202e}"),
            ("Grüße", "Grüße"),
        ] {
            assert_eq!(xml(text), written);
        }
    }
}
