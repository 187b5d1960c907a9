//! A header at the start of a connection: taken to the byte, so that what follows is the peer's own.

use std::io;

use super::{Header, v1, v2};
use crate::certificate::escaped;
use crate::endpoint::descriptor::Descriptor;
use crate::endpoint::exchange::Exchange;
use crate::error::Failure;

/// Bytes of what is no header that are shown.
const SHOWN: usize = 64;

/// Takes the header off a connection on which one is expected; no byte of it is ever taken for data.
pub async fn receive(fd: &Descriptor) -> Result<Header, Failure> {
    let mut heard = Vec::new();
    let exchange = Exchange::new(fd);
    match read(&exchange, &mut heard).await {
        Ok(Some(header)) => Ok(header),
        Ok(None) => {
            let mut more = [0; SHOWN];
            let there = exchange.peek_at_once(&mut more);
            heard.extend(&more[..there]);
            Err(refused(format!("this is none: {}", shown(&heard))))
        }
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof && heard.is_empty() => {
            Err(refused("the connection was closed".to_owned()))
        }
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => {
            Err(refused(format!("it ends after {}", shown(&heard))))
        }
        Err(why) => Err(refused(crate::error::plain(&why.to_string()))),
    }
}

fn refused(why: String) -> Failure {
    Failure::other("no PROXY header (accept-proxy)", why)
}

async fn read(exchange: &Exchange<'_>, heard: &mut Vec<u8>) -> io::Result<Option<Header>> {
    loop {
        let wanted = match (v1::START, &v2::SIGNATURE[..]) {
            (start, _) if heard == start => break,
            (_, signature) if heard == signature => break,
            (start, _) if start.starts_with(heard) => start.len(),
            (_, signature) if signature.starts_with(heard) => signature.len(),
            _ => return Ok(None),
        };
        let mut buffer = [0; v2::SIGNATURE.len()];
        match exchange.hear(&mut buffer[..wanted - heard.len()]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => heard.extend(&buffer[..n]),
        }
    }
    if heard == v1::START {
        let line = exchange.hear_through(b"\r\n", v1::LONGEST - v1::START.len()).await?;
        heard.extend(&line);
        return Ok(v1::parse(&line));
    }
    let mut fixed = [0; v2::FIXED];
    exchange.hear_exactly(&mut fixed).await?;
    heard.extend(fixed);
    let Some(length) = v2::body_length(fixed) else { return Ok(None) };
    let mut body = vec![0; length];
    exchange.hear_exactly(&mut body).await?;
    Ok(v2::parse(fixed, &body))
}

fn shown(bytes: &[u8]) -> String {
    escaped(&String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]))
}
