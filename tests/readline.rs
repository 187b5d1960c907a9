//! Lines that a person edits before they are sent.

mod harness;

use harness::*;

/// Types into a terminal of its own, waits for what must appear, and answers what was on the screen.
const PERSON: &str = r#"
import os, pty, select, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])
before = termios.tcgetattr(fd)[3]
screen = b""
def expect(text):
    global screen
    end = time.time() + 15
    while text not in screen:
        assert time.time() < end, (text, screen)
        if select.select([fd], [], [], 0.1)[0]:
            try: more = os.read(fd, 4096)
            except OSError: more = b""
            assert more, (text, screen)
            screen += more
    screen = screen[screen.index(text) + len(text):]
def raw():
    end = time.time() + 15
    while termios.tcgetattr(fd)[3] & termios.ICANON: assert time.time() < end, "no editor"
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
