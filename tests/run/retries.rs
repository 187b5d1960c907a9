//! `run --retries`: which failures are tried again, after which pause, and from which state.

use std::process::Command;
use std::time::Instant;

use crate::harness::*;
use serde_json::{Value, json};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn run(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(SPILE);
        command.args(["run", "--report", "r.json", "--events", "ev"]).args(args).current_dir(&self.0);
        start(command).eof().ends()
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.text("r.json")).unwrap()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Attempts that were made, by the report.
    fn attempts(&self) -> usize {
        self.report()["attempts"].as_array().unwrap().len()
    }
}

/// Fails with status 3 until the third time.
const THIRD: &str = "echo x >>count; echo try $(wc -l <count); test $(wc -l <count) -ge 3 || exit 3";

#[test]
fn a_program_runs_until_it_is_good() {
    let place = Place::new();
    let ended = place.run(&["--retries", "5", "--backoff", "1ms", "--", "sh", "-c", THIRD]);
    ended.exits(0).says("try 1\ntry 2\ntry 3\n");
    let report = place.report();
    let exits: Vec<&Value> = report["attempts"].as_array().unwrap().iter().map(|one| &one["exit"]).collect();
    assert_eq!(exits, [&json!(3), &json!(3), &json!(0)]);
    assert_eq!(place.text("ev").matches("\"retry\"").count(), 2);
}

#[test]
fn the_last_attempt_counts() {
    let place = Place::new();
    place.run(&["--retries", "1", "--backoff", "1ms", "--", "sh", "-c", THIRD]).exits(3);
    assert_eq!(place.attempts(), 2);
    place.run(&["--", "sh", "-c", "exit 4"]).exits(4);
    assert_eq!(place.attempts(), 1);
}

#[test]
fn only_the_failures_asked_for_are_tried_again() {
    let place = Place::new();
    let attempts = |on: &[&str], script: &str| {
        let flags = ["--retries", "1", "--backoff", "1ms", "-t", "300ms"];
        place.run(&[&flags[..], on, &["--", "sh", "-c", script]].concat());
        place.attempts()
    };
    assert_eq!(attempts(&["--retry-on", "1,75"], "exit 75"), 2);
    assert_eq!(attempts(&["--retry-on", "1,75"], "exit 74"), 1);
    assert_eq!(attempts(&["--retry-on", "70-79"], "exit 74"), 2);
    assert_eq!(attempts(&["--retry-on", "timeout"], "exec sleep 60"), 2);
    assert_eq!(attempts(&["--retry-on", "1"], "exec sleep 60"), 1);
    assert_eq!(attempts(&["--retry-on", "signal"], "kill -KILL $$"), 2);
    assert_eq!(attempts(&["--retry-on", "TERM"], "kill -KILL $$"), 1);
    assert_eq!(
        attempts(&["--retry-on", "9,match:Try again,? later"], "echo Try again, later >&2; exit 1"),
        2
    );
    assert_eq!(attempts(&["--retry-on", "match:nothing of this"], "echo Try again >&2; exit 1"), 1);
    assert_eq!(attempts(&["--retry-on", "1"], "exit 0"), 1);
}

#[test]
fn what_cannot_be_started_is_tried_again_only_when_asked_for() {
    let place = Place::new();
    place.run(&["--retries", "2", "--backoff", "1ms", "nosuch"]).exits(127);
    assert_eq!(place.attempts(), 1);
    place.run(&["--retries", "2", "--backoff", "1ms", "--retry-on", "spawn", "nosuch"]).exits(127);
    assert_eq!(place.attempts(), 3);
}

#[test]
fn the_limit_is_for_each_attempt_and_the_pause_doubles() {
    let place = Place::new();
    let flags = ["-t", "200ms", "--retries", "3", "--backoff", "20ms..50ms"];
    place.run(&[&flags[..], &["--", "sleep", "60"]].concat()).exits(124);
    let slept: Vec<f64> = place.report()["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["slept"].as_f64().unwrap())
        .collect();
    assert_eq!(slept, [0.0, 0.02, 0.04, 0.05]);
    for one in place.report()["attempts"].as_array().unwrap() {
        assert_eq!(one["reason"], json!("timeout"));
        assert!(one["wall"].as_f64().unwrap() >= 0.2);
    }
}

#[test]
fn what_an_attempt_has_left_running_is_ended_before_the_next() {
    let place = Place::new();
    let script = "test -e pid && { kill -0 $(cat pid) 2>/dev/null && exit 7; exit 0; }; \
                  setsid sleep 60 & echo $! >pid; exit 1";
    place.run(&["--retries", "1", "--backoff", "1ms", "--", "sh", "-c", script]).exits(0);
    assert_eq!(place.attempts(), 2);
}

#[test]
fn a_command_cleans_up_between_attempts_and_its_failure_is_the_end() {
    let place = Place::new();
    let flags = ["--retries", "3", "--backoff", "1ms", "--retry-clean"];
    let script = "test -e dirt && exit 9; touch dirt; exit 1";
    place.run(&[&flags[..], &["rm dirt", "--", "sh", "-c", script]].concat()).exits(1);
    assert_eq!(place.attempts(), 4);
    place
        .run(&[&flags[..], &["sh -c 'exit 5'", "--", "false"]].concat())
        .exits(125)
        .complains("--retry-clean failed: status 5");
}

#[test]
fn a_signal_ends_the_pause() {
    let place = Place::new();
    let mut command = Command::new(SPILE);
    command.args(["run", "--events", "ev", "--retries", "9", "--backoff", "60s", "false"]);
    command.current_dir(&place.0);
    let running = start(command);
    wait_until("it pauses", || {
        std::fs::read_to_string(place.0.path().join("ev")).is_ok_and(|t| t.contains("retry"))
    });
    let begun = Instant::now();
    running.signal("TERM");
    running.ends().exits(143);
    assert!(begun.elapsed().as_secs() < 10);
}

#[test]
fn a_signal_that_ends_an_attempt_ends_all() {
    let attempt = "echo began; exec sleep 60";
    for signal in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let running = spile(["run", "--retries", "9", "--backoff", "1ms", "--", "sh", "-c", attempt]);
        let running = running.gets("began\n");
        running.signal(signal.0);
        running.ends().dies_of(signal.1).says("");
    }
}

#[test]
fn output_of_attempts_that_are_tried_again_stays_hidden_with_quiet_ok() {
    let place = Place::new();
    let flags = ["--quiet-ok", "--retries", "5", "--backoff", "1ms", "--"];
    place.run(&[&flags[..], &["sh", "-c", THIRD]].concat()).exits(0).says("");
}
