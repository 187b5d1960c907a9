//! `run`: what the program finds: words, environment, directory, user, limits, descriptors, group.

use std::process::Command;

use crate::harness::*;

/// Runs `spile run ARG…` without input.
fn run(args: &[&str]) -> Ended {
    spile([&["run"], args].concat()).eof().ends()
}

#[test]
fn variables_are_set_removed_and_kept_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("env");
    std::fs::write(&file, "# a comment\n\nA=from file\nexport B='quoted $HOME'\nC=1\nD=2\n").unwrap();
    let show = ["--", "sh", "-c", "echo $A,$B,$C,$D,$E"];
    let flags = ["--env-file", file.to_str().unwrap(), "-u", "C", "-e", "D=flag", "-e", "E=a=b"];
    run(&[&flags[..], &show].concat()).exits(0).says("from file,quoted $HOME,,flag,a=b\n");
    run(&["-i", "-e", "ONE=1", "--", "/usr/bin/env"]).exits(0).says("ONE=1\n");
    let mut command = Command::new(SPILE);
    command
        .args(["run", "-i", "-e", "KEPT", "-e", "NONE", "--", "/usr/bin/env"])
        .env("KEPT", "yes")
        .env_remove("NONE");
    start(command).eof().ends().exits(0).says("KEPT=yes\n");
    std::fs::write(&file, "A=1\nnonsense\n").unwrap();
    let bad = run(&["--env-file", file.to_str().unwrap(), "true"]).exits(125);
    bad.complains("line 2: 'nonsense' is not NAME=VALUE");
}

#[test]
fn the_programs_name_for_itself_can_differ() {
    run(&["--argv0", "other name", "--", "sh", "-c", "tr '\\0' '\\n' </proc/$$/cmdline | head -1"])
        .exits(0)
        .says("other name\n");
}

#[test]
fn a_line_runs_in_a_shell_or_is_split_into_words_without_one() {
    run(&["--shell", "echo $1 $(echo x) | tr a-z A-Z", "arg"]).exits(0).says("ARG X\n");
    run(&["--split", "printf '%s|' 'a b' \"c $HOME\" d\\ e", "more"]).exits(0).says("a b|c $HOME|d e|more|");
}

#[test]
fn arguments_of_a_file_are_run_in_batches_that_fit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("args");
    let lines: String = (0..120_000).map(|n| format!("argument number {n:06}\n")).collect();
    std::fs::write(&file, &lines).unwrap();
    let file = file.to_str().unwrap();
    let ended = run(&["--args-from", file, "--", "printf", "%s\n"]).exits(0);
    assert!(ended.stdout == lines.as_bytes());
    let ended = run(&["--args-from", file, "--", "sh", "-c", "echo $#"]).exits(0);
    let counts = String::from_utf8(ended.stdout).unwrap();
    assert!(counts.lines().count() > 1, "one run was enough: {counts}");
    let total: u32 = counts.lines().map(|line| line.parse::<u32>().unwrap()).sum();
    assert_eq!(total + counts.lines().count() as u32, 120_000, "the first of each run is its $0");
    spile(["run", "--args-from", "-", "--", "printf", "<%s>"])
        .sends("a\0b\nc\0")
        .eof()
        .ends()
        .says("<a><b\nc>");
    spile(["run", "--args-from", "-", "--", "sh", "-c", "exit 3"]).sends("a\n").eof().ends().exits(3);
}

#[test]
fn umask_nice_and_resource_limits() {
    run(&["--umask", "027", "--", "sh", "-c", "umask"]).exits(0).says("0027\n");
    let ours: i32 = String::from_utf8(run(&["nice"]).stdout).unwrap().trim().parse().unwrap();
    run(&["--nice", "5", "--", "nice"]).exits(0).says(format!("{}\n", (ours + 5).min(19)));
    run(&[
        "--rlimit",
        "nofile=64:128",
        "--rlimit",
        "core=0",
        "--",
        "sh",
        "-c",
        "ulimit -n; ulimit -Hn; ulimit -c",
    ])
    .exits(0)
    .says("64\n128\n0\n");
    run(&["--rlimit", "as=64M", "--", "sh", "-c", "ulimit -v"]).exits(0).says("65536\n");
}

/// True when this test may change users.
fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

#[test]
fn a_user_comes_with_its_groups_and_without_ours() {
    if !is_root() {
        let refused = run(&["--user", "0", "--groups", "0", "true"]).exits(125);
        refused.complains("only root may do that");
        return;
    }
    run(&["--user", "nobody", "--", "sh", "-c", "id -u; id -g; id -G"])
        .exits(0)
        .says("65534\n65534\n65534\n");
    run(&["--user", "nobody", "--group", "12", "--groups", "7,9", "--", "sh", "-c", "id -u; id -g; id -G"])
        .exits(0)
        .says("65534\n12\n12 7 9\n");
    run(&["--user", "12345", "--group", "12345", "--", "sh", "-c", "id -u; id -G"])
        .exits(0)
        .says("12345\n12345\n");
    // Who is no root any more may not become another user again.
    run(&["--user", "nobody", "--", SPILE, "run", "--user", "0", "true"]).exits(125).complains("only root");
    let dies =
        ["--user", "nobody", "--pdeath", "TERM", "--", "sh", "-c", "grep -c . /proc/self/status >/dev/null"];
    run(&dies).exits(0);
}

/// Runs `spile run FLAGS -- ls /proc/self/fd` with 5 and 7 open; answers what it finds above 2, but for its own.
fn open_descriptors(flags: &str) -> String {
    let line = format!(
        "exec 3>&- 4>&- 5</dev/null 6>&- 7</dev/null; exec $SPILE run {flags} -- sh -c 'for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && printf \"$fd \"; done; echo'"
    );
    let ended = shell(&line).eof().ends().exits(0);
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn descriptors_of_ours_never_leak_and_inherited_ones_pass_unless_told() {
    assert_eq!(open_descriptors(""), "5 7 \n");
    assert_eq!(open_descriptors("--report /dev/null --events /dev/null -t 9"), "5 7 \n");
    assert_eq!(open_descriptors("--close-fds"), "\n");
    assert_eq!(open_descriptors("--pass-fd 7"), "7 \n");
    assert_eq!(open_descriptors("--close-fds --pass-fd 5,7"), "5 7 \n");
    // What spile itself has opened under that number does not count.
    let line = "exec 3>&- 4>&-; exec $SPILE run --pass-fd 3 --events /dev/null -- true";
    shell(line).eof().ends().exits(125).complains("descriptor 3: it is not open");
}

#[test]
fn what_is_closed_of_the_first_three_is_dev_null() {
    let line = "exec 0<&- 2>&-; exec $SPILE run --report fd:1 -- readlink /proc/self/fd/0 /proc/self/fd/2";
    let ended = shell(line).eof().ends().exits(0);
    assert!(String::from_utf8_lossy(&ended.stdout).starts_with("/dev/null\n/dev/null\n{"), "{ended:?}");
}

#[test]
fn process_substitution_works_through_it() {
    shell("$SPILE run -- cat <(echo one) <(echo two)").eof().ends().exits(0).says("one\ntwo\n");
}

#[test]
fn the_program_leads_a_group_or_a_session_or_stays_in_ours() {
    let show = "ps -o pid=,pgid=,sid= -p $$ | tr -s ' '";
    let ids = |flags: &[&str]| {
        let ended = run(&[flags, &["--", "sh", "-c", show]].concat()).exits(0);
        let text = String::from_utf8(ended.stdout).unwrap();
        text.split_whitespace().map(|id| id.parse::<i32>().unwrap()).collect::<Vec<_>>()
    };
    let new = ids(&[]);
    assert!(new[0] == new[1] && new[0] != new[2], "{new:?}");
    let session = ids(&["--session"]);
    assert!(session[0] == session[1] && session[0] == session[2], "{session:?}");
    let same = ids(&["--pgroup", "same"]);
    assert_ne!(same[0], same[1]);
}

#[test]
fn stdin_stdout_and_stderr_are_the_programs_own() {
    spile(["run", "--", "sh", "-c", "cat; echo err >&2"])
        .sends("in")
        .eof()
        .ends()
        .exits(0)
        .says("in")
        .complains("err");
}

#[test]
fn a_user_without_an_entry_never_keeps_our_own_group() {
    if !rustix::process::getuid().is_root() {
        skipped("only root can become somebody else");
        return;
    }
    let refused = spile(["run", "--user", "54321", "--", "id", "-g"]).ends().exits(125).says("");
    refused.complains("it has no entry that names its group").complains("--group");
    let named = spile(["run", "--user", "54321", "--group", "54321", "--", "id", "-g"]).ends();
    named.exits(0).says("54321\n");
}
