//! `run` on a terminal: keys arrive once, the program can read, and the terminal is given back.

use crate::harness::*;

/// The program in our process group, as is usual in a foreground, and in one of its own.
const GROUPS: [&str; 2] = ["", "--pgroup new"];

#[test]
fn one_key_is_one_interrupt() {
    let counter = interrupt_counter();
    for group in GROUPS {
        for _ in 0..6 {
            let line = format!("$SPILE run {group} -- python3 {} count", counter.path().display());
            let shown = Terminal::shell(&line).sees("ready").types("\x03").ends();
            assert!(shown.contains("count 1\r\n"), "{group}: {shown:?}");
        }
    }
}

#[test]
fn the_program_can_read_the_terminal() {
    for group in GROUPS {
        let line = format!("$SPILE run -t 10s {group} -- head -1; echo rc=$?");
        let shown = Terminal::shell(&line).types("hello\n").ends();
        assert!(shown.ends_with("hello\r\nrc=0\r\n"), "{group}: {shown:?}");
    }
}

#[test]
fn the_terminal_is_given_back_at_the_end() {
    for group in GROUPS {
        for program in ["true", "nosuch", "sh -c 'kill -KILL $$'"] {
            let line = format!("$SPILE run {group} -- {program}; head -1; echo rc=$?");
            let shown = Terminal::shell(&line).types("hello\n").ends();
            assert!(shown.ends_with("hello\r\nrc=0\r\n"), "{group} {program}: {shown:?}");
        }
        let line = format!("$SPILE run -t 300ms {group} -- sh -c 'stty -echo; cat'; head -1; echo rc=$?");
        let shown = Terminal::shell(&line).sees("ran out").types("hello\n").ends();
        assert!(shown.ends_with("hello\r\nrc=0\r\n"), "{group}: {shown:?}");
    }
}

#[test]
fn modes_are_set_back_after_a_crash_and_left_as_the_program_wanted_them_otherwise() {
    for group in GROUPS {
        let terminal = Terminal::shell(&format!(
            "$SPILE run {group} -- sh -c 'stty -echo; kill -SEGV $$'; echo over; read; \
             $SPILE run {group} -- stty -echo; echo over; read"
        ));
        let terminal = terminal.sees("over");
        assert!(terminal.echoes(), "{group}");
        let terminal = terminal.types("\n").sees("over");
        assert!(!terminal.echoes(), "{group}");
    }
}

#[test]
fn in_a_session_of_its_own_it_stops_by_the_key_too() {
    let program = "import time; print(\"in\", flush=True); time.sleep(.5); print(\"out\")";
    let line = format!("$SPILE run --session -- python3 -c '{program}'\n");
    let terminal = Terminal::interactive().types(&line).sees("\nin\r\n").types("\x1a").sees("Stopped");
    let terminal = terminal.types("echo shell $((1+1))\n").sees("shell 2\r\n").sees("$ ");
    terminal.types("fg\n").sees("out\r\n").sees("$ ").types("exit\n").ends();
}

#[test]
fn job_control_stops_and_continues_both() {
    for group in GROUPS {
        let script = format!("$SPILE run {group} -- sh -c 'echo in; read x; echo got $x'\n");
        let terminal = Terminal::interactive().types(&script).sees("\nin\r\n");
        let terminal = terminal.types("\x1a").sees("Stopped").sees("$ ");
        let terminal = terminal.types("echo shell $((1+1))\n").sees("shell 2\r\n").sees("$ ");
        let terminal =
            terminal.types("fg\n").sees("$SPILE run").types("typed\n").sees("got typed\r\n").sees("$ ");
        terminal.types("exit\n").ends();
    }
}

#[test]
fn sent_to_the_background_it_leaves_the_terminal_to_the_shell() {
    for group in GROUPS {
        // No shell, whose vfork(2) cannot be stopped before the exec.
        let program = "import time; print(\"in\", flush=True); time.sleep(1); print(\"out\")";
        let script = format!("$SPILE run {group} -- python3 -c '{program}'\n");
        let terminal = Terminal::interactive().types(&script).sees("\nin\r\n");
        let terminal = terminal.types("\x1a").sees("Stopped").sees("$ ").types("bg\n").sees("$ ");
        let terminal = terminal.types("cat\n").sees("cat\r\n").sees("out\r\n");
        let terminal = terminal.types("typed\n").sees("typed\r\ntyped\r\n").types("\x04").sees("$ ");
        terminal.types("exit\n").ends();
    }
}

#[test]
fn in_the_background_it_never_takes_the_terminal_and_gets_it_with_fg() {
    for group in GROUPS {
        let script = format!("$SPILE run {group} -- sh -c 'read x; echo got $x' &\n");
        let terminal = Terminal::interactive().types(&script).sees("$ ");
        // A program that wants to read is stopped, and the shell goes on.
        let terminal = terminal.types("echo shell $((1+1))\n").sees("shell 2\r\n").sees("$ ");
        let terminal =
            terminal.types("until jobs | grep Stopped; do sleep .05; done\n").sees("Stopped").sees("$ ");
        let terminal =
            terminal.types("fg\n").sees("$SPILE run").types("typed\n").sees("got typed\r\n").sees("$ ");
        terminal.types("exit\n").ends();
    }
}

#[test]
fn an_interrupt_ends_the_loop_around_it_only_if_the_program_dies_of_it() {
    let line = "for i in 1 2 3; do $SPILE run -- sh -c 'echo run; sleep 9'; done; echo after";
    let shown = Terminal::shell(line).sees("run").types("\x03").ends();
    assert!(!shown.contains("run") && !shown.contains("after"), "{shown:?}");
    let handles = "trap \"exit 0\" INT; echo run; while :; do sleep .02; done";
    let line = format!("for i in 1 2; do $SPILE run -- sh -c '{handles}'; done; echo after");
    let shown = Terminal::shell(&line).sees("run").types("\x03").sees("run").types("\x03").ends();
    assert!(shown.contains("after"), "{shown:?}");
}

#[test]
fn who_shares_our_foreground_keeps_the_terminal() {
    // As a pager behind us would.
    let reader = "sh -c 'cat; read x </dev/tty; echo got $x'";
    let line = format!("$SPILE run -- sh -c 'echo data; sleep 1' | {reader}\n");
    let terminal = Terminal::interactive().types(&line).sees("data\r\n");
    terminal.types("typed\n").sees("got typed").sees("$ ").types("exit\n").ends();
}

#[test]
fn a_prompt_behind_a_label_is_shown_before_its_line_ends() {
    let line = "$SPILE run --prefix 'job: ' -- sh -c 'printf \"name? \"; read name; echo $name'";
    Terminal::shell(line).sees("job: name? ").types("spile\n").sees("spile\r\n").ends();
}

#[test]
fn insisting_with_the_key_asks_and_then_kills() {
    // In a group of its own, the program alone hears of the keys.
    let word = unique_sleep();
    // Two interrupts that wait together are one.
    let was_read = |terminal: Terminal| {
        let of_spile = || with_argument(&word).into_iter().find(|pid| is_a(*pid, "spile"));
        wait_until("it was read", || of_spile().is_some_and(|pid| !has_pending(pid)));
        terminal
    };
    // The shell around it is not to end of its own interrupt.
    let start = |on_term| {
        let script = format!("trap \"\" INT; trap \"{on_term}\" TERM; echo in; while :; do sleep .02; done");
        let run = format!("$SPILE run --grace 60s -- sh -c '{script}' {word}");
        Terminal::shell(&format!("trap : INT; {run}; echo rc=$?")).sees("in\r\n")
    };
    let shown = was_read(start("echo asked; exit 3").types("\x03").sees("^C")).types("\x03").ends();
    assert!(shown.contains("asked\r\n") && shown.contains("rc=3\r\n"), "{shown:?}");
    let terminal = was_read(start("echo asked").types("\x03").sees("^C")).types("\x03").sees("asked");
    let shown = was_read(terminal).types("\x03").ends();
    assert!(shown.contains("rc=137\r\n"), "{shown:?}");
}

#[test]
fn the_time_that_a_key_has_stopped_it_does_not_count() {
    for group in GROUPS {
        let program = "import time; print(\"in\", flush=True); time.sleep(.5); print(\"out\")";
        let line = format!("$SPILE run -t 1s {group} -- python3 -c '{program}'; echo rc=$?\n");
        let terminal = Terminal::interactive().types(&line).sees("\nin\r\n").types("\x1a").sees("Stopped");
        std::thread::sleep(std::time::Duration::from_millis(1300));
        let terminal = terminal.types("fg\n").sees("out\r\n").sees("$ ");
        terminal.types("exit\n").ends();
    }
}
