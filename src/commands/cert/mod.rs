//! `spile cert`: certificates, made, shown, checked and converted. One file for each thing that can be done.

mod ca;
mod convert;
mod crl;
mod csr;
mod dev;
mod flags;
mod match_key;
mod pin;
mod self_signed;
mod show;
mod sign;
mod verify;

pub use show::certificate_text;

use super::Subcommand;
use crate::error::{Exit, Failure};
use crate::process::keep_memory_secret;

/// What follows `spile cert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// A CA, a server's, a client's certificate and a revocation list in one go, for tests
    #[command(before_long_help = dev::EXAMPLES)]
    Dev(dev::Args),
    /// A server's certificate that is signed by itself
    #[command(name = "self", before_long_help = self_signed::EXAMPLES)]
    SelfSigned(self_signed::Args),
    /// An authority (CA), which signs servers and clients
    #[command(before_long_help = ca::EXAMPLES)]
    Ca(ca::Args),
    /// A certificate signed by an authority
    #[command(before_long_help = sign::EXAMPLES)]
    Sign(sign::Args),
    /// A request (CSR) for an authority elsewhere
    #[command(before_long_help = csr::EXAMPLES)]
    Csr(csr::Args),
    /// A revocation list (CRL)
    #[command(before_long_help = crl::EXAMPLES)]
    Crl(crl::Args),
    /// What certificates, requests, revocation lists and keys say
    #[command(before_long_help = show::EXAMPLES)]
    Show(show::Args),
    /// Whether a chain is good for a name, at a time, without a connection
    #[command(before_long_help = verify::EXAMPLES)]
    Verify(verify::Args),
    /// From PEM to DER and back
    #[command(before_long_help = convert::EXAMPLES)]
    Convert(convert::Args),
    /// The pin of a certificate's key, for --pin
    #[command(before_long_help = pin::EXAMPLES)]
    Pin(pin::Args),
    /// Whether a key belongs to a certificate
    #[command(before_long_help = match_key::EXAMPLES)]
    Match(match_key::Args),
}

impl Subcommand for Args {
    const NAME: &'static str = "cert";
    const ABOUT: &'static str = "Make, show, check and convert certificates";
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile cert dev localhost 127.0.0.1 -d t       all that a test of TLS needs, in the directory t
  spile cert self localhost --out both.pem      one certificate with its key
  spile cert show server.pem                    what it says
  spile cert verify --cafile ca.pem --name db.internal server.pem
  spile cert dev --help                         more about one of them
";

    fn run(self) -> Result<Exit, Failure> {
        // Any file may turn out to hold a key.
        keep_memory_secret();
        match self.action {
            Action::Dev(args) => args.run(),
            Action::SelfSigned(args) => args.run(),
            Action::Ca(args) => args.run(),
            Action::Sign(args) => args.run(),
            Action::Csr(args) => args.run(),
            Action::Crl(args) => args.run(),
            Action::Show(args) => args.run(),
            Action::Verify(args) => args.run(),
            Action::Convert(args) => args.run(),
            Action::Pin(args) => args.run(),
            Action::Match(args) => args.run(),
        }
    }
}
