//! The address words of a command line, and the flags that say more about what they name.

use std::ffi::OsString;
use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::reading::ReadingArgs;
use crate::address::{self, Address, End, Key, Layer, Net, OptionRow, Options, Part, Role, Target};
use crate::error::{Exit, Failure};

/// The address words, what flags say of them, and the command after `--`.
#[derive(Clone, Debug, clap::Args)]
pub struct WordsArgs {
    /// Address, or HOST and PORT in two words
    #[arg(value_name = "ADDR", required = true, num_args = 1..)]
    words: Vec<String>,
    /// Command to run in place of stdin and stdout
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
    #[command(flatten)]
    reading: ReadingArgs,
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
    pub fn one<S: Side>(&self, role: Role, flags: &AddressFlags<S>) -> Result<Address, Failure> {
        let mut address = match &self.words[..] {
            [one] => Address::parse_over(S::LAYER, one, role)?,
            [host, port] => Address::host_port(host, port, role, Net::Tcp)?.over(S::LAYER),
            [_, _, third, ..] => {
                return Err(Failure::usage(format!("'{third}'"), "is one word too many")
                    .hint("an address is one word, or HOST and PORT; a command comes after --"));
            }
            [] => return Err(Failure::usage("address", "is missing")),
        };
        self.configure([&mut address], &flags.options, role)?;
        Ok(address)
    }

    /// The two sides of a relay; the right one may be the command.
    pub fn two(&self, flags: &Options) -> Result<(Address, Option<Address>), Failure> {
        let parse = |word| Address::parse(word, Role::Relay);
        let (mut left, mut right) = match (&self.words[..], self.command.is_empty()) {
            ([left, right], true) => {
                let right = Address::parse_right(right)?;
                (parse(left)?, Some(right))
            }
            ([left], false) => (parse(left)?, None),
            ([_], true) => {
                return Err(Failure::usage("the right side", "is missing")
                    .hint("spile relay LEFT RIGHT, or spile relay LEFT -- CMD"));
            }
            (words, _) => {
                return Err(Failure::usage(format!("'{}'", words[words.len() - 1]), "is one word too many")
                    .hint("a relay has two sides: LEFT RIGHT, or LEFT -- CMD"));
            }
        };
        self.configure(std::iter::once(&mut left).chain(&mut right), flags, Role::Relay)?;
        Ok((left, right))
    }

    /// Every word as an address that can be asked whether it answers, except `HOST PORT…`: a host is followed by
    /// ports and ranges of ports.
    pub fn all(&self, role: Role, flags: &Options) -> Result<Vec<Address>, Failure> {
        let is_ports = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let mut all = Vec::new();
        match &self.words[..] {
            [host, ports @ ..] if !ports.is_empty() && ports.iter().all(is_ports) && !host.contains('/') => {
                for word in ports {
                    for port in port_range(word)? {
                        all.push(Address::host_port(host, &port.to_string(), role, Net::Tcp)?);
                    }
                }
            }
            words => {
                for word in words {
                    let mut address = Address::parse(word, role)?;
                    address.ends().into_iter().try_for_each(|end| answers(end))?;
                    all.push(address);
                }
            }
        }
        self.configure(&mut all, flags, role)?;
        Ok(all)
    }

    /// Every word as an address that is listened on.
    pub fn listening<S: Side>(&self, flags: &AddressFlags<S>) -> Result<Vec<Address>, Failure> {
        if let Some(program) = self.command.first() {
            let program = format!("'{}'", program.to_string_lossy());
            return Err(Failure::usage(program, "is one word too many").hint("no program is run here"));
        }
        let parsed = self.words.iter().map(|word| Address::parse_over(S::LAYER, word, Role::Listen));
        let mut all = parsed.collect::<Result<Vec<_>, _>>()?;
        self.configure(&mut all, &flags.options, Role::Listen)?;
        Ok(all)
    }

    /// Applies what flags say to every end that it means something to. What means nothing to any is refused.
    fn configure<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a mut Address>,
        flags: &Options,
        role: Role,
    ) -> Result<(), Failure> {
        self.reading.configure(addresses, flags, role)
    }

    /// Prints how the addresses are read, where that was asked for in place of doing anything.
    pub fn explain(&self, addresses: &[&Address]) -> Option<Result<Exit, Failure>> {
        self.reading.explain(addresses)
    }
}

/// To look at a file or to start a program would change something: only sockets can be asked.
fn answers(end: &End) -> Result<(), Failure> {
    match end.target {
        Target::Net { .. } | Target::Unix { .. } | Target::Vsock { .. } => Ok(()),
        _ => Err(Failure::usage(format!("'{end}'"), "is nothing that answers")
            .hint("what can be looked at: HOST:PORT, udp:, vsock:, the path of a Unix socket")),
    }
}

fn port_range(word: &str) -> Result<std::ops::RangeInclusive<u16>, Failure> {
    let bad = || Failure::usage(format!("'{word}'"), "is no port and no range LOW-HIGH");
    let (low, high) = word.split_once('-').unwrap_or((word, word));
    let (low, high) = (low.parse().map_err(|_| bad())?, high.parse().map_err(|_| bad())?);
    if low > high || low == 0 { Err(bad()) } else { Ok(low..=high) }
}

/// The parts that the network side of a command can play; they decide which options are its flags.
pub trait Side: Clone + std::fmt::Debug + Default + Send + Sync + 'static {
    /// Those parts.
    const PARTS: &'static [Part];
    /// What is spoken there.
    const LAYER: Layer = Layer::Plain;
    /// What else can be spoken there, if an address says so.
    const ALSO: &'static [Layer] = &[];
    /// Options that are said in the address alone: their names mean something else to the command.
    const UNFLAGGED: &'static [Key] = &[];
}

/// `connect` and `wait`.
#[derive(Clone, Debug, Default)]
pub struct Connects;

/// `listen`.
#[derive(Clone, Debug, Default)]
pub struct Listens;

/// `tls-connect`.
#[derive(Clone, Debug, Default)]
pub struct ConnectsTls;

/// `tls-serve`.
#[derive(Clone, Debug, Default)]
pub struct ListensTls;

/// `relay`.
#[derive(Clone, Debug, Default)]
pub struct Either;

/// `echo-server`.
#[derive(Clone, Debug, Default)]
pub struct ListensToAny;

/// `chat`.
#[derive(Clone, Debug, Default)]
pub struct Converses;

impl Side for Connects {
    const PARTS: &'static [Part] = &[Part::Connecting];
}

impl Side for Listens {
    const PARTS: &'static [Part] = &[Part::Listening];
}

impl Side for ConnectsTls {
    const PARTS: &'static [Part] = &[Part::Connecting];
    const LAYER: Layer = Layer::Tls;
}

impl Side for ListensTls {
    const PARTS: &'static [Part] = &[Part::Listening];
    const LAYER: Layer = Layer::Tls;
}

impl Side for Either {
    const PARTS: &'static [Part] = &Part::ALL;
}

impl Side for ListensToAny {
    const PARTS: &'static [Part] = &[Part::Listening];
    const ALSO: &'static [Layer] = &[Layer::Tls];
    const UNFLAGGED: &'static [Key] = &[Key::Mode];
}

impl Side for Converses {
    const PARTS: &'static [Part] = &Part::ALL;
    const ALSO: &'static [Layer] = &[Layer::Tls];
}

/// The options of the address language as flags: `--nodelay no` is `nodelay=no` on the network side.
#[derive(Clone, Debug, Default)]
pub struct AddressFlags<S: Side> {
    /// The options given, in the order of the table.
    pub options: Options,
    side: PhantomData<S>,
}

/// nc's letters for some of them.
const LETTERS: &[(Key, char)] = &[(Key::Bind, 's'), (Key::SourcePort, 'p'), (Key::ConnectTimeout, 'w')];

fn rows<S: Side>() -> impl Iterator<Item = &'static OptionRow> {
    let in_part = |row: &OptionRow, part: &Part| {
        S::ALSO.iter().chain([&S::LAYER]).any(|layer| row.is_flag(*part, *layer))
    };
    let fits = move |row: &&OptionRow| S::PARTS.iter().any(|part| in_part(row, part));
    address::OPTIONS.iter().filter(fits).filter(|row| !S::UNFLAGGED.contains(&row.key))
}

impl<S: Side> clap::Args for AddressFlags<S> {
    fn augment_args(command: Command) -> Command {
        let mut command = command.next_help_heading("Options of the address (name=value in an address)");
        for row in rows::<S>() {
            let mut arg = Arg::new(row.name)
                .long(row.name)
                .value_name(row.metavar)
                .help(row.help)
                .hide_short_help(true)
                .action(ArgAction::Append)
                .value_parser(|text: &str| Ok::<_, String>(text.to_owned()));
            if let Some(bare) = row.bare() {
                arg = arg.num_args(0..=1).require_equals(true).default_missing_value(bare);
            }
            if let Some((_, letter)) = LETTERS.iter().find(|(key, _)| *key == row.key) {
                arg = arg.short(*letter).hide_short_help(false);
            }
            // There it is the handshake, too: `--timeout` says more.
            if (row.key, S::LAYER) == (Key::ConnectTimeout, Layer::Tls) {
                arg = arg.visible_alias("timeout");
            }
            command = command.arg(arg);
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        AddressFlags::<S>::augment_args(command)
    }
}

impl<S: Side> clap::FromArgMatches for AddressFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<AddressFlags<S>, clap::Error> {
        let mut options = Options::default();
        for row in rows::<S>() {
            for text in matches.get_many::<String>(row.name).into_iter().flatten() {
                let value = row.read(Some(text)).map_err(|why| {
                    let shown = if row.may_be_secret() { String::new() } else { format!("'{text}' ") };
                    let text = format!("invalid value {shown}for '--{}': {why}\n", row.name);
                    clap::Error::raw(clap::error::ErrorKind::ValueValidation, text)
                })?;
                options.push(row.key, value);
            }
        }
        Ok(AddressFlags { options, side: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = AddressFlags::from_arg_matches(matches)?;
        Ok(())
    }
}
