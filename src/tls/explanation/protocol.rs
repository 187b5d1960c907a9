//! Handshakes that fail for other reasons than our judgement of a certificate: alerts, offers that nobody takes, peers
//! that do not speak TLS.

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

use super::words_of;
use crate::certificate::{distinguished_name, escaped};
use crate::error::{Exit, Failure};
use crate::tls::provider::Cryptography;
use crate::tls::seen::Seen;
use crate::tls::{Protocol, cipher_name, group_name, version_name};

/// Which end we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tls) enum Role {
    Client,
    Server,
}

/// What we offered, in words.
#[derive(Clone, Debug)]
pub(in crate::tls) struct Offer {
    pub(in crate::tls) role: Role,
    pub(in crate::tls) versions: String,
    pub(in crate::tls) groups: String,
    pub(in crate::tls) ciphers: String,
    pub(in crate::tls) alpn: String,
}

/// More suites than this are not listed in a sentence.
const MOST_CIPHERS: usize = 4;

impl Offer {
    pub(in crate::tls) fn of(role: Role, cryptography: &Cryptography, protocol: &Protocol) -> Offer {
        let provider = &cryptography.provider;
        let versions: Vec<_> = cryptography.versions.iter().map(|v| version_name(v.version)).collect();
        let groups: Vec<_> = provider.kx_groups.iter().map(|group| group_name(group.name())).collect();
        let ciphers: Vec<_> = provider.cipher_suites.iter().map(|suite| cipher_name(suite.suite())).collect();
        let ciphers = match ciphers.len() > MOST_CIPHERS {
            true => format!("{} with ephemeral keys and AES-GCM or ChaCha20-Poly1305", ciphers.len()),
            false => ciphers.join(", "),
        };
        Offer {
            role,
            versions: versions.join(" and "),
            groups: groups.join(", "),
            ciphers,
            alpn: protocol.alpn.join(", "),
        }
    }
}

/// All that is known when a handshake fails.
pub(in crate::tls) struct Telling<'a> {
    /// `db.example:5432`, or `the client at 127.0.0.1:4711`.
    pub(in crate::tls) peer: &'a str,
    pub(in crate::tls) offer: &'a Offer,
    /// The name that a client sent.
    pub(in crate::tls) sni: Option<&'a str>,
    pub(in crate::tls) seen: &'a Seen,
    /// The first bytes that the peer sent.
    pub(in crate::tls) first: &'a [u8],
}

/// Why a handshake has failed, what a person could do, and the exit status that stands for it.
pub(in crate::tls) fn failure(error: &Error, telling: &Telling<'_>) -> Failure {
    let what = format!("TLS with {}", escaped(telling.peer));
    if let Some(refusal) = telling.seen.verdict.refusal().filter(|_| is_about_certificates(error)) {
        return refusal.failure(what);
    }
    match error {
        Error::AlertReceived(alert) => alerted(*alert, what, telling),
        Error::InvalidMessage(message) => invalid(*message, what, telling),
        Error::PeerIncompatible(reason) => incompatible(reason, what, telling.offer),
        Error::NoCertificatesPresented => Failure::new(Exit::UNTRUSTED, what, "it presented no certificate")
            .hint("--client-ca asks for one; --client-optional lets clients in without"),
        Error::NoApplicationProtocol => {
            let why = format!("it speaks none of our application protocols ({})", telling.offer.alpn);
            Failure::new(Exit::HANDSHAKE, what, why)
        }
        Error::General(_) if telling.seen.is_name_unknown => unknown_name(what, telling.seen),
        Error::General(_) if telling.seen.hello.is_some() => Failure::new(
            Exit::HANDSHAKE,
            what,
            "none of our certificates is of a kind that the client accepts",
        ),
        Error::PeerMisbehaved(how) => {
            Failure::new(Exit::HANDSHAKE, what, format!("it breaks the protocol: {}", words_of(how)))
        }
        Error::DecryptError => {
            Failure::new(Exit::HANDSHAKE, what, "what it sent does not decrypt: it was changed on the way")
        }
        other => Failure::new(Exit::HANDSHAKE, what, words_of(other)),
    }
}

fn is_about_certificates(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(_) | Error::InvalidCertRevocationList(_) | Error::UnsupportedNameType
    )
}

fn unknown_name(what: String, seen: &Seen) -> Failure {
    let why = match seen.hello.as_ref().and_then(|hello| hello.server_name.as_deref()) {
        Some(name) => format!("it asks for '{}', for which there is no certificate", escaped(name)),
        None => "it does not say which name it wants (SNI)".to_owned(),
    };
    Failure::new(Exit::HANDSHAKE, what, why).hint("without --strict-sni it would get the first certificate")
}

/// What the first bytes of some protocols look like, for a peer that does not speak TLS.
fn not_tls(first: &[u8], role: Role) -> (String, String) {
    let shown = &first[..first.len().min(24)];
    let text: String = shown.iter().map(|byte| char::from(*byte)).collect();
    let why = match shown.is_empty() {
        true => "peer does not speak TLS".to_owned(),
        false => format!("peer does not speak TLS (first bytes \"{}\")", escaped(text.trim_end())),
    };
    let greets = |greeting: &str| first.starts_with(greeting.as_bytes());
    let hint = match role {
        Role::Server => "the client must connect with TLS",
        Role::Client if greets("220") => {
            "wrong port, or does it want --starttls smtp or --starttls ftp first?"
        }
        Role::Client if greets("* OK") => "wrong port, or does it want --starttls imap first?",
        Role::Client if greets("+OK") => "wrong port, or does it want --starttls pop3 first?",
        Role::Client if greets("HTTP/") => "wrong port: plain HTTP is spoken there",
        Role::Client if greets("SSH-") => "wrong port: SSH is spoken there",
        Role::Client => "wrong port, or does it want STARTTLS first?",
    };
    (why, hint.to_owned())
}

/// A record begins with its type, from 20 (change_cipher_spec) to 23 (application_data), and a version 3.x.
fn looks_like_tls(first: &[u8]) -> bool {
    matches!(first, [20..=23, 3, ..] | [20..=23] | [])
}

fn invalid(message: InvalidMessage, what: String, telling: &Telling<'_>) -> Failure {
    if !looks_like_tls(telling.first) {
        let (why, hint) = not_tls(telling.first, telling.offer.role);
        return Failure::new(Exit::HANDSHAKE, what, why).hint(hint);
    }
    let why = match message {
        InvalidMessage::CertificatePayloadTooLarge => "its certificates are larger than 64 KiB".to_owned(),
        InvalidMessage::HandshakePayloadTooLarge => {
            "a message of its handshake is larger than 64 KiB".to_owned()
        }
        other => format!("it sent a message that cannot be decoded: {}", words_of(&other)),
    };
    Failure::new(Exit::HANDSHAKE, what, why)
}

fn incompatible(reason: &PeerIncompatible, what: String, offer: &Offer) -> Failure {
    let versions = format!("it speaks no version of TLS that is allowed here ({})", offer.versions);
    let why = match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => versions,
        PeerIncompatible::NoCipherSuitesInCommon => {
            format!("it has no cipher suite in common with ours ({})", offer.ciphers)
        }
        PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::NamedGroupsExtensionRequired => {
            format!("it has no key exchange group in common with ours ({})", offer.groups)
        }
        PeerIncompatible::NoSignatureSchemesInCommon => {
            "it accepts no signature that our certificate's key can make".to_owned()
        }
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "it accepts no signature that a client certificate's key could make".to_owned()
        }
        other => format!("it is not compatible: {}", words_of(other)),
    };
    Failure::new(Exit::HANDSHAKE, what, why)
}

/// The peer has given up, and said why in one of the protocol's words.
fn alerted(alert: AlertDescription, what: String, telling: &Telling<'_>) -> Failure {
    match telling.offer.role {
        Role::Client => by_server(alert, what, telling),
        Role::Server => by_client(alert, what, telling.offer),
    }
}

/// Alerts with which a server says that it wants another client certificate, or one at all.
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn by_server(alert: AlertDescription, what: String, telling: &Telling<'_>) -> Failure {
    let (offer, name) = (telling.offer, alert_name(alert));
    if let Some(request) = &telling.seen.request {
        // TLS 1.2 has no alert for a missing certificate: servers send handshake_failure (RFC 5246, 7.4.6).
        let missing = !request.is_answered && alert == AlertDescription::HandshakeFailure;
        if missing || is_about_our_certificate(alert) {
            let why = match request.is_answered {
                true => format!("the server does not accept our certificate (alert {name})"),
                false => format!("the server wants a client certificate (alert {name})"),
            };
            let hint = match issuers(&request.issuers) {
                Some(issuers) => format!("it must be from: {issuers}"),
                None => "--cert FILE and --key FILE give one; the server does not say from whom".to_owned(),
            };
            return Failure::new(Exit::OWN_CERTIFICATE, what, why).hint(hint);
        }
    }
    if alert == AlertDescription::CertificateRequired {
        let why = format!("the server wants a client certificate (alert {name})");
        return Failure::new(Exit::OWN_CERTIFICATE, what, why).hint("--cert FILE and --key FILE give one");
    }
    let fail = |why: String| Failure::new(Exit::HANDSHAKE, &what, why);
    match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => fail(format!(
            "the server takes nothing of what we offer (alert {name})"
        ))
        .hint(format!("offered: TLS {}; groups {}; suites {}", offer.versions, offer.groups, offer.ciphers)),
        AlertDescription::ProtocolVersion => fail(format!(
            "the server speaks none of the versions we offer, TLS {} (alert {name})",
            offer.versions
        ))
        .hint("what is older than 1.2 is not safe and not offered"),
        AlertDescription::NoApplicationProtocol => {
            fail(format!("the server speaks none of {} (alert {name})", offer.alpn))
        }
        AlertDescription::UnrecognisedName => {
            let sni = telling.sni.unwrap_or("(none)");
            fail(format!("the server does not know the name '{}' (alert {name})", escaped(sni)))
                .hint("--sni NAME sends another")
        }
        _ => fail(format!("the server gave up (alert {name})")),
    }
}

fn by_client(alert: AlertDescription, what: String, offer: &Offer) -> Failure {
    let name = alert_name(alert);
    let why = match alert {
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown => {
            format!("the client does not trust our certificate (alert {name})")
        }
        AlertDescription::CertificateExpired | AlertDescription::CertificateRevoked => {
            format!("the client refuses our certificate (alert {name})")
        }
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
            format!("the client takes nothing of what we offer, TLS {} (alert {name})", offer.versions)
        }
        _ => format!("the client gave up (alert {name})"),
    };
    Failure::new(Exit::HANDSHAKE, what, why)
}

/// More authorities than this are not listed in a sentence.
const MOST_ISSUERS: usize = 5;

fn issuers(names: &[Vec<u8>]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut shown: Vec<String> = names
        .iter()
        .take(MOST_ISSUERS)
        .map(|der| distinguished_name(der).unwrap_or_else(|| "(a name that cannot be decoded)".to_owned()))
        .collect();
    if names.len() > MOST_ISSUERS {
        shown.push(format!("{} more", names.len() - MOST_ISSUERS));
    }
    Some(shown.join("; "))
}

/// The name of an alert as the RFCs write it: `unknown_ca`; the number of one that has none.
fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => "unknown_ca".to_owned(),
        AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
        AlertDescription::UnknownPSKIdentity => "unknown_psk_identity".to_owned(),
        AlertDescription::Unknown(number) => number.to_string(),
        named => words_of(&named).replace(' ', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_the_rfcs() {
        assert_eq!(alert_name(AlertDescription::HandshakeFailure), "handshake_failure");
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(alert_name(AlertDescription::UnrecognisedName), "unrecognized_name");
        assert_eq!(alert_name(AlertDescription::Unknown(200)), "200");
    }

    #[test]
    fn a_peer_without_tls_is_shown_without_obeying_it() {
        let (why, hint) = not_tls(b"220 mail\x1b[31m\r\n", Role::Client);
        assert_eq!(why, "peer does not speak TLS (first bytes \"220 mail\\u{1b}[31m\")");
        assert!(hint.contains("--starttls smtp"), "{hint}");
    }
}
