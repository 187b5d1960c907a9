//! `trap` on a terminal: keys arrive once, rules catch them, and the terminal is given back.

use crate::harness::*;

#[test]
fn l_one_key_is_one_interrupt_as_with_tini_and_dumb_init() {
    let counter = interrupt_counter();
    let ours = ["$SPILE trap --", "$SPILE trap --pgroup new --", "$SPILE trap --to-group --"];
    for init in ours.into_iter().chain(["tini -s --", "dumb-init --"]) {
        for _ in 0..4 {
            let line = format!("{init} python3 {} count", counter.path().display());
            let shown = Terminal::shell(&line).sees("ready").types("\x03").ends();
            assert!(shown.contains("count 1\r\n"), "{init}: {shown:?}");
        }
    }
}

#[test]
fn j_the_program_reads_the_terminal_and_the_shell_has_it_back() {
    let ours = [
        "--on INT=report",
        "--double INT=stop",
        "--double INT=report",
        "--no-forward=INT",
        "--rewrite INT:TERM",
    ];
    for flags in ["", "--pgroup new", "--init", "--to-group"].into_iter().chain(ours) {
        let line = format!("$SPILE trap {flags} -- head -1; echo rc=$?; head -1; echo again=$?");
        let terminal = Terminal::shell(&line).types("one\n").sees("rc=0\r\n");
        let shown = terminal.types("two\n").ends();
        assert!(shown.ends_with("two\r\nagain=0\r\n"), "{flags}: {shown:?}");
    }
}

#[test]
fn a_key_that_a_rule_names_does_not_reach_the_program() {
    let script = "trap \"echo got it\" INT; echo ready; while :; do sleep .02; done";
    for (rule, shown) in [("run:echo rule", "rule\r\n"), ("send:TERM", ""), ("exit:3", "")] {
        let line = format!("$SPILE trap --on 'INT={rule}' --on QUIT=exit:3 -- sh -c '{script}'; echo rc=$?");
        let terminal = Terminal::shell(&line).sees("ready\r\n").types("\x03");
        let rest = match shown {
            "" => terminal.ends(),
            shown => terminal.sees(shown).types("\x1c").ends(),
        };
        assert!(!rest.contains("got it"), "{rule}: {rest:?}");
        assert!(rest.contains("rc="), "{rule}: {rest:?}");
    }
}

#[test]
fn a_second_key_soon_after_the_first_is_a_double() {
    let script = "trap \"echo got it\" INT; echo ready; while :; do sleep .02; done";
    let line = format!("$SPILE trap --double INT=exit:9 -- sh -c '{script}'; echo rc=$?");
    let terminal = Terminal::shell(&line).sees("ready\r\n").types("\x03").sees("got it\r\n").types("\x03");
    assert!(terminal.ends().contains("rc=9\r\n"));
}

/// Says which signals it gets, and a dot now and then; TERM ends it with 4, USR1 with 5, QUIT kills it.
const SAYS: &str = "trap \"echo got INT\" INT; trap \"echo got USR1; exit 5\" USR1; trap \"echo got TERM; exit 4\" TERM; \
                    echo ready; while :; do sleep .02; echo .; done";

#[test]
fn a_key_is_rewritten() {
    for command in ["trap", "run"] {
        let line = format!("$SPILE {command} --rewrite INT:TERM -- sh -c '{SAYS}'; echo rc=$?");
        let shown = Terminal::shell(&line).sees("ready\r\n").types("\x03").ends();
        assert!(
            shown.contains("got TERM\r\nrc=4\r\n") && !shown.contains("got INT\r\n"),
            "{command}: {shown:?}"
        );
    }
    let line = format!("$SPILE pipe --rewrite INT:TERM sh -c 'exec >&2; {SAYS}' :: cat; echo over");
    let shown = Terminal::shell(&line).sees("ready\r\n").types("\x03").ends();
    assert!(shown.contains("got TERM\r\n") && !shown.contains("got INT\r\n"), "{shown:?}");
}

#[test]
fn a_key_is_not_passed_on() {
    for (flags, key) in [
        ("trap --no-forward=INT", "\x03"),
        ("trap --rewrite INT:none", "\x03"),
        ("trap --no-forward=TSTP", "\x1a"),
        ("run --no-forward=INT,TSTP", "\x03\x1a"),
        ("pipe --no-forward=INT,TSTP", "\x03\x1a"),
    ] {
        let line = format!("ulimit -c 0; $SPILE {flags} sh -c '{SAYS}'; echo rc=$?");
        let terminal = Terminal::shell(&line).sees("ready\r\n").types(key).sees("^");
        let (terminal, shown) = terminal.shows(".\r\n.\r\n.\r\n");
        assert!(!shown.contains("got INT\r\n"), "{flags}: {shown:?}");
        let shown = terminal.types("\x1c").ends();
        assert!(shown.contains("rc=131\r\n") && !shown.contains("got INT\r\n"), "{flags}: {shown:?}");
    }
}

#[test]
fn a_second_key_that_is_to_do_something_else_does_not_reach_the_program() {
    let line = format!("$SPILE trap --double INT=send:USR1 -- sh -c '{SAYS}'; echo rc=$?");
    let terminal = Terminal::shell(&line).sees("ready\r\n").types("\x03").sees("got INT\r\n").types("\x03");
    let shown = terminal.ends();
    assert!(shown.contains("got USR1\r\nrc=5\r\n") && !shown.contains("got INT\r\n"), "{shown:?}");
}

#[test]
fn a_second_key_ends_a_program_that_reads_the_terminal_too() {
    let program = "import signal
signal.signal(signal.SIGINT, lambda *_: print(\"caught\"))
while True: input(\"? \")";
    let line = format!("$SPILE trap --double INT=exit:9 --events fd:1 -- python3 -c '{program}'; echo rc=$?");
    // Two that come before spile has read the first would be one.
    let terminal = Terminal::shell(&line).sees("? ").types("\x03").sees("\"name\":\"INT\"").types("\x03");
    assert!(terminal.ends().contains("rc=9\r\n"));
}

#[test]
fn that_keys_do_not_come_to_us_any_more_is_said_once() {
    for flags in
        ["trap --on INT=report", "trap --no-forward=INT", "run --rewrite INT:TERM", "pipe --rewrite INT:TERM"]
    {
        let line = format!("$SPILE {flags} sh -c 'read a; read b; echo $b $a'; echo rc=$?");
        let terminal =
            Terminal::shell(&line).sees("the program uses the terminal: from now on keys reach it alone");
        let shown = terminal.types("one\ntwo\n").ends();
        assert!(shown.contains("two one\r\nrc=0"), "{flags}: {shown:?}");
        assert!(!shown.contains("from now on"), "{flags}: {shown:?}");
    }
}

/// Leads a session on a terminal that hangs up once "ready" was shown; prints the status of what then ends.
const HANGS_UP: &str = "
import os, subprocess, sys
master, slave = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
shown = b''
while b'ready' not in shown:
    shown += os.read(master, 100)
os.close(master)
print(child.wait())";

#[test]
fn a_terminal_that_hangs_up_tells_the_program_also_past_a_leader_of_the_session() {
    // The kernel sends HUP to the leader of the session alone, and that is spile.
    let script =
        "trap 'exit 5' HUP; echo ready; i=0; while [ $i -lt 500 ]; do sleep .02; i=$((i+1)); done; exit 6";
    let namespaces: &[&[&str]] = match have_namespace("-pf") {
        true => &[&[], &["unshare", "-pf", "--kill-child"]],
        false => &[&[]],
    };
    let ours =
        [&[SPILE, "trap", "--"][..], &[SPILE, "trap", "--pgroup", "same", "--"], &[SPILE, "run", "--"]];
    for init in ours.into_iter().chain([&["tini", "-s", "--"][..], &["dumb-init", "--"]]) {
        for namespace in namespaces {
            let words =
                [&["-c", HANGS_UP], *namespace, &["setsid", "-c"], init, &["sh", "-c", script]].concat();
            program("python3", &words).ends().exits(0).says("5\n");
        }
    }
}

#[test]
fn many_keys_do_not_end_an_interactive_program() {
    let line = "PS1='> ' $SPILE trap -- bash --norc --noprofile -i; echo rc=$?";
    let mut terminal = Terminal::shell(line).sees("> ");
    for _ in 0..5 {
        // A shell that has not begun to read yet answers with the next key.
        terminal = terminal.types("\x03").types("\n").sees("> ");
    }
    assert!(terminal.types("exit 4\n").ends().contains("rc=4\r\n"));
}

#[test]
fn job_control_stops_and_continues_both_also_with_rules_for_keys() {
    // No shell, whose vfork(2) cannot be stopped before the exec.
    let program = "import os, time; print(\"in\", flush=True); \
                   [time.sleep(.02) for _ in iter(lambda: os.path.exists(\"go\"), True)]; print(\"out\")";
    for flags in ["", "--on INT=report"] {
        let script = format!("$SPILE trap {flags} -- python3 -c '{program}'\n");
        let terminal =
            Terminal::interactive().types("cd $(mktemp -d)\n").sees("$ ").types(&script).sees("\nin\r\n");
        let terminal = terminal.types("\x1a").sees("Stopped").sees("$ ");
        let terminal = terminal.types("touch go; echo shell $((1+1))\n").sees("shell 2\r\n").sees("$ ");
        terminal.types("fg\n").sees("out\r\n").sees("$ ").types("rm -r \"$PWD\"; exit\n").ends();
    }
}

#[test]
fn an_interrupt_ends_the_loop_around_it_only_if_the_program_dies_of_it() {
    let line = "for i in 1 2 3; do $SPILE trap -- sh -c 'echo run; exec sleep 9'; done; echo after";
    let shown = Terminal::shell(line).sees("run").types("\x03").ends();
    assert!(!shown.contains("run") && !shown.contains("after"), "{shown:?}");
    let handles = "trap \"exit 0\" INT; echo run; while :; do sleep .02; done";
    let line = format!("for i in 1 2; do $SPILE trap -- sh -c '{handles}'; done; echo after");
    let shown = Terminal::shell(&line).sees("run").types("\x03").sees("run").types("\x03").ends();
    assert!(shown.contains("after"), "{shown:?}");
}
