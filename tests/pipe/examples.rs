//! `pipe`: the examples of its manual, word for word where they can be.

use std::os::unix::fs::PermissionsExt;

use crate::harness::*;

/// Runs a line of shell in which `spile` is the binary under test, in a directory with a few programs.
fn example(line: &str) -> (tempfile::TempDir, Ended) {
    let dir = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("a", "echo a >&2; seq 5");
    program("b", "echo b >&2; exec cat");
    program("c", "echo c >&2; exec tail -1");
    program("gen", "seq 100");
    program("psql", "exec wc -l");
    let quoted = dir.path().display();
    let line = format!("spile() {{ \"$SPILE\" \"$@\"; }}; cd '{quoted}' && PATH=.:$PATH && {line}");
    let ended = shell(&line).eof().ends();
    (dir, ended)
}

#[test]
fn a_head_is_no_failure() {
    example("spile pipe yes :: head -1").1.exits(0).says("y\n");
}

#[test]
fn a_download_is_metered_unpacked_kept_and_used() {
    let port = server(|stream| {
        let mut request = [0; 4096];
        let _ = std::io::Read::read(&mut &stream, &mut request);
        let body = output_bytes("printf 'one\\ntwo\\n' | gzip");
        let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        std::io::Write::write_all(&mut &stream, &[head.as_bytes(), &body].concat()).unwrap();
    });
    let line = format!(
        "U=http://127.0.0.1:{port}/; spile pipe curl -sf $U :: @meter gunzip :: @tee=raw.sql psql -q db"
    );
    let (dir, ended) = example(&line);
    ended.exits(0).says("2\n").complains("gunzip: 2");
    assert_eq!(std::fs::read(dir.path().join("raw.sql")).unwrap(), b"one\ntwo\n");
}

fn output_bytes(line: &str) -> Vec<u8> {
    std::process::Command::new("sh").args(["-c", line]).output().unwrap().stdout
}

#[test]
fn the_report_has_the_status_of_each_stage() {
    let (dir, ended) = example("spile pipe --report p.json gen :: @ok=0,1 grep -c ERR :: cat");
    ended.exits(0).says("0\n");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("p.json")).unwrap()).unwrap();
    let codes = [0, 1, 2].map(|at| report["stages"][at]["status"]["code"].as_u64());
    assert_eq!(codes, [Some(0), Some(1), Some(0)]);
}

#[test]
fn stderr_is_labelled_and_each_stage_has_its_own_limit() {
    let line = "spile pipe --err label -t 1m ./a :: @timeout=10s ./b :: @name=load ./c";
    let ended = example(line).1.exits(0).says("5\n");
    let mut lines: Vec<&str> = ended.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a: a", "b: b", "load: c"]);
}

#[test]
fn an_address_feeds_the_pipeline_and_a_file_takes_its_lines_with_their_times() {
    let port = server(|stream| std::io::Write::write_all(&mut &stream, b"x:1\ny:2\n").unwrap());
    let line = format!("spile pipe tcp:127.0.0.1:{port} :: cut -d : -f1 :: @ts file:out.log");
    let (dir, ended) = example(&line);
    ended.exits(0).says("");
    let text = std::fs::read_to_string(dir.path().join("out.log")).unwrap();
    let ends: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("Z ")).map(|(_, rest)| rest).collect();
    assert_eq!(ends, ["x", "y"], "{text}");
}

#[test]
fn stages_can_be_lines_without_a_shell() {
    let wanted = output_bytes("sort -t : -k3n /etc/passwd | tail -1");
    example("spile pipe -s 'sort -t : -k3n /etc/passwd' -s 'tail -1'").1.exits(0).says(wanted);
}
