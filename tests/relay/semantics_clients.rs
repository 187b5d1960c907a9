//! Clients: waiting for a port, names, several addresses, time limits, terminals.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::*;

fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn s39_a_connection_to_itself_is_no_connection() {
    // Connecting from the port that is connected to always succeeds in the kernel: a simultaneous open.
    for command in ["connect", "wait"] {
        let port = closed_port();
        let address = format!("tcp:127.0.0.1:{port},bind=127.0.0.1,source-port={port}");
        let mut args = vec![command, &address];
        if command == "wait" {
            args.extend(["-t", "300ms"]);
        }
        let ended = spile(args).eof().ends();
        assert!([7, 124].contains(&ended.status), "{ended:?}");
    }
}

#[test]
fn s40_probes_leave_nothing_in_time_wait() {
    let port = server(|stream| drop(read_all_or_reset(stream)));
    for _ in 0..20 {
        spile(["connect", "-z", "127.0.0.1", &port.to_string()]).ends().exits(0);
        spile(["wait", &format!("127.0.0.1:{port}")]).ends().exits(0);
    }
    let filter = format!("( dport = :{port} or sport = :{port} ) and src 127.0.0.1 and dst 127.0.0.1");
    let sockets = tcp_sockets(&filter);
    assert!(!sockets.contains("TIME-WAIT"), "{sockets}");
}

fn read_all_or_reset(mut stream: std::net::TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn s40_local_ports_that_are_used_up_are_told_and_waited_for() {
    let address = format!("127.0.0.1:{}", server(drop));
    let used_up = "connect:error=EADDRNOTAVAIL:when=1";
    let ended = with_failing_calls(used_up, &format!("connect {address}")).ends().exits(7);
    ended.complains("hint: the local ports may be used up");
    with_failing_calls(used_up, &format!("connect --retry 1 {address}")).ends().exits(0);
}

#[test]
fn s41_wait_can_ask_for_more_than_an_open_port() {
    let greets = server(|stream| {
        (&stream).write_all(b"220 mail ready\r\n").unwrap();
        read_all_or_reset(stream);
    });
    let closes = server(drop);
    let greets = format!("127.0.0.1:{greets}");
    let closes = format!("127.0.0.1:{closes}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("127.0.0.1:{}", silent.local_addr().unwrap().port());
    spile(["wait", "--expect", "^220 ", &greets]).ends().exits(0).says("");
    let leaves = server(|stream| (&stream).write_all(b"421 too busy\r\n").unwrap());
    let leaves = format!("127.0.0.1:{leaves}");
    let unexpected = ["wait", "--retry", "1", "--retry-delay", "10ms", "--expect", "^220 ", &leaves];
    spile(unexpected).ends().exits(4).complains("421 too busy");
    spile(["wait", &closes]).ends().exits(0);
    let ended = spile(["wait", "-t", "500ms", "--hold", "100ms", &closes]).ends();
    assert!([7, 124].contains(&ended.status), "{ended:?}");
    spile(["wait", "--hold", "100ms", &greets]).ends().exits(0);
    spile(["wait", "-t", "500ms", "--expect", "x", &silent]).ends().exits(124);
}

#[test]
fn s41_wait_sends_what_it_is_told_to_before_it_listens() {
    let port = server(|mut stream| {
        let mut line = [0; 6];
        stream.read_exact(&mut line).unwrap();
        stream.write_all(if &line == b"PING\r\n" { b"+PONG\r\n" } else { b"-ERR\r\n" }).unwrap();
        read_all_or_reset(stream);
    });
    let address = format!("127.0.0.1:{port}");
    spile(["wait", "--send", "PING\\r\\n", "--expect", "PONG", &address]).ends().exits(0);
}

#[test]
fn wait_waits_for_all_of_its_addresses_and_then_runs_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let port = server(drop);
    let address = format!("127.0.0.1:{port}");
    let mut waiting = spile(["wait", &address, &path, "--", "sh", "-c", "echo run; exit 9"]);
    std::thread::sleep(Duration::from_millis(300)); // the scenario: one of them comes late
    assert!(waiting.is_running());
    let _late = std::os::unix::net::UnixListener::bind(&path).unwrap();
    waiting.ends().exits(9).says("run\n");
}

#[test]
fn wait_is_silent_and_tells_of_each_answer_when_asked() {
    let address = format!("127.0.0.1:{}", server(drop));
    assert_eq!(spile(["wait", &address]).ends().exits(0).stderr, "");
    spile(["wait", "-v", &address]).ends().exits(0).complains(&format!("connected to {address}"));
    spile(["wait", "--log", "json", &address]).ends().exits(0).complains("\"event\":\"connected\"");
}

#[test]
fn wait_expects_an_answer_from_a_datagram_port_as_well() {
    let mut echo = spile(["relay", "udp-l:127.0.0.1:0", "echo"]);
    let address = format!("udp:127.0.0.1:{}", echo.port());
    spile(["wait", "--send", "PING", "--expect", "^PING$", &address]).ends().exits(0);
    let late = spile(["wait", "-t", "300ms", "--send", "PING", "--expect", "PONG", &address]).ends();
    late.exits(124).complains(&address[4..]);
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("udp:127.0.0.1:{closed}");
    spile(["wait", "-t", "300ms", "--expect", "x", &closed]).ends().exits(124).complains("refused");
}

#[test]
fn wait_gives_up_in_time_and_names_what_did_not_answer() {
    let closed = closed_port();
    let started = Instant::now();
    let ended = spile(["wait", "-t", "400ms", &format!("127.0.0.1:{closed}")]).ends().exits(124);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    ended.complains(&closed.to_string());
}

#[test]
fn s42_every_address_that_was_tried_is_named_with_its_own_reason() {
    let closed = closed_port();
    let ended = spile(["connect", "localhost", &closed.to_string()]).ends().exits(7);
    assert!(ended.stderr.contains("127.0.0.1") && ended.stderr.contains("refused"), "{ended:?}");
    if has_ipv6() {
        assert!(ended.stderr.contains("::1"), "{ended:?}");
    }
}

#[test]
fn s42_localhost_is_both_loopbacks_whatever_the_hosts_file_says() {
    let mut listeners = vec![TcpListener::bind("127.0.0.1:0").unwrap()];
    if has_ipv6() {
        listeners.push(TcpListener::bind("[::1]:0").unwrap());
    }
    for listener in listeners {
        let port = listener.local_addr().unwrap().port().to_string();
        spile(["connect", "-z", "localhost", &port]).ends().exits(0);
    }
}

#[test]
fn s42_names_that_do_not_resolve_have_their_own_status() {
    spile(["connect", "no-such-host.invalid", "80"]).ends().exits(6).complains("no-such-host.invalid");
    spile(["connect", "-n", "localhost", "80"]).ends().exits(2).complains("localhost");
}

#[test]
fn s42_a_service_name_is_a_port() {
    let explained = spile(["connect", "--explain", "localhost", "https"]).ends().exits(0);
    let ended = spile(["connect", "localhost", "no-such-service"]).ends();
    assert!(ended.status == 6 || ended.status == 2, "{ended:?}");
    assert!(String::from_utf8_lossy(&explained.stdout).contains("https"));
    spile(["resolve", "--service", "https"]).ends().exits(0).says("https 443/tcp\n");
}

#[test]
fn s43_an_address_that_says_nothing_does_not_hold_up_the_other() {
    if !has_ipv6() {
        skipped("this host has no IPv6");
        return;
    }
    let alive = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = alive.local_addr().unwrap().port();
    let _hole = BlackHole::on("::1", port);
    in_time(Duration::from_millis(900), || {
        let started = Instant::now();
        spile(["connect", "-z", "localhost", &port.to_string()]).ends().exits(0);
        started.elapsed()
    });
}

#[test]
fn s44_the_connect_timeout_is_kept_and_named() {
    let hole = BlackHole::on("127.0.0.1", 0);
    let port = hole.port.to_string();
    in_time(Duration::from_millis(1500), || {
        let started = Instant::now();
        let client = spile(["connect", "-w", "300ms", "127.0.0.1", &port]);
        client.ends().exits(124).complains("--connect-timeout");
        started.elapsed()
    });
    spile(["connect", "--deadline", "300ms", "127.0.0.1", &port]).ends().exits(124).complains("--deadline");
}

#[test]
fn retries_go_on_until_the_server_is_there() {
    let port = closed_port();
    let address = format!("127.0.0.1:{port}");
    let client = spile(["connect", "--retry-for", "10s", "--retry-delay", "20ms", &address]);
    std::thread::sleep(Duration::from_millis(200)); // the scenario: the server comes late
    let listener = TcpListener::bind(&address).unwrap();
    listener.accept().unwrap().0.write_all(b"at last").unwrap();
    client.ends().exits(0).says("at last");
    let started = Instant::now();
    let spent = spile(["connect", "--retry-for", "300ms", &format!("127.0.0.1:{}", closed_port())]).ends();
    assert!([7, 124].contains(&spent.status) && started.elapsed() < Duration::from_secs(3), "{spent:?}");
    spile(["connect", "--retry", "2", &format!("127.0.0.1:{}", closed_port())]).ends().exits(7);
}

#[test]
fn zero_mode_looks_at_ports_and_ranges_and_sends_nothing() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Arc::new(std::sync::Mutex::new(sender));
    let port = server(move |stream| sender.lock().unwrap().send(read_all_or_reset(stream)).unwrap());
    spile(["connect", "-zv", "127.0.0.1", &port.to_string()]).ends().exits(0).complains("open");
    assert_eq!(receiver.recv_timeout(DEADLINE).unwrap(), b"");
    let range = format!("{port}-{port}");
    spile(["connect", "-z", "127.0.0.1", &range, &port.to_string()]).ends().exits(0);
    let closed = closed_port().to_string();
    spile(["connect", "-zv", "127.0.0.1", &closed, &port.to_string()]).ends().exits(7).complains("open");
}

#[test]
fn the_idle_limit_and_the_deadline_of_a_client_say_which_one_ran_out() {
    let port = server(|stream| drop(read_all_or_reset(stream)));
    let address = format!("127.0.0.1:{port}");
    for flag in ["--idle-timeout", "--deadline"] {
        spile(["connect", flag, "300ms", &address]).sends("x").ends().exits(124).complains(flag);
    }
}

/// Starts spile with this terminal as its stdin and stdout.
fn on_terminal(terminal: &OwnedFd, words: &[&str]) -> Child {
    let terminal = || Stdio::from(terminal.try_clone().unwrap());
    let mut command = Command::new(SPILE);
    command.args(words).stdin(terminal()).stdout(terminal()).stderr(Stdio::null()).spawn().unwrap()
}

/// `connect --raw` in a terminal of its own: modes before, during, and after `signal`.
fn raw_mode_ends_with(signal: &str) {
    let port = server(|stream| drop(read_all_or_reset(stream)));
    let terminal = nix::pty::openpty(None, None).unwrap();
    let modes = || rustix::termios::tcgetattr(terminal.slave.as_fd()).unwrap().local_modes;
    let before = modes();
    let mut child = on_terminal(&terminal.slave, &["connect", "--raw", &format!("127.0.0.1:{port}")]);
    wait_until("the terminal is raw", || !modes().contains(rustix::termios::LocalModes::ICANON));
    if signal == "escape" {
        let mut master = std::fs::File::from(terminal.master.try_clone().unwrap());
        master.write_all(b"\x1d").unwrap();
    } else {
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
    wait_until("it ends", || child.try_wait().unwrap().is_some());
    assert_eq!(modes(), before, "after {signal}");
}

#[test]
fn s22_the_terminal_is_as_it_was_after_every_kind_of_end() {
    for signal in ["-TERM", "-INT", "-HUP", "-QUIT", "escape"] {
        raw_mode_ends_with(signal);
    }
}

/// All that a terminal has shown so far.
fn screen_of(master: OwnedFd) -> std::sync::Arc<std::sync::Mutex<String>> {
    let screen = std::sync::Arc::default();
    let (shown, mut master) = (std::sync::Arc::clone(&screen), std::fs::File::from(master));
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(n) = master.read(&mut buffer) {
            let shown: &std::sync::Mutex<String> = &shown;
            shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    });
    screen
}

#[test]
fn s22_a_terminal_that_is_made_follows_the_size_of_ours() {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let size = |rows, cols| {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&terminal.master, size).unwrap();
    };
    size(30, 90);
    let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done";
    let mut child = on_terminal(&terminal.slave, &["relay", "-,raw", &format!("sh,pty:{script}")]);
    let screen = screen_of(terminal.master.try_clone().unwrap());
    let shows = |wanted: &str| wait_until(wanted, || screen.lock().unwrap().contains(wanted));
    shows("30 90");
    size(33, 99);
    let status = Command::new("kill").args(["-WINCH", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    shows("33 99");
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn s22_a_terminal_that_is_stopped_and_continued_is_raw_again() {
    let port = server(|stream| drop(read_all_or_reset(stream)));
    let terminal = nix::pty::openpty(None, None).unwrap();
    let raw = || {
        let modes = rustix::termios::tcgetattr(terminal.slave.as_fd()).unwrap();
        !modes.local_modes.contains(rustix::termios::LocalModes::ICANON)
    };
    let mut child = on_terminal(&terminal.slave, &["connect", "--raw", &format!("127.0.0.1:{port}")]);
    let pid = child.id().to_string();
    let kill = |name: &str| Command::new("kill").args([name, pid.as_str()]).status().unwrap();
    wait_until("the terminal is raw", raw);
    kill("-TSTP");
    wait_until("the shell has its terminal back", || !raw());
    kill("-CONT");
    wait_until("the terminal is raw again", raw);
    let _ = child.kill();
    let _ = child.wait();
}
