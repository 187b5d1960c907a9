//! Man pages and shell completions, made from the tree of commands. They are checked in; a test compares.
//! `scripts/generate` renews them.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Command;
use clap_complete::{Shell, generate};

use crate::address::{OPTIONS, OptionRow, Part, SCHEMES, Scheme};
use crate::cli;
use crate::commands::{Subcommand, chat};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tree with everything that is otherwise built only when it is typed.
fn whole_tree() -> Command {
    let mut tree = cli::command().term_width(100);
    tree.build();
    tree
}

/// What each exit status means, from the table of the README.
fn statuses() -> impl Iterator<Item = (&'static str, &'static str)> {
    let readme = include_str!("../README.md").split("## Exit status").nth(1).unwrap();
    let rows =
        readme.lines().skip_while(|line| !line.starts_with("| ")).take_while(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.trim_matches('|').split_once(" | ");
    let rows = rows.filter_map(cells).map(|(status, meaning)| (status.trim(), meaning.trim()));
    rows.filter(|(status, _)| !status.is_empty())
}

/// Text as roff prints it as it is: no escapes, no requests, hyphens that can be searched and copied.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('…', "...");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// An indented block that keeps its lines.
fn verbatim(heading: &str, text: &str) -> String {
    let lines: String =
        text.lines().map(|line| roff(line.strip_prefix("  ").unwrap_or(line)) + "\n").collect();
    format!(".SH {heading}\n.nf\n{lines}.fi\n")
}

fn title(name: &str, section: u8) -> String {
    format!(".TH {name} {section} \"\" \"spile {}\" spile\n", env!("CARGO_PKG_VERSION"))
}

/// A paragraph under a tag; both are roff already.
fn tagged(tag: &str, text: &str) -> String {
    format!(".TP\n{tag}\n{text}.\n")
}

/// The page of spile itself.
fn main_page(tree: &Command) -> String {
    let about = |command: &Command| roff(&command.get_about().unwrap().to_string());
    let commands: String = tree
        .get_subcommands()
        .map(|command| tagged(&format!("\\fBspile\\-{}\\fR(1)", command.get_name()), &about(command)))
        .collect();
    let statuses: String =
        statuses().map(|(status, meaning)| tagged(&roff(status), &roff(&meaning.replace('`', "")))).collect();
    title("spile", 1)
        + &include_str!("generated/spile.roff")
            .replace("@ABOUT@\n", &(about(tree) + "\n"))
            .replace("@COMMANDS@\n", &commands)
            .replace("@STATUSES@\n", &statuses)
}

/// The page of a subcommand: what its long help says, in its order.
fn command_page(command: &Command) -> String {
    let name = format!("spile-{}", command.get_name());
    let about = command.get_about().unwrap().to_string();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().replace(['<', '>'], "");
    let examples = command.get_before_long_help().unwrap().to_string();
    let addresses = match usage.contains("ADDR") || usage.contains("TARGET") {
        true => {
            ".SH ADDRESSES\nWhat an \\fIADDR\\fR can be is told in \\fBspile\\-addresses\\fR(7); \
             \\fB\\-\\-explain\\fR says how one is read.\n"
        }
        false => "",
    };
    title(&name, 1)
        + &format!(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}\n", roff(&name), roff(&about), roff(&usage))
        + &verbatim("EXAMPLES", examples.trim_start_matches("Examples:\n"))
        + &options(command)
        + &language(command)
        + &command.get_subcommands().map(nested).collect::<String>()
        + addresses
        + ".SH EXIT STATUS\nSee \\fBspile\\fR(1).\n\
           .SH SEE ALSO\n\\fBspile\\fR(1), \\fBspile\\-addresses\\fR(7)\n"
}

/// The language of a command's scripts.
fn language(command: &Command) -> String {
    match command.get_name() {
        chat::Args::NAME => verbatim("SCRIPTS", chat::Args::LANGUAGE.unwrap()),
        _ => String::new(),
    }
}

/// A command of a command, within the page of that.
fn nested(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().replace(['<', '>'], "");
    let about = command.get_about().unwrap().to_string();
    let examples = command.get_before_long_help().unwrap().to_string();
    let examples: String = examples
        .trim_start_matches("Examples:\n")
        .lines()
        .map(|line| roff(line.strip_prefix("  ").unwrap_or(line)) + "\n")
        .collect();
    let options = options(command);
    let options = options.replacen(".SH OPTIONS\n", "", 1);
    format!(
        ".SH {}\n\\fB{}\\fR\n.PP\n{}.\n.PP\n.nf\n{examples}.fi\n{options}",
        roff(command.get_name()).to_uppercase(),
        roff(&usage),
        roff(&about)
    )
}

/// Every option, also those that only the long help shows.
fn options(command: &Command) -> String {
    let mut text = Vec::new();
    let command = command.clone().mut_args(|arg| arg.hide_short_help(false));
    clap_mangen::Man::new(command.clone()).render_options_section(&mut text).unwrap();
    // clap_mangen shouts headings: "500ms" would turn into "500MS".
    let text = String::from_utf8(text).unwrap();
    command
        .get_arguments()
        .filter_map(|arg| arg.get_help_heading())
        .fold(text, |text, heading| text.replace(&heading.to_uppercase(), heading))
}

fn completion(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut whole_tree(), "spile", &mut script);
    String::from_utf8(script).unwrap()
}

/// spile-addresses(7), from the tables that the parser reads.
fn addresses_page() -> String {
    title("spile-addresses", 7)
        + include_str!("generated/addresses.roff")
        + ".SH SCHEMES\n"
        + &SCHEMES.iter().map(scheme_entry).collect::<String>()
        + ".SH OPTIONS\n"
        + &OPTIONS.iter().map(option_entry).collect::<String>()
        + ".SH SEE ALSO\n\\fBspile\\fR(1), \\fBspile\\-relay\\fR(1), \\fBsocat\\fR(1)\n"
}

fn scheme_entry(scheme: &Scheme) -> String {
    let rest = if scheme.syntax.is_empty() { String::new() } else { format!(":{}", scheme.syntax) };
    let (name, rest) = (roff(scheme.name), roff(&rest));
    let listen = if scheme.listens { format!(", {name}\\-l{rest}") } else { String::new() };
    tagged(&format!("\\fB{name}{rest}{listen}\\fR"), &roff(scheme.help))
}

fn option_entry(row: &OptionRow) -> String {
    let value = match row.bare() {
        Some("yes") => "[=yes|no]".to_owned(),
        Some(_) => format!("[=\\fI{}\\fR]", roff(row.metavar)),
        None => format!("=\\fI{}\\fR", roff(row.metavar)),
    };
    let also = match row.aliases {
        [] => String::new(),
        aliases => format!(" Also written {}.", roff(&aliases.join(", "))),
    };
    tagged(&format!("\\fB{}\\fR{value}", roff(row.name)), &roff(row.help))
        + &format!(".br\n{}{also}\n", roff(&takers(row)))
}

/// Which schemes take an option, and in which part where it is not both.
fn takers(row: &OptionRow) -> String {
    let fits =
        |scheme: &Scheme, part| row.fits(scheme.groups, part) && (part == Part::Connecting || scheme.listens);
    let both = |scheme: &Scheme| {
        let (connecting, listening) = (fits(scheme, Part::Connecting), fits(scheme, Part::Listening));
        connecting && (listening || !scheme.listens)
    };
    let names = |wanted: &dyn Fn(&Scheme) -> bool| {
        SCHEMES
            .iter()
            .filter(|scheme| wanted(scheme))
            .map(|scheme| scheme.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let only = |part| names(&|scheme| fits(scheme, part) && !both(scheme));
    [
        (names(&both), ""),
        (only(Part::Connecting), " where they connect"),
        (only(Part::Listening), " where they listen"),
    ]
    .iter()
    .filter(|(names, _)| !names.is_empty())
    .map(|(names, when)| format!("For {names}{when}."))
    .collect::<Vec<_>>()
    .join(" ")
}

/// What Python's modules are on the command line: the pages but for their titles.
const PYTHON_PAGES: [(&str, &str); 6] = [
    ("spile-python", include_str!("generated/python.roff")),
    ("spile-python-asynchat", include_str!("generated/python_asynchat.roff")),
    ("spile-python-asyncore", include_str!("generated/python_asyncore.roff")),
    ("spile-python-popen2", include_str!("generated/python_popen2.roff")),
    ("spile-python-signal", include_str!("generated/python_signal.roff")),
    ("spile-python-ssl", include_str!("generated/python_ssl.roff")),
];

/// Every generated file with its content.
fn files() -> BTreeMap<String, String> {
    let tree = whole_tree();
    let commands = tree
        .get_subcommands()
        .map(|command| (format!("man/spile-{}.1", command.get_name()), command_page(command)));
    let others = [
        ("man/spile.1", main_page(&tree)),
        ("man/spile-addresses.7", addresses_page()),
        ("completions/spile.bash", completion(Shell::Bash)),
        ("completions/_spile", completion(Shell::Zsh)),
        ("completions/spile.fish", completion(Shell::Fish)),
    ];
    let python = PYTHON_PAGES.map(|(name, text)| (format!("man/{name}.7"), title(name, 7) + text));
    commands.chain(others.map(|(path, text)| (path.to_owned(), text))).chain(python).collect()
}

#[test]
fn man_pages_and_completions_are_as_the_command_line_is() {
    let renew = std::env::var_os("SPILE_RENEW").is_some();
    for (path, wanted) in files() {
        let path = root().join(path);
        if renew {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is stale: run scripts/generate", path.display());
    }
}

#[test]
fn every_flag_has_a_sentence_of_help() {
    let tree = whole_tree();
    for command in tree.get_subcommands().flat_map(|command| command.get_subcommands().chain([command])) {
        for arg in command.get_arguments() {
            let helped = arg.get_help().is_some() || arg.is_hide_set();
            assert!(helped, "spile {} {}", command.get_name(), arg.get_id());
        }
    }
}
