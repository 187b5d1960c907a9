//! Scripted conversations as a client: what is said and heard, and what is told where it goes wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::harness::*;

/// A mail server that answers each line by the first word of it.
fn mail_server() -> u16 {
    server(|stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let say = |text: &str| (&stream).write_all(text.as_bytes());
        say("220 mail ready\r\n").unwrap();
        while let Some(Ok(line)) = lines.next() {
            let answer = match line.split(' ').next().unwrap() {
                "EHLO" => "250-mail\r\n250-SIZE 1000\r\n250 HELP\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "500 \x1b[2Jwhat\x07?\r\n",
            };
            if say(answer).is_err() || line == "QUIT" {
                return;
            }
        }
    })
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// A server that says this and then ends.
fn saying(text: &'static [u8]) -> String {
    at(server(move |mut stream| {
        let _ = stream.write_all(text);
    }))
}

/// Steps as flags.
fn steps<'a>(steps: &[&'a str]) -> Vec<&'a str> {
    steps.iter().flat_map(|step| ["-e", step]).collect()
}

fn chat<'a>(target: &'a str, words: &[&'a str]) -> Ended {
    spile([&["chat", target], words].concat()).eof().ends()
}

#[test]
fn a_mail_server_is_greeted() {
    let target = at(mail_server());
    let words = ["-e", "< 220", "-e", "> EHLO x", "-e", "~ ^250 ", "-e", "> QUIT", "-e", "< 221"];
    let ended = chat(&target, &words).exits(0);
    assert_eq!((ended.stderr.as_str(), ended.stdout.len()), ("", 0));
}

#[test]
fn what_was_wanted_and_what_came_is_told_in_one_line() {
    let target = at(mail_server());
    let shop = Workshop::new();
    shop.write("mail.chat", "< 220\n# a comment\n> NOOP\n< 250 ok\n");
    let path = shop.path("mail.chat").display().to_string();
    let ended = chat(&target, &[&path]).exits(4);
    let first = ended.stderr.lines().next().unwrap();
    let start = format!("spile chat: {path}:4: < 250 ok: wanted ");
    assert!(first.starts_with(&start), "{first}");
    assert!(first.ends_with(r#": got "500 \e[2Jwhat\x07?""#), "{first}");
    assert!(!ended.stderr.chars().any(|c| c.is_control() && c != '\n'), "{:?}", ended.stderr);
    assert!(ended.stderr.lines().skip(1).all(|line| line.starts_with("  ")), "{}", ended.stderr);
    assert!(ended.stderr.contains("hex: 35 30 30 20 1b 5b"), "{}", ended.stderr);
}

#[test]
fn each_kind_of_end_has_its_status() {
    let silent = at(server(|mut stream| drop(stream.read(&mut [0; 64]))));
    let reset = at(server(|stream| {
        let _ = (&stream).read(&mut [0; 1]);
        reset_on_close(&stream);
    }));
    let refused = format!("127.0.0.1:{}", free_port());
    for (target, words, status, told) in [
        (saying(b"hi\r\n"), steps(&["= hi", "<$"]), 0, ""),
        (saying(b"hi\r\n"), steps(&["= ho"]), 4, "-e:1: = ho"),
        (saying(b"hi\r\n"), steps(&["= hi", "= ho"]), 4, "the end"),
        (saying(b"hi\r\nERROR 7\r\n"), steps(&["! ^ERROR", "~ ^done"]), 4, "ERROR 7"),
        (saying(b"hi\r\nmore"), steps(&["= hi", ".rest-empty"]), 4, "more"),
        (saying(&[b'x'; 5000]), [&["--max-buffer", "1K"], &steps(&["= y"])[..]].concat(), 4, ""),
        (silent.clone(), steps(&[".timeout 100ms", "< hi"]), 124, "got nothing within 0.1"),
        (silent.clone(), [&["--step-timeout", "100ms"], &steps(&["< hi"])[..]].concat(), 124, "within 0.1"),
        (silent.clone(), [&["-t", "100ms"], &steps(&["< hi"])[..]].concat(), 124, "--deadline"),
        (silent, [&["-t", "100ms"], &steps(&[".sleep 1h"])[..]].concat(), 124, "--deadline"),
        (reset, steps(&[">> x", "< hi"]), 18, "reset"),
        (refused, steps(&["< hi"]), 7, "cannot connect"),
        (saying(b"hi\r\n"), steps(&["= hi", ".exit 9"]), 9, ""),
        (saying(b""), steps(&[">@ /no/such/file"]), 1, "/no/such/file"),
    ] {
        let ended = chat(&target, &words);
        assert_eq!(ended.status, status, "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(told), "'{told}' is not told of {words:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.is_empty(), told.is_empty() && status != 4, "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn all_mistakes_of_a_script_are_told_at_once() {
    let shop = Workshop::new();
    shop.write("bad.chat", "> ok\n~ (\n>> \\q\n.goto nowhere\n");
    let path = shop.path("bad.chat").display().to_string();
    for words in [&["127.0.0.1:1", path.as_str()][..], &["--check", &path], &["--check", "-e", "~ ("]] {
        let ended = spile([&["chat"], words].concat()).eof().ends().exits(2);
        let told = ended.stderr.lines().filter(|line| line.starts_with("spile chat: ")).count();
        assert_eq!(told, if words.contains(&"-e") { 1 } else { 3 }, "{}", ended.stderr);
    }
    let ended = spile(["chat", "--check", &path]).eof().ends();
    for line in 2..=4 {
        assert!(ended.stderr.contains(&format!("spile chat: {path}:{line}: ")), "{}", ended.stderr);
    }
    shop.write("binary.chat", b"\x7fELF\0\0\0");
    let binary = shop.path("binary.chat").display().to_string();
    spile(["chat", "--check", &binary]).eof().ends().exits(2).complains("binary.chat");
    spile(["chat", "--check", "/no/such.chat"]).eof().ends().exits(2).complains("No such file");
    spile(["chat", "127.0.0.1:1"]).eof().ends().exits(2).complains("-e STEP");
    spile(["chat", "127.0.0.1:1", "/dev/null"]).eof().ends().exits(2).complains("/dev/null has no steps");
    shop.write("good.chat", "> ok\n");
    let good = shop.path("good.chat").display().to_string();
    spile(["chat", "--check", &good]).eof().ends().exits(0);

    // All that is wrong with all of them.
    let ended = spile(["chat", "--check", "/no/1", &path, "/dev/null", "/no/2"]).eof().ends().exits(2);
    for told in ["script /no/1: No such", ":2: ", ":4: ", "/dev/null has no steps", "script /no/2: No such"] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
}

#[test]
fn a_target_may_stand_before_the_scripts_that_are_only_checked() {
    let shop = Workshop::new();
    shop.write("good.chat", "> ok\n");
    shop.write("exit.chat", ".exit\n");
    shop.write("a:1", "> ok\n");
    let check = |words: &str| shop.runs(&format!("spile chat --check {words}"));
    check("mail.invalid:25 good.chat").exits(0);
    check("run:no-such-program exit.chat").exits(0);
    check("a:1 good.chat").exits(0);
    check("mail.invalid:25 exit.chat").exits(2).complains("would exit as the program does");
    check("mail.invalid:25").exits(2).complains("a script is missing\nhint: a file, or -e STEP");
    check("--set 1a=v good.chat")
        .exits(2)
        .complains("hint: a name has letters, digits and _, and no digit first");
}

#[test]
fn several_scripts_are_several_conversations_and_the_first_bad_one_decides() {
    let target = at(mail_server());
    let shop = Workshop::new();
    for (name, text) in [("a", "< 220\n> QUIT\n"), ("b", "< 999\n"), ("c", "< 220\n.exit 7\n")] {
        shop.write(name, text);
    }
    let path = |name: &str| shop.path(name).display().to_string();
    let (a, b, c) = (path("a"), path("b"), path("c"));
    chat(&target, &[&a, &a, "-e", "< 221"]).exits(0);
    let ended = chat(&target, &[&a, &b, &c, &b]).exits(4);
    assert_eq!(ended.stderr.matches("wanted").count(), 2, "{}", ended.stderr);
    chat(&target, &[&a, &c, &b]).exits(7);
}

#[test]
fn a_script_comes_from_stdin_and_variables_from_outside() {
    let target = at(mail_server());
    let words = ["chat", &target, "-", "--set", "WHO=me $x", "--set", "CODE=22"];
    let script = "< ${CODE}0\n> EHLO ${WHO}\n~ ^250-(?<NAME>\\w+)\n~ ^250 \n> ${env:CHAT_TEST_WORD}\n< 221\n";
    let mut command = std::process::Command::new(SPILE);
    command.args(words).env("CHAT_TEST_WORD", "QUIT");
    start(command).sends(script).eof().ends().exits(0);
    spile(words).sends("< ${OTHER}\n").eof().ends().exits(2).complains("OTHER");
}

#[test]
fn the_transcript_shows_both_directions() {
    let target = at(mail_server());
    let words = [&["-v"], &steps(&["< 220", "> EHLO x", "~ ^250 ", "> BAD", "< 500"])[..]].concat();
    let ended = chat(&target, &words).exits(0);
    let has = |end: &str| ended.stderr.lines().any(|line| line.ends_with(end));
    for line in [" < 220 mail ready\\r\\n", " > EHLO x\\r\\n", " < 250 HELP\\r\\n"] {
        assert!(has(line), "'{line}' is not in: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains('\x1b'), "{:?}", ended.stderr);
    let words = [&["--log", "json"], &steps(&["< 220", "< 250"])[..]].concat();
    let ended = chat(&target, &[&words[..], &["--step-timeout", "50ms"]].concat()).exits(124);
    for line in ended.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    }
}

/// Says all of it before it listens.
fn floods(stream: &TcpStream, count: usize) {
    let (mut writer, mut reader) = (stream, stream);
    writer.write_all(&vec![b'z'; count]).unwrap();
    writer.write_all(b"\n").unwrap();
    let mut heard = vec![0; 8 << 20];
    reader.read_exact(&mut heard).unwrap();
    writer.write_all(b"done\n").unwrap();
}

#[test]
fn a_peer_that_speaks_first_and_long_does_not_hold_up_what_we_say() {
    let shop = Workshop::new();
    shop.write("big", vec![b'a'; 8 << 20]);
    let send = format!(">@ {}", shop.path("big").display());
    let target = at(server(|stream| floods(&stream, 20 << 20)));
    let flags = ["chat", &target, "--max-buffer", "32M", "--step-timeout", "1m"];
    let words = [&flags[..], &steps(&[&send, "~1 ^z+$", "= done"])].concat();
    // A debug build looks at so much for a while.
    spile(words).eof().ends_within(4 * DEADLINE).exits(0);
}

#[test]
fn a_peer_that_takes_nothing_is_a_time_limit() {
    let target = at(server(|stream| {
        let _ = (&stream).write_all(&vec![b'z'; 32 << 20]);
    }));
    let shop = Workshop::new();
    shop.write("big", vec![b'a'; 32 << 20]);
    let send = format!(">@ {}", shop.path("big").display());
    let words = [&["--step-timeout", "300ms"], &steps(&[&send])[..]].concat();
    chat(&target, &words).exits(124).complains("takes nothing");
}

#[test]
fn ends_are_said_as_the_script_says() {
    // What the peer makes of it.
    let (sender, heard) = std::sync::mpsc::channel();
    let target = at(server(move |mut stream| {
        let mut all = Vec::new();
        let result = stream.read_to_end(&mut all).map_err(|why| why.kind());
        sender.send((all, result.map(drop))).unwrap();
        let _ = stream.write_all(b"after\n");
    }));
    chat(&target, &steps(&["> one", ".half-close", "= after", "<$"])).exits(0);
    assert_eq!(heard.recv_timeout(DEADLINE).unwrap(), (b"one\r\n".to_vec(), Ok(())));
    chat(&target, &steps(&[">> two", ".close"])).exits(0);
    assert_eq!(heard.recv_timeout(DEADLINE).unwrap(), (b"two".to_vec(), Ok(())));
    chat(&target, &steps(&[".eol \\n", "> three", ".sleep 100ms", ".reset"])).exits(0);
    let (_, result) = heard.recv_timeout(DEADLINE).unwrap();
    assert_eq!(result, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_pace_is_kept() {
    let (sender, times) = std::sync::mpsc::channel();
    let target = at(server(move |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        sender.send((all, std::time::Instant::now())).unwrap();
    }));
    let begun = std::time::Instant::now();
    chat(&target, &steps(&[".pace 2/50ms", ">> 12345", ".pace none", ">> rest", ".close"])).exits(0);
    let (all, at) = times.recv_timeout(DEADLINE).unwrap();
    assert_eq!(all, b"12345rest");
    assert!(at - begun >= std::time::Duration::from_millis(100));
}

#[test]
fn datagrams_are_units() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("udp:{}", socket.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 100];
        let (n, peer) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"ping");
        socket.send_to(b"no end of line", peer).unwrap();
        socket.send_to(b"two\nlines", peer).unwrap();
    });
    chat(&target, &steps(&[">> ping", "= no end of line", "= two", "= lines"])).exits(0);
}

#[test]
fn flags_without_a_meaning_here_are_refused() {
    for (words, told) in [
        (&["--clients", "2"][..], "--clients"),
        (&["--then", "true"], "--then"),
        (&["--size", "80x24"], "--size"),
        (&["--echo"], "--echo"),
        (&["--cafile", "x"], "--cafile"),
        (&["--step-timeout", "0"], "without time"),
        (&["--eol", "\\q"], "\\q"),
    ] {
        chat("127.0.0.1:1", &[words, &["-e", "> x"]].concat()).exits(2).complains(told);
    }
    chat("127.0.0.1:1", &["-e", ".exit"]).exits(2).complains("is none");
    let both = spile(["chat", "-", "-"]).sends("> x\n").eof().ends();
    both.exits(2).complains("target and a script");
    chat("udp:127.0.0.1:1", &["-e", ".starttls"]).exits(2).complains(".starttls");
}
