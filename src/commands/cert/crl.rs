//! `spile cert crl`: a revocation list.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::flags::{AuthorityArgs, LifetimeArgs, OutArgs};
use crate::certificate::{self, Authority, Signs, is_issued_by, read_chain, revocation, serial_of};
use crate::error::{Exit, Failure};

/// Days until the next list is due, if nothing else is asked for.
const DAYS: u32 = 30;

pub const EXAMPLES: &str = "\
Examples:
  spile cert crl --ca ca.pem --ca-key ca.key --out crl.pem               nobody is revoked
  spile cert crl --ca ca.pem --ca-key ca.key --revoke 03f1 --revoke 5a:17 --out crl.pem
  spile cert crl --ca ca.pem --ca-key ca.key --revoke-cert web.pem --not-after -1d     it is overdue
";

/// What follows `spile cert crl`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    authority: AuthorityArgs,
    /// Revoke the certificate with this serial ('spile cert show' tells it)
    #[arg(long, value_name = "SERIAL", value_parser = Serial::parse)]
    revoke: Vec<Serial>,
    /// Revoke the certificate in this file, which must be one of this authority; of a chain, the first counts
    #[arg(long, value_name = "FILE")]
    revoke_cert: Vec<PathBuf>,
    /// The number of the list, which must grow from one to the next; the seconds since 1970 if not given
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    #[command(flatten)]
    out: OutArgs,
}

/// The bytes of a serial. A type of its own: clap takes a list of numbers for a list of values.
#[derive(Clone, Debug)]
struct Serial(Vec<u8>);

impl Serial {
    fn parse(text: &str) -> Result<Serial, String> {
        revocation::serial(text).map(Serial)
    }
}

/// The serial of a certificate of this authority: on its list, another one's would revoke whoever has the same.
fn serial_in(path: &Path, authority: &Authority) -> Result<Vec<u8>, Failure> {
    let fail = |why| Failure::new(Exit::OWN_CERTIFICATE, format!("certificate file {}", path.display()), why);
    let chain = read_chain(path)?;
    let own = chain.first().ok_or_else(|| fail("it holds no certificate".to_owned()))?;
    is_issued_by(own, authority.certificate()).map_err(|why| {
        fail(why).hint("only its own authority revokes it; --revoke SERIAL takes any serial, unseen")
    })?;
    serial_of(own).ok_or_else(|| fail("it cannot be decoded".to_owned()))
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let validity = self.lifetime.validity(DAYS)?;
        let authority = self.authority.load(Signs::Revocations)?;
        let mut serials: Vec<Vec<u8>> = self.revoke.iter().map(|serial| serial.0.clone()).collect();
        for path in &self.revoke_cert {
            serials.push(serial_in(path, &authority)?);
        }
        let now = OffsetDateTime::now_utc();
        let number = self.number.unwrap_or(u64::try_from(now.unix_timestamp()).unwrap_or(0));
        let list = revocation::make(&authority, &serials, validity, number, now)?;
        self.out.put(&certificate::pem("X509 CRL", &list))
    }
}
