//! What requests are answered with. No I/O.

use std::path::Path;
use std::rc::Rc;

use time::OffsetDateTime;

use super::last_call::LastCall;
use super::refusal::Refusal;
use super::request::{Head, Wanted};
use super::status::{fields, reason};
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
    /// Whether answers are the last ones.
    pub last_call: LastCall,
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
        let goes_on = head.keeps_alive && !self.last_call.has_come();
        let next = if goes_on { Next::Request } else { Next::End };
        let (content, kind) = match &self.content {
            Some(content) => (content.clone(), self.content_type),
            None => (said(head, body).into_bytes().into(), TEXT),
        };
        let option = match (next, head.minor) {
            (Next::End, _) => Some("close"),
            // HTTP/1.0 closes unless both have said otherwise.
            (Next::Request, 0) => Some("keep-alive"),
            (Next::Request, _) => None,
        };
        (message(self.status, &head.method, content, kind, option, now), next)
    }
}

impl Reply {
    /// As much of it as is asked for.
    pub fn only(self, wanted: Wanted) -> Reply {
        match wanted {
            Wanted::All => self,
            Wanted::Head => Reply { content: Rc::from([]), ..self },
        }
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
    message(refusal.status, "", text.into_bytes().into(), TEXT, Some("close"), now)
}

/// A whole answer to `method`; `option` is what Connection says of the connection.
fn message(
    status: u16,
    method: &str,
    content: Rc<[u8]>,
    kind: &str,
    option: Option<&str>,
    now: OffsetDateTime,
) -> Reply {
    let mut head = format!("HTTP/1.1 {status} {}\r\nDate: {}\r\n", reason(status), date(now));
    head += &fields(status, method, content.len());
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
    let upgrade = (status == 426).then_some("upgrade");
    let options: Vec<&str> = upgrade.into_iter().chain(option).collect();
    if !options.is_empty() {
        head += &format!("Connection: {}\r\n", options.join(", "));
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

#[cfg(test)]
mod tests {
    use super::super::last_call::LetGo;
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
        Site { status, content: None, content_type: TEXT, most_body: 0, last_call: LastCall::default() }
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
        let reply = reply.only(Wanted::Head);
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
        let site = site(426);
        site.last_call.give(LetGo::Everybody);
        let (reply, next) = site.reply(&head("GET", 1, true), 0, now());
        assert!(next == Next::End && reply.head.contains("Connection: upgrade, close\r\n"), "{}", reply.head);
    }

    #[test]
    fn who_asks_for_the_options_is_told_the_methods() {
        for (status, method, is_told) in
            [(200, "OPTIONS", true), (204, "OPTIONS", true), (404, "OPTIONS", false), (200, "GET", false)]
        {
            let head = site(status).reply(&head(method, 1, true), 0, now()).0.head;
            let allowed = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
            assert_eq!(head.contains(allowed), is_told, "{status} {method}: {head}");
        }
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
