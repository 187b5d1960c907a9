//! `trap` in a storm of signals: nothing is lost, and everything else goes on.

use std::time::{Duration, Instant};

use crate::harness::*;

/// Sends 40 with the values 0 to N-1 to a process, as fast as its queue takes them.
pub const QUEUE: &str = "
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
pid, count = int(sys.argv[1]), int(sys.argv[2])
for value in range(count):
    while libc.sigqueue(pid, 40, ctypes.c_void_p(value)) != 0:
        assert ctypes.get_errno() == 11
        time.sleep(.001)
";

/// Reads 40 until N have come; says whether each came in its place.
const COUNT: &str = "
import ctypes, signal, sys
class Info(ctypes.Structure):
    _fields_ = [('signo', ctypes.c_int), ('errno', ctypes.c_int), ('code', ctypes.c_int), ('pad', ctypes.c_int),
                ('pid', ctypes.c_int), ('uid', ctypes.c_int), ('value', ctypes.c_int), ('rest', ctypes.c_char * 128)]
libc, info, mask = ctypes.CDLL(None), Info(), (ctypes.c_ulong * 16)(1 << 39)
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
print('ready', flush=True)
wait, pointer, count = libc.sigwaitinfo, ctypes.byref(info), int(sys.argv[1])
for value in range(count):
    assert wait(mask, pointer) == 40 and info.value == value, (value, info.value)
print('all', flush=True)
";

/// A storm takes its time where others work beside us.
fn wait_out(mut is_over: impl FnMut() -> bool) {
    let end = Instant::now() + 5 * DEADLINE;
    while !is_over() {
        assert!(Instant::now() < end, "the storm does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_hundred_thousand_with_values_all_arrive_in_their_order() {
    let mut process =
        spile(["trap", "--report", "fd:1", "--", "python3", "-c", COUNT, "100000"]).gets("ready\n");
    let mut sender = program("python3", &["-c", QUEUE, &process.pid().to_string(), "100000"]);
    sender.close_stdin();
    wait_out(|| !process.is_running());
    sender.ends().exits(0);
    let ended = process.ends().exits(0);
    assert!(ended.stdout.starts_with(b"all\n"));
    let child = &ended.json()["child"];
    assert_eq!((&child["lost_signals"], &child["more_signals"]), (&0.into(), &99_000.into()));
}

#[test]
fn a_queue_that_is_full_for_a_while_loses_nothing() {
    if output_of("id", &["-u"]).trim() != "0" {
        skipped("only root may become a user that has nothing queued");
        return;
    }
    // The program reads only when it is told to. The queue is that of its user: once it is full, spile has to wait.
    let script = COUNT.replace(
        "wait, pointer",
        "import os\nwhile not os.path.exists(sys.argv[2]): signal.sigtimedwait({1}, .01)\nwait, pointer",
    );
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go").display().to_string();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let line = format!(
        "ulimit -i 100; exec $SPILE trap --pdeath KILL --user 61234 --group 61234 --groups '' -- python3 -c \"$SCRIPT\" 3000 {go}"
    );
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &line]).env("SPILE", SPILE).env("SCRIPT", &script);
    let process = start(command).gets("ready\n");
    let child = children(process.pid())[0];
    let mut sender = program("python3", &["-c", QUEUE, &process.pid().to_string(), "3000"]);
    sender.close_stdin();
    let queued = || {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigQ:")).unwrap().trim().to_owned();
        line.split('/').next().unwrap().parse::<u32>().unwrap()
    };
    wait_until("the queue is full", || queued() >= 100);
    sender.ends().exits(0);
    std::fs::write(&go, "").unwrap();
    process.ends().exits(0).says("all\n");
}

#[test]
fn handlers_of_a_storm_count_every_signal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counts");
    let rule = format!("40=run:echo $SPILE_COUNT >>{}", file.display());
    let process =
        spile(["trap", "--on", &rule, "--", "sh", "-c", "echo ready; exec sleep 99"]).gets("ready\n");
    let mut sender = program("python3", &["-c", QUEUE, &process.pid().to_string(), "100000"]);
    sender.close_stdin();
    wait_out(|| !sender.is_running());
    sender.ends().exits(0);
    let sum = || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.lines().filter_map(|line| line.parse::<u64>().ok()).sum::<u64>()
    };
    wait_out(|| sum() >= 100_000);
    process.signal("TERM");
    process.ends().dies_of(15);
    assert_eq!(sum(), 100_000);
}

#[test]
fn what_is_passed_on_after_handlers_is_all_that_came_with_its_values() {
    let flags = ["trap", "--on", "40=both:exit 0", "--report", "fd:1"];
    let mut process = spile([&flags[..], &["--", "python3", "-c", COUNT, "20000"]].concat()).gets("ready\n");
    let mut sender = program("python3", &["-c", QUEUE, &process.pid().to_string(), "20000"]);
    sender.close_stdin();
    wait_out(|| !process.is_running());
    sender.ends().exits(0);
    let ended = process.ends().exits(0);
    assert!(ended.stdout.starts_with(b"all\n"));
    assert_eq!(ended.json()["child"]["lost_signals"], 0);
}

#[test]
fn in_a_storm_others_are_heard_and_memory_is_bounded() {
    let flags = ["trap", "--on", "USR1=run:sleep .2", "--on", "RTMIN+1=run:exit 0", "--on", "USR2=report"];
    let command = ["--grace", "1s", "--", "sh", "-c", "echo ready; exec sleep 60"];
    let mut process = spile([&flags[..], &command].concat()).gets("ready\n");
    let pid = process.pid();
    let before = resident_kib(pid);
    let storm = "import os, sys
for _ in range(100000):
    os.kill(int(sys.argv[1]), 10); os.kill(int(sys.argv[1]), 35)";
    let mut sender = program("python3", &["-c", storm, &pid.to_string()]);
    sender.close_stdin();
    process.signal("USR2");
    process.line("spile trap: USR2 ");
    sender.ends().exits(0);
    wait_until("all were read", || !has_pending(pid));
    let grown = resident_kib(pid).saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB");
    process.signal("TERM");
    let ended = process.ends().dies_of(15);
    assert!(ended.stderr.is_empty() || ended.stderr.contains("handlers did not run for"), "{}", ended.stderr);
}

#[test]
fn what_found_no_place_is_counted_through_all_runs_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again");
    let deaf = "import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
print('ready', flush=True)
signal.pause()";
    let script = r#"test -e "$AGAIN" && exit 3; touch "$AGAIN"; exec python3 -c "$DEAF""#;
    let mut command = std::process::Command::new(SPILE);
    command.args(["trap", "--pdeath", "KILL", "--rlimit", "sigpending=1000", "--on", "HUP=restart"]);
    command.args(["--report", "fd:1", "--", "sh", "-c", script]).env("DEAF", deaf).env("AGAIN", &again);
    let process = start(command).gets("ready\n");
    let mut sender = program("python3", &["-c", QUEUE, &process.pid().to_string(), "70000"]);
    sender.close_stdin();
    wait_out(|| !sender.is_running());
    sender.ends().exits(0);
    wait_until("all were read", || !has_pending(process.pid()));
    process.signal("HUP");
    let ended = process.ends().exits(3).complains(" signals were not passed on");
    // All but what the program's queue and spile keep.
    let lost = ended.json()["child"]["lost_signals"].as_u64().unwrap();
    assert!((70_000 - 65_536 - 1_000..=70_000 - 65_536).contains(&lost), "{lost}");
}
