//! `run` and `pipe`: a signal that asks spile to end is the end of everything below it, whatever its session.

use std::time::{Duration, Instant};

use crate::harness::*;

/// Three naps beside a main program: one in a session of its own, one beside it, and one that has lost its parent and
/// whose shell, like itself, ignores TERM.
fn tree(nap: &str, main: &str) -> String {
    format!(
        "setsid sleep {nap} & sleep {nap} & (setsid sh -c 'trap \"\" TERM; sleep {nap}; sleep {nap}' &); {main}"
    )
}

/// The living naps, once they are no other program any more that is to become one.
fn naps(nap: &str) -> Vec<u32> {
    with_argument(nap).into_iter().filter(|pid| is_a(*pid, "sleep")).collect()
}

/// The command lines of `run` and of a pipeline, whose program or whose second stage is this script.
fn commands<'a>(flags: &[&'a str], script: &'a str) -> [Vec<&'a str>; 2] {
    let run = [&["run"], flags, &["--", "sh", "-c", script]].concat();
    let pipe = [&["pipe"], flags, &["sleep", "60", "::", "sh", "-c", script]].concat();
    [run, pipe]
}

#[test]
fn what_asks_spile_to_end_ends_the_whole_tree_within_the_grace() {
    for (name, signal) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("QUIT", 3)] {
        let nap = unique_sleep();
        for command in
            commands(&["--grace", "300ms", "--report", "fd:1"], &tree(&nap, &format!("exec sleep {nap}")))
        {
            let process = spile(command);
            wait_until("the tree is there", || naps(&nap).len() == 4);
            let start = Instant::now();
            process.signal(name);
            let ended = process.eof().ends().dies_of(signal);
            assert_eq!(with_argument(&nap), [0; 0], "{name}");
            assert!(start.elapsed() < Duration::from_secs(3), "{name}: {:?}", start.elapsed());
            let report = ended.json();
            let killed = report["tree"]["killed"].as_array().unwrap();
            let by = |signal: &str| killed.iter().filter(|one| one["signal"] == signal).count();
            assert!(by("TERM") >= 1 && by("KILL") >= 1, "{name}: {report}");
            assert!(killed.iter().any(|one| one["sid_escaped"] == true), "{name}: {report}");
        }
    }
}

#[test]
fn the_programs_own_verdict_stands_while_its_tree_is_ended() {
    let nap = unique_sleep();
    let main = "trap 'exit 3' TERM; echo ready; while :; do sleep .02; done";
    let process = spile(["run", "--grace", "200ms", "--", "sh", "-c", &tree(&nap, main)]).gets("ready\n");
    wait_until("the tree is there", || naps(&nap).len() == 3);
    process.signal("TERM");
    process.ends().exits(3);
    assert_eq!(with_argument(&nap), [0; 0]);
}

#[test]
fn where_nothing_is_left_nothing_is_waited_for() {
    let start = Instant::now();
    for how in ["term", "kill", "wait"] {
        spile(["run", "--orphans", how, "--grace", "60s", "true"]).eof().ends().exits(0);
    }
    for command in commands(&["--grace", "60s"], "exec sleep 60") {
        let process = spile(command);
        wait_until("it runs", || children(process.pid()).iter().any(|pid| is_a(*pid, "sleep")));
        process.signal("TERM");
        process.eof().ends().dies_of(15);
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn who_is_stopped_ends_too() {
    for (stages, command) in (1..).zip(commands(&["--grace", "60s"], "exec sleep 60")) {
        let process = spile(command);
        let sleeps =
            || children(process.pid()).into_iter().filter(|pid| is_a(*pid, "sleep")).collect::<Vec<_>>();
        wait_until("all run", || sleeps().len() == stages);
        let pids: Vec<String> = sleeps().iter().map(u32::to_string).collect();
        let words: Vec<&str> = ["-STOP"].into_iter().chain(pids.iter().map(String::as_str)).collect();
        program("kill", &words).ends().exits(0);
        wait_until("it is stopped", || sleeps().iter().all(|pid| state_of(*pid) == 'T'));
        process.signal("TERM");
        process.eof().ends().dies_of(15);
    }
}

#[test]
fn who_goes_on_in_spite_of_the_signal_is_left_alone_with_all_it_has() {
    let nap = unique_sleep();
    let main = "trap '' TERM; echo ready; read x; exit 4";
    let script = format!("setsid sleep {nap} </dev/null >/dev/null 2>&1 & {main}");
    let mut process = spile(["run", "--grace", "100ms", "--", "sh", "-c", &script]).gets("ready\n");
    wait_until("the nap is there", || naps(&nap).len() == 1);
    process.signal("TERM");
    wait_until("it was passed on", || !has_pending(process.pid()));
    std::thread::sleep(Duration::from_millis(300));
    assert!(process.is_running() && with_argument(&nap).len() == 1);
    process.sends("done\n").ends().exits(4);
    assert_eq!(with_argument(&nap), [0; 0], "it ended after all");
}

#[test]
fn orphans_that_are_to_be_left_are_left_after_a_signal_too() {
    for flags in [&["--orphans", "leave"][..], &["--scope", "child"], &["--scope", "group"]] {
        let nap = unique_sleep();
        let script = format!("setsid sleep {nap} </dev/null >/dev/null 2>&1 & exec sleep 60");
        for command in commands(flags, &script) {
            let process = spile(command);
            wait_until("the nap is there", || naps(&nap).len() == 1);
            process.signal("TERM");
            process.eof().ends().dies_of(15);
            let left = with_argument(&nap);
            assert_eq!(left.len(), 1, "{flags:?}");
            program("kill", &["-9", &left[0].to_string()]).ends();
            wait_until("it is gone", || with_argument(&nap).is_empty());
        }
    }
}

#[test]
fn orphans_that_are_waited_for_are_asked_in_their_turn() {
    let nap = unique_sleep();
    let script = format!("setsid sleep {nap} & exit 3");
    for command in commands(&["--orphans", "wait"], &script) {
        let process = spile(command);
        wait_until("the program has ended", || {
            naps(&nap).len() == 1 && !children(process.pid()).iter().any(|pid| is_a(*pid, "sh"))
        });
        process.signal("TERM");
        process.eof().ends();
        assert_eq!(with_argument(&nap), [0; 0]);
    }
}
