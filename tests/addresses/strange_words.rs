//! Whatever the words and the descriptors are that spile is started with: it never panics.

use crate::harness::*;

const STRANGE_WORDS: &[&str] = &[
    "",
    ":",
    ",",
    "::",
    "-",
    "--",
    "@",
    "/",
    "!!",
    "a!!b",
    "tcp",
    "tcp:",
    "tcp-l",
    "tcp-l:",
    "tcp:::",
    "[",
    "]",
    "[]",
    "[]:",
    "[::1]",
    "tcp:[::1%lo]:1",
    "text:",
    "text:\\",
    "text:\\x",
    "text:\\xZZ",
    "é:1",
    "\u{1F600}",
    "tcp:h:1,bind=",
    "tcp:h:1,=x",
    "tcp:h:1,,",
    "fd:-1",
    "fd:99999999999",
    "unix:",
    "unix-l:@",
    "vsock:1:2:3",
    "vsock:x",
    "exec: ",
    "exec:'",
    "sh:",
    "udp-l:-1",
    "tcp:h:1,sockopt=1:2=x",
    "file:",
    "pty,rows=99999999:",
];

#[test]
fn strange_words_never_panic() {
    for &word in STRANGE_WORDS {
        for args in [
            vec!["connect", "--explain", "--", word],
            vec!["relay", "--explain", word, word],
            vec!["relay", word, "null"],
        ] {
            if args.len() == 3 && ["-", "/"].contains(&word) {
                continue; // means something
            }
            let mut process = spile(args.iter().copied());
            process.close_stdin();
            let pause = std::time::Instant::now();
            while process.is_running() && pause.elapsed().as_millis() < 400 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            process.signal_if_running("TERM");
            let ended = process.ends();
            assert!(!ended.stderr.contains("panicked"), "{args:?}: {ended:?}");
        }
    }
}

#[test]
fn words_that_are_no_utf8_never_panic() {
    use std::os::unix::ffi::OsStrExt;
    for args in [["relay", "\u{0}", "null"], ["connect", "\u{0}", "80"]] {
        let mut command = std::process::Command::new(SPILE);
        for arg in args {
            let bad = std::ffi::OsStr::from_bytes(b"\xff\xfe");
            command.arg(if arg == "\u{0}" { bad } else { std::ffi::OsStr::new(arg) });
        }
        start(command).eof().ends().exits(2);
    }
}

#[test]
fn standard_descriptors_that_are_closed_at_the_start_are_safe() {
    let closed = closed_port();
    for redirect in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"] {
        for (words, status) in [
            ("relay text:hello null", 0),
            ("relay null text:hello", 0),
            ("relay null -", 0),
            ("relay tcp-l:0,bogus null", 2),
            (&format!("connect 127.0.0.1 {closed}")[..], 7),
            ("run -- true", 0),
        ] {
            let ended = shell(&format!("$SPILE {words} {redirect}")).eof().ends();
            assert_eq!(ended.status, status, "spile {words} {redirect}: {ended:?}");
            assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        }
    }
}

#[test]
fn what_was_to_be_written_to_a_closed_stdout_is_a_failure() {
    for words in [
        "relay text:hello -",
        "relay --explain tcp-l:0 echo",
        "connect --explain localhost 80",
        "resolve --interfaces",
        "resolve --json localhost",
        "run --report - -- true",
        "run --events - -- true",
        "run --dry-run -- true",
        "run --relay -- echo data",
        "run -- echo data",
        "pipe --report - true",
        "pipe --dry-run true",
        "pipe echo data :: @meter",
        "--version",
        "run --help",
    ] {
        // What was opened for reading alone cannot be written either.
        for redirect in [">&-", "<&- >&-", "1</dev/null"] {
            let ended = shell(&format!("$SPILE {words} {redirect}")).eof().ends();
            assert_eq!(ended.status, 1, "spile {words} {redirect}: {ended:?}");
            assert!(ended.stderr.contains("Bad file descriptor"), "spile {words} {redirect}: {ended:?}");
        }
    }
}
