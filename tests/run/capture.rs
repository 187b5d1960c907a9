//! `run`: pipes of spile's own never block a program, memory is bounded, and nobody waits for who holds them.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// Runs a command line in a shell, in a directory of its own, with at most 64 MiB of memory for spile.
fn limited(dir: &tempfile::TempDir, line: &str) -> Ended {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("ulimit -v 65536; {line}")]).env("SPILE", SPILE).current_dir(dir);
    start(command).eof().ends()
}

fn report(dir: &tempfile::TempDir) -> Value {
    serde_json::from_str(&std::fs::read_to_string(dir.path().join("r.json")).unwrap()).unwrap()
}

#[test]
fn all_three_streams_at_once_move_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let line = "head -c 64M /dev/zero | $SPILE run --relay -- tee /dev/stderr 2>err | wc -c; wc -c <err";
    limited(&dir, line).exits(0).says("67108864\n67108864\n");
    std::fs::write(dir.path().join("in"), vec![0; 64 * MIB]).unwrap();
    let line = "$SPILE run --stdin ./in --stdout capture --stderr capture --report r.json -- tee /dev/stderr";
    limited(&dir, line).exits(0).says("");
    for stream in ["stdout", "stderr"] {
        let told = &report(&dir)[stream];
        assert_eq!((&told["bytes"], &told["truncated"]), (&json!(64 * MIB), &json!(true)));
        assert_eq!(told["text"].as_str().unwrap().len(), MIB);
    }
}

#[test]
fn a_gibibyte_is_captured_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run --stdout capture --stderr capture --max-capture 64K:both --report r.json -- \
                sh -c 'head -c 512M /dev/zero & head -c 512M /dev/zero >&2; wait'";
    limited(&dir, line).exits(0).says("");
    for stream in ["stdout", "stderr"] {
        assert_eq!(report(&dir)[stream]["bytes"], json!(512 * MIB));
        assert_eq!(report(&dir)[stream]["text"].as_str().unwrap().len(), 65536);
    }
}

#[test]
fn the_program_may_write_to_the_stream_that_nobody_reads() {
    // The deadlock of popen2: more than a pipe holds on stderr, while only stdout is of interest.
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run -t 10s --stdout capture --stderr capture --report r.json -- \
                sh -c 'head -c 300000 /dev/zero >&2; echo done'";
    limited(&dir, line).exits(0);
    assert_eq!(report(&dir)["stdout"]["text"], json!("done\n"));
}

#[test]
fn the_first_the_last_or_both_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for (keep, text, gap) in [("head", "abcd", 4), ("tail", "ghij", 0), ("both", "abij", 2)] {
        let line = format!(
            "$SPILE run --stdout capture --max-capture 4:{keep} --report r.json -- printf abcdefghij"
        );
        limited(&dir, &line).exits(0);
        let told = &report(&dir)["stdout"];
        assert_eq!((&told["text"], &told["gap"], &told["bytes"]), (&json!(text), &json!(gap), &json!(10)));
    }
}

#[test]
fn captured_bytes_survive_whatever_they_are() {
    let dir = tempfile::tempdir().unwrap();
    limited(&dir, r"$SPILE run --stdout capture --report r.json -- printf '\377\000a\n\n'").exits(0);
    let told = &report(&dir)["stdout"];
    assert_eq!((&told["b64"], &told["bytes"]), (&json!("/wBhCgo="), &json!(5)));
    limited(&dir, r"$SPILE run --stdout capture --report r.json -- printf 'a\000b\n\n'").exits(0);
    assert_eq!(report(&dir)["stdout"]["text"], json!("a\0b\n\n"), "null bytes and last lines are kept");
}

#[test]
fn a_spill_file_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run --stdout capture --stderr capture --max-capture 1K --spill all --report r.json -- \
                sh -c 'seq 1 100000; echo err >&2'";
    limited(&dir, line).exits(0).says("");
    let text = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(text("all").lines().count(), 100_000);
    assert_eq!(text("all.stderr"), "err\n");
    assert_eq!(report(&dir)["stdout"]["spill"], json!("all"));
}

#[test]
fn a_full_disk_under_the_spill_is_told_and_what_was_captured_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run --stdout capture --spill /dev/full --report r.json -- sh -c 'echo hi; exit $0'";
    let ended = limited(&dir, &format!("{line} 0")).exits(1);
    assert_eq!(ended.stderr, "spile run: cannot write /dev/full: No space left on device\n");
    assert_eq!(report(&dir)["stdout"]["text"], json!("hi\n"));
    assert_eq!(report(&dir)["exit"], json!(1));
    limited(&dir, &format!("{line} 5")).exits(5).complains("No space left");
}

#[test]
fn stdin_that_is_not_read_is_no_error_but_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = "x".repeat(100_000);
    let line = format!("$SPILE run --stdin text:{text} --report r.json -- ");
    limited(&dir, &format!("{line} head -c 1000")).exits(0);
    assert!(report(&dir)["stdin_unread"].as_u64().unwrap() > 90_000);
    limited(&dir, &format!("{line} true")).exits(0);
    assert_eq!(report(&dir)["stdin_unread"], json!(100_000));
    limited(&dir, &format!("{line} wc -c")).exits(0).says("100000\n");
    assert_eq!(report(&dir)["stdin_unread"], json!(0));
}

#[test]
fn a_daemon_that_holds_the_output_does_not_hold_up_the_reader() {
    let dir = tempfile::tempdir().unwrap();
    for daemon in ["sleep 30", "setsid sleep 30"] {
        let start = Instant::now();
        let script = format!("{daemon} & echo ready $!; exit 6");
        let line =
            format!("x=$($SPILE run --relay --linger 100ms --report r.json -- sh -c '{script}'); echo $? $x");
        let ended = limited(&dir, &line);
        assert!(start.elapsed() < Duration::from_secs(8));
        let text = String::from_utf8(ended.stdout).unwrap();
        let pid = text.trim().strip_prefix("6 ready ").unwrap_or_else(|| panic!("{text}")).to_owned();
        assert!(is_alive(pid.parse().unwrap()), "the daemon lives on");
        let told = report(&dir);
        assert_eq!((&told["output_open"], &told["exit"]), (&json!(true), &json!(6)));
        assert_eq!(told["holders"][0]["pid"].to_string(), pid);
        program("kill", &[&pid]).ends().exits(0);
    }
}

#[test]
fn a_slow_reader_gets_everything_however_long_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run --relay --linger 0s -- seq 1 300000 | (sleep 1.5; wc -l)";
    limited(&dir, line).exits(0).says("300000\n");
}

#[test]
fn a_time_limit_holds_even_where_the_reader_is_stuck() {
    let dir = tempfile::tempdir().unwrap();
    let line = "mkfifo f; sleep 30 <f & exec 9>f; s=$SECONDS; \
                $SPILE run -t 300ms --linger 100ms --relay -- yes >&9; echo $? $((SECONDS - s < 8)); kill %1";
    limited(&dir, line).says("124 1\n").complains("--timeout");
}

#[test]
fn who_stops_reading_ends_the_program_as_in_any_pipeline() {
    let dir = tempfile::tempdir().unwrap();
    let line = "$SPILE run -t 10s --relay -- yes | head -1; echo ${PIPESTATUS[0]}";
    limited(&dir, line).exits(0).says("y\n141\n");
}

#[test]
fn a_signal_ends_the_wait_for_a_stuck_reader() {
    let dir = tempfile::tempdir().unwrap();
    let line = "mkfifo f; sleep 30 <f & exec 9>f; $SPILE run --relay --events ev -- head -c 1500K /dev/zero >&9 & \
                p=$!; until grep -q exit ev 2>/dev/null; do sleep .01; done; kill $p; wait $p; echo $?; kill %1";
    let ended = limited(&dir, line);
    ended.says("1\n").complains("not all output was passed on");
}
