//! The rules of a safe TLS server, each against a program of somebody else. Those about broken clients (15, 25, 26)
//! are in limits.rs, those about certificates of clients (12, 13, 16 to 18) in rules_mutual.rs.

use std::io::Write;
use std::process::Command;

use crate::harness::tls::serve;
use crate::harness::*;

const CLIENT: [&str; 4] = ["-cert", "client.pem", "-key", "client.key"];

/// `openssl s_client` in the directory of the certificates.
fn s_client(port: &str, more: &[&str]) -> Process {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-4", "-connect", &format!("localhost:{port}"), "-CAfile", "ca.pem"]);
    command.args(["-verify_return_error"]).args(more).current_dir(certificates());
    start(command)
}

/// Rule 3: every normal end is said: a program's, and that of a service that waits no longer.
#[test]
fn close_notify_is_said_at_every_normal_end() {
    // OpenSSL complains of an end without close_notify, and its status tells, too.
    let is_clean = |client: Process| {
        let ended = client.ends().exits(0);
        assert!(!ended.stderr.contains("unexpected eof"), "{ended:?}");
        ended
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let (_server, port) = serve(&["--", "echo", "bye"]);
        is_clean(s_client(&port, &["-quiet", version])).says("bye\n");
        for (signal, status) in [("INT", 130), ("TERM", 143)] {
            let (server, port) = serve(&["--grace", "100ms", "--echo"]);
            let client = s_client(&port, &["-quiet", version]).sends("x\n").gets("x\n");
            server.signal(signal);
            server.ends().exits(status);
            is_clean(client);
        }
    }
}

/// Rule 4: what was said last arrives though the client reads slowly, and goes on speaking to nobody.
#[test]
fn all_arrives_before_the_close() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file").display().to_string();
    let bytes = noise(7, 2_000_000);
    std::fs::write(&file, &bytes).unwrap();
    let (_server, port) = serve(&["--send", &file]);
    let speaks = "(for i in $(seq 50); do sleep .02; echo more; done) & sleep .5";
    let line = format!("{speaks}; cat >{file}.got; wait");
    let target = format!("OPENSSL:localhost:{port},pf=ip4,cafile={}", certificate("ca.pem"));
    program("socat", &[&target, &format!("SYSTEM:{line}")]).ends();
    let got = std::fs::read(format!("{file}.got")).unwrap();
    assert!(got == bytes, "{} of {} bytes", got.len(), bytes.len());
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

/// Rule 29: neither what is said over a connection nor its secrets are in anything that is told of it.
#[test]
fn logs_have_neither_plain_text_nor_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("keys").display().to_string();
    let (server, port) = serve(&["-v", "--json", "--show-hello", "--count", "2", "--keylog", &log, "--echo"]);
    let (place, ca) = (format!("localhost:{port}"), certificate("ca.pem"));
    for version in ["1.2", "1.3"] {
        let args = ["tls-connect", "-v", "--json", "--max", version, "-4", &place, "--cafile", &ca];
        let client = spile(args).sends("swordfish").gets("swordfish").eof().ends().exits(0);
        assert!(!client.stderr.contains("swordfish"), "{}", client.stderr);
        assert!(client.stderr.contains("spile.tls/1"), "nothing is told: {}", client.stderr);
    }
    let told = server.ends().exits(0).stderr;
    assert!(told.contains("spile.tls/1") && told.contains("localhost"), "nothing is told: {told}");
    assert!(!told.contains("swordfish"), "{told}");
    let keys = std::fs::read_to_string(&log).unwrap();
    let secrets: Vec<&str> = keys.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert!(secrets.len() > 4, "{keys}");
    for secret in secrets {
        assert!(!told.to_lowercase().contains(secret), "{told}");
    }
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
    // The port is bound on the two loopback addresses, and nowhere else.
    let mut server = spile(["tls-serve", "0", "--cert", &both, "--echo"]);
    let port = server.port();
    let bound = output_of("ss", &["-H", "-l", "-n", "-t", &format!("sport = :{port}")]);
    for line in bound.lines() {
        let local = line.split_whitespace().nth(3).unwrap();
        assert!(local.starts_with("127.0.0.1:") || local.starts_with("[::1]:"), "{line}");
    }
    assert!(!bound.is_empty());
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

/// Rule 33: the key of a certificate that is made on the spot is nowhere, and such a certificate can sign no other.
#[test]
fn a_key_that_is_made_on_the_spot_is_nowhere() {
    let shop = Workshop::new();
    let line = "cd PLACE && exec $SPILE tls-serve --self-signed 127.0.0.1:0 --cert-out cert.pem --echo";
    let mut server = shell(&line.replace("PLACE", &shop.path("").display().to_string()));
    let port = server.port().to_string();
    assert_eq!(shop.files(), ["cert.pem"]);
    let file = String::from_utf8(shop.read("cert.pem")).unwrap();
    assert_eq!((file.matches("-----BEGIN ").count(), file.contains("PRIVATE")), (1, false), "{file}");
    let text = shop.says("openssl x509 -in cert.pem -noout -text");
    assert!(text.contains("CA:FALSE") && !text.contains("Certificate Sign"), "{text}");
    // For a month, as `openssl x509 -checkend` counts it.
    shop.says("openssl x509 -in cert.pem -noout -checkend $((29 * 86400))");
    shop.runs("openssl x509 -in cert.pem -noout -checkend $((31 * 86400))").exits(1);
    drop(
        s_client(&port, &["-quiet", "-CAfile", &shop.path("cert.pem").display().to_string()])
            .sends("x\n")
            .gets("x\n"),
    );
    server.signal("INT");
    server.ends();
    assert_eq!(shop.files(), ["cert.pem"]);
}
