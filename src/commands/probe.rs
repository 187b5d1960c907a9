//! One look at an address: does it answer, does it say what it should, does it stay open?

use std::time::{Duration, Instant};

use regex::bytes::Regex;

use crate::address::Address;
use crate::endpoint::{Connection, Endpoint, Input, Opener, Use};
use crate::error::{Exit, Failure};
use crate::event_loop::timeout;

/// How long a server has for its greeting in one try.
const GREETING: Duration = Duration::from_secs(10);
/// Most bytes of a greeting that are looked at.
const GREETING_SIZE: usize = 64 * 1024;
/// How long an ICMP refusal may take to come back.
const REFUSAL: Duration = Duration::from_secs(1);

/// What one look has to see; nothing asked for is a look whether it is open.
#[derive(Default)]
pub struct Probe {
    /// What must be said.
    pub expect: Option<Regex>,
    /// What is sent first.
    pub send: Option<Vec<u8>>,
    /// How long it must stay open.
    pub hold: Option<Duration>,
}

impl Probe {
    /// Looks once. All is over at `until`: who has connected by then is told apart from who has not.
    pub async fn look(&self, address: &Address, until: Option<Instant>) -> Result<(), Failure> {
        let mut endpoint = Opener::new(address, Use::Output)?.open(&Connection::default()).await?;
        let result = self.check(address, &mut endpoint, Left(until)).await;
        // A reset leaves no TIME_WAIT behind: a loop of probes would use up the local ports.
        crate::relay::abort(&endpoint);
        result
    }

    async fn check(&self, address: &Address, endpoint: &mut Endpoint, left: Left) -> Result<(), Failure> {
        let is_datagram = endpoint.is_datagram();
        if is_datagram || self.send.is_some() {
            send(address, endpoint, self.send.as_deref().unwrap_or_default()).await?;
        }
        if let Some(expect) = &self.expect {
            greeting(address, endpoint, expect, left).await?;
        } else if is_datagram {
            is_not_refused(address, endpoint, left).await?;
        }
        match self.hold {
            Some(hold) => stays_open(address, endpoint, hold, left).await,
            None => Ok(()),
        }
    }
}

/// The time until the end of all patience.
#[derive(Clone, Copy)]
struct Left(Option<Instant>);

impl Left {
    /// `wanted`, or less where there is less.
    fn at_most(self, wanted: Duration) -> Duration {
        match self.0 {
            Some(until) => wanted.min(until.saturating_duration_since(Instant::now())),
            None => wanted,
        }
    }
}

async fn read(endpoint: &mut Endpoint, buffer: &mut [u8]) -> std::io::Result<Input> {
    std::future::poll_fn(|cx| endpoint.source.poll_read(cx, buffer)).await
}

async fn send(address: &Address, endpoint: &mut Endpoint, mut bytes: &[u8]) -> Result<(), Failure> {
    let cannot = |why| Failure::connect(format!("cannot send to {}", address.describe()), why);
    loop {
        let n = std::future::poll_fn(|cx| endpoint.sink.poll_write(cx, bytes)).await.map_err(cannot)?;
        bytes = &bytes[n..];
        if bytes.is_empty() {
            return Ok(());
        }
    }
}

/// A datagram port says nothing when it is open; a closed one refuses. Silence counts as an answer.
async fn is_not_refused(address: &Address, endpoint: &mut Endpoint, left: Left) -> Result<(), Failure> {
    let limit = left.at_most(REFUSAL);
    match timeout(limit, read(endpoint, &mut [0; 512])).await {
        Ok(Err(why)) => Err(Failure::connect(format!("{} refused", address.describe()), why)),
        Err(_) if limit < REFUSAL => {
            let what = format!("cannot tell whether {} is open", address.describe());
            Err(Failure::timeout(what, format!("a closed port has {REFUSAL:?} to refuse a datagram")))
        }
        _ => Ok(()),
    }
}

async fn greeting(
    address: &Address,
    endpoint: &mut Endpoint,
    expect: &Regex,
    left: Left,
) -> Result<(), Failure> {
    let limit = left.at_most(GREETING);
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 4096];
    let looking = async {
        while !expect.is_match(&seen) && seen.len() < GREETING_SIZE {
            match read(endpoint, &mut buffer).await {
                Ok(Input::Bytes(n) | Input::Message { len: n, .. }) => seen.extend_from_slice(&buffer[..n]),
                Ok(Input::Long { bytes, .. }) => seen.extend(bytes),
                Ok(Input::End) => break,
                Err(why) => return Err(why),
            }
        }
        Ok(())
    };
    let late = match timeout(limit, looking).await {
        Ok(Err(why)) if seen.is_empty() => {
            return Err(Failure::connect(format!("{} says nothing", address.describe()), why));
        }
        answered => answered.is_err(),
    };
    if expect.is_match(&seen) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&seen[..seen.len().min(80)]).escape_debug().to_string();
    let why = match (seen.is_empty(), late) {
        (true, true) => "it is open but says nothing".to_owned(),
        (true, false) => "it ends without a word".to_owned(),
        _ => format!("it says '{said}'"),
    };
    // Out of time, it might have said it later.
    let exit = if late && limit < GREETING { Exit::TIMEOUT } else { Exit::UNEXPECTED };
    Err(Failure::new(exit, format!("{} does not say /{expect}/", address.describe()), why))
}

async fn stays_open(
    address: &Address,
    endpoint: &mut Endpoint,
    hold: Duration,
    left: Left,
) -> Result<(), Failure> {
    let mut buffer = vec![0; 4096];
    let watching = async {
        loop {
            match read(endpoint, &mut buffer).await {
                Ok(Input::End) => return "it was closed at once".to_owned(),
                Err(why) => return crate::error::plain(&why.to_string()),
                Ok(_) => {}
            }
        }
    };
    let limit = left.at_most(hold);
    let what = || format!("{} does not stay open", address.describe());
    match timeout(limit, watching).await {
        Ok(why) => Err(Failure::connect(what(), why)),
        Err(_) if limit < hold => {
            Err(Failure::timeout(what(), format!("it is open, but not for {hold:?} yet")))
        }
        Err(_) => Ok(()),
    }
}
