//! `trap -- CMD`: what is told of it: a line for each signal, events, the report, the plan; and what is refused.

use crate::harness::*;

/// Runs `spile trap FLAGS -- sh -c SCRIPT` until it has said "ready".
fn trap(flags: &[&str], script: &str) -> Process {
    spile([&["trap"], flags, &["--", "sh", "-c", script]].concat()).gets("ready\n")
}

#[test]
fn each_signal_is_a_line_for_whoever_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signals");
    let path = file.display().to_string();
    let process = trap(&["--notify", &path, "--on", "HUP,RTMIN+1=ignore"], "echo ready; exec sleep 60");
    let pid = process.pid().to_string();
    process.signal("HUP");
    wait_until("it was read", || !has_pending(process.pid()));
    spile(["trap", "--send", "35", "--value", "5", "--to", &pid]).ends().exits(0);
    wait_until("it was read", || !has_pending(process.pid()));
    process.signal("TERM");
    process.ends().dies_of(15);
    let text = std::fs::read_to_string(&file).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(
        words.iter().map(|line| &line[..2]).collect::<Vec<_>>(),
        [["HUP", "1"], ["RTMIN+1", "35"], ["TERM", "15"]]
    );
    assert_eq!((words[0][4], words[1][4]), ("-", "5"));
    assert!(words[0][2].parse::<u32>().is_ok(), "{text}");
}

#[test]
fn a_reader_of_a_fifo_comes_when_it_likes() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    program("mkfifo", &[&fifo]).ends().exits(0);
    let process = trap(&["--notify", &fifo, "--on", "HUP=ignore"], "echo ready; exec sleep 60");
    process.signal("HUP");
    let read = program("bash", &["-c", &format!("read name number rest <{fifo}; echo $name $number")]);
    read.ends().exits(0).says("HUP 1\n");
    process.signal("TERM");
    process.ends().dies_of(15);
}

#[test]
fn a_descriptor_is_told_too_and_the_program_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    let line = format!(
        "mkfifo {fifo}; exec 3<>{fifo}; exec $SPILE trap --notify fd:3 --on HUP=ignore -- \
         bash -c 'echo ready; read name number rest <&3; echo $name $number'"
    );
    let process = shell(&line).gets("ready\n");
    process.signal("HUP");
    process.ends().exits(0).says("HUP 1\n");
}

#[test]
fn events_and_report_tell_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let flags = [
        "--on",
        "HUP=run:exit 3",
        "--on",
        "USR1=ignore",
        "--report",
        "fd:1",
        "--events",
        &events.display().to_string(),
    ];
    let mut process = trap(&flags, "echo ready; exec sleep 60");
    process.signal("HUP");
    process.line("spile trap: the handler for HUP ");
    for _ in 0..3 {
        process.signal("USR1");
        wait_until("it was read", || !has_pending(process.pid()));
    }
    process.signal("TERM");
    let report = process.ends().dies_of(15).json();
    assert_eq!((&report["schema"], &report["exit"]), (&"spile.trap/1".into(), &143.into()));
    let hup = &report["events"][0];
    assert_eq!((&hup["signal"], &hup["action"]), (&"HUP".into(), &"run:exit 3".into()));
    assert_eq!((&hup["result"]["code"], &hup["code"]), (&3.into(), &"SI_USER".into()));
    assert_eq!(report["child"]["status"]["signal"], "TERM");
    assert_eq!(report["child"]["signals"].as_array().unwrap().len(), 5);
    let text = std::fs::read_to_string(events).unwrap();
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["ev"].as_str().unwrap().to_owned()
        })
        .collect();
    let ignored = ["signal", "action"].repeat(3);
    assert_eq!(
        kinds,
        [&["start", "signal", "action", "handler"], &ignored[..], &["signal", "exit"]].concat()
    );
}

#[test]
fn events_tell_which_action_a_signal_and_a_time_lead_to() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events").display().to_string();
    let timers = ["--after", "1ms=ignore", "--after", "2ms=send:CONT", "--after", "3ms=report"];
    let flags = [&timers[..], &["--on", "USR1=send:USR2", "--events", &events]].concat();
    let mut process = trap(&flags, "echo ready; exec sleep 60");
    process.line("spile trap: after 3ms; process ");
    process.signal("USR1");
    process.ends().dies_of(12);
    let text = std::fs::read_to_string(events).unwrap();
    let told = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let told: Vec<_> = told.filter(|event| event["ev"] == "action").collect();
    let cause = |event: &serde_json::Value| {
        let cause = &event["cause"];
        cause["timer"].as_str().or(cause["signal"].as_str()).unwrap().to_owned()
    };
    let told: Vec<_> =
        told.iter().map(|event| (cause(event), event["action"].as_str().unwrap().to_owned())).collect();
    let wanted = [("1ms", "ignore"), ("2ms", "send:CONT"), ("3ms", "report"), ("USR1", "send:USR2")];
    assert_eq!(told, wanted.map(|(cause, action)| (cause.to_owned(), action.to_owned())));
}

#[test]
fn a_plan_is_told_and_nothing_run() {
    let args = [
        "trap",
        "--dry-run",
        "--on",
        "HUP=restart",
        "--every",
        "1h=report",
        "--double",
        "INT=stop@1s",
        "--",
        "true",
    ];
    let plan: serde_json::Value = serde_json::from_slice(&spile(args).ends().exits(0).stdout).unwrap();
    assert_eq!(plan["on"][0], serde_json::json!({"signal": "HUP", "action": "restart"}));
    assert_eq!((&plan["timers"][0]["time"], &plan["doubles"][0]["within"]), (&"1h".into(), &1.0.into()));
}

#[test]
fn bad_rules_are_refused() {
    for (flag, word, why) in [
        ("--on", "TREM=ignore", "did you mean TERM?"),
        ("--on", "KILL=ignore", "nobody can catch KILL"),
        ("--on", "CHLD=ignore", "CHLD"),
        ("--on", "HUP=igonre", "did you mean ignore?"),
        ("--on", "HUP", "SIGNALS=ACTION"),
        ("--after", "1s=both:x", "passes a signal on"),
        ("--every", "0=report", "more than 0"),
        ("--double", "INT=stop:x", "duration"),
        ("--rewrite", "KILL:TERM", "nobody can catch KILL"),
        ("--block", "STOP", "nobody can block STOP"),
        ("--ignore", "HUP,KILL", "nobody can ignore KILL"),
        ("--default", "KILL", "nobody can reset KILL"),
        ("--ignore", "32", "32 belongs to the C library"),
        ("--default", "33", "33 belongs to the C library"),
        ("--block", "33", "33 belongs to the C library"),
        ("--rewrite", "33:TERM", "33 belongs to the C library"),
        ("--on", "32=stop", "32 belongs to the C library"),
        ("--nice", "x", "--nice <N>': it must be a whole number"),
        ("--pass-fd", "1,x", "it must be a whole number"),
    ] {
        spile(["trap", flag, word, "--", "true"]).ends().exits(125).complains(why);
    }
    spile(["trap", "--show", "abc"]).ends().exits(125).complains("it must be a whole number");
    spile(["trap", "--show", ""]).ends().exits(125).complains("it must be a whole number");
    let far = ["run", "--retries", "99999999999999999999", "true"];
    spile(far).ends().exits(125).complains("it is too large");
    spile(["run", "--no-forward=STOP", "true"]).ends().exits(125).complains("nobody can catch STOP");
    spile(["trap", "--list", "--", "true"]).ends().exits(125).complains("'true' is a command");
    spile(["trap", "--notify", "fd:77", "true"]).ends().exits(125).complains("not open");
    spile(["trap", "--notify", "/no/such/dir/file", "true"]).ends().exits(125).complains("--notify");
    for path in ["/no/such/dir/file", "/"] {
        for command in ["trap", "run"] {
            let ended = spile([command, "--pid-file", path, "--", "echo", "ran"]).ends();
            ended.exits(125).says("").complains("cannot write --pid-file");
        }
    }
}

#[test]
fn a_reader_who_does_not_read_is_told_how_much_was_lost() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    program("mkfifo", &[&fifo]).ends().exits(0);
    let process = trap(&["--notify", &fifo, "--on", "40=ignore"], "echo ready; exec sleep 60");
    // Lines for 80,000 are more than what a fifo and the queue keep.
    let storm = "import ctypes, sys, time
libc = ctypes.CDLL(None)
for value in range(80000):
    while libc.sigqueue(int(sys.argv[1]), 40, ctypes.c_void_p(value)) != 0: time.sleep(.001)";
    let mut sender = program("python3", &["-c", storm, &process.pid().to_string()]);
    sender.close_stdin();
    sender.ends().exits(0);
    wait_until("all were read", || !has_pending(process.pid()));
    process.signal("TERM");
    let ended = process.ends().complains("--notify is not read: ");
    let (_, rest) = ended.stderr.split_once("not read: ").unwrap();
    assert!(rest.split(' ').next().unwrap().parse::<u64>().unwrap() > 0, "{}", ended.stderr);
}
