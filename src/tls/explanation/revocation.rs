//! Certificates that were taken back, and lists that cannot tell.

use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::{Case, dates, parse};
use crate::certificate::{distinguished_name, time_text};
use crate::tls::trust::RevocationList;
use crate::tls::{Code, Refusal};

pub(super) fn revoked(case: &Case<'_>) -> Refusal {
    let entry = case.chain.iter().enumerate().find_map(|(depth, der)| {
        let certificate = parse(der)?;
        case.anchors.crls.iter().find_map(|list| Some((depth, entry_of(list, &certificate)?)))
    });
    match entry {
        Some((depth, entry)) => {
            Refusal::new(Code::Revoked, format!("{} was revoked {entry}", case.whose(depth)))
        }
        None => Refusal::new(Code::Revoked, "certificate was revoked"),
    }
}

/// `on DATE (KeyCompromise), says FILE`.
fn entry_of(list: &RevocationList, certificate: &X509Certificate<'_>) -> Option<String> {
    let entry = list.entry(certificate)?;
    let reason = entry.reason_code().map(|(_, reason)| format!(" ({reason})")).unwrap_or_default();
    let date = time_text(entry.revocation_date.to_datetime());
    Some(format!("on {date}{reason}, says {}", list.file.display()))
}

pub(super) fn expired(case: &Case<'_>) -> Refusal {
    let now = dates::seconds(case);
    let old = case.anchors.crls.iter().find_map(|list| {
        let (_, parsed) = CertificateRevocationList::from_der(&list.der).ok()?;
        let end = parsed.next_update()?;
        (end.timestamp() < now).then(|| (list.file.display().to_string(), end))
    });
    let refusal = match old {
        Some((file, end)) => {
            let ago = dates::span(now - end.timestamp());
            let date = time_text(end.to_datetime());
            Refusal::new(
                Code::CrlExpired,
                format!("the revocation list {file} is out of date since {date}, {ago} ago"),
            )
        }
        None => Refusal::new(Code::CrlExpired, "the revocation list is out of date"),
    };
    refusal.hint("get a new list of that authority: an old one does not know what was revoked since")
}

pub(super) fn unknown(case: &Case<'_>) -> Refusal {
    let covered: Vec<Vec<u8>> = case.anchors.crls.iter().filter_map(issuer_of).collect();
    let uncovered = case.chain.iter().filter_map(|der| parse(der)).find_map(|certificate| {
        let issuer = certificate.issuer().as_raw();
        (!covered.iter().any(|covered| covered == issuer)).then(|| distinguished_name(issuer))?
    });
    let message = match uncovered {
        Some(issuer) => {
            format!("whether the certificate is revoked is not known: no list of '{issuer}' was given")
        }
        None => "whether the certificate is revoked is not known: no list covers it".to_owned(),
    };
    Refusal::new(Code::CrlUnknown, message)
        .hint("--crl FILE adds that list, --crl-soft lets such certificates through")
}

fn issuer_of(list: &RevocationList) -> Option<Vec<u8>> {
    let (_, parsed) = CertificateRevocationList::from_der(&list.der).ok()?;
    Some(parsed.issuer().as_raw().to_vec())
}

/// A list that cannot be relied on.
pub(super) fn unusable(why: &str, case: &Case<'_>) -> Refusal {
    let files: Vec<String> = case.anchors.crls.iter().map(|list| list.file.display().to_string()).collect();
    let message = format!(
        "whether the certificate is revoked is not known: {} cannot be relied on: {why}",
        files.join(", ")
    );
    Refusal::new(Code::CrlUnknown, message)
}
