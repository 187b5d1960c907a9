//! IMAP: CAPABILITY and STARTTLS (RFC 9051, section 6.2.1).

use super::received::{Received, has_word};
use super::{Step, Talk, Trouble};

#[derive(Clone, Copy, Default)]
enum WaitsFor {
    #[default]
    Greeting,
    Offer,
    GoAhead,
}

#[derive(Default)]
pub struct Imap {
    waits: WaitsFor,
    /// What `* CAPABILITY` named.
    offer: String,
}

impl Imap {
    fn greeting(&mut self, line: &str) -> Step {
        match second_word(line).as_str() {
            "OK" => {
                self.waits = WaitsFor::Offer;
                Step::say("a CAPABILITY")
            }
            // Logged in already: the client that takes this goes on in plaintext, and is meant to (CVE-2020-12398).
            "PREAUTH" | "BYE" => Step::Failed(Trouble::refused(line)),
            _ => Step::Failed(Trouble::garbled(line)),
        }
    }

    /// A line that starts with our own tag.
    fn answer(&mut self, line: &str) -> Step {
        match (self.waits, second_word(line).as_str()) {
            (WaitsFor::Offer, "OK") if has_word(std::slice::from_ref(&self.offer), "STARTTLS") => {
                self.waits = WaitsFor::GoAhead;
                Step::say("b STARTTLS")
            }
            (WaitsFor::Offer, "OK") => Step::Failed(Trouble::not_offered(&self.offer)),
            (WaitsFor::GoAhead, "OK") => Step::Done,
            (_, "NO" | "BAD") => Step::Failed(Trouble::refused(line)),
            _ => Step::Failed(Trouble::garbled(line)),
        }
    }
}

impl Talk for Imap {
    fn turn(&mut self, received: &mut Received) -> Step {
        while let Some(line) = received.line() {
            let tag = match self.waits {
                WaitsFor::Greeting => "*",
                WaitsFor::Offer => "a",
                WaitsFor::GoAhead => "b",
            };
            match line.split(' ').next().unwrap_or_default() {
                "*" if tag == "*" => return self.greeting(&line),
                own if own == tag => return self.answer(&line),
                "*" => match second_word(&line).as_str() {
                    "CAPABILITY" => line.split_once(' ').unwrap_or_default().1.clone_into(&mut self.offer),
                    "BYE" => return Step::Failed(Trouble::refused(line)),
                    // Whatever else a server tells unasked.
                    _ => {}
                },
                _ => return Step::Failed(Trouble::garbled(line)),
            }
        }
        Step::More
    }
}

fn second_word(line: &str) -> String {
    line.split(' ').nth(1).unwrap_or_default().to_ascii_uppercase()
}
