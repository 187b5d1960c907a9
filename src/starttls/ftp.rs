//! FTP: `AUTH TLS` (RFC 4217). It may be asked without FEAT, and the answer says the same.

use super::received::Received;
use super::{Step, Talk};

#[derive(Default)]
pub struct Ftp {
    greeted: bool,
}

impl Talk for Ftp {
    fn turn(&mut self, received: &mut Received) -> Step {
        let reply = match received.reply() {
            Ok(reply) => reply,
            Err(step) => return step,
        };
        match (self.greeted, reply.code) {
            // "Service ready in nnn minutes" comes before the greeting itself.
            (false, 120) => Step::More,
            (false, 220) => {
                self.greeted = true;
                Step::say("AUTH TLS")
            }
            (true, 234) => Step::Done,
            _ => reply.refuses(),
        }
    }
}
