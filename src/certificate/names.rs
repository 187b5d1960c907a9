//! The names a certificate is asked to be good for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rcgen::SanType;

/// Most bytes of a DNS name, and of one of its labels (RFC 1035).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A DNS name in its ASCII form, perhaps with a wildcard for its first label, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `example.org`, `*.example.org`; `xn--knig-5qa.example` for `könig.example`.
    Dns(String),
    /// An address, never taken for a DNS name.
    Ip(IpAddr),
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Name::Ip(address));
        }
        if text.contains('@') {
            return Err(format!("'{}' is an email address, which names no host", super::escaped(text)));
        }
        if text.contains("://") {
            return Err(format!("'{}' is a URI: give it as --uri", super::escaped(text)));
        }
        let fail =
            |why: &str| Err(format!("'{}' is no DNS name and no address: {why}", super::escaped(text)));
        let (wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", text),
        };
        let Ok(ascii) = idna::domain_to_ascii(rest.strip_suffix('.').unwrap_or(rest)) else {
            return fail("it cannot be written in ASCII");
        };
        let is_label = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !ascii.split('.').all(is_label) || wildcard.len() + ascii.len() > LONGEST_NAME {
            return fail("labels are letters, digits, '_' and, within, '-', 1 to 63 of them");
        }
        if !wildcard.is_empty() && !ascii.contains('.') {
            return fail("a wildcard has two labels or more behind it, or no client accepts it");
        }
        let last = ascii.rsplit('.').next().unwrap_or_default();
        match last.bytes().all(|byte| byte.is_ascii_digit()) {
            true => fail("a name does not end in a number"),
            false => Ok(Name::Dns(format!("{wildcard}{ascii}"))),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Dns(name) => f.write_str(name),
            Name::Ip(address) => address.fmt(f),
        }
    }
}

impl Name {
    /// The same as an alternative name of a certificate.
    pub fn alternative(&self) -> Result<SanType, String> {
        match self {
            Name::Ip(address) => Ok(SanType::IpAddress(*address)),
            Name::Dns(name) => {
                let name = name.as_str().try_into().map_err(|_| format!("'{name}' is no ASCII"))?;
                Ok(SanType::DnsName(name))
            }
        }
    }
}

/// A URI as an alternative name: `spiffe://example.org/db`. Only what would break the form is refused.
pub fn uri(text: &str) -> Result<String, String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    match has_scheme && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(format!("'{}' is no URI: scheme:rest in ASCII", super::escaped(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_addresses() {
        let dns = |name: &str| Name::Dns(name.to_owned());
        for (text, name) in [
            ("localhost", dns("localhost")),
            ("Example.ORG.", dns("example.org")),
            ("*.example.org", dns("*.example.org")),
            ("_sip.example.org", dns("_sip.example.org")),
            ("könig.example", dns("xn--knig-5qa.example")),
            ("127.0.0.1", Name::Ip([127, 0, 0, 1].into())),
            ("::1", Name::Ip("::1".parse().unwrap())),
            ("[::1]", Name::Ip("::1".parse().unwrap())),
        ] {
            assert_eq!(text.parse(), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("{}.org", "a".repeat(64));
        for text in [
            "",
            "a..b",
            "localhost:80",
            "a b",
            "-a.org",
            "a-.org",
            "a/b",
            "*",
            "*.*.org",
            "a.*.org",
            "*.org",
            "*.org",
            "1.2.3",
            "256.1.1.1",
            "a\0b",
            &long,
        ] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
        assert!("https://x".parse::<Name>().unwrap_err().contains("--uri"));
        assert!("me@example.org".parse::<Name>().unwrap_err().contains("email"));
    }

    #[test]
    fn uris_have_a_scheme() {
        assert!(uri("spiffe://example.org/db").is_ok());
        for text in ["", "x", "1:2", ":x", "a b:c", "a:\n"] {
            assert!(uri(text).is_err(), "{text}");
        }
    }
}
