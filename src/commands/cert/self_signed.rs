//! `spile cert self`: a certificate that is signed by its own key.

use super::flags::{MadeArgs, SubjectArgs};
use crate::certificate::{self, Purpose};
use crate::error::{Exit, Failure};

/// Days that a server's or client's certificate is good, if nothing else is asked for.
pub const DAYS: u32 = 30;

pub const EXAMPLES: &str = "\
Examples:
  spile cert self localhost 127.0.0.1 --out both.pem        certificate and key in one file, mode 0600
  spile cert self localhost --out c.pem --key-out c.key     in two
  spile cert self localhost --not-before -10d --not-after -1d --out exp.pem --key-out exp.key
";

/// What follows `spile cert self`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    /// It is a client's
    #[arg(long)]
    client: bool,
    #[command(flatten)]
    made: MadeArgs,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let purpose = if self.client { Purpose::Client } else { Purpose::Server };
        let subject = self.subject.subject(None);
        subject.check(purpose)?;
        let validity = self.made.validity(DAYS)?;
        let key = self.made.generate()?;
        let der = certificate::self_signed(&subject, purpose, validity, &key)?;
        self.made.put(&der, &key)
    }
}
