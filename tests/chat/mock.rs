//! Scripted conversations as a mock server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::*;

const MOVED: &str = ".eol \\r\\n\n~ ^GET\n> -MOVED 3999 127.0.0.1:6381\n<$\n";

/// A mock server on a free port, and that port.
fn mock(words: &[&str]) -> (Process, u16) {
    let mut mock = spile([&["chat", "listen:tcp:127.0.0.1:0"], words].concat());
    let port = mock.port();
    (mock, port)
}

fn speaks(port: u16, text: &str) -> Vec<u8> {
    let stream = connect(port);
    (&stream).write_all(text.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}

/// A mock server with a command, in a shell in which `$SPILE` is the binary under test.
fn mock_and_command(script: &str, words: &str, command: &str) -> Ended {
    let shop = Workshop::new();
    shop.write("s.chat", script);
    let script = shop.path("s.chat").display().to_string();
    shell(&format!("exec $SPILE chat listen:tcp:127.0.0.1:0 {script} {words} --then '{command}'"))
        .eof()
        .ends()
}

#[test]
fn a_client_is_tested_against_a_server_that_never_was() {
    let command = "echo GET x | $SPILE connect $SPILE_ADDR | grep -q MOVED && test $SPILE_PORT -gt 0";
    for words in ["", "--clients 1"] {
        mock_and_command(MOVED, words, command).exits(0);
    }
}

#[test]
fn a_client_on_this_machine_is_told_an_address() {
    let shop = Workshop::new();
    for target in ["listen:unix:u6.sock", "listen:unix:./u7.sock", "listen:seqpacket:u8.sock"] {
        let command = "spile connect $SPILE_ADDR </dev/null | grep -q hello";
        let line = format!("spile chat {target} -e '>> hello' -e .close --then '{command}'");
        shop.runs(&line).exits(0);
    }
}

#[test]
fn both_must_pass() {
    let ask = "echo GET x | $SPILE connect $SPILE_ADDR";
    mock_and_command(MOVED, "", &format!("{ask}; exit 9"))
        .exits(9)
        .complains("--then has failed: its status is 9");
    let ended = mock_and_command(MOVED, "", "echo PUT | $SPILE connect $SPILE_ADDR; exit 9").exits(4);
    assert!(ended.stderr.contains("s.chat:2: ~ ^GET: wanted"), "{}", ended.stderr);
    mock_and_command(MOVED, "", "true").exits(4).complains("no client came");
    mock_and_command(MOVED, "", "exit 3").exits(3).complains("no client came");
    mock_and_command(MOVED, "--clients 2", ask).exits(4).complains("1 of 2 clients came");
    mock_and_command(MOVED, "", &format!("{ask} && {ask}")).exits(0);
}

#[test]
fn the_nth_client_gets_the_nth_script() {
    let shop = Workshop::new();
    for name in ["one", "two"] {
        shop.write(name, format!("> {name}\n<$\n"));
    }
    let path = |name: &str| shop.path(name).display().to_string();
    let (one, two) = (path("one"), path("two"));
    let (server, port) = mock(&[&one, &two, "--clients", "3"]);
    let heard: Vec<_> = (0..3).map(|_| String::from_utf8(speaks(port, "")).unwrap()).collect();
    assert_eq!(heard, ["one\r\n", "two\r\n", "two\r\n"]);
    server.ends().exits(0);
    let (server, port) = mock(&[&one, &two]);
    assert_eq!([speaks(port, ""), speaks(port, "x")], [b"one\r\n", b"two\r\n"]);
    server.ends().exits(0);
}

#[test]
fn clients_take_turns_unless_they_may_come_at_once() {
    let words = ["-e", "> hello", "-e", "= bye", "--clients", "2"];
    let (server, port) = mock(&words);
    let (first, second) = (connect(port), connect(port));
    let hello = |mut stream: &TcpStream| {
        let mut heard = [0; 7];
        stream.read_exact(&mut heard).map(|()| heard)
    };
    hello(&first).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(hello(&second).is_err(), "the second one was served beside the first");
    (&first).write_all(b"bye\n").unwrap();
    drop(first);
    second.set_read_timeout(Some(DEADLINE)).unwrap();
    hello(&second).unwrap();
    (&second).write_all(b"bye\n").unwrap();
    drop(second);
    server.ends().exits(0);

    let (server, port) = mock(&[&words[..], &["--concurrent"]].concat());
    let (first, second) = (connect(port), connect(port));
    hello(&second).unwrap();
    hello(&first).unwrap();
    for mut stream in [first, second] {
        stream.write_all(b"bye\n").unwrap();
    }
    server.ends().exits(0);
}

#[test]
fn a_thousand_clients_at_once_all_pass() {
    let words = ["-e", "> hello", "-e", "~1 ^n(?<n>\\d+)$", "-e", "> bye ${n}", "-e", "<$"];
    let (server, port) = mock(&[&words[..], &["--clients", "1000", "--concurrent"]].concat());
    let streams: Vec<TcpStream> = (0..1000).map(|_| connect(port)).collect();
    for (n, mut stream) in streams.iter().enumerate() {
        stream.read_exact(&mut [0; 7]).unwrap();
        writeln!(stream, "n{n}").unwrap();
    }
    for (n, stream) in streams.iter().enumerate() {
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(String::from_utf8(read_all(stream)).unwrap(), format!("bye {n}\r\n"));
    }
    server.ends().exits(0);
}

#[test]
fn it_tells_where_it_listens() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let line = format!(
        "exec $SPILE chat --quiet tcp-l:127.0.0.1:0 -e '> hi' --port-file {} --ready-fd 3 3>{}",
        file.display(),
        dir.path().join("ready").display()
    );
    let server = shell(&line);
    wait_until("the port file", || file.exists());
    let port = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    wait_until("the ready descriptor", || {
        std::fs::read(dir.path().join("ready")).is_ok_and(|all| all == b"\n")
    });
    assert_eq!(speaks(port, ""), b"hi\r\n");
    assert_eq!(server.ends().exits(0).stderr, "");
}

#[test]
fn a_failure_names_the_client() {
    let (server, port) = mock(&["-e", "= a", "--clients", "2"]);
    speaks(port, "a\n");
    speaks(port, "b\n");
    server.ends().exits(4).complains("(client 2)");
}

#[test]
fn a_signal_ends_it_and_its_command() {
    let (server, _) = mock(&["-e", "= a"]);
    server.signal("TERM");
    server.ends().exits(143);
    let mut server = spile([
        "chat",
        "listen:0",
        "-e",
        "= a",
        "--grace",
        "200ms",
        "--then",
        "echo pid $$ >&2; exec sleep 60",
    ]);
    let pid: u32 = server.line("pid ").trim().parse().unwrap();
    server.signal("INT");
    server.ends().exits(130);
    wait_until("the command is gone", || !is_alive(pid));
}

#[test]
fn datagram_clients_are_served_to_their_end() {
    let mut server =
        spile(["chat", "listen:udp:127.0.0.1:0", "-e", "= a", "-e", ">> b", "-e", "= c", "-e", ">> d"]);
    let port = server.port();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let ask = |word: &str| {
        socket.send_to(word.as_bytes(), ("127.0.0.1", port)).unwrap();
        let mut buffer = [0; 10];
        let n = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    };
    assert_eq!((ask("a"), ask("c")), ("b".to_owned(), "d".to_owned()));
    server.ends().exits(0);
}

#[test]
fn a_command_that_hangs_is_ended() {
    let begun = Instant::now();
    // Nobody connects; or somebody does, and then goes on for ever.
    for (ask, status, told) in [
        ("", 124, "--deadline ran out"),
        ("echo GET x | $SPILE connect $SPILE_ADDR;", 124, "--deadline ran out"),
    ] {
        let command = format!("{ask} echo pid $$ >&2; trap \"\" TERM HUP; while :; do sleep 0.1; done");
        let ended = mock_and_command(MOVED, "-t 1s --grace 200ms", &command).exits(status);
        let pid: u32 =
            ended.stderr.lines().find_map(|line| line.strip_prefix("pid ")?.parse().ok()).expect("its pid");
        assert!(!is_alive(pid), "{}", ended.stderr);
        ended.complains("the command of --then does not end").complains(told);
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    // Its limit begins anew after each conversation.
    let ask = "echo GET x | $SPILE connect $SPILE_ADDR; sleep 0.7;";
    mock_and_command(MOVED, "-t 1500ms", &ask.repeat(4)).exits(0);
    let ended =
        mock_and_command("= a", "-t 1s --grace 200ms", "echo b | $SPILE connect $SPILE_ADDR; exec sleep 600");
    ended.exits(4).complains("the command of --then does not end");
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let (server, _) = mock(&["-e", "= a", "--accept-timeout", "300ms"]);
    server
        .ends()
        .exits(124)
        .complains("no client came: time limit --accept-timeout ran out")
        .complains("0 for ever");
    let (server, port) = mock(&["-e", "= a", "--clients", "2", "--accept-timeout", "2s"]);
    speaks(port, "a\n");
    server.ends().exits(124).complains("1 of 2 clients came: time limit --accept-timeout ran out");
    let (server, port) = mock(&["-e", "= a", "--accept-timeout", "0"]);
    speaks(port, "a\n");
    server.ends().exits(0);
    let (server, port) = mock(&["-e", "= a", "--clients", "2", "--accept-timeout", "300ms"]);
    speaks(port, "b\n");
    server.ends().exits(4);
}

#[test]
fn a_command_may_be_waited_for_as_a_client_is() {
    let ask = "sleep 0.3; echo GET x | $SPILE connect $SPILE_ADDR";
    mock_and_command(MOVED, "--accept-timeout 0 -t 20s", ask).exits(0);
    let ended = mock_and_command(MOVED, "--accept-timeout 300ms --grace 200ms", "exec sleep 600");
    ended.exits(124).complains("--accept-timeout ran out");
    let ended = mock_and_command(MOVED, "--accept-timeout 20s -t 300ms --grace 200ms", "exec sleep 600");
    ended.exits(124).complains("--deadline ran out");
}

#[test]
fn flags_change_sides_with_the_script() {
    let shop = Workshop::new();
    shop.write("s", "> a\n= b\n");
    let script = shop.path("s").display().to_string();
    let flags = ["--eol", ";", "--term", "!"];
    let (server, port) = mock(&[&[script.as_str(), "--swap"], &flags[..]].concat());
    let target = format!("127.0.0.1:{port}");
    spile([&["chat", &target, &script], &flags[..]].concat()).eof().ends().exits(0);
    server.ends().exits(0);
    let (server, port) = mock(&[&[script.as_str(), "--swap"], &flags[..]].concat());
    assert_eq!(speaks(port, "a;"), b"b!");
    server.ends().exits(0);
}
