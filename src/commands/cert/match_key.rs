//! `spile cert match`: whether a key belongs to a certificate.

use std::path::PathBuf;

use super::flags::input;
use crate::certificate::{belongs, read_chain};
use crate::commands::own_key::OwnKey;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert match server.pem server.key && systemctl reload it    0, or 58 if it is another one's
";

/// What follows `spile cert match`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The certificate; of a chain, the first counts; - is stdin
    #[arg(value_name = "CERT", value_parser = input())]
    certificate: PathBuf,
    /// The key; - is stdin
    #[arg(value_name = "KEY", value_parser = input())]
    key: PathBuf,
    /// The first line of this file opens the key
    #[arg(long, value_name = "FILE")]
    pass_file: Option<PathBuf>,
    /// Refuse a key that others can read, instead of a warning
    #[arg(long)]
    strict_perms: bool,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let chain = read_chain(&self.certificate)?;
        let key = OwnKey {
            path: &self.key,
            pass_file: self.pass_file.as_deref(),
            pass_flag: "--pass-file",
            strict_perms: self.strict_perms,
        };
        let key = key.signer()?;
        match chain.first().is_some_and(|der| belongs(der, &key)) {
            true => Ok(Exit::OK),
            false => Err(Failure::new(
                Exit::OWN_CERTIFICATE,
                format!("key file {}", self.key.display()),
                format!("it is not the key of {}", self.certificate.display()),
            )),
        }
    }
}
