//! `trap -- CMD`: an end and a restart that were both asked for, in whatever order, and handlers that outlive the
//! program.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::*;

/// Says "run", and "asked" when it is asked to end; ends with 5 once the file is there.
fn slow(go: &Path) -> String {
    let go = go.display();
    format!(
        "for s in HUP INT QUIT TERM; do trap 'echo asked' $s; done; echo run; \
         until test -e {go}; do sleep .02; done; exit 5"
    )
}

/// What was said by a program that was sent these signals before it could end, and the status.
fn told(flags: &[&str], signals: &[&str]) -> (usize, i32) {
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    let flags = [&["trap", "--on", "HUP=restart", "--grace", "60s"], flags].concat();
    let process = spile([&flags[..], &["--", "sh", "-c", &slow(&go)]].concat()).gets("run\n");
    for signal in signals {
        process.signal(signal);
        wait_until("it was read", || !has_pending(process.pid()));
    }
    std::fs::write(&go, "").unwrap();
    let ended = process.ends();
    let runs = 1 + String::from_utf8_lossy(&ended.stdout).matches("run\n").count();
    (runs, ended.status)
}

#[test]
fn who_asks_for_an_end_is_heard_before_and_after_a_restart_was_asked_for() {
    for (rule, signals, runs, status) in [
        ("USR2=ignore", &["HUP"][..], 2, 5),
        ("USR2=ignore", &["HUP", "TERM"], 1, 5),
        ("TERM=forward", &["HUP", "TERM"], 1, 5),
        ("TERM=both:exit 0", &["HUP", "TERM"], 1, 5),
        ("TERM=send:QUIT", &["HUP", "TERM"], 1, 5),
        ("USR2=send:TERM", &["HUP", "USR2"], 1, 5),
        ("TERM=exit:7", &["HUP", "TERM"], 1, 7),
        // The restart has asked already, and yet this is the first stop.
        ("TERM=stop", &["HUP", "TERM"], 1, 5),
        ("TERM=stop", &["HUP", "TERM", "TERM"], 1, 137),
        ("USR2=ignore", &["HUP", "INT"], 1, 5),
        // These ask for no end.
        ("TERM=ignore", &["HUP", "TERM"], 2, 5),
        ("TERM=run:exit 0", &["HUP", "TERM"], 2, 5),
        // The other way round.
        ("USR2=ignore", &["TERM", "HUP"], 1, 5),
        ("TERM=both:exit 0", &["TERM", "HUP"], 1, 5),
        ("TERM=send:USR1", &["TERM", "HUP"], 1, 138),
        ("TERM=exit:7", &["TERM", "HUP"], 1, 7),
        ("TERM=stop", &["TERM", "HUP"], 1, 5),
        // A program may go on after these, and then whoever wants a restart means it.
        ("USR2=ignore", &["INT", "HUP"], 2, 5),
        ("USR2=ignore", &["INT", "HUP", "TERM"], 1, 5),
    ] {
        assert_eq!(told(&["--on", rule], signals), (runs, status), "{rule}: {signals:?}");
    }
}

#[test]
fn no_timer_restarts_what_was_asked_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    for signal in ["TERM", "INT"] {
        let flags = ["trap", "--grace", "60s", "--after", "2s=restart", "--after", "2100ms=report"];
        let mut process = spile([&flags[..], &["--", "sh", "-c", &slow(&go)]].concat()).gets("run\n");
        process.signal(signal);
        process.read(b"asked\n");
        process.line("spile trap: after 2100ms; process ");
        std::fs::write(&go, "").unwrap();
        process.ends().exits(5).says("");
        std::fs::remove_file(&go).unwrap();
    }
}

#[test]
fn a_stop_during_a_restart_has_the_grace_that_it_names() {
    let script = "trap 'echo asked' TERM; echo run; while :; do sleep .02; done";
    let flags = ["trap", "--on", "HUP=restart", "--on", "USR1=stop:100ms", "--grace", "60s"];
    let process = spile([&flags[..], &["--", "sh", "-c", script]].concat()).gets("run\n");
    process.signal("HUP");
    let process = process.gets("asked\n");
    process.signal("USR1");
    process.ends().dies_of(9);
}

#[test]
fn who_wants_a_restart_after_the_program_has_ended_gets_it_whatever_the_signal() {
    for signal in ["HUP", "USR2"] {
        let dir = tempfile::tempdir().unwrap();
        let again = dir.path().join("again").display().to_string();
        let script = format!("echo run; test -e {again} && exit 6; touch {again}; read x; exit 4");
        let flags = ["--on", "USR1=run:echo handled; exec sleep 60", "--on", "HUP,USR2=restart"];
        let process = spile([&["trap"], &flags[..], &["--grace", "3s", "--", "sh", "-c", &script]].concat());
        let process = process.gets("run\n");
        process.signal("USR1");
        let process = process.gets("handled\n").sends("\n");
        wait_until("the program has ended", || children(process.pid()).len() == 1);
        process.signal(signal);
        let mut process = process.gets("run\n");
        process.line("spile trap: the handler for USR1 was ended after ");
        process.ends().exits(6);
    }
}

#[test]
fn a_handler_that_is_ended_with_the_program_has_run_into_no_timeout() {
    let flags = ["trap", "--on", "HUP=run:echo began; exec sleep 60", "--grace", "200ms", "--report", "fd:1"];
    let process = spile([&flags[..], &["--", "sh", "-c", "echo ready; read x; exit 4"]].concat());
    let process = process.gets("ready\n");
    process.signal("HUP");
    let ended =
        process.gets("began\n").sends("\n").ends().exits(4).complains("because the program has ended");
    assert!(!ended.stderr.contains("--handler-timeout"), "{}", ended.stderr);
    let result = &ended.json()["events"][0]["result"];
    assert_eq!((&result["cut"], &result["timeout"]), (&true.into(), &serde_json::Value::Null));
}

#[test]
fn who_asks_for_an_end_means_the_handlers_where_they_alone_are_left_and_kills_them_the_second_time() {
    let handler = "USR1=run:trap 'echo asked' TERM; echo began; while :; do sleep .02; done";
    for (rule, status) in [("USR2=ignore", 4), ("TERM=stop", 4), ("TERM=exit:7", 7)] {
        let flags = ["trap", "--on", handler, "--on", rule, "--grace", "60s", "--report", "fd:1"];
        let process = spile([&flags[..], &["--", "sh", "-c", "echo ready; read x; exit 4"]].concat());
        let process = process.gets("ready\n");
        process.signal("USR1");
        let process = process.gets("began\n").sends("\n");
        wait_until("the program has ended", || children(process.pid()).len() == 1);
        process.signal("TERM");
        let process = process.gets("asked\n");
        process.signal("TERM");
        let ended = process.ends().exits(status).complains("the handler for USR1 was ended after ");
        assert_eq!(ended.json()["events"][0]["result"]["cut"], true, "{rule}: {}", ended.json());
    }
}

#[test]
fn a_handler_that_ignores_the_end_is_not_left_behind() {
    let nap = unique_sleep();
    let handler = format!("USR1=run:trap '' TERM; echo began; while :; do sleep {nap}; done");
    let process =
        spile(["trap", "--on", &handler, "--grace", "500ms", "--", "sh", "-c", "echo ready; read x; exit 4"]);
    let process = process.gets("ready\n");
    process.signal("USR1");
    let process = process.gets("began\n").sends("\n");
    wait_until("the program has ended", || children(process.pid()).len() == 1);
    process.signal("TERM");
    process.ends().exits(4).complains("the handler for USR1 was ended after ");
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn handlers_are_not_left_behind_where_a_restart_cannot_start_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let (copy, nap) = (dir.path().join("sleep").display().to_string(), unique_sleep());
    std::fs::copy("/bin/sleep", &copy).unwrap();
    let handler = format!("USR1=run:echo began; exec sleep {nap}");
    let flags = ["trap", "--on", &handler, "--on", "HUP=restart", "--grace", "200ms"];
    let process = spile([&flags[..], &["--", &copy, "60"]].concat());
    wait_until("the program runs", || !children(process.pid()).is_empty());
    process.signal("USR1");
    let process = process.gets("began\n");
    std::fs::remove_file(&copy).unwrap();
    process.signal("HUP");
    process.ends().exits(127).complains("the handler for USR1 was ended after ").complains("no such program");
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn handled_signals_that_keep_coming_do_not_hold_up_the_end() {
    let flags = ["trap", "--on", "USR1=run:sleep .05", "--grace", "200ms", "--report", "fd:1"];
    let process = spile([&flags[..], &["--", "sh", "-c", "echo ready; read x; exit 4"]].concat());
    let process = process.gets("ready\n");
    let line = format!("while kill -USR1 {} 2>/dev/null; do :; done", process.pid());
    let _sender = program("bash", &["-c", &line]);
    wait_until("a handler runs", || children(process.pid()).len() == 2);
    let began = Instant::now();
    let ended = process.sends("\n").ends().exits(4).complains("handlers did not run for ");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(ended.json()["unhandled"].as_u64().unwrap() > 0, "{}", ended.json());
}

#[test]
fn no_handler_begins_once_the_program_has_ended_and_who_asks_for_an_end_means_the_one_that_runs() {
    let running = "USR1=run:trap 'echo asked; exit' TERM; echo began; while :; do sleep .02; done";
    for (rule, signals, unhandled) in [
        ("TERM=both:echo another", &["TERM"][..], 1),
        ("USR2=run:echo another", &["USR2", "USR2", "TERM"], 2),
        ("TERM=forward", &["TERM"], 0),
        ("USR2=send:TERM", &["USR2"], 0),
    ] {
        let flags = ["trap", "--on", running, "--on", rule, "--grace", "60s", "--report", "fd:1"];
        let process = spile([&flags[..], &["--", "sh", "-c", "echo ready; read x; exit 4"]].concat());
        let process = process.gets("ready\n");
        process.signal("USR1");
        let process = process.gets("began\n").sends("\n");
        wait_until("the program has ended", || children(process.pid()).len() == 1);
        for signal in signals {
            process.signal(signal);
            wait_until("it was read", || !has_pending(process.pid()));
        }
        let ended = process.ends().exits(4);
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(said.starts_with("asked\n") && !said.contains("another\n"), "{rule}: {said}");
        assert_eq!(ended.json()["unhandled"], unhandled, "{rule}: {}", ended.json());
    }
}

#[test]
fn a_handler_whose_signal_came_in_time_begins_though_the_program_has_ended_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go").display().to_string();
    let running = format!("USR1=run:echo began; until test -e {go}; do sleep .02; done");
    let flags = ["trap", "--on", &running, "--on", "USR2=run:echo another", "--grace", "60s"];
    let process = spile([&flags[..], &["--", "sh", "-c", "echo ready; read x; exit 4"]].concat());
    let process = process.gets("ready\n");
    process.signal("USR1");
    let process = process.gets("began\n");
    process.signal("USR2");
    wait_until("it was read", || !has_pending(process.pid()));
    let process = process.sends("\n");
    wait_until("the program has ended", || children(process.pid()).len() == 1);
    std::fs::write(&go, "").unwrap();
    assert_eq!(process.gets("another\n").ends().exits(4).stderr, "");
}

#[test]
fn all_that_came_before_the_end_is_handled_however_much_was_queued() {
    // Read in one go are 256 at most, and CHLD before all of them.
    let script = "kill -STOP $PPID; for i in $(seq 300); do kill -40 $PPID; done; echo ready; exit 7";
    let flags = ["trap", "--on", "40=run:echo handled", "--grace", "60s", "--", "sh", "-c", script];
    let process = spile(flags).gets("ready\n");
    wait_until("the program has ended", || state_of(children(process.pid())[0]) == 'Z');
    process.signal("CONT");
    let ended = process.ends().exits(7);
    assert_eq!((ended.stdout, ended.stderr), ("handled\n".repeat(300).into_bytes(), String::new()));
}

#[test]
fn handlers_begin_while_there_is_anybody_to_wait_for() {
    let worker = "trap 'echo asked; exit' TERM; echo up; while :; do sleep .02; done";
    let flags = ["trap", "--orphans", "wait", "--on", "TERM=both:echo handled", "--grace", "60s"];
    let script = format!("setsid sh -c \"{worker}\" & exit 4");
    let process = spile([&flags[..], &["--", "sh", "-c", &script]].concat()).gets("up\n");
    wait_until("the program has ended", || {
        let all = children(process.pid());
        all.len() == 1
            && std::fs::read(format!("/proc/{}/cmdline", all[0]))
                .is_ok_and(|line| line.starts_with(b"sh\0-c\0trap"))
    });
    process.signal("TERM");
    process.ends().exits(4).says("handled\nasked\n");
}

#[test]
fn a_restart_that_comes_to_nothing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (go, events) = (dir.path().join("go"), dir.path().join("events"));
    let flags =
        ["trap", "--on", "HUP=restart", "--every", "2s=restart", "--grace", "60s", "--report", "fd:1"];
    let flags = [&flags[..], &["--events", events.to_str().unwrap(), "--", "sh", "-c"]].concat();
    // The timer begins with the program, which is asked to end long before it fires.
    let script = format!(
        "trap '' TERM; kill -TERM $PPID; echo run; until test -e {}; do sleep .02; done; exit 5",
        go.display()
    );
    let mut process = spile([&flags[..], &[&script]].concat());
    let refused = || {
        let told = std::fs::read_to_string(&events).unwrap_or_default();
        told.lines().filter(|line| line.contains("\"no-restart\"") && line.contains("2s")).count()
    };
    process.read(b"run\n");
    wait_until("the timer has come to nothing", || refused() > 0);
    for _ in 0..2 {
        process.signal("HUP");
        wait_until("it was read", || !has_pending(process.pid()));
    }
    std::fs::write(&go, "").unwrap();
    let ended = process.ends().exits(5);
    // Once, and nothing of timers.
    assert_eq!(ended.stderr, "spile trap: no restart for HUP: an end was asked for, and stands before it\n");
    let report = ended.json();
    let hups = report["events"].as_array().unwrap().iter().filter(|event| event["signal"] == "HUP");
    assert_eq!(hups.map(|event| event["refused"].as_u64().unwrap()).sum::<u64>(), 2, "{report}");
    assert_eq!(report["restarts"], 0);
}
