//! Manual pages that say what shell lines print: their rows are read from the page itself, and run.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{SPILE, start};

/// One or more lines to type, and what they print.
#[derive(Debug, Default)]
pub struct Row {
    lines: Vec<String>,
    prints: String,
}

/// What the examples of a page begin with.
#[derive(Clone, Copy, Debug)]
pub enum Beginning {
    /// Nothing.
    EmptyDirectory,
    /// The lines of the first one.
    FirstExample,
}

/// A page of man/ as it is checked in.
pub struct Page(String);

impl Page {
    pub fn read(name: &str) -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man").join(name);
        Page(std::fs::read_to_string(path).unwrap())
    }

    /// The whole of it as a terminal shows it.
    pub fn text(&self) -> String {
        plain(&self.0)
    }

    /// The tags of the paragraphs, each with the heading of its section.
    pub fn tags(&self) -> Vec<(String, String)> {
        let (mut heading, mut tags) = (String::new(), Vec::new());
        for (line, next) in self.0.lines().zip(self.0.lines().skip(1)) {
            match line.strip_prefix(".SH ") {
                Some(text) => heading = plain(text),
                None if line == ".TP" => tags.push((heading.clone(), plain(next))),
                None => {}
            }
        }
        tags
    }

    /// The words of these tags, by heading: the names that have a row there.
    pub fn names(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (heading, tag) in self.tags() {
            let words = tag.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned);
            names.entry(heading).or_default().extend(words);
        }
        names
    }

    /// Runs its examples, several at a time; the first one is what all others begin with, if that is so.
    pub fn examples_print_what_they_say(&self, beginning: Beginning, at_least: usize) {
        let rows = self.rows();
        let (before, rows) = match beginning {
            Beginning::FirstExample => rows.split_at(1),
            Beginning::EmptyDirectory => rows.split_at(0),
        };
        assert!(rows.len() >= at_least, "the page has lost its rows: {} are left", rows.len());
        let before: Vec<&Row> = before.iter().collect();
        std::thread::scope(|scope| {
            for some in rows.chunks(rows.len().div_ceil(4)) {
                scope.spawn(|| some.iter().for_each(|row| row.prints_what_it_says(&before)));
            }
        });
    }

    /// Its examples in their order.
    pub fn rows(&self) -> Vec<Row> {
        let blocks = self.0.split("\n.EX\n").skip(1);
        blocks.map(|block| Row::of(block.split("\n.EE\n").next().unwrap())).collect()
    }
}

impl Row {
    fn of(block: &str) -> Row {
        let mut row = Row::default();
        for line in block.lines().map(plain) {
            match line.strip_prefix("$ ") {
                Some(typed) => row.lines.push(typed.to_owned()),
                None => row.prints += &(line + "\n"),
            }
        }
        row
    }

    /// Runs its lines in an empty directory, those of `before` ahead, and compares what they print.
    pub fn prints_what_it_says(&self, before: &[&Row]) {
        let dir = tempfile::tempdir().unwrap();
        let bin = tempfile::tempdir().unwrap();
        symlink(SPILE, bin.path().join("spile")).unwrap();
        let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
        let lines: Vec<&str> = before
            .iter()
            .copied()
            .chain([self])
            .flat_map(|row| row.lines.iter().map(String::as_str))
            .collect();
        let script = lines.join("\n");
        let mut command = Command::new("bash");
        command.args(["-c", &script]).env("PATH", &path).env("LC_ALL", "C").current_dir(&dir);
        // The roots of this machine are no part of the page.
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        let ended = start(command).eof().ends();
        let printed = String::from_utf8_lossy(&ended.stdout);
        // A text on stdin has no line end of its own.
        assert_eq!(printed.trim_end(), self.prints.trim_end(), "{script}\n{}", ended.stderr);
    }
}

/// Text as a terminal shows it.
fn plain(roff: &str) -> String {
    let roff = roff.replace("\\fB", "").replace("\\fR", "");
    roff.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
}
