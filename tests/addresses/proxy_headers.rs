//! The PROXY protocol, both ways and both versions: with HAProxy and nginx, and with headers that are none.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::harness::*;

/// The text that a service says to a client of this port, and the client's own port.
fn ask(port: u16, request: &[u8]) -> (String, u16) {
    let mut stream = connect(port);
    stream.write_all(request).unwrap();
    let local = stream.local_addr().unwrap().port();
    (String::from_utf8(read_all(&stream)).unwrap(), local)
}

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// Starts HAProxy with these sections, in which PORT is the port that is returned.
fn haproxy(dir: &std::path::Path, sections: &str) -> (u16, Process) {
    let port = free_port();
    let defaults = "defaults\n timeout connect 9s\n timeout client 20s\n timeout server 20s\n";
    let path = dir.join(&port).display().to_string();
    std::fs::write(&path, format!("{defaults}{sections}\n").replace("PORT", &port)).unwrap();
    let haproxy = peer("haproxy", &["-db", "-f", &path], &port);
    (port.parse().unwrap(), haproxy)
}

/// An HAProxy that answers a request with these words of its own language.
fn answering_haproxy(dir: &std::path::Path, words: &str) -> (u16, Process) {
    let answer = format!(r#" http-request return status 200 content-type text/plain lf-string "{words}""#);
    haproxy(dir, &format!("frontend f\n mode http\n bind 127.0.0.1:PORT accept-proxy\n{answer}"))
}

/// A service that tells each client who it is.
fn telling(args: &[&str]) -> Process {
    let script = "echo $SPILE_PEER_ADDR $SPILE_PEER_PORT $SPILE_LOCAL_ADDR $SPILE_LOCAL_PORT";
    let mut all = vec!["listen", "-k", "--accept-proxy"];
    all.extend(args);
    all.extend(["127.0.0.1:0", "--", "sh", "-c", script]);
    spile(all)
}

#[test]
fn haproxy_tells_us_for_whom_it_connects() {
    let dir = tempfile::tempdir().unwrap();
    for version in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"] {
        let mut service = telling(&[]);
        let back = format!("backend b\n mode tcp\n server s 127.0.0.1:{} {version}", service.port());
        let front =
            "frontend f\n mode tcp\n bind 127.0.0.1:PORT\n unique-id-format %ci\n default_backend b\n";
        let (port, _haproxy) = haproxy(dir.path(), &format!("{front}{back}"));
        let (said, local) = ask(port, b"");
        assert_eq!(said, format!("127.0.0.1 {local} 127.0.0.1 {port}\n"), "{version}");
    }
}

#[test]
fn haproxy_believes_what_we_tell_it() {
    let dir = tempfile::tempdir().unwrap();
    let (back, _haproxy) = answering_haproxy(dir.path(), "%[src] %[src_port] %[dst] %[dst_port]");
    for form in ["v1", "v2", "v2-tls-cert"] {
        let far = format!("127.0.0.1:{back},proxy-protocol={form}");
        let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &far]);
        let port = relay.port();
        let (said, local) = ask(port, REQUEST);
        let wanted = format!("127.0.0.1 {local} 127.0.0.1 {port}");
        assert!(said.ends_with(&wanted), "{form}: {said} is not {wanted}");
    }
    // Without a client there is nobody to name: the connection is our own.
    for form in ["v1", "v2"] {
        let client = spile(["connect", "--proxy-protocol", form, "127.0.0.1", &back.to_string()]);
        let said = client.sends(REQUEST).ends().exits(0);
        assert!(String::from_utf8_lossy(&said.stdout).contains("200 OK"), "{said:?}");
    }
}

const NGINX: &str = "daemon off; master_process off; pid DIR/pid; error_log DIR/error;
events { worker_connections 64; }
http { access_log off; client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR;
  uwsgi_temp_path DIR; scgi_temp_path DIR;
  server { listen 127.0.0.1:PORT proxy_protocol;
    location / { return 200 '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port'; } } }";

#[test]
fn nginx_believes_what_we_tell_it() {
    let dir = tempfile::tempdir().unwrap();
    let (root, back) = (dir.path().display().to_string(), free_port());
    std::fs::write(dir.path().join("conf"), NGINX.replace("DIR", &root).replace("PORT", &back)).unwrap();
    let _nginx = peer("nginx", &["-p", &root, "-c", "conf"], &back);
    for form in ["v1", "v2"] {
        let mut relay =
            spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{back},proxy-protocol={form}")]);
        let port = relay.port();
        let (said, local) = ask(port, REQUEST);
        assert!(said.ends_with(&format!("127.0.0.1 {local} {port}")), "{form}: {said}");
    }
}

/// A header of version 2: 203.0.113.7:1234 came to 203.0.113.9:443.
const HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xcb\0\x71\x09\x04\xd2\x01\xbb";
const LINE: &[u8] = b"PROXY TCP4 203.0.113.7 203.0.113.9 1234 443\r\n";
const TOLD: &str = "203.0.113.7 1234 203.0.113.9 443\n";

#[test]
fn what_follows_a_header_is_whole_however_it_comes() {
    let mut service = spile(["listen", "-k", "--accept-proxy", "0", "--", "cat"]);
    let port = service.port();
    for header in [HEADER, LINE] {
        let all = [header, b"PROXY is data now\r\n"].concat();
        for size in [1, 7, 20, all.len()] {
            let mut stream = connect(port);
            stream.set_nodelay(true).unwrap();
            for piece in all.chunks(size) {
                stream.write_all(piece).unwrap();
            }
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&stream), b"PROXY is data now\r\n", "in pieces of {size}");
        }
    }
}

#[test]
fn a_peer_without_a_header_is_refused_and_nothing_of_it_is_data() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data");
    let line = format!("cat >{}", file.display());
    let mut service = spile(["listen", "-k", "--accept-proxy", "0", "--", "sh", "-c", &line]);
    let port = service.port();
    for bad in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\nx",
        b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\nx",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let mut stream = connect(port);
        stream.write_all(bad).unwrap();
        // A reset may come before or after the attempt to read.
        let read = stream.read(&mut [0; 16]);
        assert!(
            matches!(read, Err(ref why) if why.kind() == std::io::ErrorKind::ConnectionReset),
            "{read:?}"
        );
    }
    service.line("spile listen: [1] 127.0.0.1:");
    assert!(!file.exists());
    let mut good = connect(port);
    good.write_all(&[LINE, b"good"].concat()).unwrap();
    good.shutdown(Shutdown::Write).unwrap();
    read_all(&good);
    assert_eq!(std::fs::read(&file).unwrap(), b"good");
}

#[test]
fn a_single_connection_without_a_header_is_a_failure_that_quotes_it() {
    let mut service = spile(["listen", "--accept-proxy", "0"]);
    let mut stream = connect(service.port());
    stream.write_all(b"SSH-2.0-\x1b[31m and more").unwrap();
    let ended = service
        .ends()
        .exits(1)
        .complains("no PROXY header (accept-proxy): this is none: SSH-2.0-\\u{1b}[31m and more");
    assert!(!ended.stderr.contains('\x1b') && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_silent_peer_holds_nobody_up_and_is_sent_away() {
    let mut service = telling(&["--handshake-timeout", "1s"]);
    let port = service.port();
    let mut silent: Vec<TcpStream> = (0..50).map(|_| connect(port)).collect();
    assert_eq!(ask(port, HEADER).0, TOLD);
    let read = silent[0].read(&mut [0; 16]);
    assert!(matches!(read, Err(ref why) if why.kind() == std::io::ErrorKind::ConnectionReset), "{read:?}");
    service.line("spile listen: [1] ");
}

#[test]
fn access_rules_look_at_the_proxy_and_not_at_what_it_says() {
    let mut service = telling(&["--allow", "203.0.113.0/24"]);
    let mut stream = connect(service.port());
    let _ = stream.write_all(HEADER);
    assert!(matches!(stream.read(&mut [0; 99]), Ok(0) | Err(_)), "somebody has told who it is");
    let mut service = telling(&["--deny", "203.0.113.0/24"]);
    assert_eq!(ask(service.port(), HEADER).0, TOLD);
}

#[test]
fn a_name_goes_through_several_relays() {
    let mut last = telling(&[]);
    let second = format!("127.0.0.1:{},proxy-protocol=v1", last.port());
    let mut second = spile(["relay", "tcp-l:127.0.0.1:0,accept-proxy", &second]);
    let first = format!("127.0.0.1:{},proxy-protocol=v2", second.port());
    let mut first = spile(["relay", "tcp-l:127.0.0.1:0,accept-proxy", &first]);
    assert_eq!(ask(first.port(), LINE).0, TOLD);
}

#[test]
fn unix_sockets_have_their_paths_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let mut last = spile([
        "listen",
        "-k",
        "--accept-proxy",
        &path("last"),
        "--",
        "sh",
        "-c",
        "echo $SPILE_PEER_ADDR to $SPILE_LOCAL_ADDR",
    ]);
    last.line("listening unix");
    let far = format!("unix:{},proxy-protocol=v2", path("last"));
    let mut relay = spile(["relay", &format!("unix-l:{}", path("first")), &far]);
    relay.line("listening unix");
    let client = spile(["connect", &format!("unix:{},bind={}", path("first"), path("client"))]);
    client.eof().ends().exits(0).says(format!("{} to {}\n", path("client"), path("first")));
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &far]);
    let (said, local) = ask(relay.port(), b"");
    assert_eq!(said, "127.0.0.1 to 127.0.0.1\n", "{local}");
}

/// A service that says back the header that it was sent.
fn header_back() -> u16 {
    server(|mut stream| {
        let mut header = vec![0; 16];
        stream.read_exact(&mut header).unwrap();
        let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
        header.resize(16 + length, 0);
        stream.read_exact(&mut header[16..]).unwrap();
        stream.write_all(&header).unwrap();
    })
}

/// A relay that takes TLS off clients that show a certificate.
fn terminating(far: &str) -> Process {
    let (own, authority) = (certificate("server.both"), certificate("ca.pem"));
    let near =
        format!("tls-l:127.0.0.1:0,cert={own},client-ca={authority},client-optional,allow-any,alpn=http/1.1");
    spile(["relay", &near, far])
}

fn tls_client(port: u16, more: &[&str]) -> Process {
    let (authority, place) = (certificate("ca.pem"), format!("localhost:{port}"));
    let client = ["tls-connect", "--cafile", &authority, "--alpn", "http/1.1", &place];
    spile([&client, more].concat())
}

#[test]
fn the_tls_that_is_taken_off_is_told() {
    let back = header_back();
    let has = |header: &[u8], part: &[u8]| header.windows(part.len()).any(|window| window == part);
    for (form, shown, client, name) in [
        ("v2-tls-cert", true, &b"\x07\0\0\0\0"[..], true),
        ("v2-tls-cert", false, b"\x01\0\0\0\x01", false),
        ("v2-tls", true, b"\x01\0\0\0\x01", false),
    ] {
        let mut relay = terminating(&format!("127.0.0.1:{back},proxy-protocol={form}"));
        let own = certificate("client.both");
        let args: &[&str] = if shown { &["--cert", &own] } else { &[] };
        let header = tls_client(relay.port(), args).ends().exits(0).stdout;
        let text = header.escape_ascii().to_string();
        assert!(has(&header, b"\x01\0\x08http/1.1"), "ALPN: {text}");
        assert!(has(&header, b"\x02\0\x09localhost"), "SNI: {text}");
        assert!(has(&header, &[client, b"\x21\0\x07TLSv1.3\x23\0"].concat()), "{form} {shown}: {text}");
        assert_eq!(has(&header, b"\x22\0\x06client"), name, "{form} {shown}: {text}");
    }
    let mut relay = terminating(&format!("127.0.0.1:{back},proxy-protocol=v2"));
    let header = tls_client(relay.port(), &[]).ends().exits(0).stdout;
    assert_eq!(header.len(), 16 + 12 + 7, "addresses and checksum alone");
}

#[test]
fn haproxy_reads_the_name_that_a_client_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (back, _haproxy) = answering_haproxy(dir.path(), "%[fc_pp_authority] asked for");
    let mut relay = terminating(&format!("127.0.0.1:{back},proxy-protocol=v2-tls-cert"));
    let said = tls_client(relay.port(), &[]).sends(REQUEST).ends().exits(0);
    assert!(said.stdout.ends_with(b"localhost asked for"), "{said:?}");
}

#[test]
fn a_header_goes_ahead_of_tls() {
    let (own, authority) = (certificate("server.both"), certificate("ca.pem"));
    let script = "echo $SPILE_PEER_PORT $SPILE_TLS_VERSION";
    let mut server =
        spile(["tls-serve", "--accept-proxy", "--cert", &own, "127.0.0.1:0", "--", "sh", "-c", script]);
    let far = format!("tls:localhost:{},cafile={authority},proxy-protocol=v1", server.port());
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &far]);
    let (said, local) = ask(relay.port(), b"");
    assert_eq!(said, format!("{local} 1.3\n"));
}
