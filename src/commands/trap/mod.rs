//! `spile trap`: signals waited for, sent, explained.

mod ask;
mod send;

use super::Subcommand;
use crate::error::{Exit, Failure};
use ask::AskArgs;

/// What follows `spile trap`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    ask: AskArgs,
}

impl Subcommand for Args {
    const NAME: &'static str = "trap";
    const ABOUT: &'static str = "Handle, forward, rewrite, wait for, send and explain signals";
    const USAGE: Exit = Exit(125);
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile trap --wait USR1 -t 30s && echo 'peer is ready'         who sent it is told on stdout; 124 after 30 s
  spile trap --list                                 every signal: number, name, default, meaning
  spile trap --describe 139                         what a status of 139 means
  spile trap --show 1234                            what process 1234 blocks, ignores and catches
  spile trap --send TERM --to tree:1234             a process and all below it
  spile trap --send RTMIN+3 --value 7 --to 1234     with a value, as sigqueue(3) does
";

    fn run(self) -> Result<Exit, Failure> {
        match self.ask.is_asked() {
            true => self.ask.answer(),
            false => {
                Err(Failure::usage("no command is given", "").hint("spile trap [OPTIONS] -- CMD ARG..."))
            }
        }
    }
}
