//! Which service is meant, and what is done to its connections on purpose.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::ValueEnum;

use crate::address;
use crate::commands::shape::ShapeArgs;
use crate::echo::{Amount, Begin, Counters, Cut, How, LastCall, Mode, Service, Shape, Site, content_type};
use crate::error::Failure;
use crate::server::Door;

/// Most bytes of a request's body when not said otherwise.
const MOST_BODY: u64 = 64 * 1024 * 1024;

/// A service by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// What comes goes back (RFC 862)
    Echo,
    /// What comes goes nowhere (RFC 863)
    Discard,
    /// Characters for ever (RFC 864)
    Chargen,
    /// Date and time as text (RFC 867)
    Daytime,
    /// Seconds since 1900 in four bytes (RFC 868)
    Time,
    /// The peer's address, its process and user on a Unix socket, what TLS says of it
    Whoami,
    /// The content of --fixed
    Fixed,
    /// An answer to each HTTP request: method and path, or the content of --fixed
    Http,
}

/// Which service is meant, and what is done to its connections on purpose.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Service")]
pub struct ModeArgs {
    /// What peers are served with (echo)
    #[arg(long, value_name = "SERVICE", value_enum)]
    mode: Option<Name>,
    /// Say the content of this file, read once at the start; with --mode http answer requests with it
    #[arg(long, value_name = "FILE")]
    fixed: Option<PathBuf>,
    /// The status of HTTP answers, with the fields that it needs: Location is /, a challenge is Basic (200)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(200..=599))]
    status: Option<u16>,
    /// Most bytes of the body of an HTTP request (64MiB)
    #[arg(long, value_name = "SIZE", value_parser = address::size)]
    max_body: Option<u64>,
    /// Say no more than this many bytes at a time (streams)
    #[arg(long, value_name = "SIZE", value_parser = piece)]
    chunk: Option<usize>,
    /// Close each connection after so many bytes have been sent (discard: received), or after so much time: 100, 4K,
    /// 500ms. Whoever goes on reading gets all of them
    #[arg(long, value_name = "SIZE|TIME", value_parser = amount, conflicts_with = "rst_after")]
    close_after: Option<Amount>,
    /// The same with a reset (TCP); after a size, once the peer's system has taken all that was sent
    #[arg(long, value_name = "SIZE|TIME", value_parser = amount)]
    rst_after: Option<Amount>,
    /// Answer only once a peer has said its end, which shows that a half-close gets through; up to 1 MiB is kept of
    /// what comes back
    #[arg(long)]
    half_close_test: bool,
    /// Let datagrams from other hosts be answered with more than they had
    #[arg(long)]
    amplify: bool,
}

/// Reads a size that is not 0.
fn piece(text: &str) -> Result<usize, String> {
    match address::size(text)? {
        0 => Err("pieces of 0 bytes would never end".to_owned()),
        size => Ok(usize::try_from(size).unwrap_or(usize::MAX)),
    }
}

/// Reads `100`, `4K` or `500ms`: a unit of time makes it a time (`m` is minutes, `M` is 1024 K).
fn amount(text: &str) -> Result<Amount, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let read = match ["ns", "us", "ms", "s", "m", "min", "h", "d"].contains(&unit) {
        true => address::duration(text).map(Amount::Time),
        false => address::size(text).map(Amount::Bytes),
    };
    read.map_err(|_| format!("'{text}' is neither a size nor a time; for example 100, 4K, 500ms"))
}

impl ModeArgs {
    /// The service that these flags name.
    pub fn service(&self, shape: ShapeArgs, counters: &Arc<Counters>) -> Result<Service, Failure> {
        let mode = self.mode()?;
        if self.half_close_test && matches!(mode, Mode::Discard | Mode::Http(_)) {
            let why = format!("has no meaning for --mode {}: its answers do not wait", mode.name());
            return Err(Failure::usage("flag --half-close-test", why));
        }
        if self.chunk.is_some() && !mode.answers() {
            let why = format!("has no meaning for --mode {}: it says nothing", mode.name());
            return Err(Failure::usage("flag --chunk", why));
        }
        let cut = |after: Option<Amount>, how| after.map(|after| Cut { after, how });
        Ok(Service {
            mode,
            shape: Shape { rate: shape.rate(), lateness: shape.lateness(), chunk: self.chunk },
            begin: if self.half_close_test { Begin::AfterEnd } else { Begin::AtOnce },
            cut: cut(self.close_after, How::Close).or_else(|| cut(self.rst_after, How::Reset)),
            counters: counters.clone(),
        })
    }

    fn mode(&self) -> Result<Mode, Failure> {
        let name = self.mode.unwrap_or(if self.fixed.is_some() { Name::Fixed } else { Name::Echo });
        let given = [("--status", self.status.is_some()), ("--max-body", self.max_body.is_some())];
        if let Some((flag, _)) = given.iter().find(|(_, given)| *given && name != Name::Http) {
            return Err(Failure::usage(format!("flag {flag}"), "is for --mode http"));
        }
        if self.fixed.is_some() && !matches!(name, Name::Fixed | Name::Http) {
            return Err(Failure::usage("flag --fixed", "is for --mode fixed and --mode http"));
        }
        let content = self.fixed.as_deref().map(content).transpose()?;
        Ok(match (name, content) {
            (Name::Echo, _) => Mode::Echo,
            (Name::Discard, _) => Mode::Discard,
            (Name::Chargen, _) => Mode::Chargen,
            (Name::Daytime, _) => Mode::Daytime,
            (Name::Time, _) => Mode::Time,
            (Name::Whoami, _) => Mode::Whoami,
            (Name::Fixed, Some(content)) => Mode::Fixed(content),
            (Name::Fixed, None) => return Err(Failure::usage("--mode fixed", "needs --fixed FILE")),
            (Name::Http, content) => Mode::Http(Rc::new(Site {
                status: self.status.unwrap_or(200),
                content,
                content_type: self.fixed.as_deref().map_or("", content_type),
                most_body: self.max_body.unwrap_or(MOST_BODY),
                last_call: LastCall::default(),
            })),
        })
    }

    /// Fails where the service may not be offered on what was opened.
    pub fn check_doors(&self, mode: &Mode, doors: &[Door]) -> Result<(), Failure> {
        let exposed = |door: &&Door| door.listener.hears_datagrams_of_others();
        match doors.iter().find(exposed).filter(|_| mode.amplifies() && !self.amplify) {
            Some(door) => {
                let name = door.listener.names().first().map_or("", String::as_str);
                let why = "answers datagrams with more than they had, and other hosts can send some";
                Err(Failure::usage(format!("--mode {} on {name}", mode.name()), why)
                    .hint("forged senders make that an attack on others; a loopback address, or --amplify"))
            }
            None => Ok(()),
        }
    }
}

fn content(path: &Path) -> Result<Rc<[u8]>, Failure> {
    let cannot = |why| Failure::other(format!("cannot read {}", path.display()), why);
    std::fs::read(path).map(Into::into).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_amount_is_a_size_unless_it_has_a_unit_of_time() {
        assert_eq!(amount("100"), Ok(Amount::Bytes(100)));
        assert_eq!(amount("0"), Ok(Amount::Bytes(0)));
        assert_eq!(amount("4K"), Ok(Amount::Bytes(4096)));
        assert_eq!(amount("2M"), Ok(Amount::Bytes(2 << 20)));
        assert_eq!(amount("2m"), Ok(Amount::Time(Duration::from_secs(120))));
        assert_eq!(amount("1.5s"), Ok(Amount::Time(Duration::from_millis(1500))));
        for bad in ["", "s", "4X", "1.5", "fast"] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }
}
