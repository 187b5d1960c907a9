//! How a session with a program ends. Numbers are the lines of the research notes.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::semantics_closing::ask;
use crate::harness::*;

#[test]
fn s9_all_that_a_program_wrote_arrives_though_it_has_ended() {
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", "head -c 3000000 /dev/zero"]);
    let port = listener.port();
    for _ in 0..3 {
        assert_eq!(read_all(&connect(port)).len(), 3_000_000);
    }
}

#[test]
fn s9_a_grandchild_that_keeps_the_pipe_open_does_not_keep_the_client() {
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", "echo hi; sleep 5 & exit 0"]);
    let started = Instant::now();
    assert_eq!(read_all(&connect(listener.port())), b"hi\n");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn s9_the_whole_group_of_a_child_ends_when_its_client_has_gone() {
    let script = "sleep 611 & sleep 612";
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", script]);
    let stream = connect(listener.port());
    (&stream).write_all(b"x").unwrap();
    wait_until("the tree runs", || {
        children(listener.pid()).first().is_some_and(|child| children(*child).len() == 2)
    });
    let tree = children(children(listener.pid())[0]);
    drop(stream);
    wait_until("the tree is gone", || !tree.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn s10_a_single_command_gives_us_its_status() {
    let port = server(drop);
    let address = format!("127.0.0.1:{port}");
    spile(["connect", &address, "--", "sh", "-c", "exit 3"]).ends().exits(3);
    spile(["connect", &address, "--", "sh", "-c", "kill -USR1 $$"]).ends().exits(128 + 10);
    spile(["connect", "--ignore-child-status", &address, "--", "sh", "-c", "exit 3"]).ends().exits(0);
    let mut listener = spile(["listen", "0", "--", "sh", "-c", "cat >/dev/null; exit 5"]);
    assert_eq!(ask(listener.port(), b"x"), b"");
    listener.ends().exits(5);
    let mut relay =
        spile(["relay", "--once", "tcp-l:127.0.0.1:0", "--", "sh", "-c", "cat >/dev/null; exit 6"]);
    assert_eq!(ask(relay.port(), b"x"), b"");
    relay.ends().exits(6);
}

#[test]
fn s10_a_command_that_cannot_start_has_the_status_that_a_shell_gives() {
    let port = server(drop).to_string();
    spile(["connect", "127.0.0.1", &port, "--", "no-such-program"])
        .ends()
        .exits(127)
        .complains("no-such-program");
    spile(["connect", "127.0.0.1", &port, "--", "/etc/passwd"]).ends().exits(126).complains("/etc/passwd");
}

#[test]
fn s10_a_service_whose_command_cannot_start_goes_on() {
    let mut listener = spile(["listen", "-kv", "0", "--", "no-such-program"]);
    let port = listener.port();
    for _ in 0..2 {
        let _ = (&connect(port)).read_to_end(&mut Vec::new());
    }
    assert!(listener.is_running());
    listener.line("spile listen: ");
}

#[test]
fn the_end_of_input_is_heard_by_a_program_that_sets_its_terminal_anew_for_each_line() {
    let python = "pty:python3 -iq";
    for args in [&["connect", python][..], &["relay", "-", python]] {
        let ended = spile(args).sends("print(6*7)\n").eof().ends().exits(0);
        assert!(String::from_utf8_lossy(&ended.stdout).contains("\r\n42\r\n"), "{ended:?}");
    }
    spile(["connect", "pty:bc -q"]).sends("6*7\n").eof().ends().exits(0);
}

#[test]
fn the_end_of_input_on_a_terminal_stays_one() {
    for (program, input, output) in [
        ("cat", "open line", "open line"),
        ("sh -c 'cat; cat'", "line\n", "line\r\n"),
        ("sh -c 'head -n1; cat; read x || echo end'", "line\n", "line\r\nend\r\n"),
    ] {
        let program = format!("pty,echo=no:{program}");
        spile(["connect", &program]).sends(input).eof().ends().exits(0).says(output);
    }
}
