//! What requests are answered with. No I/O.

use std::path::Path;
use std::rc::Rc;

use time::OffsetDateTime;

use super::refusal::Refusal;
use super::request::Head;
use crate::certificate::escaped;

/// What all requests are answered with.
pub struct Site {
    /// The status of what is well formed; 200 to 599.
    pub status: u16,
    /// The content; else what was asked for.
    pub content: Option<Rc<[u8]>>,
    /// The type of the content, where it is given.
    pub content_type: &'static str,
    /// Most bytes of a request's body.
    pub most_body: u64,
}

/// An answer: its head, and the content that follows.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// Up to the empty line.
    pub head: String,
    /// What follows.
    pub content: Rc<[u8]>,
}

/// Whether the connection goes on after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another request may come.
    Request,
    /// This was the last one.
    End,
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The type of what a file of that name has.
pub fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("txt") => TEXT,
        _ => "application/octet-stream",
    }
}

impl Site {
    /// The answer to a request with a body of so many bytes, and what comes after it.
    pub fn reply(&self, head: &Head, body: u64, now: OffsetDateTime) -> (Reply, Next) {
        let next = if head.keeps_alive { Next::Request } else { Next::End };
        let (content, kind) = match &self.content {
            Some(content) => (content.clone(), self.content_type),
            None => (said(head, body).into_bytes().into(), TEXT),
        };
        let mut reply = message(self.status, content, kind, next, now);
        if head.method == "HEAD" {
            reply.content = Rc::from([]);
        }
        // HTTP/1.0 closes unless both have said otherwise.
        if next == Next::Request && head.minor == 0 {
            reply.head = reply.head.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
        }
        (reply, next)
    }
}

/// What was asked for, as text that is safe on any terminal.
fn said(head: &Head, body: u64) -> String {
    // HEAD asks for what GET would say of its content (RFC 9110, section 9.3.2).
    let method = if head.method == "HEAD" { "GET" } else { &head.method };
    let mut text = format!("{method} {}\n", escaped(&head.target));
    if body > 0 {
        text += &format!("{body} bytes\n");
    }
    text
}

/// The answer to what is not served; it is the last one.
pub fn refuse(refusal: Refusal, now: OffsetDateTime) -> Reply {
    let text = format!("{} {}\n{}\n", refusal.status, reason(refusal.status), refusal.why);
    message(refusal.status, text.into_bytes().into(), TEXT, Next::End, now)
}

fn message(status: u16, content: Rc<[u8]>, kind: &str, next: Next, now: OffsetDateTime) -> Reply {
    let mut head = format!("HTTP/1.1 {status} {}\r\nDate: {}\r\n", reason(status), date(now));
    // RFC 9110, sections 8.6 and 15.3.6: these have no content, and the first two no length either.
    let content: Rc<[u8]> = match status {
        204 | 304 => Rc::from([]),
        205 => {
            head += "Content-Length: 0\r\n";
            Rc::from([])
        }
        _ => {
            // What a peer has sent us must not become a page (nosniff).
            head += &format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n",
                content.len()
            );
            content
        }
    };
    if next == Next::End {
        head += "Connection: close\r\n";
    }
    Reply { head: head + "\r\n", content }
}

/// RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(now: OffsetDateTime) -> String {
    let (day, month) = (now.weekday().to_string(), now.month().to_string());
    let (hour, minute, second) = now.to_hms();
    let (date, year) = (now.day(), now.year());
    format!("{}, {date:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", &day[..3], &month[..3])
}

/// The words beside a status; those that we have no words for may stand alone (RFC 9112, section 4).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::Framing;
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(784_111_777).unwrap()
    }

    fn head(method: &str, minor: u8, keeps_alive: bool) -> Head {
        Head {
            method: method.into(),
            target: "/a\u{202e}b".into(),
            minor,
            framing: Framing::Length(0),
            expects_continue: false,
            keeps_alive,
        }
    }

    fn site(status: u16) -> Site {
        Site { status, content: None, content_type: TEXT, most_body: 0 }
    }

    #[test]
    fn an_answer_says_what_was_asked_for_and_how_long_it_is() {
        let (reply, next) = site(200).reply(&head("POST", 1, true), 5, now());
        assert_eq!(next, Next::Request);
        assert_eq!(&*reply.content, b"POST /a\\u{202e}b\n5 bytes\n");
        assert_eq!(
            reply.head,
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; \
             charset=utf-8\r\nContent-Length: 25\r\nX-Content-Type-Options: nosniff\r\n\r\n"
        );
    }

    #[test]
    fn head_has_the_length_of_get_and_no_content() {
        let (get, _) = site(200).reply(&head("GET", 1, true), 0, now());
        let (reply, _) = site(200).reply(&head("HEAD", 1, true), 0, now());
        assert!(reply.content.is_empty());
        assert!(!get.content.is_empty());
        assert_eq!(reply.head, get.head);
    }

    #[test]
    fn both_versions_are_told_what_becomes_of_the_connection() {
        let says =
            |minor, keeps, word| site(200).reply(&head("GET", minor, keeps), 0, now()).0.head.contains(word);
        assert!(says(0, true, "Connection: keep-alive\r\n\r\n"));
        assert!(says(0, false, "Connection: close\r\n\r\n") && says(1, false, "Connection: close"));
        assert!(!says(1, true, "Connection"));
    }

    #[test]
    fn statuses_without_content_have_none() {
        for status in [204, 304] {
            let (reply, _) = site(status).reply(&head("GET", 1, true), 0, now());
            assert!(reply.content.is_empty() && !reply.head.contains("Content-"), "{}", reply.head);
        }
        let (reply, _) = site(299).reply(&head("GET", 1, true), 0, now());
        assert!(reply.head.starts_with("HTTP/1.1 299 \r\n"));
    }
}
