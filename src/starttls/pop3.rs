//! POP3: CAPA and STLS (RFC 2595). A server may know STLS and not CAPA.

use super::received::{Received, has_word};
use super::{Step, Talk, Trouble};

#[derive(Clone, Copy, Default)]
enum WaitsFor {
    #[default]
    Greeting,
    Capa,
    Offer,
    GoAhead,
}

#[derive(Default)]
pub struct Pop3 {
    waits: WaitsFor,
}

impl Pop3 {
    fn say(&mut self, word: &str, waits: WaitsFor) -> Step {
        self.waits = waits;
        Step::say(word)
    }
}

/// Understands `+OK` and `-ERR`.
fn status(line: &str) -> Result<bool, Step> {
    match line.split(' ').next() {
        Some("+OK") => Ok(true),
        Some("-ERR") => Ok(false),
        _ => Err(Step::Failed(Trouble::garbled(line))),
    }
}

impl Talk for Pop3 {
    fn turn(&mut self, received: &mut Received) -> Step {
        loop {
            if let WaitsFor::Offer = self.waits {
                return match received.lines_to_dot() {
                    Some(offer) if has_word(&offer, "STLS") => self.say("STLS", WaitsFor::GoAhead),
                    Some(offer) => Step::Failed(Trouble::not_offered(offer.join("\n"))),
                    None => Step::More,
                };
            }
            let Some(line) = received.line() else { return Step::More };
            return match (self.waits, status(&line)) {
                (_, Err(step)) => step,
                (WaitsFor::Greeting, Ok(true)) => self.say("CAPA", WaitsFor::Capa),
                (WaitsFor::Capa, Ok(false)) => self.say("STLS", WaitsFor::GoAhead),
                (WaitsFor::Capa, Ok(true)) => {
                    self.waits = WaitsFor::Offer;
                    continue;
                }
                (WaitsFor::GoAhead, Ok(true)) => Step::Done,
                _ => Step::Failed(Trouble::refused(line)),
            };
        }
    }
}
