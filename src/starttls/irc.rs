//! IRC: STARTTLS before registration (IRCv3, tls-3.1: 670 is the go-ahead, 691 its refusal).

use super::received::{Received, number};
use super::{Step, Talk, Trouble};

#[derive(Default)]
pub struct Irc {
    asked: bool,
}

impl Talk for Irc {
    fn turn(&mut self, received: &mut Received) -> Step {
        if !self.asked {
            self.asked = true;
            return Step::say("STARTTLS");
        }
        while let Some(line) = received.line() {
            // `:server NUMBER …`; the name may be missing.
            let said =
                line.strip_prefix(':').and_then(|rest| rest.split_once(' ')).map_or(&*line, |(_, rest)| rest);
            let word = said.split(' ').next().unwrap_or_default();
            match (number(word), word) {
                (Some(670), _) => return Step::Done,
                (Some(400..=599 | 691), _) | (_, "ERROR") => return Step::Failed(Trouble::refused(line)),
                // What a server tells everybody who comes, before it reads.
                (Some(_), _) | (_, "NOTICE" | "PING" | "") => {}
                _ => return Step::Failed(Trouble::garbled(line)),
            }
        }
        Step::More
    }
}
