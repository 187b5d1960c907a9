//! What a broken client can do to tls-serve: nothing. Hellos of OpenSSL with one byte changed, or cut off.

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use harness::*;

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
