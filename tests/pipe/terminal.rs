//! `pipe` on a terminal: keys arrive once, stages can read it, stopping and going on are for all of them.

use crate::harness::*;

#[test]
fn one_key_is_one_interrupt_for_every_stage() {
    let counter = interrupt_counter();
    let script = counter.path().display();
    let line =
        format!("$SPILE pipe python3 {script} first :: sh -c 'sleep .3; exec python3 {script} second'");
    for _ in 0..3 {
        let shown = Terminal::shell(&line).sees("ready").sees("ready").types("\x03").ends();
        assert!(shown.contains("first 1\r\n") && shown.contains("second 1\r\n"), "{shown:?}");
    }
}

#[test]
fn a_stage_can_read_the_terminal_and_it_is_given_back() {
    let line = "$SPILE pipe -t 10s head -1 :: tr a-z A-Z; echo rc=$?; head -1; echo rc=$?";
    let shown = Terminal::shell(line).types("hello\n").sees("HELLO").sees("rc=0").types("again\n").ends();
    assert!(shown.ends_with("again\r\nrc=0\r\n"), "{shown:?}");
}

#[test]
fn a_stage_of_modifiers_alone_reads_the_terminal_and_ends_by_its_keys() {
    let shown = Terminal::shell("$SPILE pipe @head=1; echo rc=$?").types("hello\n").ends();
    assert!(shown.ends_with("hello\r\nrc=0\r\n"), "{shown:?}");
    let shown = Terminal::shell("trap : INT; $SPILE pipe @limit=1K; echo rc=$?")
        .types("x\n")
        .sees("x\r\nx")
        .types("\x03")
        .ends();
    assert!(shown.contains("rc=130"), "{shown:?}");
}

#[test]
fn the_terminal_of_a_stage_follows_ours_in_size() {
    let line = "T=$(tty); D=$(mktemp -d); (until test -e $D/go; do sleep .02; done; stty -F $T rows 31 cols 91) & \
         $SPILE pipe @pty sh -c \"trap 'stty size <&1; exit' WINCH; touch $D/go; \
         while :; do sleep .05; done\" :: cat; rm -r $D";
    let shown = Terminal::shell(line).ends();
    assert!(shown.contains("31 91\r\n"), "{shown:?}");
}

#[test]
fn the_meter_shows_one_line_that_is_written_over() {
    let line = "$SPILE pipe --meter sh -c 'echo abc; sleep 1.2' :: cat";
    let shown = Terminal::shell(line).ends();
    assert!(shown.contains("\rsh 4 B") && shown.contains("\x1b[K"), "{shown:?}");
    assert!(shown.contains("sh: 4 B in 1."), "{shown:?}");
}

#[test]
fn stopped_by_a_key_and_continued_the_whole_pipeline_goes_on() {
    // The last stage speaks, so all run: in a vfork(2) nobody can be stopped before the exec.
    let script = "$SPILE pipe cat :: cat :: sh -c 'echo in >&2; exec tr a-z A-Z'\n";
    let terminal = Terminal::interactive().types(script).sees("\nin\r\n");
    let terminal = terminal.types("\x1a").sees("Stopped").sees("$ ");
    let terminal = terminal.types("echo shell $((1+1))\n").sees("shell 2\r\n").sees("$ ");
    let terminal = terminal.types("fg\n").sees("$SPILE pipe").types("typed\n").types("\x04");
    terminal.sees("TYPED\r\n").sees("$ ").types("exit\n").ends();
}
