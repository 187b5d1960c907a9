//! Man pages and shell completions, made from the tree of commands. They are checked in; a test compares.
//! `scripts/generate` renews them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::{Shell, generate};

use crate::address::{OPTIONS, OptionRow, Part, SCHEMES, Scheme};
use crate::cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tree with everything that is otherwise built only when it is typed.
fn whole_tree() -> Command {
    let mut tree = cli::command().term_width(100);
    tree.build();
    tree
}

/// What each exit status means; README has the same table.
const STATUSES: &[(&str, &str)] = &[
    ("0", "done, nothing lost"),
    ("1", "anything not named below"),
    ("2", "the command line or an address cannot be read"),
    ("4", "an expectation was not met (`wait --expect` with `--retry`)"),
    ("6, 7", "a name does not resolve; cannot connect or listen"),
    ("18", "cut: the connection was reset; what had come before was delivered"),
    ("124", "a time limit ran out (the message names it)"),
    ("125, 126, 127", "a program could not be started, cannot be run, does not exist"),
    ("130, 141, 143", "ended by INT; stdout was closed by its reader; ended by TERM"),
    ("the child's own", "of a single `-- CMD`"),
];

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

/// The page of spile itself.
fn main_page(tree: &Command) -> Vec<u8> {
    let mut page = title("spile", 1)
        + ".SH NAME\nspile \\- "
        + &roff(&tree.get_about().unwrap().to_string())
        + "\n.SH SYNOPSIS\n\\fBspile\\fR \\fICOMMAND\\fR [\\fIARG\\fR...]\n.br\n\\fBspile \\-\\-help\\fR | \\fB\\-\\-version\\fR\n\
           .SH DESCRIPTION\nspile moves bytes between anything and anything: TCP, UDP, Unix sockets, files, programs,\n\
           terminals. What can be opened, and how it is written, is the same for every command:\n\
           \\fBspile\\-addresses\\fR(7).\n.PP\nStandard output is for data alone. What spile says goes to standard error, \
           one line each.\n.SH COMMANDS\n";
    for command in tree.get_subcommands() {
        let about = roff(&command.get_about().unwrap().to_string());
        let _ = writeln!(page, ".TP\n\\fBspile\\-{}\\fR(1)\n{about}.", command.get_name());
    }
    page += ".SH EXIT STATUS\n";
    for (status, meaning) in STATUSES {
        let _ = writeln!(page, ".TP\n{}\n{}.", roff(status), roff(&meaning.replace('`', "")));
    }
    page += ".SH SEE ALSO\n\\fBspile\\-addresses\\fR(7), \\fBsocat\\fR(1), \\fBnc\\fR(1)\n";
    page.into_bytes()
}

/// The page of a subcommand: what its long help says, in its order.
fn command_page(command: &Command) -> Vec<u8> {
    let name = format!("spile-{}", command.get_name());
    let about = roff(&command.get_about().unwrap().to_string());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().replace(['<', '>'], "");
    let examples = command.get_before_long_help().unwrap().to_string();
    let mut page = title(&name, 1);
    let _ = write!(page, ".SH NAME\n{} \\- {about}\n.SH SYNOPSIS\n{}\n", roff(&name), roff(&usage));
    page += &verbatim("EXAMPLES", examples.trim_start_matches("Examples:\n"));
    page += &options(command);
    if usage.contains("ADDR") {
        page += ".SH ADDRESSES\nWhat an \\fIADDR\\fR can be is told in \\fBspile\\-addresses\\fR(7); \
                 \\fB\\-\\-explain\\fR says how one is read.\n";
    }
    page += ".SH EXIT STATUS\nSee \\fBspile\\fR(1).\n\
             .SH SEE ALSO\n\\fBspile\\fR(1), \\fBspile\\-addresses\\fR(7)\n";
    page.into_bytes()
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

fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut whole_tree(), "spile", &mut script);
    script
}

/// spile-addresses(7), from the tables that the parser reads.
fn addresses_page() -> Vec<u8> {
    let mut page = title("spile-addresses", 7) + include_str!("generated/addresses.roff");
    page += ".SH SCHEMES\n";
    for scheme in SCHEMES {
        let rest = if scheme.syntax.is_empty() { String::new() } else { format!(":{}", scheme.syntax) };
        let listen = if scheme.listens {
            format!(", {}\\-l{}", roff(scheme.name), roff(&rest))
        } else {
            String::new()
        };
        let _ = writeln!(
            page,
            ".TP\n\\fB{}{}{listen}\\fR\n{}.",
            roff(scheme.name),
            roff(&rest),
            roff(scheme.help)
        );
    }
    page += ".SH OPTIONS\n";
    for row in OPTIONS {
        let value = match row.is_switch() {
            true => "[=yes|no]".to_owned(),
            false => format!("=\\fI{}\\fR", roff(row.metavar)),
        };
        let _ = writeln!(page, ".TP\n\\fB{}\\fR{value}\n{}.", roff(row.name), roff(row.help));
        let also = row.aliases.join(", ");
        let also = if also.is_empty() { String::new() } else { format!(" Also written {}.", roff(&also)) };
        let _ = writeln!(page, ".br\n{}{also}", roff(&takers(row)));
    }
    page += ".SH SEE ALSO\n\\fBspile\\fR(1), \\fBspile\\-relay\\fR(1), \\fBsocat\\fR(1)\n";
    page.into_bytes()
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

/// Every generated file with its content.
fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let tree = whole_tree();
    files.insert("man/spile.1".into(), main_page(&tree));
    for command in tree.get_subcommands() {
        files.insert(format!("man/spile-{}.1", command.get_name()).into(), command_page(command));
    }
    files.insert("man/spile-addresses.7".into(), addresses_page());
    files.insert("completions/spile.bash".into(), completion(Shell::Bash));
    files.insert("completions/_spile".into(), completion(Shell::Zsh));
    files.insert("completions/spile.fish".into(), completion(Shell::Fish));
    files
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
        let found = std::fs::read(&path).unwrap_or_default();
        assert!(found == wanted, "{} is stale: run scripts/generate", path.display());
    }
}

#[test]
fn every_flag_has_a_sentence_of_help() {
    for command in whole_tree().get_subcommands() {
        for arg in command.get_arguments() {
            let helped = arg.get_help().is_some() || arg.is_hide_set();
            assert!(helped, "spile {} {}", command.get_name(), arg.get_id());
        }
    }
}

#[test]
fn the_readme_has_the_table_of_exit_statuses() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (status, meaning) in STATUSES {
        assert!(readme.contains(&format!("| {status} | {meaning} |")), "README.md: {status}: {meaning}");
    }
}
