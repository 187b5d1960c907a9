//! `run`: limits, and that the end is the end of everything the program has started.

use std::time::{Duration, Instant};

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

/// Runs it and answers how long it took, too.
fn timed(args: &[&str]) -> (Ended, Duration) {
    let start = Instant::now();
    let ended = run(args);
    (ended, start.elapsed())
}

/// A Python program in a file, for what a shell cannot do.
fn python(dir: &tempfile::TempDir, text: &str) -> String {
    let path = dir.path().join("program.py");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn asleep(nap: &str) -> Vec<u32> {
    with_argument(nap).into_iter().filter(|pid| is_a(*pid, "sleep")).collect()
}

#[test]
fn a_time_limit_is_status_124_and_named() {
    let (ended, took) = timed(&["-t", "300ms", "--", "sleep", "30"]);
    ended.exits(124).complains("spile run: time limit --timeout ran out: after 300ms");
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_limit_of_zero_is_none() {
    run(&["-t", "0", "--cpu-timeout", "0", "--", "sleep", "0.1"]).exits(0);
}

#[test]
fn a_child_that_ends_in_time_keeps_its_own_status() {
    run(&["-t", "20s", "--", "sh", "-c", "exit 9"]).exits(9);
    run(&["-t", "20s", "--", "sh", "-c", "kill -TERM $$"]).dies_of(15);
}

#[test]
fn the_report_tells_a_childs_124_from_a_limit_and_a_143_from_a_death() {
    let report = |args: &[&str]| run(&[&["--report", "fd:1"], args].concat()).json();
    let own = report(&["-t", "20s", "--", "sh", "-c", "exit 124"]);
    assert_eq!((&own["reason"], &own["exit"]), (&"exited".into(), &124.into()));
    let ours = report(&["-t", "200ms", "--", "sleep", "30"]);
    assert_eq!((&ours["reason"], &ours["exit"]), (&"timeout".into(), &124.into()));
    assert_eq!((&ours["limit"]["fired"], &ours["limit"]["escalated"]), (&true.into(), &false.into()));
    let exit = report(&["sh", "-c", "exit 143"]);
    assert_eq!((&exit["reason"], &exit["status"]["code"]), (&"exited".into(), &143.into()));
    let death = report(&["sh", "-c", "kill -TERM $$"]);
    assert_eq!((&death["reason"], &death["status"]["signal"]), (&"signaled".into(), &"TERM".into()));
}

#[test]
fn the_whole_tree_ends_also_what_has_a_session_of_its_own_or_lost_its_parent() {
    let nap = unique_sleep();
    let script = format!(
        "sleep {nap} & setsid sleep {nap} & (setsid sh -c 'sleep {nap} & sleep {nap}' &); sleep {nap}"
    );
    run(&["-t", "500ms", "--", "sh", "-c", &script]).exits(124);
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn the_grace_is_for_the_last_of_the_tree_not_for_the_first() {
    let nap = unique_sleep();
    // The leader dies of TERM at once; a member in another session ignores it.
    let script = format!("setsid sh -c 'trap \"\" TERM; sleep {nap}; sleep {nap}' & sleep {nap}");
    let (ended, took) =
        timed(&["-t", "1s", "--grace", "500ms", "--report", "fd:1", "--", "sh", "-c", &script]);
    let report = ended.exits(124).complains("--grace 500ms later").json();
    assert_eq!(report["limit"]["escalated"], true);
    assert!(report["tree"]["killed"].as_array().unwrap().iter().any(|killed| killed["sid_escaped"] == true));
    assert!(took >= Duration::from_millis(1500), "{took:?}");
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn who_cleans_up_on_term_within_the_grace_is_not_killed() {
    let script = "trap 'sleep .3; echo cleaned; exit 5' TERM; echo ready; while :; do sleep .05; done";
    let ended = run(&["-t", "1s", "--", "sh", "-c", script]).exits(124).says("ready\ncleaned\n");
    assert!(!ended.stderr.contains("killed"), "{}", ended.stderr);
}

#[test]
fn a_needed_kill_is_124_not_137() {
    let ended =
        run(&["-t", "500ms", "--grace", "200ms", "--", "sh", "-c", "trap '' TERM; sleep 30; sleep 30"]);
    assert_eq!(ended.exits(124).signal, None);
}

#[test]
fn a_stopped_child_ends_at_its_limit_too() {
    let (ended, took) = timed(&["-t", "300ms", "--", "sh", "-c", "kill -STOP $$"]);
    ended.exits(124);
    assert!(took < Duration::from_secs(3), "it was continued for TERM: {took:?}");
}

#[test]
fn a_chain_of_forks_does_not_get_away() {
    let dir = tempfile::tempdir().unwrap();
    let word = unique_sleep();
    // Each link forks the next one in a session of its own and ends; all ignore TERM.
    let program = python(
        &dir,
        "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    time.sleep(30)
os.setsid()
while True:
    if os.fork():
        os._exit(0)
",
    );
    run(&["-t", "500ms", "--grace", "200ms", "--", "python3", &program, &word]).exits(124);
    assert_eq!(with_argument(&word), [0; 0]);
}

#[test]
fn sixty_four_processes_with_sessions_of_their_own_end_too() {
    let dir = tempfile::tempdir().unwrap();
    let word = unique_sleep();
    let program = python(
        &dir,
        "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(6):
    if os.fork() == 0:
        os.setsid()
time.sleep(60)
",
    );
    run(&["-t", "1s", "--grace", "200ms", "--", "python3", &program, &word]).exits(124);
    assert_eq!(with_argument(&word), [0; 0]);
}

#[test]
fn a_child_that_keeps_its_own_orphans_does_not_hide_them() {
    let dir = tempfile::tempdir().unwrap();
    let nap = unique_sleep();
    // PR_SET_CHILD_SUBREAPER is 36: the orphans stay with the program until it dies, then come to us.
    let program = python(
        &dir,
        &format!(
            "
import ctypes, os, time
ctypes.CDLL(None).prctl(36, 1)
os.system('(setsid sh -c \"trap : TERM; sleep {nap}; sleep {nap}\" &)')
time.sleep(30)
"
        ),
    );
    run(&["-t", "700ms", "--grace", "300ms", "--", "python3", &program]).exits(124);
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn the_scope_says_whom_the_end_reaches() {
    for (scope, left) in [("tree", 0), ("group", 1), ("child", 2)] {
        let nap = unique_sleep();
        let script = format!(
            "setsid sleep {nap} >/dev/null 2>&1 & sleep {nap} >/dev/null 2>&1 & while :; do sleep .1; done"
        );
        let process =
            spile(["run", "-t", "1s", "--scope", scope, "--pgroup", "new", "--", "sh", "-c", &script]);
        wait_until("both sleep", || asleep(&nap).len() == 2);
        process.ends().exits(124);
        let alive = with_argument(&nap);
        for pid in &alive {
            program("kill", &["-9", &pid.to_string()]).ends();
        }
        assert_eq!(alive.len(), left, "--scope {scope}");
    }
}

#[test]
fn a_scope_that_there_is_not_is_refused_with_the_way_round_it() {
    run(&["--scope", "cgroup", "true"]).exits(125).complains("control groups").complains("'tree'");
    run(&["--scope", "session", "true"]).exits(125).complains("child, group or tree");
}

#[test]
fn orphans_are_left_waited_for_asked_or_killed() {
    let nap = unique_sleep();
    let script = format!("setsid sleep {nap} >/dev/null 2>&1 & exit 3");
    run(&["--orphans", "leave", "--", "sh", "-c", &script]).exits(3);
    // It may not have come so far yet as to be called by these words.
    wait_until("it is left", || asleep(&nap).len() == 1);
    program("kill", &["-9", &asleep(&nap)[0].to_string()]).ends();
    for how in ["term", "kill"] {
        run(&["--orphans", how, "--", "sh", "-c", &script]).exits(3);
        assert_eq!(with_argument(&nap), [0; 0], "--orphans {how}");
    }
    let script = "setsid sh -c 'sleep .4; echo worker' & exit 3";
    run(&["--orphans", "wait", "--", "sh", "-c", script]).exits(3).says("worker\n");
    let (ended, took) =
        timed(&["--orphans", "wait", "-t", "400ms", "--", "sh", "-c", &format!("sleep {nap} & exit 3")]);
    ended.exits(124);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn cpu_time_is_counted_over_all_processes() {
    let script = "(while :; do :; done) & (while :; do :; done) & sleep 30";
    let (ended, took) = timed(&["--cpu-timeout", "400ms", "--", "sh", "-c", script]);
    ended.exits(124).complains("--cpu-timeout ran out");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn the_signal_and_kill_itself_can_be_chosen() {
    let script = "trap 'echo got; exit 0' USR1; while :; do sleep .05; done";
    run(&["-t", "1s", "--signal", "USR1", "--", "sh", "-c", script]).exits(124).says("got\n");
    let (ended, took) =
        timed(&["-t", "200ms", "--signal", "KILL", "--", "sh", "-c", "trap '' TERM; sleep 30"]);
    ended.exits(124);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn time_in_which_spile_was_stopped_does_not_count_unless_asked() {
    let process = spile(["run", "-t", "1s", "--", "sh", "-c", "echo ready; sleep 1.8"]).gets("ready\n");
    process.signal("STOP");
    std::thread::sleep(Duration::from_millis(1500));
    process.signal("CONT");
    process.eof().ends().exits(0);
    // The time has passed already.
    in_time(Duration::from_millis(800), || {
        let process =
            spile(["run", "-t", "1s", "--timeout-clock", "wall", "--", "sh", "-c", "echo ready; sleep 30"]);
        let process = process.gets("ready\n");
        process.signal("STOP");
        std::thread::sleep(Duration::from_millis(1500));
        let start = Instant::now();
        process.signal("CONT");
        process.eof().ends().exits(124);
        start.elapsed()
    });
}

#[test]
fn a_stop_counts_in_no_limit_whatever_it_interrupts() {
    // Also before the program runs, at a moment that nobody can choose; only a command line that is short of its
    // limit by less than the stop can pass.
    let offsets = [0, 1, 2, 4, 8, 16, 150].map(|ms| (ms, vec!["run", "-t", "2s", "--", "sleep", "1.1"]));
    let limits = [
        vec!["run", "--idle-timeout", "2s", "--", "sleep", "1.2"],
        vec!["pipe", "-t", "2s", "sleep", "1.2", "::", "cat"],
        vec!["pipe", "--idle-timeout", "2s", "sleep", "1.2", "::", "cat"],
        vec!["pipe", "@timeout=2s", "sleep", "1.2", "::", "cat"],
        vec!["pipe", "@idle=2s", "sleep", "1.2", "::", "cat"],
        // No process at all.
        vec!["pipe", "-t", "2s", "@limit=1M"],
        // Before the program there is a service.
        vec![
            "run",
            "-t",
            "2s",
            "--with",
            "sh -c 'sleep .3; echo up; sleep 9'",
            "--ready",
            "line:up",
            "sleep",
            "0.3",
        ],
    ];
    let commands = offsets.into_iter().chain(limits.map(|words| (100, words)));
    let stopped: Vec<_> = commands
        .map(|(ms, words)| {
            let process = spile(&words);
            std::thread::sleep(Duration::from_millis(ms));
            process.signal("STOP");
            (process, words)
        })
        .collect();
    std::thread::sleep(Duration::from_millis(2000));
    for (process, _) in &stopped {
        process.signal("CONT");
    }
    for (process, words) in stopped {
        let ended = process.eof().ends();
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{words:?}");
    }
}

#[test]
fn five_hundred_children_that_die_at_once_are_all_reaped() {
    let script = "i=0; while [ $i -lt 500 ]; do (setsid sleep .5 &) ; i=$((i+1)); done";
    let report = run(&["--orphans", "wait", "--report", "fd:1", "--", "sh", "-c", script]).exits(0).json();
    assert!(report["tree"]["reaped"].as_u64().unwrap() > 500, "{report}");
    assert_eq!(report["tree"]["left"].as_array().unwrap().len(), 0);
}

#[test]
fn a_limit_stands_although_nobody_reads_the_events_or_stderr() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    program("mkfifo", &[&fifo]).ends().exits(0);
    // It has no reader.
    let (ended, took) = timed(&["-t", "300ms", "--events", &fifo, "--", "sleep", "30"]);
    ended.exits(124).complains("--events is not read: 3 lines were lost");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // It has one, and no room.
    let fills = "exec 3<>$0; dd if=/dev/zero of=$0 bs=64K count=1 status=none; exec $SPILE";
    for rest in
        ["run -t 300ms --time --events fd:3 -- sleep 30 2>&3", "pipe -t 300ms --events fd:3 sleep 30 2>&3"]
    {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &format!("{fills} {rest}"), &fifo]).env("SPILE", SPILE);
        start(command).ends().exits(124);
    }
}
