//! Connecting through proxies: HTTP's CONNECT, SOCKS 5 and SOCKS 4a.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::*;

/// A server that speaks first and then says everything back.
fn echo_with_banner() -> u16 {
    server(|mut stream| {
        let _ = stream.write_all(b"banner\n");
        let mut reader = stream.try_clone().unwrap();
        let _ = std::io::copy(&mut reader, &mut stream);
    })
}

fn socks(args: &[&str]) -> Process {
    let mut all = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/socks.py")];
    all.extend(args);
    program("python3", &all)
}

/// A file with one line, gone at the end of the test.
fn secret(line: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{line}").unwrap();
    file
}

/// Reads what a client says up to the empty line.
fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// An HTTP proxy that answers in these pieces, each after the last was read, and then says everything back.
fn http_proxy(pieces: &'static [&'static [u8]]) -> u16 {
    server(move |mut stream| {
        let head = read_head(&mut stream);
        for piece in pieces {
            stream.set_nodelay(true).unwrap();
            stream.write_all(piece).unwrap();
            wait_until("it is read", || tcp_queue_is_empty(&stream));
        }
        stream.write_all(head.as_bytes()).unwrap();
    })
}

/// True once the peer's kernel has acknowledged everything.
fn tcp_queue_is_empty(stream: &TcpStream) -> bool {
    let port = stream.local_addr().unwrap().port();
    let peer = stream.peer_addr().unwrap().port();
    let sockets = tcp_sockets(&format!("sport = :{peer} and dport = :{port}"));
    // State, then the bytes that its program has not read.
    sockets.split_whitespace().nth(1) == Some("0")
}

#[test]
fn ncat_as_http_proxy_passes_both_ways_and_a_server_may_speak_first() {
    let target = echo_with_banner().to_string();
    let (proxy, _ncat) = ncat_proxy(&[]);
    let url = format!("http://127.0.0.1:{proxy}");
    let client = spile(["connect", "--proxy", &url, "127.0.0.1", &target]);
    client.gets("banner\n").sends("hello\n").gets("hello\n");
    let nobody = closed_port().to_string();
    spile(["connect", "--proxy", &url, "127.0.0.1", &nobody]).ends().exits(7).complains(&format!(
        "cannot connect to 127.0.0.1:{nobody} through {url}: the proxy said: HTTP/1.0 504"
    ));
}

#[test]
fn an_http_proxy_that_asks_who_we_are_is_told_from_a_file() {
    let target = echo_with_banner().to_string();
    let (proxy, _ncat) = ncat_proxy(&["--proxy-auth", "me:open sesame"]);
    let (url, with_user) = (format!("http://127.0.0.1:{proxy}"), format!("http://me@127.0.0.1:{proxy}"));
    let (both, password, wrong) = (secret("me:open sesame"), secret("open sesame"), secret("me:wrong"));
    for (url, file) in [(&url, &both), (&with_user, &password)] {
        let file = file.path().display().to_string();
        let client = spile(["connect", "--proxy", url, "--proxy-auth-file", &file, "127.0.0.1", &target]);
        client.gets("banner\n").sends("hello\n").gets("hello\n");
    }
    let wrong = wrong.path().display().to_string();
    for args in [&["--proxy", &url][..], &["--proxy", &url, "--proxy-auth-file", &wrong]] {
        let all = [&["connect"], args, &["127.0.0.1", &target]].concat();
        spile(all).ends().exits(7).complains("the proxy said: HTTP/1.0 407").complains("--proxy-auth-file");
    }
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    for url in ["http://me:hunter2@127.0.0.1:1", "socks5://me:hunter2@h:1"] {
        for args in
            [vec!["connect", "--proxy", url, "h", "1"], vec!["connect", &format!("tcp:h:1,proxy={url}")]]
        {
            let ended = spile(args).ends().exits(2).complains("proxy-auth-file");
            assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        }
    }
    let file = secret("no colon").path().display().to_string();
    spile(["connect", "--proxy", "http://127.0.0.1:1", "--proxy-auth-file", &file, "h", "1"]).ends().exits(2);
}

#[test]
fn not_a_byte_behind_the_answer_of_an_http_proxy_is_lost() {
    let request = b"CONNECT spile.example:7 HTTP/1.1\r\nHost: spile.example:7\r\n\r\n";
    let answers: [&[&[u8]]; 3] = [
        &[b"HTTP/1.1 200 OK\r\nX-Proxy: y\r\n\r\nfirst words\n"],
        &[b"HTTP/1.1 200 OK\r\n\r", b"\nfirst words\n"],
        &[b"HTTP/1.0 2", b"99 ", b"Whatever\r\nContent-Length: 5\r\n", b"\r\n", b"first words\n"],
    ];
    for pieces in answers {
        let proxy = format!("http://127.0.0.1:{}", http_proxy(pieces));
        let said = spile(["connect", "--proxy", &proxy, "spile.example", "7"]).ends().exits(0);
        said.says([b"first words\n", &request[..]].concat());
    }
}

#[test]
fn what_is_no_answer_is_quoted_and_escaped() {
    let cases: [(&[&[u8]], &str); 3] = [
        (&[b"HTTP/1.1 403 \x1b[31mno\r\n\r\n"], "the proxy said: HTTP/1.1 403 \\u{1b}[31mno"),
        (&[b"SSH-2.0-OpenSSH\r\n"], "the proxy does not speak its protocol; it said: SSH-2.0"),
        (&[b"HTTP/1.1 2000 no\r\n\r\n"], "the proxy does not speak its protocol"),
    ];
    for (pieces, words) in cases {
        let proxy = format!("http://127.0.0.1:{}", http_proxy(pieces));
        let ended = spile(["connect", "--proxy", &proxy, "h", "7"]).ends().exits(7).complains(words);
        assert!(!ended.stderr.contains('\x1b') && ended.stdout.is_empty(), "{ended:?}");
    }
    let closing = format!("http://127.0.0.1:{}", server(|mut stream| drop(read_head(&mut stream))));
    spile(["connect", "--proxy", &closing, "h", "7"])
        .ends()
        .exits(7)
        .complains("the proxy closed the connection");
}

#[test]
fn a_silent_proxy_and_one_that_is_not_there_are_told_apart() {
    let silent = server(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let silent = format!("http://127.0.0.1:{silent}");
    let late = spile(["connect", "--connect-timeout", "300ms", "--proxy", &silent, "h", "7"]);
    late.ends().exits(124).complains("no answer within 300ms");
    let nobody = format!("socks5h://127.0.0.1:{}", closed_port());
    let wrong = spile(["connect", "--proxy", &nobody, "h", "7"]).ends().exits(7);
    wrong.complains(&format!("cannot connect to the proxy {nobody}: Connection refused"));
}

#[test]
fn socks_resolves_where_its_name_says() {
    let target = echo_with_banner().to_string();
    let mut proxy = socks(&[]);
    let port = proxy.port();
    for (scheme, host, asked) in [
        ("socks5h", "db.internal", "name db.internal"),
        ("socks5h", "könig.example", "name xn--knig-5qa.example"),
        ("socks5h", "127.0.0.1", "ipv4 127.0.0.1"),
        ("socks5h", "::1", "ipv6 ::1"),
        ("socks5", "localhost", "ipv4 127.0.0.1"),
        ("socks4a", "db.internal", "name db.internal"),
        ("socks4a", "127.0.0.1", "ipv4 127.0.0.1"),
    ] {
        let url = format!("{scheme}://127.0.0.1:{port}");
        let client = spile(["connect", "--proxy", &url, host, &target]);
        client.gets("banner\n").sends("hello\n").gets("hello\n");
        proxy.line(&format!("asked {asked} {target}"));
    }
}

#[test]
fn socks_knows_who_we_are_and_says_why_not() {
    let target = echo_with_banner().to_string();
    let mut proxy = socks(&["--user", "me:secret"]);
    let url = format!("socks5h://127.0.0.1:{}", proxy.port());
    let (good, bad) = (secret("me:secret"), secret("me:wrong"));
    let client = |file: &tempfile::NamedTempFile| {
        let file = file.path().display().to_string();
        spile(["connect", "--proxy", &url, "--proxy-auth-file", &file, "h", &target])
    };
    client(&good).gets("banner\n").sends("hello\n").gets("hello\n");
    client(&bad).ends().exits(7).complains("the proxy said: user or password is wrong");
    spile(["connect", "--proxy", &url, "h", &target])
        .ends()
        .exits(7)
        .complains("it wants a user and a password");
    for (scheme, reply, words) in [
        ("socks5h", "5", "connection refused by the target (reply 5)"),
        ("socks5h", "2", "not allowed by its rules (reply 2)"),
        ("socks4a", "91", "rejected or failed (reply 91)"),
    ] {
        let mut proxy = socks(&["--reply", reply]);
        let url = format!("{scheme}://127.0.0.1:{}", proxy.port());
        spile(["connect", "--proxy", &url, "h", &target]).ends().exits(7).complains(words);
    }
}

#[test]
fn a_relay_goes_through_a_proxy_with_bulk_and_half_close() {
    let target = server(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        stream.write_all(&all).unwrap();
    });
    let mut proxy = socks(&[]);
    let far = format!("tcp:far.example:{target},proxy=socks5h://127.0.0.1:{}", proxy.port());
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &far]);
    let mut client = connect(relay.port());
    let bytes = noise(3, 3_000_000);
    let mut writer = client.try_clone().unwrap();
    let sent = bytes.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    writing.join().unwrap();
    assert!(got == bytes, "{} of {} bytes", got.len(), bytes.len());
}

/// ncat as an HTTP proxy, and its port.
fn ncat_proxy(args: &[&str]) -> (String, Process) {
    let port = free_port();
    let mut all = vec!["-l", "-k", "--proxy-type", "http", "127.0.0.1", &port];
    all.extend(args);
    let ncat = peer("ncat", &all, &port);
    (port, ncat)
}

#[test]
fn tls_goes_through_a_proxy_to_a_name_that_the_proxy_alone_knows() {
    let mut server = spile(["tls-serve", "--cert", &certificate("server.both"), "127.0.0.1:0", "--", "cat"]);
    let place = format!("far.spile.test:{}", server.port());
    let mut proxy = socks(&[]);
    for scheme in ["socks5h", "socks4a"] {
        let url = format!("{scheme}://127.0.0.1:{}", proxy.port());
        let client = ["tls-connect", "--proxy", &url, "--cafile", &certificate("ca.pem"), &place];
        spile(client).sends("hello\n").gets("hello\n").eof().ends().exits(0);
        proxy.line("asked name far.spile.test");
    }
}
