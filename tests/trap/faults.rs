//! `trap` where little is there: of time, of descriptors, of memory.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

#[test]
fn a_signal_that_comes_while_the_program_starts_is_not_lost() {
    for offset in 0..200 {
        let mut command = Command::new(SPILE);
        command.args(["trap", "--", "sleep", "30"]);
        let process = start(command);
        let until = Instant::now() + Duration::from_micros(offset * 25);
        while Instant::now() < until {}
        process.signal("TERM");
        assert_eq!(process.ends().status, 143, "after {} us", offset * 25);
    }
}

#[test]
fn once_it_only_waits_it_gives_its_code_back() {
    let file_kib = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let script = "echo ready; exec sleep 60";
    let run = spile(["run", "--", "sh", "-c", script]).gets("ready\n");
    let trap = spile(["trap", "--", "sh", "-c", script]).gets("ready\n");
    wait_until("it has given back", || 3 * file_kib(trap.pid()) < 2 * file_kib(run.pid()));
    trap.signal("TERM");
    trap.ends().dies_of(15);
}

#[test]
fn without_descriptors_it_says_why_it_cannot_and_with_a_few_it_does_everything() {
    let nap = unique_sleep();
    let script = format!("(setsid sleep {nap} &); kill -HUP $PPID; exit 7");
    let statuses: Vec<i32> = (4..16)
        .map(|most| {
            let line = format!(
                "ulimit -n {most}; exec $SPILE trap --init --on HUP='run:echo handled' --grace 100ms -- \
                 sh -c '{script}'"
            );
            let ended = shell(&line).ends();
            assert_eq!(with_argument(&nap), [0; 0], "with {most}");
            match ended.status {
                7 => ended.says("handled\n").status,
                _ => {
                    let ended = ended.exits(125).says("").complains("Too many open files");
                    // With even fewer, a library that is needed may not be found.
                    if ended.stderr.contains("cannot watch children") {
                        assert!(
                            ended.stderr.contains("hint: more descriptors are needed"),
                            "{}",
                            ended.stderr
                        );
                    }
                    ended.status
                }
            }
        })
        .collect();
    // It needs a few, and from there on it lacks nothing.
    let works = statuses.partition_point(|status| *status == 125);
    assert!(0 < works && works <= 8 && statuses[works..].iter().all(|status| *status == 7), "{statuses:?}");
}
