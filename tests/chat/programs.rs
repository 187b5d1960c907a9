//! Scripted conversations with programs, over pipes and on terminals (popen2, expect).

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::harness::*;

fn chat<'a>(target: &'a str, steps: &[&'a str]) -> Ended {
    chat_with(target, &[], steps)
}

fn chat_with<'a>(target: &'a str, flags: &[&'a str], steps: &[&'a str]) -> Ended {
    let steps: Vec<&str> = steps.iter().flat_map(|step| ["-e", step]).collect();
    spile([&["chat", target], flags, &steps[..]].concat()).eof().ends()
}

#[test]
fn a_program_is_talked_to_over_pipes() {
    chat("run:cat", &["> hello", "= hello", ".half-close", "<$"]).exits(0);
    chat("run:sh -c 'read x; echo \"<$x>\"'", &["> a b", "= <a b>"]).exits(0);
    chat("sh:read x; echo $x; exit 7", &["> a", "= a", ".exit"]).exits(7);
    chat("sh:kill -USR1 $$", &["<$", ".exit"]).exits(138);
    chat("run:/no/such/program", &["> a"]).exits(127);
}

#[test]
fn a_prompt_is_found_on_a_terminal_and_nothing_is_echoed() {
    let login = "pty:sh -c 'printf \"login: \"; read x; printf \"Password: \"; read y; echo \"hello $x/$y\"'";
    chat(login, &["~~ login: $", "> bob", "<< Password: ", "> secret", "= hello bob/secret", "<$"]).exits(0);
    chat_with(login, &["--echo"], &["~~ login: $", "> bob", "<< bob\\r\\nPassword: "]).exits(0);
    chat("pty:stty size", &["= 24 80"]).exits(0);
    chat_with("pty:stty size", &["--size", "132x50"], &["= 50 132"]).exits(0);
    chat("pty,rows=7:stty size", &["= 7 80"]).exits(0);
}

#[test]
fn a_python_prompt_answers() {
    let python = "pty:python3 -i -q";
    chat(python, &["<< >>> ", "> 6*7", "~ 42", "<< >>> ", "> exit(3)", "<$", ".exit"]).exits(3);
}

#[test]
fn a_line_that_a_terminal_would_cut_is_refused() {
    let shop = Workshop::new();
    shop.write("long.chat", format!("> {}\n= {}\n", "x".repeat(5000), "x".repeat(5000)));
    let script = shop.path("long.chat").display().to_string();
    let ended = spile(["chat", "pty:cat", &script]).eof().ends().exits(1).complains("4095");
    assert!(ended.stderr.contains("raw"), "{}", ended.stderr);
    spile(["chat", "--eol", "\\n", "pty,raw:cat", &script]).eof().ends().exits(0);
}

#[test]
fn a_program_that_dies_early_is_told_with_its_status() {
    let ended = chat("sh:echo hi; exit 5", &["= hi", "> x", "= more"]).exits(4);
    assert!(ended.stderr.contains("the end") && ended.stderr.contains("status 5"), "{}", ended.stderr);
    chat("pty:sh -c 'exit 6'", &["= more"]).exits(4).complains("status 6");
    chat("sh:kill -9 $$", &["= more"]).exits(4).complains("KILL");
}

#[test]
fn a_program_may_say_as_much_as_it_likes_on_stderr() {
    let noisy = "sh:head -c 1000000 /dev/zero >&2; read x; echo done";
    let ended = chat(noisy, &["> go", "= done"]).exits(0);
    assert!(ended.stderr.len() >= 1_000_000);
    chat("sh,stderr=merge:echo oops >&2", &["= oops"]).exits(0);
    chat("sh,stderr=null:echo oops >&2; echo out", &["= out", "<$"]).exits(0);
}

#[test]
fn a_program_that_will_not_end_is_ended() {
    let begun = Instant::now();
    let stubborn = "sh:trap '' TERM HUP; echo $$; while :; do sleep 0.1; done";
    let words = ["chat", "-v", "--grace", "200ms", stubborn, "-e", "~1 ^\\d+$"];
    let ended = spile(words).eof().ends().exits(0);
    let pid =
        ended.stderr.lines().find_map(|line| line.split(" < ").nth(1)?.trim_end_matches("\\n").parse().ok());
    assert!(!is_alive(pid.unwrap()), "{}", ended.stderr);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // It waits for what it is told, and no longer once that has ended.
    chat("run:cat", &["> x", "= x", ".exit"]).exits(0);
    // It may go on talking to nobody.
    chat("sh:echo a; yes", &["= a"]).exits(0);
}

#[test]
fn a_program_ends_though_others_hold_its_output() {
    let begun = Instant::now();
    // Its stderr is ours, for whose end this test would wait.
    let target = "sh:sleep 60 2>/dev/null & echo $!; exit 3";
    let ended = chat_with(target, &["-v"], &["~1 ^\\d+$", "<$", ".exit"]).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    let pid = heard(&ended.stderr).parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

/// The first line that a transcript shows as heard.
fn heard(transcript: &str) -> &str {
    let line = transcript.lines().find_map(|line| line.split_once(" < "));
    line.unwrap_or_else(|| panic!("nothing was heard: {transcript}")).1.trim_end_matches("\\n")
}

#[test]
fn a_signal_ends_the_program_too() {
    let mut chat = spile(["chat", "-v", "sh:echo $$; sleep 60", "-e", "~1 ^\\d+$", "-e", "< never"]);
    let line = chat.line_with(" < ");
    let pid = heard(&line).parse().unwrap();
    chat.signal("TERM");
    chat.ends().exits(143);
    wait_until("the program is gone", || !is_alive(pid));
}

#[test]
fn our_own_stdin_and_stdout_are_a_peer() {
    let mut chat = spile(["chat", "-", "-e", "> name?", "-e", "= bob", "-e", "> hello bob"]);
    chat.read(b"name?\n");
    chat.write(b"bob\n");
    chat.eof().ends().exits(0).says("hello bob\n");
}

#[test]
fn what_is_said_to_a_program_that_has_ended_is_told() {
    for target in ["sh:exit 5", "pty:sh -c 'exit 5'"] {
        let ended = chat(target, &[".sleep 300ms", "> x"]).exits(18);
        ended.complains("-e:2: > x: the program took no more input").complains("status 5");
    }
    // Whoever has answered need not listen.
    let steps = [".sleep 300ms", "> x", "> y", "= hi", "<$"];
    let ended = chat_with("sh:echo hi", &["-v"], &steps).exits(0);
    ended.complains("# nobody takes that: the program reads no more");
    let ended = chat("sh:echo hi", &[".sleep 300ms", "> x", "= ho"]).exits(4);
    ended
        .complains("lost: what -e:2 says, as the program took no more input")
        .complains("wanted the line \"ho\"");
    let shop = Workshop::new();
    shop.write("long", "x\n".repeat(100_000));
    let say = format!(">@ {}", shop.path("long").display());
    chat("sh:read x; echo got $x", &[&say, "= got x", "<$"]).exits(0);
}

#[test]
fn a_terminal_is_left_at_once() {
    let begun = Instant::now();
    for (target, eol, steps) in [
        ("pty,raw:cat", "\\n", &["> x", "= x"][..]),
        ("pty:cat", "\\r", &["> x", "= x"]),
        // A line that is open takes a ^D of its own.
        ("pty:cat", "\\r", &[">> x", ".half-close", "<< x", "<$"]),
        ("pty:cat", "\\r", &[">> x"]),
    ] {
        chat_with(target, &["--eol", eol, "--grace", "60s"], steps).exits(0);
    }
    // ^D is a byte there, and no end.
    chat_with("pty,raw:od -An -c -N2", &["--eol", "\\n"], &[">> a", ".half-close", ">> b"]).exits(2);
    chat("pty,raw:sh -c 'head -c1; sleep 0.2; exit 3'", &[">> a", "<< a", ".exit"]).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn who_means_a_shell_is_told_of_it() {
    for target in ["run:a; b", "run:cd /", "pty:nothing | cat", "run:A=1 b $HOME"] {
        chat(target, &["> x"]).exits(127).complains("hint: no shell reads this; one reads sh:'…'");
    }
    let ended = chat("run:/no/such/program", &["> x"]).exits(127);
    assert!(!ended.stderr.contains("shell"), "{}", ended.stderr);
}

/// Example: `spile chat pty:'psql -U app' login.chat --strict --format junit > chat.xml`
#[test]
fn a_database_is_asked_on_a_terminal() {
    let server = postgres("app", "");
    let (shop, socket) = (Workshop::new(), server.path(""));
    shop.write("login.chat", ".timeout 30s\n~~ app=# $\n> select 6*7;\n~ ^ +42\n~~ app=# $\n> \\\\q\n<$\n");
    let line = format!(
        "cd {} && PGHOST={socket} PGPORT={} PGDATABASE=postgres PSQLRC=/dev/null PSQL_HISTORY=/dev/null PAGER=cat; \
         export PGHOST PGPORT PGDATABASE PSQLRC PSQL_HISTORY PAGER; \
         exec $SPILE chat pty:'psql -U app -v PROMPT1=%n=%#\\ ' login.chat --strict --format junit",
        shop.path("").display(),
        server.port()
    );
    let ended = shell(&line).eof().ends().exits(0);
    let read = crate::readers::junit(&ended.stdout);
    assert_eq!((&read[0]["name"], &read[0]["cases"][1][0]), (&"login.chat".into(), &"4: ~ ^ +42".into()));
}

#[test]
fn a_forbidden_line_is_found_where_bytes_are_skipped() {
    let target = "sh:printf '200 ok\\n550 no\\n$ '; sleep 60";
    for step in ["~~ \\$ $", "<# 16"] {
        chat(target, &["! ^5..", step]).exits(4).complains("nothing that fits ^5..");
        chat(target, &["! ^4..", step]).exits(0);
    }
}

#[test]
fn last_words_are_shown_where_a_step_could_say_nothing() {
    let target = "sh:echo 'fatal: no db'; exit 3";
    let steps = ["-e", ".sleep 300ms", "-e", "> x"];
    chat(target, &[".sleep 300ms", "> x"]).exits(18).complains("  unread: \"fatal: no db\\n\"\n");
    for (form, told) in
        [("junit", "unread: &quot;fatal: no db\\n&quot;"), ("tap", "unread: \"fatal: no db\\n\"")]
    {
        let words = [&["chat", target, "--format", form][..], &steps].concat();
        let ended = spile(words).eof().ends().exits(18);
        let document = String::from_utf8(ended.stdout).unwrap();
        assert!(document.contains(told), "{document}");
    }
    let ended = chat("sh:printf 'bad\\377\\001'; exit 3", &[".sleep 300ms", "> x"]).exits(18);
    ended.complains("  hex: 62 61 64 ff 01\n").complains("  unread: \"bad\\xff\\x01\"\n");
    let busy = server(|mut stream| {
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(b"421 busy\r\n").unwrap();
        reset_on_close(&stream);
    });
    let ended = chat(&format!("127.0.0.1:{busy}"), &["> hi", ".sleep 300ms", "> x"]).exits(18);
    ended.complains("-e:3: > x: the connection was reset").complains("  unread: \"421 busy\\r\\n\"\n");
}
