//! Looking at what passes: --capture, --digest, --progress; and a mock server that answers with a file.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::*;

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

fn read_all_or_reset(mut stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

/// Says `request`, ends, and reads the answer to its end.
fn ask(port: u16, request: &[u8]) -> Vec<u8> {
    let stream = connect(port);
    (&stream).write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn echo_server() -> u16 {
    server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    })
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
fn a_client_captures_what_its_peer_said_and_what_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("in"), dir.path().join("out"));
    std::fs::write(&from, "of an earlier time").unwrap();
    let files = format!("{},{}", from.display(), to.display());
    let port = answering(b"the answer");
    spile(["connect", "-C", "--capture", &files, &format!("127.0.0.1:{port}")])
        .sends("a\nb\n")
        .eof()
        .ends()
        .exits(0)
        .says("the answer");
    assert_eq!(read(&from), b"the answer");
    assert_eq!(read(&to), b"a\r\nb\r\n", "what goes over the wire, not what was typed");
}

#[test]
fn a_capture_that_cannot_be_made_is_a_failure_and_one_that_fills_the_disk_loses_nothing_else() {
    let address = format!("127.0.0.1:{}", echo_server());
    spile(["connect", "--capture", "/no/such/dir/f", &address]).ends().exits(1).complains("/no/such/dir/f");
    spile(["connect", "--capture", "/dev/full", &address])
        .sends("hello")
        .eof()
        .ends()
        .exits(1)
        .says("hello")
        .complains("/dev/full: No space left on device");
}

#[test]
fn a_service_goes_on_when_a_capture_fails() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("{id}");
    std::os::unix::fs::symlink("/dev/full", dir.path().join("1")).unwrap();
    let mut relay = spile(["relay", "--capture", file.to_str().unwrap(), "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    for _ in 0..2 {
        assert_eq!(ask(port, b"abc"), b"abc");
    }
    assert!(relay.line("spile relay: [1] ").contains("No space left"));
    assert_eq!(read(&dir.path().join("2")), b"abc");
}

#[test]
fn a_command_that_reads_nothing_does_not_cut_the_capture_short() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("request");
    let script = "exec <&-; echo hi; sleep 0.2";
    let mut listener = spile(["listen", "--capture", file.to_str().unwrap(), "0", "--", "sh", "-c", script]);
    let request = noise(2, 500_000);
    assert_eq!(ask(listener.port(), &request), b"hi\n");
    listener.ends().exits(0);
    assert!(read(&file) == request, "{}", read(&file).len());
}

#[test]
fn a_reset_goes_through_a_tap() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in");
    let port = server(|stream| {
        (&stream).write_all(b"half").unwrap();
        (&stream).read_exact(&mut [0; 4]).unwrap();
        reset_on_close(&stream);
    });
    spile(["connect", "--capture", file.to_str().unwrap(), &format!("127.0.0.1:{port}")])
        .sends("done")
        .ends()
        .exits(18)
        .says("half");
    assert_eq!(read(&file), b"half");
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
fn a_digest_is_of_what_was_taken_and_not_of_what_was_offered() {
    let port = server(|stream| {
        let _ = (&stream).write_all(&noise(4, 100_000));
        let _ = read_all_or_reset(&stream);
    });
    let ended = spile(["connect", "--digest", "sha256", "--max-bytes", "1000", &format!("127.0.0.1:{port}")])
        .ends()
        .exits(0);
    let taken = &noise(4, 100_000)[..1000];
    assert!(ended.stdout == taken);
    ended.complains(&format!("received: {}", sha256(taken)));
}

#[test]
fn a_service_tells_the_digests_of_each_connection() {
    let mut relay = spile(["relay", "--digest", "sha256", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    for text in ["one", "two"] {
        assert_eq!(ask(port, text.as_bytes()), text.as_bytes());
    }
    for (id, text) in [(1, "one"), (2, "two")] {
        assert_eq!(relay.line(&format!("spile relay: [{id}] sha256 sent: ")), sha256(text.as_bytes()));
        assert_eq!(relay.line(&format!("spile relay: [{id}] sha256 received: ")), sha256(text.as_bytes()));
    }
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
fn progress_on_a_terminal_is_one_line_that_ends_with_the_totals() {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let address = format!("127.0.0.1:{}", answering(b"thanks"));
    let mut child = Command::new(SPILE)
        .args(["connect", "--progress", "--rate", "4000/s", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[b'x'; 3000]).unwrap();
    let mut shown = String::new();
    let mut master = std::fs::File::from(terminal.master);
    let mut buffer = [0; 4096];
    // EIO is the end of a terminal that nobody holds any more.
    while let Ok(n) = master.read(&mut buffer) {
        shown += std::str::from_utf8(&buffer[..n]).unwrap();
    }
    assert!(child.wait().unwrap().success());
    assert!(shown.matches("\r\x1b[Kspile connect: ").count() >= 2, "{shown:?}");
    assert!(shown.contains("2.9 KiB sent, 6 B received, ") && shown.ends_with('\n'), "{shown:?}");
    assert_eq!(shown.matches('\n').count(), 1, "{shown:?}");
}

#[test]
fn a_mock_server_waits_for_the_request_and_a_probe_does_not_use_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let (reply, request) = (dir.path().join("reply"), dir.path().join("request"));
    std::fs::write(&reply, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nhi\n").unwrap();
    let mut mock = spile([
        "listen",
        "--once",
        "--ignore-empty",
        "--capture",
        request.to_str().unwrap(),
        "--reply-file",
        reply.to_str().unwrap(),
        "--digest",
        "sha256",
        "0",
    ]);
    let port = mock.port();
    drop(connect(port));
    let silent = connect(port);
    silent.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let early = (&silent).read(&mut [0; 1]).unwrap_err();
    assert!(
        matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "an answer to nothing: {early}"
    );
    reset_on_close(&silent);
    drop(silent);
    assert_eq!(output_of("curl", &["-sS", &format!("http://127.0.0.1:{port}/x")]), "hi\n");
    let ended = mock.ends().exits(0);
    let request = read(&request);
    assert!(request.starts_with(b"GET /x HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&request));
    assert_eq!(ended.stdout, request);
    assert_eq!(
        ended.stderr.matches("sha256 received").count(),
        1,
        "a probe is not told of: {}",
        ended.stderr
    );
}

#[test]
fn a_mock_server_answers_everybody_also_who_only_ends() {
    let dir = tempfile::tempdir().unwrap();
    let reply = dir.path().join("reply");
    let answer = noise(5, 2_000_000);
    std::fs::write(&reply, &answer).unwrap();
    let mut mock = spile(["listen", "-k", "--reply-file", reply.to_str().unwrap(), "0"]);
    let port = mock.port();
    for request in [&b"first"[..], b"", b"third"] {
        assert!(ask(port, request) == answer, "{request:?}");
    }
    mock.signal("TERM");
    mock.ends().says("firstthird");
}

#[test]
fn a_mock_server_without_its_file_does_not_start() {
    let missing = spile(["listen", "--reply-file", "/no/such/file", "0"]).ends().exits(1);
    assert!(missing.stderr.starts_with("spile listen: cannot read /no/such/file"), "{}", missing.stderr);
    spile(["listen", "--reply-file", "/dev", "0"]).ends().exits(1).complains("no regular file");
    spile(["listen", "--reply-file", "/etc/passwd", "0", "--", "cat"]).ends().exits(2);
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
