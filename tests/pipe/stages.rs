//! `pipe`: how stages are written, connected and started.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::harness::*;

fn words(args: &[&str]) -> Ended {
    spile([&["pipe"], args].concat()).eof().ends()
}

#[test]
fn stages_are_words_lines_or_a_file() {
    words(&["printf", "b:2\na:1\n", "::", "sort", "-t", ":", "::", "cut", "-d", ":", "-f2"]).says("1\n2\n");
    words(&["-s", "printf 'b a'", "-s", "tr ' ' '\\n'", "-s", "sort"]).exits(0).says("a\nb\n");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stages");
    std::fs::write(&path, "# numbers\nseq 3\n\n  @name=last tac  \n").unwrap();
    words(&["-f", path.to_str().unwrap()]).exits(0).says("3\n2\n1\n");
    words(&["--sep", "+", "echo", "::", "+", "cat"]).exits(0).says("::\n");
}

#[test]
fn a_file_of_stages_that_cannot_be_read_or_is_wrong_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let [mark, path] = ["mark", "stages"].map(|name| dir.path().join(name));
    let run = |path: &Path| words(&["-f", path.to_str().unwrap()]).exits(125).says("");
    let complaint = format!("cannot read {}: Is a directory", dir.path().display());
    run(dir.path()).complains(&complaint);
    run(&path).complains("No such file");
    std::fs::write(&path, "# none\n\n").unwrap();
    run(&path).complains("has no stages");
    for (line, why) in [("cat 'x", "quote"), ("@nosuch cat", "@nosuch")] {
        std::fs::write(&path, format!("touch {}\n{line}\n", mark.display())).unwrap();
        run(&path).complains(why);
    }
    assert!(!mark.exists());
}

#[test]
fn only_the_modifier_sh_runs_a_shell() {
    words(&["echo", "$HOME|", "::", "cat"]).says("$HOME|\n");
    words(&["@sh", "echo $1 | tr a-z A-Z", "word", "::", "cat"]).exits(0).says("WORD\n");
}

#[test]
fn the_first_stage_has_our_stdin_and_the_last_our_stdout() {
    spile(["pipe", "tr", "a-z", "A-Z", "::", "rev"]).sends("abc\n").eof().ends().exits(0).says("CBA\n");
    spile(["pipe", "cat"]).sends("x").eof().ends().exits(0).says("x");
}

#[test]
fn the_end_of_the_input_passes_through_all_stages() {
    // Were a pipe end left open in spile or in a later stage, the last cat would wait for ever.
    let ended = spile(["pipe", "cat", "::", "sh", "-c", "sleep 0.2; cat", "::", "cat"]);
    ended.sends("abc").eof().ends().exits(0).says("abc");
}

/// The descriptors of a process that keep a pipe open; one that was opened with O_PATH does not (open(2)).
fn holds(pid: u32, pipe: &Path) -> Vec<u32> {
    let is_path = |fd: u32| {
        let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0");
        u32::from_str_radix(flags.trim(), 8).unwrap() & 0o10_000_000 != 0
    };
    descriptors(pid).into_iter().filter(|fd| descriptor(pid, *fd) == pipe && !is_path(*fd)).collect()
}

#[test]
fn nobody_but_its_two_stages_holds_a_pipe_but_for_our_read_end() {
    let process = spile(["pipe", "cat", "::", "sleep", "60", "::", "cat"]);
    let names = |pids: &[u32]| -> Vec<String> {
        pids.iter()
            .map(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default())
            .collect()
    };
    wait_until("all stages run", || names(&children(process.pid())) == ["cat\n", "sleep\n", "cat\n"]);
    let stages = children(process.pid());
    for at in [0, 1] {
        let pipe = descriptor(stages[at], 1);
        wait_until("spile holds nothing else", || holds(process.pid(), &pipe).len() == 1);
        let ours = holds(process.pid(), &pipe)[0];
        let info = std::fs::read_to_string(format!("/proc/{}/fdinfo/{ours}", process.pid())).unwrap();
        assert!(info.lines().any(|line| line.starts_with("flags:") && line.ends_with('0')), "{info}");
        let holders: Vec<Vec<u32>> = stages.iter().map(|pid| holds(*pid, &pipe)).collect();
        let mut wanted = vec![vec![]; 3];
        (wanted[at], wanted[at + 1]) = (vec![1], vec![0]);
        assert_eq!(holders, wanted);
    }
    process.signal("TERM");
    process.ends().exits(143);
}

#[test]
fn pipes_are_large_or_as_asked() {
    let size = "python3 -c 'import fcntl; print(fcntl.fcntl(1, 1032), flush=True)'";
    let of =
        |args: &[&str]| spile([&["pipe"], args, &["-s", size, "-s", "cat"]].concat()).eof().ends().exits(0);
    of(&[]).says("262144\n");
    of(&["--pipe-size", "64K"]).says("65536\n");
    // More than the kernel gives: as much as there is.
    spile(["pipe", "--pipe-size", "1T", "echo", "x", "::", "cat"]).eof().ends().exits(0).says("x\n");
}

#[test]
fn arguments_and_names_may_be_any_bytes() {
    let mut command = Command::new(SPILE);
    command.args(["pipe", "--report", "fd:2", "printf", "%s|"]);
    command.arg(OsStr::from_bytes(b"\xff\xfe"));
    command.args(["::", "cat"]);
    let ended = start(command).eof().ends().exits(0).says(b"\xff\xfe|");
    let report: serde_json::Value = serde_json::from_str(ended.stderr.trim()).unwrap();
    assert_eq!(report["stages"][0]["argv_b64"][2], "//4=");
    assert!(report["stages"][1]["argv_b64"].is_null());
}

#[test]
fn stages_have_their_own_directory_and_variables() {
    words(&["@cwd=/", "pwd", "::", "cat"]).exits(0).says("/\n");
    words(&["@env=A=b=c", "sh", "-c", "echo $A", "::", "sh", "-c", "cat; echo ${A-unset}"])
        .says("b=c\nunset\n");
}

#[test]
fn stderr_passes_or_is_labelled_joined_dropped_or_filed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("err").display().to_string();
    let loud = |n: &str| format!("echo err{n} >&2; echo out{n}; cat");
    let (one, two) = (loud("1"), loud("2"));
    let run = |flag: &[&str], first: &[&str]| {
        words(&[flag, first, &["sh", "-c", &one, "::", "@name=two", "sh", "-c", &two]].concat()).exits(0)
    };
    let passed = run(&[], &[]);
    assert!(passed.stderr.contains("err1\n") && passed.stderr.contains("err2\n"));
    let labelled = run(&["--err", "label"], &[]);
    assert!(
        labelled.stderr.contains("sh: err1\n") && labelled.stderr.contains("two: err2\n"),
        "{}",
        labelled.stderr
    );
    run(&["--err", &file], &[]);
    let filed = std::fs::read_to_string(&file).unwrap();
    assert!(filed.contains("err1\n") && filed.contains("err2\n") && filed.len() == 10, "{filed}");
    let merged = run(&["--err", "null"], &["@err=merge"]);
    let text = String::from_utf8(merged.stdout).unwrap();
    assert!(text.contains("err1\n") && !text.contains("err2"), "{text}");
    assert_eq!(merged.stderr, "");
}

#[test]
fn stderr_can_be_added_to_what_is_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("err");
    let append = format!("append:{}", path.display());
    let own = format!("@err={append}");
    let stages = ["sh", "-c", "echo one >&2", "::", "sh", "-c", "cat; echo two >&2"];
    for _ in 0..2 {
        words(&[&["--err", &append], &stages[..]].concat()).exits(0);
        words(&[&[own.as_str()], &stages[..3]].concat()).exits(0);
    }
    let filed = std::fs::read_to_string(&path).unwrap();
    assert_eq!((filed.matches("one\n").count(), filed.matches("two\n").count()), (4, 2), "{filed}");
    words(&["--err", "append:/no/such/file", "true"]).exits(125).complains("cannot write /no/such/file");
}

#[test]
fn stderr_can_be_captured_into_the_report() {
    let loud = "printf 'e\\377' >&2; echo out";
    let many = "head -c 1000000 /dev/zero >&2; cat";
    let ended = words(&[
        "--report",
        "fd:2",
        "@err=capture",
        "sh",
        "-c",
        loud,
        "::",
        "@err=capture",
        "sh",
        "-c",
        many,
    ]);
    let ended = ended.exits(0).says("out\n");
    let report: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    let [one, two] = [0, 1].map(|at| &report["stages"][at]["stderr"]);
    assert_eq!((&one["bytes"], &one["b64"], &one["truncated"]), (&2.into(), &"Zf8=".into(), &false.into()));
    assert_eq!((&two["bytes"], &two["truncated"]), (&1_000_000.into(), &true.into()));
    assert_eq!(two["text"].as_str().unwrap().len(), 65536);
}

#[test]
fn a_stage_on_a_terminal_writes_to_one_and_its_bytes_pass_unchanged() {
    let script = "test -t 1 && printf 'tty\\n'; test -t 0 || echo pipe; echo err >&2; cat";
    let ended = words(&["printf", "x\n", "::", "@pty", "sh", "-c", script, "::", "cat"]).exits(0);
    assert_eq!((&ended.stdout[..], ended.stderr.as_str()), (&b"tty\npipe\nx\n"[..], "err\n"));
}

#[test]
fn an_address_is_a_stage_with_a_status_at_either_end() {
    let port = server(|mut stream| {
        std::io::Write::write_all(&mut stream, b"a:1\nb:2\n").unwrap();
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out").display().to_string();
    words(&[&format!("tcp:127.0.0.1:{port}"), "::", "cut", "-d", ":", "-f1", "::", &format!("file:{file}")])
        .exits(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a\nb\n");
    let closed = format!("tcp:127.0.0.1:{}", closed_port());
    words(&["echo", "x", "::", &closed]).exits(7).complains("spile pipe: cannot connect");
    words(&[&closed, "::", "cat"]).exits(7).complains("spile pipe: cannot connect");
}

#[test]
fn an_address_as_the_last_stage_answers_on_our_stdout() {
    let port = server(|stream| {
        let all = read_all(&stream);
        std::io::Write::write_all(&mut &stream, &all.to_ascii_uppercase()).unwrap();
    });
    words(&["echo", "abc", "::", &format!("tcp:127.0.0.1:{port}")]).exits(0).says("ABC\n");
}

#[test]
fn an_address_whose_reader_has_enough_is_no_failure() {
    words(&["zero:", "::", "head", "-c", "10"]).exits(0).says([0; 10]);
}
