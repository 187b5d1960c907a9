//! OCSP responses, made by `openssl ocsp`, stapled by others' servers and by ours, and what tls-connect makes of them.

use std::sync::OnceLock;

use crate::harness::look::s_server;
use crate::harness::*;
use serde_json::json;

/// Certificates beside those of the tests' authority, and responses; the name of each says what it is.
const RECIPE: &str = r#"
    ln -s "$PKI" pki && cp pki/index pki/index.attr . && : >empty && cp pki/index.attr empty.attr
    printf 'V\t361124123034Z\t\t77\tunknown\t/CN=localhost\n' >>index

    issued() { # NAME SERIAL EXTENSIONS
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key
        openssl req -new -key $1.key -subj /CN=$1 -out request
        printf "$3" >extensions
        openssl x509 -req -in request -CA pki/ca.pem -CAkey pki/ca.key -set_serial $2 -days 30 \
            -extfile extensions -out $1.pem
    }
    issued must 0x77 'subjectAltName=DNS:localhost\ntlsfeature=status_request\n'
    issued responder 0x78 'extendedKeyUsage=OCSPSigning\n'
    issued impostor 0x79 'extendedKeyUsage=serverAuth\n'

    response() { # NAME CERTIFICATE OPTION...
        name=$1 of=$2
        shift 2
        openssl ocsp -index index -CA pki/ca.pem -rsigner pki/ca.pem -rkey pki/ca.key -issuer pki/ca.pem -ndays 3 \
            "$@" -cert $of -respout $name.der
    }
    response good pki/server.pem
    response good-sha256 pki/server.pem -sha256
    response must must.pem
    response revoked pki/revoked.pem
    response unknown pki/server.pem -index empty
    response sibling pki/server-rsa.pem
    response foreign pki/server.pem -rsigner pki/other-ca.pem -rkey pki/other-ca.key
    response damaged pki/server.pem -badsig
    response delegated pki/server.pem -rsigner responder.pem -rkey responder.key
    response usurped pki/server.pem -rsigner impostor.pem -rkey impostor.key
    response sha1-signed pki/server.pem -rmd sha1
    printf '\060\003\012\001\003' >later.der
"#;

/// Where they are.
fn shop() -> &'static Workshop {
    static SHOP: OnceLock<Workshop> = OnceLock::new();
    SHOP.get_or_init(|| {
        let shop = Workshop::new();
        shop.says(&format!("set -e; PKI={}\n{RECIPE}", certificates().display()));
        shop
    })
}

fn path(name: &str) -> String {
    shop().path(name).display().to_string()
}

/// The option of a staple, unless there is none.
fn option(name: &str, staple: &str) -> String {
    match staple {
        "" => String::new(),
        staple => format!("{name} {}", path(&format!("{staple}.der"))),
    }
}

/// Certificate, staple, options of the client, status, a word of what is said.
const VERDICTS: &[(&str, &str, &str, i32, &str)] = &[
    ("pki/server", "good", "", 0, ""),
    ("pki/server", "good", "--staple require", 0, ""),
    ("pki/server", "good-sha256", "--staple require --max 1.2", 0, ""),
    ("pki/server", "delegated", "--staple require", 0, ""),
    ("pki/server", "", "", 0, ""),
    ("pki/server", "", "--staple require", 91, "staples no OCSP response"),
    ("pki/server", "later", "", 0, ""),
    ("pki/server", "later", "--staple require", 91, "tried later"),
    ("pki/revoked", "revoked", "", 60, "was revoked on"),
    ("pki/revoked", "revoked", "--max 1.2", 60, "says its issuer 'CN=spile test CA'"),
    ("pki/revoked", "revoked", "--staple ignore", 0, ""),
    ("pki/revoked", "revoked", "--insecure", 0, ""),
    ("pki/server", "unknown", "", 91, "does not know it"),
    ("pki/server", "sibling", "", 91, "about another certificate"),
    ("pki/server", "foreign", "", 91, "has not certified"),
    ("pki/server", "damaged", "", 91, "no valid signature"),
    ("pki/server", "sha1-signed", "", 91, "no valid signature"),
    ("pki/server", "usurped", "", 91, "no OCSPSigning"),
    ("pki/server", "usurped", "--staple ignore", 0, ""),
    ("must", "must", "", 0, ""),
    ("must", "", "", 91, "must-staple"),
    ("must", "", "--staple ignore", 0, ""),
];

#[test]
fn responses_that_openssl_staples_are_judged() {
    for (certificate, staple, options, status, word) in VERDICTS {
        let certificate = path(certificate);
        let staple = option("-status_file", staple);
        let server = s_server(&format!("-cert {certificate}.pem -key {certificate}.key {staple} -quiet"));
        let ended = server.looked_at(&format!("--check --cafile PKI/ca.pem {options}"));
        assert_eq!(ended.status, *status, "{certificate} {staple} {options}: {ended:?}");
        assert!(ended.stderr.contains(word), "{certificate} {staple} {options}: {ended:?}");
    }
}

#[test]
fn a_response_is_good_for_its_time() {
    let staple = option("-status_file", "good");
    let server = s_server(&format!("-cert PKI/server.pem -key PKI/server.key {staple} -quiet"));
    let at = |days: i64| {
        let at = time::OffsetDateTime::now_utc() + time::Duration::days(days);
        let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        server.looked_at(&format!("--check --cafile PKI/ca.pem --at {at}"))
    };
    let good = at(2).exits(0);
    assert!(String::from_utf8_lossy(&good.stdout).contains("not revoked (OCSP)"), "{good:?}");
    at(4).exits(91).complains("out of date since");
}

#[test]
fn the_report_has_what_a_response_says() {
    for (certificate, staple, status, result, revocation) in [
        ("pki/server", "good", json!("good"), "ok", "not_checked"),
        ("pki/revoked", "revoked", json!("revoked"), "failed", "revoked"),
        ("pki/server", "later", json!("unanswered"), "ok", "not_checked"),
        ("pki/server", "sibling", json!("invalid"), "failed", "not_checked"),
        ("pki/server", "", json!(null), "ok", "not_checked"),
    ] {
        let certificate = path(certificate);
        let staple = option("-status_file", staple);
        let server = s_server(&format!("-cert {certificate}.pem -key {certificate}.key {staple} -quiet"));
        let report = server.looked_at("--check --json --cafile PKI/ca.pem").json();
        let (ocsp, verify) = (&report["ocsp"], &report["verify"]);
        assert_eq!(ocsp["status"], status, "{report}");
        assert_eq!(ocsp["stapled"], json!(!staple.is_empty()));
        assert_eq!((&verify["result"], &verify["revocation"]), (&json!(result), &json!(revocation)));
        let is_dated = matches!(status.as_str(), Some("good" | "revoked"));
        assert_eq!(ocsp["next_update"].is_string(), is_dated, "{report}");
    }
}

/// tls-serve with a certificate and a staple, and what it says before it listens.
fn served(certificate: &str, staple: &str) -> (Process, String, String) {
    let (cert, key) = (path(&format!("{certificate}.pem")), path(&format!("{certificate}.key")));
    let mut args = vec!["tls-serve", "127.0.0.1:0", "--echo", "--cert", &cert, "--key", &key];
    let staple = path(&format!("{staple}.der"));
    if !staple.ends_with("/.der") {
        args.extend(["--ocsp", &staple]);
    }
    let mut server = spile(args);
    let said = server.line("");
    let port = match said.contains("listening") {
        true => said.rsplit(':').next().unwrap_or_default().to_owned(),
        false => server.port().to_string(),
    };
    (server, port, said)
}

#[test]
fn tls_serve_staples_and_says_what_clients_will_not_like() {
    let old = shop().read("good.der");
    // Every time in it, some years ago; without the issuer in its chain a server cannot see that it is not signed so.
    let mut times: Vec<usize> = (0..old.len() - 2).filter(|at| old[*at..*at + 2] == [0x18, 15]).collect();
    let mut older = old.clone();
    times.drain(..).for_each(|at| older[at + 2..at + 6].copy_from_slice(b"2020"));
    shop().write("old.der", older);
    for (certificate, staple, status, warning) in [
        ("pki/server", "good", 0, ""),
        ("must", "must", 0, ""),
        ("must", "", 91, "must-staple"),
        ("pki/server", "old", 91, "old.der: it is out of date since 2020-"),
        ("pki/server", "sibling", 91, "sibling.der: it is about another certificate"),
        ("pki/revoked", "revoked", 60, "revoked.der: the certificate was revoked on"),
    ] {
        let (_server, port, said) = served(certificate, staple);
        let is_told = if warning.is_empty() { said.contains("listening") } else { said.contains(warning) };
        assert!(is_told, "{certificate} {staple}: {said}");
        let connect = format!("localhost:{port}");
        let args = ["tls-connect", &connect, "-4", "--check", "--cafile", &path("pki/ca.pem")];
        let ended = spile(args).ends();
        assert_eq!(ended.status, status, "{certificate} {staple}: {ended:?}");
    }
    let (_server, port, _) = served("pki/server", "good");
    let connect = format!("localhost:{port}");
    let args = ["s_client", "-4", "-connect", &connect, "-CAfile", &path("pki/ca.pem"), "-status"];
    let ended = program("openssl", &args).eof().ends();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(said.contains("OCSP Response Status: successful"), "{said}");
}

#[test]
fn a_response_that_must_be_there_needs_authorities_to_ask() {
    let ca = certificate("ca.pem");
    for flags in [&["--trust-cert", &ca][..], &["--roots", "none", "--insecure"]] {
        let args = ["tls-connect", "--check", "localhost:1", "--staple", "require"];
        spile(args.iter().chain(flags)).ends().exits(2).complains("--staple require");
    }
    spile(["tls-connect", "--check", "localhost:1", "--staple", "maybe"])
        .ends()
        .exits(2)
        .complains("require");
}
