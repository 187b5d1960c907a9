//! Flags of a session that several subcommands share.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::log::LogArgs;
use super::outcome::ReportArgs;
use super::shape::ShapeArgs;
use super::taps::TapArgs;
use crate::address::{self, Address};
use crate::endpoint::{Connection, CrLf, Endpoint, Sink, Source, VariableNames};
use crate::error::Failure;
use crate::relay::{Finish, Limits, Side};

/// A clap value parser for durations.
pub fn duration(text: &str) -> Result<Duration, String> {
    address::duration(text)
}

/// A clap value parser for the size of a terminal: columns and rows.
pub fn terminal_size(text: &str) -> Result<(u16, u16), String> {
    let number = |word: &str| word.parse().ok().filter(|number| *number > 0);
    let both = text.split_once(['x', 'X']).and_then(|(cols, rows)| Some((number(cols)?, number(rows)?)));
    both.ok_or_else(|| "it is COLSxROWS, for example 80x24".to_owned())
}

/// A clap value parser for files that cannot be stdout: `-` would be a file of that name.
pub fn file_name(word: OsString) -> Result<PathBuf, String> {
    match word == "-" {
        true => Err("it must be a file; one of that name is ./-".to_owned()),
        false => Ok(word.into()),
    }
}

/// What every command that runs sessions takes.
#[derive(Clone, Debug, clap::Args)]
pub struct SessionArgs {
    /// Which ways bytes go.
    #[command(flatten)]
    pub direction: Direction,
    /// What is told at the end.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What is told meanwhile.
    #[command(flatten)]
    pub log: LogArgs,
    /// What looks at the bytes.
    #[command(flatten)]
    pub taps: TapArgs,
    /// What holds them back.
    #[command(flatten)]
    shape: ShapeArgs,
    /// When it ends whatever happens.
    #[command(flatten)]
    pub time: TimeArgs,
}

impl SessionArgs {
    /// Puts what looks at bytes or holds them back between the two ends of connection `id`; `peer` is the side
    /// that captures are named after.
    pub fn pass(
        &self,
        ends: (Endpoint, Endpoint),
        peer: Side,
        id: u64,
    ) -> Result<(Endpoint, Endpoint), Failure> {
        self.taps.apply(self.shape.apply(ends), peer, id)
    }
}

/// One-way sessions.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Direction {
    /// Do not read stdin
    #[arg(short = 'd', long)]
    no_stdin: bool,
    /// Send only: what comes back is thrown away, and the end of what is sent is the end
    #[arg(long, conflicts_with = "recv_only")]
    pub send_only: bool,
    /// Receive only: nothing is sent
    #[arg(long)]
    pub recv_only: bool,
    /// Half-close when the input ends (always done; nc's letter)
    #[arg(short = 'N', hide = true)]
    half_close: bool,
}

impl Direction {
    /// True when stdin is to be left alone.
    pub fn no_stdin(self) -> bool {
        self.no_stdin || self.recv_only
    }

    /// Cuts the direction that is not wanted; left is our side.
    pub fn apply(self, (mut left, mut right): (Endpoint, Endpoint)) -> (Endpoint, Endpoint) {
        if self.send_only {
            left.sink = Sink::Discard;
        }
        if self.recv_only {
            left.source = Source::Silent;
            if right.is_datagram() {
                right.sink = Sink::Discard;
            }
        }
        (left, right)
    }
}

/// When a session over stdio has done its work.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct EndArgs {
    #[command(flatten)]
    stream: StreamEndArgs,
    /// Leave after this many datagrams have come
    #[arg(short = 'W', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    datagrams: Option<u32>,
}

/// The same where there are no datagrams.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct StreamEndArgs {
    /// Leave after this much silence once our input has ended
    #[arg(short = 'q', long, value_name = "TIME", value_parser = duration)]
    pub quit_after: Option<Duration>,
    /// Go on sending after the peer has ended
    #[arg(short = 'K', long)]
    keep_sending: bool,
}

impl StreamEndArgs {
    /// What counts as done, where it is `usual` without these flags.
    pub fn finish(self, usual: Finish) -> Finish {
        if self.keep_sending && usual == Finish::RightEnds { Finish::BothEnd } else { usual }
    }
}

impl EndArgs {
    /// Fails where messages are to be counted and `address` has none.
    pub fn check(self, address: &Address) -> Result<(), Failure> {
        let fits = match address {
            Address::One(end) | Address::Dual(end, _) => end.may_have_messages(),
        };
        match self.datagrams {
            Some(_) if !fits => {
                let failure = Failure::usage("flag --datagrams (-W)", format!("is not for {address}"));
                Err(failure.hint("a stream has no datagrams to count; --max-bytes ends after so many bytes"))
            }
            _ => Ok(()),
        }
    }

    /// What counts as done, where it is `usual` without these flags.
    pub fn finish(self, usual: Finish) -> Finish {
        match self.datagrams {
            Some(n) => Finish::Messages(n),
            None => self.stream.finish(usual),
        }
    }

    /// How much silence ends a session once our input has ended.
    pub fn quit_after(self) -> Option<Duration> {
        self.stream.quit_after
    }
}

/// How a command after `--`, or a program in an address, is run.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct ProgramArgs {
    /// Give the command a terminal
    #[arg(long)]
    pub pty: bool,
    /// Exit 0 whatever the command's own status is
    #[arg(long)]
    pub ignore_child_status: bool,
    /// Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR,
    /// NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)
    #[arg(long)]
    compat_env: bool,
}

impl ProgramArgs {
    /// The connection as the command is told of it.
    pub fn told(self, connection: Connection) -> Connection {
        let names = if self.compat_env { VariableNames::Compatible } else { VariableNames::Own };
        Connection { names, ..connection }
    }
}

/// What is changed in the bytes that stdin sends.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filters {
    /// Send line ends as CR LF
    #[arg(short = 'C', long)]
    crlf: bool,
    /// Send this file first
    #[arg(long, value_name = "FILE")]
    preamble: Option<PathBuf>,
    /// End after this many bytes have been received
    #[arg(long, value_name = "SIZE", value_parser = address::size)]
    max_bytes: Option<u64>,
}

impl Filters {
    /// Puts the filters between our side, the left one, and the peer.
    pub fn apply(
        &self,
        (mut local, peer): (Endpoint, Endpoint),
        escape: Option<u8>,
    ) -> Result<(Endpoint, Endpoint), Failure> {
        if let Some(key) = escape {
            local.source = local.source.until_byte(key);
        }
        if self.crlf {
            local.source = CrLf::around(local.source);
        }
        if let Some(path) = &self.preamble {
            let bytes = std::fs::read(path)
                .map_err(|why| Failure::other(format!("cannot read {}", path.display()), why))?;
            let first = Source::Fixed(Box::new(std::io::Cursor::new(bytes)));
            local.source = Source::Chain(Box::new((first, local.source)));
        }
        if let Some(limit) = self.max_bytes {
            local.sink = local.sink.at_most(limit);
        }
        Ok((local, peer))
    }
}

/// A clap value parser for keys: `^]`, `^C`, a single character, or a number.
pub fn key(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [b'^', letter] => Ok(letter.to_ascii_uppercase() & 0x1f),
        [byte] => Ok(*byte),
        _ => text
            .strip_prefix("0x")
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .ok_or_else(|| format!("'{text}' is no key; for example ^] or 0x1d")),
    }
}

/// Time limits of a session.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Time limits (500ms 5s 2m 1h; a bare number is seconds)")]
pub struct TimeArgs {
    /// End when nothing has moved for this long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    idle_timeout: Option<Duration>,
    /// End when one side has ended and nothing has moved for this long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    eof_timeout: Option<Duration>,
    /// End after this long, whatever happens
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub deadline: Option<Duration>,
}

impl TimeArgs {
    /// Adds these limits to those of the subcommand.
    pub fn apply(self, limits: Limits) -> Limits {
        Limits {
            idle: self.idle_timeout.or(limits.idle),
            half_closed: self.eof_timeout.or(limits.half_closed),
            half_closed_is_fine: limits.half_closed_is_fine && self.eof_timeout.is_none(),
            deadline: self.deadline,
            ..limits
        }
    }
}
