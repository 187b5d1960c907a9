//! STARTTLS on a connection: the talk of `starttls`, under a limit, up to the last byte before TLS.

use super::descriptor::Descriptor;
use super::exchange::Exchange;
use super::tls::Allowance;
use crate::error::{Exit, Failure};
use crate::event_loop::timeout;
use crate::starttls::{Dialogue, Protocol, Step, Trouble};

/// Talks to the server behind `fd` until it is ready for TLS, which must then begin with the very next byte.
/// `host` is the name it is to answer for, `name` what it is called in messages. Status 35 when it does not agree,
/// 124 when it takes longer than `allowed`.
pub async fn ask(
    fd: &Descriptor,
    protocol: Protocol,
    host: &str,
    name: &str,
    allowed: Allowance,
) -> Result<(), Failure> {
    let mut heard = 0;
    let what = || format!("cannot start TLS with {name} ({protocol})");
    match timeout(allowed.left(), talk(fd, protocol, host, &mut heard)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Broken::By(trouble))) => {
            let failure = Failure::new(Exit::HANDSHAKE, what(), &trouble);
            Err(Failure { hint: trouble.hint().map(str::to_owned), ..failure })
        }
        Ok(Err(Broken::Io(why))) => Err(Failure::new(Exit::HANDSHAKE, what(), why)),
        Err(_) => {
            let Allowance { limit, flag, .. } = allowed;
            let failure = Failure::timeout(what(), format!("no go-ahead within {limit:?} ({flag})"));
            Err(match heard {
                0 => failure
                    .hint("the server says nothing: on a port where TLS begins at once, leave out starttls"),
                _ => failure,
            })
        }
    }
}

enum Broken {
    By(Trouble),
    Io(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(why: std::io::Error) -> Broken {
        Broken::Io(why)
    }
}

async fn talk(fd: &Descriptor, protocol: Protocol, host: &str, heard: &mut usize) -> Result<(), Broken> {
    let mut exchange = Exchange::new(fd);
    let mut dialogue = Dialogue::start(protocol, host);
    let mut buffer = [0; 4096];
    let mut new = 0;
    loop {
        match dialogue.next(&buffer[..new]) {
            Step::Say(bytes) => {
                exchange.say(&bytes).await?;
                new = 0;
            }
            Step::More => {
                new = exchange.hear(&mut buffer).await?;
                *heard += new;
                if new == 0 {
                    return Err(Broken::By(dialogue.ended()));
                }
            }
            // TLS is begun by the client: whatever is there now is no TLS.
            Step::Done => match exchange.peek_at_once(&mut buffer) {
                0 => return Ok(()),
                more => return Err(Broken::By(Trouble::injected(&buffer[..more]))),
            },
            Step::Failed(trouble) => return Err(Broken::By(trouble)),
        }
    }
}
