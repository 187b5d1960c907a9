//! MySQL and MariaDB: after the server's greeting of protocol 10 an SSLRequest, and TLS at once
//! (MySQL Internals, "Connection Phase").

use super::received::Received;
use super::{Step, Talk, Trouble};

const CLIENT_PROTOCOL_41: u16 = 0x0200;
const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u16 = 0x8000;
/// utf8mb3_general_ci.
const CHARACTER_SET: u8 = 0x21;
/// Between the end of the version and the capabilities: thread id, eight bytes of a challenge, a filler.
const BEFORE_CAPABILITIES: usize = 4 + 8 + 1;

#[derive(Default)]
pub struct Mysql {
    asked: bool,
}

impl Talk for Mysql {
    fn turn(&mut self, received: &mut Received) -> Step {
        if self.asked {
            return Step::Done;
        }
        let [low, middle, high, sequence, ..] = *received.rest() else { return Step::More };
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if length == 0 || length >= super::LONGEST_REPLY {
            return Step::Failed(Trouble::garbled(received.rest()));
        }
        let Some(packet) = received.take(4 + length) else { return Step::More };
        match &packet[4..] {
            [10, greeting @ ..] => match capabilities(greeting) {
                Some((_, offered)) if offered & CLIENT_SSL != 0 => {
                    self.asked = true;
                    Step::Say(ssl_request(sequence.wrapping_add(1)))
                }
                Some((version, _)) => Step::Failed(Trouble::not_offered([b"version ", version].concat())),
                None => Step::Failed(Trouble::garbled(greeting)),
            },
            [0xff, code_low, code_high, message @ ..] => {
                let code = u16::from_le_bytes([*code_low, *code_high]);
                let message = String::from_utf8_lossy(without_state(message)).into_owned();
                Step::Failed(Trouble::refused(format!("error {code}: {message}")))
            }
            other => Step::Failed(Trouble::garbled(other)),
        }
    }
}

/// The version and the lower half of what the server can do.
fn capabilities(greeting: &[u8]) -> Option<(&[u8], u16)> {
    let end = greeting.iter().position(|byte| *byte == 0)?;
    let at = end + 1 + BEFORE_CAPABILITIES;
    let bytes = greeting.get(at..at + 2)?;
    Some((&greeting[..end], u16::from_le_bytes([bytes[0], bytes[1]])))
}

/// A packet of 32 bytes: capabilities, the largest packet, the character set, zeros.
fn ssl_request(sequence: u8) -> Vec<u8> {
    let capabilities = u32::from(CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION);
    let largest: u32 = 1 << 24;
    let mut packet = vec![32, 0, 0, sequence];
    packet.extend(capabilities.to_le_bytes());
    packet.extend(largest.to_le_bytes());
    packet.push(CHARACTER_SET);
    packet.resize(4 + 32, 0);
    packet
}

/// `#` and five characters of SQL state stand before the message, unless the server refuses at once.
fn without_state(message: &[u8]) -> &[u8] {
    match message {
        [b'#', rest @ ..] => rest.get(5..).unwrap_or_default(),
        message => message,
    }
}
