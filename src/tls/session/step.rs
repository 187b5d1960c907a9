//! One step of rustls' state machine, the same for both roles.

use rustls::Error;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

use super::Role;

/// What is wanted of a step.
pub enum Task<'a> {
    /// To get at the records that rustls has made.
    Wait,
    /// To get on, and to hand on plaintext that has come.
    Open(&'a mut dyn FnMut(&[u8])),
    /// To say our end; idle once that is queued.
    End,
    /// To encrypt `plain` into `out`, and say how long that is.
    Seal { plain: &'a [u8], out: &'a mut [u8], sealed: &'a mut Option<usize> },
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done; there may be more.
    Moved,
    /// Nothing can be done before more is received.
    Idle,
    /// The peer has said its end.
    PeerEnded,
}

/// Takes one step. Answers also how much at the front of `incoming` is done with; it must be cut off before the next.
pub fn of(
    role: &mut Role,
    incoming: &mut [u8],
    queued: &mut Vec<u8>,
    task: &mut Task<'_>,
) -> (usize, Result<Step, Error>) {
    match role {
        Role::Client(client) => handle(client.process_tls_records(incoming), queued, task),
        Role::Server(server) => handle(server.process_tls_records(incoming), queued, task),
    }
}

fn handle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    queued: &mut Vec<u8>,
    task: &mut Task<'_>,
) -> (usize, Result<Step, Error>) {
    let mut used = status.discard;
    let step = match status.state {
        Err(error) => Err(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                None => break Ok(Step::Moved),
                Some(Err(error)) => break Err(error),
                Some(Ok(record)) => {
                    used += record.discard;
                    let Task::Open(take) = task else {
                        break Err(Error::General("plaintext came where nobody asked for it".to_owned()));
                    };
                    take(record.payload);
                }
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut data)) => queue(queued, |room| match data.encode(room) {
            Err(EncodeError::InsufficientSize(needed)) => Err(Ok(needed.required_size)),
            other => other.map_err(|why| Err(why.to_string())),
        })
        .map(|()| Step::Moved),
        Ok(ConnectionState::TransmitTlsData(data)) => {
            // What is queued keeps its order; that it is sent is up to whoever owns the socket.
            data.done();
            Ok(Step::Moved)
        }
        Ok(ConnectionState::WriteTraffic(mut traffic)) => match task {
            Task::Seal { plain, out, sealed } => match traffic.encrypt(plain, out) {
                Ok(n) => {
                    **sealed = Some(n);
                    Ok(Step::Moved)
                }
                Err(why) => Err(Error::General(why.to_string())),
            },
            Task::End => queue(queued, |room| match traffic.queue_close_notify(room) {
                Err(EncryptError::InsufficientSize(needed)) => Err(Ok(needed.required_size)),
                other => other.map_err(|why| Err(why.to_string())),
            })
            .map(|()| Step::Idle),
            _ => Ok(Step::Idle),
        },
        Ok(ConnectionState::BlockedHandshake) => Ok(Step::Idle),
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Ok(Step::PeerEnded),
        // Early data is never accepted.
        Ok(_) => Err(Error::General("an unknown state of the TLS session".to_owned())),
    };
    (used, step)
}

/// Lets `write` append to `queued`; it answers how long that was, or how much room it needs for it.
fn queue(
    queued: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Result<usize, String>>,
) -> Result<(), Error> {
    let at = queued.len();
    let mut room = 0;
    loop {
        queued.resize(at + room, 0);
        match write(&mut queued[at..]) {
            Ok(n) => {
                queued.truncate(at + n);
                return Ok(());
            }
            Err(Ok(needed)) if needed > room => room = needed,
            Err(Ok(_)) => return Err(Error::General("a record does not fit".to_owned())),
            Err(Err(why)) => return Err(Error::General(why)),
        }
    }
}
