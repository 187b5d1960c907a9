//! A read that brings less than was asked for does not mean that nothing more is there.

use std::io::{Read, Write};

use crate::harness::*;

/// Sends pieces that one read never crosses, waits for each to come back whole, and says how many did.
const PEER: &str = r#"
import array, os, socket, sys
kind, where = sys.argv[1], sys.argv[2]
if kind == "urgent":
    s = socket.create_connection(("127.0.0.1", int(where)))
    def send():
        s.sendall(b"abc"); s.send(b"!", socket.MSG_OOB); s.sendall(b"def")
else:
    s = socket.socket(socket.AF_UNIX); s.connect(where)
    def send():
        s.sendmsg([b"abc"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))]); s.sendall(b"def")
s.settimeout(10)
for turn in range(300):
    send()
    got = b""
    while len(got) < 6:
        more = s.recv(6 - len(got))
        assert more, (turn, got)
        got += more
    assert got == b"abcdef", (turn, got)
print("whole")
"#;

#[test]
fn urgent_data_does_not_hide_what_comes_after_it() {
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", "sh:exec cat"]);
    let port = relay.port().to_string();
    program("python3", &["-c", PEER, "urgent", &port]).ends().exits(0).says("whole\n");
}

#[test]
fn descriptors_that_are_sent_along_do_not_hide_what_comes_after_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let mut relay = spile(["relay", &format!("unix-l:{}", path.display()), "sh:exec cat"]);
    relay.line("listening unix");
    program("python3", &["-c", PEER, "rights", path.to_str().unwrap()]).ends().exits(0).says("whole\n");
}

#[test]
fn a_pipe_in_packet_mode_is_read_packet_by_packet_to_its_end() {
    let port = server(|mut stream| {
        let mut all = [0; 9];
        stream.read_exact(&mut all).unwrap();
        stream.write_all(&all).unwrap();
    });
    // The writer keeps its end open: only the bytes themselves tell that they are there.
    let script = "import os, subprocess, sys\n\
        r, w = os.pipe2(os.O_DIRECT)\n\
        for piece in (b'abc', b'def', b'ghi'): os.write(w, piece)\n\
        print(subprocess.run(sys.argv[1:], stdin=r, stdout=subprocess.PIPE, timeout=15).stdout.decode())";
    let port = port.to_string();
    program("python3", &["-c", script, SPILE, "connect", "127.0.0.1", &port])
        .ends()
        .exits(0)
        .says("abcdefghi\n");
}
