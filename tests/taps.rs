//! Looking at what passes: --capture, --digest, --progress; and a mock server that answers with a file.

mod harness;

use std::io::Write;
use std::net::Shutdown;
use std::path::Path;

use harness::*;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Answers `reply` once the peer has said its end.
fn answering(reply: &'static [u8]) -> u16 {
    server(move |stream| {
        read_all(&stream);
        (&stream).write_all(reply).unwrap();
    })
}

fn sha256(bytes: &[u8]) -> String {
    let mut child = program("sha256sum", &[]);
    child.write(bytes);
    let line = String::from_utf8(child.eof().ends().stdout).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_capture_has_each_direction_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("in"), dir.path().join("out"));
    let port = answering(b"the answer").to_string();
    let files = format!("{},{}", text(&from), text(&to));
    spile(["connect", "--capture", &files, "127.0.0.1", &port])
        .sends("the question")
        .eof()
        .ends()
        .exits(0)
        .says("the answer");
    assert_eq!(std::fs::read(from).unwrap(), b"the answer");
    assert_eq!(std::fs::read(to).unwrap(), b"the question");
}

#[test]
fn bulk_that_would_be_spliced_is_captured_whole() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("{id}");
    let backend = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
        let _ = stream.shutdown(Shutdown::Write);
    });
    let right = format!("127.0.0.1:{backend}");
    let mut relay = spile(["relay", "--capture", text(&from), "tcp-l:127.0.0.1:0", &right]);
    let port = relay.port();
    for id in 1..=2_u64 {
        let bytes = noise(id, 8 << 20);
        let stream = connect(port);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (&stream).write_all(&bytes).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            });
            assert!(read_all(&stream) == bytes);
        });
        assert!(std::fs::read(dir.path().join(id.to_string())).unwrap() == bytes, "connection {id}");
    }
}

#[test]
fn one_file_for_many_connections_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all");
    for args in [vec!["relay", "tcp-l:0", "echo"], vec!["listen", "-k", "0"]] {
        spile([&args[..], &["--capture", text(&file)]].concat())
            .ends()
            .exits(2)
            .complains("would be written anew by each connection")
            .complains("{id}");
    }
    assert!(!file.exists());
}

#[test]
fn a_capture_on_a_full_disk_is_told_and_the_data_goes_on() {
    let port = answering(b"all the same").to_string();
    spile(["connect", "--capture", "/dev/full", "127.0.0.1", &port])
        .eof()
        .ends()
        .exits(1)
        .says("all the same")
        .complains("/dev/full: No space left on device");
}

#[test]
fn digests_are_those_of_sha256sum() {
    let port = answering(b"pong").to_string();
    let ended =
        spile(["connect", "--digest", "sha256", "--json", "127.0.0.1", &port]).sends("ping").eof().ends();
    let ended = ended.exits(0).says("pong");
    let report: serde_json::Value =
        ended.stderr.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap();
    assert_eq!(report["sent_sha256"], sha256(b"ping"), "{report}");
    assert_eq!(report["received_sha256"], sha256(b"pong"), "{report}");
    let plain = spile(["connect", "--digest", "sha256", "127.0.0.1", &port]).sends("ping").eof().ends();
    plain.complains(&sha256(b"ping")).complains(&sha256(b"pong"));
}

#[test]
fn progress_is_for_terminals_unless_it_is_asked_for() {
    let port = answering(b"x").to_string();
    let quiet = spile(["connect", "--progress", "127.0.0.1", &port]).sends("y").eof().ends().exits(0);
    assert_eq!(quiet.stderr, "");
    let told = spile(["connect", "--progress=always", "127.0.0.1", &port]).sends("y").eof().ends().exits(0);
    told.says("x").complains("1 B sent, 1 B received");
}

#[test]
fn a_mock_server_answers_once_it_was_asked_and_a_probe_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let (reply, request) = (dir.path().join("reply"), dir.path().join("request"));
    std::fs::write(&reply, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    let args = [
        "listen",
        "--once",
        "--ignore-empty",
        "--capture",
        text(&request),
        "--reply-file",
        text(&reply),
        "0",
    ];
    let mut mock = spile(args);
    let port = mock.port();
    drop(connect(port));
    let url = format!("http://127.0.0.1:{port}/path");
    program("curl", &["-sS", "-m", "10", &url]).ends().exits(0).says("ok");
    let ended = mock.eof().ends().exits(0);
    let asked = std::fs::read_to_string(request).unwrap();
    assert!(asked.starts_with("GET /path HTTP/1.1\r\n"), "{asked}");
    assert!(ended.stdout.starts_with(b"GET /path"), "{ended:?}");
}

#[test]
fn a_reply_file_that_is_missing_is_told_before_anybody_can_connect() {
    let ended = spile(["listen", "--reply-file", "/no/such/file", "0"]).ends().exits(1);
    assert!(!ended.stderr.contains("listening"), "{ended:?}");
    ended.complains("/no/such/file");
}

#[test]
fn a_command_is_told_of_its_connection_in_the_words_of_other_tools() {
    let names = "SOCAT_PEERADDR SOCAT_SOCKPORT NCAT_REMOTE_ADDR NCAT_PROTO TCPREMOTEIP TCPLOCALPORT";
    let script = format!("for name in {names}; do eval echo \\$$name; done");
    let mut listener = spile(["listen", "--compat-env", "127.0.0.1:0", "--", "sh", "-c", &script]);
    let port = listener.port();
    let told = String::from_utf8(read_all(&connect(port))).unwrap();
    assert_eq!(told, format!("127.0.0.1\n{port}\n127.0.0.1\nTCP\n127.0.0.1\n{port}\n"));
}

#[test]
fn letters_that_differ_between_ncs_are_refused_with_what_to_type() {
    for (letter, hint) in [
        ("-e", "-- CMD"),
        ("-c", "-- CMD"),
        ("-l", "spile listen"),
        ("-i", "--idle-timeout"),
        ("-t", "--raw"),
        ("-x", "--capture"),
    ] {
        spile(["connect", letter, "127.0.0.1", "9"]).ends().exits(2).complains(hint);
    }
}
