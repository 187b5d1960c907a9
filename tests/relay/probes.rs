//! `wait` and `connect -z`: they look, change nothing, and tell what they saw.

use std::net::TcpListener;

use crate::harness::*;

fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn a_look_at_what_is_no_socket_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for scheme in ["file", "fifo", "exec:touch ", "sh:touch ", "pty,link="] {
        let path = dir.path().join("made").display().to_string();
        let address = match scheme {
            "file" | "fifo" => format!("{scheme}:{path}"),
            _ => format!("{scheme}{path}"),
        };
        for words in [&["wait", "-t", "1s", &address][..], &["connect", "-z", &address]] {
            spile(words).eof().ends().exits(2).complains("is nothing that answers\nhint: ");
            assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "{words:?}");
        }
    }
    spile(["wait", "echo!!127.0.0.1:1"]).eof().ends().exits(2).complains("'echo'");
}

#[test]
fn who_connects_but_says_nothing_is_told_apart_from_who_does_not_connect() {
    let (_listener, address) = silent();
    let ended = spile(["wait", "-t", "300ms", "--expect", "x", &address]).ends().exits(124);
    ended.complains(&format!("{address} does not say /x/: it is open but says nothing"));
    let ended = spile(["wait", "-t", "300ms", "--hold", "9s", &address]).ends().exits(124);
    ended.complains(&format!("{address} does not stay open: it is open, but not for 9s yet"));
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap();
    spile(["wait", "-t", "3s", &format!("udp:{port}")]).ends().exits(0);
    spile(["wait", "-t", "300ms", &format!("udp:{port}")]).ends().exits(124).complains("has 1s to refuse");
    drop(mute);
    spile(["wait", "-t", "300ms", &format!("udp:{port}")]).ends().exits(124).complains("refused");
}

#[test]
fn a_limit_of_nothing_is_one_try() {
    let closed = format!("127.0.0.1:{}", closed_port());
    let ended = spile(["wait", "-t", "0", &closed]).ends().exits(124);
    ended.complains("Connection refused (tried once, --timeout 0)\n");
}

#[test]
fn all_that_do_not_answer_are_listed() {
    let (_listener, open) = silent();
    let closed = [closed_port(), closed_port()].map(|port| format!("127.0.0.1:{port}"));
    let line = format!("2 of 3 addresses do not answer: {} {}\n", closed[0], closed[1]);
    spile(["connect", "-z", &closed[0], &open, &closed[1]]).ends().exits(7).complains(&line);
    spile(["wait", "-t", "200ms", &closed[0], &open, &closed[1]]).ends().exits(124).complains(&line);
    let many = spile(["connect", "-z", "-4", "127.0.0.1", "1-15"]).ends();
    assert!(many.stderr.contains("127.0.0.1:10 and 5 more"), "{many:?}");
    let ended = spile(["connect", "-zv", &closed[0], &open, &closed[1]]).ends().exits(7);
    assert_eq!(ended.stderr.lines().count(), 3, "{ended:?}");
    assert!(ended.stderr.contains(&format!("{open} open\n")), "{ended:?}");
}

#[test]
fn flags_of_a_session_are_refused_where_there_is_none() {
    for flag in ["-W1", "-q1", "--json", "--stats", "--deadline=1", "--send-only", "-C", "--grace=1"] {
        let ended = spile(["connect", "-z", flag, "127.0.0.1:1"]).ends().exits(2);
        ended.complains("'--zero' cannot be used with '-");
    }
    let (_listener, address) = silent();
    spile(["connect", "-z", "-d", "-N", "-w", "5", &address]).ends().exits(0); // what people give nc
}
