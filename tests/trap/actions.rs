//! `trap -- CMD`: what is done about signals and times.

use std::time::{Duration, Instant};

use crate::harness::*;

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
    let nap = unique_sleep();
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
    let nap = unique_sleep();
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
    let nap = unique_sleep();
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
fn whoever_asks_for_an_end_is_heard_while_it_restarts() {
    for time in ["1ms", "5ms", "20ms"] {
        let mut process =
            spile(["trap", "--every", &format!("{time}=restart"), "--", "sh", "-c", "echo x; exec sleep 60"]);
        process.read(b"x\n");
        process.signal("TERM");
        let ended = process.ends();
        assert_eq!(ended.status, 143, "{time}: {ended:?}");
    }
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
    let nap = unique_sleep();
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
