//! Where /proc is that of another PID namespace: what it says is about others, and who is whose child is found
//! otherwise.

use std::time::{Duration, Instant};

use crate::harness::*;

/// Starts words in a namespace of processes, as its first one, as `unshare -pf` alone leaves it: /proc is that of the
/// processes outside.
fn bare(words: &[&str]) -> Process {
    program("unshare", &[&["-pf", "--kill-child"], words].concat())
}

/// The same without the right to mount a /proc.
fn powerless(words: &[&str]) -> Process {
    bare(&[&["setpriv", "--bounding-set=-sys_admin"], words].concat())
}

/// One of the two.
type Start = fn(&[&str]) -> Process;

/// Signals the first process of a namespace.
fn signal_first(name: &str, outer: &Process) {
    wait_until("the namespace has a process", || !children(outer.pid()).is_empty());
    let pid = children(outer.pid())[0].to_string();
    program("kill", &[&format!("-{name}"), &pid]).ends().exits(0);
}

/// A program that leaves somebody behind with a session of its own, who says so when TERM comes, and exits with 5.
fn leaving(said: &std::path::Path) -> String {
    let (said, up) = (said.display(), said.with_extension("up").display().to_string());
    let worker = format!("trap 'echo asked >{said}; exit' TERM; touch {up}; while :; do sleep .02; done");
    format!("setsid sh -c \"{worker}\" >/dev/null 2>&1 & until test -e {up}; do sleep .02; done; exit 5")
}

#[test]
fn a_proc_of_another_namespace_misleads_nobody() {
    if !have_namespace("-pf") {
        return;
    }
    bare(&[SPILE, "trap", "--", "sh", "-c", "exit 5"]).ends().exits(5);
    let deaf = "trap '' TERM; echo ready; while :; do sleep .05; done";
    let gentle = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep .05; done";
    for (script, said, status) in [(gentle, "asked\n", 3), (deaf, "", 137)] {
        let line = ["trap", "--on", "TERM=stop:300ms", "--", "sh", "-c", script];
        let outer = bare(&[&[SPILE][..], &line].concat()).gets("ready\n");
        signal_first("TERM", &outer);
        outer.ends().exits(status).says(said);
    }
    let started = Instant::now();
    bare(&[SPILE, "run", "-t", "200ms", "--", "sleep", "60"]).ends().exits(124);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn orphans_are_found_all_the_same() {
    if !have_namespace("-pf") {
        return;
    }
    // As process 1, kill(2) reaches everybody; otherwise a /proc is needed, and mounted for nobody else to see.
    let starts: [(Start, &[&str]); 3] =
        [(bare, &[]), (powerless, &[]), (bare, &["sh", "-c", "\"$@\"; exit $?", "sh"])];
    for (start, before) in starts {
        for command in [&["trap", "--init"][..], &["run", "--orphans", "term"]] {
            let dir = tempfile::tempdir().unwrap();
            let said = dir.path().join("said");
            let script = leaving(&said);
            let words = [before, &[SPILE], command, &["--", "sh", "-c", &script]].concat();
            let ended = start(&words).ends().exits(5);
            assert_eq!(ended.stderr, "", "{words:?}");
            assert_eq!(std::fs::read_to_string(&said).unwrap_or_default(), "asked\n", "{words:?}");
        }
    }
}

#[test]
fn who_ignores_everything_is_killed_all_the_same() {
    if !have_namespace("-pf") {
        return;
    }
    let nap = unique_sleep();
    let script =
        format!("setsid sh -c 'trap \"\" TERM; echo ready; while :; do sleep {nap}; done' & read x; exit 5");
    for start in [bare as Start, powerless] {
        let words = [SPILE, "trap", "--grace", "200ms", "--report", "fd:1", "--", "sh", "-c", &script];
        let began = Instant::now();
        let report = start(&words).gets("ready\n").sends("\n").ends().exits(5).json();
        // That all end with process 1 is not our doing.
        assert!(report["child"]["tree"]["killed"].to_string().contains("\"KILL\""), "{report}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(with_argument(&nap), [0; 0]);
    }
}

#[test]
fn who_cannot_be_found_is_waited_for_if_that_was_asked_for_and_else_said_to_be_left() {
    if !have_namespace("-pf") {
        return;
    }
    // A shell is process 1.
    let below = |flags: &[&str], script: &str| {
        let words =
            [&["sh", "-c", "\"$@\"; exit $?", "sh", SPILE, "trap"], flags, &["--", "sh", "-c", script]];
        powerless(&words.concat()).ends().exits(5)
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("done").display().to_string();
    let ended = below(&["--orphans", "wait"], &format!("setsid sh -c 'sleep .4; touch {file}' & exit 5"));
    assert!(std::path::Path::new(&file).exists(), "it was not waited for");
    assert_eq!(ended.stderr, "");
    let began = Instant::now();
    let ended = below(&["--orphans", "term"], "setsid sleep 60 >/dev/null 2>&1 & exit 5");
    ended.complains("not all that was left could be ended").complains("hint: mount the /proc");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Where nobody is left there is nothing to say.
    assert_eq!(below(&["--orphans", "term"], "exit 5").stderr, "");
}

#[test]
fn a_signal_to_a_tree_says_what_it_cannot_reach() {
    if !have_namespace("-pf") {
        return;
    }
    let line = format!("sleep 60 >/dev/null 2>&1 & {SPILE} trap --send CONT --to tree:1; exit $?");
    powerless(&["sh", "-c", &line]).ends().exits(0).complains("process 1 alone was signalled");
    assert_eq!(bare(&["sh", "-c", &line]).ends().exits(0).stderr, "");
}

#[test]
fn what_a_process_does_about_signals_is_told_of_it_and_not_of_one_outside() {
    if !have_namespace("-pf") {
        return;
    }
    let line = format!("trap '' USR2; sleep 60 >/dev/null 2>&1 & {SPILE} trap --show $!; exit $?");
    let ended = bare(&["sh", "-c", &line]).ends().exits(0);
    let told = String::from_utf8(ended.stdout).unwrap();
    assert!(told.starts_with("process 2 ") && told.contains("USR2\n"), "{told}");
    let ended = powerless(&["sh", "-c", &line]).ends().exits(1);
    ended.complains("cannot look at process 2").complains("hint: mount the /proc").says("");
}

#[test]
fn a_pipeline_says_that_somebody_was_missed() {
    if !have_namespace("-pf") {
        return;
    }
    let stage = "setsid sleep 60 >/dev/null 2>&1 & exec sleep 60";
    let line = format!("{SPILE} pipe -t 300ms -- sh -c '{stage}' :: cat; exit $?");
    powerless(&["sh", "-c", &line]).ends().exits(124).complains("not all that was left could be ended");
}

#[test]
fn cpu_time_is_counted_there_too() {
    if !have_namespace("-pf") {
        return;
    }
    let script = "(while :; do :; done) & sleep 60";
    bare(&[SPILE, "run", "--cpu-timeout", "300ms", "--", "sh", "-c", script]).ends().exits(124);
}

#[test]
fn where_there_is_no_proc_that_is_what_is_said() {
    if !have_namespace("-pfm") {
        return;
    }
    // Another file system hides it.
    let start = |words: &[&str]| {
        let hide = "mount -t tmpfs none /proc && exec \"$@\"";
        program("unshare", &[&["-pfm", "--kill-child", "sh", "-c", hide, "sh"], words].concat()).ends()
    };
    let powerless = ["setpriv", "--bounding-set=-sys_admin", SPILE, "trap", "--show"];
    for pid in [&[][..], &["1"]] {
        let told =
            String::from_utf8(start(&[&[SPILE, "trap", "--show"], pid].concat()).exits(0).stdout).unwrap();
        assert!(told.starts_with("process 1 ") && told.contains("\nqueued  "), "{told}");
        let ended = start(&[&powerless[..], pid].concat()).exits(1).says("");
        ended.complains("cannot look at process 1: /proc is not mounted").complains("hint: mount the /proc");
    }
}
