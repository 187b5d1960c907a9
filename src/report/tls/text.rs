//! The report of a check as one line.

use std::time::Duration;

use rustls::HandshakeKind;

use super::json::{Offered, offered};
use super::{Accepted, Account, End, bytes_text, milliseconds};
use crate::certificate::{Facts, escaped};
use crate::tls::{Basis, Enforcement, Hello, Negotiated, Seen, StapleStatus, Terms, Verdict};

/// One line for a person who checks a server: what was agreed on, whose certificate it is, how long it is good, and
/// whether it is trusted.
pub fn tls_text(account: &Account<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(negotiated) = &account.negotiated {
        parts.push(negotiated_text(negotiated, account.times.handshake));
    }
    if let Some(leaf) = account.chain().first() {
        parts.push(leaf_text(leaf));
    }
    if let Some((seen, terms)) = account.handshake {
        parts.push(verdict_text(seen, terms));
    }
    parts.extend(client_auth_text(account).map(str::to_owned));
    match parts.is_empty() {
        true => "no handshake took place".to_owned(),
        false => parts.join("; "),
    }
}

/// What a server that asks for a client certificate has made of ours, or of its absence.
fn client_auth_text(account: &Account<'_>) -> Option<&'static str> {
    let End::Client { accepted, .. } = &account.end else { return None };
    let request = account.handshake.and_then(|(seen, _)| seen.request.as_ref())?;
    Some(match (request.is_answered, accepted) {
        (true, Accepted::Yes) => "our certificate is accepted",
        (true, Accepted::No) => "our certificate is refused",
        (true, Accepted::Unknown) => "it has not said whether it accepts our certificate",
        (false, Accepted::Yes) => "it asks for a client certificate, and does without",
        (false, Accepted::No) => "it wants a client certificate",
        (false, Accepted::Unknown) => {
            "it asks for a client certificate, and has not said whether it does without"
        }
    })
}

/// What a client offers, a line each; text of the peer is escaped.
pub fn hello_lines(peer: &str, hello: &Hello) -> Vec<String> {
    let Offered { sni, alpn, groups, ciphers, signatures } = offered(hello);
    let rows = [
        ("SNI", sni.into_iter().collect()),
        ("ALPN", alpn),
        ("groups", groups),
        ("ciphers", ciphers),
        ("signatures", signatures),
    ];
    let line = |(what, values): (&str, Vec<String>)| {
        let values = if values.is_empty() { "none".to_owned() } else { values.join(" ") };
        format!("hello of {}: {what} {values}", escaped(peer))
    };
    rows.map(line).into()
}

fn negotiated_text(negotiated: &Negotiated, time: Option<Duration>) -> String {
    let mut text = format!("TLS {} {}", negotiated.version, negotiated.cipher);
    if let Some(group) = &negotiated.group {
        text += &format!(" {group}");
    }
    if let Some(alpn) = &negotiated.alpn {
        text += &format!(" ALPN {}", bytes_text(alpn));
    }
    if negotiated.handshake == HandshakeKind::Resumed {
        text += " resumed";
    }
    if let Some(time) = milliseconds(time) {
        text += &format!(" in {time} ms");
    }
    text
}

fn leaf_text(leaf: &Facts) -> String {
    let name = match (leaf.subject.as_str(), leaf.san.first()) {
        ("", Some(name)) => name,
        ("", None) => "(without a name)",
        (subject, _) => subject,
    };
    match leaf.days_left {
        days if days < 0 => format!("certificate '{name}' expired {}", leaf.not_after),
        1 => format!("certificate '{name}' until {}, 1 day", leaf.not_after),
        days => format!("certificate '{name}' until {}, {days} days", leaf.not_after),
    }
}

fn verdict_text(seen: &Seen, terms: &Terms) -> String {
    match (&seen.verdict, terms.enforcement) {
        (Verdict::NotJudged, _) => "no certificate was judged".to_owned(),
        (Verdict::Trusted(Basis::Pin), _) => "trusted by its pin alone".to_owned(),
        (Verdict::Trusted(basis), _) => {
            let wanted = terms.wanted.as_deref().map(|wanted| format!(" for '{}'", escaped(wanted)));
            let by = match basis {
                Basis::Exact => "as it is",
                Basis::Authority | Basis::Pin => &format!("by {}", terms.trust),
            };
            let stapled = seen.stapled.as_ref().is_some_and(|stapled| stapled.status == StapleStatus::Good);
            let stapled = if stapled { ", not revoked (OCSP)" } else { "" };
            format!("trusted{} {by}{stapled}", wanted.unwrap_or_default())
        }
        (Verdict::Refused(refusal), Enforcement::Strict) => format!("not trusted: {}", refusal.message),
        (Verdict::Refused(refusal), Enforcement::RecordOnly) => {
            format!("not trusted, but let through (insecure): {}", refusal.message)
        }
    }
}
