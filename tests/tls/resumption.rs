//! Sessions that are resumed rest on what an earlier handshake has shown, judged by what is true now.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::harness::look::s_server;
use crate::harness::*;
use serde_json::{Value, json};

/// Certificates of the tests' authority that are good for some seconds more.
fn ending(shop: &Workshop, line: &str) {
    let of = certificates().display();
    shop.says(&format!("spile cert sign --ca {of}/ca.pem --ca-key {of}/ca.key --not-after +6s {line}"));
}

/// What comes for a request through a plain port; nothing, where there is no connection behind it.
fn page(port: u16) -> String {
    let mut stream = connect(port);
    let mut got = Vec::new();
    let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_end(&mut got));
    String::from_utf8_lossy(&got).into_owned()
}

#[test]
fn a_client_does_not_go_on_with_a_server_whose_certificate_has_expired_since() {
    let shop = Workshop::new();
    ending(&shop, "localhost --out s.pem --key-out s.key");
    let file = |name: &str| shop.path(name).display().to_string();
    let server = s_server(&format!("-cert {} -key {} -www", file("s.pem"), file("s.key")));
    let to = format!("tls:localhost:{},pf=ip4,cafile={}", server.port, certificate("ca.pem"));
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &to]);
    let port = relay.port();
    let first = page(port);
    assert!(first.contains("New, TLSv1.3"), "{first}");
    let second = page(port);
    assert!(second.contains("Reused, TLSv1.3"), "{second}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !page(port).is_empty() {
        assert!(Instant::now() < deadline, "it goes on");
        std::thread::sleep(Duration::from_millis(100)); // the scenario: time passes
    }
    relay.line_with("certificate expired on");
}

#[test]
fn a_server_reports_who_was_refused_in_a_resumed_session() {
    for version in ["-tls1_2", "-tls1_3"] {
        let shop = Workshop::new();
        ending(&shop, "--client client.test --out c.pem --key-out c.key");
        let (both, ca) = (certificate("server.both"), certificate("ca.pem"));
        let args = ["tls-serve", "127.0.0.1:0", "--cert", &both, "--client-ca", &ca, "--allow-any"];
        let json = format!("--json={}", shop.path("reports").display());
        let mut server = spile(args.iter().chain(&[json.as_str(), "--", "head", "-n", "1"]));
        let port = server.port();
        // A first connection keeps its session in a file for the others.
        let mut count = 0;
        let mut calls = |how: &str| {
            let line = format!(
                "openssl s_client -4 -connect localhost:{port} {version} -cert c.pem -key c.key {how} session -ign_eof"
            );
            shop.runs(&format!("echo hello | {line}"));
            count += 1;
            let reports = || String::from_utf8(shop.read("reports")).unwrap();
            wait_until("it is reported", || reports().matches('\n').count() == count);
            serde_json::from_str::<Value>(reports().lines().next_back().unwrap()).unwrap()
        };
        let first = calls("-sess_out");
        assert_eq!((&first["exit_code"], &first["tls"]["handshake"]), (&json!(0), &json!("full")), "{first}");
        let deadline = Instant::now() + Duration::from_secs(30);
        let refused = loop {
            let next = calls("-sess_in");
            assert_eq!(next["tls"]["handshake"], "resumed", "{next}");
            if next["ok"] == false {
                break next;
            }
            assert!(Instant::now() < deadline, "it is let in for ever");
            std::thread::sleep(Duration::from_millis(100)); // the scenario: time passes
        };
        assert_eq!((&refused["exit_code"], &refused["stage"]), (&json!(60), &json!("verify")), "{refused}");
        assert_eq!(refused["verify"]["code"], "expired", "{refused}");
        assert_eq!(refused["rule"], json!(null));
        assert_eq!(refused["chain"][0]["subject"], "CN=client.test");
        assert_eq!(refused["chain"][0]["sha256"], first["chain"][0]["sha256"]);
    }
}
