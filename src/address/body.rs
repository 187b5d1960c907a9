//! What follows the colon of a scheme: text to `Target`.

use std::path::PathBuf;

use super::host::host_port;
use super::parse::{bad, wrong};
use super::scan::{piece, unescape, words};
use super::scheme_table::{Kind, Scheme};
use super::{Family, Target, UnixKind, UnixName};
use crate::error::Failure;

/// What is named, and the options after it.
pub fn body(kind: Kind, rest: &str) -> Result<(String, Option<&str>), String> {
    let after_slashes = rest.strip_prefix("//").filter(|_| has_authority(kind));
    let is_net = matches!(kind, Kind::Net(..));
    let mut body = piece(after_slashes.unwrap_or(rest), &[','], is_net)?;
    if is_net && after_slashes.is_some() && body.text.ends_with('/') {
        body.text.pop();
    }
    Ok((body.text, body.stop.map(|_| body.rest)))
}

/// URL habits: `tcp://host:port`, `unix:///run/x.sock`.
fn has_authority(kind: Kind) -> bool {
    matches!(kind, Kind::Net(..) | Kind::Unix(_) | Kind::Vsock | Kind::File | Kind::Fifo)
}

/// What a scheme with this after its colon names.
pub fn target(
    text: &str,
    scheme: &Scheme,
    body: Option<String>,
    family: Option<Family>,
) -> Result<Target, Failure> {
    let wants = || bad(text, format!("is not complete: {}:{}", scheme.name, scheme.syntax));
    let some = || body.clone().filter(|body| !body.is_empty()).ok_or_else(wants);
    let number = |text: &str| text.parse::<u32>().map_err(|_| wants());
    let nothing = |target: Target| match body.as_deref() {
        None | Some("") => Ok(target),
        Some(more) => {
            Err(wrong(text, format!("{} takes nothing after the colon, not '{more}'", scheme.name))
                .hint(format!("a host of that name: tcp:{}:{more}", scheme.name)))
        }
    };
    match scheme.kind {
        Kind::Net(net, own) => {
            let (host, port) = host_port(&some()?, true).map_err(|why| wrong(text, why))?;
            Ok(Target::Net { net, family: family.unwrap_or(own), host, port })
        }
        Kind::Unix(kind) => {
            let path = some()?;
            let name = match path.strip_prefix('@') {
                Some("") => return Err(wants()),
                Some(name) => UnixName::Abstract(name.to_owned()),
                None => UnixName::Path(PathBuf::from(path)),
            };
            Ok(Target::Unix { kind, name })
        }
        Kind::Abstract => Ok(Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract(some()?) }),
        Kind::Vsock => vsock(&some()?).ok_or_else(wants),
        Kind::File => Ok(Target::File(PathBuf::from(some()?))),
        Kind::Fifo => Ok(Target::Fifo(PathBuf::from(some()?))),
        Kind::Fd => i32::try_from(number(&some()?)?).map(Target::Fd).map_err(|_| wants()),
        Kind::Exec => match words(&some()?).map_err(|why| wrong(text, why))? {
            words if words.is_empty() || words[0].is_empty() => Err(wants()),
            words => Ok(Target::Exec(words)),
        },
        Kind::Shell => Ok(Target::Shell(some()?)),
        Kind::Text => Ok(Target::Text(unescape(&body.unwrap_or_default()))),
        Kind::Systemd => Ok(Target::Systemd(body.filter(|name| !name.is_empty()))),
        Kind::Stdio => nothing(Target::Stdio),
        Kind::Pty => nothing(Target::Pty),
        Kind::Null => nothing(Target::Null),
        Kind::Echo => nothing(Target::Echo),
        Kind::Discard => nothing(Target::Discard),
        Kind::Zero => nothing(Target::Zero),
    }
}

/// `CID:PORT` or `PORT`; the well-known CIDs have names, vsock(7).
fn vsock(body: &str) -> Option<Target> {
    let (cid, port) = body.split_once(':').unwrap_or(("", body));
    let cid = match cid {
        "" | "*" | "any" => None,
        "local" => Some(1),
        "host" => Some(2),
        number => Some(number.parse().ok()?),
    };
    Some(Target::Vsock { cid, port: port.parse().ok()? })
}
