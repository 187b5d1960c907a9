//! A server identity made on the spot, in memory: for throwaway servers, whose clients are given its pin.

use std::sync::Arc;

use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::identity::certified;
use crate::certificate::{self, KeyType, Lifetime, Name, Purpose, Signer, Subject};
use crate::error::{Exit, Failure};
use crate::process::keep_memory_secret;

/// What a self-signed certificate is for where nothing is said.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Long enough for any throwaway use.
const DAYS: u32 = 30;

/// A P-256 key and its certificate for these names, valid for 30 days; status 2 where a name cannot be in one.
pub(super) fn make(names: &[String]) -> Result<Arc<CertifiedKey>, Failure> {
    let name = |text: &str| text.parse::<Name>().map_err(|why| Failure::usage("--self-signed", why));
    let names: Vec<Name> = match names.is_empty() {
        true => LOCAL_NAMES.into_iter().map(name).collect::<Result<_, _>>()?,
        false => names.iter().map(|text| name(text)).collect::<Result<_, _>>()?,
    };
    let fail = |why| Failure::new(Exit::OWN_CERTIFICATE, "cannot use the self-signed certificate", why);
    keep_memory_secret();
    let signer = Signer::generate(KeyType::P256)?;
    let validity = Lifetime::default().settle(DAYS, OffsetDateTime::now_utc())?;
    let der = certificate::self_signed(&Subject::of(&names), Purpose::Server, validity, &signer)?;
    let key = signer.key().ok_or_else(|| fail("its key is not whole".to_owned()))?;
    certified(vec![der], &key).map(Arc::new).map_err(|error| fail(error.to_string()))
}
