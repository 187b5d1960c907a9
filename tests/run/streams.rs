//! `run`: where stdin comes from, where stdout and stderr go, and what happens on the way.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

const BOTH: [&str; 3] = ["sh", "-c", "echo out; echo err >&2"];

fn run_both(flags: &[&str]) -> Ended {
    run(&[flags, &["--"], &BOTH].concat())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    (dir, file)
}

#[test]
fn stdin_comes_from_a_text_a_file_nothing_or_an_address() {
    let (_dir, file) = place();
    std::fs::write(&file, "from a file").unwrap();
    run(&["--stdin", "text:a\nb", "--", "cat"]).exits(0).says("a\nb");
    run(&["--stdin", file.to_str().unwrap(), "--", "cat"]).exits(0).says("from a file");
    run(&["--stdin", "null", "--", "cat"]).exits(0).says("");
    run(&["--stdin", &format!("exec:cat {}", file.display()), "--", "cat"]).exits(0).says("from a file");
    spile(["run", "--stdin", "-", "--", "cat"]).sends("ours").eof().ends().exits(0).says("ours");
}

#[test]
fn stdin_that_cannot_be_had_is_named_and_nothing_runs() {
    run(&["--stdin", "/no/such/file", "--", "echo", "ran"])
        .exits(125)
        .says("")
        .complains("cannot read --stdin /no/such/file: No such file");
    let port = closed_port();
    let ended = run(&["--stdin", &format!("tcp:127.0.0.1:{port}"), "--", "cat"]).exits(7);
    ended.complains("Connection refused");
}

#[test]
fn a_program_that_has_read_enough_of_an_address_is_not_held_up() {
    let port = server(|stream| {
        let _ = (&stream).write_all(b"one\ntwo\n");
        let _ = read_all(&stream);
        std::thread::park_timeout(std::time::Duration::from_secs(30));
    });
    let start = Instant::now();
    let ended =
        run(&["--stdin", &format!("tcp:127.0.0.1:{port}"), "--linger", "9s", "--", "head", "-1"]).exits(0);
    assert_eq!(ended.says("one\n").stderr, "");
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn stdout_and_stderr_go_to_files_that_are_replaced_or_added_to() {
    let (_dir, file) = place();
    let path = file.to_str().unwrap();
    run_both(&["--stdout", path]).exits(0).says("").complains("err");
    assert_eq!(read(&file), "out\n");
    run_both(&["--stderr", &format!("append:{path}")]).exits(0).says("out\n");
    assert_eq!(read(&file), "out\nerr\n");
    run_both(&["--stdout", path, "--stderr", path]).exits(0).says("");
    assert_eq!(read(&file), "out\nerr\n", "two streams into one file do not write over each other");
    let ended = run_both(&["--stdout", "null", "--stderr", "null"]).exits(0).says("");
    assert_eq!(ended.stderr, "");
    run(&["--stdout", "/no/such/dir/x", "true"]).exits(125).complains("/no/such/dir/x");
}

#[test]
fn descriptors_of_ours_are_read_and_written_by_their_number() {
    let line = "exec 7<<<seven 8>&1; $SPILE run --stdin fd:7 --stdout fd:8 --stderr fd:1";
    shell(&format!("{line} -- sh -c 'cat; echo err >&2'")).eof().ends().exits(0).says("seven\nerr\n");
    shell(&format!("{line} --prefix '> ' -- cat")).eof().ends().exits(0).says("> seven\n");
    shell(&format!("{line} --pty -- cat")).eof().ends().exits(0).says("seven\r\n");
    for flag in ["--stdin", "--stdout", "--tee"] {
        run(&[flag, "fd:77", "--", "echo", "ran"])
            .exits(125)
            .says("")
            .complains(&format!("cannot use {flag} fd:77: it is not open"));
    }
}

#[test]
fn streams_are_merged_and_swapped() {
    assert_eq!(run_both(&["--merge"]).exits(0).says("out\nerr\n").stderr, "");
    assert_eq!(run_both(&["--swap"]).exits(0).says("err\n").stderr, "out\n");
    assert_eq!(run_both(&["--relay", "--merge"]).exits(0).says("out\nerr\n").stderr, "");
    assert_eq!(run_both(&["--relay", "--swap"]).exits(0).says("err\n").stderr, "out\n");
}

#[test]
fn an_address_gets_all_of_the_output() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let port = server(move |stream| sender.send(read_all(&stream)).unwrap());
    let address = format!("tcp:127.0.0.1:{port}");
    run(&["--stdout", &address, "--", "seq", "1", "100000"]).exits(0).says("");
    let got = receiver.recv_timeout(DEADLINE).unwrap();
    assert_eq!(got.len(), 588_895);
    let dead = format!("tcp:127.0.0.1:{}", closed_port());
    let ended = run(&["--stdout", &dead, "--", "true"]).exits(7).complains(&format!("--stdout {dead}"));
    assert!(ended.stderr.lines().all(|line| line.starts_with("spile run: ")), "{ended:?}");
}

#[test]
fn an_address_that_cannot_be_read_is_refused_before_anything_starts() {
    let (_dir, file) = place();
    for (flag, bad, why) in [
        ("--stdout", "tcp:host", "address 'tcp:host' has no port (host:PORT connects)"),
        ("--stderr", "tcp:host:1,bogus", "option 'bogus' is unknown"),
        ("--tee", "tcp-l:0", "'tcp-l:0' listens, but is on the right"),
        ("--stdin", "tcp:host", "has no port"),
    ] {
        let ended = run(&[flag, bad, "--", "touch", file.to_str().unwrap()]).exits(125).complains(why);
        assert!(ended.stderr.starts_with("spile run: "), "{ended:?}");
        assert!(!file.exists());
    }
}

#[test]
fn tee_copies_both_streams_and_passes_them_on() {
    let (_dir, file) = place();
    let ended = run_both(&["--tee", file.to_str().unwrap()]).exits(0).says("out\n");
    assert_eq!(ended.stderr, "err\n");
    let mut lines: Vec<String> = read(&file).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["err", "out"]);
}

#[test]
fn a_full_disk_under_tee_is_one_line_and_the_program_goes_on() {
    let script = "echo one; sleep .2; echo two; exit $1";
    let ended = run(&["--tee", "/dev/full", "--", "sh", "-c", script, "sh", "0"]).exits(1).says("one\ntwo\n");
    assert_eq!(ended.stderr, "spile run: cannot write /dev/full: No space left on device\n");
    run(&["--tee", "/dev/full", "--", "sh", "-c", script, "sh", "9"]).exits(9).says("one\ntwo\n");
}

#[test]
fn a_full_disk_under_our_stdout_is_told_where_output_passes_through() {
    let full = |status: &str| format!("$SPILE run --relay -- sh -c 'echo hi; exit {status}' >/dev/full");
    let ended = shell(&full("0")).eof().ends().exits(1);
    assert_eq!(ended.stderr, "spile run: cannot write stdout: No space left on device\n");
    shell(&full("5")).eof().ends().exits(5).complains("No space left");
}

#[test]
fn quiet_ok_prints_only_what_has_failed() {
    let (_dir, file) = place();
    let script = "echo one; echo two >&2; echo three; exit $1";
    let quiet = ["--quiet-ok", "--tee", file.to_str().unwrap(), "--", "sh", "-c", script, "sh"];
    let ended = run(&[&quiet[..], &["0"]].concat()).exits(0).says("");
    assert_eq!(ended.stderr, "");
    assert_eq!(read(&file).len(), "one two three ".len(), "tee has it all the same");
    let ended = run(&[&quiet[..], &["3"]].concat()).exits(3).says("one\nthree\n");
    assert_eq!(ended.stderr, "two\n");
    let ended = run(&["--ok", "0,3", "--quiet-ok", "--", "sh", "-c", script, "sh", "3"]).exits(0).says("");
    assert_eq!(ended.stderr, "");
    run(&["-t", "200ms", "--quiet-ok", "--", "sh", "-c", "echo partial; exec sleep 60"])
        .exits(124)
        .says("partial\n");
}

#[test]
fn each_line_has_its_prefix_and_its_time() {
    let ended = run_both(&["--prefix", "{name} {stream}| "]).exits(0).says("sh stdout| out\n");
    assert_eq!(ended.stderr, "sh stderr| err\n");
    let time = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
    let text = |ended: Ended| String::from_utf8(ended.stdout).unwrap();
    let stamped = text(run(&["--ts", "--prefix", "a: ", "--", "echo", "x"]).exits(0));
    let (stamp, rest) = stamped.split_once(' ').unwrap();
    assert!(time.is_match(stamp) && rest == "a: x\n", "{stamped}");
    let stamped = text(run(&["--prefix", "[{time}] ", "--", "printf", "no end"]).exits(0));
    let (stamp, rest) = stamped.strip_prefix('[').unwrap().split_once(']').unwrap();
    assert!(time.is_match(stamp) && rest == " no end", "{stamped}");
}

#[test]
fn long_lines_and_characters_are_not_broken_by_a_prefix() {
    let line = "é".repeat(100_000);
    let (_dir, file) = place();
    std::fs::write(&file, format!("{line}\n{line}\n")).unwrap();
    let ended = run(&["--prefix", "> ", "--", "cat", file.to_str().unwrap()]).exits(0);
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), format!("> {line}\n> {line}\n"));
}

#[test]
fn exact_order_is_exact_and_still_told_apart() {
    let script = "import os
for i in range(200):
    os.write(1, b'o%d\\n' % i)
    os.write(2, b'e%d\\n' % i)
";
    let mut wanted = String::new();
    for i in 0..200 {
        wanted += &format!("stdout o{i}\nstderr e{i}\n");
    }
    let (_dir, file) = place();
    for _ in 0..10 {
        let path = file.to_str().unwrap();
        let flags = ["--order", "exact", "--prefix", "{stream} ", "--stdout", path, "--stderr", path];
        run(&[&flags[..], &["--", "python3", "-c", script]].concat()).exits(0);
        assert_eq!(read(&file), wanted);
    }
    run(&["--order", "exact", "--quiet-ok", "--", "sh", "-c", "exit 4"]).exits(4);
}

#[test]
fn exact_order_does_not_wait_for_who_holds_the_sockets() {
    let start = Instant::now();
    let script = "sleep 30 & echo $!";
    let ended = run(&["--order", "exact", "--linger", "100ms", "--", "sh", "-c", script]).exits(0);
    let pid = String::from_utf8(ended.stdout).unwrap();
    assert!(start.elapsed().as_secs() < 10);
    assert!(is_alive(pid.trim().parse().unwrap()));
    assert!(program("kill", &[pid.trim()]).ends().status == 0);
}

#[test]
fn line_ends_become_unix_ones() {
    let script = r"printf 'a\r\nb\rc\r\r\n\r'";
    run(&["--newlines", "lf", "--", "sh", "-c", script]).exits(0).says("a\nb\rc\r\n\r");
}

#[test]
fn silence_has_a_limit_and_output_puts_it_off() {
    let start = Instant::now();
    run(&["--idle-timeout", "300ms", "--", "sh", "-c", "echo in; exec sleep 60"])
        .exits(124)
        .says("in\n")
        .complains("--idle-timeout");
    assert!(start.elapsed().as_secs() < 10);
    let script = "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep .1; done";
    run(&["--idle-timeout", "500ms", "--", "sh", "-c", script]).exits(0);
}

#[test]
fn words_that_cannot_be_are_refused() {
    for (flags, part) in [
        (&["--stdout", "append:"][..], "without a name"),
        (&["--max-capture", "1M:middle"], "middle"),
        (&["--pty=big"], "80x24"),
        (&["--merge", "--swap"], "--swap"),
        (&["--order", "exact", "--pty"], "--pty"),
        (&["--order", "random"], "random"),
        (&["--tee", "capture"], "--stdout capture"),
        (&["--spill", "-"], "./-"),
        (&["--pid-file", "-"], "./-"),
    ] {
        run(&[flags, &["true"]].concat()).exits(125).complains(part);
    }
}
