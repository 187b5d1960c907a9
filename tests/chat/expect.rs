//! expect and chat beside each other: the same conversations with the same programs, and what expect gets wrong.

use std::process::Command;

use crate::harness::*;

const TALKERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/talkers.sh");
const CONVERSATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conversations");

/// Status of a program that ends without its last words.
const FAULT: i32 = 9;

/// A conversation of tests/conversations, by `expect` or by `chat`, with a program of `talkers.sh` on a terminal.
struct Conversation {
    /// The name of its files, and of the program.
    name: &'static str,
    /// Which of the program's ways.
    how: &'static str,
    /// What comes of it.
    status: i32,
    /// What comes of it where the program has no last words.
    status_of_fault: i32,
}

const fn conversation(name: &'static str) -> Conversation {
    Conversation { name, how: "", status: 0, status_of_fault: 4 }
}

const ALL: &[Conversation] = &[
    conversation("login"),
    conversation("menu"),
    conversation("interpreter"),
    conversation("passphrase"),
    conversation("editor"),
    conversation("slowly"),
    conversation("listing"),
    Conversation { how: "old", ..conversation("question") },
    Conversation { how: "new", ..conversation("question") },
    conversation("ticket"),
    Conversation { status: 3, status_of_fault: FAULT, ..conversation("ending") },
];

impl Conversation {
    /// How it ended by `expect`, and what the program was told.
    fn by_expect(&self) -> (Ended, String) {
        let script = format!("{CONVERSATIONS}/{}.exp", self.name);
        let mut command = Command::new("expect");
        command.args([&script, self.name]).args(self.ways());
        hold(command)
    }

    /// The same by `chat`.
    fn by_chat(&self, fault: &str) -> (Ended, String) {
        let words: Vec<&str> = ["sh", TALKERS, self.name].into_iter().chain(self.ways()).collect();
        let script = format!("{CONVERSATIONS}/{}.chat", self.name);
        let mut command = Command::new(SPILE);
        command.args(["chat", &format!("pty:{}", words.join(" ")), &script]).env("FAULT", fault);
        hold(command)
    }

    fn ways(&self) -> Option<&'static str> {
        Some(self.how).filter(|how| !how.is_empty())
    }
}

fn hold(mut command: Command) -> (Ended, String) {
    let shop = Workshop::new();
    command.env("TALKERS", TALKERS).env("DIARY", shop.path("diary")).env("TERM", "dumb");
    let ended = start(command).eof().ends();
    (ended, std::fs::read_to_string(shop.path("diary")).unwrap_or_default())
}

#[test]
fn ten_conversations_go_as_they_do_with_expect() {
    for conversation in ALL {
        let (by_expect, told) = conversation.by_expect();
        by_expect.exits(conversation.status);
        let (by_chat, told_by_chat) = conversation.by_chat("");
        assert_eq!(by_chat.exits(conversation.status).stderr, "", "{}", conversation.name);
        assert!(
            !told.is_empty() && told == told_by_chat,
            "{}: {told:?}, {told_by_chat:?}",
            conversation.name
        );
    }
}

#[test]
fn none_of_them_passes_when_the_last_words_are_missing() {
    for conversation in ALL {
        let (ended, _) = conversation.by_chat("yes");
        let ended = ended.exits(conversation.status_of_fault);
        if conversation.status_of_fault == 4 {
            let place = format!("{}.chat:", conversation.name);
            ended.complains(&place).complains("the end").complains("status 9");
        }
    }
}

/// What `expect` makes of a script.
fn expect(script: &str) -> Ended {
    program("expect", &["-c", script]).eof().ends()
}

/// What `chat` makes of these steps.
fn chat(target: &str, steps: &[&str]) -> Ended {
    let steps = steps.iter().flat_map(|step| ["-e", step]);
    spile(["chat", target].into_iter().chain(steps)).eof().ends()
}

#[test]
fn what_did_not_come_in_time_is_no_success() {
    expect("set timeout 1; spawn -noecho cat; expect never").exits(0);
    chat("pty:cat", &[".timeout 300ms", "~~ never"]).exits(124).complains("got nothing within 0.3");
}

#[test]
fn an_end_before_the_match_is_no_success() {
    expect("spawn -noecho echo bye; expect never").exits(0);
    chat("pty:echo bye", &["~~ never"]).exits(4).complains("got \"bye\\r\\n\" and then the end");
}

#[test]
fn a_program_that_cannot_be_started_is_told_as_such() {
    let shop = Workshop::new();
    shop.write("text", "");
    let text = shop.path("text").display().to_string();
    for (path, status, why) in [("/no/such/program", 127, "no such"), (&text, 126, "not executable")] {
        expect(&format!("spawn -noecho {path}; expect x")).exits(0);
        chat(&format!("pty:{path}"), &["~~ x"]).exits(status).complains(why);
    }
}

#[test]
fn ten_kilobytes_are_one_reply() {
    let reply = "printf \"<<\"; head -c 10000 /dev/zero | tr \"\\\\0\" x; echo \">>\"; read x";
    let by_expect = |settings: &str| {
        let script =
            format!("{settings}; spawn -noecho sh -c $env(REPLY); expect -re {{<<(x*)>>}} {{exit 5}}");
        let mut command = Command::new("expect");
        command.args(["-c", &script]).env("REPLY", reply);
        start(command).eof().ends()
    };
    by_expect("set timeout 2").exits(0);
    // Its window can be made larger by who knows beforehand.
    by_expect("match_max -d 20000").exits(5);
    chat(&format!("pty:sh -c '{reply}'"), &["~~ <<(?<all>x{10000})>>", "> seen"]).exits(0);
}

#[test]
fn what_is_said_is_not_taken_for_an_answer() {
    let deaf = "sh -c 'read x; echo no answer'";
    expect("spawn -noecho sh -c {read x; echo no answer}; send \"ping\\r\"; expect ping {exit 5}").exits(5);
    chat(&format!("pty:{deaf}"), &["> ping", "~~ ping"]).exits(4).complains("no answer");
}

#[test]
fn lines_come_as_the_program_has_written_them() {
    // On expect's terminal every LF becomes CR LF.
    expect("spawn -noecho printf {a\\nb\\n}; expect -re {^a\\r\\nb\\r\\n$} {exit 5}").exits(5);
    chat("run:printf a\\\\nb\\\\n", &["<< a\\nb\\n", "<$ rest", ".exit"]).exits(0);
    // On a terminal chat reads what a terminal makes of it, and a unit is the line alone.
    chat("pty:printf a\\\\nb\\\\n", &["= a", "= b", "<$", ".exit"]).exits(0);
}

#[test]
fn the_signal_that_killed_the_program_is_told() {
    let dies = "sh -c {kill -USR1 $$}";
    expect(&format!("spawn -noecho {dies}; expect eof; exit [lindex [wait] 3]")).exits(0);
    chat("pty:sh -c 'kill -USR1 $$'", &["<$", ".exit"]).exits(128 + 10);
    chat("pty:sh -c 'kill -USR1 $$'", &["= more"]).exits(4).complains("signal USR1 has killed it");
}

#[test]
fn a_line_is_never_cut_in_silence() {
    let count = "stty -echo; echo ready; head -n 1 | wc -c";
    let mut command = Command::new("expect");
    let long =
        "spawn -noecho sh -c $env(COUNT); expect ready; send [string repeat x 5000]\\r; expect 4096 {exit 5}";
    command.args(["-c", long]).env("COUNT", count);
    start(command).eof().ends().exits(5);
    let said = format!("> {}", "x".repeat(5000));
    let child = format!("sh -c '{count}'");
    let ended = chat(&format!("pty:{child}"), &["= ready", &said]).exits(1);
    ended.complains("a terminal drops what a line has beyond 4095 bytes, unless it is raw (pty,raw:)");
    let steps = [".term \\n", ".eol \\n", "~1 ready", &said, "~1 ^5001"];
    chat(&format!("pty,raw:{child}"), &steps).exits(0);
}
