//! Lines that a person edits before they are sent.

use crate::harness::*;

/// Types into a terminal of its own, waits for what must appear, and answers what was on the screen.
const PERSON: &str = r#"
import os, pty, select, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])
before = termios.tcgetattr(fd)[3]
screen = shown = b""
def take(seconds):
    global screen, shown
    if not select.select([fd], [], [], seconds)[0]: return True
    try: more = os.read(fd, 4096)
    except OSError: more = b""
    screen += more
    shown += more
    return more != b""
def expect(text):
    global screen
    end = time.time() + 15
    while text not in screen: assert take(0.1) and time.time() < end, (text, screen[-2000:])
    screen = screen[screen.index(text) + len(text):]
def raw():
    end = time.time() + 15
    while termios.tcgetattr(fd)[3] & termios.ICANON: assert take(0.001) and time.time() < end, "no editor"
exec(sys.stdin.read())
while True:
    try:
        if not os.read(fd, 4096): break
    except OSError: break
after = termios.tcgetattr(fd)[3]
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), before == after)
"#;

fn person(port: u16, does: &str) -> Ended {
    let port = port.to_string();
    let words = ["-c", PERSON, SPILE, "connect", "--readline", "127.0.0.1", &port];
    program("python3", &words).sends(does).eof().ends()
}

#[test]
fn a_line_is_edited_before_it_is_sent_and_history_brings_it_back() {
    let port = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    // "helo", then back to the first l and one more; the second time by the arrow up.
    let does = r#"
raw(); os.write(fd, b"helo\x1b[D\x1b[Dl\r"); expect(b"hello"); expect(b"hello")
os.write(fd, b"\x1b[A\r"); expect(b"hello"); expect(b"hello")
os.write(fd, b"\x04")
"#;
    person(port, does).exits(0).says("0 True\n");
}

#[test]
fn what_the_peer_says_comes_between_and_the_line_goes_on() {
    let port = server(|stream| {
        use std::io::{Read, Write};
        (&stream).write_all(b"welcome\n").unwrap();
        let mut line = [0; 7];
        (&stream).read_exact(&mut line).unwrap();
        assert_eq!(&line, b"abcdef\n");
        (&stream).write_all(b"thanks\n").unwrap();
    });
    let does = r#"
raw(); os.write(fd, b"abc"); expect(b"welcome"); os.write(fd, b"def\r"); expect(b"thanks")
"#;
    person(port, does).exits(0).says("0 True\n");
}

#[test]
fn the_terminal_is_as_before_when_a_signal_ends_an_unfinished_line() {
    let port = server(|stream| {
        read_all(&stream);
    });
    person(port, "raw(); os.write(fd, b\"unfinished\"); expect(b\"unfinished\"); os.write(fd, b\"\\x03\")\n")
        .exits(0)
        .says("130 True\n");
}

#[test]
fn without_a_terminal_it_changes_nothing() {
    let port = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    let port = port.to_string();
    spile(["connect", "--readline", "127.0.0.1", &port]).sends("a\n").gets("a\n").eof().ends().exits(0);
}

#[test]
fn lines_of_the_peer_stay_whole_however_they_come() {
    let port = server(|stream| {
        use std::io::Write;
        let text: String = (0..5000).map(|n| format!("line {n} wäre gern ganz.\n")).collect();
        (&stream).write_all(text.as_bytes()).unwrap();
        read_all(&stream);
    });
    let does = r#"
raw(); os.write(fd, b"typing"); expect(b"line 4999 "); os.write(fd, b"\x04")
whole = {line[line.find(b"line "):] for line in shown.split(b"\n")}
for n in range(4999): assert "line {} wäre gern ganz.\r".format(n).encode() in whole, n
os.write(fd, b"\x15\x04")
"#;
    person(port, does).exits(0).says("0 True\n");
}

#[test]
fn the_end_of_what_is_typed_is_no_end_of_what_is_shown() {
    for _ in 0..5 {
        let port = server(|stream| {
            use std::io::Write;
            let reader = stream.try_clone().unwrap();
            let (ended, has_ended) = std::sync::mpsc::channel();
            std::thread::spawn(move || ended.send(read_all(&reader)));
            // Paced: a flood would leave the editor no time for the keys.
            while has_ended.recv_timeout(std::time::Duration::from_millis(2)).is_err() {
                (&stream).write_all(b"and on\n").unwrap();
            }
            (&stream).write_all(b"and off\n").unwrap();
        });
        let does = "raw(); expect(b\"and on\"); os.write(fd, b\"\\x04\"); expect(b\"and off\")\n";
        person(port, does).exits(0).says("0 True\n");
    }
}
