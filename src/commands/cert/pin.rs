//! `spile cert pin`: the pin of a certificate's key.

use std::path::PathBuf;

use super::flags::input;
use crate::certificate::{pin_text, read_chain, spki_pin};
use crate::commands::stdout::print;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert pin server.pem                                    sha256//BASE64, also for curl's --pinnedpubkey
  spile tls-connect --pin-only --pin \"$(spile cert pin server.pem)\" 10.0.0.5:8443
";

/// What follows `spile cert pin`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The certificate; of a chain, the first counts; - is stdin
    #[arg(value_name = "FILE", value_parser = input())]
    file: PathBuf,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let chain = read_chain(&self.file)?;
        let pin = chain.first().and_then(|der| spki_pin(der));
        let fail = || {
            Failure::new(Exit::OWN_CERTIFICATE, self.file.display().to_string(), "it holds no certificate")
        };
        print(&format!("{}\n", pin_text(&pin.ok_or_else(fail)?)))
    }
}
