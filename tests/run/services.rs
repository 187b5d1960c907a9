//! `run --with`: services are started first, waited for, and ended afterwards whatever happens.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;
use serde_json::{Value, json};

/// Listens on a free port once `slow` seconds are over, and writes the port to a file.
const SERVER: &str = "
import http.server, socket, sys, time
socket.setdefaulttimeout(5)
class Server(http.server.HTTPServer):
    address_family = socket.AF_UNIX if sys.argv[1].startswith('/') else socket.AF_INET
    def server_bind(self):
        self.socket.bind(self.server_address)
class Handler(http.server.BaseHTTPRequestHandler):
    count = 0
    def address_string(self): return 'peer'
    def do_GET(self):
        Handler.count += 1
        good = self.path == '/health' and Handler.count > 2
        self.send_response(200 if good else 503)
        self.end_headers()
name = sys.argv[1]
Server(name if name.startswith('/') else ('127.0.0.1', int(name)), Handler).serve_forever()
";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.0.path().join("server.py"), SERVER).unwrap();
        place
    }

    fn start(&self, args: &[&str]) -> Process {
        let mut command = Command::new(SPILE);
        command.args(["run", "--report", "r.json", "--events", "ev", "--grace", "1s"]).args(args);
        command.current_dir(&self.0);
        start(command)
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.start(args).eof().ends()
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.text("r.json")).unwrap()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap_or_default()
    }

    fn pid(&self, name: &str) -> u32 {
        self.text(name).trim().parse().unwrap()
    }
}

#[test]
fn the_program_runs_once_the_address_answers_and_its_status_is_returned() {
    let place = Place::new();
    let port = closed_port();
    let service = format!("web=python3 server.py {port}");
    let ready = format!("tcp:{port}");
    let script = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.exit(7)";
    let program = ["python3", "-c", script, &port.to_string()];
    place.run(&[&["--with", &service, "--ready", &ready, "--"], &program[..]].concat()).exits(7);
    let told = &place.report()["services"][0];
    assert_eq!((&told["name"], &told["reason"]), (&json!("web"), &json!("stopped")));
    assert!(told["ready_after"].as_f64().unwrap() > 0.0);
    assert_eq!(told["status"]["signal"], json!("TERM"));
    assert!(!is_alive(told["pid"].as_u64().unwrap() as u32));
    assert!(place.text("ev").contains("\"ready\""));
}

#[test]
fn a_page_must_be_there_and_good_over_tcp_and_over_a_socket() {
    let place = Place::new();
    let port = closed_port();
    let url = format!("http://127.0.0.1:{port}/health");
    place
        .run(&["--with", &format!("python3 server.py {port}"), "--ready", &url, "--", "echo", "ran"])
        .exits(0)
        .says("ran\n");
    let socket = place.0.path().join("s").display().to_string();
    let ready = format!("unix+http:{socket}:/health");
    place
        .run(&["--with", &format!("python3 server.py {socket}"), "--ready", &ready, "--", "echo", "ran"])
        .exits(0)
        .says("ran\n");
    let url = format!("http://127.0.0.1:{port}/nothing-here");
    let with = format!("python3 server.py {port}");
    place
        .run(&["--with", &with, "--ready", &url, "--ready-timeout", "5s", "--", "echo", "ran"])
        .exits(124)
        .says("")
        .complains("503");
    place.run(&["--with", "sleep 60", "--ready", "https://localhost/", "true"]).exits(125).complains("TLS");
}

#[test]
fn a_line_or_a_command_tells_that_a_service_is_ready() {
    let place = Place::new();
    let service = "sh -c 'echo starting; sleep .3; touch up; echo now ready, port 80 >&2; exec sleep 60'";
    place
        .run(&["--with", service, "--ready", "line:ready, port [0-9]+$", "--", "ls", "up"])
        .exits(0)
        .says("up\n");
    let service = "sh -c 'sleep .3; touch done; exec sleep 60'";
    place.run(&["--with", service, "--ready", "cmd:test -e done", "--", "ls", "done"]).exits(0);
    let prompt = "sh -c 'printf \"> \"; exec sleep 60'";
    place.run(&["--with", prompt, "--ready", "line:^>", "true"]).exits(0);
}

#[test]
fn a_service_that_never_gets_ready_is_one_line_and_everything_is_ended() {
    let place = Place::new();
    let service = "db=sh -c 'sleep 60 & echo $! >pid; echo loading 7 %; wait'";
    let begun = Instant::now();
    let ended =
        place.run(&["--with", service, "--ready", "line:done", "--ready-timeout", "500ms", "--", "echo"]);
    let ended = ended.exits(124).says("");
    assert!(begun.elapsed().as_secs() < 10);
    let line =
        "spile run: service db was not ready within --ready-timeout 500ms: its last words: loading 7 %\n";
    assert_eq!(ended.stderr, line);
    assert!(!is_alive(place.pid("pid")));
    assert_eq!((&place.report()["reason"], &place.report()["exit"]), (&json!("not-ready"), &json!(124)));
    let port = closed_port();
    place
        .run(&["--with", "sleep 60", "--ready", &format!("tcp:{port}"), "--ready-timeout", "300ms", "true"])
        .exits(124)
        .complains("Connection refused");
}

#[test]
fn time_in_which_spile_was_stopped_makes_no_service_late() {
    let port = closed_port();
    let begin = "echo $$ >pid; until test -e go; do sleep .01; done;";
    let services = [
        (format!("sh -c '{begin} echo up; exec sleep 60'"), "line:up".to_owned()),
        (format!("sh -c '{begin} exec {SPILE} relay tcp-l:{port} echo'"), format!("tcp:{port}")),
        (format!("sh -c '{begin} touch up; exec sleep 60'"), "cmd:test -e up".to_owned()),
    ];
    let stopped = services.map(|(service, ready)| {
        let place = Place::new();
        let flags = ["--with", &service, "--ready", &ready, "--ready-timeout", "2s", "--", "echo", "ran"];
        let process = place.start(&flags);
        wait_until("the service runs", || !place.text("pid").is_empty());
        process.signal("STOP");
        (place, process, ready)
    });
    std::thread::sleep(Duration::from_millis(2200));
    for (place, process, ready) in stopped {
        process.signal("CONT");
        std::fs::write(place.0.path().join("go"), "").unwrap();
        let ended = process.eof().ends();
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{ready}");
        assert_eq!(ended.stdout, b"ran\n", "{ready}");
    }
}

#[test]
fn services_are_ended_when_the_program_cannot_start() {
    let place = Place::new();
    let service = "sh -c 'echo $$ >pid; echo up; exec sleep 60'";
    place.run(&["--with", service, "--ready", "line:up", "nosuch"]).exits(127).complains("nosuch");
    assert!(!is_alive(place.pid("pid")));
}

#[test]
fn a_service_that_dies_before_it_is_ready_gives_its_own_status() {
    let place = Place::new();
    let port = closed_port();
    for ready in ["line:ready", &format!("tcp:{port}"), "cmd:false"] {
        let begun = Instant::now();
        place
            .run(&["--with", "db=sh -c 'echo no disk; exit 9'", "--ready", ready, "--", "echo", "ran"])
            .exits(9)
            .says("")
            .complains("service db ended before it was ready, with status 9: its last words: no disk");
        assert!(begun.elapsed().as_secs() < 5, "{ready}: nobody waits for the dead");
    }
    place.run(&["--with", "no-such-service", "true"]).exits(127).complains("no-such-service");
    place.run(&["--with", "true", "--ready", "line:x", "true"]).exits(1);
}

#[test]
fn a_service_that_dies_meanwhile_is_told_and_the_program_goes_on() {
    let place = Place::new();
    let program = ["sh", "-c", "until grep -q service-exit ev; do sleep .01; done; echo over"];
    // The events come when the program ends or the next thing happens; the line on stderr does, too.
    let ended = place.run(&[&["--with", "job=sh -c 'exit 3'", "-t", "5s", "--"], &program[..]].concat());
    ended.exits(0).says("over\n").complains("service job has ended by itself with status 3");
    assert_eq!(place.report()["services"][0]["reason"], json!("ended"));
}

#[test]
fn services_end_in_the_opposite_order_with_all_that_is_theirs() {
    let place = Place::new();
    let service = |name: &str| {
        format!(
            "{name}=sh -c 'trap \"echo {name} >>order; exit\" TERM; \
             setsid sh -c \"trap true TERM; sleep 60; sleep 60\" & echo $! >{name}; echo up; \
             while :; do sleep .02; done'"
        )
    };
    let (a, b) = (service("a"), service("b"));
    let flags = ["--with", &a, "--ready", "line:up", "--with", &b, "--ready", "line:up", "--"];
    place.run(&[&flags[..], &["false"]].concat()).exits(1);
    assert_eq!(place.text("order"), "b\na\n");
    assert!(!is_alive(place.pid("a")) && !is_alive(place.pid("b")), "who ignores TERM is killed");
}

#[test]
fn services_are_ended_when_spile_is() {
    let place = Place::new();
    let service = "sh -c 'echo $$ >pid; echo up; exec sleep 60'";
    for program in [
        &["--with", service, "--ready", "line:up", "--", "sleep", "60"][..],
        &["--with", service, "--ready", "line:never", "--", "true"],
    ] {
        let _ = std::fs::remove_file(place.0.path().join("pid"));
        let running = place.start(program);
        wait_until("the service runs", || place.text("pid").ends_with('\n'));
        if program.contains(&"line:up") {
            wait_until("the program runs", || place.text("ev").contains("\"start\""));
        }
        running.signal("TERM");
        running.ends().exits(143);
        assert!(!is_alive(place.pid("pid")));
    }
}

#[test]
fn a_service_does_not_outlive_a_spile_that_is_killed() {
    let place = Place::new();
    let service = "sh -c 'echo $$ >pid; echo up; exec sleep 60'";
    let running = place.start(&["--with", service, "--ready", "line:up", "--", "sleep", "2"]);
    wait_until("the service runs", || place.text("ev").contains("\"start\""));
    running.signal("KILL");
    wait_until("the service ends", || !is_alive(place.pid("pid")));
    running.ends().dies_of(9);
}

#[test]
fn the_stdin_of_a_service_is_empty_and_its_output_is_shown_when_asked_for() {
    let place = Place::new();
    let service = "cat=sh -c 'readlink /proc/self/fd/0; cat; echo end; exec sleep 60'";
    let flags = ["--with", service, "--ready", "line:end"];
    let mut running = place.start(&[&flags[..], &["--show-services", "--", "cat"]].concat());
    running.write(b"for the program");
    let ended = running.eof().ends().exits(0).says("for the program");
    assert_eq!(ended.stderr, "cat| /dev/null\ncat| end\n");
    let ended = place.run(&[&flags[..], &["true"]].concat()).exits(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_sign_belongs_to_the_service_before_it() {
    let place = Place::new();
    place.run(&["--ready", "line:x", "--with", "sleep 60", "true"]).exits(125).complains("--ready");
    place.run(&["--ready", "line:x", "true"]).exits(125).complains("--with");
    place.run(&["--with", "", "true"]).exits(125).complains("empty command");
    place.run(&["--with", "sh -c 'x", "true"]).exits(125).complains("quote");
}
