//! The rules about certificates of clients, as tls-serve judges those that OpenSSL shows it: rules 12, 13 and 16 to 18.

use crate::harness::leaf::{Leaf, Lists};
use crate::harness::look::{GOOD, words};
use crate::harness::*;

/// A server that asks for certificates. Whoever it lets in is counted in a file and told so.
struct Asking {
    port: String,
    _process: Process,
    dir: tempfile::TempDir,
}

fn asking(options: &str) -> Asking {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (reports, serving) = (path("reports"), format!("echo >>{}; echo welcome", path("served")));
    let line = "tls-serve 127.0.0.1:0 --cert PKI/server.both --client-ca PKI/ca.pem";
    let mut args = words(&format!("{line} --json={reports} {options}"));
    args.extend(["--", "sh", "-c", &serving].map(str::to_owned));
    let mut process = spile(args);
    Asking { port: process.port().to_string(), _process: process, dir }
}

const VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

impl Asking {
    /// `openssl s_client` comes with this certificate, to its end.
    fn shown(&self, version: &str, identity: &str) -> Ended {
        let line = format!("s_client -connect 127.0.0.1:{} -quiet {version} {identity}", self.port);
        let line = words(&line);
        program("openssl", &line.iter().map(String::as_str).collect::<Vec<_>>()).ends()
    }

    fn lets_in(&self, identity: &str) {
        for version in VERSIONS {
            self.shown(version, identity).exits(0).says("welcome\n");
        }
    }

    /// The client hears why, by the alert of this number; the report says it, too, and no program is started.
    fn refuses(&self, identity: &str, alert: u8, why: &str) {
        for version in VERSIONS {
            let ended = self.shown(version, identity);
            assert!(ended.stdout.is_empty(), "{version} {identity}: {ended:?}");
            let alert = format!("SSL alert number {alert}\n");
            assert!(ended.stderr.contains(&alert), "{version} {identity}: {}", ended.stderr);
        }
        let reports = || std::fs::read_to_string(self.dir.path().join("reports")).unwrap();
        wait_until("both reports are there", || reports().lines().count() == VERSIONS.len());
        assert!(reports().lines().all(|report| report.contains(why)), "{why}: {}", reports());
        assert!(!self.dir.path().join("served").exists(), "{identity}: a program was started");
    }
}

const CLIENT: &str = "-cert PKI/client.pem -key PKI/client.key";

fn of(leaf: &Leaf) -> String {
    format!("-cert {} -key {}", leaf.file("leaf.pem"), leaf.file("leaf.key"))
}

/// Alerts of RFC 8446, section 6.
const UNSUPPORTED_CERTIFICATE: u8 = 43;
const CERTIFICATE_REVOKED: u8 = 44;
const CERTIFICATE_EXPIRED: u8 = 45;
const UNKNOWN_CA: u8 = 48;
const ACCESS_DENIED: u8 = 49;
const CERTIFICATE_REQUIRED: u8 = 116;

const FOR_CLIENTS: &str = "extendedKeyUsage=clientAuth";

/// Rule 12: a certificate serves the purpose that it names.
#[test]
fn a_servers_certificate_is_no_clients() {
    asking("--allow-any").lets_in(&of(&Leaf::new("/CN=a", "extendedKeyUsage=serverAuth,clientAuth")));
    for usage in ["serverAuth", "codeSigning"] {
        let leaf = Leaf::new("/CN=a", &format!("extendedKeyUsage={usage}"));
        asking("--allow-any").refuses(&of(&leaf), UNSUPPORTED_CERTIFICATE, "\"wrong_purpose\"");
    }
}

/// Rule 13: a list that is over says nothing, and silence is no consent unless that is asked for.
#[test]
fn revocation_of_clients_fails_closed() {
    let lists = Lists::new();
    let (over, other) = (lists.file("over.pem"), lists.file("other.pem"));
    asking("--allow-any --crl PKI/crl.pem").lets_in(CLIENT);
    for soft in ["", "--crl-soft"] {
        let server = asking(&format!("--allow-any --crl {over} {soft}"));
        server.refuses(CLIENT, UNKNOWN_CA, "\"crl_expired\"");
    }
    asking(&format!("--allow-any --crl {other}")).refuses(CLIENT, UNKNOWN_CA, "\"crl_unknown\"");
    asking(&format!("--allow-any --crl {other} --crl-soft")).lets_in(CLIENT);
    let revokes = format!("--allow-any --crl {}", lists.file("revokes.pem"));
    asking(&revokes).refuses(CLIENT, CERTIFICATE_REVOKED, "\"revoked\"");
}

/// Rule 16, at the server: a client of TLS 1.3 believes itself connected before it is judged. It is told by an alert
/// that it is not, and nothing is done for it meanwhile.
#[test]
fn who_is_refused_is_told_why_and_served_nothing() {
    asking("--allow-any").lets_in(CLIENT);
    asking("--allow-any").refuses("", CERTIFICATE_REQUIRED, "it presented no certificate");
    asking("--allow-cn other").refuses(CLIENT, ACCESS_DENIED, "\"rule_denied\"");
    asking("--allow-any --at 2090-01-01T00:00:00Z").refuses(CLIENT, CERTIFICATE_EXPIRED, "\"expired\"");
}

/// Rule 17: where a certificate need not be shown, a bad one is refused all the same.
#[test]
fn a_bad_certificate_is_worse_than_none() {
    let optional = "--allow-any --client-optional";
    asking(optional).lets_in("");
    asking(optional).lets_in(CLIENT);
    let stranger = Leaf::by("other-ca", "/CN=a", FOR_CLIENTS);
    asking(optional).refuses(&of(&stranger), UNKNOWN_CA, "\"unknown_issuer\"");
    asking(optional).refuses(GOOD, UNSUPPORTED_CERTIFICATE, "\"wrong_purpose\"");
    let late = format!("{optional} --at 2090-01-01T00:00:00Z");
    asking(&late).refuses(CLIENT, CERTIFICATE_EXPIRED, "\"expired\"");
}

/// Rule 18: names are compared byte for byte, each with names of its own kind.
#[test]
fn rules_are_about_whole_names_of_their_kind() {
    // "admin", NUL, ".evil" as a DNS name and as a URI.
    let nul_dns = "2.5.29.17=DER:30:0d:82:0b:61:64:6d:69:6e:00:2e:65:76:69:6c";
    let nul_uri = "2.5.29.17=DER:30:10:86:0e:78:3a:2f:2f:61:64:6d:69:6e:00:65:76:69:6c";
    for (subject, extensions, rule, is_admitted) in [
        ("/CN=x", "subjectAltName=DNS:admin", "--allow-dns admin", true),
        ("/CN=x", "subjectAltName=DNS:Admin", "--allow-dns admin", false),
        ("/CN=x", "subjectAltName=DNS:admin.evil", "--allow-dns admin", false),
        ("/CN=x", nul_dns, "--allow-dns admin", false),
        ("/CN=x", nul_uri, "--allow-uri x://admin", false),
        ("/CN=admin", "subjectAltName=DNS:x", "--allow-dns admin", false),
        ("/CN=admin", "subjectAltName=DNS:x", "--allow-cn admin", true),
        ("/CN=x", "subjectAltName=DNS:admin", "--allow-cn admin", false),
        ("/CN=x", "subjectAltName=URI:admin", "--allow-dns admin", false),
        ("/OU=admin/CN=x", "subjectAltName=DNS:x", "--allow-cn admin", false),
        ("/CN=x", "subjectAltName=URI:spiffe://td/a/b/c", "--allow-uri spiffe://td/*/c", false),
        ("/CN=x", "subjectAltName=URI:spiffe://td/a/c", "--allow-uri spiffe://td/*/c", true),
    ] {
        let leaf = Leaf::new(subject, &format!("{FOR_CLIENTS}\n{extensions}"));
        match is_admitted {
            true => asking(rule).lets_in(&of(&leaf)),
            false => asking(rule).refuses(&of(&leaf), ACCESS_DENIED, "\"rule_denied\""),
        }
    }
    // Rules are no authorities: anybody can write a name.
    let stranger = Leaf::by("other-ca", "/CN=admin", FOR_CLIENTS);
    asking("--allow-cn admin").refuses(&of(&stranger), UNKNOWN_CA, "\"unknown_issuer\"");
}
