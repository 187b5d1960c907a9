//! `spile cert ca`: an authority.

use super::flags::MadeArgs;
use crate::certificate::{self, Name, Subject};
use crate::error::{Exit, Failure};

/// Days that an authority is good, if nothing else is asked for.
pub const DAYS: u32 = 365;

pub const EXAMPLES: &str = "\
Examples:
  spile cert ca internal --out ca.pem --key-out ca.key           for 'internal' and names below it alone
  spile cert ca --cn 'My tests' --out ca.pem --key-out ca.key    for every name
  spile cert ca internal --out ca.pem --key-out ca.key --pass-file words     the key is encrypted
";

/// What follows `spile cert ca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The names and addresses that it may sign for, also what is below them; without any, it may sign for all
    #[arg(value_name = "NAME")]
    names: Vec<Name>,
    /// Its common name
    #[arg(long, value_name = "TEXT", default_value = "spile test CA")]
    cn: String,
    /// Its organisational unit
    #[arg(long, value_name = "TEXT")]
    ou: Option<String>,
    #[command(flatten)]
    made: MadeArgs,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let validity = self.made.validity(DAYS)?;
        let subject =
            Subject { names: self.names, common_name: Some(self.cn), unit: self.ou, ..Subject::default() };
        let authority = certificate::authority(&subject, validity, self.made.generate()?)?;
        self.made.put(authority.certificate(), authority.key())
    }
}
