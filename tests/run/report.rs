//! `run`: what is told about a program: report, events, times, process id, plan.

use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::harness::*;
use serde_json::{Value, json};

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

#[test]
fn the_report_has_one_shape_whatever_happened() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let report = |args: &[&str]| {
        run(&[&["--report", file.to_str().unwrap()], args].concat());
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 1, "one object");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let good = report(&["-t", "9s", "--", "sh", "-c", "exit 3"]);
    assert_eq!(
        (&good["schema"], &good["kind"], &good["spile"]),
        (&json!("spile.run/1"), &json!("run"), &json!(1))
    );
    assert_eq!((&good["reason"], &good["exit"]), (&json!("exited"), &json!(3)));
    assert_eq!(good["argv"], json!(["sh", "-c", "exit 3"]));
    assert_eq!(good["status"], json!({"code": 3, "signal": null, "core": false, "raw": 768}));
    assert_eq!((&good["limit"]["timeout"], &good["limit"]["fired"]), (&json!(9.0), &json!(false)));
    assert!(good["path"].as_str().unwrap().ends_with("/sh"));
    assert!(good["pid"].as_i64().unwrap() > 1 && good["wall"].as_f64().unwrap() > 0.0);
    assert!(good["rusage"]["maxrss"].as_u64().unwrap() > 100_000);
    let missing = report(&["nosuch"]);
    assert_eq!(
        (&missing["reason"], &missing["exit"], &missing["pid"]),
        (&json!("spawn-failed"), &json!(127), &json!(null))
    );
    let error = &missing["error"];
    assert_eq!(
        (&error["step"], &error["errno"], &error["what"]),
        (&json!("lookup"), &json!("ENOENT"), &json!("program"))
    );
    let dir = report(&["-C", "/nope", "true"]);
    assert_eq!((&dir["error"]["step"], &dir["error"]["path"]), (&json!("chdir"), &json!("/nope")));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&good), keys(&missing));
}

#[test]
fn cpu_time_and_a_core_are_in_the_report() {
    let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; kill -ABRT $$";
    let report = run(&["--report", "fd:1", "--", "sh", "-c", &format!("ulimit -c 0; {busy}")]).json();
    assert!(report["rusage"]["user"].as_f64().unwrap() > 0.05, "{report}");
    assert_eq!(report["status"]["signal"], "ABRT");
}

#[test]
fn words_that_are_no_text_are_told_twice() {
    let mut command = Command::new(SPILE);
    command.args(["run", "--report", "fd:1", "--", "true"]).arg(std::ffi::OsStr::from_bytes(b"\xff"));
    let report = start(command).eof().ends().exits(0).json();
    assert_eq!(report["argv"], json!(["true", "\u{fffd}"]));
    assert_eq!(report["argv_b64"], json!(["dHJ1ZQ==", "/w=="]));
}

#[test]
fn descendants_that_are_left_are_named() {
    let ended = run(&["--report", "fd:1", "--", "sh", "-c", "setsid sleep 7.25 >/dev/null 2>&1 & sleep .3"]);
    let report = ended.exits(0).json();
    let left = &report["tree"]["left"];
    assert_eq!(left.as_array().unwrap().len(), 1, "{report}");
    assert_eq!(left[0]["argv0"], "sleep");
    program("kill", &[&left[0]["pid"].to_string()]).ends().exits(0);
}

#[test]
fn what_is_reaped_are_the_program_and_its_orphans_not_our_own_helpers() {
    let peer = server(|stream| drop(read_all(&stream)));
    let address = format!("tcp:127.0.0.1:{peer}");
    let script = "(sleep 0 &); (sleep 0 &); sleep .2; exit 3";
    let flags = ["--report", "fd:1", "--scope", "group", "--orphans", "wait"];
    // Whoever writes to the address is a process, too.
    let report = run(&[&flags[..], &["--stderr", &address, "--", "sh", "-c", script]].concat()).json();
    assert_eq!((&report["scope"], &report["tree"]["reaped"]), (&json!("group"), &json!(3)), "{report}");
    let tee = format!("@tee={address}");
    let words = [&["pipe"], &flags[..], &["true", "::", &tee, "sh", "-c", script]].concat();
    let report = spile(words).eof().ends().json();
    assert_eq!((&report["scope"], &report["tree"]["reaped"]), (&json!("group"), &json!(4)), "{report}");
}

#[test]
fn a_report_goes_to_a_descriptor_that_we_were_given() {
    let ended = shell("$SPILE run --report fd:5 -- echo out 5>&2").eof().ends().exits(0).says("out\n");
    ended.complains("\"reason\":\"exited\"");
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    run(&["--report", "/dev/full", "true"]).exits(1).complains("cannot write --report");
    run(&["--events", "/dev/full", "sh", "-c", "exit 3"]).exits(3).complains("cannot write --events");
}

#[test]
fn events_are_told_as_they_happen() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events");
    let path = file.to_str().unwrap();
    let read = || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let process = spile([
        "run",
        "--events",
        path,
        "-t",
        "2s",
        "--",
        "sh",
        "-c",
        "trap '' USR1; echo ready; sleep 30; sleep 30",
    ]);
    let process = process.gets("ready\n");
    wait_until("the start is told", || std::fs::read_to_string(&file).unwrap_or_default().ends_with('\n'));
    assert_eq!(read()[0]["ev"], "start");
    process.signal("USR1");
    process.ends().exits(124);
    let events = read();
    let names: Vec<&str> = events.iter().map(|event| event["ev"].as_str().unwrap()).collect();
    assert_eq!(names, ["start", "signal", "timeout", "exit"]);
    assert_eq!(events[1]["signal"]["name"], "USR1");
    assert_eq!(events[3]["status"]["signal"], "TERM");
    let times: Vec<f64> = events.iter().map(|event| event["at"].as_f64().unwrap()).collect();
    assert!(times.is_sorted() && times[2] >= 2.0, "{times:?}");
}

#[test]
fn times_are_told_on_request_and_nothing_else_is_ever_said() {
    let ended = run(&["--time", "--", "sleep", "0.2"]).exits(0).complains("spile run: 0.2");
    assert!(ended.stderr.contains(" s real, 0.0") && ended.stderr.contains(" MiB"), "{}", ended.stderr);
    let ended = run(&["-t", "9s", "--", "sh", "-c", "exit 5"]).exits(5);
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_pid_file_is_there_while_the_program_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let process = spile(["run", "--pid-file", file.to_str().unwrap(), "--", "sh", "-c", "echo $$; read x"]);
    wait_until("it is written", || file.exists());
    let pid = std::fs::read_to_string(&file).unwrap();
    process.gets(&pid).sends("\n").ends();
    assert!(!file.exists());
}

#[test]
fn a_dry_run_tells_the_plan_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let plan = run(&["--dry-run", "-t", "5s", "-e", "A=b", "--", "touch", made.to_str().unwrap()]).exits(0);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!((&plan["runs"][0][0], &plan["limits"]["timeout"]), (&json!("touch"), &json!(5.0)));
    assert_eq!((&plan["kind"], &plan["limits"]["scope"]), (&json!("run"), &json!("tree")));
    assert!(plan["path"].as_str().unwrap().ends_with("/touch"));
    assert!(!made.exists());
    run(&["--dry-run", "nosuch"]).exits(127);
}

#[test]
fn a_dry_run_tells_streams_limits_retries_and_services_as_they_would_be() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let tee = log.to_str().unwrap();
    let io = ["--stdin", "text:in", "--stderr", "append:err", "--tee", tee, "--pty=80x24"];
    let ends = ["--idle-timeout", "2s", "--scope", "group", "--orphans", "wait", "--signal", "INT"];
    let again = ["--retries", "3", "--backoff", "1s..4s", "--retry-on", "1-3,timeout,match:a b"];
    let beside =
        ["--retry-clean", "rm -f x", "--with", "db=sleep 9", "--ready", "tcp:5432", "--ready", "line:up"];
    let flags = [&["--dry-run"], &io[..], &ends, &again, &beside, &["--", "true"]].concat();
    let plan: Value = serde_json::from_slice(&run(&flags).exits(0).stdout).unwrap();
    let streams = &plan["streams"];
    assert_eq!((&streams["stdin"], &streams["stdout"]), (&json!("text:in"), &json!("-")));
    assert_eq!((&streams["stderr"], &streams["tee"]), (&json!("append:err"), &json!(format!("file:{tee}"))));
    assert_eq!((&streams["pty"], &streams["pass_through_spile"]), (&json!("80x24"), &json!(true)));
    let limits = &plan["limits"];
    assert_eq!((&limits["idle_timeout"], &limits["timeout"]), (&json!(2.0), &Value::Null));
    assert_eq!((&limits["scope"], &limits["orphans"]), (&json!("group"), &json!("wait")));
    assert_eq!((&limits["signal"], &limits["grace"]), (&json!("INT"), &json!(5.0)));
    let on = json!(["1-3", "timeout", "match:a b"]);
    let retries = json!({"most": 3, "backoff": [1.0, 4.0], "on": on, "clean": ["rm", "-f", "x"]});
    assert_eq!(plan["retries"], retries);
    let service = json!({"name": "db", "argv": ["sleep", "9"], "ready": ["localhost:5432", "line:up"]});
    assert_eq!((&plan["services"], &plan["ready_timeout"]), (&json!([service]), &json!(30.0)));
    assert!(!log.exists(), "a dry run opens nothing");
}

#[test]
fn the_order_between_the_streams_is_told_as_exact_only_where_it_was() {
    assert_eq!(run(&["--report", "-", "--relay", "--", "true"]).json()["order"], "approx");
    assert_eq!(run(&["--report", "-", "--order", "exact", "--", "true"]).json()["order"], "exact");
}

#[test]
fn a_dash_is_stdout_for_reports_and_events() {
    let ended = run(&["--report", "-", "--", "echo", "data"]).exits(0);
    assert!(ended.stdout.starts_with(b"data\n{"), "{ended:?}");
    assert_eq!(ended.json()["kind"], "run");
    let events = run(&["--events", "-", "--", "true"]).exits(0);
    assert_eq!(events.json()["ev"], "exit");
    let piped = spile(["pipe", "--report", "-", "true", "::", "true"]).eof().ends().exits(0);
    assert_eq!(piped.json()["kind"], "pipe");
}
