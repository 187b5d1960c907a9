//! PostgreSQL: SSLRequest, answered with one byte (protocol 3.0, "SSL Session Encryption").

use super::received::Received;
use super::{Step, Talk, Trouble};

/// Its length, then the number 80877103 in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

#[derive(Default)]
pub struct Postgres {
    asked: bool,
}

impl Talk for Postgres {
    fn turn(&mut self, received: &mut Received) -> Step {
        if !self.asked {
            self.asked = true;
            return Step::Say(SSL_REQUEST.to_vec());
        }
        match received.rest() {
            [] => Step::More,
            [b'S', ..] => {
                received.take(1);
                Step::Done
            }
            [b'N', ..] => Step::Failed(Trouble::refused("N (it has TLS switched off)")),
            // A server that does not know the request, or that refuses everybody, says so in a message.
            [b'E', message @ ..] => error(message),
            other => Step::Failed(Trouble::garbled(other)),
        }
    }
}

/// Protocol 3 has a length and fields, of which `M` is for people; protocol 2 has text and a NUL.
fn error(message: &[u8]) -> Step {
    let text = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let Some((length, rest)) = message.split_first_chunk::<4>() else { return Step::More };
    match usize::try_from(u32::from_be_bytes(*length)) {
        Ok(length @ 4..=0xffff) => match rest.get(..length - 4) {
            Some(fields) => {
                let mut fields = fields.split(|byte| *byte == 0);
                let message = fields.find_map(|field| field.strip_prefix(b"M")).unwrap_or(b"E");
                Step::Failed(Trouble::refused(message))
            }
            None => Step::More,
        },
        _ if message.contains(&0) => Step::Failed(Trouble::refused(text(message))),
        _ => Step::More,
    }
}
