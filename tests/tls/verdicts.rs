//! What tls-connect makes of a server, and tls-serve of a client, with OpenSSL at the other end: the exit status, the
//! words, and what the peer is told.

use std::process::Command;

use crate::harness::*;

/// A server of OpenSSL. `openssl s_server` and what follows; it is ended with the value.
struct Server {
    port: String,
    _process: Process,
}

fn openssl(options: &str) -> Server {
    let port = free_port();
    let command = format!("s_server -accept 127.0.0.1:{port} -quiet {options}");
    let process = openssl_process(&command);
    wait_until("openssl listens", || is_listening(&port));
    Server { port, _process: process }
}

fn openssl_process(line: &str) -> Process {
    let words = filled(line);
    program("openssl", &words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Words of a line in which `PKI/` stands before what certificates.sh makes.
fn filled(line: &str) -> Vec<String> {
    let place = format!("{}/", certificates().display());
    line.split_whitespace().map(|word| word.replace("PKI/", &place)).collect()
}

/// tls-connect without the roots that this machine may have in its environment.
fn connect_to(server: &Server, options: &str) -> Ended {
    let mut command = Command::new(SPILE);
    command.args(["tls-connect", &format!("localhost:{}", server.port)]).args(filled(options));
    // OpenSSL's server does not close when its client has: half a second for what is on its way is enough.
    command.args(["--linger", "500ms"]);
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    start(command).eof().ends()
}

/// The status, and words that must be there.
fn is_told(ended: Ended, status: i32, words: &[&str]) {
    let ended = ended.exits(status);
    for part in words {
        assert!(ended.stderr.contains(part), "{part:?} is missing in: {}", ended.stderr);
    }
    assert!(ended.stderr.lines().count() <= 3, "more than a failure and its hint: {}", ended.stderr);
}

const GOOD: &str = "-cert PKI/server.pem -key PKI/server.key";

#[test]
fn a_trusted_server_is_trusted_by_name_and_by_address() {
    let server = openssl(GOOD);
    connect_to(&server, "--cafile PKI/ca.pem").exits(0);
    connect_to(&server, "--cafile PKI/ca.pem --name 127.0.0.1").exits(0);
    connect_to(&server, "--cafile PKI/ca.pem --name a.spile.test").exits(0);
    connect_to(&server, "--cafile PKI/other-ca.pem --ca-add PKI/ca.pem").exits(0);
}

#[test]
fn a_wrong_name_is_told_with_the_right_ones() {
    let server = openssl(GOOD);
    let words = ["not valid for 'b.a.spile.test'", "hint: it names localhost, *.spile.test, 127.0.0.1, ::1"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem --name b.a.spile.test"), 60, &words);
}

#[test]
fn a_server_of_nobody_is_refused_and_cafile_replaces_the_system() {
    let server = openssl("-cert PKI/stranger.pem -key PKI/stranger.key");
    let words = ["'CN=another CA' is not among the one authority of file:", "1 certificate was sent"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem"), 60, &words);
    is_told(connect_to(&server, "--roots mozilla"), 60, &["authorities of mozilla"]);
}

#[test]
fn a_missing_intermediate_is_told_and_a_whole_chain_is_trusted() {
    let server = openssl("-cert PKI/chain.pem -key PKI/chain.key");
    let words = ["'CN=spile intermediate CA'", "an intermediate certificate is missing"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem"), 60, &words);
    let server = openssl("-cert PKI/chain.pem -key PKI/chain.key -cert_chain PKI/chain.pem");
    connect_to(&server, "--cafile PKI/ca.pem").exits(0);
}

#[test]
fn an_expired_server_is_refused_now_and_trusted_then() {
    let server = openssl("-cert PKI/expired.pem -key PKI/expired.key");
    let words = ["certificate expired on 2020-02-01T00:00:00Z", "days ago", "hint: it was judged at"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem"), 60, &words);
    // webpki does not look at the dates of an authority (RFC 5280, 6.1.1 d): it was made today.
    is_told(connect_to(&server, "--cafile PKI/ca.pem --at 2020-01-15T00:00:00Z"), 0, &[]);
    let words = ["certificate is valid from 2020-01-01T00:00:00Z on, in 31 days"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem --at 2019-12-01T00:00:00Z"), 60, &words);
}

#[test]
fn a_revoked_server_is_refused_with_the_list_that_says_so() {
    let server = openssl("-cert PKI/revoked.pem -key PKI/revoked.key");
    connect_to(&server, "--cafile PKI/ca.pem").exits(0);
    let words = ["certificate was revoked on", "crl.pem"];
    is_told(connect_to(&server, "--cafile PKI/ca.pem --crl PKI/crl.pem"), 60, &words);
    let server = openssl(GOOD);
    connect_to(&server, "--cafile PKI/ca.pem --crl PKI/crl.pem").exits(0);
}

#[test]
fn a_self_signed_ca_certificate_is_trusted_as_exactly_this() {
    let server = openssl("-cert PKI/selfsigned.pem -key PKI/selfsigned.key");
    let words = ["a self-signed CA certificate", "--trust-cert FILE"];
    is_told(connect_to(&server, "--cafile PKI/selfsigned.pem"), 60, &words);
    connect_to(&server, "--trust-cert PKI/selfsigned.pem").exits(0);
    is_told(connect_to(&server, "--trust-cert PKI/server.pem"), 60, &[]);
    is_told(connect_to(&server, "--trust-cert PKI/selfsigned.pem --name other.test"), 60, &["'other.test'"]);
}

#[test]
fn a_client_certificate_is_no_server_certificate() {
    let server = openssl("-cert PKI/client.pem -key PKI/client.key");
    is_told(connect_to(&server, "--cafile PKI/ca.pem"), 60, &["is for clientAuth, not for serverAuth"]);
}

#[test]
fn a_pin_must_be_the_servers_even_when_nothing_else_counts() {
    let server = openssl(GOOD);
    let der = output_of("openssl", &["x509", "-in", &certificate("server.pem"), "-noout", "-pubkey"]);
    let right = pin_of(&der);
    let wrong = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    connect_to(&server, &format!("--pin-only --pin {right}")).exits(0);
    connect_to(&server, &format!("--cafile PKI/ca.pem --pin {wrong} --pin {right}")).exits(0);
    is_told(connect_to(&server, &format!("--roots mozilla --pin {right}")), 60, &[]);
    for trust in ["--cafile PKI/ca.pem", "--pin-only", "--insecure"] {
        let ended = connect_to(&server, &format!("{trust} --pin {wrong}"));
        assert!(!ended.stderr.contains(&right), "the pin to copy: {}", ended.stderr);
        is_told(ended, 90, &["none of those that are pinned"]);
    }
}

/// The pin of a public key in PEM, by OpenSSL.
fn pin_of(public_key: &str) -> String {
    let line = "openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64";
    let ended = shell(line).sends(public_key).eof().ends().exits(0);
    format!("sha256//{}", String::from_utf8_lossy(&ended.stdout).trim())
}

#[test]
fn insecure_goes_on_with_a_warning() {
    let server = openssl("-cert PKI/stranger.pem -key PKI/stranger.key");
    is_told(
        connect_to(&server, "--cafile PKI/ca.pem --insecure"),
        0,
        &["insecure: the server's certificate"],
    );
}

#[test]
fn a_server_that_wants_a_certificate_says_of_whom() {
    for version in ["1.2", "1.3"] {
        let server = openssl(&format!("{GOOD} -Verify 1 -CAfile PKI/ca.pem -verify_return_error"));
        let with =
            |identity: &str| connect_to(&server, &format!("--cafile PKI/ca.pem --max {version} {identity}"));
        let words = ["the server wants a client certificate", "hint: it must be from: CN=spile test CA"];
        is_told(with(""), 58, &words);
        let words = ["the server does not accept our certificate (alert unknown_ca)", "CN=spile test CA"];
        is_told(with("--cert PKI/stranger.pem --key PKI/stranger.key"), 58, &words);
        with("--cert PKI/client.pem --key PKI/client.key").exits(0);
        with("--cert PKI/client.both").exits(0);
    }
}

#[test]
fn what_cannot_be_agreed_on_is_told_with_what_was_offered() {
    let weak = "-cipher DEFAULT@SECLEVEL=0";
    let server = openssl(&format!("{GOOD} -tls1_1 {weak}"));
    is_told(connect_to(&server, "--cafile PKI/ca.pem"), 35, &["speaks none of the versions", "1.3 and 1.2"]);

    let server = openssl("-cert PKI/server-rsa.pem -key PKI/server-rsa.key -tls1_2 -cipher AES128-SHA");
    is_told(
        connect_to(&server, "--cafile PKI/ca.pem"),
        35,
        &["takes nothing of what we offer", "hint: offered: TLS"],
    );

    let server = openssl(&format!("{GOOD} -curves P-521"));
    is_told(
        connect_to(&server, "--cafile PKI/ca.pem"),
        35,
        &["X25519MLKEM768, X25519, secp256r1, secp384r1"],
    );

    let server = openssl(&format!("{GOOD} -alpn h2"));
    is_told(connect_to(&server, "--cafile PKI/ca.pem --alpn http/1.1"), 35, &["none of http/1.1"]);

    let named =
        format!("{GOOD} -servername known.test -servername_fatal -cert2 PKI/server.pem -key2 PKI/server.key");
    let server = openssl(&named);
    is_told(
        connect_to(&server, "--cafile PKI/ca.pem --sni other.test"),
        35,
        &["does not know the name 'other.test'"],
    );
}

#[test]
fn a_short_key_is_told_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).display().to_string();
    let line = format!(
        "openssl req -x509 -newkey rsa:1024 -nodes -keyout {} -out {} -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
        file("key"),
        file("pem")
    );
    shell(&line).ends().exits(0);
    let server = openssl(&format!("-cert {} -key {} -cipher DEFAULT@SECLEVEL=0", file("pem"), file("key")));
    for version in ["1.2", "1.3"] {
        let ended = connect_to(&server, &format!("--trust-cert {} --max {version}", file("pem")));
        is_told(ended, 60, &["has an RSA key of 1024 bits; 2048 is the least"]);
    }
}

#[test]
fn authorities_that_cannot_be_had_fail_before_anything_is_connected() {
    let directory = tempfile::tempdir().unwrap();
    let (missing, empty) = (directory.path().join("missing"), directory.path().join("empty"));
    std::fs::write(&empty, "").unwrap();
    let closed = closed_port().to_string();
    for file in [&missing, &empty] {
        let file = file.display().to_string();
        for option in ["--cafile", "--ca-add", "--trust-cert", "--crl"] {
            let args = ["tls-connect", &format!("localhost:{closed}"), option, &file];
            spile(args).eof().ends().exits(77);
        }
        let mut command = Command::new(SPILE);
        command.args(["tls-connect", &format!("localhost:{closed}")]);
        command.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
        is_told(start(command).eof().ends(), 77, &["cannot read the system's authorities"]);
    }
}

#[test]
fn the_environment_cannot_have_secrets_logged() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("keys.log");
    let server = openssl(GOOD);
    let mut command = Command::new(SPILE);
    command.args(["tls-connect", &format!("localhost:{}", server.port), "--cafile", &certificate("ca.pem")]);
    command.env("SSLKEYLOGFILE", &log);
    start(command).eof().ends().exits(0);
    assert!(!log.exists(), "secrets were logged because a variable said so");

    let path = log.display().to_string();
    connect_to(&server, &format!("--cafile PKI/ca.pem --keylog {path}")).exits(0);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), "{text}");
}

/// tls-serve, and a client of OpenSSL that comes to it.
struct Serving {
    port: u16,
    process: Process,
}

/// Each connection has its line sent back and is closed then.
fn serve(options: &str) -> Serving {
    let words = filled(&format!("tls-serve 127.0.0.1:0 {options} -- head -n 1"));
    let mut process = spile(words);
    let port = process.port();
    Serving { port, process }
}

impl Serving {
    /// Sends a line; what comes back is on stdout of what has ended.
    fn is_sent_a_line(&self, options: &str) -> Ended {
        let line = format!("s_client -connect 127.0.0.1:{} -quiet {options}", self.port);
        openssl_process(&line).sends("hello\n").ends()
    }
}

#[test]
fn clients_are_let_in_by_rules_on_verified_certificates() {
    let client = "-cert PKI/client.pem -key PKI/client.key";
    for version in ["-tls1_2", "-tls1_3"] {
        for (rules, client, is_admitted) in [
            ("--allow-any", client, true),
            ("--allow-dns client.spile.test", client, true),
            ("--allow-dns CLIENT.spile.test", client, false),
            ("--allow-uri spiffe://spile.test/*", client, true),
            ("--allow-uri spiffe://spile.test/*/x", client, false),
            ("--allow-cn client", client, true),
            ("--allow-cn Client", client, false),
            ("--allow-ou tests", client, true),
            ("--allow-cn other --allow-ou tests", client, true),
            ("--allow-any", "", false),
            ("--allow-any", "-cert PKI/stranger.pem -key PKI/stranger.key", false),
            ("--allow-any", GOOD, false),
            ("--allow-any --client-optional", "", true),
            ("--allow-any --client-optional", "-cert PKI/stranger.pem -key PKI/stranger.key", false),
        ] {
            let serving =
                serve(&format!("--cert PKI/server.pem --key PKI/server.key --client-ca PKI/ca.pem {rules}"));
            let ended = serving.is_sent_a_line(&format!("{version} {client}"));
            let answer = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert_eq!(
                answer == "hello\n",
                is_admitted,
                "{version} {rules} {client}: {} {answer:?}",
                ended.stderr
            );
        }
    }
}

#[test]
fn a_server_certificate_is_chosen_by_name_and_strict_names_are_refused() {
    let serving = serve(
        "--cert PKI/server.pem --key PKI/server.key --sni-cert other.test=PKI/stranger.both --strict-sni",
    );
    let seen = |name: &str| {
        let line = format!("s_client -connect 127.0.0.1:{} {name}", serving.port);
        let ended = openssl_process(&line).eof().ends();
        String::from_utf8_lossy(&ended.stdout).into_owned() + &ended.stderr
    };
    assert!(seen("-servername localhost").contains("issuer=CN = spile test CA"));
    assert!(seen("-servername other.test").contains("issuer=CN = another CA"));
    assert!(
        seen("-servername unknown.test").contains("unrecognized name"),
        "{}",
        seen("-servername unknown.test")
    );
    assert!(seen("-noservername").contains("unrecognized name"));
}

#[test]
fn rsa_and_ecdsa_are_presented_to_whom_can_check_them() {
    let serving = serve(
        "--cert PKI/server.pem --key PKI/server.key --cert PKI/server-rsa.pem --key PKI/server-rsa.key",
    );
    for (sigalgs, kind) in [("ecdsa_secp256r1_sha256", "ECDSA"), ("rsa_pss_rsae_sha256", "RSA-PSS")] {
        let line = format!("s_client -connect 127.0.0.1:{} -sigalgs {sigalgs}", serving.port);
        let ended = openssl_process(&line).eof().ends();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(text.contains(&format!("Peer signature type: {kind}")), "{sigalgs}: {text}");
    }
}

#[test]
fn who_holds_a_key_cannot_be_dumped_and_its_children_can() {
    // Ours may be 0 without this, and would then be no other than the server's.
    let own = rustix::process::getrlimit(rustix::process::Resource::Core);
    let most = rustix::process::Rlimit { current: own.maximum, ..own };
    rustix::process::setrlimit(rustix::process::Resource::Core, most).unwrap();
    let serving = serve("--cert PKI/server.pem --key PKI/server.key");
    let limits = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = text.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
        line.split_whitespace().nth(4).unwrap().to_owned()
    };
    let ours = limits(std::process::id());
    assert_eq!(limits(serving.process.pid()), "0");
    let _client = openssl_process(&format!("s_client -connect 127.0.0.1:{} -quiet", serving.port));
    wait_until("a connection has its program", || !children(serving.process.pid()).is_empty());
    let child = children(serving.process.pid())[0];
    wait_until("the program has the limit that we have", || limits(child) == ours);
}
