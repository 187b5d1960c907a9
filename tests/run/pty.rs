//! `run --pty`, `--line-buffer`: a terminal for the program, and ours as it was afterwards.

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

#[test]
fn the_program_has_a_terminal_of_the_size_asked_for() {
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size && ps -o tty= -p $$ | grep -c pts";
    run(&["--pty=120x40", "--", "sh", "-c", script]).exits(0).says("40 120\r\n1\r\n");
    run(&["--pty", "--", "stty", "size"]).exits(0).says("24 80\r\n");
    run(&["--pty", "--newlines", "lf", "--", "stty", "size"]).exits(0).says("24 80\n");
}

#[test]
fn input_that_is_no_terminal_is_typed_without_an_echo_and_has_an_end() {
    for input in ["line\n", "no end of line", ""] {
        let ended = spile(["run", "-t", "10s", "--pty", "--", "cat"]).sends(input).eof().ends().exits(0);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), input.replace('\n', "\r\n"));
    }
    run(&["-t", "10s", "--pty", "--stdin", "text:hi\n", "--", "cat"]).exits(0).says("hi\r\n");
    run(&["-t", "10s", "--pty", "--stdin", "text:hi\n", "--", "sh", "-c", "cat; cat"])
        .exits(0)
        .says("hi\r\n");
    // It sets its terminal anew for each line.
    run(&["-t", "10s", "--pty", "--stdin", "text:print(6*7)\n", "--", "python3", "-iq"]).exits(0);
}

#[test]
fn a_line_may_be_longer_than_a_terminal_takes() {
    for length in [4095, 4096, 5000, 300_000] {
        let line =
            format!("head -c {length} /dev/zero | tr '\\0' x | $SPILE run -t 10s --pty -- sh -c 'wc -c'");
        shell(&line).eof().ends().exits(0).says(format!("{length}\r\n"));
    }
    let line = "(head -c 9000 /dev/zero | tr '\\0' x; echo; seq 3) | $SPILE run -t 10s --pty -- wc";
    shell(line).eof().ends().exits(0).says("      4       4    9007\r\n");
    // Without a line mode there is no limit, and nothing stands between the bytes.
    let raw = "stty raw; echo ready >&2; head -c 9000 | tr -d x | wc -c";
    let mut program = spile(["run", "-t", "10s", "--pty", "--stderr", "/dev/stderr", "--", "sh", "-c", raw]);
    program.line("ready");
    program.sends("x".repeat(9000)).eof().ends().exits(0).says("0\n");
}

#[test]
fn bytes_that_are_typed_are_data_and_no_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("typed").display().to_string();
    let keys: Vec<u8> = (0..=255).collect();
    for bytes in [keys.clone(), [&b"a\x03\r\n\x1a\x04"[..], &keys].concat(), noise(3, 100_000)] {
        let args = ["run", "-t", "15s", "--pty", "--", "sh", "-c", "cat >\"$0\"", &path];
        spile(args).sends(&bytes).eof().ends().exits(0).says("");
        assert!(std::fs::read(&path).unwrap() == bytes, "{} bytes", bytes.len());
    }
}

#[test]
fn a_program_can_have_its_keys_back() {
    let script = "trap 'echo caught; exit 3' INT; stty sane -echo; echo in; while :; do sleep .05; done";
    let mut running = spile(["run", "-t", "15s", "--pty", "--", "sh", "-c", script]);
    running.read(b"in\r\n");
    running.sends("\x03").ends().exits(3).says("caught\r\n");
}

#[test]
fn all_output_arrives_and_the_status_is_the_programs() {
    let ended = run(&["--pty", "--", "sh", "-c", "seq 1 20000; exit 5"]).exits(5);
    assert_eq!(ended.stdout.iter().filter(|byte| **byte == b'\n').count(), 20_000);
    assert!(ended.stdout.ends_with(b"20000\r\n"));
    run(&["--pty", "--", "sh", "-c", "kill -TERM $$"]).exits(143);
    run(&["--pty", "nosuch"]).exits(127).complains("nosuch");
}

#[test]
fn stderr_can_still_be_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("err");
    let script = "echo out; echo err >&2";
    run(&["--pty", "--stderr", file.to_str().unwrap(), "--", "sh", "-c", script]).exits(0).says("out\r\n");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "err\n");
}

#[test]
fn a_program_that_buffers_shows_its_lines_at_once() {
    let script = "import sys, time; print(sys.stdout.isatty()); time.sleep(60)";
    let mut running = spile(["run", "--line-buffer", "--", "python3", "-c", script]);
    running.read(b"True\n");
    running.signal("TERM");
    running.ends().exits(143);
    let script = "test -t 1 && echo yes; test -t 2 || echo no; test -t 0 || echo no";
    run(&["--line-buffer", "--", "sh", "-c", script]).exits(0).says("yes\nno\nno\n");
}

#[test]
fn keys_go_to_the_program_and_the_terminal_is_as_before_at_the_end() {
    for end in ["exit 0", "kill -KILL $$"] {
        let script = format!("echo in; read x; echo got $x; {end}");
        let line = format!("$SPILE run --pty -- sh -c '{script}'; echo over; read y; echo $y");
        let terminal = Terminal::shell(&line).sees("in\r\n").types("abc\n").sees("got abc").sees("over");
        assert!(terminal.echoes());
        let shown = terminal.types("def\n").ends();
        assert!(shown.ends_with("def\r\ndef\r\n"), "{shown:?}");
    }
}

#[test]
fn the_interrupt_key_reaches_the_program_once() {
    let script = "trap 'echo caught; exit 3' INT; echo in; while :; do sleep .05; done";
    let line = format!("$SPILE run --pty -- sh -c \"{script}\"; echo rc=$?");
    let shown = Terminal::shell(&line).sees("in\r\n").types("\x03").ends();
    assert_eq!(shown.matches("caught").count(), 1, "{shown:?}");
    assert!(shown.ends_with("rc=3\r\n"), "{shown:?}");
}

#[test]
fn a_time_limit_gives_the_terminal_back_too() {
    let line = "$SPILE run -t 300ms --pty -- sleep 60; echo rc=$?; read y; echo $y";
    let terminal = Terminal::shell(line).sees("rc=124");
    assert!(terminal.echoes());
    terminal.types("x\n").ends();
}

#[test]
fn a_change_of_size_is_passed_on() {
    let line = "T=$(tty); D=$(mktemp -d); (until test -e $D/go; do sleep .02; done; stty -F $T rows 31 cols 91) & \
         $SPILE run --pty -- sh -c \"trap 'stty size; exit' WINCH; touch $D/go; \
         while :; do sleep .05; done\"; rm -r $D";
    let shown = Terminal::shell(line).ends();
    assert!(shown.contains("31 91\r\n"), "{shown:?}");
}
