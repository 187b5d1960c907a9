//! Telnet: the option START_TLS, number 46 (draft-altman-telnet-starttls).

use super::received::Received;
use super::{Step, Talk, Trouble};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
const START_TLS: u8 = 46;
const FOLLOWS: u8 = 1;
const TLS_FOLLOWS: [u8; 6] = [IAC, SB, START_TLS, FOLLOWS, IAC, SE];

#[derive(Default)]
pub struct Telnet {
    asked: bool,
}

impl Talk for Telnet {
    fn turn(&mut self, received: &mut Received) -> Step {
        loop {
            let taken = match *received.rest() {
                [IAC, DO, START_TLS, ..] if !self.asked => {
                    self.asked = true;
                    received.take(3);
                    return Step::Say([&[IAC, WILL, START_TLS], &TLS_FOLLOWS[..]].concat());
                }
                [IAC, DONT | WONT, START_TLS, ..] => {
                    return Step::Failed(Trouble::refused("DONT START_TLS"));
                }
                // Other options can be agreed on under TLS.
                [IAC, DO | DONT | WILL | WONT, _, ..] => received.take(3),
                [IAC, SB, START_TLS, ..] if self.asked => match received.take(TLS_FOLLOWS.len()) {
                    Some(words) if words == TLS_FOLLOWS => return Step::Done,
                    Some(words) => return Step::Failed(Trouble::garbled(words)),
                    None => None,
                },
                [] | [IAC] | [IAC, DO | DONT | WILL | WONT | SB] => None,
                _ => return Step::Failed(Trouble::garbled(received.rest())),
            };
            if taken.is_none() {
                return Step::More;
            }
        }
    }
}
