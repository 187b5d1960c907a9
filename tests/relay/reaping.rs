//! Whoever has been reaped is nobody any more: its number is never signalled. Each status reaches whom it belongs to.

use std::path::Path;
use std::time::Duration;

use crate::harness::*;

/// Runs `spile ARGS` under strace, which makes every wait4(2) last longer on its way back: what ends meanwhile is
/// reaped in the same round. Answers the status and what was traced.
fn traced(args: &str, log: &Path) -> (Ended, Vec<String>) {
    let trace = "-e trace=wait4,kill,pidfd_open,pidfd_send_signal -e inject=wait4:delay_exit=400000";
    let line = format!("exec strace -D -f -qq -o {} {trace} $SPILE {args}", log.display());
    let ended = shell(&line).eof().ends();
    let text = std::fs::read_to_string(log).unwrap();
    (ended, text.lines().map(str::to_owned).collect())
}

/// Fails when a process is signalled, or opened to be, by a line after the one that has reaped it.
fn assert_nobody_reaped_is_signalled(lines: &[String]) {
    let mut reaped: Vec<i32> = Vec::new();
    for line in lines {
        let call = line.split_once(char::is_whitespace).map_or("", |(_, call)| call.trim_start());
        let first = |rest: &str| rest.split([',', ')']).next().unwrap().trim_start_matches('-').parse().ok();
        if let Some(rest) = call.strip_prefix("kill(").or(call.strip_prefix("pidfd_open(")) {
            let pid = first(rest).unwrap();
            assert!(!reaped.contains(&pid), "{line}\nin: {}", lines.join("\n"));
        } else if call.contains("wait4") && call.contains("{WIF") && !call.contains("WIFSTOPPED") {
            let answer = call.rsplit(" = ").next().unwrap();
            reaped.push(answer.split_whitespace().next().unwrap().parse().unwrap());
        }
    }
    assert!(reaped.len() > 1, "{}", lines.join("\n"));
}

#[test]
fn a_stage_that_ended_with_the_one_that_stops_the_others_is_not_signalled() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("trace");
    // Both end while spile is still about to reap the first.
    let stages = "sh -c 'sleep .2; exit 3' :: sh -c 'sleep .3; exit 0'";
    for scope in ["child", "group", "tree"] {
        let (ended, lines) = traced(&format!("pipe --on-fail stop --scope {scope} {stages}"), &log);
        ended.exits(3);
        assert_nobody_reaped_is_signalled(&lines);
    }
}

#[test]
fn what_moves_bytes_for_a_program_and_ended_with_it_is_not_signalled() {
    let dir = tempfile::tempdir().unwrap();
    let (log, mark) = (dir.path().join("trace"), dir.path().join("mark"));
    let over = mark.clone();
    // The address ends shortly after the program, and with it what reads it.
    let port = server(move |stream| {
        wait_until("the program is about to end", || over.exists());
        std::thread::sleep(Duration::from_millis(150));
        drop(stream);
    });
    let args = format!("run --stdin tcp:127.0.0.1:{port} -- touch {}", mark.display());
    let (ended, lines) = traced(&args, &log);
    ended.exits(0);
    assert_nobody_reaped_is_signalled(&lines);
}

#[test]
fn who_is_no_child_is_signalled_by_a_handle_and_not_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let (log, pid) = (dir.path().join("trace"), dir.path().join("pid"));
    let program = format!("sh -c 'setsid sh -c \"echo \\$\\$ >{0}; exec sleep 60\" & wait'", pid.display());
    let (ended, lines) = traced(&format!("run -t 500ms -- {program}"), &log);
    ended.exits(124);
    let pid = std::fs::read_to_string(pid).unwrap().trim().to_owned();
    assert!(!lines.iter().any(|line| line.contains(&format!("kill({pid},"))), "{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains("pidfd_send_signal(")), "{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains(&format!("pidfd_open({pid},"))), "{}", lines.join("\n"));
    assert!(!is_alive(pid.parse().unwrap()));
    assert_nobody_reaped_is_signalled(&lines);
}

#[test]
fn many_that_end_at_once_each_have_their_own_status() {
    // Programs, a copy to an address, orphans: one loop reaps them all.
    let port = server(|stream| drop(read_all(&stream)));
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go").display().to_string();
    let ends = |status: usize| {
        format!("(sleep .1 &) ; echo x >&2; until test -e {go}; do sleep .02; done; exit {status}")
    };
    let tee = format!("@tee=tcp:127.0.0.1:{port}");
    let mut words: Vec<String> = ["pipe", "--report", "fd:1", "--err", "capture"].map(String::from).into();
    for status in 0..40 {
        words.extend((status > 0).then(|| "::".to_owned()));
        words.extend((status == 20).then(|| tee.clone()));
        words.extend(["sh".to_owned(), "-c".to_owned(), ends(status)]);
    }
    let process = spile(&words);
    wait_until("all stages run", || children(process.pid()).len() >= 40);
    std::fs::write(&go, "").unwrap();
    let report = process.eof().ends().exits(39).json();
    let status = |n: usize| report["stages"][n]["status"]["code"].as_u64();
    assert_eq!((0..40).map(status).collect::<Vec<_>>(), (0..40).map(Some).collect::<Vec<_>>());
    assert!(report["tree"]["reaped"].as_u64().unwrap() >= 40, "{report}");
}

#[test]
fn a_status_is_not_lost_to_a_service_a_probe_or_a_helper() {
    let port = server(|stream| drop(read_all(&stream)));
    let service = format!("{SPILE} relay tcp-l:0 echo");
    let out = format!("tcp:127.0.0.1:{port}");
    let args =
        ["run", "--with", &service, "--ready", "cmd:sh -c 'exit 0'", "--stdout", &out, "--retries", "2"];
    let program = ["--backoff", "1ms", "--report", "fd:2", "--", "sh", "-c", "(exit 9) & echo data; exit 7"];
    let ended = spile([&args[..], &program].concat()).eof().ends().exits(7);
    let line = ended.stderr.lines().last().unwrap();
    let report: serde_json::Value = serde_json::from_str(line).unwrap();
    let attempts = report["attempts"].as_array().unwrap();
    assert_eq!(attempts.iter().map(|one| one["exit"].as_u64()).collect::<Vec<_>>(), [Some(7); 3], "{report}");
    assert_eq!(report["services"][0]["reason"], "stopped", "{report}");
}
