//! Man pages and shell completions, made from the tree of commands. They are checked in; a test compares.
//! `scripts/generate` renews them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::{Shell, generate};

use crate::address::{OPTIONS, SCHEMES};
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

fn man_page(command: &Command) -> Vec<u8> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).date("").manual("spile").source("spile");
    man.render(&mut page).unwrap();
    page
}

fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut whole_tree(), "spile", &mut script);
    script
}

/// spile-addresses(7), from the tables that the parser reads.
fn addresses_page() -> Vec<u8> {
    let mut page = String::from(
        ".TH spile-addresses 7 \"\" spile spile\n.SH NAME\nspile\\-addresses \\- what connect, listen, relay and wait can open\n\
         .SH SYNOPSIS\n\\fBSCHEME\\fR[,\\fIOPTION\\fR...][:\\fIREST\\fR][,\\fIOPTION\\fR...]\n.SH DESCRIPTION\n\
         HOST:PORT is TCP, a path or @NAME a Unix socket, \\- stdin and stdout. Everything else opens with a scheme.\n\
         A scheme listens when \\-l follows it (tcp\\-l:8080); PORT alone is then loopback, :PORT every interface.\n\
         READ!!WRITE joins the read side of one address with the write side of another.\n\
         A backslash or quotes protect commas, colons and exclamation marks; exec, sh and text take all that follows\n\
         their colon as it stands, so their options come before it. socat's words for the same things work, too.\n\
         .SH SCHEMES\n",
    );
    let escape = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    for scheme in SCHEMES {
        let rest = if scheme.syntax.is_empty() { String::new() } else { format!(":{}", scheme.syntax) };
        let listens = if scheme.listens { " (listens with \\-l)" } else { "" };
        let _ = writeln!(
            page,
            ".TP\n\\fB{}{}\\fR\n{}{listens}.",
            escape(scheme.name),
            escape(&rest),
            escape(scheme.help)
        );
    }
    page.push_str(".SH OPTIONS\n");
    for row in OPTIONS {
        let takers: Vec<_> =
            SCHEMES.iter().filter(|scheme| scheme.groups & row.groups != 0).map(|s| s.name).collect();
        let (name, metavar) = (escape(row.name), escape(row.metavar));
        let _ = writeln!(page, ".TP\n\\fB{name}\\fR=\\fI{metavar}\\fR\n{}.", escape(row.help));
        let also = row.aliases.join(", ");
        let also = if also.is_empty() { String::new() } else { format!(" Also: {also}.") };
        let _ = writeln!(page, "For: {}.{}", escape(&takers.join(", ")), escape(&also));
    }
    page.push_str(".SH SEE ALSO\nspile(1), spile\\-relay(1)\n");
    page.into_bytes()
}

/// Every generated file with its content.
fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let tree = whole_tree();
    files.insert("man/spile.1".into(), man_page(&tree));
    for command in tree.get_subcommands() {
        let named = command.clone().name(format!("spile-{}", command.get_name()).leak() as &'static str);
        files.insert(format!("man/spile-{}.1", command.get_name()).into(), man_page(&named));
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
