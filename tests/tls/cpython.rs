//! The certificates of CPython's own test suite, paired as its test_ssl.py pairs them: what Python's ssl accepts,
//! spile accepts, and what it refuses, spile refuses; else the table says why.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::harness::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Accepted,
    Refused,
}

use Verdict::{Accepted, Refused};

/// The directory of the certificates; Python 3.13 has moved them into one of their own.
fn place() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let own = "import sysconfig; print(sysconfig.get_path('stdlib'))";
        let own = PathBuf::from(output_of("python3", &["-c", own]).trim());
        let systems = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
        let tests = [own].into_iter().chain(systems).map(|place| place.join("test"));
        let mut places = tests.flat_map(|place| [place.join("certdata"), place]);
        let found = places.find(|place| place.join("keycert3.pem").exists());
        found.expect("CPython's certificates are not here: scripts/test installs them")
    })
}

/// The path of one of the files; what is no name of one stays as it is.
fn file(name: &str) -> String {
    if name.is_empty() { String::new() } else { place().join(name).display().to_string() }
}

/// Echoes what each client says. Arguments: certificate, key or "", authorities of clients or "".
const SERVER: &str = include_str!("../fakes/python_server.py");

/// Says a word to a server and prints what it makes of it.
/// Arguments: port, authorities, name, revocation list or "", own certificate or "".
const CLIENT: &str = include_str!("../fakes/python_client.py");

/// A server of either kind; it is ended with the value.
struct Server {
    name: &'static str,
    port: String,
    _process: Process,
}

/// Ours does not serve this one: it is of X.509 version 1, without a SAN.
const PYTHON_ALONE_SERVES: &str = "nosan.pem";

/// Python's server and ours with one certificate, and a demand of clients where `authorities` is one.
fn servers(certificate: &str, authorities: &str) -> Vec<Server> {
    let mut python = program("python3", &["-c", SERVER, &file(certificate), "", &file(authorities)]);
    let port = python.port().to_string();
    let mut servers = vec![Server { name: "Python's server", port, _process: python }];
    let mut words = vec!["tls-serve".to_owned(), "127.0.0.1:0".into(), "--cert".into(), file(certificate)];
    words.push("--verbose".to_owned());
    if !authorities.is_empty() {
        words.extend(["--client-ca".to_owned(), file(authorities), "--allow-any".into()]);
    }
    words.extend(["--", "cat"].map(str::to_owned));
    let mut ours = spile(words);
    if certificate == PYTHON_ALONE_SERVES {
        ours.ends().exits(58);
    } else {
        let port = ours.port().to_string();
        servers.push(Server { name: "tls-serve", port, _process: ours });
    }
    servers
}

/// What a client asks of a server.
#[derive(Clone, Copy)]
struct Asked<'a> {
    trust: &'a str,
    name: &'a str,
    /// A revocation list, or "".
    revoked: &'a str,
    /// A certificate with its key, or "".
    own: &'a str,
}

impl Asked<'_> {
    fn by_python(&self, port: &str) -> (Verdict, String) {
        let paths = [self.trust, self.revoked, self.own].map(path);
        let args = ["-c", CLIENT, port, &paths[0], self.name, &paths[1], &paths[2]];
        let ended = program("python3", &args).eof().ends();
        let said = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        assert!(!said.is_empty(), "Python's client: {}", ended.stderr);
        (if said == "accepted" { Accepted } else { Refused }, said)
    }

    fn by_spile(&self, port: &str) -> (Verdict, String) {
        let mut args = vec!["tls-connect".to_owned(), format!("127.0.0.1:{port}")];
        let options = [
            ("--cafile", path(self.trust)),
            ("--name", self.name.to_owned()),
            ("--crl", path(self.revoked)),
            ("--cert", path(self.own)),
        ];
        for (option, value) in options.into_iter().filter(|(_, value)| !value.is_empty()) {
            args.extend([option.to_owned(), value]);
        }
        let ended = spile(args).sends("hello").eof().ends();
        match ended.status {
            0 => {
                assert_eq!(ended.stdout, b"hello", "{}", ended.stderr);
                (Accepted, String::new())
            }
            // 60: we refuse the server; 58: it refuses us.
            58 | 60 => (Refused, ended.stderr),
            _ => panic!("{}: {ended:?}", self.name),
        }
    }
}

/// A file of CPython's, or one that a test has made: those have whole paths.
fn path(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { file(name) }
}

/// A certificate, what it is asked for, and who takes it.
struct Pairing {
    certificate: &'static str,
    trust: &'static str,
    name: &'static str,
    python: Verdict,
    spile: Verdict,
    /// Why the verdicts differ, where they do.
    why: &'static str,
}

/// Both say the same.
const fn same(certificate: &'static str, trust: &'static str, name: &'static str, both: Verdict) -> Pairing {
    Pairing { certificate, trust, name, python: both, spile: both, why: "" }
}

const CA: &str = "pycacert.pem";

const PAIRINGS: &[Pairing] = &[
    // test_check_hostname, testing_context()
    same("keycert3.pem", CA, "localhost", Accepted),
    same("keycert3.pem", CA, "invalid", Refused),
    same("keycert3.pem", CA, "fakehostname", Refused),
    same("keycert4.pem", CA, "fakehostname", Accepted),
    same("keycert4.pem", CA, "localhost", Refused),
    // test_ssl_cert_verify_error: an authority that is not known
    same("keycert3.pem", "keycert2.pem", "localhost", Refused),
    same("keycert3.pem", "selfsigned_pythontestdotnet.pem", "localhost", Refused),
    // Signed by themselves, and trusted so
    same("keycert.pem", "keycert.pem", "localhost", Accepted),
    same("keycert.pem", "keycert.pem", "fakehostname", Refused),
    same("keycert.pem", CA, "localhost", Refused),
    same("keycert2.pem", "keycert2.pem", "fakehostname", Accepted),
    same("keycert2.pem", "keycert.pem", "fakehostname", Refused),
    // test_ecc_cert
    same("keycertecc.pem", CA, "localhost-ecc", Accepted),
    same("keycertecc.pem", CA, "localhost", Refused),
    // test_parse_all_sans
    same("allsans.pem", CA, "allsans", Accepted),
    same("allsans.pem", CA, "www.example.org", Accepted),
    same("allsans.pem", CA, "example.org", Refused),
    same("allsans.pem", CA, "127.0.0.1", Accepted),
    same("allsans.pem", CA, "::1", Accepted),
    same("allsans.pem", CA, "127.0.0.2", Refused),
    // The name in the URI is no name of a host.
    same("allsans.pem", CA, "www.python.org", Refused),
    // test_check_hostname_idn
    same("idnsans.pem", CA, "könig.idn.pythontest.net", Accepted),
    same("idnsans.pem", CA, "xn--knig-5qa.idn.pythontest.net", Accepted),
    same("idnsans.pem", CA, "xn--knigsgsschen-lcb0w.idna2003.pythontest.net", Accepted),
    same("idnsans.pem", CA, "xn--knigsgchen-b4a3dun.idna2008.pythontest.net", Accepted),
    same("idnsans.pem", CA, "xn--nxasmq6b.idna2003.pythontest.net", Accepted),
    same("idnsans.pem", CA, "xn--nxasmm1c.idna2008.pythontest.net", Accepted),
    same("idnsans.pem", CA, "python.example.org", Refused),
    Pairing {
        certificate: "idnsans.pem",
        trust: CA,
        name: "königsgäßchen.idna2003.pythontest.net",
        python: Accepted,
        spile: Refused,
        why: "Python follows IDNA 2003, where ß is ss; spile UTS #46 as browsers do, where ß is a letter",
    },
    Pairing {
        certificate: "idnsans.pem",
        trust: CA,
        name: "königsgäßchen.idna2008.pythontest.net",
        python: Refused,
        spile: Accepted,
        why: "the same; in test_ssl.py this line is commented out",
    },
    // test_hostname_checks_common_name
    Pairing {
        certificate: "nosan.pem",
        trust: CA,
        name: "nosan",
        python: Accepted,
        spile: Refused,
        why: "Python falls back to the common name unless told otherwise; spile never, and this is X.509 v1",
    },
    same("nosan.pem", CA, "localhost", Refused),
];

#[test]
fn servers_are_judged_alike() {
    let mut certificates: Vec<&str> = PAIRINGS.iter().map(|row| row.certificate).collect();
    certificates.dedup();
    for certificate in certificates {
        let servers = servers(certificate, "");
        for row in PAIRINGS.iter().filter(|row| row.certificate == certificate) {
            assert_eq!(row.python == row.spile, row.why.is_empty(), "{certificate} for {}", row.name);
            let asked = Asked { trust: row.trust, name: row.name, revoked: "", own: "" };
            for server in &servers {
                let about = format!("{certificate} for {} at {}", row.name, server.name);
                let (verdict, said) = asked.by_python(&server.port);
                assert_eq!(verdict, row.python, "{about}, by Python: {said}");
                let (verdict, said) = asked.by_spile(&server.port);
                assert_eq!(verdict, row.spile, "{about}, by tls-connect: {said}");
            }
        }
    }
}

#[test]
fn a_revocation_list_must_be_that_of_the_authority() {
    // test_crl_check: the leaf is looked for in a list; none about it is a refusal.
    let foreign = certificate("crl.pem");
    for (revoked, wanted) in [("", Accepted), (foreign.as_str(), Refused), ("revocation.crl", Accepted)] {
        let asked = Asked { trust: CA, name: "localhost", revoked, own: "" };
        for server in &servers("keycert3.pem", "") {
            let (verdict, said) = asked.by_python(&server.port);
            assert_eq!(verdict, wanted, "{revoked} at {}, by Python: {said}", server.name);
            let (verdict, said) = asked.by_spile(&server.port);
            assert_eq!(verdict, wanted, "{revoked} at {}, by tls-connect: {said}", server.name);
        }
    }
}

#[test]
fn clients_are_judged_alike() {
    // test_wrong_cert_tls12 and _tls13, and the good ones beside them.
    let clients = [
        ("", Refused),
        ("keycert.pem", Refused),
        ("keycert2.pem", Refused),
        ("keycert3.pem", Accepted),
        ("keycert4.pem", Accepted),
        ("keycertecc.pem", Accepted),
    ];
    let servers = servers("keycert3.pem", CA);
    for (own, wanted) in clients {
        let asked = Asked { trust: CA, name: "localhost", revoked: "", own };
        for server in &servers {
            let (verdict, said) = asked.by_python(&server.port);
            assert_eq!(verdict, wanted, "Python's client with '{own}' at {}: {said}", server.name);
            let (verdict, said) = asked.by_spile(&server.port);
            assert_eq!(verdict, wanted, "tls-connect with '{own}' at {}: {said}", server.name);
        }
    }
}

/// Whether Python can load a certificate and its key. Arguments: both, and a passphrase.
const LOAD: &str = "import ssl, sys
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(sys.argv[1], sys.argv[2] or None, lambda: sys.argv[3])
    print('accepted')
except OSError as why:
    print('refused:', why)";

#[test]
fn certificates_and_keys_are_read_alike() {
    // test_load_cert_chain, test_empty_cert, test_malformed_cert, test_malformed_key
    let files = [
        ("keycert.pem", "", "", Accepted),
        ("keycert.pem", "keycert.pem", "", Accepted),
        ("ssl_cert.pem", "ssl_key.pem", "", Accepted),
        ("ssl_cert.pem", "", "", Refused),
        ("ssl_key.pem", "", "", Refused),
        ("ssl_key.pem", "ssl_cert.pem", "", Refused),
        ("pycacert.pem", "ssl_key.pem", "", Refused),
        ("keycert.passwd.pem", "", "somepass", Accepted),
        ("keycert.passwd.pem", "", "badpass", Refused),
        ("ssl_cert.pem", "ssl_key.passwd.pem", "somepass", Accepted),
        ("ssl_cert.pem", "ssl_key.passwd.pem", "badpass", Refused),
        ("badcert.pem", "", "", Refused),
        ("badkey.pem", "", "", Refused),
        ("nullcert.pem", "", "", Refused),
        ("nonexistingcert.pem", "", "", Refused),
    ];
    let workshop = Workshop::new();
    let passphrase = workshop.path("passphrase").display().to_string();
    for (certificate, key, password, wanted) in files {
        let python = output_of("python3", &["-c", LOAD, &file(certificate), &file(key), password]);
        assert_eq!(python.trim() == "accepted", wanted == Accepted, "{certificate}, by Python: {python}");

        // Files are read first: with good ones it is the port that fails.
        let port = free_port();
        let mut args =
            vec!["tls-connect".to_owned(), format!("127.0.0.1:{port}"), "--cert".into(), file(certificate)];
        if !key.is_empty() {
            args.extend(["--key".to_owned(), file(key)]);
        }
        if !password.is_empty() {
            std::fs::write(&passphrase, password).unwrap();
            args.extend(["--pass-file".to_owned(), passphrase.clone()]);
        }
        let ended = spile(args).eof().ends();
        assert_eq!(ended.status, if wanted == Accepted { 7 } else { 58 }, "{certificate}: {ended:?}");
    }
}

/// Serial number, dates and names as Python decodes them, one a line, in the words of `cert show`.
const DECODE: &str = "import _ssl, ipaddress, json, ssl, sys, time
facts = _ssl._test_decode_cert(sys.argv[1])
kinds = {'DNS': 'DNS', 'URI': 'URI', 'email': 'EMAIL', 'IP Address': 'IP'}
def name(kind, value):
    return kinds[kind] + ':' + (str(ipaddress.ip_address(value)) if kind == 'IP Address' else value)
def date(text):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(ssl.cert_time_to_seconds(text)))
names = [name(kind, value) for kind, value in facts.get('subjectAltName', ()) if kind in kinds]
print(json.dumps([facts['serialNumber'].lower(), date(facts['notBefore']), date(facts['notAfter']), names]))";

#[test]
fn what_a_certificate_says_is_read_alike() {
    // test_parse_cert, test_parse_cert_CVE_2019_5010 and CVE_2013_4238, test_parse_all_sans
    for name in [
        "keycert.pem",
        "keycert3.pem",
        "keycertecc.pem",
        "nokia.pem",
        "talos-2019-0758.pem",
        "nullbytecert.pem",
        "allsans.pem",
        "idnsans.pem",
        "nosan.pem",
        "selfsigned_pythontestdotnet.pem",
        "pycacert.pem",
    ] {
        let python = output_of("python3", &["-c", DECODE, &file(name)]);
        // A NUL is shown as Rust escapes it, since it must not reach a terminal.
        let python: serde_json::Value = serde_json::from_str(&python.replace("\\u0000", "\\\\u{0}")).unwrap();
        let ended = spile(["cert", "show", "--json", &file(name)]).eof().ends().exits(0);
        let shown: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        let leaf = &shown["chain"][0];
        let san = leaf["san"].as_array().unwrap().iter().filter(|name| {
            let kind = name.as_str().unwrap().split(':').next().unwrap();
            ["DNS", "URI", "EMAIL", "IP"].contains(&kind)
        });
        let san: Vec<_> = san.cloned().collect();
        let ours = serde_json::json!([leaf["serial"], leaf["not_before"], leaf["not_after"], san]);
        assert_eq!(ours, python, "{name}");
    }
}

#[test]
fn a_name_with_a_nul_is_no_name() {
    // test_parse_cert_CVE_2013_4238: neither what is before it nor the whole; and SHA-1 is refused already.
    let certificate = file("nullbytecert.pem");
    for name in ["altnull.python.org", "null.python.org"] {
        let at = "2013-08-07T13:12:00Z";
        let args = ["cert", "verify", "--cafile", &certificate, "--name", name, "--at", at, &certificate];
        spile(args).eof().ends().exits(60);
    }
}
