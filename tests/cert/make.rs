//! `cert`: what it makes, as OpenSSL sees it.

use crate::harness::*;

#[test]
fn dev_makes_all_that_a_test_needs_and_forgets_the_key_of_its_ca() {
    let at = Workshop::new();
    let ended = at.runs("spile cert dev localhost 127.0.0.1 ::1 -d t").exits(0);
    assert!(ended.stdout.is_empty());
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "spile tls-serve --cert t/server.pem --key t/server.key --client-ca t/ca.pem --allow-dns \
             client.localhost 8443 --echo",
            "spile tls-connect localhost:8443 --cafile t/ca.pem --cert t/client.pem --key t/client.key",
        ]
    );
    let files = at.says("ls t");
    assert_eq!(files, "ca.pem\nclient.key\nclient.pem\ncrl.pem\nserver.key\nserver.pem\n");
    let strict = "openssl verify -x509_strict -crl_check -CRLfile t/crl.pem -CAfile t/ca.pem";
    at.says(&format!("{strict} -purpose sslserver -verify_hostname localhost -verify_ip ::1 t/server.pem"));
    at.says(&format!("{strict} -purpose sslclient -verify_hostname client.localhost t/client.pem"));
    at.runs(&format!("{strict} -purpose sslclient t/server.pem")).exits(2);
    at.says("spile cert match t/server.pem t/server.key && spile cert match t/client.pem t/client.key");
    // What leaks from a test can sign nothing: none of the keys is the CA's.
    for key in ["server", "client"] {
        at.runs(&format!("spile cert match t/ca.pem t/{key}.key")).exits(58);
    }
    let secret = at.says("grep -c 'PRIVATE KEY' t/* | grep -v ':0$'");
    assert_eq!(secret, "t/client.key:2\nt/server.key:2\n", "first and last lines of keys");
    at.says("spile cert dev localhost -d t2 --ca-key-out ca.key && spile cert match t2/ca.pem ca.key");
    assert_eq!(at.mode("ca.key"), 0o600);
}

#[test]
fn a_ca_signs_for_the_names_it_was_made_for_alone() {
    let at = Workshop::new();
    at.says("spile cert ca internal 10.0.0.1 --out ca.pem --key-out ca.key");
    let sign = "spile cert sign --ca ca.pem --ca-key ca.key";
    for good in ["internal", "db.internal", "*.a.internal", "10.0.0.1"] {
        at.says(&format!("{sign} '{good}' --out leaf.pem --key-out leaf.key --force"));
        at.says("openssl verify -x509_strict -CAfile ca.pem leaf.pem");
    }
    for bad in ["internal.org", "10.0.0.2", "::1", "xinternal"] {
        at.runs(&format!("{sign} '{bad}' --out bad.pem")).exits(58).complains("name constraints");
    }
    assert!(!at.path("bad.pem").exists());
    // What it was not made for at all is shut out as well, for those who check without spile.
    at.says("spile cert ca 10.0.0.1 --out ip.pem --key-out ip.key");
    at.write("san", "subjectAltName=DNS:example.org");
    at.says(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -subj /CN=x -out x.csr \
         2>/dev/null && openssl x509 -req -in x.csr -CA ip.pem -CAkey ip.key -extfile san -out x.pem 2>/dev/null",
    );
    at.runs("openssl verify -CAfile ip.pem x.pem").exits(2).complains("excluded subtree");
}

#[test]
fn lifetimes_and_serials_are_as_wanted() {
    let at = Workshop::new();
    at.says("spile cert self localhost --out a.pem --key-out a.key");
    let text = at.says("openssl x509 -in a.pem -noout -text");
    assert!(text.contains("NIST CURVE: P-256") && text.contains("ecdsa-with-SHA256"), "{text}");
    at.says("openssl x509 -in a.pem -noout -checkend $((86400 * 30 - 60))");
    at.runs("openssl x509 -in a.pem -noout -checkend $((86400 * 30 + 60))").exits(1);
    at.says("spile cert ca --out year.pem --key-out year.key");
    at.says("openssl x509 -in year.pem -noout -checkend $((86400 * 365 - 60))");
    at.runs("openssl x509 -in year.pem -noout -checkend $((86400 * 365 + 60))").exits(1);
    at.says("spile cert ca --out ca.pem --key-out ca.key --days 3");
    at.says("openssl x509 -in ca.pem -noout -checkend $((86400 * 3 - 60))");
    at.says("spile cert self localhost --not-before 2020-01-01 --not-after 2060-02-03T04:05:06+01:00 --out b.pem --key-out b.key");
    let dates = at.says("openssl x509 -in b.pem -noout -startdate -enddate");
    assert_eq!(dates, "notBefore=Jan  1 00:00:00 2020 GMT\nnotAfter=Feb  3 03:05:06 2060 GMT\n");
    let serials: std::collections::BTreeSet<String> = (0..20)
        .map(|_| at.says("spile cert self localhost --key-out a.key --force | openssl x509 -noout -serial"))
        .collect();
    assert_eq!(serials.len(), 20);
    assert!(serials.iter().all(|serial| serial.trim().len() == "serial=".len() + 32), "{serials:?}");
    at.runs("spile cert self x --not-before now --not-after -1d").exits(2).complains("before it begins");
    at.runs("spile cert self x --days 4294967295").exits(2);
    at.runs("spile cert self x --days -1").exits(2).complains("say --not-after -1d");
    let late = "spile cert sign --ca ca.pem --ca-key ca.key localhost --key-out k --force --days";
    at.runs(&format!("{late} 4")).exits(0).complains("warning: the authority expires on");
    assert_eq!(at.runs(&format!("{late} 2")).exits(0).stderr, "");
}

/// Example 12.
#[test]
fn a_certificate_is_expired_on_purpose() {
    let at = Workshop::new();
    at.says("spile cert self localhost --not-before -10d --not-after -1d --out exp.pem --key-out exp.key");
    at.runs("openssl x509 -in exp.pem -noout -checkend 0").exits(1);
    at.runs("spile cert verify --cafile exp.pem --name localhost exp.pem")
        .exits(60)
        .complains("certificate expired on");
    at.says("spile cert verify --cafile exp.pem --name localhost --at -2d exp.pem");
}

#[test]
fn every_kind_of_key_works_with_openssl() {
    let at = Workshop::new();
    for (kind, openssl, spile) in [
        ("p256", "prime256v1", "ec-p256"),
        ("p384", "secp384r1", "ec-p384"),
        ("ed25519", "ED25519", "ed25519"),
        ("rsa3072", "3072 bit", "rsa-3072"),
    ] {
        at.says(&format!("spile cert dev localhost -d {kind} --key-type {kind}"));
        at.says(&format!(
            "openssl verify -x509_strict -CAfile {kind}/ca.pem {kind}/server.pem {kind}/client.pem"
        ));
        let text = at.says(&format!("openssl pkey -in {kind}/server.key -noout -text | head -20"));
        assert!(text.contains(openssl), "{text}");
        let json = at.runs(&format!("spile cert show --json {kind}/server.key")).exits(0);
        let told: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(told["keys"][0]["key"], spile);
    }
}

#[test]
fn keys_that_quantum_computers_do_not_break_sign_and_are_read_again() {
    let at = Workshop::new();
    at.says("spile cert ca --key-type ml-dsa-65 --out ca.pem --key-out ca.key");
    at.says("spile cert sign --ca ca.pem --ca-key ca.key localhost --key-type ml-dsa-65 --out c.pem --key-out c.key");
    at.says("spile cert verify --cafile ca.pem --name localhost c.pem && spile cert match c.pem c.key");
    assert!(at.says("spile cert show c.pem").contains("ml-dsa-65"));
    at.says("spile cert csr localhost --key c.key --out c.csr");
    at.says(
        "spile cert sign --ca ca.pem --ca-key ca.key --csr c.csr --out d.pem && spile cert match d.pem c.key",
    );
}

#[test]
fn leaves_say_that_they_are_no_ca_and_who_signed_them() {
    let at = Workshop::new();
    at.says("spile cert dev example.org 192.0.2.1 -d t");
    let text = at.says("openssl x509 -in t/server.pem -noout -text");
    for wanted in [
        "CA:FALSE",
        "X509v3 Key Usage: critical",
        "Digital Signature",
        "TLS Web Server Authentication",
        "DNS:example.org, IP Address:192.0.2.1",
        "X509v3 Subject Key Identifier",
    ] {
        assert!(text.contains(wanted), "no '{wanted}' in {text}");
    }
    let key_id = |name: &str, extension: &str| {
        let text = at.says(&format!("openssl x509 -in t/{name}.pem -noout -ext {extension}"));
        text.lines().last().unwrap().trim().to_owned()
    };
    assert_eq!(key_id("server", "authorityKeyIdentifier"), key_id("ca", "subjectKeyIdentifier"));
    let ca = at.says("openssl x509 -in t/ca.pem -noout -text");
    for wanted in
        ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "Permitted:", "IP:192.0.2.1/255.255.255.255"]
    {
        assert!(ca.contains(wanted), "no '{wanted}' in {ca}");
    }
}

#[test]
fn clients_are_named_by_uri_common_name_and_unit() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key");
    at.says(
        "spile cert sign --ca ca.pem --ca-key ca.key --client --uri spiffe://internal/web --cn web --ou team \
         --out c.pem --key-out c.key",
    );
    let text = at.says("openssl x509 -in c.pem -noout -subject -ext subjectAltName,extendedKeyUsage");
    for wanted in ["OU = team, CN = web", "URI:spiffe://internal/web", "TLS Web Client Authentication"] {
        assert!(text.contains(wanted), "{text}");
    }
    at.says("openssl verify -x509_strict -purpose sslclient -CAfile ca.pem c.pem");
    at.runs("spile cert sign --ca ca.pem --ca-key ca.key --client").exits(2).complains("no NAME is given");
    at.runs("spile cert sign --ca ca.pem --ca-key ca.key --cn only").exits(2).complains("no NAME is given");
}

#[test]
fn an_issuer_that_may_not_sign_is_refused() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key && spile cert self leaf.org --out leaf.pem --key-out leaf.key");
    let sign = |ca: &str, key: &str| at.runs(&format!("spile cert sign --ca {ca} --ca-key {key} x.org"));
    sign("leaf.pem", "leaf.key").exits(58).complains("it is no CA");
    sign("ca.pem", "leaf.key").exits(58).complains("the key is not the one of this certificate");
    let extensions = |usage: &str| {
        format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=o -keyout o.key -out o.pem \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,{usage} 2>/dev/null"
        )
    };
    // Given twice, OpenSSL's own configuration would win.
    at.write("empty.cnf", "[req]\ndistinguished_name=d\n[d]\n");
    at.says(&format!("export OPENSSL_CONF=empty.cnf; {}", extensions("cRLSign")));
    sign("o.pem", "o.key").exits(58).complains("may not sign certificates");
    at.says("spile cert crl --ca o.pem --ca-key o.key | openssl crl -noout -CAfile o.pem 2>&1");
    at.says(&format!("export OPENSSL_CONF=empty.cnf; {}", extensions("keyCertSign")));
    at.runs("spile cert crl --ca o.pem --ca-key o.key").exits(58).complains("may not sign revocation lists");
    at.says("spile cert sign --ca o.pem --ca-key o.key x.org --out x.pem && openssl verify -x509_strict -CAfile o.pem x.pem");
}

#[test]
fn an_authority_of_openssl_signs_whatever_the_form_of_its_name() {
    let at = Workshop::new();
    at.write("empty.cnf", "[req]\ndistinguished_name=d\n[d]\n");
    let make = |subject: &str, more: &str| {
        at.says(&format!(
            "OPENSSL_CONF=empty.cnf openssl req -x509 -newkey rsa:2048 -nodes -subj '{subject}' {more} -keyout o.key \
             -out o.pem -addext basicConstraints=critical,CA:TRUE -addext subjectKeyIdentifier=hash -addext keyUsage=keyCertSign,cRLSign 2>/dev/null"
        ));
    };
    make("/C=DE/O=Example Org/OU=Ops/CN=Old CA/emailAddress=ca@example.org", "");
    at.says("spile cert sign --ca o.pem --ca-key o.key x.org --out x.pem && openssl verify -x509_strict -CAfile o.pem x.pem");
    at.says("spile cert crl --ca o.pem --ca-key o.key --out o.crl");
    at.says("openssl verify -crl_check -CRLfile o.crl -CAfile o.pem x.pem");
    // Forms that cannot be written again are refused: a certificate would lead to nobody.
    make("/OU=one/OU=two/CN=twice", "");
    at.runs("spile cert sign --ca o.pem --ca-key o.key x.org --out y.pem").exits(58);
    make("/CN=multi+OU=valued", "-multivalue-rdn");
    at.runs("spile cert sign --ca o.pem --ca-key o.key x.org --out y.pem")
        .exits(58)
        .complains("several attributes");
}

#[test]
fn requests_go_to_authorities_elsewhere_and_come_from_there() {
    let at = Workshop::new();
    at.says("spile cert csr db.internal 10.0.0.1 --ou ops --key-out db.key --out db.csr");
    assert_eq!((at.mode("db.key"), at.mode("db.csr") & 0o077), (0o600, 0o044));
    at.says("openssl req -in db.csr -verify -noout 2>&1");
    let text = at.says("openssl req -in db.csr -noout -text");
    assert!(text.contains("DNS:db.internal, IP Address:10.0.0.1") && text.contains("OU = ops"), "{text}");
    at.says("spile cert csr db.internal --key db.key | openssl req -verify -noout 2>&1");
    at.runs("spile cert csr db.internal --out x.csr").exits(2).complains("--key-out");
    // One of OpenSSL's, which asks for more than it gets.
    at.says(
        "openssl req -new -newkey rsa:2048 -nodes -keyout web.key -subj '/O=Org/CN=web' -addext subjectAltName=DNS:web.internal \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign -addext extendedKeyUsage=codeSigning \
         -addext 1.2.3.4=ASN1:NULL -out web.csr 2>/dev/null",
    );
    at.says("spile cert ca internal --out ca.pem --key-out ca.key");
    let ended = at.runs("spile cert sign --ca ca.pem --ca-key ca.key --csr web.csr --out web.pem").exits(0);
    assert_eq!(
        ended.stderr,
        "signed for web.internal\nits subject: O=Org, CN=web\nof the request, passed over: being a CA, key usage, extended key usage, 1.2.3.4\n"
    );
    at.says("openssl verify -x509_strict -verify_hostname web.internal -CAfile ca.pem web.pem");
    let text = at.says("openssl x509 -in web.pem -noout -text");
    assert!(text.contains("CA:FALSE") && text.contains("O = Org, CN = web"), "{text}");
    assert!(!text.contains("Certificate Sign") && !text.contains("1.2.3.4"), "{text}");
    at.says("spile cert match web.pem web.key");
    at.says(
        "spile cert sign --ca ca.pem --ca-key ca.key --csr web.csr other.internal --out o.pem 2>/dev/null",
    );
    assert!(at.says("openssl x509 -in o.pem -noout -ext subjectAltName").contains("DNS:other.internal"));
}

#[test]
fn a_request_that_its_key_has_not_signed_is_refused() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key && spile cert csr a.org --key-out a.key | openssl req -outform DER -out a.der");
    let mut der = at.read("a.der");
    let at_name = der.windows(5).position(|window| window == b"a.org").unwrap();
    der[at_name] = b'b';
    at.write("b.der", &der);
    let sign = |file: &str| at.runs(&format!("spile cert sign --ca ca.pem --ca-key ca.key --csr {file}"));
    sign("b.der").exits(58).complains("not signed by the key that it names");
    sign("a.der").exits(0);
    at.says("openssl req -new -newkey rsa:1024 -nodes -keyout s.key -subj /CN=s -addext subjectAltName=DNS:s.org -out s.csr 2>/dev/null");
    sign("s.csr").exits(58);
    at.says("openssl req -new -sha1 -newkey rsa:2048 -nodes -keyout s.key -subj /CN=s -addext subjectAltName=DNS:s.org -out s.csr 2>/dev/null");
    sign("s.csr").exits(58).complains("rsa-sha1");
    sign("ca.pem").exits(58).complains("it holds no request");
    at.says("openssl req -new -newkey rsa:2048 -nodes -keyout s.key -subj /CN=s.org -out s.csr 2>/dev/null");
    sign("s.csr").exits(2).complains("the request asks for no name of a server");
    assert_eq!(sign("s.csr --client").exits(0).stderr, "its subject: CN=s.org\n");
    assert_eq!(sign("- --client <s.csr").exits(0).stderr, "its subject: CN=s.org\n");
}

#[test]
fn revoked_certificates_are_known_to_openssl() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key");
    for name in ["a", "b", "c"] {
        at.says(&format!(
            "spile cert sign --ca ca.pem --ca-key ca.key {name}.org --out {name}.pem --key-out {name}.key"
        ));
    }
    let serial = at.says("openssl x509 -in a.pem -noout -serial");
    let serial = serial.trim().strip_prefix("serial=").unwrap();
    at.says(&format!("spile cert crl --ca ca.pem --ca-key ca.key --revoke {serial} --revoke-cert b.pem --number 7 --out crl.pem"));
    at.says("openssl crl -in crl.pem -noout -CAfile ca.pem 2>&1");
    let text = at.says("openssl crl -in crl.pem -noout -text -crlnumber");
    assert!(text.contains(&format!("Serial Number: {serial}")) && text.contains("crlNumber=0x07"), "{text}");
    let openssl = |name: &str| {
        at.runs(&format!("openssl verify -crl_check -CRLfile crl.pem -CAfile ca.pem {name}.pem"))
    };
    let twice = format!("--revoke {serial} --revoke 00:{serial} --revoke-cert a.pem");
    let listed =
        at.says(&format!("spile cert crl --ca ca.pem --ca-key ca.key {twice} | openssl crl -noout -text"));
    assert_eq!(listed.matches("Serial Number").count(), 1, "{listed}");
    let spile = |name: &str| at.runs(&format!("spile cert verify --crl crl.pem --cafile ca.pem {name}.pem"));
    for name in ["a", "b"] {
        openssl(name).exits(2).complains("certificate revoked");
        spile(name).exits(60).complains("was revoked");
    }
    openssl("c").exits(0);
    spile("c").exits(0);
    at.says("spile cert crl --ca ca.pem --ca-key ca.key --not-after -1d --out crl.pem --force");
    openssl("c").exits(2).complains("CRL has expired");
    spile("c").exits(60).complains("out of date");
    at.runs("spile cert crl --ca ca.pem --ca-key ca.key --revoke xyz").exits(2).complains("is no serial");
}

#[test]
fn a_certificate_of_another_authority_is_not_revoked() {
    let at = Workshop::new();
    at.says("spile cert dev a.org -d own --ca-key-out own.key 2>/dev/null; spile cert dev a.org -d twin 2>/dev/null");
    at.says("spile cert ca --cn other --out other.pem --key-out other.key; spile cert sign --ca other.pem --ca-key other.key a.org --out theirs.pem --key-out k");
    let revoke = |file: &str| {
        at.runs(&format!("spile cert crl --ca own/ca.pem --ca-key own.key --revoke-cert {file}"))
    };
    revoke("theirs.pem")
        .exits(58)
        .complains("it was issued by another authority, 'CN=other'")
        .complains("hint: ");
    revoke("twin/server.pem").exits(58).complains("another authority of the same name, 'CN=spile test CA'");
    for own in ["own/server.pem", "own/client.pem"] {
        revoke(own).exits(0);
    }
    // Nor does it matter what has become of it.
    at.says("spile cert sign --ca own/ca.pem --ca-key own.key a.org --not-before -9d --not-after -1d --out past.pem --key-out p");
    revoke("past.pem").exits(0);
}

#[test]
fn names_that_are_none_are_refused_with_what_to_type() {
    let at = Workshop::new();
    for (name, why) in [
        ("localhost:8443", "is no DNS name and no address"),
        ("spiffe://x/y", "give it as --uri"),
        ("'a b'", "is no DNS name"),
        ("$'a\\e[31m'", "a\\u{1b}[31m"),
        ("''", "is no DNS name"),
        ("me@example.org", "is an email address"),
        ("-- -a.org", "is no DNS name"),
        ("a --cn ''", "a common name is not empty"),
        ("a --ou ''", "an organisational unit is not empty"),
        ("a --ou $(printf %065d 1)", "64 characters at most"),
        ("a -out x", "write --out"),
    ] {
        let ended = at.runs(&format!("spile cert self {name}")).exits(2).complains(why);
        assert!(!ended.stderr.contains('\x1b'));
    }
    assert!(at.files().is_empty());
    at.says("spile cert self könig.example KÖNIG.example 127.0.0.1 127.0.0.1 --out k.pem --key-out k.key");
    let names = at.says("openssl x509 -in k.pem -noout -ext subjectAltName");
    assert_eq!(names.lines().last().unwrap().trim(), "DNS:xn--knig-5qa.example, IP Address:127.0.0.1");
    at.says("openssl verify -verify_hostname xn--knig-5qa.example -CAfile k.pem k.pem");
    at.says("spile cert verify --cafile k.pem --name KÖNIG.example k.pem");
}

#[test]
fn what_a_request_says_of_itself_is_not_signed_beside_names_that_were_typed() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key");
    at.says("spile cert csr a.test --cn admin --ou ops --key-out a.key --out a.csr");
    let sign = "spile cert sign --client --ca ca.pem --ca-key ca.key --csr a.csr";
    at.runs(&format!("{sign} --out whole.pem")).exits(0).complains("its subject: OU=ops, CN=admin");
    at.says(&format!("{sign} web.test --out typed.pem"));
    let subject = at.says("openssl x509 -in typed.pem -noout -subject");
    assert!(!subject.contains("admin") && !subject.contains("ops"), "{subject}");
}
