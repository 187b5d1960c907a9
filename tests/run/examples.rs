//! `run`: the examples of its help, as a person would type them.

use std::process::Command;
use std::time::Instant;

use crate::harness::*;

/// A shell line in a directory with what the examples talk about.
fn example(setup: &str, line: &str) -> (Ended, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(SPILE, bin.join("spile")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{setup}\n{line}")]).env("PATH", path).current_dir(&dir);
    (start(command).eof().ends(), dir)
}

fn text(dir: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(dir.path().join(name)).unwrap()
}

/// Writes an executable script.
fn script(name: &str, body: &str) -> String {
    format!("printf '%s\\n' '#!/bin/sh' '{body}' >{name}; chmod +x {name}")
}

#[test]
fn tests_that_take_too_long_end_with_all_they_have_started() {
    let makefile = "printf 'test:\\n\\t@setsid sleep 60 & echo $$! >pid; sleep 60\\n' >Makefile";
    let (ended, dir) = example(makefile, "spile run -t 500ms -- make test");
    ended.exits(124).complains("time limit --timeout ran out: after 500ms");
    assert!(!is_alive(text(&dir, "pid").trim().parse().unwrap()), "it had a session of its own");
    let (ended, _dir) =
        example("printf 'test:\\n\\t@echo good\\n' >Makefile", "spile run -t 30s -- make test");
    ended.exits(0).says("good\n");
}

#[test]
fn a_tool_starts_in_its_own_surroundings() {
    let body = "pwd; echo $1 $RUST_LOG ${LANG-unset}; umask";
    let setup = format!("mkdir sub; export LANG=C; {}", script("tool", body));
    let line = "spile run -C sub -e RUST_LOG=debug -u LANG --umask 027 -- ./tool arg";
    let (ended, dir) = example(&setup, line);
    let there = dir.path().canonicalize().unwrap().join("sub");
    ended.exits(0).says(format!("{}\narg debug unset\n0027\n", there.display()));
}

#[test]
fn nothing_found_is_no_error() {
    let line = "spile run --ok 0,1 -- grep -r TODO src";
    let (ended, _dir) = example("mkdir src; echo fine >src/a", line);
    ended.exits(0).says("");
    let (ended, _dir) = example("mkdir src; echo TODO >src/a", line);
    ended.exits(0).says("src/a:TODO\n");
    let (ended, _dir) = example("", line);
    ended.exits(2).complains("src");
}

#[test]
fn a_list_of_files_is_formatted_in_batches() {
    let setup =
        format!("seq -f 'src/file-number-%.0f.rs' 100000 >files.txt; {}", script("rustfmt", "echo $#"));
    let (ended, _dir) = example(&setup, "PATH=.:$PATH spile run --args-from files.txt -- rustfmt");
    let text = String::from_utf8(ended.exits(0).stdout).unwrap();
    let counts: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(counts.len() > 1 && counts.iter().sum::<u32>() == 100_000, "{counts:?}");
}

#[test]
fn a_server_has_its_user_its_limit_and_its_configuration_alone() {
    if !rustix::process::getuid().is_root() {
        skipped("only root can become somebody else");
        return;
    }
    let setup = format!(
        "chmod 755 .; echo secret >cfg; {}",
        script("srv", "id -un; ulimit -n; cat <&3; test -e /dev/fd/4 || echo closed")
    );
    let line = "exec 4</dev/null; spile run --user nobody --rlimit nofile=4096 --close-fds --pass-fd 3 -- ./srv 3<cfg";
    let (ended, _dir) = example(&setup, line);
    ended.exits(0).says("nobody\n4096\nsecret\nclosed\n");
}

#[test]
fn a_noisy_script_is_silent_while_it_is_good() {
    let line = "spile run --quiet-ok --tee log.txt -- ./noisy.sh";
    let (ended, dir) = example(&script("noisy.sh", "echo much; echo noise >&2; exit 0"), line);
    assert_eq!(ended.exits(0).says("").stderr, "");
    assert_eq!(text(&dir, "log.txt").len(), "much\nnoise\n".len());
    let (ended, _dir) = example(&script("noisy.sh", "echo much; echo noise >&2; exit 1"), line);
    assert_eq!(ended.exits(1).says("much\n").stderr, "noise\n");
}

#[test]
fn a_download_is_tried_again() {
    let body = "echo x >>tries; test $(wc -l <tries) = 1 && exit 28; test $(wc -l <tries) = 2 && exec sleep 60; echo page";
    let line = "PATH=.:$PATH spile run --retries 4 --backoff 10ms..30ms --retry-on 28,timeout -t 500ms -- curl -f http://x";
    let (ended, dir) = example(&script("curl", body), line);
    ended.exits(0).says("page\n");
    assert_eq!(text(&dir, "tries").lines().count(), 3);
    let (ended, dir) = example(&script("curl", "echo x >>tries; exit 22"), line);
    ended.exits(22);
    assert_eq!(text(&dir, "tries").lines().count(), 1, "22 is not asked for");
}

#[test]
fn tests_run_against_two_services() {
    let (db, api) = (closed_port(), closed_port());
    let setup = format!(
        "mkdir web; touch web/health; {}; {}",
        script("db", &format!("exec python3 -m http.server --bind 127.0.0.1 {db}")),
        script("api", &format!("cd web; exec python3 -m http.server --bind 127.0.0.1 {api}")),
    );
    let line = format!(
        "spile run --with 'db=./db' --ready tcp:{db} --with 'api=./api' --ready http://127.0.0.1:{api}/health \
         -- sh -c 'ls -d /proc/[0-9]*/cwd >/dev/null 2>&1; echo tested; exit 4'"
    );
    let (ended, _dir) = example(&setup, &line);
    assert_eq!(ended.exits(4).says("tested\n").stderr, "");
    for port in [db, api] {
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "the services are ended");
    }
}

#[test]
fn a_build_is_labelled_in_its_order() {
    let build = script("build.sh", "echo cc; echo warning >&2; echo ld");
    let line =
        "spile run --prefix '{name} {stream}| ' --ts --order exact -- ./build.sh 2>&1 | cut -d' ' -f2-";
    let (ended, _dir) = example(&build, line);
    ended.exits(0).says("build.sh stdout| cc\nbuild.sh stderr| warning\nbuild.sh stdout| ld\n");
}

#[test]
fn a_daemon_lives_on_and_nobody_waits_for_it() {
    let begun = Instant::now();
    let line = "x=$(spile run --relay --linger 100ms -- sh -c 'sleep 40 & echo ready $!'); echo $x";
    let (ended, _dir) = example("", line);
    let text = String::from_utf8(ended.exits(0).stdout).unwrap();
    let pid = text.trim().strip_prefix("ready ").unwrap().to_owned();
    assert!(begun.elapsed().as_secs() < 10 && is_alive(pid.parse().unwrap()));
    program("kill", &[&pid]).ends().exits(0);
}

#[test]
fn colours_are_kept_in_a_file() {
    let npm = script("npm", "test -t 1 && printf \"\\033[32mok\\033[m\\n\"; stty size");
    let (ended, dir) = example(&npm, "PATH=.:$PATH spile run --pty=120x40 -- npm test >out.ansi");
    ended.exits(0).says("");
    assert_eq!(text(&dir, "out.ansi"), "\x1b[32mok\x1b[m\r\n40 120\r\n");
}

#[test]
fn a_filter_is_reported() {
    let line = r"spile run --stdin text:$'a\nb\n' --stdout capture --max-capture 64K:both --report r.json -- ./filter";
    let (ended, dir) = example(&script("filter", "tr a-z A-Z"), line);
    ended.exits(0).says("");
    let report: serde_json::Value = serde_json::from_str(&text(&dir, "r.json")).unwrap();
    assert_eq!(report["stdout"]["text"], serde_json::json!("A\nB\n"));
}

#[test]
fn two_limits_are_told_apart() {
    let line = "spile run -t 5m --idle-timeout 300ms --grace 10s -- sh -c 'echo compiling; exec sleep 60'";
    let (ended, _dir) = example("", line);
    ended.exits(124).says("compiling\n").complains("--idle-timeout ran out: after 300ms");
    let line = "spile run -t 300ms --idle-timeout 1m -- sh -c 'echo compiling; exec sleep 60'";
    let (ended, _dir) = example("", line);
    ended.exits(124).complains("--timeout ran out: after 300ms");
}
