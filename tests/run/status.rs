//! `run`: whose status it is that spile exits with, and what is said when there is none.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

/// A file with this text and mode.
fn file(dir: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_exit_status_passes_unchanged() {
    for code in [0, 1, 2, 7, 124, 125, 126, 127, 128, 143, 255] {
        run(&["sh", "-c", &format!("exit {code}")]).exits(code).complains("");
    }
}

#[test]
fn a_death_by_signal_is_ours_too_and_leaves_no_core_of_ours() {
    for signal in [1, 2, 3, 6, 9, 10, 11, 15, 34, 64] {
        let script = format!("ulimit -c unlimited; exec $0 run --rlimit core=0 -- sh -c 'kill -{signal} $$'");
        let mut command = Command::new("bash");
        command.args(["-c", &script, SPILE]);
        let ended = start(command).eof().ends().dies_of(signal);
        assert!(!ended.core, "signal {signal}");
    }
}

#[test]
fn exit_128_tells_a_death_as_a_status() {
    let ended = run(&["--exit-128", "sh", "-c", "kill -TERM $$"]).exits(143);
    assert_eq!(ended.signal, None);
}

#[test]
fn as_pid_1_a_death_is_told_as_a_status_and_every_zombie_is_reaped() {
    let script = "for i in 1 2 3 4 5; do (sleep 0 &) ; done; sleep .3; grep -l 'State:.Z' /proc/[0-9]*/status; kill -TERM $$";
    let args = ["-pf", "--mount-proc", SPILE, "run", "--", "sh", "-c", script];
    program("unshare", &args).eof().ends().exits(143).says("");
}

#[test]
fn as_pid_1_it_hears_what_asks_to_end() {
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let process = program("unshare", &["-pf", "--mount-proc", SPILE, "run", "--", "sleep", "60"]);
        let spile = || children(process.pid()).into_iter().find(|pid| is_a(*pid, "spile"));
        let runs = |pid| children(pid).into_iter().any(|pid| is_a(pid, "sleep"));
        wait_until("it runs", || spile().is_some_and(runs));
        program("kill", &[&format!("-{name}"), &spile().unwrap().to_string()]).ends().exits(0);
        process.eof().ends().exits(status);
    }
}

#[test]
fn in_a_container_whose_session_is_led_from_outside_limits_and_signals_work() {
    let inside = |words: &[&str]| {
        let begun = ["-pf", "--mount-proc", "--kill-child"];
        program("unshare", &[&begun[..], &[SPILE], words].concat()).eof().ends()
    };
    inside(&["run", "-t", "200ms", "--", "sleep", "60"]).exits(124);
    inside(&["pipe", "-t", "200ms", "sleep", "60", "::", "sleep", "60"]).exits(124);
    inside(&["run", "--pty", "--", "sh", "-c", "echo x; kill -TERM $$"]).exits(143).says("x\r\n");
}

#[test]
fn accepted_statuses_are_a_success() {
    run(&["--ok", "0,1", "--", "sh", "-c", "exit 1"]).exits(0);
    run(&["--ok", "3-5,TERM", "--", "sh", "-c", "exit 4"]).exits(0);
    run(&["--ok", "3-5,TERM", "--", "sh", "-c", "kill -TERM $$"]).exits(0);
    run(&["--ok", "3-5,TERM", "--", "sh", "-c", "exit 6"]).exits(6);
    run(&["--ok", "3-5,TERM", "--", "sh", "-c", "kill -INT $$"]).dies_of(2);
}

#[test]
fn no_such_program_is_127_and_the_path_that_was_searched_is_told() {
    run(&["nosuch"]).exits(127).complains("cannot run nosuch: no such program").complains("hint: searched /");
    run(&["./nosuch"]).exits(127).complains("cannot run ./nosuch: no such program");
    run(&["-e", "PATH=/nowhere", "true"]).exits(127).complains("searched /nowhere");
    run(&["ls -l"]).exits(127).complains("ls -l");
    run(&[""]).exits(127).complains("empty");
}

#[test]
fn a_missing_interpreter_is_127_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let script = file(&dir, "script", "#!/no/such/interp -x\n", 0o755);
    run(&[&script]).exits(127).complains("its interpreter /no/such/interp does not exist");
    let path = format!("PATH=/nowhere:{}", dir.path().display());
    run(&["-e", &path, "script"]).exits(127).complains("its interpreter /no/such/interp does not exist");
    let plain = file(&dir, "plain", "text", 0o644);
    let script = file(&dir, "other", &format!("#!{plain}\n"), 0o755);
    run(&[&script]).exits(126).complains(&format!("its interpreter {plain} is not executable"));
}

#[test]
fn a_missing_elf_interpreter_is_named_too() {
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("binary");
    let source = file(&dir, "main.c", "int main() { return 0; }", 0o644);
    let output = ["-Wl,--dynamic-linker=/no/such/ld.so", "-o", binary.to_str().unwrap(), &source];
    output_of("gcc", &output);
    run(&[binary.to_str().unwrap()]).exits(127).complains("its interpreter /no/such/ld.so does not exist");
}

#[test]
fn found_but_not_to_be_run_is_126() {
    let dir = tempfile::tempdir().unwrap();
    let plain = file(&dir, "plain", "text", 0o644);
    run(&[&plain]).exits(126).complains("it is not executable").complains("chmod +x");
    run(&["/etc"]).exits(126).complains("it is a directory");
    let foreign = file(&dir, "foreign", "\x7fELF\x01\x02 for another machine", 0o755);
    run(&[&foreign]).exits(126).complains("made for another machine");
}

#[test]
fn a_script_without_a_first_line_runs_in_the_shell_as_execvp_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let script = file(&dir, "script", "echo $0 $1 $#; exit 3\n", 0o755);
    run(&[&script, "a b", "c"]).exits(3).says(format!("{script} a b 2\n"));
    let path = format!("PATH={}:/bin:/usr/bin", dir.path().display());
    run(&["-e", &path, "script", "x"]).exits(3).says(format!("{script} x 1\n"));
}

#[test]
fn a_file_in_path_that_may_not_be_run_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    file(&dir, "true", "exit 9", 0o644);
    run(&["-e", &format!("PATH={}:/bin:/usr/bin", dir.path().display()), "true"]).exits(0);
    run(&["-e", &format!("PATH={}", dir.path().display()), "true"]).exits(126).complains("not executable");
}

#[test]
fn a_missing_directory_is_our_own_failure() {
    run(&["-C", "/nope", "true"]).exits(125).complains("cannot start in /nope: there is no such directory");
    run(&["-C", "/etc/passwd", "true"]).exits(125).complains("Not a directory");
}

#[test]
fn a_relative_program_is_meant_from_where_we_are() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    file(&dir, "tool", "#!/bin/sh\npwd\n", 0o755);
    let mut command = Command::new(SPILE);
    command.args(["run", "-C", "sub", "--", "./tool"]).current_dir(&dir);
    let there = dir.path().canonicalize().unwrap().join("sub");
    start(command).eof().ends().exits(0).says(format!("{}\n", there.display()));
}

#[test]
fn bad_usage_is_125_since_2_belongs_to_the_program() {
    let wrong: &[(&[&str], &str)] = &[
        (&[], "no command"),
        (&["--no-such-flag", "true"], "--no-such-flag"),
        (&["-t", "soon", "true"], "soon"),
        (&["--signal", "NOPE", "true"], "NOPE"),
        (&["--rewrite", "TERM", "true"], "TERM"),
        (&["--rlimit", "nope=1", "true"], "nope"),
        (&["--umask", "999", "true"], "999"),
        (&["--ok", "256", "true"], "256"),
        (&["--user", "no-such-user", "true"], "no-such-user"),
        (&["--group", "no-such-group", "true"], "no-such-group"),
        (&["--env", "=x", "true"], "=x"),
        (&["--env-file", "/nope", "true"], "/nope"),
        (&["--args-from", "/nope", "true"], "/nope"),
        (&["--split", "'open", "true"], "quote"),
        (&["--pass-fd", "77", "true"], "descriptor 77: it is not open"),
        (&["--report", "/nope/x", "true"], "/nope/x"),
        (&["--events", "fd:77", "true"], "fd:77"),
        (&["--shell", "true", "--split", "true"], "--split"),
        (&["--session", "--pgroup", "new", "true"], "--pgroup"),
    ];
    for (args, part) in wrong {
        let ended = run(args).exits(125).complains(part);
        assert!(ended.stdout.is_empty(), "{args:?}");
        assert!(ended.stderr.starts_with("spile run: "), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn the_programs_own_flags_are_left_alone() {
    run(&["echo", "-t", "--help", "-,x", "--", "-e"]).exits(0).says("-t --help -,x -- -e\n");
    run(&["--", "printf", "%s.", "-!!a", "--"]).exits(0).says("-!!a.--.");
}

#[test]
fn an_argument_that_is_too_long_is_told_with_its_size_and_a_way_out() {
    let ended = run(&["--shell", &format!("printf '%0140000d' 0 >{}", "/dev/null")]).exits(0);
    drop(ended);
    // A single argument of 128 KiB cannot even be passed to spile, so spile makes it: from a file.
    let dir = tempfile::tempdir().unwrap();
    let list = file(&dir, "list", &"x".repeat(140_000), 0o644);
    let ended = run(&["--args-from", &list, "--", "echo"]).exits(126);
    let ended = ended.complains("argument 1 has 140000 bytes, and 131071 is the most");
    ended.complains("--args-from");
}

#[test]
fn arguments_that_are_too_much_together_are_told_with_their_number_and_size() {
    let words = vec!["x".repeat(50); 3000];
    let flags = ["--rlimit", "stack=256K", "--", "echo"].map(str::to_owned);
    let args: Vec<&str> = flags.iter().chain(&words).map(String::as_str).collect();
    let ended = run(&args).exits(126).complains("3000 arguments with 153005 bytes are more than Linux takes");
    ended.complains("hint: --args-from FILE");
}

#[test]
fn arguments_and_variables_that_are_no_text_pass_unchanged() {
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let mut command = Command::new(SPILE);
    command
        .args(["run", "-u", "NONE", "--", "sh", "-c", "printf %s \"$1$ODD\"", "sh"])
        .arg(odd)
        .env("ODD", odd);
    start(command).eof().ends().exits(0).says(b"\xff\xfe\xff\xfe");
}

#[test]
fn environment_entries_that_are_no_pairs_and_doubled_ones_pass_unchanged() {
    let script = "
import ctypes, os, sys
libc = ctypes.CDLL(None)
argv = [b'spile', b'run', b'-e', b'NEW=1', b'--', b'cat', b'/proc/self/environ', None]
envp = [b'A=1', b'A=2', b'no-pair', b'PATH=/bin:/usr/bin', None]
array = lambda words: (ctypes.c_char_p * len(words))(*words)
libc.execve(sys.argv[1].encode(), array(argv), array(envp))
";
    let wanted = "A=1\0A=2\0no-pair\0PATH=/bin:/usr/bin\0NEW=1\0";
    program("python3", &["-c", script, SPILE]).eof().ends().exits(0).says(wanted);
}
