//! The command line as a whole: the table of subcommands, dispatch, and how a failure is shown.

use std::ffi::OsString;
use std::io::Write;
use std::num::{IntErrorKind, ParseIntError};

use clap::{ArgMatches, Command};

use crate::address::{self, Layer, Part};
use crate::commands::{self, Subcommand, log, stdout};
use crate::error::{Exit, Failure};
use crate::report::failure_json;

/// A subcommand: its name and what to do with it.
struct Row {
    name: &'static str,
    about: &'static str,
    usage: Exit,
    takes_addresses: bool,
    augment: fn(Command) -> Command,
    run: fn(&ArgMatches) -> Result<Exit, Failure>,
}

const fn row<C: Subcommand>() -> Row {
    Row {
        name: C::NAME,
        about: C::ABOUT,
        usage: C::USAGE,
        takes_addresses: C::TAKES_ADDRESSES,
        augment: |command| {
            let command =
                C::augment_args(command).about(C::ABOUT).long_about(None).before_long_help(C::EXAMPLES);
            let command = command.mut_subcommands(|nested| nested.help_template(HELP));
            match (C::TAKES_ADDRESSES, C::LANGUAGE) {
                (true, None) => command.after_long_help(addresses()),
                (true, Some(language)) => {
                    command.after_long_help(format!("Scripts: {language}\n{}", addresses()))
                }
                (false, _) => command,
            }
        },
        run: |matches| {
            C::from_arg_matches(matches).map_err(|why| usage_failure(&why.to_string(), C::NAME))?.run()
        },
    }
}

/// Every subcommand; a new one is a file in `commands/` and a line here.
const ROWS: &[Row] = &[
    row::<commands::run::Args>(),
    row::<commands::pipe::Args>(),
    row::<commands::connect::Args>(),
    row::<commands::listen::Args>(),
    row::<commands::relay::Args>(),
    row::<commands::cert::Args>(),
    row::<commands::chat::Args>(),
    row::<commands::tls_connect::Args>(),
    row::<commands::tls_serve::Args>(),
    row::<commands::trap::Args>(),
    row::<commands::echo_server::Args>(),
    row::<commands::wait::Args>(),
    row::<commands::resolve::Args>(),
];

const ABOUT: &str = "Interprocess communication and networking for shell people";

/// The tree of commands. What a subcommand takes is built only when it is the one that was typed.
pub fn command() -> Command {
    let spile = Command::new("spile")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .after_help("'spile COMMAND --help' tells more, examples first. Addresses: 'spile relay --help'.");
    spile.subcommands(
        ROWS.iter().map(|row| Command::new(row.name).about(row.about).help_template(HELP).defer(row.augment)),
    )
}

/// Examples come first: most readers need no more.
const HELP: &str = "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The schemes, for the long help of what takes addresses.
fn addresses() -> String {
    let line = |scheme: &address::Scheme| {
        let rest = if scheme.syntax.is_empty() { "" } else { ":" };
        format!("  {:<22} {}\n", format!("{}{rest}{}", scheme.name, scheme.syntax), scheme.help)
    };
    let lines: String = address::SCHEMES.iter().map(line).collect();
    format!("Addresses (more in spile-addresses(7)):\n  {:<22} TCP\n{lines}", "HOST:PORT")
}

/// Reads the command line, runs the subcommand, shows what failed.
pub fn main() -> Exit {
    let exit = answer();
    log::finish();
    exit
}

fn answer() -> Exit {
    let matches = match command().try_get_matches_from(words()) {
        Ok(matches) => matches,
        Err(error) => return show_usage(&error),
    };
    let Some((name, matches)) = matches.subcommand() else { return Exit::USAGE };
    let Some(row) = ROWS.iter().find(|row| row.name == name) else { return Exit::USAGE };
    match (row.run)(matches) {
        Ok(exit) => exit,
        Err(failure) => {
            match log::is_json(matches) {
                true => log::say(&failure_json(&failure).to_string()),
                false => show(commands::speaker(row.name), &failure),
            }
            if failure.exit == Exit::USAGE { row.usage } else { failure.exit }
        }
    }
}

/// The command line, with `-,raw` and `-!!ADDR` spelt out: to clap they look like flags.
fn words() -> Vec<OsString> {
    let takes_none = |name: OsString| ROWS.iter().any(|row| name == row.name && !row.takes_addresses);
    let mut is_command = std::env::args_os().nth(1).is_some_and(takes_none);
    let spell = |word: OsString| {
        is_command |= word == "--";
        match word.to_str().and_then(|text| text.strip_prefix('-')) {
            Some(rest) if !is_command && rest.starts_with([',', '!']) => format!("stdio{rest}").into(),
            _ => word,
        }
    };
    std::env::args_os().map(spell).collect()
}

/// Help and version go to stdout and are no failure; a reader that closed stdout is none either.
fn show_usage(error: &clap::Error) -> Exit {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return Exit::USAGE;
    }
    if !error.use_stderr() {
        let printed = stdout::can_be_written().and_then(|()| error.print());
        return match stdout::written(printed.and_then(|()| std::io::stdout().flush())) {
            Ok(_) => Exit::OK,
            Err(failure) => {
                show("", &failure);
                failure.exit
            }
        };
    }
    let typed = std::env::args_os().nth(1).unwrap_or_default();
    let row = ROWS.iter().find(|row| typed == row.name);
    let name = row.map(|row| row.name);
    let text = in_our_words(error);
    let mut failure = usage_failure(&text, &row.map_or("COMMAND".to_owned(), whole_name));
    if let Some(clap::error::ContextValue::String(flag)) = error.get(clap::error::ContextKind::InvalidArg)
        && let Some(hint) = name
            .and_then(|name| commands::nc_letters::hint(name, flag).map(str::to_owned))
            .or_else(|| flag_of_another_command(flag))
    {
        failure = failure.hint(hint);
    }
    show(name.unwrap_or(""), &failure);
    row.map_or(Exit::USAGE, |row| row.usage)
}

/// What clap says; where a number is wanted, Rust's words tell of digits, and not of that.
fn in_our_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let why = std::error::Error::source(error).and_then(|why| why.downcast_ref::<ParseIntError>());
    let Some(why) = why else { return text };
    let ours = match why.kind() {
        IntErrorKind::PosOverflow => "it is too large",
        IntErrorKind::NegOverflow => "it is too small",
        _ => "it must be a whole number",
    };
    text.replace(&why.to_string(), ours)
}

/// The name of what was typed, with that of a command of a command: `cert dev`.
fn whole_name(row: &Row) -> String {
    let nested = std::env::args_os().nth(2).unwrap_or_default();
    let command = (row.augment)(Command::new(row.name));
    match command.get_subcommands().find(|command| nested == command.get_name()) {
        Some(nested) => format!("{} {}", row.name, nested.get_name()),
        None => row.name.to_owned(),
    }
}

/// clap's paragraphs as one line and a hint, the form of all our failures.
fn usage_failure(text: &str, name: &str) -> Failure {
    let mut paragraphs = text.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    // clap's advice to put the flag after "--" would make it a command.
    let tip = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
    let tip = tip.filter(|tip| !tip.starts_with("to pass "));
    let hint = tip.map_or_else(|| format!("see 'spile {name} --help'"), str::to_owned);
    Failure::usage(line, "").hint(hint)
}

/// An option of addresses that this command has no use for: connecting and listening take different ones.
fn flag_of_another_command(flag: &str) -> Option<String> {
    let name = flag.strip_prefix("--")?;
    let row = address::OPTIONS.iter().find(|row| row.name == name)?;
    let is = |part, layer| row.is_flag(part, layer);
    let (to, command) = match is(Part::Listening, Layer::Plain) {
        true => ("listen on", "spile listen"),
        false if is(Part::Connecting, Layer::Plain) => ("connect to", "spile connect"),
        false if is(Part::Connecting, Layer::Tls) => ("connect to by TLS", "spile tls-connect"),
        false => ("listen on by TLS", "spile tls-serve"),
    };
    Some(format!("it is an option of addresses to {to}; see '{command} --help'"))
}

/// One line, then a hint where there is one. A closed stderr is no reason to die.
fn show(name: &str, failure: &Failure) {
    let mut text = format!("{}: {failure}\n", format!("spile {name}").trim_end());
    if let Some(hint) = &failure.hint {
        text += &format!("hint: {hint}\n");
    }
    log::put(text);
}
