//! The document about all conversations of a run: in which form, and where it goes.

use std::cell::{Cell, RefCell};

use clap::ValueEnum;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::client_command::Output;
use super::target::Target;
use crate::commands::log::say;
use crate::commands::tls_report::{Outlet, Place};
use crate::error::{Exit, Failure};
use crate::report::chat::{Check, End, Form, Json, Junit, Record, Tap, Whole};

/// Flags of the document.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// Tell of all conversations in one document on stdout; text is none: a message on stderr where one fails
    #[arg(long, value_name = "FORM", value_enum, conflicts_with = "check")]
    format: Option<Format>,
    /// Write the document to this file, or to stdout (-); JSON unless --format says otherwise
    #[arg(long, value_name = "FILE|-", conflicts_with = "check", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    report: Option<Place>,
}

/// Its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A message on stderr where a conversation fails, nothing else
    Text,
    /// The Test Anything Protocol, for prove(1)
    Tap,
    /// JUnit's XML, for CI servers
    Junit,
    /// One object, schema spile.chat/1
    Json,
}

impl ReportArgs {
    /// Begins the document, so that one that cannot be written is known before anything is said; none where none is
    /// wanted.
    pub fn open(&self, target: &Target) -> Result<Option<Report>, Failure> {
        let form: Box<dyn Form> = match (self.format, &self.report) {
            (None | Some(Format::Text), None) => return Ok(None),
            (Some(Format::Text), Some(_)) => {
                return Err(Failure::usage("--report", "is not for text, which is told on stderr")
                    .hint("--format tap, junit or json"));
            }
            (Some(Format::Tap), _) => Box::new(Tap::default()),
            (Some(Format::Junit), _) => Box::new(Junit),
            (Some(Format::Json) | None, _) => Box::new(Json::new(target.address.to_string())),
        };
        let place = self.report.as_ref().unwrap_or(&Place::Usual);
        if *place == Place::Usual && target.is_stdio() {
            return Err(Failure::usage("stdout", "cannot be the target and have the document")
                .hint("--report FILE puts that into a file"));
        }
        Report::begin(form, place.open(Outlet::Stdout)?).map(Some)
    }
}

/// A document that is being written.
pub struct Report {
    form: RefCell<Box<dyn Form>>,
    outlet: Outlet,
    /// What became of the parts so far: after the first that could not be written there are no more.
    written: RefCell<Result<Exit, Failure>>,
    checks: RefCell<Vec<Check>>,
    /// Something bad is in it.
    is_bad: Cell<bool>,
    is_interrupted: Cell<bool>,
}

impl Report {
    fn begin(mut form: Box<dyn Form>, outlet: Outlet) -> Result<Report, Failure> {
        let written = outlet.line(&form.head())?;
        Ok(Report {
            form: RefCell::new(form),
            outlet,
            written: RefCell::new(Ok(written)),
            checks: RefCell::default(),
            is_bad: Cell::default(),
            is_interrupted: Cell::default(),
        })
    }

    /// Adds a conversation that is over.
    pub fn conversation(&self, record: &Record<'_>) {
        if let End::Interrupted = record.end {
            self.interrupted();
        }
        self.is_bad.set(self.is_bad.get() || !record.is_good());
        let text = self.form.borrow_mut().conversation(record);
        self.write(&text);
    }

    /// Adds something that had to be right beside the conversations; `why` tells what is wrong with it.
    pub fn checked(&self, name: String, why: Option<String>) {
        self.is_bad.set(self.is_bad.get() || why.is_some());
        self.checks.borrow_mut().push(Check { name, why });
    }

    /// A signal ends it.
    pub fn interrupted(&self) {
        self.is_interrupted.set(true);
    }

    /// Where something else may write that would write to stdout.
    pub fn output(&self) -> Output {
        match self.outlet {
            Outlet::Stdout => Output::Stderr,
            Outlet::Stderr | Outlet::File(..) => Output::Stdout,
        }
    }

    /// Ends it with what came of the run, which is handed on; a document that could not be written is a failure.
    pub fn end(&self, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let exit = result.as_ref().map_or_else(|failure| failure.exit, |exit| *exit);
        if exit != Exit::OK && !self.is_bad.get() {
            let why = result.as_ref().map_or_else(ToString::to_string, |_| "it was interrupted".to_owned());
            self.checked("all of it".to_owned(), Some(why));
        }
        let whole = Whole { checks: &self.checks.borrow(), exit, is_interrupted: self.is_interrupted.get() };
        let text = self.form.borrow_mut().end(&whole);
        self.write(&text);
        match (result, self.written.replace(Ok(Exit::OK))) {
            (Ok(exit), Ok(written)) => Ok(exit.or(written)),
            (Ok(Exit::OK), Err(failure)) => Err(failure),
            (result, Err(failure)) => {
                say(&format!("spile {}: {failure}", super::NAME));
                result
            }
            (result, Ok(_)) => result,
        }
    }

    /// Writes a part, unless one before could not be written.
    fn write(&self, text: &str) {
        let mut written = self.written.borrow_mut();
        if let Ok(Exit::OK) = *written {
            *written = self.outlet.line(text);
        }
    }
}
