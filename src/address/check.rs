//! The options of an end against what it names and the part it plays: what would do nothing is refused.
//!
//! The parser has looked at each option already; but flags come later, and change what an address means.

use super::given::not_for;
use super::option_table::{EXEC, FILE, MESSAGES, PASSED, PATH, Part, TLS, row_of};
use super::scheme_table::scheme;
use super::{End, Key, Target, UnixName};
use crate::error::Failure;

impl End {
    /// The part that it plays.
    pub fn part(&self) -> Part {
        if self.listening { Part::Listening } else { Part::Connecting }
    }

    /// The groups of options that it takes.
    pub(super) fn groups(&self) -> u32 {
        let of = |name: &str| scheme(name).map_or(0, |scheme| scheme.groups);
        match &self.target {
            Target::Path(_) => of("unix") | of("file"),
            Target::Unix { name: UnixName::Abstract(_), .. } if self.listening => of(self.word()) & !PATH,
            _ => of(self.word()),
        }
    }

    /// True when `key` does something here.
    pub fn takes(&self, key: Key) -> bool {
        row_of(key).is_some_and(|row| row.fits(self.groups(), self.part()))
    }

    /// The same, with the other options that are given here.
    pub fn is_of_use(&self, key: Key) -> bool {
        self.takes(key) && self.needs(key).is_none_or(|needed| self.has(needed))
    }

    /// True when what comes from here may come in messages whose boundaries are kept.
    pub fn may_have_messages(&self) -> bool {
        self.groups() & (MESSAGES | PASSED) != 0 || matches!(self.target, Target::Fd(_))
    }

    /// Fails with status 2 for an option that does nothing here, by itself or without another one.
    pub fn check(&self) -> Result<(), Failure> {
        self.check_for(self.groups(), &self.describe())
    }

    /// The same once it is known that somebody else opened the socket, and which scheme it is of.
    pub fn check_as(&self, word: &str) -> Result<(), Failure> {
        let groups = scheme(word).map_or(0, |scheme| scheme.groups);
        self.check_for(groups, &format!("the {word} socket that was passed"))
    }

    fn check_for(&self, groups: u32, name: &str) -> Result<(), Failure> {
        for (row, _) in self.options.iter().filter_map(|(key, value)| Some((row_of(key)?, value))) {
            let refuse = |why: String| Err(Failure::usage(format!("option '{}'", row.name), why));
            if !row.fits(groups, self.part()) {
                return refuse(not_for(row, groups, self.part(), name));
            }
            if let Some(needed) = self.needs(row.key).and_then(row_of).filter(|row| !self.has(row.key)) {
                return refuse(format!("does nothing here without the option '{}'", needed.name));
            }
            if let Some(other) = self.contradicted(row.key).and_then(row_of) {
                return refuse(format!("contradicts the option '{}'", other.name));
            }
            if self.is_up_to_the_terminal(row.key) {
                return refuse(
                    "does nothing with the option 'pty': a terminal is all three descriptors".to_owned(),
                );
            }
        }
        Ok(())
    }

    fn has(&self, key: Key) -> bool {
        self.options.has(key) && self.options.flag(key) != Some(false)
    }

    /// Another option that was given and does not go with `key`.
    fn contradicted(&self, key: Key) -> Option<Key> {
        let given = |with: &Key| self.has(*with);
        match key {
            Key::Sni => [Key::NoSni].into_iter().find(given),
            // A pin that stands for everything leaves nothing to look at.
            Key::PinOnly if self.has(Key::PinOnly) => {
                const UNUSED: [Key; 8] = [
                    Key::Insecure,
                    Key::Cafile,
                    Key::CaAdd,
                    Key::Roots,
                    Key::TrustCert,
                    Key::Crl,
                    Key::Staple,
                    Key::At,
                ];
                UNUSED.into_iter().find(given)
            }
            Key::Min if self.options.text(Key::Min) == Some("1.3") => {
                let oldest_only = self.options.text(Key::Max) == Some("1.2");
                oldest_only.then_some(Key::Max)
            }
            _ => None,
        }
    }

    /// True for what a program's terminal decides; that its stderr is merged with stdout is so anyway.
    fn is_up_to_the_terminal(&self, key: Key) -> bool {
        let means_nothing = match key {
            Key::Pipes => true,
            Key::Stderr => self.options.text(Key::Stderr) != Some("merge"),
            _ => false,
        };
        means_nothing && self.has(Key::PtyFlag)
    }

    /// The option without which `key` does nothing.
    fn needs(&self, key: Key) -> Option<Key> {
        let groups = self.groups();
        match key {
            Key::Raw | Key::Echo | Key::Rows | Key::Cols if groups & EXEC != 0 => Some(Key::PtyFlag),
            Key::ProxyAuthFile => Some(Key::Proxy),
            Key::HandshakeTimeout | Key::MaxHandshakes if groups & TLS == 0 => Some(Key::AcceptProxy),
            Key::Private | Key::Ocsp => Some(Key::Cert),
            Key::PassFile if !self.listening => Some(Key::Cert),
            Key::PinOnly => Some(Key::Pin),
            Key::CrlSoft => Some(Key::Crl),
            Key::Crl if self.listening => Some(Key::ClientCa),
            Key::ClientOptional
            | Key::AllowAny
            | Key::AllowDns
            | Key::AllowUri
            | Key::AllowCn
            | Key::AllowOu
            | Key::AllowPin => Some(Key::ClientCa),
            // A client has a path of its own only where it asks for one.
            Key::Mode | Key::User | Key::Group | Key::Unlink
                if !self.listening && groups & (PATH | FILE) == PATH =>
            {
                Some(Key::Bind)
            }
            _ => None,
        }
    }
}
