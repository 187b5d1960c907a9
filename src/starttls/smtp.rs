//! SMTP (RFC 3207) and LMTP (RFC 2033): greeting, EHLO or LHLO, STARTTLS.

use super::received::{Received, has_word};
use super::{Step, Talk, Trouble};

/// A name that is nobody's (RFC 6761): the real greeting is said under TLS.
const OUR_NAME: &str = "spile.invalid";

enum WaitsFor {
    Greeting,
    Offer,
    GoAhead,
}

pub struct Smtp {
    hello: &'static str,
    waits: WaitsFor,
}

impl Smtp {
    /// `hello` is the word by which a client greets.
    pub fn new(hello: &'static str) -> Smtp {
        Smtp { hello, waits: WaitsFor::Greeting }
    }
}

impl Talk for Smtp {
    fn turn(&mut self, received: &mut Received) -> Step {
        let reply = match received.reply() {
            Ok(reply) => reply,
            Err(step) => return step,
        };
        match (&self.waits, reply.code) {
            (WaitsFor::Greeting, 220) => {
                self.waits = WaitsFor::Offer;
                Step::say(format!("{} {OUR_NAME}", self.hello))
            }
            (WaitsFor::Offer, 250) if has_word(&reply.lines, "STARTTLS") => {
                self.waits = WaitsFor::GoAhead;
                Step::say("STARTTLS")
            }
            // The first line greets.
            (WaitsFor::Offer, 250) => Step::Failed(Trouble::not_offered(reply.lines[1..].join("\n"))),
            (WaitsFor::GoAhead, 220) => Step::Done,
            _ => reply.refuses(),
        }
    }
}
