//! Bytes on their way: partial writes, backpressure, interruptions, output that nobody reads.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::*;

fn sink() -> (u16, std::sync::mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let port = server(move |stream| sender.lock().unwrap().send(read_all(&stream)).unwrap());
    (port, receiver)
}

#[test]
fn s12_help_into_a_closed_pipe_does_not_panic() {
    for command in
        ["--help", "relay --help", "connect --help", "relay --explain tcp-l:1 echo", "resolve --interfaces"]
    {
        let line = format!("$SPILE {command} | true; (trap '' PIPE; $SPILE {command} | true); exit 0");
        assert_eq!(shell(&line).eof().ends().exits(0).stderr, "", "{command}");
    }
}

#[test]
fn s12_a_log_that_nobody_reads_does_not_end_a_service() {
    for redirect in ["2>&-", "2> >(exec true)", "2>/dev/full"] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("port");
        let line =
            format!("exec $SPILE relay -v --log json --port-file {} tcp-l:0 echo {redirect}", file.display());
        let mut relay = shell(&line);
        wait_until("the port file", || file.exists());
        let port = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        for _ in 0..3 {
            let stream = connect(port);
            (&stream).write_all(b"still").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&stream), b"still", "{redirect}");
        }
        assert!(relay.is_running());
    }
}

#[test]
fn s12_a_client_whose_stdout_is_closed_ends_at_once_and_tells_its_peer() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let port = server(move |stream| {
        while (&stream).write_all(&[b'z'; 65536]).is_ok() {}
        sender.lock().unwrap().send(()).unwrap();
    });
    let line = format!("$SPILE connect 127.0.0.1 {port} | head -c 100000 | wc -c; exit ${{PIPESTATUS[0]}}");
    let ended = shell(&line).ends().exits(141).says("100000\n");
    assert_eq!(ended.stderr, "");
    receiver.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn s14_partial_writes_lose_nothing() {
    let bytes = noise(14, 4 << 20);
    let copy = bytes.clone();
    let port = server(move |stream| {
        let (mut got, mut buffer) = (Vec::new(), [0; 3001]);
        while let Ok(n) = (&stream).read(&mut buffer) {
            if n == 0 {
                break;
            }
            got.extend_from_slice(&buffer[..n]);
        }
        (&stream).write_all(if got == copy { b"same" } else { b"other" }).unwrap();
    });
    let client = spile(["connect", "--sndbuf", "4096", &format!("127.0.0.1:{port}")]).sends(&bytes);
    client.eof().ends().exits(0).says("same");
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("tcp:127.0.0.1:{port},sndbuf=4096")]);
    let stream = connect(relay.port());
    (&stream).write_all(&bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), b"same");
}

/// Runs spile under strace, which makes system calls fail with EINTR.
fn interrupted(calls: &str, args: &str) -> Process {
    // The first reads are those of the dynamic loader, which knows no EINTR.
    let inject = format!("-e trace={calls} -e inject={calls}:error=EINTR:when=40+3");
    shell(&format!("exec strace -D -qq -f -o /dev/null {inject} $SPILE {args}"))
}

#[test]
fn s14_s23_interrupted_system_calls_are_tried_again() {
    let calls = "read,write,readv,writev,recvfrom,sendto,recvmsg,sendmsg,splice,epoll_wait,poll,ppoll";
    let bytes = noise(23, 1 << 20);
    let (port, received) = sink();
    let client = interrupted(calls, &format!("connect 127.0.0.1 {port}")).sends(&bytes);
    client.eof().ends().exits(0);
    assert!(received.recv_timeout(DEADLINE).unwrap() == bytes);
    let echo = server(|stream| {
        std::io::copy(&mut &stream, &mut &stream).unwrap();
    });
    let mut relay =
        interrupted(&format!("{calls},accept4"), &format!("relay tcp-l:127.0.0.1:0 127.0.0.1:{echo}"));
    let port = relay.port();
    let stream = connect(port);
    let sending = stream.try_clone().unwrap();
    let copy = bytes.clone();
    let sender = std::thread::spawn(move || {
        (&sending).write_all(&copy).unwrap();
        sending.shutdown(Shutdown::Write).unwrap();
    });
    assert!(read_all(&stream) == bytes);
    sender.join().unwrap();
}

#[test]
fn s15_a_reader_that_stalls_stops_the_sender_and_memory_stays_flat() {
    let port = server(|stream| {
        std::thread::park_timeout(DEADLINE);
        drop(stream);
    });
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{port}")]);
    let stream = connect(relay.port());
    let before = resident_kib(relay.pid());
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let (chunk, mut sent) = (vec![b'x'; 1 << 20], 0);
    let stalled = loop {
        match (&stream).write(&chunk) {
            Ok(n) => sent += n,
            Err(why) => break why,
        }
        assert!(sent < 200 << 20, "nothing stops the sender");
    };
    assert_eq!(stalled.kind(), std::io::ErrorKind::WouldBlock);
    let growth = resident_kib(relay.pid()).saturating_sub(before);
    assert!(growth < 4096, "{growth} KiB more after {sent} bytes");
    let cpu = relay.cpu();
    std::thread::sleep(Duration::from_millis(500)); // what is measured is half a second of doing nothing
    assert!(relay.cpu() - cpu < 0.05, "a stalled session spins");
}

#[test]
fn s17_a_single_byte_goes_through_at_once() {
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port();
    let mut client = spile(["connect", &format!("127.0.0.1:{port}")]);
    let started = Instant::now();
    for byte in 0..50_u8 {
        client.write(&[b'0' + byte]);
        client.read(&[b'0' + byte]);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?} for 50 bytes", started.elapsed());
    client.eof().ends().exits(0);
}

#[test]
fn s17_nodelay_is_on_by_default_and_can_be_turned_off() {
    let port = server(drop);
    let trace = |more: &str| {
        let line = format!(
            "strace -D -qq -f -e trace=setsockopt -o /dev/stdout $SPILE connect {more} 127.0.0.1 {port} </dev/null"
        );
        String::from_utf8(shell(&line).ends().exits(0).stdout).unwrap()
    };
    assert!(trace("").contains("TCP_NODELAY, [1]"));
    assert!(!trace("--nodelay=no").contains("TCP_NODELAY, [1]"));
}

#[test]
fn s21_output_that_cannot_be_written_is_a_failure_and_not_silent() {
    let port = server(|stream| (&stream).write_all(b"lost").unwrap());
    let line = format!("$SPILE connect 127.0.0.1 {port} >/dev/full </dev/null");
    shell(&line).ends().exits(1).complains("No space left on device");
}

#[test]
fn s23_a_storm_of_signals_disturbs_nothing() {
    let bytes = noise(1, 64 << 20);
    let (port, received) = sink();
    let mut client = spile(["connect", &format!("127.0.0.1:{port}")]);
    let pid = rustix::process::Pid::from_raw(client.pid().cast_signed()).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let storm = std::thread::spawn(move || {
        use rustix::process::Signal;
        let mut sent = 0_u32;
        while stopped
            .recv_timeout(Duration::from_micros(500))
            .is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            for signal in [Signal::WINCH, Signal::CHILD, Signal::CONT, Signal::URG] {
                rustix::process::kill_process(pid, signal).unwrap();
                sent += 1;
            }
        }
        sent
    });
    client.write(&bytes);
    drop(stop);
    assert!(storm.join().unwrap() > 40);
    client.close_stdin();
    client.ends().exits(0);
    assert!(received.recv_timeout(DEADLINE).unwrap() == bytes);
}

#[test]
fn s18_files_and_devices_serve_as_stdin_and_stdout() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    let bytes = noise(18, 3_000_001);
    std::fs::write(&input, &bytes).unwrap();
    let echo = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    let run = |line: String| shell(&line).eof().ends().exits(0);
    let (input, output) = (input.display(), output.display());
    run(format!("$SPILE connect 127.0.0.1 {echo} <{input} >{output} && cmp {input} {output}"));
    run(format!(
        "$SPILE connect 127.0.0.1 {echo} <{input} >>{output}; tail -c 3000001 {output} | cmp - {input}"
    ));
    run(format!("$SPILE connect 127.0.0.1 {echo} </dev/null")).says("");
    run(format!("$SPILE connect 127.0.0.1 {echo} <{input} >/dev/null")).says("");
    run(format!("head -c 99 /dev/zero | $SPILE connect 127.0.0.1 {echo} | wc -c")).says("99\n");
    run(format!("$SPILE connect 127.0.0.1 {echo} </dev/zero | head -c 99 | wc -c")).says("99\n");
    let end = shell(&format!("$SPILE connect 127.0.0.1 {echo} </")).ends();
    assert!(end.status != 0 && end.stderr.contains("directory"), "{end:?}");
}

/// Starts `connect` with `near` as stdin and stdout, and watches the mode of `far`'s sibling descriptor.
fn leaves_blocking(descriptor: OwnedFd, signal: Option<&str>) {
    let port = server(|stream| {
        (&stream).write_all(b"hello").unwrap();
        read_all(&stream);
    });
    assert!(!is_nonblocking(&descriptor));
    let mut child = Command::new(SPILE)
        .args(["connect", &format!("127.0.0.1:{port}")])
        .stdin(descriptor.try_clone().unwrap())
        .stdout(descriptor.try_clone().unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let established = || tcp_sockets(&format!("dport = :{port}")).contains("ESTAB");
    wait_until("it is connected", established);
    std::thread::sleep(Duration::from_millis(100)); // it reads and writes meanwhile
    let during = is_nonblocking(descriptor.as_fd());
    if let Some(signal) = signal {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    } else {
        let _ = child.kill();
    }
    child.wait().unwrap();
    assert!(!during && !is_nonblocking(&descriptor), "O_NONBLOCK during: {during}");
}

#[test]
fn s19_descriptors_shared_with_the_shell_never_become_nonblocking() {
    use std::os::unix::net::UnixStream;
    for signal in [None, Some("-TERM")] {
        let (near, _far) = UnixStream::pair().unwrap();
        leaves_blocking(near.into(), signal);
        let terminal = nix::pty::openpty(None, None).unwrap();
        leaves_blocking(terminal.slave, signal);
    }
}

#[test]
fn s19_pipes_shared_with_the_shell_never_become_nonblocking() {
    let port = server(|stream| {
        (&stream).write_all(b"hello").unwrap();
        read_all(&stream);
    });
    let (read, _write) = std::io::pipe().unwrap();
    let (_out, out_write) = std::io::pipe().unwrap();
    let mut child = Command::new(SPILE)
        .args(["connect", &format!("127.0.0.1:{port}")])
        .stdin(read.try_clone().unwrap())
        .stdout(out_write.try_clone().unwrap())
        .spawn()
        .unwrap();
    let established = || tcp_sockets(&format!("dport = :{port}")).contains("ESTAB");
    wait_until("it is connected", established);
    std::thread::sleep(Duration::from_millis(100)); // it reads and writes meanwhile
    let during = is_nonblocking(&read) || is_nonblocking(&out_write);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!during && !is_nonblocking(&read) && !is_nonblocking(&out_write));
}

#[test]
fn s20_a_loop_that_reads_stdin_is_not_robbed_of_its_lines() {
    let port = server(|stream| (&stream).write_all(b"hi ").unwrap());
    let line =
        format!("printf 'a\\nb\\nc\\n' | while read x; do $SPILE connect -d 127.0.0.1 {port}; echo $x; done");
    shell(&line).ends().exits(0).says("hi a\nhi b\nhi c\n");
}

#[test]
fn s21_no_socket_takes_the_place_of_a_closed_standard_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let line = format!("exec $SPILE relay --port-file {} tcp-l:0 echo <&- >&- 2>&-", file.display());
    let relay = shell(&line);
    wait_until("the port file", || file.exists());
    for number in 0..3 {
        assert_eq!(descriptor(relay.pid(), number).to_str(), Some("/dev/null"));
    }
}
