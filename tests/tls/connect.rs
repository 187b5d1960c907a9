//! tls-connect as a look at a server: what it says, what it reports, and its status; OpenSSL and Python at the other
//! end.

use std::net::TcpListener;
use std::process::Command;

use crate::harness::look::{GOOD, Looked, odd_server, s_server, s_server_on};
use crate::harness::*;
use serde_json::{Value, json};

const CHECK: &str = "--check --cafile PKI/ca.pem";

#[test]
fn a_check_says_in_a_line_what_came_of_it_and_sends_nothing() {
    let mut server = odd_server("reads");
    for version in ["1.2", "1.3"] {
        let ended = server.looked_at(&format!("{CHECK} --max {version}")).exits(0);
        let line = String::from_utf8(ended.stdout).unwrap();
        assert!(line.starts_with(&format!("localhost:{}: TLS {version} TLS_", server.port)), "{line}");
        assert!(line.contains("certificate 'CN=localhost' until 20"), "{line}");
        assert!(line.ends_with("ca.pem\n") && line.contains("trusted for 'localhost' by file:"), "{line}");
        assert_eq!((line.lines().count(), ended.stderr.as_str()), (1, ""));
        // Python takes an end without close_notify for a cut.
        server.process.line("came b'' and close_notify");
    }
}

/// Each way to end has its number, and the report tells at which step it was.
#[test]
fn a_check_has_a_status_and_a_stage_for_each_way_to_fail() {
    let good = s_server(&format!("{GOOD} -quiet"));
    let stranger = s_server("-cert PKI/stranger.pem -key PKI/stranger.key -quiet");
    let mutual = s_server(&format!("{GOOD} -Verify 1 -verify_return_error -CAfile PKI/ca.pem -quiet"));
    let (cutting, closing, silent) = (odd_server("cuts"), odd_server("closes"), silent());
    let nobody = Looked { port: closed_port().to_string(), process: program("true", &[]) };
    let wrong = "--pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (server, options, status, stage) in [
        (&good, "", 0, "closed"),
        (&good, "--expires-in 36500d", 3, "closed"),
        (&good, "--alpn h2 --expect-alpn h2", 4, "transfer"),
        (&nobody, "", 7, "tcp"),
        (&cutting, "", 18, "closed"),
        (&closing, "", 35, "handshake"),
        (&mutual, "", 58, "closed"),
        (&mutual, "--max 1.2", 58, "handshake"),
        (&good, "--cert PKI/client.pem --key PKI/server.key", 58, "setup"),
        (&stranger, "", 60, "verify"),
        (&good, "--ca-add /nonexistent.pem", 77, "setup"),
        (&good, wrong, 90, "verify"),
        (&silent, "--timeout 300ms", 124, "handshake"),
    ] {
        let ended = server.looked_at(&format!("{CHECK} {options} --json")).exits(status);
        let report = ended.json();
        assert_eq!((&report["exit_code"], &report["stage"]), (&json!(status), &json!(stage)), "{options}");
        assert_eq!(report["ok"], json!(status == 0));
        assert_eq!(report["error"].is_null(), status == 0);
        assert_eq!(String::from_utf8_lossy(&ended.stdout).lines().count(), 1);
        // Without --json the failure is told all the same, in words, and nothing on stdout where there was no TLS.
        let told = server.looked_at(&format!("{CHECK} {options}")).exits(status);
        assert_eq!(told.stdout.is_empty(), !matches!(status, 0 | 3 | 4), "{told:?}");
        assert_eq!(told.stderr.lines().count(), if status == 0 { 0 } else { hints(&told) + 1 }, "{told:?}");
    }
    let mut command = Command::new(SPILE);
    command.args(["tls-connect", "--check", "--json", "no-such-host.invalid:443"]);
    let ended = start(command).eof().ends().exits(6);
    assert_eq!(ended.json()["stage"], "dns");
}

fn hints(ended: &Ended) -> usize {
    ended.stderr.lines().filter(|line| line.starts_with("hint: ")).count()
}

/// Accepts, and says nothing.
fn silent() -> Looked {
    let port = server(|stream| drop(read_all(&stream))).to_string();
    Looked { port, process: program("true", &[]) }
}

#[test]
fn the_report_tells_what_was_agreed_on_and_with_whom() {
    let server = s_server(&format!("{GOOD} -quiet -alpn h2"));
    let report =
        server.looked_at(&format!("{CHECK} --json --json-pem --alpn h2,x --name a.spile.test")).exits(0);
    let report = report.json();
    assert_eq!(report["schema"], "spile.tls/1");
    let (target, port) = (&report["target"], server.port.parse::<u16>().unwrap());
    assert_eq!(
        target,
        &json!({"host": "localhost", "port": port, "addr": format!("127.0.0.1:{port}"), "name": "a.spile.test",
                "sni": "a.spile.test", "starttls": null})
    );
    let tls = &report["tls"];
    assert_eq!(
        (&tls["version"], &tls["alpn"], &tls["handshake"]),
        (&json!("1.3"), &json!("h2"), &json!("full"))
    );
    assert!(tls["tickets"].as_u64().unwrap() > 0, "{tls}");
    assert_eq!((&tls["group"], &tls["post_quantum"]), (&json!("X25519"), &json!(false)));
    let verify = &report["verify"];
    assert_eq!(
        (&verify["result"], &verify["code"], &verify["roots"]),
        (&json!("ok"), &Value::Null, &json!(1))
    );
    let leaf = &report["chain"][0];
    assert_eq!(leaf["subject"], "CN=localhost");
    let file = std::fs::read_to_string(certificate("server.pem")).unwrap();
    assert_eq!(leaf["pem"].as_str().unwrap().trim(), file.trim());
    assert!(
        report["ms"]["tcp"].is_number()
            && report["ms"]["handshake"].is_number()
            && report["ms"]["starttls"].is_null()
    );
    assert_eq!(report["close"]["sent_close_notify"], true);
    assert_eq!((&report["close"]["bytes_in"], &report["close"]["bytes_out"]), (&json!(0), &json!(0)));
    let absent = json!({"requested": false, "sent": false, "accepted": null, "issuers": []});
    assert_eq!((&report["client_auth"], &report["error"]), (&absent, &Value::Null));
}

#[test]
fn a_failure_is_reported_with_the_chain_that_was_refused() {
    let server = s_server("-cert PKI/stranger.pem -key PKI/stranger.key -quiet");
    for version in ["1.2", "1.3"] {
        let report = server.looked_at(&format!("{CHECK} --json --max {version}")).exits(60).json();
        assert_eq!(report["verify"]["result"], "failed");
        assert_eq!(report["verify"]["code"], "unknown_issuer");
        assert_eq!(report["chain"][0]["issuer"], "CN=another CA");
        assert_eq!(report["error"]["why"], report["verify"]["message"]);
        assert!(report["error"]["hint"].is_string());
        assert_eq!(report["verify"]["insecure"], false);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = format!("{CHECK} --insecure --json={}", file.path().display());
    let ended = server.looked_at(&options).exits(0);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let ended = ended.complains("insecure");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("not trusted, but let through (insecure)"));
    let report: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    assert_eq!(
        (&report["verify"]["result"], &report["verify"]["insecure"]),
        (&json!("failed"), &json!(true))
    );
    assert_eq!((&report["verify"]["code"], &report["ok"]), (&json!("unknown_issuer"), &json!(true)));
}

#[test]
fn whether_our_certificate_is_taken_is_known_after_the_handshake() {
    let server = s_server(&format!("{GOOD} -Verify 1 -verify_return_error -CAfile PKI/ca.pem -quiet"));
    let own = "--cert PKI/client.pem --key PKI/client.key";
    let foreign = "--cert PKI/stranger.pem --key PKI/stranger.key";
    for version in ["1.2", "1.3"] {
        for (identity, status, sent, accepted) in
            [(own, 0, true, "yes"), ("", 58, false, "no"), (foreign, 58, true, "no")]
        {
            let options = format!("{CHECK} --json --max {version} {identity}");
            let report = server.looked_at(&options).exits(status).json();
            let told = &report["client_auth"];
            assert_eq!(told["requested"], true);
            assert_eq!((&told["sent"], &told["accepted"]), (&json!(sent), &json!(accepted)), "{options}");
            assert_eq!(told["issuers"], json!(["CN=spile test CA"]));
        }
    }
    // One that says nothing after the handshake leaves it open: waited for as long as is asked for, and no longer.
    let server = s_server(&format!("{GOOD} -verify 1 -CAfile PKI/ca.pem -num_tickets 0 -quiet"));
    let report = server.looked_at(&format!("{CHECK} --json --settle 100ms {own}")).exits(0).json();
    assert_eq!(report["client_auth"]["accepted"], "unknown");
}

#[test]
fn what_expires_soon_is_told_with_the_certificate_that_does() {
    let days = |days: u32| format!("{CHECK} --expires-in {days}d");
    let server = s_server(&format!("{GOOD} -quiet"));
    server.looked_at(&days(100)).exits(0);
    server
        .looked_at(&days(4000))
        .exits(3)
        .complains("certificate of localhost")
        .complains("it expires on 203");
    // An intermediate that ends before what it has signed.
    let dir = tempfile::tempdir().unwrap();
    let line = "
        key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
        key mid && key leaf
        printf 'basicConstraints=critical,CA:TRUE' >mid.ext
        printf 'subjectAltName=DNS:localhost' >leaf.ext
        openssl req -new -key mid.key -subj /CN=middle | openssl x509 -req -CA $PKI/ca.pem -CAkey $PKI/ca.key \
            -set_serial 71 -days 20 -extfile mid.ext -out mid.pem
        openssl req -new -key leaf.key -subj /CN=leaf | openssl x509 -req -CA mid.pem -CAkey mid.key \
            -set_serial 72 -days 300 -extfile leaf.ext -out leaf.pem";
    let mut command = Command::new("bash");
    command.args(["-ec", line]).current_dir(&dir).env("PKI", certificates());
    start(command).eof().ends().exits(0);
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (leaf, key, mid) = (file("leaf.pem"), file("leaf.key"), file("mid.pem"));
    let server = s_server(&format!("-cert {leaf} -key {key} -cert_chain {mid} -quiet"));
    server.looked_at(&days(14)).exits(0);
    let ended = server.looked_at(&days(30)).exits(3).complains("certificate 1 in the chain of localhost");
    let told = ended.complains("'CN=middle': it expires on").stderr;
    // Whole days: one fewer once the second in which it was made is over.
    assert!(told.contains(", in 19 days") || told.contains(", in 20 days"), "{told}");
    let server = s_server("-cert PKI/expired.pem -key PKI/expired.key -quiet");
    server.looked_at(&days(14)).exits(60);
    server.looked_at(&format!("{} --insecure", days(14))).exits(3).complains("has expired on 2020-02-01");
}

#[test]
fn what_a_server_shows_is_printed_trusted_or_not() {
    let server = s_server("-cert PKI/chain.pem -key PKI/chain.key -cert_chain PKI/intermediate.pem -quiet");
    let file = std::fs::read(certificate("chain.pem")).unwrap();
    let key = certificate("chain.key");
    let pin = shell(&format!(
        "openssl pkey -in {key} -pubout -outform der | openssl dgst -sha256 -binary | openssl base64"
    ));
    let pin = format!("sha256//{}", String::from_utf8(pin.eof().ends().exits(0).stdout).unwrap());
    let leaf = output_of("openssl", &["x509", "-in", &certificate("chain.pem")]);
    for (trust, status) in [("--cafile PKI/ca.pem", 0), ("--cafile PKI/other-ca.pem", 60), ("--insecure", 0)]
    {
        let print = |part: &str| server.looked_at(&format!("--print {part} {trust}")).exits(status);
        print("pin").says(&pin);
        print("cert").says(&leaf);
        print("chain").says(&file);
        let text = String::from_utf8(print("text").stdout).unwrap();
        assert!(text.contains("CN=spile intermediate CA") && text.contains(pin.trim()), "{text}");
    }
    let plain = odd_server("noise");
    plain.looked_at("--print pin --insecure").exits(35).says("");
}

#[test]
fn further_connections_resume_the_first() {
    let server = s_server(&format!("{GOOD} -quiet"));
    for version in ["1.2", "1.3"] {
        let ended =
            server.looked_at(&format!("{CHECK} --max {version} --reconnect 2 --expect-resumed --json"));
        let ended = ended.exits(0);
        let lines = String::from_utf8(ended.stdout).unwrap();
        let kinds = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let kinds: Vec<Value> =
            kinds.map(|report| json!([report["tls"]["handshake"], report["verify"]["result"]])).collect();
        assert_eq!(kinds, [json!(["full", "ok"]), json!(["resumed", "ok"]), json!(["resumed", "ok"])]);
    }
    let server = s_server(&format!("{GOOD} -quiet -no_ticket -no_cache -num_tickets 0"));
    server.looked_at(&format!("{CHECK} --reconnect 1 --settle 50ms")).exits(0);
    let ended = server.looked_at(&format!("{CHECK} --reconnect 1 --settle 50ms --expect-resumed")).exits(4);
    ended.complains("is not resumed: connection 2 had a full handshake");
}

#[test]
fn patience_lasts_until_tls_is_up_and_ends_at_a_verdict() {
    // First a port that accepts and speaks no TLS; then, once it was tried, the server.
    let port = free_port();
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    let late = Looked { port: port.clone(), process: program("true", &[]) };
    let client = late.called(&format!("{CHECK} --retry-for 60s")).eof();
    drop(listener.accept().unwrap());
    drop(listener);
    let _server = s_server_on(port, &format!("{GOOD} -quiet"));
    client.ends().exits(0);

    // What no time will change is told at once: were it tried again, the status would be 124.
    let stranger = s_server("-cert PKI/stranger.pem -key PKI/stranger.key -quiet");
    stranger.looked_at(&format!("{CHECK} --retry-for 5s")).exits(60);
    silent().looked_at(&format!("{CHECK} --retry-for 300ms")).exits(124).complains("in the handshake");
}

#[test]
fn the_pin_that_would_do_is_told_only_to_who_asks() {
    let server = s_server(&format!("{GOOD} -quiet"));
    let right = server.looked_at("--print pin --cafile PKI/ca.pem").exits(0);
    let right = String::from_utf8(right.stdout).unwrap().trim().to_owned();
    let wrong = "--pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for look in ["--check", ""] {
        let silent = server.looked_at(&format!("{look} --cafile PKI/ca.pem {wrong}")).exits(90);
        assert!(!silent.stderr.contains(&right), "{}", silent.stderr);
        server
            .looked_at(&format!("{look} --cafile PKI/ca.pem {wrong} --show-pin"))
            .exits(90)
            .complains(&right);
    }
}

#[test]
fn a_session_is_reported_at_its_end() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = format!("--cafile PKI/ca.pem --json={}", file.path().display());
    let report = || serde_json::from_slice::<Value>(&std::fs::read(file.path()).unwrap()).unwrap();
    let server = s_server(&format!("{GOOD} -rev -quiet"));
    let client = server.called(&options).sends("abc\n").gets("cba\n");
    client.eof().ends().exits(0);
    let told = report();
    assert_eq!((&told["stage"], &told["ok"]), (&json!("closed"), &json!(true)));
    assert_eq!(
        told["close"],
        json!({"peer": "close_notify", "sent_close_notify": true, "bytes_in": 4, "bytes_out": 4})
    );
    let server = odd_server("cuts");
    let client = server.called(&options);
    client.ends().exits(18);
    assert_eq!((&report()["close"]["peer"], &report()["exit_code"]), (&json!("eof"), &json!(18)));
    let ended = server.called("--cafile PKI/ca.pem --json").ends().exits(18);
    let line = ended.stderr.lines().next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["schema"], "spile.tls/1");
    assert!(ended.stdout.is_empty());
}

/// Flags that mean nothing together, or without another one, and a word that must be in the answer.
const CONTRADICTIONS: &[(&str, &str)] = &[
    ("--check --print pin", "--print"),
    ("--check --idle-timeout 5s", "--idle-timeout"),
    ("--check --send-only", "--send-only"),
    ("--check --stats", "--stats"),
    ("--check --linger 5s", "--linger"),
    ("--check --no-half-close", "--no-half-close"),
    ("--check -- cat", "--check"),
    ("--print pin -- cat", "--print"),
    ("--print pin --json", "--json"),
    ("--expires-in 5d", "--expires-in"),
    ("--settle 5s", "--check"),
    ("--reconnect 5", "--check"),
    ("--check --reconnect 0", "0"),
    ("--check --expect-resumed", "--reconnect"),
    ("--json-pem", "--json"),
    ("--show-pin", "--pin"),
    ("--sni a --no-sni", "no-sni"),
    ("--pin-only", "pin"),
    ("--pin-only --pin PIN --cafile ca.pem", "cafile"),
    ("--pin-only --pin PIN --ca-add ca.pem", "ca-add"),
    ("--pin-only --pin PIN --roots system", "roots"),
    ("--pin-only --pin PIN --trust-cert ca.pem", "trust-cert"),
    ("--pin-only --pin PIN --crl crl.pem", "crl"),
    ("--pin-only --pin PIN --staple require", "staple"),
    ("--pin-only --pin PIN --insecure", "insecure"),
    ("--pin-only --pin PIN --at 2027-01-01T00:00:00Z", "at"),
    ("--min 1.3 --max 1.2", "max"),
    ("--crl-soft", "crl"),
    ("--key key.pem", "cert"),
    ("--pass-file p", "cert"),
    ("--proxy-auth-file p", "proxy"),
    ("--send-only --recv-only", "--recv-only"),
];

#[test]
fn what_contradicts_is_refused_with_its_name() {
    let nobody = Looked { port: closed_port().to_string(), process: program("true", &[]) };
    for (options, word) in CONTRADICTIONS {
        let options = options.replace("PIN", "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        let ended = nobody.looked_at(&options).exits(2);
        assert!(ended.stderr.contains(word), "{options}: {}", ended.stderr);
        assert!(hints(&ended) <= 1 && ended.stdout.is_empty(), "{ended:?}");
    }
    let (dir, two) = (tempfile::tempdir().unwrap(), "tls:localhost:1!!tls:localhost:2");
    spile(["tls-connect", "--check", two]).ends().exits(2).complains("TLS is one");
    let place = format!("--check --json={}/no/such/directory", dir.path().display());
    nobody.looked_at(&place).exits(1).complains("cannot write the report");
}

#[test]
fn peers_that_send_rubbish_are_told_and_bounded() {
    for (mode, status, words) in [
        ("noise", 35, "peer does not speak TLS"),
        ("huge", 35, "larger than 64 KiB"),
        ("closes", 35, "it closed the connection"),
        ("half", 124, "the handshake was not done within 2s (--connect-timeout)"),
    ] {
        let (server, limit) = (odd_server(mode), if status == 124 { "--timeout 2s" } else { "" });
        let ended = server.looked_at(&format!("{CHECK} {limit}")).exits(status);
        // Of random bytes, one in some thousand beginnings looks like TLS.
        if mode != "noise" || !ended.stderr.contains("cannot be decoded") {
            ended.complains(words);
        }
    }
}

#[test]
fn files_that_are_too_large_or_empty_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(file("empty.pem"), "").unwrap();
    let huge = "A".repeat(64) + "\n";
    let huge = format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", huge.repeat(160_000));
    std::fs::write(file("huge.pem"), huge).unwrap();
    let nobody = Looked { port: closed_port().to_string(), process: program("true", &[]) };
    for name in ["empty.pem", "huge.pem"] {
        nobody.looked_at(&format!("--check --cafile {}", file(name))).exits(77).complains(name);
        let own = format!("--check --cert {} --key PKI/client.key", file(name));
        nobody.looked_at(&own).exits(58).complains(name);
    }
}
