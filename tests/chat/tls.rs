//! Scripted conversations over TLS, from the first byte or from a step on.

use std::io::{Read, Write};

use crate::harness::*;

const CLIENT: &[&str] =
    &["-e", "< 220", "-e", "> STARTTLS", "-e", "< 220", "-e", ".starttls", "-e", "> secret", "-e", "= ok"];
const SERVER: &[&str] = &[
    "-e",
    "> 220 hi",
    "-e",
    "= STARTTLS",
    "-e",
    "> 220 go",
    "-e",
    ".starttls",
    "-e",
    "= secret",
    "-e",
    "> ok",
];

/// A mock server of its own certificate, and its port.
fn mock(target: &str, words: &[&str]) -> (Process, String) {
    let mut mock = spile([&["chat", target, "--self-signed"], words].concat());
    let port = mock.port();
    (mock, format!("127.0.0.1:{port}"))
}

#[test]
fn tls_begins_at_its_step_on_either_side() {
    let (server, at) = mock("listen:tcp:127.0.0.1:0", SERVER);
    spile([&["chat", &at, "--insecure"], CLIENT].concat()).eof().ends().exits(0);
    server.ends().exits(0);
    let (server, at) = mock("listen:tls:127.0.0.1:0", SERVER);
    spile([&["chat", &format!("tls:{at}"), "--insecure"], CLIENT].concat()).eof().ends().exits(0);
    server.ends().exits(0);
}

#[test]
fn tls_from_the_first_byte() {
    let (server, at) = mock("listen:tls:127.0.0.1:0", &["-e", "= hi", "-e", "> ho", "-e", "<$"]);
    let target = format!("tls:{at}");
    spile(["chat", &target, "--insecure", "-e", "> hi", "-e", "= ho"]).eof().ends().exits(0);
    server.ends().exits(0);
}

#[test]
fn a_client_that_is_not_ours_begins_tls() {
    let (server, at) = mock(
        "listen:tcp:127.0.0.1:0",
        &[
            "-e",
            "> 220 hi",
            "-e",
            "~ ^EHLO",
            "-e",
            "> 250 STARTTLS",
            "-e",
            "= STARTTLS",
            "-e",
            "> 220 go",
            "-e",
            ".starttls",
            "-e",
            "~ ^QUIT",
        ],
    );
    let line = format!("echo QUIT | openssl s_client -quiet -starttls smtp -connect {at}");
    shell(&line).eof().ends();
    server.ends().exits(0);
}

#[test]
fn whoever_is_not_trusted_has_the_status_of_that() {
    let (_server, at) = mock("listen:tcp:127.0.0.1:0", SERVER);
    spile([&["chat", &at], CLIENT].concat()).eof().ends().exits(60).complains("-e:4: .starttls: ");
    let (_server, at) = mock("listen:tls:127.0.0.1:0", &["-e", "> x"]);
    spile(["chat", &format!("tls:{at}"), "-e", "< x"]).eof().ends().exits(60);
}

#[test]
fn a_server_can_be_verified() {
    let (cert, key, ca) = (certificate("server.pem"), certificate("server.key"), certificate("ca.pem"));
    let mut server =
        spile([&["chat", "listen:tcp:127.0.0.1:0", "--cert", &cert, "--key", &key], SERVER].concat());
    let at = format!("localhost:{}", server.port());
    spile([&["chat", &at, "--cafile", &ca], CLIENT].concat()).eof().ends().exits(0);
    server.ends().exits(0);
}

#[test]
fn plaintext_that_was_injected_before_tls_is_refused() {
    let port = server(|mut stream| {
        stream.write_all(b"220 hi\r\n").unwrap();
        let _ = stream.read(&mut [0; 100]);
        let _ = stream.write_all(b"220 go\r\n250 injected\r\n");
        let _ = stream.read(&mut [0; 1]);
    });
    let at = format!("127.0.0.1:{port}");
    spile([&["chat", &at, "--insecure"], CLIENT].concat()).eof().ends().exits(1).complains("plaintext");
}

#[test]
fn a_step_that_begins_tls_has_the_limit_of_a_step() {
    let begun = std::time::Instant::now();
    let target = format!("127.0.0.1:{}", server(|_stream| std::thread::park()));
    let words = ["chat", &target, "--insecure", "--step-timeout", "300ms", "-e", ".starttls"];
    spile(words).eof().ends().exits(124).complains("-e:1: .starttls: the peer does not finish its handshake");
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    let (server, at) = mock("listen:tcp:127.0.0.1:0", &["--step-timeout", "300ms", "-e", ".starttls"]);
    let _silent = std::net::TcpStream::connect(at).unwrap();
    server.ends().exits(124).complains("does not finish its handshake");
}

#[test]
fn a_tls_session_that_is_cut_is_no_end() {
    let (_server, cut) = tls_server_that_is_cut();
    spile(["chat", &cut, "--insecure", "-e", "= hi", "-e", "<$"]).eof().ends().exits(18).complains("TLS");
}

/// A TLS server that says a line, and then ends TCP alone.
fn tls_server_that_is_cut() -> (Process, String) {
    let (cert, key) = (certificate("server.pem"), certificate("server.key"));
    let script = format!(
        "import socket,ssl\nc=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain('{cert}','{key}')\n\
         l=socket.create_server(('127.0.0.1',0))\nprint(l.getsockname()[1],flush=True)\n\
         s=c.wrap_socket(l.accept()[0],server_side=True)\ns.sendall(b'hi\\n')\n\
         socket.socket(fileno=s.detach()).shutdown(socket.SHUT_WR)\nimport time;time.sleep(5)\n"
    );
    let mut python = program("python3", &["-c", &script]);
    let port = String::from_utf8(python.some()).unwrap().trim().to_owned();
    (python, format!("tls:127.0.0.1:{port}"))
}
