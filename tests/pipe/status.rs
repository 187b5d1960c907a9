//! `pipe`: what becomes of the statuses of its stages.

use std::process::Command;

use crate::harness::*;
use serde_json::Value;

/// Runs `spile pipe ARG…` without input, the words split at blanks.
fn pipe(line: &str) -> Ended {
    spile(["pipe"].into_iter().chain(line.split(' '))).eof().ends()
}

/// Runs it with words as they are.
fn words(args: &[&str]) -> Ended {
    spile([&["pipe"], args].concat()).eof().ends()
}

/// The report of a pipeline that says nothing itself.
fn report(args: &[&str]) -> Value {
    words(&[&["--report", "fd:1"], args].concat()).json()
}

fn verdicts(report: &Value) -> Vec<&str> {
    report["stages"].as_array().unwrap().iter().map(|stage| stage["verdict"].as_str().unwrap()).collect()
}

#[test]
fn a_writer_whose_reader_has_enough_is_no_failure_in_200_of_200() {
    for _ in 0..200 {
        pipe("yes :: head -1").exits(0).says("y\n");
        pipe("seq 1 200000 :: grep -q ^7$").exits(0).says("");
    }
}

#[test]
fn a_broken_pipe_is_a_failure_where_the_reader_failed_or_was_still_reading() {
    pipe("yes :: false").exits(1);
    words(&["yes", "::", "sh", "-c", "head -1; exit 3"]).exits(3).says("y\n");
    words(&["sh", "-c", "kill -PIPE $$", "::", "sh", "-c", "cat; sleep 0.2"]).exits(141);
    words(&["sh", "-c", "exit 141", "::", "sh", "-c", "cat; sleep 0.2"]).exits(141);
}

#[test]
fn a_broken_pipe_that_was_only_sent_is_a_failure_however_soon_the_reader_ends() {
    for _ in 0..50 {
        words(&["sh", "-c", "kill -PIPE $$", "::", "cat"]).exits(141);
    }
    words(&["sh", "-c", "kill -PIPE $$", "::", "@meter", "cat"]).exits(141);
    words(&["sh", "-c", "kill -PIPE $$", "::", "@buffer=1k", "::", "cat"]).exits(141);
}

/// A writer that dies of a SIGPIPE that was sent, and takes its time between closing its pipe and being reaped: a
/// watch of inotify(7) is slow to close. One comes before the pipe and one after, whichever the kernel begins with.
const SLOW_TO_DIE: &str = r#"
import ctypes, os, signal
libc = ctypes.CDLL(None)
for _ in range(2):
    libc.inotify_add_watch(libc.inotify_init(), b"/", 0x100)
os.dup2(4, 60)
os.close(4)
os.dup2(1, 50)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGPIPE)
"#;

#[test]
fn a_reader_may_be_reaped_before_the_writer_that_ended_first() {
    for _ in 0..5 {
        words(&["python3", "-c", SLOW_TO_DIE, "::", "cat"]).exits(141);
    }
}

#[test]
fn a_terminal_that_hangs_up_since_nobody_reads_it_any_more_is_a_broken_pipe() {
    words(&["@pty", "yes", "::", "head", "-1"]).exits(0);
    words(&["@pty", "sh", "-c", "kill -HUP $$", "::", "cat"]).exits(129);
}

#[test]
fn a_reader_that_reads_no_more_but_works_on_ends_the_writer_at_its_own_end() {
    words(&["yes", "::", "sh", "-c", "exec <&-; sleep 0.2"]).exits(0).says("");
    words(&["seq", "100000", "::", "sh", "-c", "cat & exit 0"]).exits(0);
}

#[test]
fn a_shell_that_tells_of_a_broken_pipe_by_its_status_is_excused_likewise() {
    words(&["sh", "-c", "yes; exit $?", "::", "head", "-1"]).exits(0).says("y\n");
    words(&["yes", "::", "cat", "::", "sh", "-c", "cat", "::", "head", "-1"]).exits(0).says("y\n");
}

#[test]
fn the_last_stage_always_counts_and_its_death_is_ours() {
    words(&["true", "::", "sh", "-c", "kill -PIPE $$"]).exits(141).dies_of(13);
    words(&["true", "::", "sh", "-c", "kill -TERM $$"]).exits(143).dies_of(15);
    let ended = words(&["--exit-128", "true", "::", "sh", "-c", "kill -TERM $$"]).exits(143);
    assert_eq!(ended.signal, None);
}

#[test]
fn strict_pipe_sees_every_broken_pipe_as_pipefail_does() {
    pipe("--strict-pipe yes :: head -1").exits(141).says("y\n");
}

#[test]
fn whose_status_counts_can_be_chosen() {
    let stages = ["sh", "-c", "exit 3", "::", "sh", "-c", "cat; exit 4", "::", "cat"];
    for (whose, status) in [("rightmost", 4), ("first", 3), ("last", 0), ("any", 1)] {
        words(&[&["--status", whose][..], &stages].concat()).exits(status);
    }
}

#[test]
fn accepted_and_optional_failures_do_not_count() {
    words(&["sh", "-c", "exit 1", "::", "cat"]).exits(1);
    words(&["@ok=0,1", "sh", "-c", "exit 1", "::", "cat"]).exits(0);
    words(&["@optional", "sh", "-c", "exit 9", "::", "cat"]).exits(0);
    words(&["@ok=1", "true", "::", "@ok=1", "sh", "-c", "exit 2"]).exits(2);
}

#[test]
fn one_program_that_is_missing_starts_none() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("started").display().to_string();
    words(&["touch", &mark, "::", "nosuch", "::", "cat"]).exits(127).complains("cannot run nosuch");
    words(&["touch", &mark, "::", "/etc/passwd"]).exits(126).complains("not executable");
    words(&["touch", &mark, "::", "@cwd=/no/such", "cat"]).exits(125).complains("no such directory");
    words(&["touch", &mark, "::", "@optional", "nosuch"]).exits(127);
    words(&["touch", &mark, "::", "@tee=/no/such/file", "cat"]).exits(125).complains("/no/such/file");
    assert!(!std::path::Path::new(&mark).exists());
}

#[test]
fn a_start_that_fails_after_all_ends_what_was_started() {
    let dir = tempfile::tempdir().unwrap();
    let stages = dir.path().join("stages");
    std::fs::write(&stages, format!("sleep 60\ntrue {}\ncat\n", "x".repeat(200_000))).unwrap();
    let report = words(&["--report", "fd:1", "-f", stages.to_str().unwrap()]);
    let report = report.exits(126).complains("argument 1 has 200000 bytes").json();
    assert_eq!(verdicts(&report), ["failed", "not-started", "not-started"]);
    assert_eq!((report["reason"].as_str(), report["decided_by"].as_u64()), (Some("spawn-failed"), Some(1)));
    assert!(!is_alive(u32::try_from(report["stages"][0]["pid"].as_u64().unwrap()).unwrap()));
}

#[test]
fn the_report_has_every_stage_with_its_status_and_verdict() {
    let report =
        report(&["yes", "::", "@name=middle", "head", "-c", "100", "::", "@ok=0,1", "grep", "-q", "nothing"]);
    assert_eq!(verdicts(&report), ["pipe-closed", "ok", "ok"]);
    assert_eq!((report["kind"].as_str(), report["exit"].as_u64()), (Some("pipe"), Some(0)));
    assert_eq!(report["decided_by"], Value::Null);
    let [yes, head, grep] = [0, 1, 2].map(|at| &report["stages"][at]);
    assert_eq!((yes["status"]["signal"].as_str(), yes["status"]["code"].as_u64()), (Some("PIPE"), None));
    assert_eq!((head["name"].as_str(), head["wrote"].as_u64()), (Some("middle"), Some(100)));
    assert_eq!(grep["status"]["code"], 1);
    assert_eq!(grep["argv"][2], "nothing");
    assert!(yes["ended"].as_f64().unwrap() <= report["wall"].as_f64().unwrap());
    assert!(yes["rusage"]["maxrss"].as_u64().unwrap() > 0);
}

#[test]
fn the_report_tells_when_it_began_and_how_long_a_writer_was_held_up() {
    let slow = report(&["head", "-c", "500000", "/dev/zero", "::", "@limit=1MB", "wc", "-c", "::", "cat"]);
    let stalled = |at: usize| slow["stages"][at]["stalled_write"].as_f64();
    assert!(stalled(0).unwrap() > 0.3 && stalled(0).unwrap() <= slow["wall"].as_f64().unwrap(), "{slow}");
    // Between the last two there is a pipe alone, and spile does not see into it.
    assert_eq!((stalled(1), stalled(2)), (None, None));
    let start = slow["start"].as_str().unwrap();
    assert!(start.len() == 24 && start.starts_with("20") && start.ends_with('Z'), "{start}");
    let quick = report(&["echo", "a", "::", "@meter", "wc", "-c"]);
    assert!(quick["stages"][0]["stalled_write"].as_f64().unwrap() < 0.1, "{quick}");
}

#[test]
fn the_report_can_go_to_a_file_and_a_bad_place_is_found_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.json").display().to_string();
    words(&["--report", &path, "false", "::", "cat"]).exits(1);
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((verdicts(&report), report["decided_by"].as_u64()), (vec!["failed", "ok"], Some(0)));
    let mark = dir.path().join("started").display().to_string();
    words(&["--report", "/no/such/r.json", "touch", &mark]).exits(125).complains("/no/such/r.json");
    assert!(!std::path::Path::new(&mark).exists());
}

#[test]
fn the_first_failure_can_end_the_others() {
    let report = report(&["--on-fail", "stop", "sleep", "60", "::", "sh", "-c", "exit 3"]);
    assert_eq!((report["reason"].as_str(), report["exit"].as_u64()), (Some("stopped"), Some(3)));
    assert_eq!(report["stages"][0]["status"]["signal"], "TERM");
    words(&["--on-fail", "drain", "sh", "-c", "sleep 0.3; echo late", "::", "sh", "-c", "exec <&-; exit 3"])
        .exits(3);
}

#[test]
fn usage_errors_have_status_125_and_name_the_word() {
    for (args, text) in [
        (&["a", "::", "::", "b"][..], "stage 2 is empty"),
        (&["::", "a"], "stage 1 is empty"),
        (&["@metr", "cat"], "did you mean @meter?"),
        (&["@timeout=x", "cat"], "'@timeout'"),
        (&["--status", "worst", "cat"], "--status"),
        (&["--nosuch"], "--nosuch"),
        (&[], "no stage is given"),
        (&["-s", "cat 'x"], "quote"),
        (&["-f", "/no/such/file"], "/no/such/file"),
        (&["--err", "merge", "cat"], "@err=merge"),
    ] {
        words(args).exits(125).complains(text);
    }
}

#[test]
fn a_child_s_own_125_passes_and_the_report_tells_the_difference() {
    let report = report(&["sh", "-c", "exit 124"]);
    assert_eq!((report["exit"].as_u64(), report["reason"].as_str()), (Some(124), Some("exited")));
}

#[test]
fn an_ignored_child_signal_of_our_parent_does_not_cost_us_the_statuses() {
    let script = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    let mut command = Command::new("python3");
    command.args(["-c", script, SPILE, "pipe", "true", "::", "sh", "-c", "exit 7"]);
    start(command).eof().ends().exits(7);
}
