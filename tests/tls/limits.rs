//! What a broken client can do to tls-serve: nothing. It may spoil its hello, put words before it, stall, or come in
//! great numbers. Rules 15, 25 and 26.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::tls::serve;
use crate::harness::*;

/// A client's hello as OpenSSL sends it: the first record of the connection.
fn hello(options: &[&str]) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _client = program("openssl", &[&["s_client", "-connect", &address], options].concat());
    let mut stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).unwrap();
    record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
    stream.read_exact(&mut record[5..]).unwrap();
    record
}

/// The n-th way to spoil a hello: three of four have one byte changed, the fourth is cut off.
fn spoiled(hello: &[u8], n: usize) -> Vec<u8> {
    let chance = noise(n as u64 + 1, 8);
    let mut spoiled = hello.to_vec();
    let place = usize::from(u16::from_le_bytes([chance[0], chance[1]])) % hello.len();
    match n % 4 {
        0 => spoiled.truncate(place),
        _ => spoiled[place] ^= chance[2].max(1),
    }
    spoiled
}

/// Sends this and no more, and gets what the server says until it closes.
fn answer(port: u16, hello: &[u8]) -> Vec<u8> {
    let mut stream: TcpStream = connect(port);
    // It may have closed already.
    let _ = stream.write_all(hello).and_then(|()| stream.shutdown(Shutdown::Write));
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return said,
            Ok(n) => said.extend_from_slice(&piece[..n]),
            // It has not read all that we sent.
            Err(why) if why.kind() == ErrorKind::ConnectionReset => return said,
            Err(why) => panic!("neither an answer nor an end: {why}, after {}", said.escape_ascii()),
        }
    }
}

/// The types of the records of an answer, which must be whole.
fn record_types(mut said: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, 3, 0..=3, high, low, rest @ ..] = said {
        types.push(*kind);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        assert!(rest.len() >= length, "half a record: {}", said.escape_ascii());
        said = &rest[length..];
    }
    assert!(said.is_empty(), "no record of TLS: {}", said.escape_ascii());
    types
}

fn s_client(port: &str) -> Process {
    let (place, ca) = (format!("localhost:{port}"), certificate("ca.pem"));
    let args = ["s_client", "-4", "-connect", &place, "-CAfile", &ca, "-verify_return_error", "-quiet"];
    program("openssl", &args)
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;

fn serves_a_good_client(port: u16) {
    let (address, ca) = (format!("localhost:{port}"), certificate("ca.pem"));
    spile(["tls-connect", "-4", &address, "--cafile", &ca]).sends("good").eof().ends().exits(0).says("good");
}

#[test]
fn spoiled_hellos_get_an_alert_or_an_end_and_cost_no_memory() {
    let hellos =
        [&["-tls1_2"][..], &["-tls1_3"], &["-servername", "localhost", "-alpn", "h2,http/1.1"]].map(hello);
    let (cert, key) = (certificate("server.pem"), certificate("server.key"));
    let mut server = spile(["tls-serve", "127.0.0.1:0", "--cert", &cert, "--key", &key, "-v", "--echo"]);
    let port = server.port();
    serves_a_good_client(port);

    let (mut alerts, mut before) = (0, 0);
    for n in 0..500 {
        let sent = spoiled(&hellos[n % hellos.len()], n);
        let types = record_types(&answer(port, &sent));
        let known = types.iter().all(|kind| (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(kind));
        assert!(known, "records {types:?} for {}", sent.escape_ascii());
        alerts += usize::from(types.contains(&ALERT));
        if n == 100 {
            before = resident_kib(server.pid());
        }
    }
    // Most bytes of a hello are random ones or lists, in which a change is no fault.
    assert!(alerts > 50, "only {alerts} of 500 got an alert");
    assert!(server.is_running());
    let after = resident_kib(server.pid());
    assert!(after < before + 8192, "{before} KiB after 100 hellos, {after} KiB after 500");
    serves_a_good_client(port);
}

/// Rule 15, at the server: what somebody has put in before TLS is nobody's request, whatever follows it.
#[test]
fn plain_text_before_tls_is_never_served() {
    let hello = hello(&["-tls1_3"]);
    let extra = b"DELETE /everything HTTP/1.0\r\n\r\n";
    let header = b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 443\r\n";
    for (flags, before) in [(&[][..], &b""[..]), (&["--accept-proxy"], header)] {
        // What is served goes to stdout.
        let (server, port) = serve(&[flags, &["-v", "--count", "1", "--recv-only"]].concat());
        for after in [&b""[..], extra, &hello] {
            let mut stream = connect(port.parse().unwrap());
            stream.write_all(&[before, extra, after].concat()).unwrap();
            // The alert unexpected_message or decode_error, and no ServerHello.
            assert_eq!(read_all(&stream)[..5], [0x15, 3, 3, 0, 2]);
        }
        let mut stream = connect(port.parse().unwrap());
        stream.write_all(&[before, &hello].concat()).unwrap();
        let mut kind = [0; 1];
        stream.read_exact(&mut kind).unwrap();
        assert_eq!(kind, [0x16], "a hello by itself is answered");
        drop(stream);
        server.signal("TERM");
        server.ends().says("");
    }
}

fn raise_open_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let more = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, more).unwrap();
}

/// Rules 25 and 26: clients that only connect, or stall, take no place from those who speak.
#[test]
fn a_thousand_idle_clients_hold_nobody_up() {
    raise_open_files();
    let (_server, port) = serve(&["--echo"]);
    let number = port.parse().unwrap();
    let idle: Vec<TcpStream> = (0..1000).map(|_| connect(number)).collect();
    in_time(Duration::from_secs(1), || {
        let started = Instant::now();
        drop(s_client(&port).sends("x\n").gets("x\n"));
        started.elapsed()
    });
    drop(idle);
}

/// Rule 25: the limit is one of the whole handshake. A client that says a byte now and then is cut off, too; and ten
/// seconds are enough for everybody.
#[test]
fn a_handshake_has_a_limit_that_crumbs_do_not_move() {
    let hello = hello(&["-tls1_3"]);
    let (mut server, port) = serve(&["-v", "--echo"]);
    let by_default = connect(port.parse().unwrap());
    let (mut hasty, port) = serve(&["-v", "--handshake-timeout", "1s", "--echo"]);
    let mut stream = connect(port.parse().unwrap());
    let started = Instant::now();
    // At this pace the hello would take half a minute.
    let crumbs = hello.iter().take_while(|byte| {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(&[**byte]).is_ok()
    });
    assert!(crumbs.count() < 60, "{:?}", started.elapsed());
    hasty.line_with("the handshake was not done within 1s (--handshake-timeout)");
    server.line_with("it has said nothing within 10s (--handshake-timeout)");
    assert!(started.elapsed() > Duration::from_secs(8));
    drop(by_default);
}

/// A client that sends its hello, hears a byte of the answer, and says no more.
fn stalls(port: &str, hello: &[u8]) -> TcpStream {
    let mut stalled = connect(port.parse().unwrap());
    stalled.write_all(hello).unwrap();
    stalled.read_exact(&mut [0; 1]).unwrap();
    stalled
}

/// Rule 26: so many handshakes are under way at once, 1024 where nothing is said; for one more, the first makes room: who
/// stalls locks nobody out.
#[test]
fn handshakes_are_limited() {
    raise_open_files();
    let hello = hello(&["-tls1_3"]);
    for (flags, most) in [(&["--max-handshakes", "1"][..], 1), (&[], 1024)] {
        let (mut server, port) = serve(&[&["-v", "--handshake-timeout", "1h", "--echo"], flags].concat());
        let mut stalled: Vec<TcpStream> = (0..most).map(|_| stalls(&port, &hello)).collect();
        for one in &stalled {
            one.set_nonblocking(true).unwrap();
            assert!(!is_over(one), "room is made too early");
        }
        drop(s_client(&port).sends("x\n").gets("x\n"));
        server.line_with(&format!("made room for others (--max-handshakes {most})"));
        let first = stalled.remove(0);
        first.set_nonblocking(false).unwrap();
        let _ = (&first).read_to_end(&mut Vec::new());
        assert!(stalled.iter().all(|other| !is_over(other)), "more than one made room");
    }
    // Who stalls does not keep its place for ever.
    let (mut server, port) = serve(&["-v", "--max-handshakes", "1", "--handshake-timeout", "1s", "--echo"]);
    let _stalled = stalls(&port, &hello);
    server.line_with("the handshake was not done within 1s");
    drop(s_client(&port).sends("x\n").gets("x\n"));
}

/// Reads what has come. True once the peer has ended or reset the connection, which must not block.
fn is_over(mut stream: &TcpStream) -> bool {
    match stream.read(&mut [0; 64 * 1024]) {
        Ok(n) => n == 0,
        Err(why) => why.kind() != ErrorKind::WouldBlock,
    }
}

/// Rule 26: a service has its limits without being asked.
#[test]
fn a_service_is_limited_where_nothing_is_said() {
    let both = certificate("server.both");
    let plan = spile(["tls-serve", "--explain", "0", "--cert", &both, "--echo"]).eof().ends().exits(0);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(plan.contains("\"max-conns\": \"256\""), "{plan}");
}

/// Rule 26: out of descriptors is a pause and no busy loop, and it ends.
#[test]
fn a_server_out_of_descriptors_pauses_and_recovers() {
    let both = certificate("server.both");
    let mut server = shell(&format!("ulimit -n 64; exec $SPILE tls-serve 127.0.0.1:0 --cert {both} --echo"));
    let port = server.port().to_string();
    let number = port.parse().unwrap();
    let idle: Vec<TcpStream> = (0..100).map(|_| connect(number)).collect();
    server.line("spile tls-serve: cannot accept, trying again: Too many open files");
    let before = server.cpu();
    std::thread::sleep(Duration::from_millis(500)); // time to burn
    assert!(server.cpu() - before < 0.2, "a busy loop");
    drop(idle);
    drop(s_client(&port).sends("x\n").gets("x\n"));
}
