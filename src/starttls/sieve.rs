//! ManageSieve: the greeting names what the server can do, then STARTTLS (RFC 5804).

use super::received::{Received, has_word};
use super::{Step, Talk, Trouble};

#[derive(Default)]
pub struct Sieve {
    greeted: bool,
}

impl Talk for Sieve {
    fn turn(&mut self, received: &mut Received) -> Step {
        if received.rest().first().is_some_and(|byte| !byte.is_ascii_alphabetic() && *byte != b'"') {
            return Step::Failed(Trouble::garbled(received.rest()));
        }
        // Capabilities are strings in quotes, one or two a line; the reply ends with a word that has none.
        let Some(mut lines) = received.lines_to(|_, line| !line.starts_with('"')) else { return Step::More };
        let status = lines.pop().unwrap_or_default();
        match (
            self.greeted,
            status.split([' ', '(']).next().unwrap_or_default().to_ascii_uppercase().as_str(),
        ) {
            (false, "OK") if has_word(&lines, "STARTTLS") => {
                self.greeted = true;
                Step::say("STARTTLS")
            }
            (false, "OK") => Step::Failed(Trouble::not_offered(lines.join("\n"))),
            (true, "OK") => Step::Done,
            (_, "NO" | "BYE") => Step::Failed(Trouble::refused(status)),
            _ => Step::Failed(Trouble::garbled(status)),
        }
    }
}
