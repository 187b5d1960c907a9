//! Whether what an authority has signed will be accepted by those who trust it.

use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::Der;
use super::facts::seconds;
use super::issue::Purpose;

/// Looks at a certificate as a peer would that trusts its authority; in words what is wrong with it. The authority's
/// limits count, its own dates do not.
pub fn is_signed_by(
    own: &Der,
    authority: &Der,
    purpose: Purpose,
    at: SystemTime,
) -> Result<(), &'static str> {
    let anchors = [anchor_from_trusted_cert(authority).map_err(|_| "the authority cannot be decoded")?];
    let certificate = EndEntityCert::try_from(own).map_err(|_| "it cannot be decoded")?;
    let usage = match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds(at)).unwrap_or(0)));
    let path = certificate.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &[], at, usage, None, None);
    path.map(|_| ()).map_err(|error| match error {
        Error::NameConstraintViolation => {
            "its names are not among those that the authority may sign (name constraints)"
        }
        Error::MalformedDnsIdentifier => "it has a name that no client accepts",
        Error::UnknownIssuer => "the name of the authority cannot be written as it is",
        Error::RequiredEkuNotFoundContext(_) => "the authority is for other purposes",
        _ => "no client would accept it",
    })
}
