//! Examples of the manual that listen, as they are typed.

use crate::harness::*;

/// Ready once the file with the port is there; the port.
fn port_in(shop: &Workshop, name: &str) -> String {
    wait_until("the port file is there", || shop.path(name).exists());
    String::from_utf8(shop.read(name)).unwrap().trim().to_owned()
}

/// A line that runs in the workshop while others do.
fn runs_aside(shop: &Workshop, line: &str) -> Process {
    let place = shop.path("").display().to_string();
    shell(&format!("cd {place} && exec {}", line.replacen("spile ", "$SPILE ", 1)))
}

#[test]
fn a_server_that_knows_its_clients_by_certificates_made_with_one_command() {
    let shop = Workshop::new();
    shop.says("spile cert dev localhost 127.0.0.1 -d t");
    let names = shop.says("spile cert show --json t/client.pem");
    let name = names.split("DNS:").nth(1).and_then(|rest| rest.split('"').next()).expect("a DNS name");
    let line = format!(
        "spile tls-serve --cert t/server.pem --key t/server.key --client-ca t/ca.pem --allow-dns {name} 0 \
        --port-file p --echo"
    );
    let _server = runs_aside(&shop, &line);
    let port = port_in(&shop, "p");
    let client = format!("spile tls-connect localhost:{port} --cafile t/ca.pem");
    let ended = shop.runs(&format!("echo hi | {client} --cert t/client.pem --key t/client.key"));
    ended.exits(0).says("hi\n");
    shop.runs(&format!("echo hi | {client}")).exits(58);
}

#[test]
fn a_throwaway_echo_prints_how_to_come_to_it() {
    let shop = Workshop::new();
    let mut server = runs_aside(&shop, "spile tls-serve --self-signed=localhost 0 -- cat");
    let client = server.line("spile tls-serve: clients: ");
    shop.runs(&format!("echo hi | {client}")).exits(0).says("hi\n");
}

#[test]
fn tls_in_front_of_a_plain_server_that_is_told_of_clients() {
    let shop = Workshop::new();
    let of = certificates().display();
    let backend = server(|mut stream| {
        let got = read_all(&stream);
        std::io::Write::write_all(&mut stream, &got).unwrap();
    });
    let line = format!(
        "spile tls-serve --cert {of}/server.pem --key {of}/server.key 0.0.0.0:0 --port-file p \
        --forward 127.0.0.1:{backend} --proxy-protocol v2"
    );
    let _server = runs_aside(&shop, &line);
    let port = port_in(&shop, "p");
    let client = format!("spile tls-connect 127.0.0.1:{port} --cafile {of}/ca.pem");
    let ended = shop.runs(&format!("echo hi | {client}")).exits(0);
    assert!(ended.stdout.starts_with(b"\r\n\r\n\0\r\nQUIT\n\x21\x11"), "{:?}", ended.stdout);
    assert!(ended.stdout.ends_with(b"hi\n"));
}

#[test]
fn a_backup_that_is_cut_off_has_its_own_status() {
    let shop = Workshop::new();
    for (client, status) in
        [("spile tls-connect --insecure 127.0.0.1:PORT", 0), ("ncat --ssl --send-only 127.0.0.1 PORT", 18)]
    {
        let line = "spile tls-serve --self-signed --once --port-file p 0 >backup.tar.gz";
        let server = runs_aside(&shop, line);
        let port = port_in(&shop, "p");
        shop.runs(&format!("echo data | {}", client.replace("PORT", &port)));
        server.ends().exits(status);
        assert_eq!(shop.read("backup.tar.gz"), b"data\n");
        assert!(!shop.path("p").exists());
    }
}

#[test]
fn what_does_my_client_send() {
    let shop = Workshop::new();
    let line = "spile tls-serve --self-signed 0 --port-file p --once --show-hello --json";
    let server = runs_aside(&shop, line);
    let port = port_in(&shop, "p");
    let client = format!("openssl s_client -connect 127.0.0.1:{port} -servername my.test -alpn h2,http/1.1");
    let _client = shell(&format!("exec {client} -groups X25519 -quiet"));
    let ended = server.eof().ends().exits(0);
    let line = ended.stderr.lines().find(|line| line.starts_with('{')).expect("a report");
    let report: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(report["hello"]["sni"], "my.test");
    assert_eq!(report["hello"]["alpn"], serde_json::json!(["h2", "http/1.1"]));
    assert_eq!(report["hello"]["groups"], serde_json::json!(["X25519"]));
}
