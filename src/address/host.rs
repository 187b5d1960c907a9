//! `HOST:PORT` in all its forms.

use super::{Host, Port};

/// True for a number from 0 to 65535 or something that could be a service name.
pub fn is_port(text: &str) -> bool {
    port(text).is_ok()
}

fn port(text: &str) -> Result<Port, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Port::Number).map_err(|_| format!("port {text} is not within 0 to 65535"));
    }
    let is_name = text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    match is_name {
        true => Ok(Port::Service(text.to_owned())),
        false if text.is_empty() => Err("the port is missing".to_owned()),
        false => Err(format!("'{text}' is no port")),
    }
}

/// Reads `host:port`, `[v6%zone]:port`, `:port`, `*:port` and, where `alone`, `port`.
pub fn host_port(text: &str, alone: bool) -> Result<(Host, Port), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("an opening [ without a closing one")?;
        let number = rest.strip_prefix(':').ok_or("the port after the ] is missing")?;
        return Ok((v6(host)?, port(number)?));
    }
    match text.rsplit_once(':') {
        None if alone => Ok((Host::Loopback, port(text)?)),
        None => Err(format!("the port is missing: {text}:PORT")),
        Some((host, _)) if host.contains(':') => {
            Err("an IPv6 address needs brackets: [ADDRESS]:PORT".to_owned())
        }
        Some(("" | "*", number)) => Ok((Host::Any, port(number)?)),
        Some((host, number)) => Ok((name(host)?, port(number)?)),
    }
}

/// What stands in brackets: an IPv6 address, with a zone for link-local ones.
fn v6(host: &str) -> Result<Host, String> {
    let (address, zone) = host.split_once('%').unwrap_or((host, "-"));
    let is_zone = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_good =
        address.parse::<std::net::Ipv6Addr>().is_ok() && !zone.is_empty() && zone.chars().all(is_zone);
    match is_good {
        true => Ok(Host::Name(host.to_owned())),
        false => Err(format!("'{}' in brackets is no IPv6 address", host.escape_debug())),
    }
}

fn name(host: &str) -> Result<Host, String> {
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    match host.chars().find(|c| !is_host(*c)) {
        _ if host.is_empty() => Err("the host is missing".to_owned()),
        Some(c) => Err(format!("'{}' cannot be part of a host name", c.escape_debug())),
        None => Ok(Host::Name(host.to_owned())),
    }
}
