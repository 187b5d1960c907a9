//! `run`: signals sent to spile, and what the program finds of them when it starts.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

/// A Python program that says which signals it gets, until it gets TERM. Words: the signals to handle.
const COUNTER: &str = "
import signal, sys
wanted = {int(word) for word in sys.argv[1:]} | {15}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print('ready', flush=True)
while True:
    info = signal.sigwaitinfo(wanted)
    print(info.si_signo, flush=True)
    if info.si_signo == 15:
        break
";

fn counter(flags: &[&str], signals: &[&str]) -> Process {
    spile([&["run"], flags, &["--", "python3", "-c", COUNTER], signals].concat()).gets("ready\n")
}

#[test]
fn every_signal_that_can_be_caught_is_passed_on() {
    // Not KILL and STOP, which nobody can pass on; CHLD is our own; TERM ends it; 32 and 33 are the C library's.
    let all: Vec<String> =
        (1..=64).filter(|n| ![9, 19, 15, 17, 18, 32, 33].contains(n)).map(|n| n.to_string()).collect();
    let signals: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut process = counter(&[], &signals);
    for signal in &all {
        process.signal(signal);
        process.read(format!("{signal}\n").as_bytes());
    }
    process.signal("TERM");
    process.ends().exits(0).says("15\n");
}

#[test]
fn real_time_signals_keep_their_number_and_their_values() {
    let script = "
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
print('ready', flush=True)
import ctypes
class Info(ctypes.Structure):
    _fields_ = [('signo', ctypes.c_int), ('errno', ctypes.c_int), ('code', ctypes.c_int), ('pad', ctypes.c_int),
                ('pid', ctypes.c_int), ('uid', ctypes.c_int), ('value', ctypes.c_int), ('rest', ctypes.c_char * 128)]
libc, info, mask = ctypes.CDLL(None), Info(), (ctypes.c_ulong * 16)(1 << 39)
for _ in range(5):
    assert libc.sigwaitinfo(mask, ctypes.byref(info)) == 40
    print(info.value, flush=True)
";
    let process = spile(["run", "--", "python3", "-c", script]).gets("ready\n");
    let sender = "
import ctypes, sys
for value in range(5):
    assert ctypes.CDLL(None).sigqueue(int(sys.argv[1]), 40, ctypes.c_void_p(value)) == 0
";
    program("python3", &["-c", sender, &process.pid().to_string()]).ends().exits(0);
    process.eof().ends().exits(0).says("0\n1\n2\n3\n4\n");
}

#[test]
fn signals_are_rewritten_by_name_and_number_and_dropped() {
    let mut process =
        counter(&["--rewrite", "HUP:USR1,12:RTMIN+1,ALRM:none"], &["1", "10", "12", "14", "35"]);
    for (sent, got) in [("HUP", "10\n"), ("USR2", "35\n")] {
        process.signal(sent);
        process.read(got.as_bytes());
    }
    process.signal("ALRM");
    process.signal("TERM");
    process.ends().exits(0).says("15\n");
}

#[test]
fn no_forward_keeps_some_or_all() {
    let process = counter(&["--no-forward=HUP,USR1"], &["1", "10", "12"]);
    process.signal("HUP");
    process.signal("USR1");
    process.signal("USR2");
    let process = process.gets("12\n");
    process.signal("TERM");
    process.ends().exits(0).says("15\n");
    let process = spile(["run", "--no-forward", "--", "sh", "-c", "echo ready; sleep .4"]).gets("ready\n");
    process.signal("TERM");
    process.signal("TERM");
    process.signal("INT");
    process.ends().exits(0);
}

#[test]
fn who_insists_ends_what_gets_no_signals_too() {
    let process = spile(["run", "--no-forward", "--", "sh", "-c", "echo ready; exec sleep 60"]);
    let process = process.gets("ready\n");
    process.signal("INT");
    wait_until("the first was read", || !has_pending(process.pid()));
    process.signal("INT");
    process.ends().dies_of(15);
}

#[test]
fn after_a_signal_the_programs_own_verdict_counts() {
    let script = "trap 'echo cleaned; exit 0' INT; echo ready; while :; do sleep .05; done";
    let process = spile(["run", "--", "sh", "-c", script]).gets("ready\n");
    process.signal("INT");
    process.ends().exits(0).says("cleaned\n");
    let process = spile(["run", "--", "sh", "-c", "echo ready; exec sleep 30"]).gets("ready\n");
    process.signal("INT");
    process.ends().dies_of(2);
}

#[test]
fn a_second_interrupt_asks_the_tree_and_a_third_kills_it_and_the_programs_verdict_counts() {
    let nap = unique_sleep();
    for (on_term, signals, status) in [("-", 2, 143), ("'exit 3'", 2, 3), ("'echo asked'", 3, 137)] {
        let main = format!("trap '' INT; trap {on_term} TERM; echo ready; while :; do sleep .02; done");
        let script = format!("(setsid sh -c 'trap \"\" INT; sleep {nap}; :' &); {main}");
        for command in [&["run"][..], &["pipe", "sleep", "60", "::"]] {
            let grace: &[&str] = if signals == 3 { &["--grace", "60s"] } else { &[] };
            let words = [&command[..1], grace, &command[1..], &["sh", "-c", &script]].concat();
            let mut process = spile(words).gets("ready\n");
            wait_until("the tree is there", || with_argument(&nap).iter().any(|pid| is_a(*pid, "sleep")));
            process.signal("INT");
            wait_until("the first was read", || !has_pending(process.pid()));
            process.signal("INT");
            if signals == 3 {
                process.read(b"asked\n");
                process.signal("INT");
            }
            let ended = process.ends().exits(status);
            assert_eq!(ended.signal, (status > 128).then_some(status - 128));
            assert_eq!(with_argument(&nap), [0; 0]);
        }
    }
}

#[test]
fn a_stop_that_is_passed_on_stops_both_and_both_go_on() {
    // The kernel delivers TSTP to no orphaned group, such as that of a session of its own.
    for flags in [&["--session"][..], &["--pgroup", "new"]] {
        for stop in ["TSTP", "TTIN", "TTOU"] {
            let words =
                [&["run", "-t", "5s"], flags, &["--", "python3", "-c", "print('in', flush=True); input()"]];
            let mut process = spile(words.concat()).gets("in\n");
            let child = children(process.pid())[0];
            process.signal(stop);
            wait_until("both are stopped", || state_of(child) == 'T' && state_of(process.pid()) == 'T');
            process.signal("CONT");
            wait_until("both go on", || state_of(child) != 'T' && state_of(process.pid()) != 'T');
            process.write(b"\n");
            process.ends().exits(0);
        }
    }
}

#[test]
fn a_stop_that_the_program_ignores_is_no_reason_to_stop_later() {
    let script = "trap '' TSTP; echo ready; while :; do sleep .02; done";
    let process = spile(["run", "--pgroup", "new", "--", "sh", "-c", script]).gets("ready\n");
    let child = children(process.pid())[0];
    let asked = Instant::now();
    process.signal("TSTP");
    wait_until("it was read", || !has_pending(process.pid()));
    wait_until("nobody would stop for it any more", || asked.elapsed() > Duration::from_millis(2200));
    program("kill", &["-STOP", &child.to_string()]).ends().exits(0);
    wait_until("the program is stopped", || state_of(child) == 'T');
    // The first one may be read in the round in which the stop is.
    for _ in 0..3 {
        process.signal("USR1");
        wait_until("spile is not stopped", || !has_pending(process.pid()));
    }
    program("kill", &["-CONT", &child.to_string()]).ends().exits(0);
    process.ends().dies_of(10);
}

#[test]
fn a_stop_before_the_exec_waits_until_it_is_done() {
    // Between the program's mask and its exec there is a second, as there is after the first mask of spile.
    let line = "exec strace -D -f -qq -o /dev/null -e trace=rt_sigprocmask -e inject=rt_sigprocmask:delay_exit=1000000:when=1 \
                $SPILE run --pgroup new -- sleep 60";
    let process = shell(line);
    let find = || children(process.pid()).into_iter().find(|pid| is_a(*pid, "spile"));
    wait_until("the program is about to be", || find().is_some());
    let child = find().unwrap();
    let masks = || std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
    wait_until("its signals are set", || masks().contains("SigBlk:\t0000000000000000"));
    assert!(!is_a(child, "sleep"), "it is not executed yet");
    program("kill", &["-TSTP", &child.to_string()]).ends().exits(0);
    wait_until("it is executed and stopped", || is_a(child, "sleep") && "tT".contains(state_of(child)));
    // spile waits for it and for us alone.
    process.signal("TERM");
    process.signal("CONT");
    process.ends().dies_of(15);
}

#[test]
fn a_stop_that_is_taken_back_at_once_leaves_nobody_stopped() {
    for flags in [&["--session"][..], &["--pgroup", "new"]] {
        let process = spile([&["run"], flags, &["--", "sh", "-c", "echo in; exec sleep 60"]].concat());
        let process = process.gets("in\n");
        let pid = process.pid();
        let line = format!("for i in 1 2 3 4 5 6 7 8 9; do kill -TSTP {pid}; kill -CONT {pid}; done");
        program("sh", &["-c", &line]).ends().exits(0);
        process.signal("TERM");
        process.ends().dies_of(15);
    }
}

#[test]
fn a_signal_between_start_and_exec_is_not_lost() {
    // The program is at its defaults: whenever TERM comes, spile ends, and never hangs or forgets it.
    for offset in 0..60 {
        let mut command = Command::new(SPILE);
        command.args(["run", "--", "sleep", "30"]);
        let process = start(command);
        let until = Instant::now() + Duration::from_micros(offset * 100);
        while Instant::now() < until {}
        process.signal("TERM");
        assert_eq!(process.ends().status, 143, "after {offset}00 us");
    }
}

/// The line of /proc/PID/status of the program, as a number.
fn mask(flags: &[&str], line: &str, before: &str) -> u64 {
    let setup = format!(
        "
import os, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
{before}
os.execv(sys.argv[1], sys.argv[1:])
"
    );
    let args = [&["-c", setup.as_str(), SPILE, "run"], flags, &["--", "cat", "/proc/self/status"]].concat();
    let ended = program("python3", &args).eof().ends().exits(0);
    let text = String::from_utf8(ended.stdout).unwrap();
    let value = text.lines().find_map(|found| found.strip_prefix(&format!("{line}:"))).unwrap();
    // The C library's posix_spawn(3), by which this test has started Python, leaves 32 and 33 ignored.
    u64::from_str_radix(value.trim(), 16).unwrap() & !(3 << 31)
}

const PIPE: u64 = 1 << 12;
const USR1: u64 = 1 << 9;
const USR2: u64 = 1 << 11;
const CHLD: u64 = 1 << 16;
const HUP: u64 = 1;

#[test]
fn the_program_finds_pipe_at_its_default_and_nothing_blocked() {
    let before = "
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
";
    assert_eq!(mask(&[], "SigIgn", before), USR1, "as nohup wants it, what was ignored stays so");
    assert_eq!(mask(&[], "SigBlk", before), 0);
    assert_eq!(mask(&["--signals", "default"], "SigIgn", before), 0);
    assert_eq!(mask(&["--signals", "inherit"], "SigIgn", before), PIPE | USR1 | CHLD);
    assert_eq!(mask(&["--signals", "inherit"], "SigBlk", before), USR2);
    assert_eq!(mask(&["--signals", "inherit"], "SigIgn", ""), 0);
}

#[test]
fn signals_are_ignored_blocked_and_defaulted_on_request() {
    assert_eq!(mask(&["--ignore", "HUP,PIPE"], "SigIgn", ""), HUP | PIPE);
    assert_eq!(mask(&["--block", "USR2,SIGRTMAX"], "SigBlk", ""), USR2 | 1 << 63);
    let before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)";
    assert_eq!(mask(&["--default", "HUP"], "SigIgn", before), 0);
}

#[test]
fn an_inherited_ignored_sigchld_loses_no_status() {
    let script = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    let args = ["-c", script, SPILE, "run", "--", "sh", "-c", "exit 7"];
    program("python3", &args).eof().ends().exits(7);
}

#[test]
fn the_report_tells_each_signal_with_its_sender() {
    let process =
        spile(["run", "--report", "fd:1", "--rewrite", "HUP:TERM", "--", "sh", "-c", "echo ready; sleep 30"]);
    let process = process.gets("ready\n");
    let kill = program("sh", &["-c", &format!("echo $$; kill -HUP {}", process.pid())]).ends();
    let sender: u64 = String::from_utf8(kill.stdout).unwrap().trim().parse().unwrap();
    let report = process.ends().dies_of(15).json();
    let signal = &report["signals"][0];
    assert_eq!(
        (&signal["name"], &signal["to"], &signal["action"]),
        (&"HUP".into(), &"TERM".into(), &"forward".into())
    );
    assert_eq!((&signal["from_pid"], &signal["kernel"]), (&sender.into(), &false.into()));
}

#[test]
fn the_program_gets_its_signal_when_spile_is_killed() {
    let mut process = spile([
        "run",
        "--pdeath",
        "TERM",
        "--",
        "sh",
        "-c",
        "trap 'echo orphaned; exit' TERM; echo ready; while :; do sleep .05; done",
    ]);
    process.read(b"ready\n");
    process.signal("KILL");
    process.read(b"orphaned\n");
}

#[test]
fn bad_names_of_signals_are_refused() {
    for word in ["NOPE", "0", "65", "RTMIN+31"] {
        run(&["--ignore", word, "true"]).exits(125).complains(word);
    }
    run(&["--ignore", "KILL", "true"]).exits(125).complains("nobody can ignore KILL");
}
