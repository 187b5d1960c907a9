//! HTTP as it goes over the wire: requests byte by byte, answers as text.

use std::io::Write;
use std::net::Shutdown;

use super::echo::Echo;
use super::{connect, read_all};

/// An echo server that speaks HTTP over TCP.
pub fn start(words: &[&str]) -> Echo {
    Echo::start(&[&["--mode", "http"], words, &["tcp-l:0"]].concat())
}

/// Sends this, ends, and reads what comes back to its end.
pub fn raw(port: u16, bytes: &[u8]) -> String {
    let stream = connect(port);
    (&stream).write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    String::from_utf8(read_all(&stream)).unwrap()
}

/// The statuses of all answers in it.
pub fn statuses(said: &str) -> Vec<u16> {
    let starts = said.lines().filter_map(|line| line.split_once("HTTP/1.1 ")?.1.get(..3)?.parse().ok());
    starts.collect()
}

/// The answer's head: everything before the empty line.
pub fn head_of(said: &str) -> &str {
    said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {said:?}")).0
}

/// The value of a field of the first answer.
pub fn field<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let lines = head_of(said).lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values =
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} stands twice: {said}");
    value
}
