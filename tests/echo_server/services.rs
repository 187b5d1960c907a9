//! echo-server: each service as its RFC has it, on each kind of address, with clients of others.

use std::io::Write;
use std::net::Shutdown;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::echo::{Echo, asked, exactly, udp};
use crate::harness::*;

fn seconds_since_1900() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2_208_988_800
}

#[test]
fn every_kind_of_address_at_once_and_a_port_file_with_a_line_for_each() {
    let addresses = [
        "tcp-l:0",
        "udp-l:0",
        "unix-l:DIR/u",
        "seqpacket-l:DIR/q",
        "unix-dgram-l:DIR/d",
        "tls-l:0",
        "tls+unix-l:DIR/t",
    ];
    let server = Echo::start(&[&["--self-signed"], &addresses[..]].concat());
    assert_eq!(server.ports.len(), addresses.len());
    let has_port: Vec<bool> = server.ports.iter().map(|port| *port != 0).collect();
    assert_eq!(has_port, [true, true, false, false, false, true, false]);
    let at = |at: usize| format!("127.0.0.1:{}", server.ports[at]);
    for words in [
        vec!["connect", &at(0)],
        vec!["connect", "-W1", &format!("udp:{}", at(1))],
        vec!["connect", &server.path("u")],
        vec!["connect", &format!("seqpacket:{}", server.path("q"))],
        vec!["connect", "-W1", &format!("unix-dgram:{}", server.path("d"))],
        vec!["tls-connect", "--insecure", &at(5)],
        vec!["tls-connect", "--insecure", &format!("unix:{}", server.path("t"))],
    ] {
        spile(&words).sends(format!("{words:?}")).eof().ends().exits(0).says(format!("{words:?}"));
    }
    server.counts("open", 0);
    let counters = server.counters();
    assert_eq!((&counters["connections"], &counters["datagram_peers"]), (&5.into(), &2.into()), "{counters}");
    assert_eq!(counters["received"], counters["sent"]);
    let port_file = server.path("ports");
    server.process.signal("TERM");
    server.process.ends().exits(0);
    assert!(!std::fs::exists(port_file).unwrap());
}

#[test]
fn what_comes_goes_back_to_clients_of_others() {
    // ncat says no close_notify.
    let tls = "tls-l:0,ignore-unexpected-eof";
    let server = Echo::start(&["--self-signed", "tcp-l:0", "udp-l:0", tls, "unix-l:DIR/u"]);
    let bytes = noise(1, 300_000);
    let [tcp, udp, tls, _] = server.ports[..] else { unreachable!() };
    for line in [
        format!("socat -t9 - TCP:127.0.0.1:{tcp}"),
        format!("socat -t9 - UNIX:{}", server.path("u")),
        format!("ncat 127.0.0.1 {tcp}"),
        format!("ncat -U {}", server.path("u")),
        format!("nc -N 127.0.0.1 {tcp}"),
        format!("socat -t9 - OPENSSL:127.0.0.1:{tls},verify=0"),
        format!("ncat --ssl 127.0.0.1 {tls}"),
    ] {
        let client = shell(&line).sends(&bytes).eof();
        assert!(client.ends().exits(0).stdout == bytes, "{line}");
    }
    let line = format!("printf hi | socat -T1 - UDP:127.0.0.1:{udp}");
    shell(&line).eof().ends().exits(0).says("hi");
    let at = format!("127.0.0.1:{tls}");
    program("openssl", &["s_client", "-quiet", "-connect", &at]).sends("hi\n").gets("hi\n");
}

#[test]
fn empty_and_large_datagrams_and_records_come_back_whole() {
    let server = Echo::start(&["udp-l:0", "seqpacket-l:DIR/q"]);
    let socket = udp();
    for n in [0, 1, 1472, 65_507] {
        let bytes = noise(n as u64 + 1, n);
        assert!(asked(&socket, server.port(), &bytes) == bytes, "{n}");
    }
    let line = format!("socat -t9 -b 200000 - UNIX-CONNECT:{},type=5", server.path("q"));
    let bytes = noise(9, 150_000);
    assert!(shell(&line).sends(&bytes).eof().ends().exits(0).stdout == bytes);
}

#[test]
fn discard_says_nothing_and_ends_when_its_peer_does() {
    let server = Echo::start(&["--mode", "discard", "tcp-l:0", "udp-l:0"]);
    let stream = server.connect();
    (&stream).write_all(&noise(1, 1 << 20)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), b"");
    udp().send_to(b"12345", ("127.0.0.1", server.ports[1])).unwrap();
    server.counts("received", (1 << 20) + 5);
    assert_eq!(server.counters()["sent"], 0);
}

#[test]
fn chargen_says_rfc_864s_lines_for_ever_and_takes_what_comes() {
    let server = Echo::start(&["--mode", "chargen", "tcp-l:0", "udp-l:0"]);
    let stream = server.connect();
    // More than fits into both buffers of the kernel: it must be read though it means nothing.
    let talking = std::thread::spawn({
        let stream = stream.try_clone().unwrap();
        move || (&stream).write_all(&vec![b'x'; 20 << 20]).unwrap()
    });
    let lines = exactly(&stream, 74 * 95 * 3);
    talking.join().unwrap();
    let first: Vec<u8> = (b' '..b' ' + 72).chain(*b"\r\n").collect();
    assert_eq!(&lines[..74], first);
    assert!(lines[74..].starts_with(b"!\"#$"));
    assert!(lines[..74 * 95] == lines[74 * 95..2 * 74 * 95]);
    // The end of what we say is not the end of what it says.
    stream.shutdown(Shutdown::Write).unwrap();
    exactly(&stream, 1 << 20);
    let socket = udp();
    let lengths: Vec<usize> = (0..50).map(|_| asked(&socket, server.ports[1], b"").len()).collect();
    assert!(lengths.iter().all(|n| *n <= 512), "{lengths:?}");
    assert!(lengths.iter().any(|n| *n != lengths[0]), "{lengths:?}");
}

#[test]
fn daytime_and_time_tell_the_time_on_connections_and_by_datagrams() {
    let server = Echo::start(&["--mode", "time", "tcp-l:0", "udp-l:0"]);
    let number = |bytes: Vec<u8>| u64::from(u32::from_be_bytes(bytes.try_into().unwrap()));
    let (before, first) = (seconds_since_1900(), number(server.speech()));
    let second = number(asked(&udp(), server.ports[1], b""));
    let after = seconds_since_1900();
    assert!(before <= first && first <= second && second <= after, "{before} {first} {second} {after}");
    let server = Echo::start(&["--mode", "daytime", "tcp-l:0", "udp-l:0"]);
    for text in [server.speech(), asked(&udp(), server.ports[1], b"?")] {
        let text = String::from_utf8(text).unwrap();
        let said = text.strip_suffix("-UTC\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let told = output_of("date", &["-u", "-d", &said.replace(',', ""), "+%s"]);
        let told: u64 = told.trim().parse().unwrap();
        assert!((before..=after + 20).contains(&(told + 2_208_988_800)), "{text:?}");
    }
}

#[test]
fn whoami_tells_address_process_and_certificate() {
    let pki = certificates();
    let (cert, key) = (pki.join("server.pem"), pki.join("server.key"));
    let tls = format!(
        "tls-l:0,cert={},key={},client-ca={},allow-any",
        cert.display(),
        key.display(),
        pki.join("ca.pem").display()
    );
    let server =
        Echo::start(&["--mode", "whoami", "tcp-l:0", "udp-l:0", "unix-l:DIR/u", &tls, "seqpacket-l:DIR/q"]);
    let stream = server.connect();
    let own = stream.local_addr().unwrap();
    let text = String::from_utf8(read_all(&stream)).unwrap();
    assert_eq!(text, format!("peer {own}\nlocal 127.0.0.1:{}\n", server.port()));
    let socket = udp();
    let text = String::from_utf8(asked(&socket, server.ports[1], b"")).unwrap();
    assert!(text.starts_with(&format!("peer {}\n", socket.local_addr().unwrap())), "{text}");
    for client in [
        format!("nc -U {}", server.path("u")),
        format!("socat -T1 - UNIX-CONNECT:{},type=5", server.path("q")),
    ] {
        let said = shell(&format!("echo $$; exec {client} </dev/null")).ends().exits(0);
        let said = String::from_utf8(said.stdout).unwrap();
        let (pid, text) = said.split_once('\n').unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert!(text.contains(&format!("pid {pid}\nuid {uid}\n")), "{client}: {said}");
    }
    let at = format!("127.0.0.1:{}", server.ports[3]);
    let path = |name: &str| pki.join(name).display().to_string();
    let said = spile([
        "tls-connect",
        &at,
        "--name",
        "localhost",
        "--cafile",
        &path("ca.pem"),
        "--cert",
        &path("client.pem"),
        "--key",
        &path("client.key"),
    ])
    .eof()
    .ends()
    .exits(0);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("tls 1.3 TLS_") && said.contains("CN=client\n") && said.contains("sni localhost"),
        "{said}"
    );
}

#[test]
fn a_file_is_the_same_for_everybody_and_its_reader_gets_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    let bytes = noise(5, 3_000_000);
    std::fs::write(&file, &bytes).unwrap();
    let server = Echo::start(&["--fixed", file.to_str().unwrap(), "tcp-l:0", "unix-l:DIR/u"]);
    // Whoever has sent something that nobody reads gets the answer, too, and no reset.
    let stream = server.connect();
    (&stream).write_all(&noise(6, 100_000)).unwrap();
    assert!(read_all(&stream) == bytes);
    assert!(server.speech() == bytes);
    let small = dir.path().join("s");
    std::fs::write(&small, "banner\n").unwrap();
    let server = Echo::start(&["--fixed", small.to_str().unwrap(), "udp-l:0"]);
    assert_eq!(asked(&udp(), server.port(), b"x"), b"banner\n");
}

#[test]
fn events_and_counters_are_objects_of_one_line_each() {
    let mut server = Echo::start(&["--json", "tcp-l:0"]);
    let stream = server.connect();
    (&stream).write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&stream), b"hello");
    server.process.line_with("closed");
    server.process.signal("USR1");
    server.process.line_with("spile.echo-server/1");
    server.process.signal("TERM");
    let ended = server.process.ends().exits(0);
    let objects: Vec<serde_json::Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = objects.iter().filter_map(|object| object["event"].as_str()).collect();
    assert_eq!(events, ["listening", "listening", "accepted", "closed"]);
    let counters: Vec<_> =
        objects.iter().filter(|object| object["schema"] == "spile.echo-server/1").collect();
    assert_eq!(counters.len(), 2, "on USR1 and at the end");
    assert_eq!((&counters[1]["connections"], &counters[1]["sent"]), (&1.into(), &5.into()));
}

#[test]
fn counters_are_told_as_text_on_usr1_and_at_the_end_where_asked_for() {
    let start = |flags: &[&str]| {
        let mut server = spile([&["echo-server", "tcp-l:127.0.0.1:0"], flags].concat());
        let stream = connect(server.port());
        (&stream).write_all(b"hello").unwrap();
        assert_eq!(exactly(&stream, 5), b"hello");
        server.signal("USR1");
        // While the connection is open.
        let line = server.line_with("echo: ");
        assert!(line.contains("1 connections, 1 open; 5 bytes from peers, 5 to them"), "{line}");
        server.signal("TERM");
        stream.shutdown(Shutdown::Write).unwrap();
        server.ends().exits(0)
    };
    start(&["--stats"]).complains("1 connections, 0 open");
    start(&["-v"]).complains("1 connections, 0 open");
    assert!(!start(&[]).stderr.contains("0 open"), "unasked");
}

#[test]
fn words_that_mean_nothing_together_are_refused_before_anything_is_opened() {
    for (words, why) in [
        (&["--mode", "fixed", "0"][..], "needs --fixed FILE"),
        (&["--fixed", "/nonexistent", "0"], "cannot read /nonexistent"),
        (&["--mode", "time", "--fixed", "/dev/null", "0"], "is for --mode fixed"),
        (&["--status", "503", "0"], "is for --mode http"),
        (&["--mode", "http", "udp-l:0"], "is for streams"),
        (&["--mode", "discard", "--half-close-test", "0"], "has no meaning for --mode discard"),
        (&["--close-after", "1", "--rst-after", "1", "0"], "cannot be used with"),
        (&["--close-after", "soon", "0"], "is neither a size nor a time"),
        (&["--chunk", "0", "0"], "would never end"),
        (&["0", "--", "cat"], "one word too many"),
        (&["--port-file", "p", "unix-l:@spile-has-no-port"], "the address has no port"),
        (&["--self-signed", "tcp-l:0"], "is not for tcp-l"),
        (&["--mode", "ecko", "0"], "ecko"),
        (&["--chunk", "1", "0", "udp-l:0"], "flag --chunk is for streams, and udp-l:0 is none"),
        (&["--chunk", "1", "seqpacket-l:@spile-s"], "flag --chunk is for streams"),
        (&["--mode", "discard", "--chunk", "1", "0"], "flag --chunk has no meaning for --mode discard"),
        (&["--close-after", "1", "udp-l:0"], "flag --close-after is for connections"),
        (&["--close-after", "1s", "unix-dgram-l:@spile-d"], "flag --close-after is for connections"),
        (&["--half-close-test", "udp-l:0"], "flag --half-close-test is for connections"),
        (&["--rst-after", "1", "0", "udp-l:0"], "flag --rst-after is for TCP"),
        (&["--rst-after", "1", "0", "unix-l:@spile-u"], "flag --rst-after is for TCP"),
        (&["--rst-after", "1s", "seqpacket-l:@spile-s"], "flag --rst-after is for TCP"),
        (&["--rst-after", "1s", "vsock-l:7"], "flag --rst-after is for TCP"),
        (&["--self-signed", "--rst-after", "1", "tls+unix-l:@spile-u"], "flag --rst-after is for TCP"),
        (
            &["--mode", "daytime", "--rate", "1K", "udp-l:0"],
            "flag --rate has no meaning for --mode daytime on",
        ),
        (&["--mode", "chargen", "--rate", "1K", "unix-dgram-l:@spile-d"], "flag --rate has no meaning"),
        (&["--mode", "http", "seqpacket-l:@spile-s"], "is for streams"),
    ] {
        let status = if why.starts_with("cannot read") { 1 } else { 2 };
        spile([&["echo-server"], words].concat()).ends().exits(status).complains(why);
    }
}

#[test]
fn vsock_is_served_where_the_kernel_can_connect_to_itself() {
    const CLIENT: &str = "
import socket, sys
c = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
c.settimeout(2)
try: c.connect((1, int(sys.argv[1])))
except OSError: sys.exit(3)
c.settimeout(20)
c.sendall(b'hello'); c.shutdown(socket.SHUT_WR)
got = b''
while piece := c.recv(99): got += piece
print(got.decode())
";
    let port = 20_000 + std::process::id() % 1_000_000;
    let address = format!("vsock-l:{port}");
    if !std::path::Path::new("/dev/vsock").exists() {
        spile(["echo-server", &address]).ends().exits(7).complains("vsock");
        skipped("there is no vsock here");
        return;
    }
    let server = Echo::start(&["tcp-l:0", &address]);
    let client = program("python3", &["-c", CLIENT, &port.to_string()]).ends();
    if client.status == 3 {
        skipped("vsock does not connect to itself here (modprobe vsock_loopback)");
        return;
    }
    client.exits(0).says("hello\n");
    server.counts("open", 0);
    assert_eq!(server.counters()["connections"], 1);
}

#[test]
fn what_systemd_passes_is_judged_once_it_is_known() {
    let port = free_port();
    let line = format!("exec systemd-socket-activate --datagram -l 127.0.0.1:{port}");
    let mut server = shell(&format!("{line} $SPILE echo-server --rst-after 1 systemd-l"));
    server.line_with("Listening");
    udp().send_to(b"wake", ("127.0.0.1", port.parse().unwrap())).unwrap();
    server.ends().exits(2).complains("flag --rst-after is for TCP");
}
