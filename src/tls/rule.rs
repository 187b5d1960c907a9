//! Which verified client certificates are let in: exact matches, any one of which is enough.

use std::fmt;

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

use super::Pin;
use crate::certificate::escaped;
use crate::error::Failure;

/// One rule. Bytes are compared as they are: no folding of case, no trimming, a NUL is a byte like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every certificate that the authorities vouch for.
    Any,
    /// A DNS name among the alternative names.
    Dns(String),
    /// A URI among them, such as a SPIFFE ID.
    Uri(UriPattern),
    /// The one common name of the subject.
    Cn(String),
    /// An organisational unit of the subject.
    Ou(String),
    /// The public key.
    Pin(Pin),
}

impl Rule {
    /// Whether a certificate (DER) is let in by this rule; one that cannot be read never is.
    pub fn admits(&self, certificate: &[u8]) -> bool {
        match self {
            Rule::Any => true,
            Rule::Pin(pin) => pin.matches(certificate),
            _ => X509Certificate::from_der(certificate)
                .is_ok_and(|(rest, parsed)| rest.is_empty() && self.names(&parsed)),
        }
    }

    fn names(&self, certificate: &X509Certificate<'_>) -> bool {
        match self {
            Rule::Any | Rule::Pin(_) => false,
            Rule::Dns(name) => alternatives(certificate)
                .any(|entry| matches!(entry, GeneralName::DNSName(text) if text == name)),
            Rule::Uri(pattern) => alternatives(certificate)
                .any(|entry| matches!(entry, GeneralName::URI(text) if pattern.matches(text))),
            // Of several, different readers take a different one: then none counts.
            Rule::Cn(name) => {
                let mut names = certificate.subject().iter_common_name();
                let first = names.next();
                names.next().is_none() && first.is_some_and(|entry| is(entry, name))
            }
            Rule::Ou(name) => certificate.subject().iter_organizational_unit().any(|entry| is(entry, name)),
        }
    }
}

fn is(entry: &AttributeTypeAndValue<'_>, name: &str) -> bool {
    entry.as_str().is_ok_and(|text| text == name)
}

fn alternatives<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = &'a GeneralName<'a>> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    extension.into_iter().flat_map(|extension| extension.value.general_names.iter())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Any => f.write_str("allow-any"),
            Rule::Dns(name) => write!(f, "allow-dns={}", escaped(name)),
            Rule::Uri(pattern) => write!(f, "allow-uri={}", escaped(&pattern.0)),
            Rule::Cn(name) => write!(f, "allow-cn={}", escaped(name)),
            Rule::Ou(name) => write!(f, "allow-ou={}", escaped(name)),
            Rule::Pin(pin) => write!(f, "allow-pin={pin}"),
        }
    }
}

/// A URI in which a segment of the path may be `*`, any one segment, and the last `**`, one or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriPattern(String);

/// `scheme:`, the empty text between the slashes, and the authority come before the path.
const BEFORE_THE_PATH: usize = 3;

impl UriPattern {
    /// Reads one; a wildcard that is not a whole segment of the path is a usage failure.
    pub fn parse(text: &str) -> Result<UriPattern, Failure> {
        let refused = |why: &str| Err(Failure::usage(format!("--allow-uri '{text}'"), why));
        if !text.contains(':') {
            return refused("is no URI: a scheme is missing, such as spiffe://");
        }
        let segments: Vec<&str> = text.split('/').collect();
        let hierarchical = segments[0].ends_with(':') && segments.get(1) == Some(&"");
        for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.contains('*')) {
            if !hierarchical || at < BEFORE_THE_PATH || !matches!(*segment, "*" | "**") {
                return refused("has a '*' that is not a whole segment of its path");
            }
            if *segment == "**" && at + 1 != segments.len() {
                return refused("has a '**' that is not at its end");
            }
        }
        Ok(UriPattern(text.to_owned()))
    }

    /// Whether a URI matches.
    pub fn matches(&self, uri: &str) -> bool {
        if !self.0.contains('*') {
            return self.0 == uri;
        }
        let mut wanted = self.0.split('/');
        let mut given = uri.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("**"), Some(first)) => return is_segment(first) && given.all(is_segment),
                (Some("*"), Some(segment)) if is_segment(segment) => {}
                (Some(wanted), Some(given)) if wanted != "*" && wanted == given => {}
                _ => return false,
            }
        }
    }
}

/// What a wildcard stands for: never nothing, never a step up, never a query that could hide the rest.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, uri: &str) -> bool {
        UriPattern::parse(pattern).expect("a pattern").matches(uri)
    }

    #[test]
    fn a_wildcard_is_one_whole_segment() {
        assert!(matches("spiffe://td/ns/*/sa/web", "spiffe://td/ns/prod/sa/web"));
        assert!(!matches("spiffe://td/ns/*/sa/web", "spiffe://td/ns/a/b/sa/web"));
        assert!(!matches("spiffe://td/ns/*/sa/web", "spiffe://td/ns//sa/web"));
        assert!(!matches("spiffe://td/ns/*/sa/web", "spiffe://td/ns/../sa/web"));
        assert!(!matches("spiffe://td/*", "spiffe://td/a?b"));
        assert!(!matches("spiffe://td/*", "spiffe://td"));
        assert!(!matches("spiffe://td/*", "spiffe://other/a"));
        assert!(!matches("spiffe://td/a", "spiffe://td/A"));
        assert!(!matches("spiffe://td/a", "spiffe://td/a\0"));
    }

    #[test]
    fn two_stars_at_the_end_are_the_rest() {
        assert!(matches("spiffe://td/**", "spiffe://td/a/b/c"));
        assert!(!matches("spiffe://td/**", "spiffe://td/"));
        assert!(!matches("spiffe://td/**", "spiffe://td"));
        assert!(!matches("spiffe://td/**", "spiffe://td/a/../b"));
    }

    #[test]
    fn a_wildcard_elsewhere_is_refused() {
        for bad in ["spiffe://*/a", "spiffe://td/a*", "spiffe://td/**/a", "urn:*", "*", "spiffe://td/a/***"] {
            assert_eq!(UriPattern::parse(bad).map_err(|failure| failure.exit.0), Err(2), "{bad}");
        }
    }
}
