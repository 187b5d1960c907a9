//! How failures read, to people and to programs.

use crate::harness::*;

/// Words that cannot be understood, and the line that is said about them.
const SENTENCES: &[(&[&str], &str)] = &[
    (&["connect", "localhost", "99999"], "address 'localhost 99999': '99999' is no port"),
    (&["connect", "h:99999"], "address 'h:99999': port 99999 is not within 0 to 65535"),
    (&["connect", "h:"], "address 'h:': the port is missing"),
    (&["connect", "h:1,retry=x"], "option 'retry': 'x' is neither a number of tries nor 'forever'"),
    (&["connect", "h:1,retry"], "option 'retry': a value is missing: retry=N"),
    (&["connect", "h:1,"], "options of tcp: a comma has no option after it"),
    (&["connect", "h:1,retri=1"], "option 'retri' is unknown"),
    (&["relay", "[::1:80", "-"], "address '[::1:80': an opening [ without a closing one"),
    (&["relay", "exec-l:x", "-"], "address 'exec-l:x': exec cannot listen"),
    (&["relay", "ftp-l:0", "-"], "scheme 'ftp' is unknown in 'ftp-l:0'"),
    (&["relay", "tcp:h:0", "-"], "address 'tcp:h:0': port 0 can only be listened on"),
    (&["relay", "null", "file:Cargo.toml"], "cannot write Cargo.toml: it has content already"),
    (
        &["relay", "--port-file", "p", "unix-l:@spile-port-file", "-"],
        "--port-file p: the address has no port",
    ),
    (
        &["connect", "--raw", "--escape", "^^^", "127.0.0.1:1"],
        "invalid value '^^^' for '--escape <KEY>': '^^^' is no key; for example ^] or 0x1d",
    ),
    (&["relay", "-u", "text:x", "null"], "flag -u is not for text:x or null"),
    (
        &["connect", "--connect-timeout", "1x", "h:1"],
        "invalid value '1x' for '--connect-timeout': '1x' is no duration; for example 500ms, 5s, 2m, 1h",
    ),
];

#[test]
fn words_that_cannot_be_understood_are_answered_in_sentences() {
    for (args, line) in SENTENCES {
        let ended = spile(*args).eof().ends().exits(2);
        assert_eq!(ended.stderr.lines().next(), Some(&format!("spile {}: {line}", args[0])[..]), "{args:?}");
    }
}

#[test]
fn who_asks_a_relay_for_one_way_as_in_socat_is_told_the_flag() {
    spile(["relay", "-u", "text:x", "null"])
        .ends()
        .exits(2)
        .complains("hint: one way (socat's -u) is --send-only");
    let connect = spile(["connect", "-u", "vsock:1:2"]).ends().exits(2);
    assert!(!connect.stderr.contains("socat"), "{connect:?}");
}

#[test]
fn what_cannot_be_printed_is_a_failure_and_a_closed_pipe_is_not_told() {
    for words in ["--version", "--help", "connect --help", "connect --explain h:1", "wait --explain h:1"] {
        let ended = shell(&format!("$SPILE {words} >/dev/full")).ends().exits(1);
        assert!(ended.stderr.ends_with("cannot write stdout: No space left on device\n"), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        let closed = shell(&format!("$SPILE {words} | true")).ends().exits(0);
        assert_eq!(closed.stderr, "");
    }
}

#[test]
fn an_empty_host_is_no_way_to_say_this_machine() {
    for words in [&["connect", "", "80"][..], &["connect", "-z", "", "80"], &["wait", "", "80"]] {
        spile(words).eof().ends().exits(2).complains("the host is empty").complains("hint: ");
    }
    spile(["connect", "--explain", ":80"]).ends().exits(0);
    spile(["listen", "--explain", "", "80"]).ends().exits(0);
}

#[test]
fn a_path_that_is_no_socket_is_told_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (file, socket) = (dir.path().join("file"), dir.path().join("socket"));
    std::fs::write(&file, "").unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    for (address, hint) in [
        (dir.path().to_str().unwrap(), "hint: it is a directory"),
        (file.to_str().unwrap(), "hint: it is no socket"),
        (socket.to_str().unwrap(), "hint: the socket is there, but nobody listens on it"),
        ("@spile-nothing", "hint: no socket has that abstract name"),
    ] {
        spile(["connect", address]).eof().ends().exits(7).complains(hint);
    }
}

fn objects(words: &[&str], status: i32) -> Vec<serde_json::Value> {
    let ended = spile(words).eof().ends().exits(status);
    ended.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_log_in_json_has_the_failure_as_its_last_event() {
    let closed = format!("127.0.0.1:{}", closed_port());
    let why = format!("cannot connect to {closed}: Connection refused");
    let connect = objects(&["connect", "--log", "json", &closed], 7);
    let wanted = serde_json::json!({"event": "failed", "why": why, "hint": null, "status": 7});
    assert_eq!(connect, [wanted]);
    let wait = objects(&["wait", "-t", "0", "--log", "json", &closed], 124);
    assert_eq!((&wait[0]["event"], &wait[0]["address"]), (&"unreachable".into(), &closed.clone().into()));
    assert_eq!((&wait[1]["event"], &wait[1]["status"]), (&"failed".into(), &124.into()));
    let look = objects(&["connect", "-z", "--log", "json", &closed, &closed], 7);
    assert_eq!((look.len(), &look[1]["why"]), (2, &why.into()));
    let usage = objects(&["relay", "--log", "json", "null", "echo", "x"], 2);
    assert!(usage[0]["hint"].is_string(), "{usage:?}");
}

#[test]
fn a_session_that_could_not_begin_has_its_object_as_well() {
    let closed = format!("127.0.0.1:{}", closed_port());
    for words in [
        &["connect", "--json", &closed][..],
        &["connect", "--stats=json", &closed],
        &["relay", "--json", "null", &closed],
    ] {
        let ended = spile(words).eof().ends().exits(7);
        let (object, text) = ended.stderr.split_once('\n').unwrap();
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        assert_eq!(object["schema"], "spile.session/1");
        assert_eq!((&object["outcome"], &object["sent"]), (&"failed".into(), &0.into()));
        assert!(object["detail"].as_str().unwrap().contains("refused"), "{object}");
        assert!(text.starts_with(&format!("spile {}: cannot connect", words[0])), "{text}");
    }
    let mut relay = spile(["relay", "--once", "--json", "tcp-l:127.0.0.1:0", &closed]);
    let client = connect(relay.port());
    drop(client);
    relay.ends().exits(7).complains("\"outcome\":\"failed\"");
}
