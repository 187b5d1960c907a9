//! How sessions of a TLS server end, and what their clients are told: an end, a refusal, or nothing where it is a cut.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::harness::tls::{serve, tls_connect};
use crate::harness::tls_peers::STEPWISE;
use crate::harness::*;

/// Python's client, which does one step of a session for each line of stdin.
fn stepwise(port: &str) -> Process {
    program("python3", &["-c", STEPWISE, &certificate("ca.pem"), port])
}

/// A client that leaves without close_notify, after what it has sent was read.
fn cut(port: &str) {
    let client = stepwise(port).sends("begin\n").gets("begun\n").sends("say part\n").gets("said\n");
    client.sends("leave\n").ends().exits(0);
}

#[test]
fn what_stdin_has_left_is_sent_to_a_client_that_has_ended_where_that_is_wanted() {
    let (server, port) = serve(&["-K"]);
    let client = tls_connect(&port, &[]).sends("early").eof();
    server.gets("early").sends("late").eof().ends().exits(0);
    client.ends().exits(0).says("late");
    let (server, port) = serve(&[]);
    tls_connect(&port, &[]).sends("early").eof().ends().exits(0);
    server.ends().exits(0).says("early");
}

#[test]
fn a_server_leaves_after_so_much_silence_once_its_input_has_ended() {
    let (server, port) = serve(&["-q", "200ms"]);
    let client = tls_connect(&port, &[]);
    server.sends("all\n").eof().ends().exits(0);
    client.ends().exits(0).says("all\n");
}

#[test]
fn the_status_of_counted_connections_is_that_of_the_first_bad_one() {
    for (flags, status) in [(&["--once"][..], 18), (&["--count", "1"], 18)] {
        let (server, port) = serve(flags);
        cut(&port);
        server.ends().exits(status).says("part");
    }
    let (server, port) = serve(&["--count", "2"]);
    cut(&port);
    tls_connect(&port, &[]).sends(" and whole").eof().ends().exits(0);
    server.ends().exits(18).says("part and whole");
    // By TCP a reset is a cut.
    let mut server = spile(["listen", "--count", "1", "127.0.0.1:0"]);
    let mut stream = connect(server.port());
    stream.write_all(b"part").unwrap();
    server.read(b"part");
    reset_on_close(&stream);
    drop(stream);
    server.ends().exits(18);
}

#[test]
fn a_client_too_many_is_told_an_orderly_end() {
    let (server, port) = serve(&["--once"]);
    let late = stepwise(&port).sends("begin\n").gets("begun\n");
    let client = tls_connect(&port, &[]).sends("x");
    let server = server.gets("x");
    late.sends("say y\n").gets("said\n").sends("hear\n").gets("heard the end\n").eof().ends().exits(0);
    client.eof().ends().exits(0);
    server.ends().exits(0);
    // The same where clients are served beside each other.
    let (server, port) = serve(&["--count", "2", "--echo"]);
    let late = stepwise(&port).sends("begin\n").gets("begun\n");
    let both = [1, 2].map(|_| tls_connect(&port, &[]).sends("x").gets("x"));
    late.sends("say y\n").gets("said\n").sends("hear\n").gets("heard the end\n").eof().ends().exits(0);
    for client in both {
        client.eof().ends().exits(0);
    }
    server.ends().exits(0);
}

#[test]
fn a_handshake_that_has_begun_is_waited_for_at_the_end() {
    let (mut server, port) = serve(&["-v", "--echo"]);
    let client = stepwise(&port).sends("begin\n").gets("begun\n");
    let silent = connect(port.parse().unwrap());
    server.line_with("[2] connection from");
    server.signal("TERM");
    server.line_with("stopping; 1 connections may finish");
    let client = client.sends("say hello\n").gets("said\n").sends("hear\n").gets("heard hello\n");
    client.sends("end\n").ends().exits(0);
    let started = Instant::now();
    server.ends().exits(0);
    assert!(started.elapsed() < Duration::from_secs(5), "it waited for a client that has said nothing");
    drop(silent);
}

#[test]
fn sessions_that_are_cut_look_like_that() {
    // The backend has said more than its client has taken.
    let (full, is_full) = std::sync::mpsc::channel();
    let backend = server(move |mut stream| {
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
        let _ = full.send(());
        let _ = stream.read(&mut [0; 1]);
    });
    let (server, port) = serve(&["--grace", "100ms", "--forward", &format!("127.0.0.1:{backend}")]);
    let client = stepwise(&port).sends("begin\n").gets("begun\n").sends("say go\n").gets("said\n");
    is_full.recv_timeout(DEADLINE).unwrap();
    server.signal("TERM");
    server.ends().exits(143);
    client.sends("drain\n").gets("drained, a cut\n");
    // Where nothing is on its way, nothing is lost.
    let (server, port) = serve(&["--grace", "100ms", "--echo"]);
    let client = tls_connect(&port, &[]).sends("x").gets("x");
    server.signal("TERM");
    client.ends().exits(0);
    server.ends().exits(143);
    // Our own input is cut, too, when there is more of it.
    let (server, port) = serve(&["--once", "--discard"]);
    let ca = certificate("ca.pem");
    let line = "exec $SPILE tls-connect localhost PORT -4 -v --rate 10K/s --cafile CA </dev/zero";
    let mut client = shell(&line.replace("PORT", &port).replace("CA", &ca));
    client.line_with("connected to");
    client.signal("INT");
    client.ends().exits(130);
    server.ends().exits(18);
}

#[test]
fn programs_of_sessions_that_are_cut_are_killed_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("told");
    let gentle =
        format!("trap 'echo TERM >{}; exit' TERM HUP; echo $$; while :; do sleep .05; done", told.display());
    let deaf = "trap '' TERM HUP; echo $$; while :; do sleep .05; done";
    for (line, hears) in [(gentle.as_str(), true), (deaf, false)] {
        let (server, port) = serve(&["--grace", "300ms", "--", "sh", "-c", line]);
        let mut client = tls_connect(&port, &[]);
        let pid: u32 = String::from_utf8(client.some()).unwrap().trim().parse().unwrap();
        server.signal("TERM");
        server.ends().exits(143);
        assert!(!is_alive(pid), "{line}");
        assert_eq!(hears, told.exists());
        let _ = std::fs::remove_file(&told);
        client.ends().exits(18);
    }
}

#[test]
fn a_reset_is_no_end_even_where_an_end_without_close_notify_is_one() {
    let (server, port) = serve(&["--ignore-unexpected-eof"]);
    let client = stepwise(&port).sends("begin\n").gets("begun\n").sends("say part\n").gets("said\n");
    let server = server.gets("part");
    client.sends("reset\n").ends().exits(0);
    server.ends().exits(18).complains("connection reset by");
    let (server, port) = serve(&["--ignore-unexpected-eof"]);
    cut(&port);
    server.ends().exits(0).says("part");
}

/// A client that resumes a session has shaken hands before it is judged again.
#[test]
fn a_client_that_is_let_in_no_more_gets_no_orderly_end() {
    let shop = Workshop::new();
    let of = certificates().display();
    shop.says(&format!(
        "spile cert sign --ca {of}/ca.pem --ca-key {of}/ca.key --client --cn short --not-after +3s --out short 2>&1"
    ));
    let (ca, short) = (certificate("ca.pem"), shop.path("short").display().to_string());
    let session = shop.path("session").display().to_string();
    let (mut server, port) = serve(&["--client-ca", &ca, "--allow-any", "--", "echo", "x"]);
    let connect = format!("localhost:{port}");
    let client = |keep: &str| {
        let args = ["s_client", "-4", "-connect", &connect, "-CAfile", &ca, "-cert", &short, "-key", &short];
        program("openssl", &[&args[..], &["-quiet", keep, &session]].concat()).ends()
    };
    client("-sess_out").exits(0).says("x\n");
    wait_until("it has expired", || {
        let ended = client("-sess_in");
        let is_refused = ended.stdout.is_empty();
        assert!(!is_refused || ended.stderr.contains("errno=104"), "{ended:?}");
        is_refused
    });
    server.line_with("expired");
}

#[test]
fn a_look_at_a_hello_ends_with_the_client() {
    let (server, port) = serve(&["--show-hello", "--once"]);
    let connect = format!("localhost:{port}");
    let args = ["s_client", "-4", "-connect", &connect, "-tls1_2", "-cipher", "AES128-SHA"];
    program("openssl", &args).ends().exits(1);
    server.ends().exits(35).complains(": groups none");
}

#[test]
fn an_interrupted_check_has_a_report() {
    let (told, heard) = std::sync::mpsc::channel();
    let silent = server(move |stream| {
        told.send(()).unwrap();
        read_all(&stream);
    });
    let check = spile(["tls-connect", "--check", "--json", "-4", "localhost", &silent.to_string()]);
    heard.recv_timeout(DEADLINE).unwrap();
    check.signal("INT");
    let ended = check.ends().exits(130);
    let report = ended.json();
    assert_eq!((&report["ok"], &report["exit_code"]), (&false.into(), &130.into()), "{report}");
    assert_eq!(report["stage"], "handshake");
}

#[test]
fn a_name_does_not_go_over_a_network_ahead_of_tls() {
    let both = certificate("server.both");
    let args = ["tls-serve", "0", "--cert", &both, "--proxy-protocol", "v2,tls,cert", "--forward"];
    let far = "tls:192.0.2.1:443";
    let ended = spile(args.iter().copied().chain([far])).ends().exits(2);
    ended.complains("would tell the client's name").complains("--unsafe-forward");
    for more in [&["tls:localhost:443"][..], &[far, "--unsafe-forward"]] {
        spile(args.iter().copied().chain(more.iter().copied())).line("listening tls 127.0.0.1:");
    }
}

#[test]
fn proxies_that_nobody_names_are_worth_a_warning() {
    let warning = "may say by a PROXY header whom it connects for; --allow names the proxies";
    for (flags, is_told) in [
        (&[":0"][..], true),
        (&["127.0.0.1:0"], false),
        (&[":0", "--allow", "127.0.0.1"], false),
        (&[":0", "--deny", "10.0.0.0/8"], true),
    ] {
        let mut server = spile([&["listen", "-k", "--accept-proxy"], flags].concat());
        server.port();
        server.signal("TERM");
        let ended = server.ends();
        assert_eq!(ended.stderr.contains(warning), is_told, "{flags:?}: {}", ended.stderr);
    }
}

#[test]
fn tls_is_not_for_datagrams() {
    for command in ["tls-serve", "tls-connect"] {
        let help = String::from_utf8(spile([command, "--help"]).ends().exits(0).stdout).unwrap();
        assert!(!help.contains("--udp"), "{help}");
        spile([command, "-u", "localhost:1", "--insecure"]).ends().exits(2);
    }
}
