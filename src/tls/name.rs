//! The name that a server's certificate must be for.

use std::net::IpAddr;

use rustls::pki_types::ServerName;

use crate::certificate::escaped;
use crate::error::Failure;

/// Reads a host name, an international one, or an IP address: `könig.example` is looked for as `xn--…`, and an
/// address as an IP name of the certificate, never as text. A final dot and an IPv6 zone say nothing about identity.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    let plain = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let unzoned = plain.split_once('%').map_or(plain, |(address, _)| address);
    if let Ok(address) = unzoned.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    let refused = |why: &str| Failure::usage(format!("server name '{}'", escaped(host)), why);
    let name = plain.strip_suffix('.').unwrap_or(plain);
    let ascii = idna::domain_to_ascii(name).map_err(|_| refused("is no valid international name"))?;
    ServerName::try_from(ascii).map_err(|_| {
        refused("is no host name, so no certificate can be for it").hint("--name NAME says the right one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_certificates_write() {
        let text = |host| server_name(host).map(|name| name.to_str().into_owned());
        assert_eq!(text("Example.ORG."), Ok("example.org".to_owned()));
        assert_eq!(text("könig.example"), Ok("xn--knig-5qa.example".to_owned()));
        assert_eq!(text("[fe80::1%eth0]"), Ok("fe80::1".to_owned()));
        assert!(matches!(server_name("127.0.0.1"), Ok(ServerName::IpAddress(_))));
        for bad in ["", "a b", "a..b", "x\0y", "*.example", "-"] {
            assert_eq!(text(bad).map_err(|failure| failure.exit.0), Err(2), "{bad:?}");
        }
    }
}
