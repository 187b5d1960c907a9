//! Live sessions become scripts, and the scripts hold the sessions again, from either side.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};

use crate::harness::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Answers each line with its length, ends after QUIT.
fn counting_server() -> u16 {
    server(|stream| {
        let _ = (&stream).write_all(b"220 hi\r\n");
        for line in BufReader::new(&stream).lines().map_while(Result::ok) {
            let answer = match line.as_str() {
                "QUIT" => "221 bye\r\n".to_owned(),
                line => format!("250-{}\r\n250 bytes\r\n", line.len()),
            };
            let _ = (&stream).write_all(answer.as_bytes());
            if line == "QUIT" {
                return;
            }
        }
    })
}

/// Sends back what comes, and says its end when that has ended.
fn echo_server() -> u16 {
    server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    })
}

fn at(port: u16) -> String {
    format!("tcp:127.0.0.1:{port}")
}

/// A script that is recorded.
struct Tape {
    shop: Workshop,
}

impl Tape {
    fn new() -> Tape {
        Tape { shop: Workshop::new() }
    }

    fn file(&self) -> String {
        self.shop.path("tape.chat").display().to_string()
    }

    /// The steps; what the first line tells is no step, and how long nobody spoke is not known before.
    fn steps(&self) -> String {
        let text = String::from_utf8(self.shop.read("tape.chat")).unwrap();
        let (head, steps) = text.split_once('\n').unwrap();
        assert!(head.starts_with("# "), "{head}");
        steps.split_inclusive('\n').filter(|line| !line.starts_with("# after ")).collect()
    }

    fn records(&self, addresses: &[&str]) -> Process {
        spile([&["chat", "--record", &self.file()], addresses].concat())
    }

    /// The session in which stdin says this; what it heard.
    fn of(&self, target: &str, said: &[u8]) -> Vec<u8> {
        let mut session = self.records(&[target]);
        session.write(said);
        session.eof().ends().exits(0).stdout
    }

    /// The script talks with the same peer.
    fn replays_with(&self, target: &str) {
        spile(["chat", target, &self.file()]).eof().ends().exits(0);
    }

    /// The script is the server of a client that says this, and hears that again.
    fn serves(&self, said: &[u8], heard: &[u8]) {
        let mut mock = spile(["chat", "listen:tcp:127.0.0.1:0", &self.file(), "--swap"]);
        let stream = connect(mock.port());
        assert!(talk(stream, said) == heard, "the client of {} hears something else", self.steps());
        mock.eof().ends().exits(0);
    }
}

/// Says all of this while it listens, then its end; what it heard.
fn talk(stream: TcpStream, said: &[u8]) -> Vec<u8> {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = (&stream).write_all(said);
            let _ = stream.shutdown(Shutdown::Write);
        });
        read_all(&stream)
    })
}

#[test]
fn a_session_is_a_script_that_reads_like_it() {
    let (tape, target) = (Tape::new(), at(counting_server()));
    let session =
        tape.records(&[&target]).gets("220 hi\r\n").sends("EHLO\r\n").gets("250-4\r\n250 bytes\r\n");
    session.sends("QUIT\r\n").ends().exits(0);
    let script = ".term \\r\\n\n= 220 hi\n.eol \\r\\n\n> EHLO\n= 250-4\n= 250 bytes\n> QUIT\n= 221 bye\n<$\n";
    assert_eq!(tape.steps(), script);
    assert_eq!(tape.shop.mode("tape.chat"), 0o600);
    tape.replays_with(&target);
    tape.serves(b"EHLO\r\nQUIT\r\n", b"220 hi\r\n250-4\r\n250 bytes\r\n221 bye\r\n");
}

#[test]
fn another_client_or_server_is_found_out() {
    let (tape, target) = (Tape::new(), at(counting_server()));
    tape.of(&target, b"abc\r\nQUIT\r\n");
    let other = at(server(|stream| {
        (&stream).write_all(b"220 ho\r\n").unwrap();
        let _ = std::io::copy(&mut &stream, &mut std::io::sink());
    }));
    spile(["chat", &other, &tape.file()]).eof().ends().exits(4).complains("= 220 hi: wanted");
    let mut mock = spile(["chat", "listen:tcp:127.0.0.1:0", &tape.file(), "--swap"]);
    talk(connect(mock.port()), b"abd\r\nQUIT\r\n");
    mock.eof().ends().exits(4).complains("= abc: wanted");
}

#[test]
fn whatever_bytes_there_are_they_are_said_again() {
    let target = at(echo_server());
    for said in [
        b"".to_vec(),
        b"no end of line".to_vec(),
        b"a\r\nb\nc\r\rd\r\n\r\n\n".to_vec(),
        b"\0\x01\xff\n\0\r\n".to_vec(),
        b"${x} \\n $${ # \n  two blanks  \n".to_vec(),
        noise(1, 1 << 20),
    ] {
        let tape = Tape::new();
        assert!(tape.of(&target, &said) == said);
        tape.replays_with(&target);
        tape.serves(&said, &said);
    }
}

#[test]
fn whatever_is_said_at_random_is_said_again() {
    let target = at(echo_server());
    let piece = prop::sample::select(vec!["a", "\n", "\r\n", "\r", "\0", "é", "${a}", "\\", " ", "\u{202e}"]);
    let texts = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes());
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&texts, |said| {
            let tape = Tape::new();
            assert_eq!(tape.of(&target, &said), said);
            tape.replays_with(&target);
            tape.serves(&said, &said);
            Ok(())
        })
        .unwrap();
}

#[test]
fn both_may_speak_at_the_same_time() {
    const LENGTH: usize = 300_000;
    let target = at(server(|stream| {
        std::thread::scope(|scope| {
            scope.spawn(|| (&stream).write_all(&noise(2, LENGTH)).unwrap());
            let mut all = vec![0; LENGTH];
            (&stream).read_exact(&mut all).unwrap();
        });
        let _ = (&stream).write_all(b"done\n");
    }));
    let (tape, said) = (Tape::new(), noise(3, LENGTH));
    let heard = tape.of(&target, &said);
    assert_eq!(heard.len(), LENGTH + 5);
    tape.replays_with(&target);
    tape.serves(&said, &heard);
}

#[test]
fn one_session_between_two_addresses_is_recorded() {
    let (tape, target) = (Tape::new(), at(counting_server()));
    let mut relay = tape.records(&["listen:tcp:127.0.0.1:0", &target]);
    let port = relay.port().to_string();
    let said = b"one\r\nthree\r\nQUIT\r\n";
    let client = program("socat", &["-", &format!("tcp:127.0.0.1:{port}")]).sends(said).eof().ends().exits(0);
    relay.ends().exits(0).says("");
    assert!(client.stdout.ends_with(b"221 bye\r\n"));
    assert!(tape.steps().contains("\n> one\n"), "{}", tape.steps());
    tape.replays_with(&target);
    tape.serves(said, &client.stdout);
}

#[test]
fn a_server_played_by_hand_is_recorded_as_its_own_script() {
    let tape = Tape::new();
    let mut by_hand = tape.records(&["listen:tcp:127.0.0.1:0"]);
    let port = by_hand.port();
    by_hand.write(b"name?\n");
    let stream = connect(port);
    let mut lines = BufReader::new(&stream).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "name?");
    (&stream).write_all(b"bob\n").unwrap();
    let by_hand = by_hand.gets("bob\n").sends("hi bob\n");
    assert_eq!(lines.next().unwrap().unwrap(), "hi bob");
    drop(lines);
    drop(stream);
    by_hand.ends().exits(0);
    let mut mock = spile(["chat", "listen:tcp:127.0.0.1:0", &tape.file()]);
    assert_eq!(talk(connect(mock.port()), b"bob\n"), b"name?\nhi bob\n");
    mock.eof().ends().exits(0);
}

#[test]
fn programs_and_datagrams_are_recorded_too() {
    let tape = Tape::new();
    assert_eq!(tape.of("run:tr a-z A-Z", b"one\ntwo"), b"ONE\nTWO");
    tape.replays_with("run:tr a-z A-Z");
    tape.serves(b"one\ntwo", b"ONE\nTWO");

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("udp:127.0.0.1:{}", socket.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let mut buffer = [0; 1000];
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(&[b"re: ", &buffer[..n]].concat(), from).unwrap();
        }
    });
    let tape = Tape::new();
    assert_eq!(tape.of(&target, b"a\nb\n"), b"re: a\nb\n");
    assert_eq!(tape.steps(), ">> a\\nb\\n\n<< re: a\\nb\\n\n");
    tape.replays_with(&target);
}

#[test]
fn a_recording_never_replaces_a_file_and_none_is_left_of_no_session() {
    let (tape, target) = (Tape::new(), at(echo_server()));
    let refused = format!("127.0.0.1:{}", free_port());
    tape.records(&[&refused]).eof().ends().exits(7);
    assert!(tape.shop.files().is_empty());
    tape.shop.write("tape.chat", "> mine\n");
    tape.records(&[&target]).eof().ends().exits(1).complains("File exists").complains("hint: ");
    assert_eq!(tape.shop.read("tape.chat"), b"> mine\n");
}

#[test]
fn a_session_that_is_ended_by_a_signal_leaves_what_was_said() {
    for (signal, is_cut) in [("KILL", true), ("TERM", false), ("INT", false)] {
        let (tape, target) = (Tape::new(), at(counting_server()));
        let session =
            tape.records(&[&target]).gets("220 hi\r\n").sends("x\r\n").gets("250-1\r\n250 bytes\r\n");
        // It is written before the next thing is read.
        session.signal(signal);
        let ended = session.ends();
        assert_eq!(ended.signal.is_some(), is_cut, "{ended:?}");
        assert_eq!(tape.steps(), ".term \\r\\n\n= 220 hi\n.eol \\r\\n\n> x\n= 250-1\n= 250 bytes\n");
        tape.replays_with(&target);
    }
}

#[test]
fn a_cut_is_told_in_the_script_and_by_the_status() {
    let tape = Tape::new();
    let target = at(server(|stream| {
        let _ = (&stream).write_all(b"wait");
        let _ = (&stream).read(&mut [0; 1]);
        reset_on_close(&stream);
    }));
    tape.records(&[&target]).gets("wait").sends("x").ends().exits(18).complains("reset");
    let steps = tape.steps();
    assert!(steps.starts_with("<< wait\n>> x\n# the peer: "), "{steps}");
    spile(["chat", "--check", &tape.file()]).eof().ends().exits(0);
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_session() {
    let (tape, port) = (Tape::new(), echo_server());
    let file = tape.file();
    let line = format!("trap '' XFSZ; ulimit -f 8; exec $SPILE chat --record {file} 127.0.0.1:{port}");
    let said: Vec<u8> = (0..2000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let ended = shell(&line).sends(&said).eof().ends().exits(1).complains("is not complete: File too large");
    assert!(ended.stdout == said);
    assert!((8000..=8192).contains(&tape.shop.read("tape.chat").len()));
    spile(["chat", "--check", &file]).eof().ends().exits(0);
}

#[test]
fn what_a_live_session_has_no_use_for_is_refused() {
    let target = "127.0.0.1:1";
    for words in [
        &[target, "--swap"][..],
        &[target, "-e", "> x"],
        &[target, "--eol", "x"],
        &["listen:0", target, "--clients", "2"],
        &["listen:0", "listen:0"],
        &[target, target, target],
        &["-"],
        &[target, "--port-file", "x"],
    ] {
        let tape = Tape::new();
        tape.records(words).eof().ends().exits(2);
        assert!(tape.shop.files().is_empty(), "{words:?}");
    }
}

#[test]
fn the_end_of_our_input_ends_a_program_on_a_terminal() {
    let tape = Tape::new();
    tape.records(&["pty:python3 -iq"]).sends("print(6*7)\n").eof().ends().exits(0);
    assert!(tape.steps().contains(".half-close\n"), "{}", tape.steps());
}
