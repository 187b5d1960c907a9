//! Certificates that no trusted authority has signed.

use time::OffsetDateTime;
use x509_parser::prelude::X509Certificate;

use super::dates::seconds;
use super::{Case, Peer, parse};
use crate::certificate::{Facts, distinguished_name};
use crate::tls::{Code, Refusal};

pub(super) fn unknown(case: &Case<'_>) -> Refusal {
    let Some(leaf) = case.leaf() else {
        return Refusal::new(Code::BadEncoding, "certificate cannot be decoded");
    };
    let trusted = trusted(case);
    if is_self_issued(&leaf) {
        let message = format!("certificate is self-signed and not among {trusted}");
        let exact = "--trust-cert FILE trusts exactly this one, --pin sha256//… with --pin-only its key";
        return Refusal::new(Code::UnknownIssuer, message).hint(remedy(case, exact));
    }
    let path = path_of(case);
    let top = path.last().unwrap_or(&leaf);
    let sent = match case.chain.len() {
        1 => "1 certificate was sent".to_owned(),
        n => format!("{n} certificates were sent"),
    };
    if is_self_issued(top) {
        let authority = name(top.subject().as_raw());
        let message = format!("certificate is of the authority '{authority}', not among {trusted} ({sent})");
        let given = "--cafile FILE trusts that authority";
        return Refusal::new(Code::UnknownIssuer, message).hint(remedy(case, given));
    }
    let issuer = name(top.issuer().as_raw());
    let message =
        format!("no trusted authority signed the certificate: '{issuer}' is not among {trusted} ({sent})");
    let missing = "either an intermediate certificate is missing on the server, or --cafile FILE must name the authority";
    Refusal::new(Code::UnknownIssuer, message).hint(remedy(case, missing))
}

/// An authority of the right name is trusted, but the signature is not of its key: that of a namesake, or of the same
/// authority before it had a new key.
pub(super) fn namesake(case: &Case<'_>) -> Option<Refusal> {
    let path = path_of(case);
    let top = path.last().filter(|top| is_root_of_that_name(case, top))?;
    let issuer = name(top.issuer().as_raw());
    let trusted = trusted(case);
    let message = format!("the authority '{issuer}' has the name of one among {trusted}, but another key");
    Some(
        Refusal::new(Code::BadSignature, message)
            .hint(remedy(case, "is the file of that authority an old one?")),
    )
}

/// The authority, out of a file, that bears the name of whoever signed the last of the path.
pub(super) fn authority(case: &Case<'_>) -> Option<Facts> {
    let path = path_of(case);
    let issuer = path.last()?.issuer().as_raw();
    let given = case.anchors.given.iter();
    let der =
        given.into_iter().find(|der| parse(der).is_some_and(|root| root.subject().as_raw() == issuer))?;
    Facts::of(der, 1, crate::tls::inspection::system_time(case.now)).ok()
}

/// The name and the end of the authority, out of a file, that vouches for the path and is itself over. webpki asks no
/// authority for its dates; OpenSSL does. None where another one of that name is not.
pub(in crate::tls) fn expired(case: &Case<'_>) -> Option<(String, OffsetDateTime)> {
    let now = seconds(case);
    if case.anchors.first_end.is_none_or(|end| now <= end) {
        return None;
    }
    let path = path_of(case);
    let names: Vec<&[u8]> = path.iter().map(|certificate| certificate.issuer().as_raw()).collect();
    let of_path = |root: &X509Certificate<'_>| names.contains(&root.subject().as_raw());
    let roots: Vec<_> =
        case.anchors.given.iter().filter_map(|der| parse(der)).filter(|root| of_path(root)).collect();
    let store = case.anchors.roots.subjects();
    let is_alone = store.iter().filter(|subject| names.contains(&subject.as_ref())).count() <= roots.len();
    let is_over = |root: &X509Certificate<'_>| root.validity().not_after.timestamp() < now;
    let last = roots.iter().max_by_key(|root| root.validity().not_after.timestamp())?;
    (is_alone && is_over(last))
        .then(|| (name(last.subject().as_raw()), last.validity().not_after.to_datetime()))
}

/// A CA's own certificate is used by a server, as `openssl req -x509` makes it.
pub(super) fn authority_as_leaf(case: &Case<'_>) -> Refusal {
    let own = case.leaf().is_some_and(|leaf| is_self_issued(&leaf));
    let message = match own {
        true => "a self-signed CA certificate is used as the peer's own",
        false => "a CA certificate is used as the peer's own",
    };
    Refusal::new(Code::SelfSignedCaLeaf, message)
        .hint(remedy(case, "--trust-cert FILE trusts exactly this one, CA or not"))
}

fn trusted(case: &Case<'_>) -> String {
    match (case.anchors.roots.len(), case.anchors.source.as_str()) {
        (0, "") => "the trusted ones: there are none".to_owned(),
        (0, source) => format!("the trusted ones ({source})"),
        (1, source) => format!("the one authority of {source}"),
        (n, source) => format!("the {n} authorities of {source}"),
    }
}

/// What the person at this end can do; on a server that is nothing of what a client can.
fn remedy(case: &Case<'_>, of_client: &str) -> String {
    match case.peer {
        Peer::Server(_) => of_client.to_owned(),
        Peer::Client => {
            "the client needs a certificate of an authority that --client-ca FILE names".to_owned()
        }
    }
}

/// The certificates from the leaf to the last that was sent, each signed by the next as far as names and key
/// identifiers tell; others are passed over.
fn path_of<'a>(case: &'a Case<'_>) -> Vec<X509Certificate<'a>> {
    let mut rest: Vec<X509Certificate<'a>> = case.chain.iter().skip(1).filter_map(|der| parse(der)).collect();
    let mut path: Vec<X509Certificate<'a>> = case.leaf().into_iter().collect();
    while let Some(next) = path
        .last()
        .filter(|last| !is_self_issued(last))
        .and_then(|last| rest.iter().position(|other| is_issuer(other, last)))
    {
        path.push(rest.swap_remove(next));
    }
    path
}

fn is_issuer(issuer: &X509Certificate<'_>, of: &X509Certificate<'_>) -> bool {
    let named = issuer.subject().as_raw() == of.issuer().as_raw();
    match (subject_key(issuer), authority_key(of)) {
        (Some(has), Some(wanted)) => named && has == wanted,
        _ => named,
    }
}

fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

fn is_root_of_that_name(case: &Case<'_>, top: &X509Certificate<'_>) -> bool {
    let issuer = top.issuer().as_raw();
    case.anchors.roots.subjects().iter().any(|subject| subject.as_ref() == issuer)
}

fn subject_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    use x509_parser::extensions::ParsedExtension;
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0),
        _ => None,
    })
}

fn authority_key<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    use x509_parser::extensions::ParsedExtension;
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref().map(|key| key.0),
        _ => None,
    })
}

fn name(der: &[u8]) -> String {
    distinguished_name(der).filter(|text| !text.is_empty()).unwrap_or_else(|| "(without a name)".to_owned())
}
