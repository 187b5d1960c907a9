//! Nothing waits for ever and nothing is lost meanwhile: limits, signals, stubborn children, stalled readers.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::harness::*;

/// A server that says nothing and stays.
fn silent() -> String {
    server(|stream| {
        read_all(&stream);
        std::thread::sleep(DEADLINE);
    })
    .to_string()
}

#[test]
fn a_time_limit_is_a_bound_though_the_peer_stays() {
    let port = silent();
    for (flags, status) in
        [(["--deadline", "300ms"], 124), (["--idle-timeout", "300ms"], 124), (["-q", "300ms"], 0)]
    {
        // The peer would be lingered for for two seconds.
        in_time(Duration::from_millis(1900), || {
            let started = Instant::now();
            spile([&["connect"], &flags[..], &["127.0.0.1", &port]].concat()).eof().ends().exits(status);
            started.elapsed()
        });
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_stubborn_child() {
    let port = silent();
    let args =
        ["connect", "127.0.0.1", &port, "--", "sh", "-c", "trap '' HUP TERM INT; echo up >&2; sleep 1000"];
    let mut client = spile(args);
    client.line("up");
    let started = Instant::now();
    client.signal("TERM");
    wait_until("the second signal counts", || {
        client.signal_if_running("TERM");
        !client.is_running()
    });
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    client.ends().exits(143);
}

#[test]
fn a_stalled_reader_of_a_stdout_that_cannot_be_opened_again_holds_nobody() {
    let port = server(|mut stream| while stream.write_all(&[b'x'; 65536]).is_ok() {});
    // Another user's pipe cannot be opened through /proc: a thread writes it, blocking.
    let line = format!(
        "setpriv --reuid 65534 --clear-groups --inh-caps=-all $SPILE connect 127.0.0.1 {port} 3>&- & pid=$!; \
         echo $pid >&2; wait $pid; echo status $? >&2"
    );
    if !rustix::process::getuid().is_root() {
        skipped("only root can become somebody else");
        return;
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &line]).env("SPILE", SPILE).stdin(std::process::Stdio::null());
    shell.stdout(writer).stderr(std::process::Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut said = std::io::BufRead::lines(std::io::BufReader::new(shell.stderr.take().unwrap()));
    let pid: u32 = said.next().unwrap().unwrap().parse().unwrap();
    let full = || rustix::io::ioctl_fionread(&reader).is_ok_and(|n| n >= 65536);
    wait_until("the pipe is full", full);
    kill(pid, "TERM");
    let status = said.find_map(|line| line.unwrap().strip_prefix("status ").map(str::to_owned));
    assert_eq!(status.as_deref(), Some("143"));
    shell.wait().unwrap();
}

fn kill(pid: u32, signal: &str) {
    let status = std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_terminal_whose_program_has_gone_does_not_freeze_the_others() {
    let mut listener =
        spile(["listen", "-k", "--pty", "127.0.0.1:0", "--", "sh", "-c", "head -c1 >/dev/null; sleep 0.3"]);
    let port = listener.port();
    let first = connect(port);
    (&first).write_all(b"x\n").unwrap();
    (&first).write_all(&[b'x'; 20_000]).unwrap();
    // Its program ends with input unread; then others come.
    for _ in 0..3 {
        let other = connect(port);
        (&other).write_all(b"x\n").unwrap();
        read_all(&other);
    }
    assert!(listener.cpu() < 2.0, "{} s of CPU", listener.cpu());
    listener.signal("TERM");
    listener.signal_if_running("TERM");
    listener.ends();
}

#[test]
fn datagram_peers_that_nobody_accepts_do_not_deafen_the_one_that_is_served() {
    for flags in [&[][..], &["-k"]] {
        let mut listener = spile([&["listen", "-u"], flags, &["127.0.0.1:0"]].concat());
        let port = listener.port();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"first\n", ("127.0.0.1", port)).unwrap();
        listener.read(b"first\n");
        let others: Vec<UdpSocket> = (0..200).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        for other in &others {
            other.send_to(b"noise\n", ("127.0.0.1", port)).unwrap();
        }
        client.send_to(b"second\n", ("127.0.0.1", port)).unwrap();
        listener.read(b"second\n");
        listener.signal("INT");
    }
}

#[test]
fn a_client_leaves_after_exactly_as_many_datagrams_as_it_wants() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let client = spile(["connect", "-u", "-W", "2", "127.0.0.1", &port]).sends("q");
    let mut buffer = [0; 16];
    let (_, from) = socket.recv_from(&mut buffer).unwrap();
    // All are queued before the client runs again.
    client.signal("STOP");
    for reply in [b"r0 ", b"r1 ", b"r2 ", b"r3 "] {
        socket.send_to(reply, from).unwrap();
    }
    client.signal("CONT");
    client.ends().exits(0).says("r0 r1 ");
}

#[test]
fn one_connection_may_finish_after_term_and_a_second_term_cuts_it() {
    let echo = ["relay", "--once", "tcp-l:127.0.0.1:0", "echo"];
    let listen = ["listen", "127.0.0.1:0"];
    let keep = ["listen", "-k", "127.0.0.1:0"];
    for args in [&echo[..], &listen, &keep] {
        let mut one = spile(args);
        let port = one.port();
        let stream = connect(port);
        (&stream).write_all(b"before ").unwrap();
        let see = |one: &mut Process, text: &[u8]| match args[0] {
            "relay" => {
                let mut back = vec![0; text.len()];
                (&stream).read_exact(&mut back).unwrap();
                assert_eq!(back, text);
            }
            _ => one.read(text),
        };
        see(&mut one, b"before ");
        one.signal("TERM");
        wait_until("nobody else comes in", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        (&stream).write_all(b"after").unwrap();
        see(&mut one, b"after");
        drop(stream);
        one.eof().ends().exits(0);

        let mut cut = spile(args);
        let port = cut.port();
        let stream = connect(port);
        (&stream).write_all(b"x").unwrap();
        match args[0] {
            "relay" => (&stream).read_exact(&mut [0]).unwrap(),
            _ => cut.read(b"x"),
        }
        wait_until("it ends", || {
            cut.signal_if_running("TERM");
            !cut.is_running()
        });
        cut.ends().exits(143);
    }
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    let port = silent();
    let mut client = shell(&format!("trap '' HUP INT; exec $SPILE connect -v 127.0.0.1 {port}"));
    client.line("spile connect: connected");
    client.signal("HUP");
    client.signal("INT");
    client.write(b"still here");
    client.signal("TERM");
    client.ends().exits(143);
}

#[test]
fn the_escape_key_ends_a_raw_session_at_once() {
    let port = silent();
    let typed = r#"
import os, pty, select, sys, termios, time
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
end = time.time() + 15
while termios.tcgetattr(fd)[3] & termios.ICANON: assert time.time() < end
started = time.time()
os.write(fd, b"\x1d")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), time.time() - started < 1.5)
"#;
    let words = ["-c", typed, SPILE, "connect", "--raw", "127.0.0.1", &port];
    program("python3", &words).ends().exits(0).says("0 True\n");
}

#[test]
fn a_reader_that_has_had_enough_is_noticed_before_the_next_byte() {
    let port = server(|stream| {
        (&stream).write_all(b"one\ntwo\n").unwrap();
        read_all(&stream);
    });
    shell(&format!("$SPILE connect 127.0.0.1 {port} | head -1; echo ${{PIPESTATUS[0]}}"))
        .ends()
        .says("one\n141\n");
}

#[test]
fn four_hundred_half_closed_clients_of_busy_programs_leave_the_others_alone() {
    let mut listener = spile([
        "listen",
        "-k",
        "127.0.0.1:0",
        "--",
        "sh",
        "-c",
        "read line; test $line = now || sleep 60; echo ok",
    ]);
    let port = listener.port();
    let busy: Vec<_> = (0..400)
        .map(|_| {
            let stream = connect(port);
            (&stream).write_all(b"later\n").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream
        })
        .collect();
    wait_until("all programs run", || children(listener.pid()).len() >= 400);
    let before = listener.cpu();
    let started = Instant::now();
    for _ in 0..3 {
        let stream = connect(port);
        (&stream).write_all(b"now\n").unwrap();
        assert_eq!(read_all(&stream), b"ok\n");
    }
    wait_until("some looks are taken", || started.elapsed() > Duration::from_secs(3));
    assert!(listener.cpu() - before < 1.5, "{} s of CPU in 3 s", listener.cpu() - before);
    drop(busy);
}

#[test]
fn a_program_that_reads_nothing_from_its_socket_pair_stalls_its_own_client_alone() {
    let script = "read line; test $line = now || sleep 60; echo ok";
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("sh,pipes=no:{script}")]);
    let port = relay.port();
    let first = connect(port);
    first.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    (&first).write_all(b"later\n").unwrap();
    while (&first).write_all(&[b'x'; 1 << 20]).is_ok() {}
    let other = connect(port);
    (&other).write_all(b"now\n").unwrap();
    assert_eq!(read_all(&other), b"ok\n");
    relay.signal("INT");
    relay.signal_if_running("INT");
}
