//! `pipe --events`: a pipeline is told about as it goes, a line for each step.

use std::path::Path;

use crate::harness::*;
use serde_json::Value;

fn read(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["ev"].as_str().unwrap()).collect()
}

#[test]
fn starts_signals_limits_and_ends_are_told_as_they_happen() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events");
    let ignores = "trap '' USR1; echo ready; sleep 30; sleep 30";
    let args = ["pipe", "--events", file.to_str().unwrap(), "-t", "2s", "@name=first", "sh", "-c", ignores];
    let process = spile([&args[..], &["::", "@ok=0,143", "cat"]].concat()).gets("ready\n");
    wait_until("both starts are told", || read(&file).len() == 2);
    process.signal("USR1");
    process.ends().exits(124);
    let events = read(&file);
    let (last, others) = events.split_last().unwrap();
    assert_eq!(names(&others[..2]), ["stage-start", "stage-start"]);
    assert_eq!((&others[0]["n"], &others[0]["name"]), (&0.into(), &"first".into()));
    assert!(others[1]["path"].as_str().unwrap().ends_with("/cat"));
    assert_eq!((&others[2]["ev"], &others[2]["signal"]["name"]), (&"signal".into(), &"USR1".into()));
    assert!(names(others).contains(&"timeout"), "{events:?}");
    let exit = others.iter().find(|event| event["ev"] == "stage-exit" && event["n"] == 0).unwrap();
    assert_eq!((&exit["pid"], &exit["status"]["signal"]), (&others[0]["pid"], &"TERM".into()));
    assert_eq!(
        (&last["ev"], &last["exit"], &last["reason"]),
        (&"exit".into(), &124.into(), &"timeout".into())
    );
    let times: Vec<f64> = events.iter().map(|event| event["at"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_limit_of_one_stage_is_told_with_its_name() {
    let args =
        ["pipe", "--events", "fd:1", "@timeout=0.2s", "@name=slow", "sleep", "30", "::", "@optional", "true"];
    let ended = spile(args).eof().ends().exits(124);
    let text = String::from_utf8(ended.stdout).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let limit = events.iter().find(|event| event["ev"] == "timeout").unwrap();
    assert_eq!((&limit["n"], &limit["name"]), (&0.into(), &"slow".into()));
}

#[test]
fn a_limit_that_only_a_flow_has_passed_is_told_too() {
    let ended = spile(["pipe", "--events", "fd:2", "-t", "0.2s", "@limit=1K"]).ends().exits(124);
    assert!(ended.stderr.contains(r#""ev":"timeout""#), "{}", ended.stderr);
}

#[test]
fn a_place_that_takes_no_events_is_no_success_and_hides_no_status() {
    let told = |stage: &[&str]| spile([&["pipe", "--events", "/dev/full"], stage].concat()).eof().ends();
    told(&["true"]).exits(1).complains("cannot write --events");
    told(&["sh", "-c", "exit 3"]).exits(3).complains("cannot write --events");
    let died = ["sh", "-c", "kill -TERM $$"];
    told(&died).dies_of(15).complains("cannot write --events");
    let report = spile([&["pipe", "--report", "/dev/full"], &died[..]].concat()).eof().ends();
    report.dies_of(15).complains("cannot write --report");
    let events = ["pipe", "--events", "/no/such/dir/e", "true"];
    spile(events).eof().ends().exits(125).complains("/no/such/dir/e");
}
