//! Flags that several subcommands share, and the address words with their options.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::address::{self, Address, End, Family, Key, Net, Options, Role, Target};
use crate::endpoint::{Connection, CrLf, Endpoint, Sink, Source, VariableNames};
use crate::error::Failure;
use crate::relay::{Finish, Limits};

/// A clap value parser for durations.
pub fn duration(text: &str) -> Result<Duration, String> {
    address::duration(text)
}

/// The address words, and the command after `--`.
#[derive(Clone, Debug, clap::Args)]
pub struct WordsArgs {
    /// Address, or HOST and PORT in two words
    #[arg(value_name = "ADDR", required = true, num_args = 1..)]
    words: Vec<String>,
    /// Command to run in place of stdin and stdout
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
    /// Print how the addresses are read as JSON, and open nothing
    #[arg(long)]
    explain: bool,
}

/// Which Internet protocol is meant.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct FamilyArgs {
    /// IPv4 alone
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// IPv6 alone
    #[arg(short = '6')]
    v6: bool,
    /// UDP instead of TCP
    #[arg(short = 'u', long)]
    udp: bool,
    /// Never ask a name server: hosts are numeric
    #[arg(short = 'n', long)]
    numeric: bool,
}

impl FamilyArgs {
    /// Applies the flags to an Internet address; a scheme that says the opposite wins over nobody: it is an error.
    fn apply(self, end: &mut End) -> Result<(), Failure> {
        let Target::Net { net, family, host, .. } = &mut end.target else { return Ok(()) };
        if self.udp {
            *net = Net::Udp;
        }
        if self.v4 || self.v6 {
            *family = if self.v4 { Family::V4 } else { Family::V6 };
        }
        if let (true, address::Host::Name(name)) = (self.numeric, &*host)
            && crate::endpoint::numeric(name, 0).is_none()
        {
            return Err(Failure::usage(
                format!("host '{name}'"),
                "is no numeric address, and -n asks for one",
            ));
        }
        Ok(())
    }
}

impl WordsArgs {
    /// The command after `--`; empty when there is none.
    pub fn command(&self) -> &[OsString] {
        &self.command
    }

    /// Who speaks on our side, for messages: the command, or stdio.
    pub fn speaker(&self) -> String {
        match self.command.first() {
            Some(program) => program.to_string_lossy().into_owned(),
            None => "stdio".to_owned(),
        }
    }

    /// One address, which may be typed as HOST PORT.
    pub fn one(&self, role: Role, family: &FamilyArgs, flags: &AddressFlags) -> Result<Address, Failure> {
        let address = match &self.words[..] {
            [one] => Address::parse(one, role)?,
            [host, port] => {
                Address::host_port(host, port, role, if family.udp { Net::Udp } else { Net::Tcp })?
            }
            [_, _, third, ..] => {
                return Err(Failure::usage(format!("'{third}'"), "is one word too many")
                    .hint("an address is one word, or HOST and PORT; a command comes after --"));
            }
            [] => return Err(Failure::usage("address", "is missing")),
        };
        configure(address, family, flags)
    }

    /// The two sides of a relay; the right one may be the command.
    pub fn two(
        &self,
        family: &FamilyArgs,
        flags: &AddressFlags,
    ) -> Result<(Address, Option<Address>), Failure> {
        let parse = |word| Address::parse(word, Role::Relay).and_then(|a| configure(a, family, flags));
        match (&self.words[..], self.command.is_empty()) {
            ([left, right], true) => {
                let right = parse(right)?;
                if right.listener().is_some() {
                    return Err(Failure::usage(format!("'{right}'"), "listens, but is on the right")
                        .hint("the listening side of a relay is the left one"));
                }
                Ok((parse(left)?, Some(right)))
            }
            ([left], false) => Ok((parse(left)?, None)),
            ([_], true) => Err(Failure::usage("the right side", "is missing")
                .hint("spile relay LEFT RIGHT, or spile relay LEFT -- CMD")),
            (words, _) => {
                Err(Failure::usage(format!("'{}'", words[words.len() - 1]), "is one word too many")
                    .hint("a relay has two sides: LEFT RIGHT, or LEFT -- CMD"))
            }
        }
    }

    /// All addresses, each one word or HOST followed by ports.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Prints how the addresses are read, when that was asked for.
    pub fn explain(&self, addresses: &[&Address]) -> bool {
        use std::io::Write as _;
        if self.explain {
            let all: Vec<_> = addresses.iter().map(|address| address.explain()).collect();
            let object = serde_json::json!({"schema": "spile.addresses/1", "addresses": all});
            let _ = writeln!(std::io::stdout(), "{object:#}");
        }
        self.explain
    }
}

/// Applies family flags and address options typed as flags to every end of an address.
pub fn configure(
    mut address: Address,
    family: &FamilyArgs,
    flags: &AddressFlags,
) -> Result<Address, Failure> {
    let ends: Vec<&mut End> = match &mut address {
        Address::One(end) => vec![end],
        Address::Dual(read, write) => vec![read, write],
    };
    for end in ends {
        family.apply(end)?;
        end.options = flags.options.under(&end.options);
    }
    Ok(address)
}

/// Every option of the address language as a flag: `--nodelay no` is `nodelay=no` on the network side.
#[derive(Clone, Debug, Default)]
pub struct AddressFlags {
    /// The options given, in the order of the table.
    pub options: Options,
}

/// nc's letters for some of them.
const LETTERS: &[(Key, char)] = &[(Key::Bind, 's'), (Key::SourcePort, 'p'), (Key::ConnectTimeout, 'w')];

impl clap::Args for AddressFlags {
    fn augment_args(command: Command) -> Command {
        let mut command = command.next_help_heading("Options of the address (name=value in an address)");
        for row in address::OPTIONS.iter().filter(|row| row.is_flag()) {
            let mut arg = Arg::new(row.name)
                .long(row.name)
                .value_name(row.metavar)
                .help(row.help)
                .hide_short_help(true)
                .action(ArgAction::Append)
                .value_parser(|text: &str| Ok::<_, String>(text.to_owned()));
            if row.is_switch() {
                arg = arg.num_args(0..=1).require_equals(true).default_missing_value("yes");
            }
            if let Some((_, letter)) = LETTERS.iter().find(|(key, _)| *key == row.key) {
                arg = arg.short(*letter).hide_short_help(false);
            }
            command = command.arg(arg);
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        AddressFlags::augment_args(command)
    }
}

impl clap::FromArgMatches for AddressFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<AddressFlags, clap::Error> {
        let mut options = Options::default();
        for row in address::OPTIONS.iter().filter(|row| row.is_flag()) {
            for text in matches.get_many::<String>(row.name).into_iter().flatten() {
                let value = row.read(Some(text)).map_err(|why| {
                    let text = format!("invalid value '{text}' for '--{}': {why}\n", row.name);
                    clap::Error::raw(clap::error::ErrorKind::ValueValidation, text)
                })?;
                options.push(row.key, value);
            }
        }
        Ok(AddressFlags { options })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = AddressFlags::from_arg_matches(matches)?;
        Ok(())
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
    /// Leave after this much silence once our input has ended
    #[arg(short = 'q', long, value_name = "TIME", value_parser = duration)]
    pub quit_after: Option<Duration>,
    /// Leave after this many datagrams have come
    #[arg(short = 'W', long, value_name = "N")]
    datagrams: Option<u32>,
    /// Go on sending after the peer has ended
    #[arg(short = 'K', long)]
    keep_sending: bool,
}

impl EndArgs {
    /// What counts as done, where it is `usual` without these flags.
    pub fn finish(self, usual: Finish) -> Finish {
        match self.datagrams {
            Some(n) => Finish::Messages(n),
            None if self.keep_sending && usual == Finish::RightEnds => Finish::BothEnd,
            None => usual,
        }
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
    preamble: Option<std::path::PathBuf>,
    /// End after this many bytes have been received
    #[arg(long, value_name = "SIZE", value_parser = address::size)]
    max_bytes: Option<u64>,
}

impl Filters {
    /// Puts the filters between our side, the left one, and the peer.
    pub fn apply(
        &self,
        (mut local, peer): (Endpoint, Endpoint),
        escape: Option<&str>,
    ) -> Result<(Endpoint, Endpoint), Failure> {
        if let Some(key) = escape {
            local.source = local.source.until_byte(escape_byte(key)?);
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

/// `^]`, `^C`, a single character, or a number.
fn escape_byte(key: &str) -> Result<u8, Failure> {
    match key.as_bytes() {
        [b'^', letter] => Ok(letter.to_ascii_uppercase() & 0x1f),
        [byte] => Ok(*byte),
        _ => key.strip_prefix("0x").and_then(|hex| u8::from_str_radix(hex, 16).ok()).ok_or_else(|| {
            Failure::usage(format!("--escape {key}"), "is no key").hint("for example ^] or 0x1d")
        }),
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
