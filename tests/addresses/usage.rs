//! Bad input: what is said, with which status, and how help and logs look.

use crate::harness::*;

/// Words that cannot be understood, and a part of what must be said about them.
const WRONG: &[(&[&str], &str)] = &[
    (&["relay"], "ADDR"),
    (&["relay", "tcp-l:0"], "right side"),
    (&["relay", "tcp-l:0", "echo", "null"], "one word too many"),
    (&["relay", "echo", "tcp-l:0"], "listens"),
    (&["relay", "tpc:localhost:80", "-"], "tcp"),
    (&["relay", "tcp:localhost", "-"], "port"),
    (&["relay", "tcp:localhost:99999", "-"], "99999"),
    (&["relay", "tcp-l:0,", "echo"], "option"),
    (&["relay", "tcp-l:0,nodely", "echo"], "nodelay"),
    (&["relay", "tcp-l:0,append", "echo"], "append"),
    (&["relay", "unix-l:s,mode=999", "echo"], "999"),
    (&["relay", "tcp-l:0,allow=127.0.0.0/99", "echo"], "127.0.0.0/99"),
    (&["relay", "tcp-l:0,backlog=many", "echo"], "many"),
    (&["relay", "[::1:80", "-"], "["),
    (&["relay", "exec:", "-"], "exec"),
    (&["relay", "fd:x", "-"], "x"),
    (&["relay", "--idle-timeout", "soon", "tcp-l:0", "echo"], "soon"),
    (&["relay", "--no-such-flag", "tcp-l:0", "echo"], "--no-such-flag"),
    (&["connect"], "ADDR"),
    (&["connect", "localhost", "80", "90"], "one word too many"),
    (&["connect", "localhost"], "port"),
    (&["connect", "-4", "-6", "localhost", "80"], "-6"),
    (&["connect", "-z", "localhost", "90-80"], "90-80"),
    (&["connect", "localhost", "0x50"], "0x50"),
    (&["listen", ""], ""),
    (&["listen", "-k", "--once", "0"], "--once"),
    (&["listen", "0", "--mode"], "--mode"),
    (&["wait"], "ADDR"),
    (&["wait", "--expect", "(", "localhost:80"], "("),
    (&["wait", "-t", "-1", "localhost:80"], "-1"),
    (&["resolve", "--service", "no-such-service"], "no-such-service"),
    (&["no-such-command"], "no-such-command"),
];

#[test]
fn what_cannot_be_understood_is_named_and_has_status_two() {
    for (args, part) in WRONG {
        let ended = spile(*args).eof().ends();
        assert!(!ended.stderr.contains("panicked"), "{args:?}: {ended:?}");
        let status = if args[0] == "resolve" { 6 } else { 2 };
        assert_eq!(ended.status, status, "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(part), "'{part}' is not in the answer to {args:?}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "stdout is for data alone: {args:?}");
    }
}

/// Flags of the address that only one side has a use for.
const LISTENING: &[&str] = &[
    "accept-timeout",
    "max-conns",
    "allow",
    "deny",
    "backlog",
    "session-idle",
    "max-sessions",
    "reuseaddr",
    "v6only",
    "join",
];
const CONNECTING: &[&str] = &[
    "connect-timeout",
    "retry",
    "forever",
    "retry-for",
    "retry-delay",
    "source-port",
    "fastopen",
    "broadcast",
];

#[test]
fn a_command_offers_and_takes_only_what_its_side_can_use() {
    for (command, without, with) in [
        ("connect", LISTENING, CONNECTING),
        ("wait", LISTENING, CONNECTING),
        ("listen", CONNECTING, LISTENING),
    ] {
        let help = String::from_utf8(spile([command, "--help"]).ends().exits(0).stdout).unwrap();
        let page = std::fs::read_to_string(format!("man/spile-{command}.1")).unwrap().replace('\\', "");
        for name in without {
            let flag = format!("--{name}");
            assert!(
                !help.contains(&format!("{flag} ")) && !help.contains(&format!("{flag}[")),
                "{command} {flag}"
            );
            assert!(!page.contains(&format!("{flag}fR")), "{command} {flag}");
            let ended = spile([command, &flag, "1", "localhost:80"]).ends().exits(2);
            assert!(
                ended.stderr.contains(&flag) && ended.stderr.contains("hint: it is an option"),
                "{ended:?}"
            );
        }
        for name in with {
            assert!(help.contains(&format!("--{name}")), "{command} --{name}");
            assert!(page.contains(&format!("--{name}fR")), "{command} --{name}");
        }
    }
}

/// Flags and options that would do nothing, and a part of what must be said about them.
const USELESS: &[(&[&str], &str)] = &[
    (&["connect", "--nodelay=no", "/run/s"], "--nodelay"),
    (&["connect", "-u", "--nodelay=no", "h:1"], "--nodelay"),
    (&["connect", "-4", "/run/s"], "-4"),
    (&["connect", "-u", "vsock:1:2"], "-u"),
    (&["connect", "--mode", "600", "/run/s"], "bind"),
    (&["connect", "unix:/run/s,unlink=no"], "bind"),
    (&["connect", "-z", "h", "1", "--", "true"], "-z"),
    (&["connect", "-W1", "h:1"], "-W"),
    (&["connect", "-u", "-W0", "h:1"], "--datagrams"),
    (&["listen", "-W1", "0"], "-W"),
    (&["relay", "--max-total", "0", "tcp-l:0", "echo"], "--max-total"),
    (&["listen", "@name,mode=600"], "mode"),
    (&["listen", "--deny", "10.0.0.0/8", "/run/s"], "--deny"),
    (&["listen", "tcp4:80,v6only"], "v6only"),
    (&["relay", "--retry", "3", "tcp-l:0", "echo"], "--retry"),
    (&["relay", "--session-idle", "3", "tcp-l:0", "udp:h:1"], "--session-idle"),
    (&["relay", "udp-l:0,backlog=5", "echo"], "backlog"),
    (&["relay", "udp-l:0,max-conns=5", "echo"], "max-conns"),
    (&["relay", "unix-l:s,allow=10.0.0.0/8", "echo"], "allow"),
    (&["relay", "unix-l:s,rcvbuf=5000", "echo"], "rcvbuf"),
    (&["relay", "tcp-l:0,source-port=5", "echo"], "source-port"),
    (&["relay", "exec,rows=5:cat", "null"], "pty"),
    (&["relay", "sh,raw:cat", "null"], "pty"),
    (&["relay", "sh,pty,stderr=null:cat", "null"], "stderr"),
    (&["relay", "sh,pty,pipes:cat", "null"], "pipes"),
    (&["wait", "--bind", "10.0.0.1", "vsock:1:2"], "--bind"),
];

#[test]
fn what_would_do_nothing_is_refused_and_named() {
    for (args, part) in USELESS {
        let ended = spile(*args).eof().ends().exits(2);
        assert!(ended.stderr.contains(part), "'{part}' is not in the answer to {args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_flag_reaches_every_address_that_it_means_something_to() {
    let explain = |args: &[&str]| {
        let stdout = spile(args).ends().exits(0).stdout;
        let mut value: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
        value["addresses"].take()
    };
    let both = explain(&["relay", "--explain", "--backlog", "7", "--nodelay=no", "tcp-l:0", "localhost:80"]);
    assert_eq!(both[0]["options"]["backlog"], "7");
    assert_eq!(
        (&both[0]["options"]["nodelay"], &both[1]["options"]["nodelay"]),
        (&"no".into(), &"no".into())
    );
    assert_eq!(both[1]["options"].get("backlog"), None);
    let mixed = explain(&["wait", "--explain", "--source-port", "9", "/run/s", "localhost:80"]);
    assert_eq!(mixed[0]["options"].get("source-port"), None);
    assert_eq!(mixed[1]["options"]["source-port"], "9");
    let own = explain(&["connect", "--explain", "--nodelay=no", "localhost:80,nodelay=yes"]);
    assert_eq!(own[0]["options"]["nodelay"], "yes", "what the address says wins");
    let unix = explain(&["listen", "--explain", "-u", "/run/s"]);
    assert_eq!(unix[0]["scheme"], "unix-dgram");
}

#[test]
fn the_help_of_looking_and_of_waiting_says_what_each_does() {
    let help = |command| {
        let stdout = spile([command, "--help"]).ends().exits(0).stdout;
        String::from_utf8(stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (connect, wait) = (help("connect"), help("wait"));
    assert!(connect.contains("Look at each address once and send nothing"), "{connect}");
    assert!(wait.contains("Command to become once all of them have answered"), "{wait}");
    assert!(!wait.contains("in place of stdin"), "{wait}");
}

#[test]
fn a_failure_is_one_line_that_starts_with_the_command_and_a_hint_may_follow() {
    for (args, _) in WRONG.iter().filter(|(args, _)| args.len() > 1 && !args[0].starts_with("no-")) {
        let ended = spile(*args).eof().ends();
        let lines: Vec<&str> = ended.stderr.lines().collect();
        let start = format!("spile {}: ", args[0]);
        assert!(lines.first().is_some_and(|line| line.starts_with(&start)), "{args:?}: {}", ended.stderr);
        let only_hints = lines[1..].iter().all(|line| line.starts_with("hint: "));
        assert!(only_hints && lines.len() <= 2, "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn failures_of_the_system_have_the_same_form_and_no_os_error_numbers() {
    let closed = closed_port().to_string();
    let cases: &[(&[&str], i32)] = &[
        (&["connect", "127.0.0.1", &closed], 7),
        (&["connect", "/no/such/socket"], 7),
        (&["connect", "no-such-host.invalid", "1"], 6),
        (&["relay", "file:/no/such/file", "-"], 7),
        (&["relay", "tcp-l:192.0.2.1:0", "echo"], 7),
        (&["relay", "unix-l:/no/such/dir/s", "echo"], 7),
        (&["relay", "systemd-l", "echo"], 7),
        (&["relay", "fd:77", "-"], 7),
        (&["relay", "text:x", "exec:/no/such/program"], 127),
        (&["relay", "--allow-file", "/no/such/file", "tcp-l:0", "echo"], 1),
        (&["relay", "--port-file", "/no/such/dir/p", "tcp-l:0", "echo"], 1),
        (&["relay", "--ready-fd", "77", "tcp-l:0", "echo"], 1),
    ];
    for (args, status) in cases {
        let ended = spile(*args).eof().ends();
        assert_eq!(ended.status, *status, "{args:?}: {ended:?}");
        let told: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with("listening ")).collect();
        assert!(told[0].starts_with(&format!("spile {}: ", args[0])), "{args:?}: {}", ended.stderr);
        assert!(told[1..].iter().all(|line| line.starts_with("hint: ")), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("os error") && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for words in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["relay", "--help"],
        &["connect", "-h"],
        &["wait", "--help"],
    ] {
        let ended = spile(words).ends().exits(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{words:?}");
    }
    spile::<&str>([]).ends().exits(2);
}

#[test]
fn explain_opens_nothing_and_is_json() {
    let ended =
        spile(["relay", "--explain", "unix-l:/no/such/dir/s,mode=600", "TCP:localhost:80,nodelay=no"])
            .ends()
            .exits(0);
    let value: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(value["schema"], "spile.addresses/1");
    assert_eq!(value["addresses"].as_array().unwrap().len(), 2);
    let text = value.to_string();
    assert!(text.contains("/no/such/dir/s") && text.contains("nodelay") && text.contains("600"), "{text}");
}

#[test]
fn text_of_peers_is_escaped_before_it_reaches_a_terminal() {
    use std::io::Write;
    let port = server(|stream| {
        (&stream).write_all(b"\x1b]0;owned\x07 hi\r\n").unwrap();
        std::thread::park_timeout(std::time::Duration::from_secs(2));
    });
    let ended = spile(["wait", "-v", "-t", "600ms", "--expect", "^220", &format!("127.0.0.1:{port}")]).ends();
    assert!(!ended.stderr.contains('\x1b') && !ended.stderr.contains('\x07'), "{:?}", ended.stderr);
}

#[test]
fn quiet_says_nothing_and_json_logs_are_json() {
    use std::io::Write;
    let mut relay = spile(["relay", "--log", "json", "tcp-l:127.0.0.1:0", "echo"]);
    let line = relay.line("{");
    let value: serde_json::Value = serde_json::from_str(&format!("{{{line}")).unwrap();
    let port = value
        .to_string()
        .split("127.0.0.1:")
        .nth(1)
        .unwrap()
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let stream = connect(port);
    (&stream).write_all(b"x").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_all(&stream);
    relay.signal("TERM");
    let ended = relay.ends().exits(0);
    for line in ended.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    }
    assert!(ended.stderr.contains("closed"), "{}", ended.stderr);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let quiet = shell(&format!("exec $SPILE relay --quiet --port-file {} tcp-l:0 echo", file.display()));
    wait_until("the port file", || file.exists());
    quiet.signal("TERM");
    assert_eq!(quiet.ends().exits(0).stderr, "");
}

#[test]
fn stats_are_told_at_the_end_as_text_or_json() {
    let port = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    let address = format!("127.0.0.1:{port}");
    spile(["connect", "--stats", &address])
        .sends("12345")
        .eof()
        .ends()
        .exits(0)
        .says("12345")
        .complains("5 bytes");
    for flag in ["--json", "--stats=json"] {
        let ended = spile(["connect", flag, &address]).sends("12345").eof().ends().exits(0);
        let value: serde_json::Value = serde_json::from_str(ended.stderr.trim()).unwrap();
        assert!(value["schema"].is_string(), "{value}");
    }
}

#[test]
fn letters_that_differ_between_ncs_are_refused_with_what_to_type() {
    for (letter, hint) in [
        ("-e", "-- CMD"),
        ("-c", "-- CMD"),
        ("-l", "spile listen"),
        ("-i", "--idle-timeout"),
        ("-t", "--raw"),
        ("-x", "--capture"),
    ] {
        spile(["connect", letter, "127.0.0.1", "9"]).ends().exits(2).complains(hint);
    }
}

#[test]
fn completion_offers_the_values_of_a_scope() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/completions/spile.bash");
    for (command, typed, wanted) in
        [("run", "", "child group tree\n"), ("pipe", "", "child group tree\n"), ("run", "tr", "tree\n")]
    {
        let line = format!(
            "source {script}; COMP_WORDS=(spile {command} --scope '{typed}'); COMP_CWORD=3; \
             _spile spile '{typed}' --scope; echo \"${{COMPREPLY[*]}}\""
        );
        shell(&line).eof().ends().exits(0).says(wanted);
    }
}

#[test]
fn an_application_protocol_has_a_name_of_1_to_255_bytes() {
    for names in ["h2,,x".to_owned(), "x".repeat(256)] {
        spile(["tls-connect", "--alpn", &names, "localhost:1"]).ends().exits(2).complains("1 to 255 bytes");
    }
}
