//! `trap` told about signals to a reader who does not read: everything else goes on, and what was lost is counted.

use std::io::{BufRead, BufReader};

use crate::harness::*;

/// Sends its parent 3000 times 36, then TERM, and shows that it was passed on.
const STORM: &str = r#"python3 -c "import os
for i in range(3000): os.kill($PPID, 36)"
trap 'echo TERM; exit 3' TERM; kill -TERM $PPID; sleep 60 & wait; exit 4"#;

/// Runs a line of bash in which `DIR` is a directory of its own, and the fifo `full` there has a reader, 3, and no room.
fn beside_a_full_fifo(line: &str) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let fills = "mkfifo DIR/full; exec 3<>DIR/full; dd if=/dev/zero of=DIR/full bs=64K count=1 status=none; ";
    let line = format!("{fills}{line}").replace("DIR", dir.path().to_str().unwrap());
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &line]).env("SPILE", SPILE).env("STORM", STORM);
    start(command).ends()
}

#[test]
fn a_signal_is_passed_on_although_nobody_reads_the_events() {
    let command = "exec $SPILE trap --on RTMIN+2=ignore --events fd:3 -- sh -c \"$STORM\"";
    let ended = beside_a_full_fifo(command).exits(3).says("TERM\n");
    ended.complains("spile trap: --events is not read: ").complains(" lines were lost");
}

#[test]
fn a_signal_is_passed_on_although_nobody_reads_stderr() {
    let command = "exec $SPILE trap --on RTMIN+2=report -- sh -c \"$STORM\" 2>&3";
    beside_a_full_fifo(command).exits(3).says("TERM\n");
    let died = "exec $SPILE trap --on RTMIN+2=report -- sh -c 'kill -36 $PPID; sleep .1; kill -TERM $$' 2>&3";
    beside_a_full_fifo(died).dies_of(15);
}

#[test]
fn who_reads_again_gets_what_was_kept_and_the_number_of_what_was_lost() {
    const COUNT: u64 = 12_000;
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    let line = format!(
        "mkfifo {fifo}; exec 3<>{fifo}; \
         exec $SPILE trap --on 40=ignore --events fd:3 -- sh -c 'echo ready; read word; exit 3'"
    );
    let mut process = shell(&line).gets("ready\n");
    let pid = process.pid().to_string();
    let sender = program("python3", &["-c", super::storm::QUEUE, &pid, &COUNT.to_string()]);
    sender.ends().exits(0);
    wait_until("all were read", || !has_pending(process.pid()));
    let mut events = BufReader::new(std::fs::File::open(&fifo).unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&events.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["ev"], "start");
    let mut kept = 0;
    let lost = loop {
        let event = next();
        match event["ev"].as_str().unwrap() {
            "signal" | "action" => kept += 1,
            "lost" => break event["lines"].as_u64().unwrap(),
            other => panic!("{other} after {kept} signals"),
        }
    };
    // Of each signal two things are told: that it came, and what was done.
    assert_eq!(kept + lost, 2 * COUNT);
    process.write(b"on\n");
    assert_eq!(next()["ev"], "exit");
    assert_eq!(process.ends().exits(3).stderr, "");
}

#[test]
fn a_reader_of_a_fifo_of_events_may_come_late() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    program("mkfifo", &[&fifo]).ends().exits(0);
    let process = spile(["trap", "--events", &fifo, "--", "sh", "-c", "echo ready; read word; exit 3"]);
    let mut process = process.gets("ready\n");
    let reader = program("sh", &["-c", "echo reading; exec cat \"$0\"", &fifo]).gets("reading\n");
    process.write(b"on\n");
    process.ends().exits(3);
    let events = String::from_utf8(reader.ends().exits(0).stdout).unwrap();
    assert!(events.contains("\"start\"") && events.contains("\"exit\""), "{events}");
    // A reader that never comes holds nothing up, and neither does what was said hide the status.
    let ended = spile(["trap", "--events", &fifo, "--", "sh", "-c", "exit 3"]).eof().ends();
    ended.exits(3).complains("--events is not read: 2 lines were lost");
}
