//! `trap` in the place of tini and dumb-init: the hard cases, with the same done to them.

use std::time::{Duration, Instant};

use crate::harness::*;

/// What runs a program as an init: its name, and the words before the program.
const INITS: [(&str, &[&str]); 3] =
    [("spile", &[SPILE, "trap", "--"]), ("tini", &["tini", "-s", "--"]), ("dumb-init", &["dumb-init", "--"])];

fn command(words: &[&str]) -> Process {
    program(words[0], &words[1..])
}

/// How a namespace of processes is made: with a /proc of its own, or with that of the processes outside.
const NAMESPACES: [&[&str]; 2] =
    [&["unshare", "-pf", "--kill-child", "--mount-proc"], &["unshare", "-pf", "--kill-child"]];

/// Starts words as the first process of a namespace of processes.
fn contained(namespace: &[&str], words: &[&str]) -> Process {
    command(&[namespace, words].concat())
}

/// Every init in every kind of namespace.
fn everywhere() -> impl Iterator<Item = (&'static [&'static str], &'static str, &'static [&'static str])> {
    NAMESPACES.into_iter().flat_map(|namespace| INITS.map(|(name, init)| (namespace, name, init)))
}

/// The first process of the namespace, by its number here.
fn first(outer: &Process) -> u32 {
    wait_until("the namespace has a process", || !children(outer.pid()).is_empty());
    children(outer.pid())[0]
}

fn signal(name: &str, pid: u32) {
    program("kill", &[&format!("-{name}"), &pid.to_string()]).ends().exits(0);
}

/// True while there is a zombie among the children of a process.
fn zombies(pid: u32) -> usize {
    children(pid).into_iter().filter(|child| state_of(*child) == 'Z').count()
}

#[test]
fn r_the_first_process_reaps_what_it_did_not_start() {
    if !have_namespace("-pf") {
        return;
    }
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep .1 &) ; done; echo ready; exec sleep 60";
    for (namespace, name, init) in everywhere() {
        let outer = contained(namespace, &[init, &["sh", "-c", script]].concat()).gets("ready\n");
        let pid = first(&outer);
        wait_until(&format!("{name} has reaped all"), || children(pid).len() == 1 && zombies(pid) == 0);
    }
    // What this test would see of one that reaps nothing.
    let outer = contained(NAMESPACES[0], &["timeout", "60", "sh", "-c", script]).gets("ready\n");
    let pid = first(&outer);
    wait_until("there are zombies", || zombies(pid) == 10);
}

#[test]
fn r_five_hundred_that_end_at_once_are_all_reaped() {
    if !have_namespace("-pf") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go").display().to_string();
    // Its children read a pipe whose end comes for all of them at once; it leaves them to the init.
    let script = format!(
        "import os, time
out, into = os.pipe()
if os.fork() == 0:
    for _ in range(500):
        if os.fork() == 0:
            os.close(into); os.read(out, 1); os._exit(0)
    os._exit(0)
os.wait()
print('ready', flush=True)
while not os.path.exists('{go}'): time.sleep(.01)
os.close(into)
time.sleep(60)"
    );
    let outer = contained(NAMESPACES[0], &[SPILE, "trap", "--", "python3", "-c", &script]).gets("ready\n");
    let pid = first(&outer);
    wait_until("they are orphans", || children(pid).len() == 501);
    std::fs::write(&go, "").unwrap();
    wait_until("all are reaped", || children(pid).len() == 1);
}

#[test]
fn s_a_signal_to_the_first_process_reaches_the_program() {
    if !have_namespace("-pf") {
        return;
    }
    for (namespace, name, init) in everywhere() {
        for (sent, status) in [("TERM", 143), ("INT", 130), ("USR1", 138), ("KILL", 137)] {
            let outer = contained(namespace, &[init, &["sh", "-c", "echo ready; exec sleep 60"]].concat())
                .gets("ready\n");
            let pid = first(&outer);
            signal(sent, if sent == "KILL" { children(pid)[0] } else { pid });
            let ended = outer.ends();
            assert_eq!(ended.status, status, "{name}: {sent}");
        }
    }
}

#[test]
fn the_status_is_the_programs_as_with_the_others() {
    for (name, init) in INITS {
        for (script, status) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -SEGV $$", 139)] {
            if have_namespace("-pf") {
                let ended = contained(NAMESPACES[0], &[init, &["sh", "-c", script]].concat()).ends();
                assert_eq!(ended.status, status, "{name}: {script}");
                assert!(!ended.core, "{name} leaves a core of its own");
            }
            let ended = command(&[init, &["sh", "-c", script]].concat()).ends();
            assert_eq!(ended.status, status, "{name}: {script}");
        }
    }
    // tini's -e is --ok.
    command(&["tini", "-e", "143", "--", "sh", "-c", "exit 143"]).ends().exits(0);
    command(&[SPILE, "trap", "--ok", "143", "--", "sh", "-c", "exit 143"]).ends().exits(0);
    for (init, status) in [("spile", 127), ("tini", 127), ("dumb-init", 2)] {
        let (_, words) = INITS.into_iter().find(|(name, _)| *name == init).unwrap();
        assert_eq!(command(&[words, &["/no/such"]].concat()).ends().status, status, "{init}");
    }
}

#[test]
fn i_who_needs_a_second_to_clean_up_after_the_program_gets_it() {
    if !have_namespace("-pf") {
        return;
    }
    let inits = [
        ("spile", &[SPILE, "trap", "--"][..], true),
        ("spile, killing", &[SPILE, "trap", "--init", "--orphans", "kill", "--"], false),
        ("tini", &["tini", "--"], false),
        ("dumb-init", &["dumb-init", "--"], false),
    ];
    let everywhere = NAMESPACES.into_iter().flat_map(|namespace| inits.map(|init| (namespace, init)));
    for (namespace, (name, init, cleaned)) in everywhere {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cleaned").display().to_string();
        let worker =
            format!("trap 'sleep 1; touch {file}; exit' TERM; touch {file}.up; while :; do sleep .02; done");
        let script =
            format!("setsid sh -c \"{worker}\" & until test -e {file}.up; do sleep .02; done; exit 5");
        let ended = contained(namespace, &[init, &["sh", "-c", &script]].concat()).ends();
        assert_eq!((ended.status, std::path::Path::new(&file).exists()), (5, cleaned), "{name}");
    }
}

#[test]
fn orphans_are_waited_for_or_left_as_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("done").display().to_string();
    let script = format!("setsid sh -c 'sleep .4; touch {file}' & exit 5");
    command(&[SPILE, "trap", "--init", "--orphans", "wait", "--", "sh", "-c", &script]).ends().exits(5);
    assert!(std::path::Path::new(&file).exists(), "it was not waited for");
    let nap = unique_sleep();
    let script = format!("setsid sleep {nap} >/dev/null 2>&1 & exit 5");
    command(&[SPILE, "trap", "--init", "--orphans", "leave", "--", "sh", "-c", &script]).ends().exits(5);
    wait_until("it lives on", || with_argument(&nap).len() == 1);
    signal("KILL", with_argument(&nap)[0]);
    // The last one, who ignores TERM, is killed when the grace is over.
    let began = Instant::now();
    let script = format!("setsid sh -c 'trap \"\" TERM; echo ready; sleep {nap}; :' & read x; exit 5");
    let words = [SPILE, "trap", "--init", "--grace", "300ms", "--", "sh", "-c", &script];
    command(&words).gets("ready\n").sends("\n").ends().exits(5);
    assert_eq!(with_argument(&nap), [0; 0]);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn orphans_that_are_waited_for_end_when_term_comes_whatever_the_program_gets_instead() {
    let nap = unique_sleep();
    let script =
        format!("(setsid sleep {nap} &); trap 'exit 3' USR1; echo ready; while :; do sleep .02; done");
    for flags in [["--rewrite", "TERM:USR1"], ["--on", "TERM=send:USR1"]] {
        let init = [SPILE, "trap", "--init", "--orphans", "wait"];
        let process = command(&[&init, &flags[..], &["--", "sh", "-c", &script]].concat()).gets("ready\n");
        wait_until("it sleeps", || asleep(&nap).len() == 1);
        process.signal("TERM");
        process.ends().exits(3);
        assert_eq!(asleep(&nap), [0; 0], "{flags:?}");
    }
}

/// A program, a member of its group, one with a session of its own, and a daemon, all asleep for `nap`.
fn family(nap: &str) -> String {
    format!(
        "sleep {nap} & setsid sleep {nap} & (setsid sh -c 'sleep {nap} & :' &) ; \
         echo ready; sleep {nap}; :"
    )
}

fn asleep(nap: &str) -> Vec<u32> {
    with_argument(nap).into_iter().filter(|pid| is_a(*pid, "sleep")).collect()
}

#[test]
fn c_term_to_the_init_is_the_end_of_the_whole_family() {
    let nap = unique_sleep();
    // tini tells the program alone, dumb-init its session.
    for ((name, init), survivors) in INITS.into_iter().zip([0, 4, 2]) {
        let process = command(&[init, &["sh", "-c", &family(&nap)]].concat()).gets("ready\n");
        wait_until("all sleep", || asleep(&nap).len() == 4);
        process.signal("TERM");
        // Those that are left hold its output open.
        let mut process = process;
        wait_until(&format!("{name} has ended"), || !process.is_running());
        // Who was sent a signal may still be dying.
        wait_until(&format!("{survivors} outlive {name}"), || asleep(&nap).len() == survivors);
        let left = asleep(&nap);
        left.into_iter().for_each(|pid| signal("KILL", pid));
        wait_until("nobody is left", || asleep(&nap).is_empty());
    }
}

#[test]
fn n_a_member_that_ignores_term_does_not_outlive_its_leader() {
    let nap = unique_sleep();
    let script = format!("(trap '' TERM; sleep {nap}; :) & echo ready; exec sleep 60");
    let process = command(&[SPILE, "trap", "--grace", "300ms", "--", "sh", "-c", &script]).gets("ready\n");
    wait_until("it sleeps", || asleep(&nap).len() == 1);
    process.signal("TERM");
    process.ends().dies_of(15);
    assert_eq!(asleep(&nap), [0; 0]);
}

#[test]
fn a_program_that_ignores_term_is_not_killed_by_itself_and_stop_bounds_it() {
    let script = "trap '' TERM; echo ready; while :; do sleep .02; done";
    let process = command(&[SPILE, "trap", "--", "sh", "-c", script]).gets("ready\n");
    process.signal("TERM");
    wait_until("it was read", || !has_pending(process.pid()));
    let child = children(process.pid())[0];
    assert!(is_alive(child), "TERM is the program's own affair");
    signal("KILL", child);
    process.ends().dies_of(9);
    let flags = ["trap", "--on", "TERM=stop:200ms", "--", "sh", "-c", script];
    let process = spile(flags).gets("ready\n");
    process.signal("TERM");
    process.ends().dies_of(9);
}

/// Says the number and value of each signal it gets, until TERM. All are blocked from its start.
const TELLER: &str = "
import ctypes, signal
class Info(ctypes.Structure):
    _fields_ = [('signo', ctypes.c_int), ('errno', ctypes.c_int), ('code', ctypes.c_int), ('pad', ctypes.c_int),
                ('pid', ctypes.c_int), ('uid', ctypes.c_int), ('value', ctypes.c_int), ('rest', ctypes.c_char * 128)]
libc, info, mask = ctypes.CDLL(None), Info(), (ctypes.c_ulong * 16)(*[2**64 - 1] * 16)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
print('ready', flush=True)
while True:
    number = libc.sigwaitinfo(mask, ctypes.byref(info))
    if number not in (17, 18, 28):
        print(number, info.value if info.code == -1 else '-', flush=True)
    if number == 15:
        break
";

/// Starts the teller under an init and sends it what can be caught; answers the numbers that it was told.
fn told(init: &[&str], signals: &[i32]) -> Vec<i32> {
    let mut process = command(&[init, &["python3", "-c", TELLER]].concat()).gets("ready\n");
    for number in signals {
        process.signal(&number.to_string());
        wait_until("it was read", || !process.is_running() || !has_pending(process.pid()));
    }
    process.signal("TERM");
    let text = String::from_utf8(process.ends().exits(0).stdout).unwrap();
    let number = |line: &str| line.split(' ').next().unwrap().parse().unwrap();
    text.lines().map(number).collect()
}

#[test]
fn d10_every_signal_that_can_be_caught_is_passed_on_as_by_the_others() {
    // Stops are apart: dumb-init makes STOP of them. 17, 18 and 28 also come from the kernel.
    let signals: Vec<i32> =
        (1..=64).filter(|n| ![9, 15, 17, 18, 19, 20, 21, 22, 28, 32, 33].contains(n)).collect();
    let mut results = Vec::new();
    for (name, init) in INITS {
        // tini and dumb-init die of a fault that is sent to them, by design or by accident.
        let sent: Vec<i32> = match name {
            "tini" => signals.iter().copied().filter(|n| ![4, 5, 6, 7, 8, 11, 31].contains(n)).collect(),
            _ => signals.clone(),
        };
        let mut told = told(init, &sent);
        told.sort_unstable();
        println!("{name}: {} of {} were passed on", told.len() - 1, signals.len());
        results.push(told);
    }
    let mut all = signals.clone();
    all.push(15);
    all.sort_unstable();
    assert_eq!(results[0], all);
    for others in &results[1..] {
        assert!(others.iter().all(|number| results[0].contains(number)), "{others:?}");
    }
}

/// Sends 40 five times, with the values 0 to 4.
const FIVE: &str = "
import ctypes, sys
for value in range(5):
    assert ctypes.CDLL(None).sigqueue(int(sys.argv[1]), 40, ctypes.c_void_p(value)) == 0
";

#[test]
fn k_real_time_signals_keep_their_number_and_here_their_values() {
    for (name, init) in INITS {
        let process = command(&[init, &["python3", "-c", TELLER]].concat()).gets("ready\n");
        program("python3", &["-c", FIVE, &process.pid().to_string()]).ends().exits(0);
        wait_until("all were read", || !has_pending(process.pid()));
        process.signal("TERM");
        let text = String::from_utf8(process.ends().exits(0).stdout).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), 6, "{name}: {text}");
        assert!(name != "spile" || lines[1..] == ["40 0", "40 1", "40 2", "40 3", "40 4"], "{text}");
    }
}

#[test]
fn signals_are_rewritten_as_dumb_init_does_and_real_time_ones_too() {
    let rewritten = |init: &[&str], send: &[i32]| told(init, send);
    for (rule, ours, sent, got) in [
        ("1:10", "1:10", 1, vec![10, 15]),
        ("12:0", "12:0", 12, vec![15]),
        ("2:3", "INT:QUIT", 2, vec![3, 15]),
    ] {
        assert_eq!(rewritten(&["dumb-init", "-r", rule, "--"], &[sent]), got, "dumb-init {rule}");
        assert_eq!(rewritten(&[SPILE, "trap", "--rewrite", ours, "--"], &[sent]), got, "spile {ours}");
    }
    assert_eq!(rewritten(&[SPILE, "trap", "--rewrite", "RTMIN+1:RTMAX", "--"], &[35]), [64, 15]);
}

#[test]
fn t_an_inherited_ignored_sigchld_hides_no_status() {
    let setup = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])";
    for (name, init) in INITS {
        let words = ["timeout", "-s", "KILL", "2", "python3", "-c", setup];
        let ended = command(&[&words, init, &["sh", "-c", "exit 7"]].concat()).ends();
        println!("{name}: {}", ended.status);
        assert!(name == "tini" || ended.status == 7, "{name}: {ended:?}");
    }
}

#[test]
fn the_program_gets_a_session_or_a_group_as_it_is_said() {
    let script = "echo $(ps -o pid=,pgid=,sid= -p $$)";
    let ids = |init: &[&str]| {
        let ended = command(&[init, &["sh", "-c", script]].concat()).ends().exits(0);
        let text = String::from_utf8(ended.stdout).unwrap();
        let ids: Vec<u32> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        (ids[0] == ids[1], ids[0] == ids[2])
    };
    assert_eq!(ids(&["dumb-init", "--"]), (true, true));
    assert_eq!(ids(&[SPILE, "trap", "--session", "--"]), (true, true));
    assert_eq!(ids(&["tini", "-s", "--"]), (true, false));
    assert_eq!(ids(&[SPILE, "trap", "--"]), (true, false));
    assert_eq!(ids(&["dumb-init", "-c", "--"]), (false, false));
    assert_eq!(ids(&[SPILE, "trap", "--pgroup", "same", "--"]), (false, false));
}

#[test]
fn a_stop_reaches_a_program_with_a_session_of_its_own_as_with_dumb_init() {
    for init in [&["dumb-init", "--"][..], &[SPILE, "trap", "--session", "--"]] {
        let process = command(&[init, &["sh", "-c", "echo ready; exec sleep 60"]].concat()).gets("ready\n");
        let child = children(process.pid())[0];
        process.signal("TSTP");
        wait_until("it is stopped", || state_of(child) == 'T');
        process.signal("CONT");
        wait_until("it goes on", || state_of(child) != 'T');
        process.signal("TERM");
        assert_eq!(process.ends().status, 143);
    }
}

#[test]
fn the_program_is_told_when_its_init_is_killed() {
    // tini's -p is about tini itself: there, nobody tells the program.
    let script = "trap 'echo orphaned; exit' HUP; echo ready; while :; do sleep .02; done";
    let words = [SPILE, "trap", "--pdeath", "HUP", "--", "sh", "-c", script];
    let mut process = command(&words).gets("ready\n");
    process.signal("KILL");
    process.read(b"orphaned\n");
}
