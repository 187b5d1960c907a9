//! Certificates that are for other names.

use rustls::pki_types::ServerName;

use super::{Case, Peer};
use crate::certificate::escaped;
use crate::suggest::nearest;
use crate::tls::{Code, Refusal};

/// More names than this are not listed in a sentence.
const MOST_NAMES: usize = 6;

pub(super) fn mismatch(case: &Case<'_>) -> Refusal {
    let Peer::Server(wanted) = case.peer else {
        return Refusal::new(Code::NameMismatch, "certificate is for another name");
    };
    let text = escaped(&wanted.to_str());
    let offered = case.facts(0).map(|facts| facts.san).unwrap_or_default();
    let refusal = Refusal::new(Code::NameMismatch, format!("certificate is not valid for '{text}'"));
    let named: Vec<&str> = offered
        .iter()
        .filter_map(|name| name.strip_prefix("DNS:").or_else(|| name.strip_prefix("IP:")))
        .collect();
    if named.is_empty() {
        return refusal.hint("it names no host in its subjectAltName, and its common name does not count");
    }
    let near = nearest_name(&text, &named);
    if matches!(wanted, ServerName::IpAddress(_)) && offered.contains(&format!("DNS:{text}")) {
        return refusal.hint(format!("it has {text} as a DNS name; an address must be an IP name"));
    }
    let shown: Vec<&str> = match (named.len() > MOST_NAMES, near) {
        (false, _) => named.clone(),
        (true, Some(near)) => vec![near],
        (true, None) => named[..MOST_NAMES].to_vec(),
    };
    let rest = match named.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let hint = format!("it names {}{rest}", shown.join(", "));
    match near {
        Some(near) => refusal.hint(format!("{hint}; --name {near} looks for that one")),
        None => refusal.hint(hint),
    }
}

/// The name most like the one that is wanted, one of the same domain among them.
fn nearest_name<'a>(wanted: &str, named: &[&'a str]) -> Option<&'a str> {
    let plain = || named.iter().copied().filter(|name| !name.contains('*'));
    let domain = |name: &str| name.split_once('.').map(|(_, domain)| domain.to_owned());
    nearest(wanted, plain()).or_else(|| {
        let wanted = domain(wanted).filter(|domain| domain.contains('.'))?;
        plain().find(|name| domain(name).as_ref() == Some(&wanted) || *name == wanted)
    })
}
