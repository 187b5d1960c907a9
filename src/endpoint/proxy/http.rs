//! HTTP's CONNECT (RFC 9110, section 9.3.6) with Basic authentication (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Credentials, Place, Refusal};
use crate::endpoint::exchange::Exchange;

/// What every answer begins with.
const START: &[u8] = b"HTTP/1.";
/// Bytes of an answer's head that are taken.
const LONGEST_HEAD: usize = 64 * 1024;

/// Asks for a tunnel; every byte after the answer's head is the target's.
pub async fn connect(
    mut exchange: Exchange<'_>,
    place: &Place<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), Refusal> {
    exchange.say(&request(place, credentials)).await?;
    let mut start = [0; START.len()];
    exchange.hear_exactly(&mut start).await?;
    if start != *START {
        return Err(Refusal::Garbled(start.to_vec()));
    }
    verdict(&exchange.hear_through(b"\r\n\r\n", LONGEST_HEAD).await?)
}

fn request(place: &Place<'_>, credentials: Option<&Credentials>) -> Zeroizing<Vec<u8>> {
    let Place { host, port } = place;
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(credentials) = credentials {
        let both = Zeroizing::new([credentials.user.as_bytes(), b":", credentials.password()].concat());
        let line = Zeroizing::new(format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(&*both)));
        request.push_str(&line);
    }
    request.push_str("\r\n");
    Zeroizing::new(request.into_bytes())
}

/// Any 2xx is a tunnel, whatever else the head says. `head` is what follows `START`.
fn verdict(head: &[u8]) -> Result<(), Refusal> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
    let status = line.split(' ').nth(1);
    match status.filter(|status| status.len() == 3).and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=299) if head.ends_with(b"\r\n\r\n") => Ok(()),
        Some(_) => Err(Refusal::Said(format!("HTTP/1.{line}"))),
        None => Err(Refusal::Garbled([START, head].concat())),
    }
}
