//! Signals to the program alone, or to its whole group as `tini -g` and dumb-init send them.

use crate::harness::*;

/// A leader and a member of its group; each says which signals it gets, and the value where there is one. TERM ends them.
const PAIR: &str = "
import ctypes, os, signal
class Info(ctypes.Structure):
    _fields_ = [('signo', ctypes.c_int), ('errno', ctypes.c_int), ('code', ctypes.c_int), ('pad', ctypes.c_int),
                ('pid', ctypes.c_int), ('uid', ctypes.c_int), ('value', ctypes.c_int), ('rest', ctypes.c_char * 128)]
libc, info, mask = ctypes.CDLL(None), Info(), (ctypes.c_ulong * 16)(*[2**64 - 1] * 16)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
who = 'leader' if os.fork() else 'member'
if who == 'leader':
    os.write(1, b'ready\\n')
while True:
    number = libc.sigwaitinfo(mask, ctypes.byref(info))
    if number not in (17, 18):
        os.write(1, f\"{who} {number} {info.value if info.code == -1 else '-'}\\n\".encode())
    if number == 15:
        break
";

fn pair(words: &[&str]) -> Process {
    let words = [words, &["python3", "-c", PAIR]].concat();
    program(words[0], &words[1..]).gets("ready\n")
}

/// The next two lines, in the order of the alphabet.
fn two_lines(process: &mut Process) -> String {
    let mut text = String::new();
    while text.lines().count() < 2 || !text.ends_with('\n') {
        text += &String::from_utf8(process.some()).unwrap();
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join(", ")
}

fn send(signal: &str, value: &str, process: &Process) {
    let pid = process.pid().to_string();
    spile(["trap", "--send", signal, "--value", value, "--to", &pid]).eof().ends().exits(0);
}

#[test]
fn the_whole_group_gets_every_signal_as_with_tini_g_and_dumb_init() {
    for init in [
        &["tini", "-g", "-s", "--"][..],
        &["dumb-init", "--"],
        &[SPILE, "trap", "--to-group", "--"],
        &[SPILE, "trap", "--to-group", "--session", "--"],
        &[SPILE, "run", "--to-group", "--"],
        &[SPILE, "pipe", "--to-group"],
    ] {
        let mut process = pair(init);
        for (signal, said) in [("USR1", "leader 10 -, member 10 -"), ("40", "leader 40 -, member 40 -")] {
            process.signal(signal);
            assert_eq!(two_lines(&mut process), said, "{init:?}");
        }
        process.signal("TERM");
        assert_eq!(two_lines(&mut process), "leader 15 -, member 15 -", "{init:?}");
    }
}

#[test]
fn otherwise_it_gets_what_a_terminal_would_send_it() {
    for command in ["trap", "run"] {
        let mut process = pair(&[SPILE, command, "--"]).eof();
        process.signal("USR1");
        process.read(b"leader 10 -\n");
        process.signal("INT");
        assert_eq!(two_lines(&mut process), "leader 2 -, member 2 -", "{command}");
        process.signal("TERM");
        assert_eq!(two_lines(&mut process), "leader 15 -, member 15 -", "{command}");
        process.ends().exits(0).says("");
    }
}

#[test]
fn a_value_reaches_the_program_and_the_rest_of_its_group_gets_the_signal() {
    let mut process = pair(&[SPILE, "trap", "--to-group", "--"]);
    send("RTMIN+6", "7", &process);
    assert_eq!(two_lines(&mut process), "leader 40 7, member 40 -");
    send("TERM", "8", &process);
    assert_eq!(two_lines(&mut process), "leader 15 8, member 15 -");
    let mut process = pair(&[SPILE, "trap", "--"]);
    send("TERM", "9", &process);
    assert_eq!(two_lines(&mut process), "leader 15 9, member 15 -");
}

#[test]
fn what_a_rule_sends_goes_there_too() {
    let mut process =
        pair(&[SPILE, "trap", "--to-group", "--on", "HUP=send:USR2", "--rewrite", "ALRM:USR1", "--"]);
    process.signal("HUP");
    assert_eq!(two_lines(&mut process), "leader 12 -, member 12 -");
    process.signal("ALRM");
    assert_eq!(two_lines(&mut process), "leader 10 -, member 10 -");
    process.signal("TERM");
    assert_eq!(two_lines(&mut process), "leader 15 -, member 15 -");
}

#[test]
fn our_own_group_is_none_to_send_to() {
    for command in ["trap", "run"] {
        let ended = spile([command, "--to-group", "--pgroup", "same", "--", "true"]).eof().ends();
        ended.exits(125).complains("--to-group").complains("--pgroup");
    }
}
