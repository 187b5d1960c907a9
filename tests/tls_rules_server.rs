//! The rules of a safe TLS server, each against a program of somebody else.

mod harness;

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::*;

const CLIENT: [&str; 4] = ["-cert", "client.pem", "-key", "client.key"];

fn serve(more: &[&str]) -> (Process, String) {
    let both = certificate("server.both");
    let mut args = vec!["tls-serve", "127.0.0.1:0", "--cert", &both];
    args.extend(more);
    let mut server = spile(args);
    let port = server.port().to_string();
    (server, port)
}

/// `openssl s_client` in the directory of the certificates.
fn s_client(port: &str, more: &[&str]) -> Process {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-4", "-connect", &format!("localhost:{port}"), "-CAfile", "ca.pem"]);
    command.args(["-verify_return_error"]).args(more).current_dir(certificates());
    start(command)
}

fn raise_open_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let more = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, more).unwrap();
}

/// Rule 3: every normal end is said, the child's and a signal's, too.
#[test]
fn close_notify_is_said_at_every_normal_end() {
    for version in ["-tls1_2", "-tls1_3"] {
        let (_server, port) = serve(&["--", "echo", "bye"]);
        let ended = s_client(&port, &["-quiet", version]).ends().exits(0).says("bye\n");
        assert!(!ended.stderr.contains("unexpected eof"), "{ended:?}");
        let (server, port) = serve(&["--grace", "100ms", "--echo"]);
        let client = s_client(&port, &["-quiet", version]).sends("x\n").gets("x\n");
        server.signal("INT");
        server.ends();
        let ended = client.ends();
        // Somebody who does not want to wait gets no more than a cut.
        assert!(ended.status == 0 || ended.stderr.contains("unexpected eof"), "{ended:?}");
    }
}

/// Rule 4: what was said last arrives though the client reads slowly.
#[test]
fn all_arrives_before_the_close() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file").display().to_string();
    let bytes = noise(7, 2_000_000);
    std::fs::write(&file, &bytes).unwrap();
    let (_server, port) = serve(&["--send", &file]);
    let line = format!("sleep .5; cat >{file}.got");
    let target = format!("OPENSSL:localhost:{port},pf=ip4,cafile={}", certificate("ca.pem"));
    program("socat", &["-u", &target, &format!("SYSTEM:{line}")]).ends().exits(0);
    wait_until("all is there", || std::fs::read(format!("{file}.got")).is_ok_and(|got| got == bytes));
}

/// A session is kept in a file by a first connection and offered by later ones; how each came about, and what the
/// command was told of the client.
struct Resumption {
    dir: tempfile::TempDir,
    version: &'static str,
}

impl Resumption {
    fn connect(&self, port: &str, more: &[&str]) -> String {
        let session = self.dir.path().join("session").display().to_string();
        let keep = if self.dir.path().join("session").exists() { "-sess_in" } else { "-sess_out" };
        let args = [&[self.version, keep, &session, "-ign_eof"], &CLIENT[..], more].concat();
        let ended = s_client(port, &args).sends("hello\n").ends();
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }
}

/// Rule 19: who was verified stays who it is in a resumed session; a new configuration takes none of the old tickets.
#[test]
fn resumed_sessions_keep_the_client_and_end_with_the_configuration() {
    for version in ["-tls1_2", "-tls1_3"] {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca").display().to_string();
        std::fs::copy(certificate("ca.pem"), &ca).unwrap();
        let line = "head -n 1 >&2; echo \"client: $SPILE_TLS_PEER_SUBJECT\"";
        let (mut server, port) =
            serve(&["-v", "--client-ca", &ca, "--allow-cn", "client", "--", "sh", "-c", line]);
        let resumption = Resumption { dir: tempfile::tempdir().unwrap(), version };
        let first = resumption.connect(&port, &[]);
        assert!(first.contains("New, TLSv") && first.contains("client: OU=tests, CN=client"), "{first}");
        let second = resumption.connect(&port, &[]);
        assert!(second.contains("Reused, TLSv"), "{version}: {second}");
        assert!(second.contains("client: OU=tests, CN=client"), "{second}");
        server.signal("HUP");
        server.line("spile tls-serve: read again");
        let third = resumption.connect(&port, &[]);
        assert!(third.contains("New, TLSv") && third.contains("client: OU=tests"), "{version}: {third}");
        // An authority that is no more lets nobody in, resumed or not.
        std::fs::copy(certificate("other-ca.pem"), &ca).unwrap();
        server.signal("HUP");
        wait_until("that is known", || !resumption.connect(&port, &[]).contains("client: "));
    }
}

/// Rule 23: keys of sessions are logged by a flag alone.
#[test]
fn the_environment_does_not_log_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (hidden, asked) = (dir.path().join("hidden"), dir.path().join("asked"));
    let mut command = Command::new(SPILE);
    command.env("SSLKEYLOGFILE", &hidden);
    command.args(["tls-serve", "127.0.0.1:0", "--echo", "--cert", &certificate("server.both"), "--keylog"]);
    let mut server = start({
        command.arg(&asked);
        command
    });
    server.line("spile tls-serve: keylog: who reads ");
    let port = server.port().to_string();
    drop(s_client(&port, &["-quiet"]).sends("x\n").gets("x\n"));
    let text = std::fs::read_to_string(&asked).unwrap();
    assert!(text.contains("SERVER_TRAFFIC_SECRET_0"), "{text}");
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::metadata(&asked).unwrap().mode() & 0o777, 0o600);
    assert!(!hidden.exists());
}

/// Rule 24: a request that could be replayed is not taken.
#[test]
fn early_data_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (session, early) = (path("session"), path("early"));
    std::fs::write(&early, "POST /pay\n").unwrap();
    let (_server, port) = serve(&["--", "head", "-n", "1"]);
    s_client(&port, &["-tls1_3", "-ign_eof", "-sess_out", &session]).sends("one\n").ends();
    for _ in 0..2 {
        let args = ["-tls1_3", "-ign_eof", "-sess_in", &session, "-early_data", &early];
        let ended = s_client(&port, &args).sends("two\n").ends();
        let text = String::from_utf8_lossy(&ended.stdout);
        assert!(!text.contains("POST") && !text.contains("Early data was accepted"), "{text}");
        assert!(text.contains("two"), "{text}");
    }
}

/// Rules 25 and 26: clients that only connect, or stall, take no place from those who speak.
#[test]
fn a_thousand_idle_clients_hold_nobody_up() {
    raise_open_files();
    let (_server, port) = serve(&["--echo"]);
    let number = port.parse().unwrap();
    let idle: Vec<TcpStream> = (0..1000).map(|_| connect(number)).collect();
    let started = Instant::now();
    drop(s_client(&port, &["-quiet"]).sends("x\n").gets("x\n"));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    drop(idle);
}

/// Rule 26: handshakes that were begun and not gone on with are limited, and do not lock others out.
#[test]
fn handshakes_are_limited() {
    let (mut server, port) = serve(&["-v", "--max-handshakes", "1", "--handshake-timeout", "15s", "--echo"]);
    // The first flight of a client, who then says no more.
    let (sender, heard) = std::sync::mpsc::channel();
    let recorder = harness::server(move |mut stream| {
        let mut hello = vec![0; 4096];
        let n = std::io::Read::read(&mut stream, &mut hello).unwrap();
        let _ = sender.send(hello[..n].to_vec());
    });
    let _client = s_client(&recorder.to_string(), &["-tls1_3"]);
    let hello = heard.recv_timeout(DEADLINE).unwrap();
    let mut stalled = connect(port.parse().unwrap());
    stalled.write_all(&hello).unwrap();
    let mut byte = [0; 1];
    std::io::Read::read_exact(&mut stalled, &mut byte).unwrap();
    drop(s_client(&port, &["-quiet"]).sends("x\n").gets("x\n"));
    server.line_with("made room for others (--max-handshakes 1)");
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
    drop(s_client(&port, &["-quiet"]).sends("x\n").gets("x\n"));
}

/// Rule 27: whoever speaks something else gets TLS's own answer.
#[test]
fn http_is_answered_with_an_alert() {
    let (mut server, port) = serve(&["--echo"]);
    let mut stream = connect(port.parse().unwrap());
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(read_all(&stream), [0x15, 3, 3, 0, 2, 2, 0x32]);
    server.line_with("peer does not speak TLS (first bytes \"GET / HTTP/1.0");
}

/// Rule 28: no byte of a client's reaches a terminal as it is.
#[test]
fn names_of_clients_do_nothing_to_a_terminal() {
    let shop = Workshop::new();
    let of = certificates().display();
    shop.says(&format!(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out evil.key 2>&1
        openssl req -new -key evil.key -subj \"/CN=$(printf 'a\\033[31m\\a')\" -out evil.csr 2>&1
        printf 'extendedKeyUsage=clientAuth\\nbasicConstraints=critical,CA:FALSE\\n' >ext
        openssl x509 -req -in evil.csr -CA {of}/ca.pem -CAkey {of}/ca.key -CAcreateserial -CAserial serial \
            -days 9 -extfile ext -out evil.pem 2>&1"
    ));
    let path = |name: &str| shop.path(name).display().to_string();
    let (cert, key, ca) = (path("evil.pem"), path("evil.key"), certificate("ca.pem"));
    let line = "env | grep SPILE_TLS_";
    let asks = ["-v", "--json", "--show-hello", "--count", "1", "--client-ca", &ca, "--allow-any"];
    let (server, port) = serve(&[&asks[..], &["--alpn", "x", "--", "sh", "-c", line]].concat());
    let ended = s_client(&port, &["-quiet", "-cert", &cert, "-key", &key]).ends().exits(0);
    let told = String::from_utf8(ended.stdout).unwrap();
    assert!(told.contains("SPILE_TLS_PEER_SUBJECT=CN=a"), "{told}");
    let ours = server.ends().exits(0).stderr;
    let bad = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!bad(&told) && !bad(&ours), "{told:?} {ours:?}");
    assert!(ours.contains("CN=a"), "{ours}");
}

/// Rule 29: an unknown host gets the first certificate, or with --strict-sni a refusal.
#[test]
fn unknown_hosts_get_the_first_certificate_or_a_refusal() {
    let (_server, port) = serve(&["--echo"]);
    drop(s_client(&port, &["-quiet", "-servername", "nobody.test"]).sends("x\n").gets("x\n"));
    let (mut server, port) = serve(&["--strict-sni", "--echo"]);
    drop(s_client(&port, &["-quiet", "-servername", "localhost"]).sends("x\n").gets("x\n"));
    let ended = s_client(&port, &["-quiet", "-servername", "nobody.test"]).ends().exits(1);
    ended.complains("unrecognized name");
    server.line_with("nobody.test");
}

/// Rule 30: plain text stays on this host, and so does the server unless told otherwise.
#[test]
fn the_plain_side_stays_local() {
    let both = certificate("server.both");
    for away in ["192.0.2.1:80", "example.invalid:80", "[2001:db8::1]:80"] {
        let ended = spile(["tls-serve", "0", "--cert", &both, "--forward", away]).ends().exits(2);
        ended.complains("would leave this host in plain text").complains("--unsafe-forward");
        let args = ["tls-serve", "0", "--cert", &both, "--forward", away, "--unsafe-forward"];
        let mut allowed = spile(args);
        allowed.line("listening tls 127.0.0.1:");
        allowed.line("listening tls [::1]:");
    }
}

/// Rule 31: a reload that cannot be done changes nothing, and connections outlive one that can.
#[test]
fn a_reload_is_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("both").display().to_string();
    let crl = dir.path().join("crl").display().to_string();
    std::fs::copy(certificate("server.both"), &file).unwrap();
    std::fs::copy(certificate("crl.pem"), &crl).unwrap();
    let ca = certificate("ca.pem");
    let args = ["tls-serve", "-v", "127.0.0.1:0", "--cert", &file, "--echo", "--client-ca", &ca];
    let mut server = spile([&args[..], &["--client-optional", "--allow-any", "--crl", &crl]].concat());
    let port = server.port().to_string();
    let before = s_client(&port, &["-quiet"]).sends("a\n").gets("a\n");
    // A good new certificate, and a list that is none: neither is taken.
    std::fs::copy(certificate("stranger.both"), &file).unwrap();
    std::fs::write(&crl, "-----BEGIN X509 CRL-----\n").unwrap();
    server.signal("HUP");
    server.line("spile tls-serve: not read again, all stays as it was: ");
    drop(s_client(&port, &["-quiet"]).sends("b\n").gets("b\n"));
    std::fs::copy(certificate("crl.pem"), &crl).unwrap();
    server.signal("HUP");
    server.line("spile tls-serve: read again: certificates and keys");
    s_client(&port, &["-quiet"]).ends().exits(1).complains("verify error");
    drop(before.sends("c\n").gets("c\n"));
}
