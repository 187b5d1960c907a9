//! The options of an address as settings of TLS.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::stream::Ending;
use crate::address::{Key, Options};
use crate::error::Failure;
use crate::starttls;
use crate::tls::{
    ClientAuthentication, ClientSettings, Enforcement, IdentityFiles, Permissions, Pin, Pinning, Presence,
    Protocol, Revocation, Roots, Rule, ServerSettings, Sni, Stapling, Tickets, Trust, UnknownName,
    UnknownStatus, UriPattern, Version, list,
};

/// When nothing else is said: a whole handshake, and reading on before a close.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_secs(5);

/// How long a handshake may take.
pub fn handshake_limit(options: &Options) -> Duration {
    options.time(Key::HandshakeTimeout).unwrap_or(HANDSHAKE_LIMIT)
}

/// How a session ends.
pub fn ending(options: &Options) -> Ending {
    Ending {
        ignore_unexpected_eof: is(options, Key::IgnoreUnexpectedEof),
        holds_close_notify: is(options, Key::NoHalfClose),
        linger: options.time(Key::Linger).unwrap_or(LINGER),
    }
}

/// The protocol in which the connection begins.
pub fn starttls(options: &Options) -> Option<starttls::Protocol> {
    // The table of options takes no other words.
    options.text(Key::Starttls).and_then(|name| name.parse().ok())
}

/// What a client is told.
pub fn client(options: &Options) -> Result<ClientSettings, Failure> {
    let sni = match (options.text(Key::Sni), is(options, Key::NoSni)) {
        (_, true) => Sni::Off,
        (Some(name), false) => Sni::Name(name.to_owned()),
        (None, false) => Sni::Verified,
    };
    let mut protocol = protocol(options)?;
    if let (Some(expected), true) = (options.text(Key::ExpectAlpn), protocol.alpn.is_empty()) {
        protocol.alpn.push(expected.to_owned());
    }
    Ok(ClientSettings {
        trust: trust(options)?,
        identity: identities(options).into_iter().next(),
        permissions: permissions(options),
        protocol,
        name: options.text(Key::Name).map(str::to_owned),
        sni,
        keylog: path(options, Key::Keylog),
    })
}

fn trust(options: &Options) -> Result<Trust, Failure> {
    let enforcement = if is(options, Key::Insecure) { Enforcement::RecordOnly } else { Enforcement::Strict };
    Ok(Trust {
        cafile: paths(options, Key::Cafile),
        ca_add: paths(options, Key::CaAdd),
        roots: options.text(Key::Roots).map(Roots::from_str).transpose()?,
        exact: paths(options, Key::TrustCert),
        pins: options.texts(Key::Pin).map(Pin::from_str).collect::<Result<_, _>>()?,
        pinning: if is(options, Key::PinOnly) { Pinning::Alone } else { Pinning::Added },
        revocation: revocation(options),
        stapling: options.text(Key::Staple).map(Stapling::from_str).transpose()?.unwrap_or_default(),
        enforcement,
        at: at(options)?,
    })
}

/// What a server is told.
pub fn server(options: &Options) -> Result<ServerSettings, Failure> {
    let by_name = |text: &str| match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((
            name.to_owned(),
            IdentityFiles {
                certificate: file.into(),
                key: None,
                pass_file: path(options, Key::PassFile),
                staple: None,
            },
        )),
        _ => Err(Failure::misuse(format!("option 'sni-cert={}'", text.escape_debug()), "it is NAME=FILE")),
    };
    let names = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect();
    Ok(ServerSettings {
        identities: identities(options),
        by_name: options.texts(Key::SniCert).map(by_name).collect::<Result<_, _>>()?,
        self_signed: options.text(Key::SelfSigned).map(names),
        unknown_name: if is(options, Key::StrictSni) { UnknownName::Refused } else { UnknownName::default() },
        client_authentication: client_authentication(options)?,
        permissions: permissions(options),
        protocol: protocol(options)?,
        tickets: match options.number(Key::Tickets).map(usize::try_from) {
            Some(Ok(0)) => Tickets::None,
            Some(Ok(count)) => Tickets::Sealed(count),
            _ => Tickets::default(),
        },
        keylog: path(options, Key::Keylog),
    })
}

fn client_authentication(options: &Options) -> Result<Option<ClientAuthentication>, Failure> {
    let authorities = paths(options, Key::ClientCa);
    if authorities.is_empty() {
        return Ok(None);
    }
    let presence = if is(options, Key::ClientOptional) { Presence::Optional } else { Presence::Required };
    let (rules, revocation) = (rules(options)?, revocation(options));
    Ok(Some(ClientAuthentication { authorities, presence, rules, revocation, at: at(options)? }))
}

fn rules(options: &Options) -> Result<Vec<Rule>, Failure> {
    let texts = |key| options.texts(key).map(str::to_owned);
    let mut rules = Vec::new();
    if is(options, Key::AllowAny) {
        rules.push(Rule::Any);
    }
    rules.extend(texts(Key::AllowDns).map(Rule::Dns));
    for uri in options.texts(Key::AllowUri) {
        rules.push(Rule::Uri(UriPattern::parse(uri)?));
    }
    rules.extend(texts(Key::AllowCn).map(Rule::Cn));
    rules.extend(texts(Key::AllowOu).map(Rule::Ou));
    for pin in options.texts(Key::AllowPin) {
        rules.push(Rule::Pin(pin.parse()?));
    }
    Ok(rules)
}

/// Certificates and their keys; the n-th key and the n-th staple belong to the n-th certificate.
fn identities(options: &Options) -> Vec<IdentityFiles> {
    let keys = paths(options, Key::Private);
    let (mut keys, mut staples) = (keys.into_iter(), paths(options, Key::Ocsp).into_iter());
    let identity = |certificate: PathBuf| IdentityFiles {
        certificate,
        key: keys.next(),
        pass_file: path(options, Key::PassFile),
        staple: staples.next(),
    };
    paths(options, Key::Cert).into_iter().map(identity).collect()
}

fn protocol(options: &Options) -> Result<Protocol, Failure> {
    let mut protocol = Protocol::default();
    if let Some(version) = options.text(Key::Min) {
        protocol.min = version.parse::<Version>()?;
    }
    if let Some(version) = options.text(Key::Max) {
        protocol.max = version.parse::<Version>()?;
    }
    if let Some(names) = options.text(Key::Groups) {
        protocol.groups = list(names)?;
    }
    if let Some(names) = options.text(Key::Ciphers) {
        protocol.ciphers = list(names)?;
    }
    if let Some(names) = options.text(Key::Alpn) {
        protocol.alpn = names.split(',').map(|name| name.trim().to_owned()).collect();
        // ProtocolName of RFC 7301, section 3.1.
        if !protocol.alpn.iter().all(|name| (1..=255).contains(&name.len())) {
            return Err(
                Failure::misuse("option 'alpn'", "a name has 1 to 255 bytes").hint("for example h2,http/1.1")
            );
        }
    }
    Ok(protocol)
}

fn permissions(options: &Options) -> Permissions {
    if is(options, Key::StrictPerms) { Permissions::Strict } else { Permissions::default() }
}

fn revocation(options: &Options) -> Revocation {
    let unknown = if is(options, Key::CrlSoft) { UnknownStatus::Allowed } else { UnknownStatus::Refused };
    Revocation { files: paths(options, Key::Crl), unknown }
}

fn at(options: &Options) -> Result<Option<SystemTime>, Failure> {
    let read = |text: &str| {
        OffsetDateTime::parse(text, &Rfc3339).map(SystemTime::from).map_err(|_| {
            Failure::misuse(format!("option 'at={}'", text.escape_debug()), "it is no time of RFC 3339")
                .hint("for example 2027-01-01T00:00:00Z")
        })
    };
    options.text(Key::At).map(read).transpose()
}

fn is(options: &Options, key: Key) -> bool {
    options.flag(key) == Some(true)
}

fn path(options: &Options, key: Key) -> Option<PathBuf> {
    options.text(key).map(PathBuf::from)
}

fn paths(options: &Options, key: Key) -> Vec<PathBuf> {
    options.texts(key).map(PathBuf::from).collect()
}
