//! LDAP: the extended request StartTLS and its response (RFC 4511, sections 4.12 and 4.14), in BER.

use super::received::Received;
use super::{Step, Talk, Trouble};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
/// [APPLICATION 23] and its first field, the name.
const EXTENDED_REQUEST: u8 = 0x77;
const REQUEST_NAME: u8 = 0x80;
/// [APPLICATION 24].
const EXTENDED_RESPONSE: u8 = 0x78;
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
const OUR_MESSAGE: u8 = 1;

#[derive(Default)]
pub struct Ldap {
    asked: bool,
}

impl Talk for Ldap {
    fn turn(&mut self, received: &mut Received) -> Step {
        if !self.asked {
            self.asked = true;
            let request = element(EXTENDED_REQUEST, &element(REQUEST_NAME, START_TLS));
            return Step::Say(element(SEQUENCE, &[element(INTEGER, &[OUR_MESSAGE]), request].concat()));
        }
        let garbled = |bytes: &[u8]| Step::Failed(Trouble::garbled(bytes));
        if received.rest().first().is_some_and(|tag| *tag != SEQUENCE) {
            return garbled(received.rest());
        }
        match header(received.rest()) {
            Err(Short) => Step::More,
            Ok(None) => garbled(received.rest()),
            Ok(Some((_, head, length))) if length > super::LONGEST_REPLY - head => garbled(received.rest()),
            Ok(Some((_, head, length))) => match received.take(head + length) {
                None => Step::More,
                Some(message) => response(&message[head..]).unwrap_or_else(|| garbled(&message)),
            },
        }
    }
}

/// The verdict of a message's content; `None` for what is no response to us.
fn response(content: &[u8]) -> Option<Step> {
    let (INTEGER, id, rest) = split(content)? else { return None };
    let (EXTENDED_RESPONSE, result, _) = split(rest)? else { return None };
    let (ENUMERATED, [code], rest) = split(result)? else { return None };
    let (OCTETS, _matched, rest) = split(rest)? else { return None };
    let (OCTETS, text, _) = split(rest)? else { return None };
    // Message 0 is the server's own: it is about to close (RFC 4511, section 4.4.1).
    match (id, code) {
        ([OUR_MESSAGE], 0) => Some(Step::Done),
        ([OUR_MESSAGE | 0], code) => {
            let said = format!("result {code} ({}) {}", meaning(*code), String::from_utf8_lossy(text));
            Some(Step::Failed(Trouble::refused(said.trim_end())))
        }
        _ => None,
    }
}

/// The results that a server has for StartTLS (RFC 4511, appendix A).
fn meaning(code: u8) -> &'static str {
    match code {
        1 => "operations error",
        2 => "protocol error: it does not know StartTLS",
        3 => "time limit exceeded",
        8 => "stronger authentication required",
        10 => "referral to another server",
        13 => "confidentiality required",
        50 => "insufficient access rights",
        51 => "busy",
        52 => "unavailable: it has no TLS",
        53 => "unwilling to perform",
        _ => "other",
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    // All of ours are shorter than 128 bytes, whose length is one byte.
    let mut element = vec![tag, content.len() as u8];
    element.extend_from_slice(content);
    element
}

/// More bytes are needed.
struct Short;

/// Tag, length of the header, and length of the content; `None` where that is no BER of a definite length.
fn header(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Short> {
    let [tag, first, rest @ ..] = bytes else { return Err(Short) };
    match first {
        0..=0x7f => Ok(Some((*tag, 2, usize::from(*first)))),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = rest.get(..count).ok_or(Short)?;
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            Ok(Some((*tag, 2 + count, length)))
        }
        _ => Ok(None),
    }
}

/// The first element: its tag, its content, and what comes after it.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, head, length) = header(bytes).ok().flatten()?;
    let content = bytes.get(head..head.checked_add(length)?)?;
    Some((tag, content, &bytes[head + length..]))
}
