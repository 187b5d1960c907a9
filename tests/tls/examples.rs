//! The examples of the manual, as a person types them: clients.

use crate::harness::look::{GOOD, s_server, s_server_on};
use crate::harness::*;

/// What a line says, in a directory of its own with `ca.pem`; `spile` is the binary under test.
fn typed(line: &str) -> Ended {
    let at = Workshop::new();
    at.write("ca.pem", std::fs::read(certificate("ca.pem")).unwrap());
    at.write("selfsigned.pem", std::fs::read(certificate("selfsigned.pem")).unwrap());
    at.runs(line)
}

#[test]
fn example_1_a_line_and_a_status() {
    let server = s_server(&format!("{GOOD} -quiet"));
    // The system's roots are where this variable says.
    let ended = typed(&format!("SSL_CERT_FILE=ca.pem spile tls-connect --check localhost:{}", server.port));
    assert_eq!(String::from_utf8_lossy(&ended.exits(0).stdout).lines().count(), 1);
    typed(&format!("spile tls-connect --check localhost:{}", server.port)).exits(60);
}

#[test]
fn example_2_a_database_by_starttls() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/starttls.py");
    let mut fakes = program("python3", &[script, "good", &certificate("server.both")]);
    let port = fakes.line("postgres listens on ");
    let line = format!(
        "spile tls-connect --check --json localhost:{port} --starttls postgres --cafile ca.pem | \
         python3 -c 'import json, sys; r = json.load(sys.stdin); print(r[\"verify\"][\"result\"], r[\"target\"][\"starttls\"], r[\"ms\"][\"starttls\"] >= 0)'"
    );
    typed(&line).exits(0).says("ok postgres True\n");
}

#[test]
fn example_3_somebody_is_paged_before_it_expires() {
    let line = |days: u32, port: &str| {
        format!(
            "spile tls-connect --check --expires-in {days}d localhost:{port} --cafile ca.pem >line || echo page $?"
        )
    };
    let server = s_server(&format!("{GOOD} -quiet"));
    typed(&line(21, &server.port)).exits(0).says("");
    typed(&line(9999, &server.port)).exits(0).says("page 3\n");
    let server = s_server("-cert PKI/expired.pem -key PKI/expired.key -quiet");
    typed(&line(21, &server.port)).exits(0).says("page 60\n");
}

#[test]
fn example_4_a_page_is_fetched() {
    let server = s_server(&format!("{GOOD} -www"));
    let line = format!(
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | spile tls-connect localhost:{} --cafile ca.pem",
        server.port
    );
    let page = typed(&line).exits(0).stdout;
    assert!(
        page.starts_with(b"HTTP/1.0 200 ok") && page.ends_with(b"</HTML>\r\n\r\n"),
        "{}",
        page.escape_ascii()
    );
}

#[test]
fn examples_5_and_6_a_pin_is_fetched_and_then_insisted_on() {
    let server = s_server("-cert PKI/selfsigned.pem -key PKI/selfsigned.key -quiet");
    let port = &server.port;
    let line = format!(
        "pin=$(spile tls-connect --print pin 127.0.0.1:{port} --insecure) && \
         spile tls-connect --check --pin-only --pin $pin 127.0.0.1:{port}"
    );
    let ended = typed(&line).exits(0);
    assert!(String::from_utf8_lossy(&ended.stdout).contains("trusted by its pin alone"), "{ended:?}");
    let other = s_server(&format!("{GOOD} -quiet"));
    let line = line.replace("--check --pin-only", "--pin-only");
    typed(&line.replacen(port, &other.port, 1)).exits(90).says("");
}

#[test]
fn example_7_one_certificate_is_trusted_though_it_is_an_authority() {
    let server = s_server("-cert PKI/selfsigned.pem -key PKI/selfsigned.key -rev -quiet");
    let line = format!("echo abc | spile tls-connect --trust-cert selfsigned.pem localhost:{}", server.port);
    typed(&line).exits(0).says("cba\n");
}

#[test]
fn example_9_both_ends_show_certificates() {
    let at = Workshop::new();
    at.says("spile cert dev localhost 127.0.0.1 -d t");
    let file = |name: &str| at.path("t").join(name).display().to_string();
    let identity = format!("-cert {} -key {}", file("server.pem"), file("server.key"));
    let asks = format!("-Verify 1 -verify_return_error -CAfile {}", file("ca.pem"));
    let server = s_server(&format!("{identity} {asks} -rev -quiet"));
    let line = format!("echo hi | spile tls-connect localhost:{} --cafile t/ca.pem", server.port);
    assert_eq!(at.says(&format!("{line} --cert t/client.pem --key t/client.key")), "ih\n");
    at.runs(&line).exits(58).says("");
}

#[test]
fn example_14_resumption_and_alpn_are_smoke_tested() {
    let server = s_server(&format!("{GOOD} -quiet -alpn h2"));
    let line = format!(
        "spile tls-connect --check --min 1.3 --expect-alpn h2 --reconnect 2 --json localhost:{} --cafile ca.pem | \
         python3 -c 'import json, sys; print([(r[\"tls\"][\"alpn\"], r[\"tls\"][\"handshake\"]) for r in map(json.loads, sys.stdin)])'",
        server.port
    );
    typed(&line).exits(0).says("[('h2', 'full'), ('h2', 'resumed'), ('h2', 'resumed')]\n");
}

#[test]
fn example_17_ci_waits_for_tls() {
    let port = free_port();
    let at = Workshop::new();
    at.write("ca.pem", std::fs::read(certificate("ca.pem")).unwrap());
    let line = format!("spile tls-connect --check --retry-for 60s --cafile ca.pem localhost:{port}");
    // A port that answers and speaks no TLS is not up yet.
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| at.runs(&line).exits(0));
        drop(listener.accept().unwrap());
        drop(listener);
        let _server = s_server_on(port.clone(), &format!("{GOOD} -quiet"));
        waits.join().unwrap();
    });
}
