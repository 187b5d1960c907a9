//! `pipe`: what the modifiers do to the bytes on their way.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::*;

fn words(args: &[&str]) -> Ended {
    spile([&["pipe"], args].concat()).eof().ends()
}

fn temporary(name: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name).display().to_string();
    (dir, path)
}

#[test]
fn a_tee_copies_everything_whatever_is_around_it() {
    let (_dir, path) = temporary("copy");
    let (tee, bytes) = (format!("@tee={path}"), noise(1, 3_000_000));
    for stages in [
        &["cat", "::", &tee, "cat"][..],
        &[&tee, "cat"],
        &["cat", "::", &tee],
        &[&tee],
        &["cat", "::", "@buffer=1M", &tee, "@meter", "cat", "::", "cat"],
    ] {
        let mut process = spile([&["pipe"], stages].concat());
        process.write(&bytes);
        let ended = process.eof().ends().exits(0);
        assert!(ended.stdout == bytes, "{stages:?}: {} bytes", ended.stdout.len());
        assert!(std::fs::read(&path).unwrap() == bytes, "{stages:?}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_tee_can_add_to_what_is_in_a_file() {
    let (_dir, path) = temporary("copy");
    std::fs::write(&path, "before\n").unwrap();
    let tee = format!("@tee=append:{path}");
    for stages in [&[&tee, "cat"][..], &[&tee], &["@buffer=1K", &tee, "cat"]] {
        words(&[&["seq", "2", "::"], stages].concat()).exits(0).says("1\n2\n");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\n1\n2\n1\n2\n1\n2\n");
}

#[test]
fn a_full_disk_under_a_tee_is_told_once_has_status_1_and_loses_no_data() {
    for stages in
        [&["@tee=/dev/full", "cat"][..], &["@tee=/dev/full"], &["@tee=/dev/full", "@buffer=64K", "cat"]]
    {
        let args = [&["head", "-c", "1000000", "/dev/zero", "::"], stages, &["::", "wc", "-c"]].concat();
        let ended = words(&args).exits(1).says("1000000\n");
        assert_eq!(
            ended.stderr.matches("cannot write /dev/full: No space left on device").count(),
            1,
            "{ended:?}"
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn a_full_disk_under_stdout_is_told_and_the_writer_ends() {
    let line = "$SPILE pipe yes :: @meter >/dev/full";
    shell(line).eof().ends().exits(1).complains("cannot write stdout: No space left on device");
}

#[test]
fn a_tee_to_an_address_writes_there_and_its_failure_counts() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let port = server(move |stream| sender.send(read_all(&stream)).unwrap());
    words(&["seq", "3", "::", &format!("@tee=tcp:127.0.0.1:{port}"), "tac"]).exits(0).says("3\n2\n1\n");
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), b"1\n2\n3\n");
    let closed = format!("@tee=tcp:127.0.0.1:{}", closed_port());
    let ended = words(&["seq", "3", "::", &closed, "cat"]).exits(1).says("1\n2\n3\n");
    ended.complains("spile pipe: cannot connect to 127.0.0.1:");
    words(&["echo", "::", "@tee=tcp:host", "cat"]).exits(125).says("").complains("has no port\nhint: ");
}

#[test]
fn a_head_ends_its_writer_without_a_failure() {
    words(&["yes", "::", "@head=3", "cat"]).exits(0).says("y\ny\ny\n");
    words(&["yes", "::", "@head=5B"]).exits(0).says("y\ny\ny");
    words(&["yes", "::", "@head=1000", "wc", "-l"]).exits(0).says("1000\n");
    words(&["yes", "::", "@head=1M", "wc", "-c"]).exits(0).says("1048576\n");
    let endless = spile(["pipe", "@head=2"]).sends("a\nb\nc\n");
    endless.ends().exits(0).says("a\nb\n");
}

#[test]
fn a_limit_slows_down_and_a_buffer_lets_the_writer_go_on() {
    let started = Instant::now();
    words(&["head", "-c", "300000", "/dev/zero", "::", "@limit=1MB", "wc", "-c"]).exits(0).says("300000\n");
    assert!(started.elapsed() > Duration::from_millis(190), "{:?}", started.elapsed());
    let (_dir, mark) = temporary("done");
    // Without the buffer the writer would wait for the reader, who waits for the writer's mark.
    let writer = format!("head -c 5000000 /dev/zero; touch {mark}");
    let reader = format!("while ! test -e {mark}; do sleep 0.01; done; wc -c");
    words(&["-t", "15s", "sh", "-c", &writer, "::", "@buffer=8M", "sh", "-c", &reader])
        .exits(0)
        .says("5000000\n");
}

#[test]
fn a_reader_that_is_slow_and_then_fast_gets_everything() {
    // Once it was fast, the flow forgot to come back after a turn of 4 MiB.
    let stages =
        ["head", "-c", "200000000", "/dev/zero", "::", "@buffer=100K", "sh", "-c", "sleep 0.1; wc -c"];
    words(&[&["-t", "15s"], &stages[..]].concat()).exits(0).says("200000000\n");
}

#[test]
fn times_stand_before_lines() {
    let ended = words(&["printf", "a\nb", "::", "@ts=elapsed", "cat"]).exits(0);
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(text.starts_with("     0.") && text.contains(" a\n     0.") && text.ends_with(" b"), "{text}");
    let ended = words(&["echo", "x", "::", "@ts"]).exits(0);
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(text.starts_with("20") && text.ends_with("Z x\n"), "{text}");
}

#[test]
fn a_meter_tells_what_has_passed_and_touches_nothing() {
    let ended = words(&["seq", "100000", "::", "@meter=numbers", "tail", "-1"]).exits(0).says("100000\n");
    assert!(ended.stderr.starts_with("numbers: 575.1 KiB in "), "{}", ended.stderr);
    // Of the whole pipeline only on a terminal, unless it is insisted on.
    let quiet = words(&["--meter", "seq", "100000", "::", "tail", "-1"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let ended = words(&["--meter=always", "seq", "100000", "::", "tail", "-1"]).exits(0).says("100000\n");
    assert!(
        ended.stderr.contains("seq: 575.1 KiB in ") && ended.stderr.contains("tail: 7 B in "),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_whole_meter_puts_nothing_between_the_stages() {
    let process = spile(["pipe", "--meter=always", "cat", "::", "cat"]);
    wait_until("both run", || children(process.pid()).len() == 2);
    let stages = children(process.pid());
    wait_until("both are cat", || {
        stages
            .iter()
            .all(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "cat\n"))
    });
    assert_eq!(descriptor(stages[0], 1), descriptor(stages[1], 0));
    process.eof().ends().exits(0);
}

#[test]
fn a_stage_of_modifiers_alone_ends_with_its_reader_and_with_a_signal() {
    shell("$SPILE pipe @meter </dev/zero 2>/dev/null | head -c 5 | wc -c; exit ${PIPESTATUS[0]}")
        .eof()
        .ends()
        .exits(141)
        .says("5\n");
    let process = spile(["pipe", "@limit=1K"]).sends("x\n").gets("x\n");
    process.signal("TERM");
    process.ends().exits(143).dies_of(15);
    spile(["pipe", "-t", "200ms", "@limit=1K"]).ends().exits(124).complains("--timeout");
}

#[test]
fn what_is_inherited_stays_in_blocking_mode() {
    let (out, into) = rustix::pipe::pipe().unwrap();
    let mut child = std::process::Command::new(SPILE)
        .args(["pipe", "@head=1"])
        .stdin(std::process::Stdio::from(out.try_clone().unwrap()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it reads", || Path::new(&format!("/proc/{}/wchan", child.id())).exists());
    rustix::io::write(&into, b"a\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!is_nonblocking(&out));
}
