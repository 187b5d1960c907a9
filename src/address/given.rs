//! The options of one end as typed, checked against what its scheme takes in the part it plays.

use super::option_table::{IP, OPTIONS, OptionRow, Part, TLS, option};
use super::scan::piece;
use super::scheme_table::Scheme;
use super::{Family, Options, Value, socat};
use crate::error::Failure;
use crate::suggest::nearest;

/// Options being read: for which scheme, in which part, and what was found so far.
pub struct Given {
    scheme: &'static str,
    part: Part,
    groups: u32,
    /// What was found.
    pub options: Options,
    /// The IP version, where one is asked for.
    pub family: Option<Family>,
}

impl Given {
    /// None so far.
    pub fn to(scheme: &Scheme, part: Part) -> Given {
        Given { scheme: scheme.name, part, groups: scheme.groups, options: Options::default(), family: None }
    }

    /// What another scheme takes is taken too: a bare path may turn out to be either.
    pub fn or(mut self, other: &Scheme) -> Given {
        self.groups |= other.groups;
        self
    }

    /// Reads `a=b,c`.
    pub fn list(&mut self, list: Option<&str>) -> Result<(), Failure> {
        let mut left = list;
        while let Some(list) = left {
            let option = piece(list, &[','], true)
                .map_err(|why| Failure::misuse(format!("options '{}'", list.escape_debug()), why))?;
            self.one(&option.text)?;
            left = option.stop.map(|_| option.rest);
        }
        Ok(())
    }

    /// Reads `key` or `key=value`.
    pub fn one(&mut self, typed: &str) -> Result<(), Failure> {
        let (name, value) = match typed.split_once('=') {
            Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
            None => (typed.to_ascii_lowercase(), None),
        };
        let fail = |why: String| Failure::misuse(format!("option '{}'", name.escape_debug()), why);
        if name.is_empty() {
            return Err(Failure::misuse(
                format!("options of {}", self.scheme),
                "a comma has no option after it",
            )
            .hint("options are NAME or NAME=VALUE"));
        }
        if let (Some(family), true) = (socat::protocol_family(&name, value), self.groups & IP != 0) {
            self.family = Some(family.map_err(fail)?);
            return Ok(());
        }
        if self.groups & TLS != 0
            && let Some(done) = socat::tls(&mut self.options, &name, value, self.part)
        {
            return done.map_err(fail);
        }
        if socat::is_default(&name, value, self.groups, self.part) {
            return Ok(());
        }
        if let Some(keys) = socat::stands_for(&name).filter(|_| value.is_none()) {
            return keys.iter().try_for_each(|key| self.one(key));
        }
        let Some(row) = option(&name).filter(|row| row.fits(self.groups, self.part)) else {
            return Err(self.unknown(&name));
        };
        let converted = value.map(|value| socat::value(&name, value));
        let value: Value = row.read(converted.as_deref()).map_err(fail)?;
        self.options.push(row.key, value);
        Ok(())
    }

    fn unknown(&self, name: &str) -> Failure {
        let valid: Vec<&OptionRow> = OPTIONS.iter().filter(|row| row.fits(self.groups, self.part)).collect();
        let names: Vec<&str> = valid.iter().map(|row| row.name).collect();
        let list = if names.is_empty() { "none".to_owned() } else { names.join(" ") };
        let (scheme, part) = (self.scheme, if self.part == Part::Listening { "a listening " } else { "" });
        let why = match option(name) {
            Some(row) => not_for(row, self.groups, self.part, scheme),
            None if socat::is_known(name) => "is socat's, and not supported here".to_owned(),
            None => "is unknown".to_owned(),
        };
        let failure = Failure::usage(format!("option '{}'", name.escape_debug()), why);
        match nearest(name, names.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean '{near}'? {part}{scheme} takes: {list}")),
            None => failure.hint(format!("{part}{scheme} takes: {list}")),
        }
    }
}

/// Why an option does nothing for a scheme of `groups` in that part.
pub fn not_for(row: &OptionRow, groups: u32, part: Part, scheme: &str) -> String {
    match part {
        Part::Listening if row.fits(groups, Part::Connecting) => {
            format!("is for connecting, and {scheme} listens here")
        }
        Part::Connecting if row.fits(groups, Part::Listening) => {
            format!("is for listening, and {scheme} connects here")
        }
        _ => format!("is not for {scheme}"),
    }
}
