//! `cert verify`: the same answers as `openssl verify -x509_strict`, or the reason why not.

use crate::harness::*;
use serde_json::Value;

/// Both must accept or both refuse; where `differs` says so, spile refuses what OpenSSL accepts.
fn compare(at: &Workshop, openssl: &str, spile: &str) -> (bool, bool) {
    let theirs = at.runs(&format!("openssl verify -x509_strict {openssl}"));
    let ours = at.runs(&format!("spile cert verify {spile}"));
    assert!([0, 60].contains(&ours.status), "{spile}: {ours:?}");
    (theirs.status == 0, ours.status == 0)
}

fn agree(at: &Workshop, openssl: &str, spile: &str, good: bool) {
    assert_eq!(
        compare(at, openssl, spile),
        (good, good),
        "openssl verify {openssl}, spile cert verify {spile}"
    );
}

/// The code in the report.
fn code(at: &Workshop, flags: &str) -> String {
    let ended = at.runs(&format!("spile cert verify --json {flags}"));
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(told["exit_code"], ended.status, "{told}");
    assert_eq!(told["ok"], ended.status == 0);
    told["verify"]["code"].as_str().unwrap_or_default().to_owned()
}

/// An authority of OpenSSL below an authority of ours that has no path length.
fn chain(at: &Workshop) {
    at.write("empty.cnf", "[req]\ndistinguished_name=d\n[d]\n");
    at.write(
        "ext.cnf",
        "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n\
         authorityKeyIdentifier=keyid\n[leaf]\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nsubjectKeyIdentifier=hash\n\
         authorityKeyIdentifier=keyid\nsubjectAltName=DNS:db.internal\n[badca]\nbasicConstraints=critical,CA:FALSE\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    at.says(&format!(
        "export OPENSSL_CONF=empty.cnf; exec 2>/dev/null
         openssl req -x509 {key} -subj /CN=root -keyout root.key -out root.pem -addext basicConstraints=critical,CA:TRUE \
             -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash
         sub() {{ openssl req -new {key} -subj \"/CN=$1\" -keyout $1.key -out $1.csr &&
             openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -extfile ext.cnf -extensions $3 -days 30 -out $1.pem; }}
         sub middle root ca && sub leaf middle leaf && sub fake root badca && sub wrong fake leaf
         cat leaf.pem middle.pem >chain.pem; cat wrong.pem fake.pem >wrongchain.pem"
    ));
}

#[test]
fn chains_lead_to_a_root_or_are_refused() {
    let at = Workshop::new();
    chain(&at);
    agree(&at, "-CAfile root.pem -untrusted chain.pem leaf.pem", "--cafile root.pem chain.pem", true);
    agree(&at, "-CAfile root.pem leaf.pem", "--cafile root.pem leaf.pem", false);
    agree(&at, "-partial_chain -CAfile middle.pem leaf.pem", "--cafile middle.pem leaf.pem", true);
    agree(
        &at,
        "-CAfile root.pem -untrusted wrongchain.pem wrong.pem",
        "--cafile root.pem wrongchain.pem",
        false,
    );
    at.runs("spile cert verify --cafile root.pem leaf.pem")
        .exits(60)
        .complains("1 certificate was sent")
        .complains("an intermediate certificate is missing");
    assert_eq!(code(&at, "--cafile root.pem leaf.pem"), "unknown_issuer");
    assert_eq!(code(&at, "--cafile root.pem wrongchain.pem"), "unknown_issuer");
    // In any order; and those that lead nowhere do no harm.
    at.says("spile cert self x >other.pem; cat leaf.pem other.pem wrong.pem middle.pem >mixed.pem");
    at.runs("spile cert verify --cafile root.pem --name db.internal mixed.pem").exits(0);
}

#[test]
fn every_verdict_is_openssls_on_what_is_made_here() {
    let at = Workshop::new();
    at.says("spile cert dev localhost '*.example.org' 127.0.0.1 ::1 -d . 2>/dev/null");
    at.says("spile cert dev localhost -d old --not-before -10d --not-after -1d 2>/dev/null");
    at.says("spile cert dev localhost -d new --not-before +1d --not-after +2d 2>/dev/null");
    at.says("spile cert self localhost --out self.pem --key-out self.key");
    let one = |flags: &str, name: &str, file: &str, good: bool| {
        let kind = if name.contains(':') || name.starts_with(|c: char| c.is_ascii_digit()) {
            "ip"
        } else {
            "hostname"
        };
        agree(
            &at,
            &format!("{flags} -purpose sslserver -verify_{kind} '{name}' {file}"),
            &format!("{} --name '{name}' {file}", flags.replace("-CAfile", "--cafile")),
            good,
        );
    };
    let ca = "-CAfile ca.pem";
    for (name, good) in [
        ("localhost", true),
        ("LOCALHOST", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("a.example.org", true),
        ("example.org", false),
        ("b.a.example.org", false),
        ("client.localhost", false),
        ("127.0.0.2", false),
        ("localhost.localdomain", false),
    ] {
        one(ca, name, "server.pem", good);
    }
    one("-CAfile old/ca.pem", "localhost", "server.pem", false);
    one("-CAfile old/ca.pem", "localhost", "old/server.pem", false);
    one("-CAfile new/ca.pem", "localhost", "new/server.pem", false);
    one("-CAfile self.pem", "localhost", "self.pem", true);
    one(ca, "localhost", "client.pem", false);
    agree(
        &at,
        "-CAfile ca.pem -purpose sslclient client.pem",
        "--cafile ca.pem --purpose client client.pem",
        true,
    );
    agree(
        &at,
        "-CAfile ca.pem -purpose sslclient server.pem",
        "--cafile ca.pem --purpose client server.pem",
        false,
    );
}

#[test]
fn every_verdict_has_its_code() {
    let at = Workshop::new();
    at.says("spile cert dev localhost '*.example.org' 127.0.0.1 ::1 -d . 2>/dev/null");
    at.says("spile cert dev localhost -d old --not-before -10d --not-after -1d 2>/dev/null");
    at.says("spile cert dev localhost -d new --not-before +1d --not-after +2d 2>/dev/null");
    at.says("spile cert self localhost --out self.pem --key-out self.key");
    for (flags, wanted) in [
        ("--cafile ca.pem --name example.org server.pem", "name_mismatch"),
        ("--cafile old/ca.pem old/server.pem", "expired"),
        ("--cafile new/ca.pem new/server.pem", "not_yet_valid"),
        ("--cafile ca.pem client.pem", "wrong_purpose"),
        ("--cafile ca.pem self.pem", "unknown_issuer"),
        ("--cafile ca.pem ca.pem", "self_signed_ca_leaf"),
        ("--cafile ca.pem --crl old/crl.pem server.pem", "crl_unknown"),
        ("--cafile ca.pem server.pem", ""),
    ] {
        assert_eq!(code(&at, flags), wanted, "{flags}");
    }
    at.runs("spile cert verify --cafile ca.pem --name example.org server.pem")
        .exits(60)
        .complains("server.pem: certificate is not valid for 'example.org'")
        .complains("hint: it names localhost, *.example.org, 127.0.0.1, ::1");
}

/// webpki asks nobody whom it trusts for dates; OpenSSL does, and so do we.
#[test]
fn an_authority_must_last_itself() {
    let at = Workshop::new();
    at.says("spile cert ca --cn Old --out old.pem --key-out old.key --not-before -10d --not-after -1d");
    at.says("spile cert sign --ca old.pem --ca-key old.key --client --out leaf.pem --key-out leaf.key me 2>/dev/null");
    at.says("spile cert ca --cn Other --out other.pem --key-out other.key; cat old.pem other.pem >both.pem");
    for file in ["old.pem", "both.pem"] {
        agree(
            &at,
            &format!("-CAfile {file} leaf.pem"),
            &format!("--cafile {file} --purpose client leaf.pem"),
            false,
        );
        assert_eq!(code(&at, &format!("--cafile {file} --purpose client leaf.pem")), "expired");
    }
    at.runs("spile cert verify --cafile old.pem --purpose client leaf.pem")
        .exits(60)
        .complains("the trusted authority 'CN=Old' itself expired on ");
    at.says("spile cert sign --ca old.pem --ca-key old.key --out server.pem --key-out server.key localhost 2>/dev/null");
    agree(&at, "-CAfile old.pem server.pem", "--cafile old.pem server.pem", false);
    at.runs("spile cert verify --cafile old.pem --at $(date -u -d '2 days ago' +%FT%TZ) old.pem").exits(60);
    // A new certificate of the same authority takes the old one's place.
    at.says("openssl x509 -in old.pem -signkey old.key -days 30 -out new.pem 2>/dev/null; cat old.pem new.pem >renewed.pem");
    agree(&at, "-CAfile new.pem server.pem", "--cafile new.pem server.pem", true);
    at.runs("spile cert verify --cafile renewed.pem server.pem").exits(0);
}

/// Example 16.
#[test]
fn a_chain_is_looked_at_as_of_another_day() {
    let at = Workshop::new();
    at.says("spile cert ca db.internal --out ca.pem --key-out ca.key --days 3650");
    at.says(
        "spile cert sign --ca ca.pem --ca-key ca.key db.internal --not-before 2026-12-01 --not-after 2027-02-01 --out chain.pem --key-out k",
    );
    let ended = at
        .runs("spile cert verify --cafile ca.pem --name db.internal --at 2027-01-01T00:00:00Z chain.pem")
        .exits(0);
    at.runs("spile cert verify --cafile ca.pem --name db.internal --at 1960-01-01T00:00:00Z chain.pem")
        .exits(60);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(said, "good: 'CN=db.internal' as db.internal on 2027-01-01T00:00:00Z by file:ca.pem\n");
    for (day, good) in [
        ("2026-11-30T23:59:59Z", false),
        ("2026-12-01T00:00:00Z", true),
        // In the last second, OpenSSL takes it for expired, RFC 5280 for good.
        ("2027-01-31T23:59:59Z", true),
        ("2027-02-01T00:00:01Z", false),
    ] {
        let seconds = at.says(&format!("date -d {day} +%s"));
        agree(
            &at,
            &format!("-CAfile ca.pem -attime {} chain.pem", seconds.trim()),
            &format!("--cafile ca.pem --at {day} chain.pem"),
            good,
        );
    }
    let at_end = "spile cert verify --cafile ca.pem --at 2027-01-20T00:00:00Z --expires-in";
    at.runs(&format!("{at_end} 14d chain.pem")).exits(3).complains("it expires on 2027-02-01T00:00:00Z");
    at.runs(&format!("{at_end} 10d chain.pem")).exits(0);
}

#[test]
fn weak_keys_and_old_signatures_are_refused() {
    let at = Workshop::new();
    at.write("empty.cnf", "[req]\ndistinguished_name=d\n[d]\n");
    let make = |key: &str, digest: &str, name: &str| {
        at.says(&format!(
            "OPENSSL_CONF=empty.cnf openssl req -x509 -newkey {key} -nodes -{digest} -subj /CN=x -addext subjectAltName=DNS:x \
             -addext basicConstraints=CA:FALSE -keyout {name}.key -out {name}.pem 2>/dev/null"
        ));
    };
    make("rsa:1024", "sha256", "small");
    make("rsa:2048", "sha1", "old");
    make("rsa:2048", "sha256", "fine");
    at.runs("spile cert verify --cafile small.pem small.pem").exits(60).complains("an RSA key of 1024 bits");
    at.runs("spile cert verify --cafile old.pem old.pem").exits(60).complains("SHA1");
    at.runs("spile cert verify --cafile fine.pem fine.pem").exits(0);
    assert_eq!(code(&at, "--cafile small.pem small.pem"), "weak_key");
    assert_eq!(code(&at, "--cafile old.pem old.pem"), "weak_key");
    // A key of the server that is too small, signed by an authority that is not.
    at.says("spile cert ca --out ca.pem --key-out ca.key");
    at.says(
        "openssl req -new -key small.key -subj /CN=x -out x.csr && printf 'subjectAltName=DNS:x' >ext && \
         openssl x509 -req -in x.csr -CA ca.pem -CAkey ca.key -extfile ext -out x.pem 2>/dev/null",
    );
    assert_eq!(code(&at, "--cafile ca.pem --name x x.pem"), "weak_key");
}

#[test]
fn verdicts_on_cpythons_set_are_openssls_but_for_what_is_told_here() {
    let at = Workshop::new();
    at.says(&format!("cp {}/tests/certificates/* .", env!("CARGO_MANIFEST_DIR")));
    // A day on which CPython's own certificates are good.
    let both = |file: &str, name: &str| {
        let ours = at.runs(&format!(
            "spile cert verify --at 2023-11-14T22:13:20Z --cafile pycacert.pem --name {name} {file}"
        ));
        let kind = if name.contains(':') || name.starts_with(|c: char| c.is_ascii_digit()) {
            "ip"
        } else {
            "hostname"
        };
        let line = format!("-attime 1700000000 -CAfile pycacert.pem -verify_{kind} {name} {file}");
        let theirs = at.runs(&format!("openssl verify {line}"));
        let strict = at.runs(&format!("openssl verify -x509_strict {line}"));
        assert!([0, 60].contains(&ours.status), "{ours:?}");
        (ours.status == 0, theirs.status == 0, strict)
    };
    for (file, name, good) in [
        ("allsans.pem", "allsans", true),
        ("allsans.pem", "www.example.org", true),
        ("allsans.pem", "127.0.0.1", true),
        ("allsans.pem", "::1", true),
        ("allsans.pem", "example.org", false),
        ("idnsans.pem", "xn--knig-5qa.idn.pythontest.net", true),
        ("idnsans.pem", "xn--knigsgchen-b4a3dun.idna2008.pythontest.net", true),
        ("idnsans.pem", "idn.pythontest.net", false),
        ("keycert3.pem", "localhost", true),
        ("keycert3.pem", "fakehostname", false),
        ("keycertecc.pem", "localhost-ecc", true),
        ("nokia.pem", "projects.developer.nokia.com", false),
        ("nullbytecert.pem", "null.python.org", false),
        ("nullbytecert.pem", "altnull.python.org", false),
        ("talos-2019-0758.pem", "codenomicon-vm-2.test.lal.cisco.com", false),
        ("selfsigned_pythontestdotnet.pem", "self-signed.pythontest.net", false),
    ] {
        let (ours, theirs, strict) = both(file, name);
        assert_eq!((ours, theirs), (good, good), "{file} {name}");
        if good {
            // With -x509_strict OpenSSL wants a key usage in every CA; RFC 5280 asks those who make one for it, not
            // those who verify, and webpki does not.
            strict.exits(2).complains("CA cert does not include key usage extension");
        }
    }
    // A certificate without alternative names: OpenSSL falls back to the common name, TLS clients no longer do.
    let (ours, theirs, _) = both("nosan.pem", "nosan");
    assert_eq!((ours, theirs), (false, true));
    // A name that goes on behind a NUL byte (CVE-2013-4238) is no other name, whenever it is looked at.
    for name in ["null.python.org", "altnull.python.org", "example.com"] {
        at.runs(&format!("spile cert verify --at 2013-08-07T13:12:00Z --cafile nullbytecert.pem --name {name} nullbytecert.pem"))
            .exits(60);
    }
    at.runs("spile cert verify --at 2023-11-14 --cafile pycacert.pem --crl revocation.crl keycert3.pem")
        .exits(0);
}

#[test]
fn who_is_trusted_is_what_was_said() {
    let at = Workshop::new();
    at.says("spile cert dev localhost -d t 2>/dev/null; spile cert dev localhost -d u 2>/dev/null; mkdir both; cp t/ca.pem both/t.pem; cp u/ca.pem both/u.pem");
    let verify = |flags: &str| at.runs(&format!("spile cert verify {flags} t/server.pem"));
    verify("--cafile t/ca.pem").exits(0);
    verify("--cafile both").exits(0);
    verify("--cafile u/ca.pem --cafile t/ca.pem").exits(0);
    verify("--cafile u/ca.pem").exits(60);
    // The roots of the system are trusted unless others are named; these variables are what makes them so.
    let with =
        |variable: &str, flags: &str| at.runs(&format!("{variable} spile cert verify {flags} t/server.pem"));
    with("SSL_CERT_FILE=t/ca.pem", "").exits(0);
    with("SSL_CERT_FILE=t/ca.pem", "--cafile u/ca.pem").exits(60);
    with("SSL_CERT_FILE=t/ca.pem", "--cafile u/ca.pem --roots system").exits(0);
    with("SSL_CERT_FILE=/nonexistent", "").exits(77);
    with("SSL_CERT_FILE=/nonexistent", "--cafile t/ca.pem").exits(0);
    with("SSL_CERT_FILE=t/ca.pem", "--roots mozilla").exits(60).complains("of mozilla");
    verify("--roots none").exits(77).complains("there are no authorities");
    at.says("mkdir empty");
    verify("--cafile empty").exits(77).complains("CA directory empty: it holds no certificate");
    verify("--cafile none").exits(77).complains("CA file none: No such file or directory");
    verify("--cafile t/server.key").exits(77);
    verify("--cafile t/ca.pem --crl t/ca.pem").exits(77).complains("it holds no revocation list");
    verify("--cafile t/ca.pem --name 'a b'").exits(2);
    verify("--cafile t/ca.pem --at yesterday").exits(2).complains("is no time");
}

#[test]
fn the_report_has_the_chain_and_the_verdict() {
    let at = Workshop::new();
    at.says("spile cert dev localhost 127.0.0.1 --not-after +100h -d t 2>/dev/null");
    let ended = at.runs("spile cert verify --cafile t/ca.pem --name x.org --json t/server.pem").exits(60);
    assert_eq!(ended.stderr, "");
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let shown: Value = serde_json::from_str(&at.says("spile cert show --json t/server.pem")).unwrap();
    assert_eq!(told["schema"], "spile.cert/1");
    assert_eq!(told["chain"], shown["chain"]);
    assert_eq!(
        told["verify"],
        serde_json::json!({
            "result": "failed", "code": "name_mismatch", "message": "certificate is not valid for 'x.org'",
            "hint": "it names localhost, 127.0.0.1", "trust": "file:t/ca.pem", "roots": 1, "wanted": "x.org",
            "offered": ["DNS:localhost", "IP:127.0.0.1"], "revocation": "not_checked", "insecure": false,
        })
    );
}

#[test]
fn the_whole_path_must_last_for_so_long() {
    let at = Workshop::new();
    chain(&at);
    // The authority in the middle ends before the leaf, and before the one beside it.
    at.says(
        "exec 2>/dev/null; export OPENSSL_CONF=empty.cnf
         openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -extfile ext.cnf -extensions ca -days 9 -out short.pem
         cat leaf.pem short.pem >shortchain.pem; cat leaf.pem short.pem middle.pem >eitherway.pem
         spile cert self x --not-before -9d --not-after -1d >old.pem; cat leaf.pem middle.pem old.pem >withold.pem",
    );
    let verify = |flags: &str| at.runs(&format!("spile cert verify --cafile root.pem {flags}"));
    for (file, within, status) in [
        ("shortchain.pem", "8d", 0),
        ("shortchain.pem", "10d", 3),
        ("chain.pem", "10d", 0),
        ("chain.pem", "31d", 3),
        ("eitherway.pem", "10d", 0),
        ("withold.pem", "10d", 0),
        ("withold.pem", "31d", 3),
        ("leaf.pem", "10d", 60),
    ] {
        let flags = format!("--expires-in {within} {file}");
        verify(&flags).exits(status);
        let told: Value =
            serde_json::from_slice(&verify(&format!("--json {flags}")).exits(status).stdout).unwrap();
        assert_eq!(told["exit_code"], status, "{flags}");
    }
    verify("--expires-in 10d shortchain.pem").complains("certificate 'CN=middle': it expires on");
}
