//! SOCKS 5 (RFC 1928, RFC 1929) and SOCKS 4a. Every answer says how long it is: no byte too many is read.

use std::net::{IpAddr, Ipv4Addr};

use super::{Credentials, Place, Refusal};
use crate::endpoint::exchange::Exchange;

const VERSION_5: u8 = 5;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_SUITS: u8 = 0xff;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const VERSION_4: u8 = 4;
const GRANTED_4: u8 = 90;

/// Asks a SOCKS 5 proxy.
pub async fn connect_5(
    mut exchange: Exchange<'_>,
    place: &Place<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), Refusal> {
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION_5, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        None => &[VERSION_5, 1, NO_AUTHENTICATION],
    };
    exchange.say(methods).await?;
    match (hear::<2>(&exchange).await?, credentials) {
        ([VERSION_5, NO_AUTHENTICATION], _) => {}
        ([VERSION_5, USER_AND_PASSWORD], Some(credentials)) => log_in(&mut exchange, credentials).await?,
        ([VERSION_5, NONE_SUITS], Some(_)) => {
            return Err(Refusal::Said("no way of logging in suits it".to_owned()));
        }
        ([VERSION_5, NONE_SUITS], None) => {
            return Err(Refusal::Said("it wants a user and a password (--proxy-auth-file)".to_owned()));
        }
        (other, _) => return Err(Refusal::Garbled(other.to_vec())),
    }
    let mut request = vec![VERSION_5, CONNECT, 0];
    request.extend(address(place)?);
    request.extend(place.port.to_be_bytes());
    exchange.say(&request).await?;
    let answer = hear::<4>(&exchange).await?;
    let [VERSION_5, reply, _, kind] = answer else { return Err(Refusal::Garbled(answer.to_vec())) };
    if reply != 0 {
        return Err(Refusal::Said(meaning_5(reply)));
    }
    // The proxy's own end of the connection, of no use to us.
    match kind {
        IPV4 => drop(hear::<6>(&exchange).await?),
        IPV6 => drop(hear::<18>(&exchange).await?),
        NAME => {
            let [length] = hear::<1>(&exchange).await?;
            exchange.hear_exactly(&mut vec![0; usize::from(length) + 2]).await?;
        }
        _ => return Err(Refusal::Garbled(answer.to_vec())),
    }
    Ok(())
}

async fn hear<const N: usize>(exchange: &Exchange<'_>) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    exchange.hear_exactly(&mut bytes).await?;
    Ok(bytes)
}

/// RFC 1929.
async fn log_in(exchange: &mut Exchange<'_>, credentials: &Credentials) -> Result<(), Refusal> {
    let mut request = zeroize::Zeroizing::new(vec![1]);
    for part in [credentials.user.as_bytes(), credentials.password()] {
        let length = u8::try_from(part.len());
        request.push(length.map_err(|_| Refusal::Ours("user or password is longer than 255 bytes"))?);
        request.extend_from_slice(part);
    }
    exchange.say(&request).await?;
    match hear::<2>(exchange).await? {
        [_, 0] => Ok(()),
        [_, status] => Err(Refusal::Said(format!("user or password is wrong (status {status})"))),
    }
}

/// A numeric address as it is, anything else as a name.
fn address(place: &Place<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(match place.host.parse() {
        Ok(IpAddr::V4(ip)) => [&[IPV4][..], &ip.octets()].concat(),
        Ok(IpAddr::V6(ip)) => [&[IPV6][..], &ip.octets()].concat(),
        Err(_) => {
            let length = u8::try_from(place.host.len());
            let length = length.map_err(|_| Refusal::Ours("the host name is longer than 255 bytes"))?;
            [&[NAME, length], place.host.as_bytes()].concat()
        }
    })
}

/// RFC 1928, section 6.
fn meaning_5(reply: u8) -> String {
    let words = match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable, or its name is unknown",
        5 => "connection refused by the target",
        6 => "time to live expired",
        7 => "it knows no CONNECT",
        8 => "it does not know this type of address",
        _ => "unassigned",
    };
    format!("{words} (reply {reply})")
}

/// Asks a SOCKS 4a proxy: names go behind the impossible address 0.0.0.1.
pub async fn connect_4a(
    mut exchange: Exchange<'_>,
    place: &Place<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), Refusal> {
    let (ip, name) = match place.host.parse() {
        Ok(IpAddr::V4(ip)) => (ip, None),
        Ok(IpAddr::V6(_)) => return Err(Refusal::Ours("SOCKS 4a has no IPv6; socks5h:// has")),
        Err(_) => (Ipv4Addr::new(0, 0, 0, 1), Some(place.host)),
    };
    let mut request = vec![VERSION_4, CONNECT];
    request.extend(place.port.to_be_bytes());
    request.extend(ip.octets());
    request.extend(credentials.map_or(&[][..], |credentials| credentials.user.as_bytes()));
    request.push(0);
    if let Some(name) = name {
        request.extend(name.as_bytes());
        request.push(0);
    }
    exchange.say(&request).await?;
    match hear::<8>(&exchange).await? {
        [0, GRANTED_4, ..] => Ok(()),
        [0, reply @ 91..=93, ..] => Err(Refusal::Said(meaning_4(reply))),
        other => Err(Refusal::Garbled(other.to_vec())),
    }
}

fn meaning_4(reply: u8) -> String {
    let words = match reply {
        91 => "rejected or failed",
        92 => "it cannot ask our identd",
        _ => "our identd names another user",
    };
    format!("{words} (reply {reply})")
}
