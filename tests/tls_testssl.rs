//! testssl.sh looks at `tls-serve`: versions, cipher suites, forward secrecy, server defaults, known holes.

mod harness;

use harness::*;
use serde_json::Value;

/// What it may find, since it is about the certificate of the tests and not about the server.
const OF_THE_CERTIFICATE: &[&str] = &[
    "cert_chain_of_trust",
    "cert_crlDistributionPoints",
    "cert_extlifeSpan",
    "cert_notAfter",
    "cert_revocation",
    "cert_trust",
    "cert_validityPeriod",
    "certificate_transparency",
    "DNS_CAArecord",
    "OCSP_stapling",
];

fn is_of_the_certificate(id: &str) -> bool {
    OF_THE_CERTIFICATE.iter().any(|known| id == *known || id.starts_with(&format!("{known} ")))
}

#[test]
fn testssl_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let both = certificate("server.both");
    let answer = path("answer");
    std::fs::write(&answer, "HTTP/1.0 200 OK\r\n\r\n").unwrap();
    let mut server =
        spile(["tls-serve", "127.0.0.1:0", "--cert", &both, "--linger", "500ms", "--send", &answer]);
    let port = server.port().to_string();
    let (report, ca) = (path("report.json"), certificate("ca.pem"));
    let target = format!("localhost:{port}");
    let mut args = vec!["300", "testssl", "--nodns", "none", "--warnings", "off", "--color", "0"];
    args.extend([
        "--openssl",
        "/usr/bin/openssl",
        "--ip",
        "127.0.0.1",
        "--add-ca",
        &ca,
        "--jsonfile",
        &report,
    ]);
    args.extend(["-p", "-f", "-s", "-S", "-U", &target]);
    let output = std::process::Command::new("timeout")
        .args(&args)
        .current_dir(&dir)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("testssl (scripts/test installs it)");
    let text = std::fs::read_to_string(&report)
        .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&output.stdout)));
    let all: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    let of = |finding: &Value, what: &str| finding[what].as_str().unwrap_or_default().to_owned();
    let found = |id: &str| all.iter().find(|finding| of(finding, "id") == id).map(|it| of(it, "finding"));
    // It has really looked.
    assert_eq!(found("TLS1_2").as_deref(), Some("offered"), "{text}");
    assert!(found("TLS1_3").is_some_and(|told| told.starts_with("offered")), "{text}");
    assert_eq!(found("TLS1_1").as_deref(), Some("not offered"));
    assert!(found("heartbleed").is_some_and(|told| told.contains("not vulnerable")), "{text}");
    let bad: Vec<&Value> = all
        .iter()
        .filter(|it| !matches!(&*of(it, "severity"), "OK" | "INFO") && !is_of_the_certificate(&of(it, "id")))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(server.is_running());
}
