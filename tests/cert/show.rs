//! `cert show`, `pin` and `convert`: what files hold, as OpenSSL sees it.

use crate::harness::*;
use serde_json::{Value, json};

/// Copies the certificates of CPython's set here.
fn with_cpythons() -> Workshop {
    let at = Workshop::new();
    at.says(&format!(
        "cp {}/tests/certificates/*.pem {0}/tests/certificates/*.crl .",
        env!("CARGO_MANIFEST_DIR")
    ));
    at
}

fn show(at: &Workshop, file: &str) -> Value {
    serde_json::from_str(&at.says(&format!("spile cert show --json {file}"))).unwrap()
}

/// What OpenSSL says after the `=` of one of its short answers.
fn openssl(at: &Workshop, file: &str, flags: &str) -> String {
    let text = at.says(&format!("openssl x509 -in {file} -noout {flags}"));
    text.trim().split_once('=').unwrap().1.to_owned()
}

/// The facts of a certificate must be those that OpenSSL tells.
fn agrees(at: &Workshop, file: &str) {
    let facts = &show(at, file)["chain"][0];
    let text = |key: &str| facts[key].as_str().unwrap().to_owned();
    assert_eq!(text("serial").to_uppercase(), openssl(at, file, "-serial"), "{file}");
    let fingerprint = openssl(at, file, "-fingerprint -sha256").replace(':', "").to_lowercase();
    assert_eq!(text("sha256"), fingerprint, "{file}");
    for (key, flag) in [("not_before", "-startdate"), ("not_after", "-enddate")] {
        assert_eq!(
            text(key).replace('T', " "),
            openssl(at, file, &format!("{flag} -dateopt iso_8601")),
            "{file}"
        );
    }
    // OpenSSL's own order, no blanks around '=', and text as it is but for control characters.
    for key in ["subject", "issuer"] {
        let flags = format!("-{key} -nameopt sep_comma_plus_space,esc_2253,utf8,sname");
        assert_eq!(text(key).replace("\\u{0}", "\0"), openssl_name(at, file, &flags), "{file}");
    }
    let pin = at.says(&format!(
        "openssl x509 -in {file} -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64"
    ));
    assert_eq!(text("spki_pin"), format!("sha256//{}", pin.trim()), "{file}");
    assert_eq!(at.says(&format!("spile cert pin {file}")), format!("sha256//{pin}"));
    let whole = at.says(&format!("openssl x509 -in {file} -noout -text"));
    assert_eq!(facts["ca"], json!(whole.contains("CA:TRUE")), "{file}");
    let names = at.says(&format!("openssl x509 -in {file} -noout -ext subjectAltName 2>/dev/null"));
    let names: Vec<&str> =
        names.split([',', '\n']).filter_map(|name| name.trim().strip_prefix("DNS:")).collect();
    let ours = facts["san"].as_array().unwrap().iter().filter_map(|name| name.as_str()?.strip_prefix("DNS:"));
    // OpenSSL does not print a list with a NUL byte in it.
    if file != "nullbytecert.pem" {
        assert_eq!(ours.collect::<Vec<_>>(), names, "{file}");
    }
}

/// The name after `subject=`, with the NUL bytes that OpenSSL leaves in it.
fn openssl_name(at: &Workshop, file: &str, flags: &str) -> String {
    openssl(at, file, flags).replace("\\00", "\0")
}

#[test]
fn facts_agree_with_openssl_on_cpythons_set() {
    let at = with_cpythons();
    for file in at.files().iter().filter(|name| name.ends_with(".pem")) {
        // OpenSSL cannot decode all of an extension of this one (TALOS-2019-0758), but the rest.
        agrees(&at, file);
    }
}

#[test]
fn facts_agree_with_openssl_on_what_is_made_here() {
    let at = Workshop::new();
    at.says("spile cert dev localhost '*.example.org' 127.0.0.1 ::1 -d ./ 2>/dev/null");
    at.says("spile cert self könig.example --cn 'A, \"B\" + <C>; #é' --ou ' x' --key-type rsa3072 --out odd.pem --key-out odd.key");
    at.says("spile cert self a --uri spiffe://a/b --key-type ed25519 --not-before 1960-01-01 --not-after 2055-01-01 --out long.pem --key-out long.key");
    at.says(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout o.key -out o.pem -subj '/C=DE/L=Köln/DC=x/UID=u/CN=o' -utf8 \
         -set_serial 0x00f1 -addext 'subjectAltName=email:a@b.c,URI:http://x/,IP:10.0.0.1,RID:1.2.3.4,otherName:1.2.3.4;UTF8:x' 2>/dev/null",
    );
    for file in ["ca.pem", "server.pem", "client.pem", "odd.pem", "long.pem", "o.pem"] {
        agrees(&at, file);
    }
    let names = &show(&at, "o.pem")["chain"][0]["san"];
    let wanted = json!(["EMAIL:a@b.c", "URI:http://x/", "IP:10.0.0.1", "RID:1.2.3.4", "OTHER:1.2.3.4"]);
    assert_eq!(*names, wanted);
}

#[test]
fn expiry_is_told_by_the_status_as_checkend_tells_it() {
    let at = Workshop::new();
    at.says("spile cert self localhost --days 10 --out c.pem --key-out c.key");
    at.says("spile cert self localhost --not-before -10d --not-after -1h --out old.pem --key-out old.key");
    for (file, within, status) in
        [("c.pem", "9d", 0), ("c.pem", "11d", 3), ("old.pem", "0", 60), ("old.pem", "14d", 60)]
    {
        let ended = at.runs(&format!("spile cert show --expires-in {within} {file}")).exits(status);
        assert!(!ended.stdout.is_empty());
        let seconds = within.trim_end_matches('d').parse::<u64>().unwrap() * 86_400;
        let openssl = at.runs(&format!("openssl x509 -in {file} -noout -checkend {seconds}"));
        assert_eq!(openssl.status != 0, status != 0, "{file} {within}");
    }
    at.runs("spile cert show --expires-in 11d c.pem").exits(3).complains("within 11 days");
    at.runs("spile cert show --expires-in 1d c.key").exits(58).complains("no certificate that could expire");
    // Whatever their order: what has expired counts for more than what will.
    for both in ["c.pem old.pem", "old.pem c.pem"] {
        let line = format!("cat {both} | spile cert show --expires-in 11d -");
        at.runs(&line).exits(60).complains("it has expired");
    }
}

#[test]
fn text_of_others_does_not_reach_the_terminal() {
    let at = Workshop::new();
    at.says(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout e.key -out e.pem -utf8 -subj \"/CN=$(printf 'a\\033[31m\\007\\u202e\\u009b')/O=$(printf 'x\\ny')\" \
         -addext \"subjectAltName=DNS:$(printf 'b\\033]0;owned\\007')\" 2>/dev/null",
    );
    at.says("openssl req -new -key e.key -out e.csr -utf8 -subj \"/CN=$(printf 'a\\033[31m')\" 2>/dev/null");
    at.says("spile cert self x --out c.pem --key-out c.key");
    for line in [
        "spile cert show e.pem",
        "spile cert show --json e.pem",
        "spile cert show e.csr",
        "spile cert verify --cafile c.pem --name x.org e.pem",
        "spile cert verify --cafile c.pem --name x.org --json e.pem",
        "spile cert verify --cafile e.pem --name x.org c.pem",
        "spile cert show --expires-in 3650d e.pem",
    ] {
        let ended = at.runs(line);
        let all = format!("{}{}", String::from_utf8(ended.stdout).expect("it is UTF-8"), ended.stderr);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!all.contains(bad), "{line}: {all:?}");
    }
    let facts = &show(&at, "e.pem")["chain"][0];
    assert_eq!(facts["subject"], "CN=a\\u{1b}[31m\\u{7}\\u{202e}\\u{9b}, O=x\\u{a}y");
    assert_eq!(facts["san"][0], "DNS:b\\u{1b}]0;owned\\u{7}");
}

#[test]
fn a_chain_is_listed_in_its_order_whatever_stands_between() {
    let at = Workshop::new();
    at.says("spile cert dev localhost -d t 2>/dev/null; spile cert csr a.org --key-out a.key --out a.csr");
    at.says("(echo a comment; cat t/server.pem; openssl x509 -in t/ca.pem -text; openssl ecparam -name prime256v1; cat t/crl.pem a.csr t/server.key) >all.pem");
    let told = show(&at, "all.pem");
    assert_eq!(told["schema"], "spile.cert/1");
    let subject = |at: usize| told["chain"][at]["subject"].as_str().unwrap().to_owned();
    assert_eq!((subject(0), subject(1)), ("CN=localhost".to_owned(), "CN=spile test CA".to_owned()));
    assert_eq!(told["chain"][1]["depth"], 1);
    assert_eq!(told["requests"][0]["san"], json!(["DNS:a.org"]));
    assert_eq!(told["requests"][0]["signed"], true);
    assert_eq!(told["revocations"][0]["issuer"], "CN=spile test CA");
    assert_eq!(told["keys"], json!([{"key": "ec-p256", "encrypted": false}]));
    assert_eq!(told["others"], json!(["EC PARAMETERS"]));
    let text = at.says("spile cert show all.pem");
    assert!(!text.contains("PRIVATE") && text.contains("limits     path length 0"), "{text}");
    // The same objects, one by one as DER.
    for (file, key) in
        [("t/server.pem", "chain"), ("a.csr", "requests"), ("t/crl.pem", "revocations"), ("a.key", "keys")]
    {
        at.says(&format!("spile cert convert {file} --to der --out one.der --force"));
        assert_eq!(show(&at, "one.der")[key], show(&at, file)[key], "{file}");
    }
}

#[test]
fn conversions_are_openssls() {
    let at = Workshop::new();
    at.says("spile cert dev localhost -d t 2>/dev/null; spile cert csr a.org --key-out a.key --out a.csr");
    for file in ["t/server.pem", "t/crl.pem", "a.csr", "a.key"] {
        at.says(&format!("spile cert convert {file} --to der --out ours.der --force"));
        at.says(&format!("openssl asn1parse -in {file} -noout -out theirs.der"));
        assert_eq!(at.read("ours.der"), at.read("theirs.der"), "{file}");
        at.says("spile cert convert theirs.der --to pem --out ours.pem --force");
        assert_eq!(at.read("ours.pem"), at.read(file), "{file}");
    }
    at.says("spile cert convert - --to der <t/ca.pem | openssl x509 -inform DER -noout");
    for line in ["pin -", "match - t/server.key", "verify --cafile t/ca.pem -"] {
        at.says(&format!("cat t/server.pem | spile cert {line}"));
    }
    at.says("cat t/server.key | spile cert match t/server.pem -");
    at.runs("cat t/ca.pem t/server.pem | spile cert convert - --to der").exits(58).complains("2 objects");
    at.runs("spile cert convert t/ca.pem --to text").exits(2);
}

#[test]
fn what_is_no_certificate_is_one_clear_line() {
    let at = Workshop::new();
    at.says("spile cert self x --out c.pem --key-out c.key; head -c 200 c.pem >cut; head -c 10000000 /dev/urandom >random; : >empty");
    at.says("head -c 10000000 /dev/zero >zeros; (echo -----BEGIN CERTIFICATE-----; head -c 9000000 /dev/zero | base64; echo -----END CERTIFICATE-----) >big");
    at.says("(printf '\\x30\\x84\\x00\\x98\\x96\\x80'; head -c 10000000 /dev/zero) >big.der; sed 2s/./?/ c.pem >dirty; mkdir dir");
    at.says("openssl pkcs12 -export -in c.pem -inkey c.key -passout pass: -out c.p12; openssl crl2pkcs7 -nocrl -certfile c.pem -out c.p7b");
    at.says("printf 'SSH-2.0-x' >text; printf '\\x30\\x80\\x00' >tiny; sed 's/CERTIFICATE/TRUSTED CERTIFICATE/' c.pem >trusted");
    let strange = [
        "cut",
        "random",
        "empty",
        "zeros",
        "big",
        "big.der",
        "dirty",
        "dir",
        "c.p12",
        "c.p7b",
        "text",
        "tiny",
        "none",
        "trusted",
        "/dev/zero",
    ];
    for file in strange {
        for line in [
            format!("spile cert pin {file}"),
            format!("spile cert verify --cafile c.pem {file}"),
            format!("spile cert match {file} c.key"),
            format!("spile cert match c.pem {file}"),
        ] {
            one_line(&line, at.runs(&line).exits(58));
        }
        let line = format!("spile cert verify --cafile {file} c.pem");
        one_line(&line, at.runs(&line).exits(77));
        if file == "/dev/zero" {
            continue;
        }
        let line = format!("spile cert verify --cafile c.pem --crl {file} c.pem");
        one_line(&line, at.runs(&line).exits(77));
        let line = format!("spile cert convert {file} --to pem");
        if !["c.p7b", "trusted"].contains(&file) {
            one_line(&line, at.runs(&line).exits(58));
        }
        at.runs(&format!("spile cert show {file}"));
    }
    for line in ["pin c.p12", "show c.p12", "match c.pem c.p12"] {
        at.runs(&format!("spile cert {line}")).exits(58).complains("openssl pkcs12");
    }
    at.runs("spile cert pin c.p7b").complains("openssl pkcs7 -print_certs");
    at.runs("spile cert pin trusted").complains("openssl x509");
}

#[test]
fn a_key_whose_line_breaks_were_lost_is_refused_without_being_shown() {
    let at = Workshop::new();
    at.says("spile cert self x --out c.pem --key-out c.key");
    at.says("tr -d '\n' <c.key >lost.key; chmod 600 lost.key");
    for line in ["show lost.key", "convert lost.key --to der", "match c.pem lost.key", "pin lost.key"] {
        let told = at.runs(&format!("spile cert {line}")).exits(58).complains("line breaks were lost");
        assert!(told.stderr.len() < 200, "a key is told: {told:?}");
    }
}

/// A line, perhaps a hint, and nothing on stdout.
fn one_line(line: &str, ended: Ended) {
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with("hint: ")).collect();
    let is_told = matches!(lines.as_slice(), [only] if only.starts_with("spile cert: ") && only.len() < 300);
    assert!(is_told && ended.stdout.is_empty(), "{line}: {ended:?}");
}
