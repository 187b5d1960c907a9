//! Where reports go that `--json[=FILE]` asks for: one object a line.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::log::say;
use super::stdout::print;
use crate::error::{Exit, Failure};

/// What `--json[=FILE]` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// No file: wherever the command tells such things.
    Usual,
    /// This one; what was in it is gone.
    File(PathBuf),
}

impl Place {
    /// A clap value parser; `-` is what stands for no file.
    pub fn parse(word: std::ffi::OsString) -> Result<Place, String> {
        match word.is_empty() {
            true => Err("the name of the file is missing".to_owned()),
            false if word == "-" => Ok(Place::Usual),
            false => Ok(Place::File(word.into())),
        }
    }

    /// Opens it, so that a report that cannot be written is known before there is something to report. `usual` is
    /// where it goes without a file. Status 1 where the file cannot be made.
    pub fn open(&self, usual: Outlet) -> Result<Outlet, Failure> {
        match self {
            Place::Usual => Ok(usual),
            Place::File(path) => match File::create(path) {
                Ok(file) => Ok(Outlet::File(RefCell::new(file), path.clone())),
                Err(why) => Err(cannot_write(path, &why)),
            },
        }
    }
}

fn cannot_write(path: &std::path::Path, why: &io::Error) -> Failure {
    Failure::other(format!("cannot write the report to {}", path.display()), why)
}

/// An open place.
#[derive(Debug)]
pub enum Outlet {
    /// For commands whose stdout is for the report.
    Stdout,
    /// For commands whose stdout is for data.
    Stderr,
    /// A file of its own.
    File(RefCell<File>, PathBuf),
}

impl Outlet {
    /// Writes a line in one call. The status is 0, or that of a reader who has closed stdout.
    pub fn line(&self, text: &str) -> Result<Exit, Failure> {
        match self {
            Outlet::Stdout => print(&format!("{text}\n")),
            Outlet::Stderr => {
                say(text);
                Ok(Exit::OK)
            }
            Outlet::File(file, path) => {
                let written = file.borrow_mut().write_all(format!("{text}\n").as_bytes());
                written.map(|()| Exit::OK).map_err(|why| cannot_write(path, &why))
            }
        }
    }
}
