//! `spile cert csr`: a request for a certificate.

use std::path::PathBuf;

use super::flags::{KeyArgs, OutArgs, SubjectArgs};
use crate::certificate::{self, Purpose, REQUEST, make_request};
use crate::commands::own_key::OwnKey;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert csr db.internal --key-out db.key --out db.csr      a new key, which stays here
  spile cert csr db.internal --key db.key --out db.csr          for a key that there is
";

/// What follows `spile cert csr`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    new: KeyArgs,
    /// The file for the new key; never in one with the request, which is sent away
    #[arg(long, value_name = "FILE", required_unless_present = "key")]
    key_out: Option<PathBuf>,
    /// A key that there is; --pass-file then opens it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_out", "key_type"])]
    key: Option<PathBuf>,
    /// Refuse a key that others can read, instead of a warning
    #[arg(long)]
    strict_perms: bool,
    #[command(flatten)]
    out: OutArgs,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let subject = self.subject.subject(None);
        subject.check(Purpose::Client)?;
        let pem = |der: &[u8]| certificate::pem(REQUEST[0], der);
        let Some(path) = &self.key else {
            let key = self.new.generate()?;
            let request = pem(&make_request(&subject, &key)?);
            let key = key.pem(self.new.passphrase()?.as_ref())?;
            return self.out.put_with_key(&request, &key, self.key_out.as_deref());
        };
        let pass_file = self.new.pass_file();
        let key = OwnKey { path, pass_file, pass_flag: "--pass-file", strict_perms: self.strict_perms };
        self.out.put(&pem(&make_request(&subject, &key.signer()?)?))
    }
}
