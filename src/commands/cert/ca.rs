//! `spile cert ca`: an authority.

use std::path::PathBuf;

use super::flags::{KeyArgs, LifetimeArgs, OutArgs, SubjectArgs};
use crate::certificate;
use crate::error::{Exit, Failure};

/// Days that an authority is good, if nothing else is asked for.
pub const DAYS: u32 = 365;

pub const EXAMPLES: &str = "\
Examples:
  spile cert ca internal --out ca.pem --key-out ca.key     signs for 'internal' and names below it alone
  spile cert ca --cn 'My tests' --out ca.pem --key-out ca.key    signs for every name
  spile cert ca internal --key-out ca.key --pass-file words --out ca.pem    its key is encrypted
";

/// What follows `spile cert ca`. The names are those that it may sign for; without any, it may sign for all.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    out: OutArgs,
    /// The file for the key, instead of beside the certificate
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let validity = self.lifetime.validity(DAYS)?;
        let subject = self.subject.subject(None);
        if !subject.uris.is_empty() {
            return Err(
                Failure::usage("an authority", "has no --uri").hint("'spile cert sign --uri' names one")
            );
        }
        let authority = certificate::authority(&subject, validity, self.key.generate()?)?;
        let text = certificate::pem("CERTIFICATE", authority.certificate());
        self.out.put_with_key(&text, &self.key.pem(authority.key())?, self.key_out.as_deref())
    }
}
