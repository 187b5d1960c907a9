//! A pin: the SHA-256 of a certificate's public key (SPKI), as curl and HPKP write it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificate;
use crate::error::Failure;

/// The SHA-256 of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of a certificate; none if it cannot be read.
    pub fn of(certificate: &[u8]) -> Option<Pin> {
        certificate::spki_pin(certificate).map(Pin)
    }

    /// Whether a certificate has this key.
    pub fn matches(&self, certificate: &[u8]) -> bool {
        Pin::of(certificate) == Some(*self)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&certificate::pin_text(&self.0))
    }
}

impl FromStr for Pin {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Pin, Failure> {
        let bad = || {
            Failure::usage(
                format!("pin '{text}'"),
                "is not of the form sha256//BASE64, 44 characters after //",
            )
            .hint("`spile cert pin FILE` prints the pin of a certificate")
        };
        let encoded = text.strip_prefix("sha256//").ok_or_else(bad)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| bad())?;
        bytes.try_into().map(Pin).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_and_printed_as_curl_does() {
        let text = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(text.parse::<Pin>().map(|pin| pin.to_string()), Ok(text.to_owned()));
        for bad in [
            "",
            "sha256//",
            "sha256//AAAA",
            "sha1//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha256//é",
        ] {
            assert_eq!(bad.parse::<Pin>().map_err(|failure| failure.exit.0), Err(2), "{bad}");
        }
    }
}
