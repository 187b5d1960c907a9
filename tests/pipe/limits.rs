//! `pipe`: time limits, the end of whole trees, signals, left-behind processes.

use std::time::{Duration, Instant};

use crate::harness::*;

fn words(args: &[&str]) -> Ended {
    spile([&["pipe"], args].concat()).eof().ends()
}

#[test]
fn the_limit_of_the_pipeline_ends_all_stages_and_what_they_started() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("pid").display().to_string();
    let hides = format!("setsid sh -c 'echo $$ >{mark}; exec sleep 60' & exec sleep 60");
    let begun = Instant::now();
    let ended =
        words(&["-t", "500ms", "--report", "fd:1", "sh", "-c", &hides, "::", "sleep", "60"]).exits(124);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let report = ended.complains("time limit --timeout ran out").json();
    assert_eq!((report["reason"].as_str(), report["exit"].as_u64()), (Some("timeout"), Some(124)));
    let pid = std::fs::read_to_string(&mark).unwrap().trim().parse().unwrap();
    assert!(!is_alive(pid));
}

#[test]
fn who_does_not_end_on_term_is_killed_after_the_grace() {
    let deaf = "trap '' TERM; while :; do sleep 0.05; done";
    let begun = Instant::now();
    let ended = words(&["-t", "200ms", "--grace", "300ms", "sh", "-c", deaf, "::", "cat"]).exits(124);
    assert!(begun.elapsed() > Duration::from_millis(450) && begun.elapsed() < Duration::from_secs(5));
    ended.complains("--timeout ran out: after 200ms, and --grace 300ms later what was left was killed\n");
}

#[test]
fn a_stage_that_had_to_be_killed_is_told() {
    let deaf = "trap '' TERM; while :; do sleep 0.05; done";
    let flags = ["--grace", "200ms", "--report", "fd:1", "--events", "fd:1"];
    let stages = ["@timeout=200ms", "@name=deaf", "sh", "-c", deaf, "::", "cat"];
    let ended = words(&[&flags[..], &stages].concat()).exits(124);
    let line = "spile pipe: deaf: time limit @timeout ran out: after 200ms, and --grace 200ms later what was left \
                was killed\n";
    assert_eq!(ended.stderr, line);
    let report = ended.json();
    let stage = &report["stages"][0];
    assert_eq!((&stage["escalated"], &stage["limit"]), (&true.into(), &"timeout".into()));
    assert_eq!(report["stages"][1]["escalated"], false);
    let killed = report["tree"]["killed"].as_array().unwrap();
    assert!(killed.iter().any(|one| one["pid"] == stage["pid"] && one["signal"] == "KILL"), "{report}");
    let events = String::from_utf8(ended.stdout).unwrap();
    let kill = events.lines().find(|line| line.contains(r#""ev":"kill""#)).unwrap();
    assert!(kill.contains(r#""n":0,"name":"deaf""#), "{kill}");
    // Where it was to be killed at once, nothing has escalated.
    let killed = ["--signal", "KILL", "--report", "fd:1", "@timeout=200ms", "sleep", "60"];
    let ended = words(&killed).exits(124);
    assert_eq!(ended.stderr, "spile pipe: sleep: time limit @timeout ran out: after 200ms\n");
    assert_eq!(ended.json()["stages"][0]["escalated"], false);
}

#[test]
fn the_limit_of_a_stage_ends_that_stage_alone() {
    let report =
        words(&["--report", "fd:1", "echo", "x", "::", "@timeout=200ms", "sleep", "60", "::", "true"]);
    let report = report.exits(124).complains("sleep: time limit @timeout ran out: after 200ms").json();
    assert_eq!(
        (report["decided_by"].as_u64(), report["stages"][1]["limit"].as_str()),
        (Some(1), Some("timeout"))
    );
    assert_eq!(report["reason"], "exited");
    words(&["@timeout=200ms", "@optional", "sh", "-c", "echo x; sleep 60", "::", "cat"]).exits(0).says("x\n");
}

#[test]
fn silence_is_a_limit_for_the_pipeline_and_for_a_stage() {
    let talks = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done";
    words(&["--idle-timeout", "500ms", "sh", "-c", talks, "::", "tail", "-1"]).exits(0).says("6\n");
    let stalls = "echo x; sleep 60";
    words(&["--idle-timeout", "300ms", "sh", "-c", stalls, "::", "cat"])
        .exits(124)
        .says("x\n")
        .complains("--idle-timeout");
    words(&["@idle=300ms", "sh", "-c", stalls, "::", "cat"])
        .exits(124)
        .says("x\n")
        .complains("sh: time limit @idle");
}

#[test]
fn no_limit_is_passed_by_a_pipeline_that_ends_in_time() {
    words(&["-t", "10s", "--idle-timeout", "10s", "seq", "3", "::", "@timeout=10s", "tail", "-1"])
        .exits(0)
        .says("3\n");
}

/// A shell that says on stderr when `signal` has come, and that it is ready to be sent it.
fn listener(name: &str, signal: &str, then: &str) -> String {
    format!(
        "trap 'echo got >&2{then}' {signal}; echo ready-{name} >&2; for i in 1 2 3 4 5 6; do sleep 0.1; done"
    )
}

/// Two stages that are both ready for a signal.
fn listening(signal: &str, then: &str) -> Process {
    let (one, two) = (listener("one", signal, then), listener("two", signal, then));
    let mut process = spile(["pipe", "sh", "-c", &one, "::", "sh", "-c", &two]);
    process.line("ready-one");
    process.line("ready-two");
    process
}

#[test]
fn a_signal_to_spile_reaches_every_stage_and_their_verdict_counts() {
    let process = listening("TERM", "; exit 5");
    process.signal("TERM");
    let ended = process.ends().exits(5);
    assert_eq!(ended.stderr.matches("got").count(), 2, "{}", ended.stderr);
}

#[test]
fn a_stage_on_a_terminal_hears_a_signal_like_the_others_and_nobody_waits_for_a_grace() {
    let begun = Instant::now();
    let mut process = spile(["pipe", "cat", "::", "@pty", "sleep", "60", "::", "cat"]);
    wait_until("all run", || children(process.pid()).len() == 3);
    process.signal_if_running("TERM");
    process.ends().exits(143);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn an_interrupt_reaches_each_stage_once() {
    let process = listening("INT", "");
    process.signal("INT");
    let ended = process.ends();
    assert_eq!(ended.stderr.matches("got").count(), 2, "{}", ended.stderr);
}

#[test]
fn what_a_stage_left_behind_does_not_keep_us_longer_than_the_linger() {
    let begun = Instant::now();
    let leaves = "sleep 30 >/dev/null & echo $! >&2; echo x";
    let ended =
        words(&["--linger", "200ms", "--err", "label", "sh", "-c", leaves, "::", "cat"]).exits(0).says("x\n");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let pid: u32 = ended.stderr.trim().strip_prefix("sh: ").unwrap().parse().unwrap();
    assert!(is_alive(pid), "it may go on");
    program("kill", &[&pid.to_string()]).ends().exits(0);
}

#[test]
fn the_stages_are_one_process_group() {
    let mut process = spile(["pipe", "sleep", "60", "::", "sleep", "60", "::", "sleep", "60"]);
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    wait_until("all run", || {
        let stages = children(process.pid());
        stages.len() == 3 && stages.into_iter().all(|pid| name(pid) == "sleep\n")
    });
    let group = |pid: u32| -> i32 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    let groups: Vec<i32> = children(process.pid()).into_iter().map(group).collect();
    assert_eq!(groups, [groups[0]; 3]);
    process.signal_if_running("TERM");
    process.ends().exits(143);
}

#[test]
fn signals_are_found_and_passed_on_as_asked() {
    let flags = ["pipe", "--ignore", "HUP", "--block", "USR1", "--default", "PIPE"];
    let words = ["sh", "-c", "kill -HUP $$; kill -USR1 $$; echo alive", "::", "cat"];
    spile([&flags[..], &words].concat()).eof().ends().exits(0).says("alive\n");
    let counts = "trap 'echo usr1; exit 5' USR1; echo ready; while :; do sleep 0.02; done";
    let flags = ["pipe", "--rewrite", "TERM:USR1", "--no-forward=USR2", "sh", "-c", counts];
    let process = spile(flags).gets("ready\n");
    process.signal("USR2");
    process.signal("TERM");
    process.ends().exits(5).says("usr1\n");
    let usage = spile(["pipe", "--rewrite", "TERM", "true"]).eof().ends();
    usage.exits(125).complains("is not FROM:TO");
}
