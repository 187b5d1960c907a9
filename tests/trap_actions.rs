//! `trap -- CMD`: what is done about signals and times.

mod harness;

use std::time::{Duration, Instant};

use harness::*;

/// Runs `spile trap FLAGS -- sh -c SCRIPT` until it has said "ready".
fn trap(flags: &[&str], script: &str) -> Process {
    spile([&["trap"], flags, &["--", "sh", "-c", script]].concat()).gets("ready\n")
}

/// Says which of these it gets; ends with TERM.
const TELLER: &str =
    "for s in HUP INT QUIT USR1 USR2; do trap \"echo got $s\" $s; done; trap 'echo got TERM; exit 7' TERM
    echo ready; while :; do sleep .02; done";

#[test]
fn what_no_rule_names_is_passed_on() {
    let process = trap(&["--on", "USR2=ignore"], TELLER);
    let mut process = process;
    for signal in ["HUP", "INT", "USR1"] {
        process.signal(signal);
        process.read(format!("got {signal}\n").as_bytes());
    }
    wait_until("all were read", || !has_pending(process.pid()));
    process.signal("USR2");
    process.signal("TERM");
    let ended = process.ends().exits(7);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(!said.contains("USR2") && said.ends_with("got TERM\n"), "{said}");
}

#[test]
fn an_action_stands_in_for_the_signal() {
    for (rule, sent, said, status) in [
        ("HUP=send:USR1", "HUP", "got USR1\n", 7),
        ("HUP=forward", "HUP", "got HUP\n", 7),
        ("HUP=run:echo handled $SPILE_SIGNAL", "HUP", "handled HUP\n", 7),
        ("USR1=both:echo first", "USR1", "first\ngot USR1\n", 7),
        ("HUP,USR1=run:echo either", "USR1", "either\n", 7),
    ] {
        let process = trap(&["--on", rule], TELLER);
        process.signal(sent);
        let process = process.gets(said);
        process.signal("TERM");
        process.ends().exits(status).says("got TERM\n");
    }
}

#[test]
fn several_actions_are_taken_in_their_order() {
    let flags = ["--on", "HUP=send:USR1", "--on", "HUP=report", "--on", "HUP=run:echo last"];
    let mut process = trap(&flags, TELLER);
    process.signal("HUP");
    let said = process.line("spile trap: HUP number=1 code=SI_USER pid=");
    assert!(said.contains(" has run for "), "{said}");
    wait_until("both have come", || !has_pending(process.pid()));
    process.signal("TERM");
    let ended = process.ends().exits(7);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(said.contains("got USR1\n") && said.contains("last\n"), "{said}");
}

#[test]
fn exit_ends_the_tree_with_a_status_of_its_own() {
    let nap = unique_sleep(1);
    let script = format!(
        "(setsid sh -c 'sleep {nap}; :' &); trap 'echo asked; exit 1' TERM; echo ready; while :; do sleep .02; done"
    );
    let process = trap(&["--on", "USR1=exit:42"], &script);
    wait_until("the tree is there", || with_argument(&nap).iter().any(|pid| is_a(*pid, "sleep")));
    process.signal("USR1");
    process.ends().exits(42).says("asked\n");
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn stop_asks_the_tree_and_kills_it_after_its_grace() {
    let nap = unique_sleep(2);
    let script = format!("(setsid sh -c 'trap \"\" TERM; sleep {nap}; :' &); echo ready; exec sleep 60");
    let began = Instant::now();
    let process = trap(&["--on", "HUP=stop:200ms", "--grace", "60s"], &script);
    wait_until("the tree is there", || with_argument(&nap).iter().any(|pid| is_a(*pid, "sleep")));
    process.signal("HUP");
    process.ends().dies_of(15);
    assert_eq!(with_argument(&nap), [0; 0]);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_second_stop_kills() {
    let script = "trap 'echo asked' TERM; echo ready; while :; do sleep .02; done";
    let process = trap(&["--on", "INT=stop", "--grace", "60s"], script);
    process.signal("INT");
    let process = process.gets("asked\n");
    process.signal("INT");
    process.ends().dies_of(9);
}

#[test]
fn a_restart_runs_the_program_again_in_the_place_of_the_old_one() {
    let nap = unique_sleep(3);
    let script = format!("(setsid sleep {nap} &); echo ready; exec sleep 60");
    let count = || with_argument(&nap).iter().filter(|pid| is_a(**pid, "sleep")).count();
    let process = trap(&["--on", "HUP=restart", "--report", "fd:1"], &script);
    wait_until("the tree is there", || count() == 1);
    let first = children(process.pid());
    process.signal("HUP");
    let process = process.gets("ready\n");
    wait_until("the old tree is gone", || count() == 1);
    assert!(first.iter().all(|pid| !is_alive(*pid)));
    process.signal("TERM");
    let report = process.ends().dies_of(15).json();
    assert_eq!((&report["kind"], &report["restarts"]), (&"trap".into(), &1.into()));
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn handlers_find_what_they_are_for() {
    let line = "echo $SPILE_SIGNAL $SPILE_COUNT $SPILE_VALUE $SPILE_SENDER_PID $SPILE_SENDER_UID; kill -TERM $SPILE_PID";
    let process = trap(&["--on", &format!("RTMIN+2=run:{line}")], "echo ready; exec sleep 60");
    let sender =
        spile(["trap", "--send", "RTMIN+2", "--value", "-3", "--to", &process.pid().to_string()]).eof();
    let from = sender.pid();
    sender.ends().exits(0);
    let uid = output_of("id", &["-u"]);
    process.ends().dies_of(15).says(format!("RTMIN+2 1 -3 {from} {uid}"));
}

#[test]
fn a_handler_runs_alone_and_merges_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("lock").display().to_string();
    let go = dir.path().join("go").display().to_string();
    let line = format!(
        "mkdir {lock} || echo twice; echo began; until test -e {go}; do sleep .01; done; echo ended $SPILE_COUNT; rmdir {lock}"
    );
    let process = trap(&["--on", &format!("USR1=run:{line}")], "echo ready; exec sleep 60");
    process.signal("USR1");
    let process = process.gets("began\n");
    for _ in 0..5 {
        process.signal("USR1");
        wait_until("it was read", || !has_pending(process.pid()));
    }
    std::fs::write(&go, "").unwrap();
    let process = process.gets("ended 1\nbegan\nended 5\n");
    process.signal("TERM");
    process.ends().dies_of(15).says("");
}

#[test]
fn a_handler_that_fails_is_told_and_the_signal_goes_its_way() {
    let mut process = trap(&["--on", "HUP=both:exit 3", "--on", "USR1=run:kill -SEGV $$"], TELLER);
    process.signal("HUP");
    assert_eq!(process.line("spile trap: the handler for HUP "), "has failed with status 3");
    process.signal("USR1");
    assert_eq!(process.line("spile trap: the handler for USR1 "), "has died of SEGV");
    let process = process.gets("got HUP\n");
    process.signal("TERM");
    process.ends().exits(7);
}

#[test]
fn a_handler_that_hangs_is_ended_and_the_next_has_its_turn() {
    let nap = unique_sleep(4);
    let hangs = format!("HUP=both:trap '' TERM; sleep {nap}; :");
    let flags =
        ["--on", &hangs, "--on", "USR1=run:echo next", "--handler-timeout", "200ms", "--grace", "100ms"];
    let mut process = trap(&flags, TELLER);
    process.signal("HUP");
    wait_until("it hangs", || with_argument(&nap).iter().any(|pid| is_a(*pid, "sleep")));
    process.signal("USR1");
    assert!(process.line("spile trap: the handler for HUP was ended after ").contains("--handler-timeout"));
    let mut process = process;
    let mut said = String::new();
    while !(said.contains("got HUP\n") && said.contains("next\n")) {
        said += &String::from_utf8(process.some()).unwrap();
    }
    assert_eq!(with_argument(&nap), [0; 0]);
    process.signal("TERM");
    process.ends().exits(7);
}

#[test]
fn a_handler_outlives_the_program_by_the_grace_and_no_longer() {
    let process =
        trap(&["--on", "HUP=run:sleep .3; echo done", "--grace", "10s"], "echo ready; read x; exit 4");
    let mut process = process;
    process.signal("HUP");
    wait_until("it runs", || children(process.pid()).len() == 2);
    process.write(b"\n");
    process.ends().exits(4).says("done\n");
    let began = Instant::now();
    let mut process = trap(&["--on", "HUP=run:sleep 60", "--grace", "200ms"], "echo ready; read x; exit 4");
    process.signal("HUP");
    wait_until("it runs", || children(process.pid()).len() == 2);
    process.write(b"\n");
    process.ends().exits(4);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_double_is_two_in_a_row_and_not_two() {
    let process = trap(
        &["--double", "INT=exit:9@500ms"],
        "trap 'echo got' INT; echo ready; while :; do sleep .02; done",
    );
    process.signal("INT");
    let process = process.gets("got\n");
    std::thread::sleep(Duration::from_millis(600)); // as long as two are no double
    process.signal("INT");
    let process = process.gets("got\n");
    process.signal("INT");
    process.ends().exits(9);
}

#[test]
fn interrupts_in_a_row_are_nothing_special_unless_that_is_said() {
    let process =
        trap(&[], "trap 'echo got' INT; trap 'exit 5' TERM; echo ready; while :; do sleep .02; done");
    let mut process = process;
    for _ in 0..5 {
        process.signal("INT");
        process.read(b"got\n");
    }
    process.signal("TERM");
    process.ends().exits(5);
}

#[test]
fn timers_fire_once_or_again() {
    let began = Instant::now();
    trap(&["--after", "300ms=send:ALRM"], "echo ready; exec sleep 60").ends().dies_of(14);
    assert!(began.elapsed() >= Duration::from_millis(300));
    let process = trap(&["--every", "50ms=run:echo $SPILE_TIMER"], "echo ready; exec sleep 60");
    let process = process.gets("50ms\n50ms\n50ms\n");
    process.signal("TERM");
    process.ends().dies_of(15);
    trap(&["--after", "100ms=exit:3"], "echo ready; exec sleep 60").ends().exits(3);
}

#[test]
fn timers_of_cpu_time_count_what_the_program_uses() {
    let busy = "echo ready; exec python3 -c 'while True: pass'";
    for clock in ["cpu", "user"] {
        let began = Instant::now();
        let ended = trap(&["--after", &format!("{clock}:300ms=send:XCPU"), "--report", "fd:1"], busy).ends();
        let report = ended.dies_of(24).json();
        let used = &report["child"]["rusage"];
        let used = used["user"].as_f64().unwrap() + used["sys"].as_f64().unwrap();
        assert!(used >= 0.25, "{report}");
        assert!(began.elapsed() < DEADLINE);
    }
    // Who sleeps uses none.
    let script = "echo ready; sleep .5; exit 6";
    trap(&["--after", "cpu:300ms=send:XCPU"], script).ends().exits(6);
}

#[test]
fn the_status_is_the_programs_own() {
    spile(["trap", "--", "sh", "-c", "exit 3"]).ends().exits(3);
    spile(["trap", "sh", "-c", "kill -TERM $$"]).ends().dies_of(15);
    let ended = spile(["trap", "--exit-128", "--", "sh", "-c", "kill -TERM $$"]).ends().exits(143);
    assert_eq!(ended.signal, None);
    spile(["trap", "--ok", "3,TERM", "--", "sh", "-c", "exit 3"]).ends().exits(0);
    spile(["trap", "--", "/no/such/program"]).ends().exits(127).complains("/no/such/program");
    spile(["trap", "--", "/etc/passwd"]).ends().exits(126);
}

#[test]
fn signals_are_rewritten_dropped_ignored_and_blocked_as_with_run() {
    let process = trap(
        &["--rewrite", "TERM:QUIT,HUP:none"],
        "trap 'echo quit; exit 8' QUIT; echo ready; while :; do sleep .02; done",
    );
    process.signal("HUP");
    process.signal("TERM");
    process.ends().exits(8).says("quit\n");
    let flags = [
        "trap",
        "--ignore",
        "HUP",
        "--block",
        "USR2",
        "--",
        "grep",
        "-E",
        "Sig(Ign|Blk)",
        "/proc/self/status",
    ];
    let said = String::from_utf8(spile(flags).ends().exits(0).stdout).unwrap();
    assert!(said.contains("SigBlk:\t0000000000000800") && said.ends_with("01\n"), "{said}");
}

#[test]
fn each_signal_is_a_line_for_whoever_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signals");
    let path = file.display().to_string();
    let process = trap(&["--notify", &path, "--on", "HUP,RTMIN+1=ignore"], "echo ready; exec sleep 60");
    let pid = process.pid().to_string();
    process.signal("HUP");
    wait_until("it was read", || !has_pending(process.pid()));
    spile(["trap", "--send", "35", "--value", "5", "--to", &pid]).ends().exits(0);
    wait_until("it was read", || !has_pending(process.pid()));
    process.signal("TERM");
    process.ends().dies_of(15);
    let text = std::fs::read_to_string(&file).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(
        words.iter().map(|line| &line[..2]).collect::<Vec<_>>(),
        [["HUP", "1"], ["RTMIN+1", "35"], ["TERM", "15"]]
    );
    assert_eq!((words[0][4], words[1][4]), ("-", "5"));
    assert!(words[0][2].parse::<u32>().is_ok(), "{text}");
}

#[test]
fn a_reader_of_a_fifo_comes_when_it_likes() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    program("mkfifo", &[&fifo]).ends().exits(0);
    let process = trap(&["--notify", &fifo, "--on", "HUP=ignore"], "echo ready; exec sleep 60");
    process.signal("HUP");
    let read = program("bash", &["-c", &format!("read name number rest <{fifo}; echo $name $number")]);
    read.ends().exits(0).says("HUP 1\n");
    process.signal("TERM");
    process.ends().dies_of(15);
}

#[test]
fn a_descriptor_is_told_too_and_the_program_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    let line = format!(
        "mkfifo {fifo}; exec 3<>{fifo}; exec $SPILE trap --notify fd:3 --on HUP=ignore -- \
         bash -c 'echo ready; read name number rest <&3; echo $name $number'"
    );
    let process = shell(&line).gets("ready\n");
    process.signal("HUP");
    process.ends().exits(0).says("HUP 1\n");
}

#[test]
fn events_and_report_tell_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let flags = [
        "--on",
        "HUP=run:exit 3",
        "--on",
        "USR1=ignore",
        "--report",
        "fd:1",
        "--events",
        &events.display().to_string(),
    ];
    let mut process = trap(&flags, "echo ready; exec sleep 60");
    process.signal("HUP");
    process.line("spile trap: the handler for HUP ");
    for _ in 0..3 {
        process.signal("USR1");
        wait_until("it was read", || !has_pending(process.pid()));
    }
    process.signal("TERM");
    let report = process.ends().dies_of(15).json();
    assert_eq!((&report["schema"], &report["exit"]), (&"spile.trap/1".into(), &143.into()));
    let hup = &report["events"][0];
    assert_eq!((&hup["signal"], &hup["action"]), (&"HUP".into(), &"run:exit 3".into()));
    assert_eq!((&hup["result"]["code"], &hup["code"]), (&3.into(), &"SI_USER".into()));
    assert_eq!(report["child"]["status"]["signal"], "TERM");
    assert_eq!(report["child"]["signals"].as_array().unwrap().len(), 5);
    let text = std::fs::read_to_string(events).unwrap();
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["ev"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["start", "signal", "handler", "signal", "signal", "signal", "signal", "exit"]);
}

#[test]
fn a_plan_is_told_and_nothing_run() {
    let args = [
        "trap",
        "--dry-run",
        "--on",
        "HUP=restart",
        "--every",
        "1h=report",
        "--double",
        "INT=stop@1s",
        "--",
        "true",
    ];
    let plan: serde_json::Value = serde_json::from_slice(&spile(args).ends().exits(0).stdout).unwrap();
    assert_eq!(plan["on"][0], serde_json::json!({"signal": "HUP", "action": "restart"}));
    assert_eq!((&plan["timers"][0]["time"], &plan["doubles"][0]["within"]), (&"1h".into(), &1.0.into()));
}

#[test]
fn bad_rules_are_refused() {
    for (flag, word, why) in [
        ("--on", "TREM=ignore", "did you mean TERM?"),
        ("--on", "KILL=ignore", "nobody can catch KILL"),
        ("--on", "CHLD=ignore", "CHLD"),
        ("--on", "HUP=igonre", "did you mean ignore?"),
        ("--on", "HUP", "SIGNALS=ACTION"),
        ("--after", "1s=both:x", "passes a signal on"),
        ("--every", "0=report", "more than 0"),
        ("--double", "INT=stop:x", "duration"),
    ] {
        spile(["trap", flag, word, "--", "true"]).ends().exits(125).complains(why);
    }
    spile(["trap", "--list", "--", "true"]).ends().exits(125).complains("'true' is a command");
    spile(["trap", "--notify", "fd:77", "true"]).ends().exits(125).complains("not open");
    spile(["trap", "--notify", "/no/such/dir/file", "true"]).ends().exits(125).complains("--notify");
}
