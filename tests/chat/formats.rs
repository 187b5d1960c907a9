//! Documents about scripted conversations: TAP as prove reads it, JUnit as CI servers do, JSON as Python does.

use std::io::{Read, Write};
use std::path::Path;

use crate::harness::*;
use crate::readers::{junit, python, tap};
use serde_json::{Value, json};

/// What a peer can say that would break a document in which it stands as it is.
const HOSTILE: &[u8] =
    b"]]></failure><x a=\"'&\">\0\x1b[2J\xff\xc2\x9b\xe2\x80\xae\xef\xbf\xbe # SKIP\xf3\xa0\x81\x81 \\ ...\r\n";

/// A server that says this, and reads to the end.
fn saying(text: &'static [u8]) -> String {
    let port = server(move |mut stream| {
        let _ = stream.write_all(text);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    format!("127.0.0.1:{port}")
}

fn chat(target: &str, words: &[&str]) -> Ended {
    spile([&["chat", target], words].concat()).eof().ends()
}

fn text(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

#[test]
fn prove_counts_the_conversations() {
    let target = saying(b"220 hi\r\n250 ok\r\n");
    let shop = Workshop::new();
    shop.write("good", "< 220\n> EHLO x\n< 250\n");
    shop.write("too", "~ ^250\n");
    shop.write("bad", "< 220\n< 999\n");
    let path = |name: &str| shop.path(name).display().to_string();
    let prove = |names: &[&str]| {
        let exec = format!("{SPILE} chat --format tap {target}");
        let paths: Vec<String> = names.iter().map(|name| path(name)).collect();
        let words = ["--exec", &exec].into_iter().chain(paths.iter().map(String::as_str));
        program("prove", &words.collect::<Vec<_>>()).eof().ends()
    };
    let ended = prove(&["good", "too"]).exits(0);
    assert!(text(&ended).contains("Files=2, Tests=2,"), "{}", text(&ended));
    assert!(text(&ended).contains("Result: PASS"), "{}", text(&ended));
    let ended = prove(&["good", "bad"]);
    assert_ne!(ended.status, 0);
    assert!(text(&ended).contains("Failed test:  1"), "{}", text(&ended));
    assert!(
        text(&ended).contains("Result: FAIL") && !text(&ended).contains("Parse errors"),
        "{}",
        text(&ended)
    );
    assert!(ended.stderr.contains(":2: < 999: wanted"), "{}", ended.stderr);
}

#[test]
fn tap_has_a_point_for_each_conversation_and_says_what_is_wrong() {
    let target = saying(HOSTILE);
    let shop = Workshop::new();
    shop.write("good", "< ]]>\n");
    shop.write("bad # SKIP me", "= all\n");
    let path = |name: &str| shop.path(name).display().to_string();
    let (good, bad) = (path("good"), path("bad # SKIP me"));
    let ended = chat(&target, &["--format", "tap", &good, &bad, &good]).exits(4);
    let read = tap(&ended.stdout);
    assert_eq!((&read["errors"], &read["bail"], &read["plan"]), (&json!([]), &Value::Null, &json!("1..3")));
    let points = read["points"].as_array().unwrap();
    let verdicts: Vec<i64> = points.iter().map(|point| point[0].as_i64().unwrap()).collect();
    assert_eq!(verdicts, [1, 0, 1], "{}", text(&ended));
    assert!(points.iter().all(|point| point[2] == ""), "a script's name is no directive: {points:?}");
    let [complaint] = &read["yaml"].as_array().unwrap()[..] else { panic!("{read}") };
    let start = format!("{bad}:1: = all: wanted the line \"all\": got \"]]></failure>");
    assert!(complaint["message"].as_str().unwrap().starts_with(&start), "{complaint}");
    assert!(complaint["facts"].as_str().unwrap().contains("hex: 5d 5d 3e"), "{complaint}");
    assert_eq!(complaint["result"], "mismatch");
    assert!(text(&ended).contains("\n    not ok 1 - 1: = all\n    1..1\nnot ok 2 - "), "{}", text(&ended));
    assert!(!text(&ended).chars().any(|c| c.is_control() && c != '\n'), "{}", text(&ended));
}

#[test]
fn a_conversation_that_was_interrupted_is_no_success() {
    let target = saying(b"hi\r\n");
    for (form, told) in [("tap", "Bail out!"), ("junit", "it was interrupted"), ("json", "interrupted")] {
        let mut process =
            spile(["chat", "-v", &target, "--format", form, "-e", "= hi", "-e", ".timeout 1h", "-e", "= ho"]);
        process.line_with("# -e:1: = hi: ok");
        process.signal("INT");
        let ended = process.eof().ends().exits(130);
        assert!(text(&ended).contains(told), "{form}: {}", text(&ended));
        match form {
            "tap" => {
                let read = tap(&ended.stdout);
                assert_eq!((&read["points"][0][0], &read["bail"]), (&json!(0), &json!("interrupted")));
                let shop = Workshop::new();
                shop.write("document", &ended.stdout);
                let words = ["--exec", "cat", &shop.path("document").display().to_string()];
                let proved = program("prove", &words).eof().ends();
                assert_ne!(proved.status, 0);
                assert!(text(&proved).contains("Bailout called"), "{}", text(&proved));
                assert!(!text(&proved).contains("Parse errors"), "{}", text(&proved));
            }
            "junit" => assert_eq!(junit(&ended.stdout)[0]["cases"][1][1], json!(["error"])),
            _ => {
                let read = python(&ended.stdout);
                assert_eq!((&read["result"], &read["exit"]), (&json!("interrupted"), &json!(130)));
                let conversation = &read["conversations"][0];
                assert_eq!(
                    (&conversation["result"], &conversation["exit"]),
                    (&json!("interrupted"), &Value::Null)
                );
                assert_eq!(conversation["steps"].as_array().unwrap().len(), 2);
            }
        }
    }
}

#[test]
fn junit_holds_whatever_a_peer_says() {
    let target = saying(HOSTILE);
    let ended = chat(
        &target,
        &["--format", "junit", "-e", "~ fail", "-e", "> <&\"'>", "-e", ".timeout 200ms", "-e", "<$"],
    );
    let read = junit(&ended.exits(124).stdout);
    let ended = chat(&target, &["--format", "junit", "--step-timeout", "1h", "-e", "~1 ^<ok>$"]).exits(4);
    let read = [read, junit(&ended.stdout)];
    assert_eq!(read[0][0]["cases"][0], json!(["1: ~ fail", [], []]));
    assert_eq!(read[0][0]["cases"][1][1], json!(["failure"]));
    let case = &read[1][0]["cases"][0];
    assert_eq!((&case[0], &case[1]), (&json!("1: ~1 ^<ok>$"), &json!(["failure"])));
    let told = case[2][0].as_str().unwrap();
    assert!(told.contains(r#"got "]]></failure><x a=\"'&\">\0\e[2J\xff"#), "{told}");
    assert!(!text(&ended).chars().any(|c| c.is_control() && c != '\n'), "{}", text(&ended));
}

#[test]
fn what_is_no_expectation_is_an_error() {
    let refused = format!("127.0.0.1:{}", free_port());
    let read = junit(&chat(&refused, &["--format", "junit", "-e", "= x"]).exits(7).stdout);
    assert_eq!(read[0]["cases"][0][0], "the connection");
    assert_eq!(read[0]["cases"][0][1], json!(["error"]));
    let read = python(&chat(&refused, &["--format", "json", "-e", "= x"]).exits(7).stdout);
    assert_eq!(read["conversations"][0]["result"], "connect-failed");
    assert_eq!((&read["result"], &read["exit"], &read["checks"]), (&json!("fail"), &json!(7), &json!([])));
    let read = tap(&chat(&refused, &["--format", "tap", "-e", "= x"]).exits(7).stdout);
    assert_eq!((&read["points"][0][0], &read["errors"]), (&json!(0), &json!([])));

    let target = saying(b"");
    let read = junit(&chat(&target, &["--format", "junit", "-e", ">@ /no/file"]).exits(1).stdout);
    assert_eq!(read[0]["cases"][0][0], "1: >@ /no/file");
    assert_eq!(read[0]["cases"][0][1], json!(["error"]));
    // A script that says itself that it has failed.
    let read = junit(&chat(&target, &["--format", "junit", "-e", "> x", "-e", ".exit 9"]).exits(9).stdout);
    assert_eq!(read[0]["cases"][0][0], "the whole conversation");
    assert_eq!(read[0]["cases"][0][1], json!(["failure"]));
    let read = junit(&chat(&target, &["--format", "junit", "-e", "> x"]).exits(0).stdout);
    assert_eq!(read[0]["cases"], json!([["the whole conversation", [], []]]));
}

#[test]
fn json_tells_every_step() {
    let target = saying(b"250 ok 7\r\nraw\xff\r\nrest");
    let words = [
        "--format",
        "json",
        "-e",
        "~ ^250 (?<word>\\S+) (?<n>\\d)",
        "-e",
        "> x${n}",
        "-e",
        "<# 4 raw",
        "-e",
        "= no",
    ];
    let ended = chat(&target, &words).exits(4);
    let read = python(&ended.stdout);
    assert_eq!((&read["schema"], &read["kind"]), (&json!("spile.chat/1"), &json!("chat")));
    assert_eq!((&read["result"], &read["exit"]), (&json!("fail"), &json!(4)));
    assert!(read["target"].as_str().unwrap().contains(&target), "{read}");
    let conversation = &read["conversations"][0];
    for (key, value) in [
        ("script", json!("-e")),
        ("result", json!("mismatch")),
        ("exit", json!(4)),
        ("failed_step", json!(4)),
        ("sent", json!(4)),
        ("received", json!(20)),
        ("steps_left_out", json!(0)),
        ("child", Value::Null),
        ("id", Value::Null),
    ] {
        assert_eq!(conversation[key], value, "{key}: {conversation}");
    }
    let steps = conversation["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    let first = &steps[0];
    assert_eq!((&first["n"], &first["line"], &first["op"]), (&json!(1), &json!(1), &json!("~")));
    assert_eq!((&first["ok"], &first["got"]), (&json!(true), &json!("250 ok 7")));
    assert_eq!(first["want"], "^250 (?<word>\\S+) (?<n>\\d)");
    assert_eq!(first["captures"], json!({"word": "ok", "n": "7"}));
    assert!(first["at"].as_f64().unwrap() >= first["wait"].as_f64().unwrap());
    assert_eq!((&steps[2]["got"], &steps[2]["got_b64"]), (&json!("raw\u{fffd}"), &json!("cmF3/w==")));
    assert_eq!(steps[2]["captures"], json!({"raw": "raw\u{fffd}", "raw_b64": "cmF3/w=="}));
    assert_eq!((&steps[3]["ok"], &steps[3]["op"]), (&json!(false), &json!("=")));
    assert_eq!(conversation["trouble"]["wanted"], "the line \"no\"");
    assert_eq!(conversation["unread"]["text"], "\r\nrest");
}

#[test]
fn json_is_safe_to_look_at_and_loses_nothing() {
    let target = saying(HOSTILE);
    let ended =
        chat(&target, &["--format", "json", "-e", "<# 30 a", "-e", "~ SKIP", "-e", ".reset"]).exits(0);
    let hidden = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{e0041}');
    assert!(!text(&ended).chars().any(hidden), "{}", text(&ended));
    let read = python(&ended.stdout);
    let got = read["conversations"][0]["steps"][1]["got"].as_str().unwrap().to_owned();
    assert!(got.contains('\u{202e}') && got.contains('\u{e0041}') && got.contains('\u{fffe}'), "{got:?}");
}

#[test]
fn a_long_conversation_is_told_by_its_beginning_and_its_end() {
    let target = saying(b"hi\r\n");
    let steps = ["-e", ".loop 3000", "-e", ">> x", "-e", ".end", "-e", "= ho"];
    let read = python(&chat(&target, &[&["--format", "json"], &steps[..]].concat()).exits(4).stdout);
    let conversation = &read["conversations"][0];
    assert_eq!((&conversation["steps_left_out"], &conversation["failed_step"]), (&json!(2001), &json!(3001)));
    assert_eq!(conversation["steps"].as_array().unwrap().len(), 1000);
    assert_eq!(conversation["sent"], 3000);
}

#[test]
fn all_conversations_are_in_one_document_and_a_file_takes_it() {
    let target = saying(b"hi\r\n");
    let shop = Workshop::new();
    shop.write("a", "= hi\n");
    shop.write("b", "= ho\n");
    let path = |name: &str| shop.path(name).display().to_string();
    let (a, b, out) = (path("a"), path("b"), path("out"));
    let ended = chat(&target, &["--report", &out, &a, &b, &a]).exits(4);
    assert_eq!(ended.stdout, b"");
    let read = python(&shop.read("out"));
    let results: Vec<&Value> =
        read["conversations"].as_array().unwrap().iter().map(|one| &one["result"]).collect();
    assert_eq!(results, ["pass", "mismatch", "pass"]);
    assert_eq!(read["conversations"][1]["script"], b);
    chat(&target, &["--report", &out, "--format", "junit", &a]).exits(0);
    assert_eq!(junit(&shop.read("out"))[0]["name"], a);
    // Beside the conversation on stdin and stdout, a file is the place for it.
    spile(["chat", "-", "--report", &out, "-e", "= x"]).sends("x\n").eof().ends().exits(0).says("");
    assert_eq!(python(&shop.read("out"))["result"], "pass");
}

#[test]
fn a_mock_server_and_its_command_are_in_the_document() {
    let shop = Workshop::new();
    shop.write("s", "= a\n> b\n");
    let line = |format: &str, command: &str| {
        let script = shop.path("s").display().to_string();
        let line = format!("exec $SPILE chat listen:0 {script} --format {format} --then '{command}'");
        shell(&line).eof().ends()
    };
    let ask = |word: &str| format!("echo {word} | $SPILE connect $SPILE_ADDR");
    // What the command prints does not stand in the document.
    let ended = line("json", &format!("{}; {}", ask("a"), ask("a"))).exits(0);
    assert_eq!(ended.stderr.matches("b\r\n").count(), 2, "{ended:?}");
    let read = python(&ended.stdout);
    assert_eq!(read["conversations"].as_array().unwrap().len(), 2);
    assert_eq!((&read["conversations"][1]["id"], &read["checks"][0]["ok"]), (&json!(2), &json!(true)));
    let ended = line("tap", &format!("{}; exit 3", ask("a"))).exits(3);
    let verdicts = |ended: &Ended| -> Vec<i64> {
        let read = tap(&ended.stdout);
        assert_eq!(read["errors"], json!([]));
        read["points"].as_array().unwrap().iter().map(|point| point[0].as_i64().unwrap()).collect()
    };
    assert_eq!(verdicts(&ended), [1, 0]);
    assert_eq!(verdicts(&line("tap", &ask("z")).exits(4)), [0, 1]);
    assert_eq!(verdicts(&line("tap", "true").exits(4)), [1, 0], "no client came");
    let read = junit(&line("junit", "exit 3").exits(3).stdout);
    assert_eq!(read[0]["cases"].as_array().unwrap().len(), 2);
}

#[test]
fn conversations_that_a_stopped_mock_server_holds_are_in_the_document() {
    for form in ["tap", "json"] {
        let words = ["chat", "listen:tcp:127.0.0.1:0", "-e", "> hi", "-e", "= a", "--format", form];
        let mut server = spile([&words[..], &["--clients", "2", "--grace", "100ms"]].concat());
        let stream = connect(server.port());
        (&stream).read_exact(&mut [0; 4]).unwrap();
        server.signal("TERM");
        let ended = server.ends().exits(143);
        match form {
            "tap" => assert_eq!(tap(&ended.stdout)["points"][0][0], 0, "{}", text(&ended)),
            _ => assert_eq!(python(&ended.stdout)["conversations"][0]["result"], "interrupted"),
        }
    }
    // Nobody came before the signal: no success either.
    let mut server = spile(["chat", "listen:tcp:127.0.0.1:0", "-e", "> hi", "--format", "junit"]);
    server.port();
    server.signal("TERM");
    let read = junit(&server.ends().exits(143).stdout);
    let case = &read[0]["cases"][0];
    assert_eq!((&case[0], &case[1]), (&json!("all of it"), &json!(["failure"])));
}

#[test]
fn a_document_that_cannot_be_written_is_a_failure() {
    let target = saying(b"hi\r\n");
    chat(&target, &["--report", "/no/such/dir/x", "-e", "= hi"]).exits(1).complains("/no/such/dir/x");
    chat(&target, &["--report", "/dev/full", "-e", "= hi"]).exits(1).complains("No space left");
    let shop = Workshop::new();
    let out = shop.path("out").display().to_string();
    for (step, status) in [("= hi", 1), ("= ho", 4)] {
        let line = format!(
            "ulimit -f 1; trap '' XFSZ; exec $SPILE chat {target} -e '.loop 20' -e '.sleep 0' -e .end -e '{step}' --report {out}"
        );
        shell(&line).eof().ends().exits(status).complains("File too large");
    }
    shell(&format!("$SPILE chat {target} -e '= hi' --format json >&-")).eof().ends().exits(1);
    chat("-", &["--format", "tap", "-e", "= hi"]).exits(2).complains("--report FILE");
    chat(&target, &["--format", "text", "--report", "x", "-e", "= hi"]).exits(2).complains("--format tap");
    assert!(!Path::new("x").exists());
    let ended = chat(&target, &["--format", "text", "-e", "= hi"]).exits(0);
    assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (0, ""));
}

#[test]
fn steps_stand_between_what_was_said_and_heard() {
    let target = saying(b"hi\r\n");
    let ended = chat(&target, &["-v", "-e", "= hi", "-e", "> yo", "-e", ".timeout 50ms", "-e", "< \\x1b"]);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let place = |part: &str| {
        lines
            .iter()
            .position(|line| line.contains(part))
            .unwrap_or_else(|| panic!("no '{part}' in {lines:#?}"))
    };
    let order = [
        "< hi\\r\\n",
        "# -e:1: = hi: ok, 0.",
        "> yo\\r\\n",
        "# -e:2: > yo: ok",
        "# -e:4: < \\x1b: failed, 0.0",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{places:?} in {lines:#?}");
}
