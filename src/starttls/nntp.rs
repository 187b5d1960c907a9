//! NNTP: CAPABILITIES and STARTTLS (RFC 4642). A server may know STARTTLS and not CAPABILITIES.

use super::received::{Received, has_word, number};
use super::{Step, Talk, Trouble};

#[derive(Clone, Copy, Default)]
enum WaitsFor {
    #[default]
    Greeting,
    Offer,
    GoAhead,
}

#[derive(Default)]
pub struct Nntp {
    waits: WaitsFor,
}

impl Nntp {
    fn ask(&mut self) -> Step {
        self.waits = WaitsFor::GoAhead;
        Step::say("STARTTLS")
    }
}

impl Talk for Nntp {
    fn turn(&mut self, received: &mut Received) -> Step {
        // Only the answer to CAPABILITIES has more than one line; it ends with a dot.
        let many = matches!(self.waits, WaitsFor::Offer) && received.rest().starts_with(b"101");
        let whole = match many {
            true => received.lines_to_dot(),
            false => received.line().map(|line| vec![line]),
        };
        let Some(lines) = whole else { return Step::More };
        let text = lines.join("\n");
        match (self.waits, number(&text[..text.find('\n').unwrap_or(text.len())])) {
            (_, None) => Step::Failed(Trouble::garbled(text)),
            (WaitsFor::Greeting, Some(200 | 201)) => {
                self.waits = WaitsFor::Offer;
                Step::say("CAPABILITIES")
            }
            (WaitsFor::Offer, Some(101)) if has_word(&lines[1..], "STARTTLS") => self.ask(),
            (WaitsFor::Offer, Some(101)) => Step::Failed(Trouble::not_offered(lines[1..].join("\n"))),
            // Unknown to servers before RFC 3977.
            (WaitsFor::Offer, Some(500)) => self.ask(),
            (WaitsFor::GoAhead, Some(382)) => Step::Done,
            _ => Step::Failed(Trouble::refused(text)),
        }
    }
}
