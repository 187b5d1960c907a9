//! `trap` without a command: signals listed, described, shown, sent, waited for.

use std::process::Command;

use crate::harness::*;

fn trap(args: &[&str]) -> Ended {
    spile([&["trap"], args].concat()).eof().ends()
}

fn text(ended: Ended) -> String {
    String::from_utf8(ended.exits(0).stdout).unwrap()
}

fn json(ended: Ended) -> serde_json::Value {
    serde_json::from_slice(&ended.exits(0).stdout).unwrap()
}

/// A Python program that is to be signalled; it says "ready", then what comes. Words: what it blocks and reads.
const RECEIVER: &str = "
import signal, sys
wanted = {int(word) for word in sys.argv[1:]}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print('ready', flush=True)
while True:
    info = signal.sigwaitinfo(wanted)
    print(info.si_signo, info.si_code, info.si_pid, flush=True)
";

#[test]
fn the_list_has_the_names_and_meanings_of_the_shell_and_of_python() {
    let list = text(trap(&["--list"]));
    assert_eq!(list.lines().count(), 64);
    let script = "import signal
for n in sorted(signal.valid_signals()): print(n, signal.strsignal(n))";
    for line in output_of("python3", &["-c", script]).lines() {
        let (number, meaning) = line.split_once(' ').unwrap();
        let found = list.lines().find(|line| line.trim_start().starts_with(&format!("{number} "))).unwrap();
        assert!(found.ends_with(meaning), "{found} is not {meaning}");
    }
    for line in list.lines() {
        let mut words = line.split_whitespace();
        let (number, name) = (words.next().unwrap(), words.next().unwrap());
        if ["32", "33"].contains(&number) {
            continue;
        }
        // bash counts the upper half from RTMAX.
        let theirs = output_of("bash", &["-c", &format!("kill -l {number}")]);
        let described = text(trap(&["--describe", theirs.trim()]));
        assert!(described.starts_with(&format!("{name} ({number}): ")), "{described}");
    }
    let list = json(trap(&["--list", "--json"]));
    assert_eq!(list["schema"], "spile.signals/1");
    assert_eq!(list["signals"][8]["name"], "KILL");
    assert_eq!(
        (&list["signals"][8]["catchable"], &list["signals"][8]["status"]),
        (&false.into(), &137.into())
    );
}

#[test]
fn each_signal_does_by_default_what_the_list_says() {
    let list = json(trap(&["--list", "--json"]));
    for signal in list["signals"].as_array().unwrap() {
        let number = signal["number"].as_u64().unwrap();
        if [32, 33].contains(&number) {
            continue; // ignored in what posix_spawn(3) starts
        }
        let program = program("sleep", &["60"]);
        wait_until("it sleeps", || is_a(program.pid(), "sleep"));
        if signal["default"] == "cont" {
            program.signal("STOP");
            wait_until("it is stopped", || state_of(program.pid()) == 'T');
        }
        text(trap(&["--send", &number.to_string(), "--to", &program.pid().to_string()]));
        match signal["default"].as_str().unwrap() {
            "stop" => wait_until("it stops", || state_of(program.pid()) == 'T'),
            "cont" => wait_until("it goes on", || state_of(program.pid()) == 'S'),
            "ign" => assert!(is_alive(program.pid()), "{signal}"),
            "term" | "core" => _ = program.ends().dies_of(number as i32),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn names_numbers_and_statuses_are_described() {
    let segv = "SEGV (11): Segmentation fault; by default it ends the process with a core file; status 139\n";
    for word in ["SEGV", "sigsegv", "11", "139"] {
        trap(&["--describe", word]).exits(0).says(segv);
    }
    let two = text(trap(&["--describe", "KILL,RTMAX-1"]));
    assert!(two.contains("KILL (9): Killed; by default it ends the process, and no program can change that"));
    assert!(two.contains("RTMIN+29 (63): Real-time signal 29"), "{two}");
}

#[test]
fn an_unknown_signal_is_refused_with_the_nearest_name() {
    for flags in [&["--describe", "TREM"][..], &["--wait", "TREM"], &["--send", "TREM", "--to", "1"]] {
        trap(flags).exits(125).complains("'TREM' is no signal; did you mean TERM?");
    }
    trap(&["--describe", "193"]).exits(125).complains("193");
    trap(&["--wait", "KILL"]).exits(125).complains("nobody can catch KILL");
    trap(&["--wait", "33"]).exits(125).complains("C library");
    trap(&["--list", "--pause"]).exits(125).complains("cannot be used with");
    trap(&["--send", "TERM"]).exits(125).complains("--to");
    trap(&["--json"]).exits(125);
    trap(&[]).exits(125).complains("no command");
}

#[test]
fn what_a_process_does_about_signals_is_shown() {
    let script = "
import os, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGRTMIN + 1})
os.kill(os.getpid(), signal.SIGTERM)
print('ready', flush=True)
signal.pause()
";
    let process = program("python3", &["-c", script]).gets("ready\n");
    let pid = process.pid().to_string();
    let shown = text(trap(&["--show", &pid]));
    for line in ["pending TERM", "blocked TERM,RTMIN+1", "ignored HUP", "caught  INT,USR1"] {
        let found = shown.lines().any(|shown| shown == line || shown.starts_with(&format!("{line},")));
        assert!(found || line.starts_with("caught") && shown.contains("USR1"), "{line} is not in {shown}");
    }
    let shown = json(trap(&["--show", &pid, "--json"]));
    assert_eq!(shown["schema"], "spile.signal-state/1");
    assert_eq!((&shown["pid"], &shown["ignored"]), (&process.pid().into(), &serde_json::json!(["HUP"])));
    trap(&["--show", "4194305"]).exits(1).complains("there is no such process");
}

#[test]
fn a_name_of_a_process_does_nothing_to_a_terminal() {
    let script = "import ctypes, time
ctypes.CDLL(None).prctl(15, b'a\\x1b[2Jb')
print('ready', flush=True)
time.sleep(60)";
    let process = program("python3", &["-c", script]).gets("ready\n");
    let shown = text(trap(&["--show", &process.pid().to_string()]));
    assert!(!shown.contains('\x1b') && shown.contains("[2Jb"), "{shown:?}");
}

#[test]
fn without_a_process_what_spile_was_started_with_is_shown() {
    let script = "
import os, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
os.execv(sys.argv[1], sys.argv[1:])
";
    let shown = json(program("python3", &["-c", script, SPILE, "trap", "--show", "--json"]).eof().ends());
    // Python itself ignores PIPE.
    assert_eq!(shown["ignored"], serde_json::json!(["USR2", "PIPE", "CHLD"]));
    assert_eq!(shown["blocked"], serde_json::json!(["WINCH"]));
    let shown = json(shell("exec $SPILE trap --show --json").eof().ends());
    assert_eq!(shown["ignored"], serde_json::json!([]));
}

#[test]
fn a_signal_is_sent_to_a_process_with_its_value() {
    let process = program("python3", &["-c", RECEIVER, "10", "37"]).gets("ready\n");
    let pid = process.pid().to_string();
    let mut sender = spile(["trap", "--send", "USR1", "--to", &pid]);
    let from = sender.pid();
    sender.close_stdin();
    let process = process.gets(format!("10 0 {from}\n"));
    sender.ends().exits(0).says("");
    let sender = spile(["trap", "--send", "RTMIN+3", "--value", "-7", "--to", &pid]).eof();
    let from = sender.pid();
    let process = process.gets(format!("37 -1 {from}\n"));
    sender.ends().exits(0);
    trap(&["--send", "0", "--to", &pid]).exits(0);
    drop(process);
    trap(&["--send", "0", "--to", &pid]).exits(1).complains("there is no such process");
    trap(&["--send", "TERM", "--to", "4194305"]).exits(1).complains("cannot send TERM to process 4194305");
}

#[test]
fn a_value_arrives_with_each_of_many() {
    let mut waits = Vec::new();
    for value in ["7", "-2147483648", "2147483647"] {
        let wait = spile(["trap", "--wait", "RTMIN+2", "--json"]);
        wait_until("it waits", || blocks(wait.pid(), 36));
        text(trap(&["--send", "36", "--value", value, "--to", &wait.pid().to_string()]));
        let told = wait.ends().exits(0).json();
        assert_eq!((&told["schema"], &told["signal"]), (&"spile.signal/1".into(), &"RTMIN+2".into()));
        waits.push(told["value"].to_string());
    }
    assert_eq!(waits, ["7", "-2147483648", "2147483647"]);
}

/// True while a process blocks a signal.
fn blocks(pid: u32, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap_or("0").trim();
    u64::from_str_radix(mask, 16).unwrap() & 1 << (signal - 1) != 0
}

#[test]
fn a_group_and_a_tree_are_reached_whole() {
    let nap = unique_sleep();
    // The last one has a session of its own, which no group reaches.
    let script = format!("sleep {nap} & (sleep {nap} & setsid sleep {nap} & wait) & echo ready; wait");
    let all = || with_argument(&nap).into_iter().filter(|pid| is_a(*pid, "sleep")).count();
    for (kind, left) in [("group", 1), ("tree", 0)] {
        let process = program("setsid", &["sh", "-c", &script]).gets("ready\n");
        wait_until("all sleep", || all() == 3);
        trap(&["--send", "TERM", "--to", &format!("{kind}:{}", process.pid())]).exits(0);
        wait_until("they have ended", || all() == left);
        let last: Vec<String> = with_argument(&nap).iter().map(u32::to_string).collect();
        if !last.is_empty() {
            trap(&["--send", "KILL", "--to", &last.join(",")]).exits(0);
        }
        wait_until("nobody is left", || all() == 0);
        process.ends().dies_of(15);
    }
}

#[test]
fn nobody_sends_to_everybody_by_mistake() {
    for target in ["group:1", "group:0", "0", "-1", "group:-1", "tree:0"] {
        trap(&["--send", "0", &format!("--to={target}")]).exits(125);
    }
    trap(&["--send", "USR1", "--value", "1", "--to", "group:4194305"]).exits(125).complains("not groups");
}

#[test]
fn a_wait_says_who_sent_what_and_knows_its_limit() {
    let mut wait = spile(["trap", "--wait", "USR1,USR2", "-t", "20s"]);
    wait_until("it waits", || blocks(wait.pid(), 12));
    let sender = spile(["trap", "--send", "USR2", "--to", &wait.pid().to_string()]).eof();
    let from = sender.pid();
    sender.ends().exits(0);
    let uid = output_of("id", &["-u"]);
    let line = format!("USR2 number=12 code=SI_USER pid={from} uid={uid}");
    wait.close_stdin();
    wait.ends().exits(0).says(line);
    trap(&["--wait", "USR1", "-t", "50ms"]).exits(124).complains("no USR1 came").complains("50ms");
    // Others do what they did.
    let wait = spile(["trap", "--wait", "USR1"]);
    wait_until("it waits", || blocks(wait.pid(), 10));
    wait.signal("HUP");
    wait.ends().dies_of(1);
}

#[test]
fn a_signal_that_came_before_the_wait_is_not_lost_where_it_is_blocked() {
    let script = "
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
os.execv(sys.argv[1], sys.argv[1:])
";
    let ended =
        program("python3", &["-c", script, SPILE, "trap", "--wait", "USR1", "-t", "10s"]).eof().ends();
    assert!(text(ended).starts_with("USR1 number=10 code=SI_USER pid="));
}

#[test]
fn an_ignored_signal_is_waited_for_too() {
    let script = "import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])";
    let wait = program("python3", &["-c", script, SPILE, "trap", "--wait", "HUP"]);
    wait_until("it waits", || is_a(wait.pid(), "spile") && blocks(wait.pid(), 1));
    wait.signal("HUP");
    assert!(text(wait.ends()).starts_with("HUP number=1 "));
}

#[test]
fn a_pause_ends_with_any_signal_that_would_end_a_process() {
    for signal in ["TERM", "INT", "64", "USR1"] {
        let pause = spile(["trap", "--pause"]);
        wait_until("it waits", || blocks(pause.pid(), 15));
        pause.signal("CONT");
        pause.signal("WINCH");
        pause.signal(signal);
        let said = text(pause.ends());
        let described = text(trap(&["--describe", signal]));
        assert_eq!(said.split(' ').next(), described.split(' ').next());
    }
    trap(&["--pause", "-t", "30ms"]).exits(124).complains("no signal came");
}

#[test]
fn a_stop_does_not_end_a_wait() {
    let wait = spile(["trap", "--wait", "USR1"]);
    wait_until("it waits", || blocks(wait.pid(), 10));
    wait.signal("STOP");
    wait_until("it is stopped", || state_of(wait.pid()) == 'T');
    wait.signal("CONT");
    wait_until("it goes on", || state_of(wait.pid()) == 'S');
    wait.signal("USR1");
    assert!(text(wait.ends()).starts_with("USR1 "));
}

#[test]
fn the_first_process_of_a_namespace_pauses_and_reaps() {
    if !have_namespace("-pf") {
        return;
    }
    let script = "for i in 1 2 3 4 5; do (sleep .1 &) ; done; exec $SPILE trap --pause";
    let mut command = Command::new("unshare");
    command.args(["-pf", "--mount-proc", "--kill-child", "sh", "-c", script]).env("SPILE", SPILE);
    let outer = start(command);
    let inner = || children(outer.pid()).first().copied().filter(|pid| is_a(*pid, "spile"));
    wait_until("it pauses", || inner().is_some_and(|pid| blocks(pid, 15)));
    let pid = inner().unwrap();
    wait_until("all orphans are reaped", || children(pid).is_empty());
    program("kill", &["-TERM", &pid.to_string()]).ends().exits(0);
    assert!(text(outer.ends()).starts_with("TERM number=15 code=SI_USER"));
}

#[test]
fn a_wait_as_the_first_process_of_a_namespace_ends_as_anywhere_else() {
    if !have_namespace("-pf") {
        return;
    }
    let ignores = "trap '' HUP; exec $SPILE trap --wait USR1";
    for (script, signals, status) in [
        ("exec $SPILE trap --wait USR1", &["TERM"][..], 143),
        ("exec $SPILE trap --wait USR1", &["WINCH", "INT"], 130),
        ("exec $SPILE trap --wait USR1", &["HUP"], 129),
        ("exec $SPILE trap --wait USR1,TERM", &["TERM"], 0),
        (ignores, &["HUP", "USR1"], 0),
    ] {
        let mut command = Command::new("unshare");
        command.args(["-pf", "--mount-proc", "--kill-child", "sh", "-c", script]).env("SPILE", SPILE);
        let outer = start(command);
        let inner = || children(outer.pid()).first().copied().filter(|pid| is_a(*pid, "spile"));
        wait_until("it waits", || inner().is_some_and(|pid| blocks(pid, 10)));
        let pid = inner().unwrap();
        for signal in signals {
            program("kill", &[&format!("-{signal}"), &pid.to_string()]).ends().exits(0);
            wait_until("it was read", || !has_pending(pid));
        }
        let ended = outer.ends().exits(status);
        assert_eq!(ended.stdout.is_empty(), status != 0, "{script}: {signals:?}: {ended:?}");
    }
}

#[test]
fn a_queue_that_is_full_is_told() {
    if output_of("id", &["-u"]).trim() != "0" {
        skipped("only root may become a user that has nothing queued");
        return;
    }
    let script = "import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
print('ready', flush=True)
sys.stdin.read()";
    let line = "ulimit -i 3; exec setpriv --reuid 61235 --clear-groups -- python3 -c \"$SCRIPT\"";
    let mut command = Command::new("bash");
    command.args(["-c", line]).env("SCRIPT", script).env("PATH", "/usr/bin:/bin"); // one that everybody may use
    let process = start(command).gets("ready\n");
    let send = || trap(&["--send", "40", "--value", "1", "--to", &process.pid().to_string()]);
    for _ in 0..3 {
        send().exits(0);
    }
    send()
        .exits(1)
        .complains("its user's queue of signals is full")
        .complains("hint: 'spile trap --show PID'");
    let shown = text(trap(&["--show", &process.pid().to_string()]));
    assert!(shown.contains("queued  3 of 3\n"), "{shown}");
}

#[test]
fn what_is_only_for_a_command_is_refused_where_none_is_run() {
    for flags in [
        &["--notify", "/dev/null"][..],
        &["--report", "-"],
        &["--on", "HUP=ignore"],
        &["--every", "1s=report"],
        &["--init"],
        &["--grace", "1s"],
        &["--rewrite", "HUP:TERM"],
        &["--dir", "/"],
    ] {
        trap(&[&["--wait", "USR1", "-t", "50ms"], flags].concat())
            .exits(125)
            .complains(flags[0])
            .complains("'--wait <SIGNALS>'")
            .complains("cannot be used with '");
    }
    trap(&["--list", "--dry-run"]).exits(125).complains("'--list' cannot be used with '--dry-run'");
}
