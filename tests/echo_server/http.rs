//! echo-server --mode http with curl and Python as clients: what they ask for, and when connections end.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::harness::echo::{Echo, exactly};
use crate::harness::http::{field, head_of, raw, start, statuses};
use crate::harness::*;

/// What curl prints with these words; URL is the server's.
fn curl(server: &Echo, words: &str) -> String {
    let line = format!("curl -sS --max-time 20 {words}")
        .replace("URL", &format!("http://127.0.0.1:{}", server.port()));
    let ended = shell(&line).ends().exits(0);
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn curl_gets_what_it_asks_for() {
    let server = start(&[]);
    assert_eq!(curl(&server, "URL/a/b?c=d"), "GET /a/b?c=d\n");
    assert_eq!(curl(&server, "-0 URL/old"), "GET /old\n");
    assert_eq!(curl(&server, "-d hello URL/form"), "POST /form\n5 bytes\n");
    assert_eq!(curl(&server, "-X PUT -d hello URL/"), "PUT /\n5 bytes\n");
    let head = curl(&server, "-I URL/h");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 7\r\n"), "{head}");
    // Chunked, and with 100-continue: curl asks for it from 1 MiB on.
    let line = "-H 'Transfer-Encoding: chunked' -d chunked URL/c";
    assert_eq!(curl(&server, line), "POST /c\n7 bytes\n");
    let body = server.path("body");
    std::fs::write(&body, noise(1, 3 << 20)).unwrap();
    let expects = "-H 'Expect: 100-continue' --expect100-timeout 15 -w '%{time_total}'";
    let said = curl(&server, &format!("{expects} --data-binary @{body} URL/big"));
    let seconds = said.strip_prefix("POST /big\n3145728 bytes\n").unwrap_or_else(|| panic!("{said}"));
    assert!(seconds.parse::<f64>().unwrap() < 10.0, "100 Continue did not come: {said}");
    // One connection for all three.
    assert_eq!(curl(&server, "-w '%{num_connects} ' URL/1 URL/2 URL/3"), "GET /1\n1 GET /2\n0 GET /3\n0 ");
    let said = curl(&server, "-w '%{num_connects} ' -H 'Connection: close' URL/1 URL/2");
    assert_eq!(said, "GET /1\n1 GET /2\n1 ");
}

/// One connection for all: http.client would tell of an answer that is longer or shorter than it says.
#[test]
fn python_gets_what_it_asks_for() {
    let server = start(&["--max-body", "1000"]);
    let script = r#"
import http.client, sys
client = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
def ask(*words, **more):
    client.request(*words, **more)
    answer = client.getresponse()
    print(answer.status, answer.getheader('content-length'), answer.read(), answer.will_close)
ask('GET', '/a')
first = client.sock
ask('HEAD', '/a')
ask('POST', '/b', body=iter([b'ab', b'cde']), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
ask('PUT', 'http://elsewhere/', body=b'x' * 1000)
print(client.sock is first)
ask('HEAD', '/c', headers={'Content-Length': '1001'})
"#;
    let ended = program("python3", &["-c", script, &server.port().to_string()]).ends().exits(0);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "200 7 b'GET /a\\n' False",
            "200 7 b'' False",
            "200 16 b'POST /b\\n5 bytes\\n' False",
            "200 33 b'PUT http://elsewhere/\\n1000 bytes\\n' False",
            "True",
            "413 56 b'' True",
        ]
    );
}

#[test]
fn the_status_and_the_content_are_those_asked_for() {
    let server = start(&["--status", "503"]);
    assert_eq!(curl(&server, "-o /dev/null -w '%{http_code}' URL"), "503");
    let server = start(&["--status", "204"]);
    assert_eq!(curl(&server, "-w '%{http_code} ' URL/1 URL/2"), "204 204 ");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    let page = noise(3, 2_000_000);
    std::fs::write(&file, &page).unwrap();
    let server = start(&["--fixed", file.to_str().unwrap()]);
    let got = dir.path().join("got").display().to_string();
    let kind = curl(&server, &format!("-o {got} -w '%{{content_type}}' URL/any"));
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(std::fs::read(&got).unwrap() == page);
    // Two in a row over one connection: the length was right.
    let line = format!("-o {got} -o {got} -w '%{{num_connects}} ' URL/1 URL/2");
    assert_eq!(curl(&server, &line), "1 0 ");
}

#[test]
fn tls_is_put_under_it() {
    let server = Echo::start(&["--mode", "http", "--self-signed", "tls-l:0"]);
    let line = format!("curl -sSk --max-time 20 --http1.1 https://127.0.0.1:{}/s", server.port());
    shell(&line).ends().exits(0).says("GET /s\n");
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = start(&[]);
    let mut bytes = Vec::new();
    for n in 0..500 {
        bytes.extend(
            match n % 3 {
                0 => format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n"),
                1 => format!("POST /{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
                _ => format!(
                    "POST /{n} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                ),
            }
            .into_bytes(),
        );
    }
    let said = raw(server.port(), &bytes);
    let paths: Vec<&str> =
        said.lines().filter_map(|line| line.split_once(" /")).map(|(_, path)| path).collect();
    assert_eq!(paths, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
    // The same however it is cut.
    let (stream, few) = (server.connect(), &bytes[..400]);
    for byte in few {
        (&stream).write_all(&[*byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let slowly = String::from_utf8(read_all(&stream)).unwrap();
    let whole = raw(server.port(), few);
    let without_dates =
        |text: &str| text.lines().filter(|line| !line.starts_with("Date")).collect::<String>();
    assert_eq!(without_dates(&slowly), without_dates(&whole));
}

#[test]
fn a_body_is_asked_for_only_where_it_is_waited_for() {
    let server = start(&["--max-body", "10"]);
    let head = |length: u32| {
        format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    let stream = server.connect();
    (&stream).write_all(head(5).as_bytes()).unwrap();
    assert_eq!(exactly(&stream, 25), b"HTTP/1.1 100 Continue\r\n\r\n");
    (&stream).write_all(b"hello").unwrap();
    assert_eq!(exactly(&stream, 15), b"HTTP/1.1 200 OK");
    // What is not taken is not asked for, and what has come already is not either.
    assert_eq!(statuses(&raw(server.port(), head(11).as_bytes())), [413]);
    assert_eq!(statuses(&raw(server.port(), format!("{}hello", head(5)).as_bytes())), [200]);
}

#[test]
fn answers_come_slowly_and_are_broken_off_where_that_is_asked_for() {
    let server = start(&["--rst-after", "50"]);
    let line = format!("curl -sS --max-time 20 http://127.0.0.1:{}/", server.port());
    shell(&line).ends().exits(56).complains("reset");
    let server = start(&["--close-after", "150"]);
    let line =
        format!("curl -sS --max-time 20 -o /dev/null http://127.0.0.1:{}/{}", server.port(), "a".repeat(100));
    shell(&line).ends().exits(18);
    let server = start(&["--delay", "300ms"]);
    let seconds: f64 = curl(&server, "-o /dev/null -w '%{time_total}' URL").parse().unwrap();
    assert!(seconds >= 0.3, "{seconds}");
}

/// RFC 9110: a challenge (15.5.2, 15.5.8), the methods that there are, none (15.5.6), a protocol (15.5.22), a range
/// (15.3.7, 15.5.17), a place (15.4).
#[test]
fn statuses_come_with_the_fields_that_they_need() {
    for (status, name, value) in [
        (206, "content-range", "bytes 0-6/7"),
        (301, "location", "/"),
        (302, "location", "/"),
        (303, "location", "/"),
        (307, "location", "/"),
        (308, "location", "/"),
        (401, "www-authenticate", "Basic realm=\"spile\""),
        (405, "allow", ""),
        (407, "proxy-authenticate", "Basic realm=\"spile\""),
        (416, "content-range", "bytes */7"),
        (426, "upgrade", "HTTP/3.0"),
    ] {
        let server = start(&["--status", &status.to_string()]);
        let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        let said = raw(server.port(), format!("{get}{get}").as_bytes());
        assert_eq!(statuses(&said), [status, status], "{said}");
        assert_eq!(field(&said, name), Some(value), "{said}");
        assert!(
            !head_of(&said).starts_with(&format!("HTTP/1.1 {status} \r\n")),
            "no words beside it: {said}"
        );
        let last = raw(server.port(), b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let connection = if status == 426 { ("upgrade", "upgrade, close") } else { ("", "close") };
        assert_eq!(
            (field(&said, "connection").unwrap_or(""), field(&last, "connection").unwrap()),
            connection
        );
    }
    // Of nothing there is no part.
    let words = ["echo-server", "--mode", "http", "--status", "206", "--fixed", "/dev/null", "0"];
    spile(words).ends().exits(2).complains("--status 206");
    for status in [204, 205, 304] {
        let server = start(&["--status", &status.to_string()]);
        let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        let said = raw(server.port(), format!("{get}{get}").as_bytes());
        assert_eq!(statuses(&said), [status, status], "{said}");
        assert!(said.split_inclusive("\r\n\r\n").all(|head| head.starts_with("HTTP/1.1 ")), "{said}");
        assert_eq!(field(&said, "content-length"), (status == 205).then_some("0"), "{said}");
    }
}

#[test]
fn term_ends_connections_that_ask_nothing_at_once_and_the_others_with_their_answer() {
    let mut server = start(&["--grace", "60s"]);
    let get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let all: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for mut idle in &all {
        idle.write_all(get).unwrap();
        let said = String::from_utf8(exactly(idle, 15)).unwrap();
        assert_eq!(said, "HTTP/1.1 200 OK");
    }
    let (mut busy, silent) = (server.connect(), server.connect());
    let begun = b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nla";
    busy.write_all(begun).unwrap();
    server.counts("received", (50 * get.len() + begun.len()) as u64);
    server.counts("connections", 52);
    let since = std::time::Instant::now();
    server.process.signal("TERM");
    for idle in &all {
        let said = String::from_utf8(read_all(idle)).unwrap();
        assert!(said.ends_with("GET /\n"), "{said}");
    }
    // Who has yet to ask gets a moment for it.
    assert_eq!(read_all(&silent), b"");
    assert!(server.process.is_running(), "what is under way is waited for");
    busy.write_all(b"te").unwrap();
    let said = String::from_utf8(read_all(&busy)).unwrap();
    assert!(said.ends_with("POST /late\n4 bytes\n"), "{said}");
    assert_eq!(field(&said, "connection"), Some("close"), "{said}");
    server.process.ends().exits(0);
    assert!(since.elapsed().as_secs() < 20, "{:?}", since.elapsed());
}

#[test]
fn term_waits_for_answers_that_are_late_on_purpose() {
    let server = start(&["--grace", "60s", "--delay", "2s"]);
    let mut late = server.connect();
    late.write_all(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    server.counts("connections", 1);
    server.process.signal("TERM");
    let said = String::from_utf8(read_all(&late)).unwrap();
    assert!(said.contains("Connection: close\r\n") && said.ends_with("GET /late\n"), "{said}");
    server.process.ends().exits(0);
}

#[test]
fn term_ends_idle_connections_with_the_end_of_their_tls_session() {
    let server = Echo::start(&["--mode", "http", "--grace", "60s", "--self-signed", "tls-l:0"]);
    let address = format!("127.0.0.1:{}", server.port());
    let mut client = spile(["tls-connect", "--insecure", &address]);
    client.write(b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut said = Vec::new();
    while !said.ends_with(b"GET /s\n") {
        said.extend(client.some());
    }
    server.process.signal("TERM");
    // 18 without close_notify.
    client.ends().exits(0);
    server.process.ends().exits(0);
}

#[test]
fn who_is_idle_holds_up_no_server_that_has_served_its_total() {
    let server = start(&["--max-total", "2", "--grace", "1h"]);
    let mut first = server.connect();
    first.write_all(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut said = exactly(&first, 16);
    assert!(said.starts_with(b"HTTP/1.1 200 OK"));
    let mut last = server.connect();
    // It has had its answer, and is told the end though it asks for none.
    said.extend(read_all(&first));
    let said = String::from_utf8(said).unwrap();
    assert!(said.ends_with("GET /one\n") && !said.contains("Connection: close"), "{said}");
    // Whoever came last was let in to be answered, however late it asks.
    std::thread::sleep(Duration::from_millis(1500)); // longer than after TERM
    last.write_all(b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let said = String::from_utf8(read_all(&last)).unwrap();
    assert!(said.contains("Connection: close\r\n") && said.ends_with("GET /two\n"), "{said}");
    server.process.ends().exits(0);
}

#[test]
fn a_later_version_of_http_1_is_answered_as_1_1() {
    let server = start(&[]);
    let said = raw(server.port(), b"GET /a HTTP/1.2\r\nHost: x\r\n\r\nHEAD /b HTTP/1.9\r\nHost: x\r\n\r\n");
    assert_eq!(statuses(&said), [200, 200], "{said}");
    assert_eq!(statuses(&raw(server.port(), b"GET / HTTP/2.0\r\nHost: x\r\n\r\n")), [505]);
}
