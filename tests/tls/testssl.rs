//! testssl.sh looks at `tls-serve`: versions, cipher suites, forward secrecy, server defaults, known holes. It is one
//! process that computes, so that two of them, with half of the work each, take little more than half of the time.

use std::process::{Command, Stdio};

use crate::harness::*;
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

/// What testssl.sh has found.
struct Findings(Vec<Value>);

fn of(finding: &Value, what: &str) -> String {
    finding[what].as_str().unwrap_or_default().to_owned()
}

impl Findings {
    /// What it makes of a server of ours in these of its sections. On a busy machine its client may leave before the
    /// ticket has come that it is to show afterwards, which it calls a connect problem; then it looks once more.
    fn of(sections: &[&str]) -> Findings {
        let mut all = (0..3).map(|_| Findings::of_one_look(sections));
        let whole =
            all.find(|found| !found.0.iter().any(|one| of(one, "finding").starts_with("check failed")));
        whole.expect("three times it could not connect")
    }

    fn of_one_look(sections: &[&str]) -> Findings {
        let shop = Workshop::new();
        let path = |name: &str| shop.path(name).display().to_string();
        let (both, ca) = (certificate("server.both"), certificate("ca.pem"));
        shop.write("answer", "HTTP/1.0 200 OK\r\n\r\n");
        let args = ["tls-serve", "127.0.0.1:0", "--linger", "500ms", "--cert", &both, "--send"];
        let mut server = spile(args.iter().copied().chain([&*path("answer")]));
        let target = format!("localhost:{}", server.port());
        let mut command = Command::new("timeout");
        command.args(["300", "testssl", "--nodns", "none", "--warnings", "off", "--color", "0"]);
        command.args(["--openssl", "/usr/bin/openssl", "--ip", "127.0.0.1", "--add-ca", &ca]);
        command.args(["--jsonfile", &path("report")]).args(sections).arg(target);
        // It starts OpenSSL some hundred times, which reads all authorities of the system each time.
        command.env("SSL_CERT_FILE", &ca).env("SSL_CERT_DIR", shop.path(""));
        let output = command.current_dir(shop.path("")).stdin(Stdio::null()).output();
        let output = output.expect("testssl (scripts/test installs it)");
        assert!(shop.path("report").exists(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(server.is_running());
        Findings(serde_json::from_slice(&shop.read("report")).unwrap())
    }

    /// What it says of one thing, which it must have looked at. (Version 3.0 says PFS where 3.2 says FS.)
    fn says(&self, id: &str) -> String {
        let found = self.0.iter().find(|finding| of(finding, "id").ends_with(id));
        of(found.unwrap_or_else(|| panic!("nothing about {id} in {:#?}", self.0)), "finding")
    }

    fn are_good(&self) {
        let is_bad = |it: &&Value| {
            !matches!(&*of(it, "severity"), "OK" | "INFO") && !is_of_the_certificate(&of(it, "id"))
        };
        let bad: Vec<&Value> = self.0.iter().filter(is_bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
}

#[test]
fn versions_suites_and_defaults_are_good() {
    let found = Findings::of(&["--protocols", "--fs", "--standard"]);
    found.are_good();
    assert_eq!((&*found.says("TLS1_2"), &*found.says("TLS1_1")), ("offered", "not offered"));
    assert!(found.says("TLS1_3").starts_with("offered"));
    // The first and the last of the other sections.
    assert_eq!(found.says("cipherlist_NULL"), "not offered");
    assert_eq!(found.says("cipherlist_STRONG"), "offered");
    assert!(found.says("FS_ECDHE_curves").contains("X25519"));
    let found = Findings::of(&["--server-defaults"]);
    found.are_good();
    assert_eq!(found.says("cert_commonName"), "localhost");
}

#[test]
fn no_known_hole_is_open() {
    let found = Findings::of(&["--vulnerable"]);
    found.are_good();
    for hole in ["heartbleed", "CCS", "ROBOT", "POODLE_SSL", "LUCKY13", "RC4"] {
        assert!(found.says(hole).starts_with("not vulnerable"), "{hole}: {}", found.says(hole));
    }
}
